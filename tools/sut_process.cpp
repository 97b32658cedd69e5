#include "tools/sut_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include "engine/base/ascii.h"
#include "reports/escape.h"
#include "tools/child_process.h"

namespace sipassay::tools {
namespace {

constexpr std::size_t last_line_max = 4096;  // octets in which it is looked for
constexpr Duration glance = 10ms;            // between two looks at whether it has ended

Launch launch_of(const scenarios::Command& written, const Endpoint& sut) {
  const scenarios::Command command = for_address(written, sut);
  Launch out;
  out.directory = command.directory;
  if (command.uses_shell) out.arguments = {"/bin/sh", "-c"};
  out.arguments.insert(out.arguments.end(), command.arguments.begin(), command.arguments.end());
  // What follows the line of a shell begins with its $0.
  if (command.uses_shell && out.arguments.size() > 3)
    out.arguments.insert(out.arguments.begin() + 3, "sh");
  for (const auto& [name, value] : command.environment)
    out.environment.push_back(name + "=" + value);
  return out;
}

// A file that has no name any more.
int unnamed_file() {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "sipassay-sut-XXXXXX").string();
  const int file = mkostemp(name.data(), O_APPEND | O_CLOEXEC);
  if (file >= 0) unlink(name.c_str());
  return file;
}

int signal_from(std::string_view name) {
  constexpr std::array numbers{SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGKILL};
  static_assert(numbers.size() == std::size(scenarios::stop_signals));
  const auto found = std::ranges::find(scenarios::stop_signals, name);
  return numbers.at(static_cast<std::size_t>(found - std::begin(scenarios::stop_signals)));
}

std::string last_line_of(std::string_view text) {
  const std::string_view trimmed = ascii::trim(text);
  return reports::printable(ascii::trim(trimmed.substr(trimmed.rfind('\n') + 1)));
}

}  // namespace

std::expected<std::unique_ptr<SutProcess>, std::string> SutProcess::start(
    const scenarios::Command& command, const Endpoint& sut, const std::string& log,
    const Pipes& pipes) {
  const int file = log.empty()
                       ? unnamed_file()
                       : open(log.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0)
    return std::unexpected(fmt::format("no file for its output: {}{}{}", reports::printable(log),
                                       log.empty() ? "" : ": ", std::strerror(errno)));
  Launch launch = launch_of(command, sut);
  launch.in = pipes.in;
  launch.out = pipes.out >= 0 ? pipes.out : file;
  launch.err = file;
  launch.leads_group = true;
  const auto pid = spawn(launch);
  if (!pid) {
    ::close(file);
    return std::unexpected(pid.error());
  }
  return std::unique_ptr<SutProcess>(new SutProcess(*pid, file));
}

SutProcess::~SutProcess() {
  end();
  ::close(log_);
}

bool SutProcess::is_running() {
  if (status_ >= 0) return false;
  siginfo_t info = {};
  // Left to be waited for: its id is nobody else's until its group is gone.
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
      info.si_pid == 0)
    return true;
  end();
  return false;
}

std::string SutProcess::obituary() const {
  return status_ >= 128 ? fmt::format("was ended by signal {}", status_ - 128)
                        : fmt::format("ended with status {}", status_);
}

bool SutProcess::has_ended_within(Duration patience) {
  for (Duration waited{}; is_running(); waited += glance) {
    if (waited >= patience) return false;
    std::this_thread::sleep_for(glance);
  }
  return true;
}

void SutProcess::stop(const scenarios::Stop& how, const Endpoint& sut) {
  if (!is_running()) return;
  if (how.command)
    (void)run_command(*how.command, sut);
  else
    kill(-pid_, signal_from(how.signal));
  if (!has_ended_within(how.within)) end();
}

// What is left of the group is killed.
void SutProcess::end() {
  if (status_ >= 0) return;
  kill(-pid_, SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::uint64_t SutProcess::output_size() const {
  struct stat about = {};
  return fstat(log_, &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
}

std::string SutProcess::output(std::uint64_t from, std::size_t most) const {
  std::string out(most, '\0');
  std::size_t have = 0;
  while (have < most) {
    const ssize_t count =
        pread(log_, out.data() + have, most - have, static_cast<off_t>(from + have));
    if (count <= 0) break;
    have += static_cast<std::size_t>(count);
  }
  out.resize(have);
  return out;
}

std::string SutProcess::last_line() const {
  const std::uint64_t size = output_size();
  return last_line_of(output(size - std::min<std::uint64_t>(size, last_line_max), last_line_max));
}

std::string sanitizer_report(std::string_view output) {
  // As the runtimes of GCC and clang, and valgrind's memcheck, write them.
  constexpr std::string_view marks[] = {
      "ERROR: AddressSanitizer: ",  "ERROR: LeakSanitizer: ",    "WARNING: MemorySanitizer: ",
      "WARNING: ThreadSanitizer: ", ": runtime error: ",         "ERROR: libFuzzer: ",
      "== Invalid read of size ",   "== Invalid write of size ", "== Invalid free() ",
      "UndefinedBehaviorSanitizer:"};
  constexpr std::size_t shown_max = 300;
  while (!output.empty()) {
    const std::size_t end = std::min(output.find('\n'), output.size());
    const std::string_view line = output.substr(0, end);
    if (std::ranges::any_of(marks, [&](auto mark) { return line.contains(mark); }))
      return reports::printable(ascii::trim(line.substr(0, shown_max)));
    output.remove_prefix(std::min(end + 1, output.size()));
  }
  return {};
}

std::string run_command(const scenarios::Command& command, const Endpoint& sut) {
  const Launch launch = launch_of(command, sut);
  const Exit exit = tools::start(
      launch.arguments, {.environment = launch.environment,
                         .directory = launch.directory,
                         .limit = std::chrono::ceil<std::chrono::milliseconds>(command.within)});
  if (exit.status == 0) return {};
  if (exit.status == 126) return last_line_of(exit.err);
  const std::string how = exit.status >= 128
                              ? fmt::format("was ended by signal {}", exit.status - 128)
                              : fmt::format("ended with status {}", exit.status);
  const std::string said = last_line_of(exit.err.empty() ? exit.out : exit.err);
  return fmt::format("{} {}{}{}", reports::printable(launch.arguments[0]), how,
                     said.empty() ? "" : ": ", said);
}

}  // namespace sipassay::tools
