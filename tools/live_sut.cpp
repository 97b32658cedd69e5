#include "tools/live_sut.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tools/interrupt.h"
#include "tools/live_probe.h"

namespace sipassay::tools {
namespace {

constexpr Duration glance = 100ms;      // signals and the process are looked at no less often
constexpr Duration start_beat = 200ms;  // between two questions whether it is there yet

constexpr std::size_t output_max = 256 * 1024;  // looked through for reports at a time

bool answers(const LiveSut::Address& address) {
  return address.complaint.empty();
}

}  // namespace

bool LiveSut::find() {
  for (const Endpoint& written : options_.sut) look_up(written);
  complaint_ = start();
  if (complaint_.empty()) complaint_ = start_adapter();
  if (complaint_.empty() && !process_) complaint_ = reset();
  if (!complaint_.empty()) return false;
  complaint_ = ask_everywhere();
  is_there_ = answers(address());
  return is_there_;
}

void LiveSut::look_up(const Endpoint& written) {
  Address& out = addresses_.emplace_back(Address{.sut = written});
  const auto sut = transport::resolved(written);
  if (!sut) {
    out.complaint = sut.error();
    return;
  }
  out.sut = *sut;
  if (const auto near = transport::address_towards(*sut))
    out.near = *near;
  else
    out.complaint = near.error();
}

std::string LiveSut::start() {
  const bool is_ours = options_.profile && options_.profile->start && options_.starts_sut;
  if (!is_ours || !answers(address())) return {};
  const Endpoint& sut = address().sut;
  // Whoever is there already would be tested in its place.
  if (ask().empty())
    return fmt::format("{} is in use: end what runs there, or take --no-start", to_string(sut));
  return launch();
}

std::string LiveSut::launch() {
  const Endpoint& sut = address().sut;
  auto process = SutProcess::start(*options_.profile->start, sut, options_.sut_log);
  if (!process) return fmt::format("the SUT cannot be started: {}", process.error());
  process_ = std::move(*process);
  heard_ = 0;
  is_mourned_ = false;
  const std::string complaint = ask(options_.profile->start->within);
  if (complaint.empty() || is_interrupted()) return {};
  const std::string said = process_->last_line();
  return fmt::format("the SUT that was started {}{}{}",
                     process_->is_running() ? "does not answer: " + complaint
                                            : process_->obituary() + " before it answered",
                     said.empty() ? "" : "; it said: ", said);
}

// After the SUT: it may belong to it. Before it is asked: it may bring it.
std::string LiveSut::start_adapter() {
  if (!options_.adapter) return {};
  if (!adapter_) adapter_.emplace(hub_, *options_.adapter, address().sut);
  adapter_->start();
  while (!adapter_->is_ready() && !adapter_->is_off() && !is_interrupted()) {
    hub_.wait(std::min(adapter_->deadline(), hub_.now() + glance));
    while (hub_.poll()) {
    }
    adapter_->advance();
  }
  return adapter_->is_off() ? "the adapter cannot be used: " + adapter_->complaint()
                            : std::string();
}

std::string LiveSut::ask_everywhere() {
  std::string silent;
  for (Address& address : addresses_) {
    if (answers(address) && !is_interrupted()) address.complaint = ask(address);
    if (!answers(address))
      silent += fmt::format("{}{}: {}", silent.empty() ? "" : "; ", to_string(address.sut),
                            address.complaint);
  }
  return silent.empty() ? silent : "the SUT cannot be reached at " + silent;
}

std::string LiveSut::ask(const Address& address, Duration patience) {
  Probe::Options how{
      .sut = address.sut, .near = address.near, .t1 = options_.timings.t1, .patience = patience};
  if (patience > Duration::zero()) {
    how.t1 = std::min(how.t1, start_beat);
    how.tries = static_cast<int>(patience / how.t1) + 1;
  }
  Probe probe(hub_, how, Rng(options_.seed).fork("probe"));
  while (!probe.is_over() && !is_interrupted()) {
    if (process_ && !process_->is_running()) return "it has ended";
    hub_.wait(std::min(probe.deadline(), hub_.now() + glance));
    while (const auto event = hub_.poll())
      if (probe.has(std::visit([](const auto& e) { return e.local; }, *event))) probe.take(*event);
    probe.advance();
  }
  return probe.is_answered() ? std::string() : probe.complaint();
}

std::string LiveSut::reset() {
  if (!options_.profile || !options_.profile->reset) return {};
  const std::string complaint = run_command(*options_.profile->reset, address().sut);
  return complaint.empty() ? complaint : "the SUT could not be reset: " + complaint;
}

std::string LiveSut::death() {
  if (!process_ || is_mourned_) return {};
  const bool has_ended = !process_->is_running();
  const std::uint64_t size = process_->output_size();
  if (!has_ended && size == heard_) return {};
  const std::uint64_t from = std::max(heard_, size - std::min<std::uint64_t>(size, output_max));
  const std::string report = sanitizer_report(process_->output(from, output_max));
  heard_ = size;
  if (!has_ended) return report;
  is_mourned_ = true;
  const std::string words = report.empty() ? process_->last_line() : report;
  return fmt::format("its process {}{}{}", process_->obituary(), words.empty() ? "" : ": ", words);
}

std::string LiveSut::revive(Duration patience) {
  if (process_) {
    process_->stop(options_.profile->stop.value_or(scenarios::Stop{}), address().sut);
    if (const std::string complaint = launch(); !complaint.empty()) return complaint;
  }
  // What it knows of calls is of the one that died; and it may be that one.
  if (adapter_) adapter_->stop();
  if (const std::string complaint = start_adapter(); !complaint.empty()) return complaint;
  return ask(patience);
}

void LiveSut::stop() {
  adapter_.reset();
  if (process_) process_->stop(options_.profile->stop.value_or(scenarios::Stop{}), address().sut);
}

const LiveSut::Address& LiveSut::address() const {
  const auto found = std::ranges::find_if(addresses_, answers);
  return found == addresses_.end() ? addresses_.front() : *found;
}

const LiveSut::Address& LiveSut::address_for(const runner::Case& one) const {
  const Address* silent = nullptr;
  for (const Transport transport : one.transports)
    for (const Address& address : addresses_) {
      if (address.sut.transport != transport) continue;
      if (answers(address)) return address;
      if (silent == nullptr) silent = &address;
    }
  return silent != nullptr ? *silent : address();
}

}  // namespace sipassay::tools
