#include "tools/adapter.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "reports/escape.h"

namespace sipassay::tools {
namespace {

constexpr int unsupported_status = 127;  // "command not found", as a shell has it

void shut(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

}  // namespace

Adapter::Adapter(transport::Hub& hub, scenarios::Command command, const Endpoint& sut)
    : hub_(hub), command_(std::move(command)), sut_(sut) {}

Adapter::~Adapter() {
  stop();
}

void Adapter::stop() {
  if (state_ == State::Ready) write(to_line({.number = ++number_, .action = "quit"}));
  if (state_ == State::Off) return;
  close_pipes();
  process_->stop({.command = {}, .within = 2s}, sut_);
  ready_.is_sut = false;
  end("it was stopped");
  deaths_ = 0;
}

void Adapter::close_pipes() {
  if (out_ >= 0) hub_.unwatch(out_);
  shut(out_);
  shut(in_);
}

void Adapter::start() {
  if (state_ != State::Off) return;
  std::array<int, 2> to{-1, -1}, from{-1, -1};
  if (pipe2(to.data(), O_CLOEXEC) != 0 || pipe2(from.data(), O_CLOEXEC) != 0) {
    for (int* one : {&to[0], &to[1], &from[0], &from[1]}) shut(*one);
    return end(fmt::format("no pipe: {}", std::strerror(errno)));
  }
  auto process = SutProcess::start(command_, sut_, {}, {.in = to[0], .out = from[1]});
  shut(to[0]);
  shut(from[1]);
  in_ = to[1];
  out_ = from[0];
  for (const int descriptor : {in_, out_})
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  hub_.watch(out_);
  buffer_.clear();
  lines_ = 0;
  second_ = hub_.now();
  ready_ = {};
  ready_by_ = hub_.now() + command_.within;
  state_ = State::Starting;
  if (!process) return end(process.error());
  process_ = std::move(*process);
}

std::uint32_t Adapter::tell(runner::SutCommand command) {
  command.number = ++number_;
  open_.insert(command.number);
  const std::string line = to_line(command);
  const auto refuse = [&](std::string reason) {
    open_.erase(command.number);
    events_.push_back(
        runner::SutCommandDone{.number = command.number, .ok = false, .reason = std::move(reason)});
    return command.number;
  };
  if (line.size() > adapter_line_max) return refuse("the command is too long for an adapter");
  if (open_.size() > adapter_waiting_max) return refuse("the adapter does not answer");
  if (state_ == State::Off && deaths_ >= adapter_deaths_max)
    return refuse(fmt::format("the adapter does not stay: {}", complaint_));
  if (state_ == State::Off) start();
  if (state_ == State::Ready)
    write(line);
  else if (state_ == State::Starting)
    waiting_.push_back(line);
  return command.number;
}

void Adapter::write(const std::string& line) {
  const std::string octets = line + "\n";
  // A pipe takes so little whole or not at all.
  if (::write(in_, octets.data(), octets.size()) < 0 && errno == EAGAIN)
    end("it does not read its commands");
}

void Adapter::advance() {
  if (state_ == State::Off) return;
  read();
  if (state_ == State::Starting && hub_.now() >= ready_by_)
    end(fmt::format("it was not ready within {} s", command_.within / 1s));
}

Instant Adapter::deadline() const {
  return state_ == State::Starting ? ready_by_ : Instant::max();
}

std::optional<Adapter::Event> Adapter::poll() {
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void Adapter::read() {
  std::array<char, 4096> some{};
  while (state_ != State::Off) {
    const ssize_t count = ::read(out_, some.data(), some.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;  // nothing more for now
    if (count == 0) {
      // Nobody holds its output any more: it has ended, or is about to.
      hub_.unwatch(out_);
      process_->stop({.command = {}, .signal = "TERM", .within = 1s}, sut_);
      const bool is_unsupported =
          state_ == State::Ready && process_->status() == unsupported_status;
      return end(process_->obituary(), is_unsupported);
    }
    buffer_.append(some.data(), static_cast<std::size_t>(count));
    std::size_t begin = 0;
    for (std::size_t at = 0;
         state_ != State::Off && (at = buffer_.find('\n', begin)) != std::string::npos;
         begin = at + 1)
      take(std::string_view(buffer_).substr(begin, at - begin));
    if (state_ == State::Off) return;
    buffer_.erase(0, begin);
    if (buffer_.size() > adapter_line_max) return end("it said a line that is too long");
  }
}

void Adapter::take(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (hub_.now() - second_ >= 1s) {
    second_ = hub_.now();
    lines_ = 0;
  }
  if (++lines_ > adapter_lines_a_second_max) return end("it says too much");
  if (line.size() > adapter_line_max) return end("it said a line that is too long");
  auto read = adapter_line_from(line);
  const auto is_no_line = [&](std::string_view expected) {
    end(fmt::format("it said \"{}\": expected {}", reports::printable(line.substr(0, 80)),
                    expected));
  };
  if (!read) return is_no_line(read.error());
  if (const auto* ready = std::get_if<AdapterReady>(&*read)) {
    if (state_ != State::Starting) return is_no_line("ready once only");
    ready_ = *ready;
    state_ = State::Ready;
    for (const std::string& one : std::exchange(waiting_, {}))
      if (state_ == State::Ready) write(one);
  } else if (const auto* died = std::get_if<SutHasDied>(&*read)) {
    events_.push_back(Died{reports::printable(died->text)});
  } else if (const auto* answer = std::get_if<AdapterAnswer>(&*read)) {
    if (answer->number == 0 || answer->number > number_)
      return is_no_line("the number of a command");
    if (open_.erase(answer->number) == 0) return;  // too late, or once more
    deaths_ = 0;
    events_.push_back(
        runner::SutCommandDone{.number = answer->number,
                               .ok = answer->ok,
                               .is_unsupported = answer->is_unsupported,
                               .reason = answer->text.empty() && answer->is_unsupported
                                             ? std::string("the adapter does not support it")
                                             : reports::printable(answer->text)});
  }
}

// It is off; what it was told and has not answered fails.
void Adapter::end(std::string reason, bool is_unsupported) {
  const bool was_sut = ready_.is_sut;
  state_ = State::Off;
  close_pipes();
  if (process_) {
    process_->stop({.command = {}, .signal = "KILL", .within = 1s}, sut_);
    if (const std::string said = process_->last_line(); !said.empty()) reason += "; " + said;
    process_.reset();
  }
  complaint_ = reason;
  waiting_.clear();
  if (is_unsupported)
    deaths_ = 0;
  else
    ++deaths_;
  if (was_sut && !is_unsupported) events_.push_back(Died{fmt::format("its adapter {}", reason)});
  for (const std::uint32_t number : std::exchange(open_, {}))
    events_.push_back(runner::SutCommandDone{
        .number = number,
        .ok = false,
        .is_unsupported = is_unsupported,
        .reason = is_unsupported ? std::string("the adapter ended with status 127")
                                 : fmt::format("the adapter is gone: {}", reason)});
}

}  // namespace sipassay::tools
