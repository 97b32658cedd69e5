#include "tools/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace sipassay::tools {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  }
  ~Pipe() {
    for (const int end : ends)
      if (end >= 0) ::close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_writer() {
    ::close(ends[1]);
    ends[1] = -1;
  }
};

void connect(int from, int to) {
  if (from >= 0) dup2(from, to);
}

// In the child. Returns only when the program cannot be run.
void become(const Launch& launch) {
  if (launch.leads_group) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
  }
  std::signal(SIGPIPE, SIG_DFL);
  connect(launch.in >= 0 ? launch.in : open("/dev/null", O_RDONLY), STDIN_FILENO);
  connect(launch.out, STDOUT_FILENO);
  connect(launch.err, STDERR_FILENO);
  for (const std::string& variable : launch.environment) {
    const std::size_t equals = variable.find('=');
    setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
  }
  if (!launch.directory.empty() && chdir(launch.directory.c_str()) != 0) return;
  std::vector<char*> pointers;
  std::vector<std::string> copies = launch.arguments;
  pointers.reserve(copies.size() + 1);
  for (std::string& one : copies) pointers.push_back(one.data());
  pointers.push_back(nullptr);
  execvp(pointers[0], pointers.data());
}

int exit_status(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1000));
}

// Appends what is there; false at the end of the stream.
bool drain(int descriptor, std::string& into) {
  char buffer[4096];
  const ssize_t count = read(descriptor, buffer, sizeof buffer);
  if (count <= 0) return false;
  into.append(buffer, static_cast<std::size_t>(count));
  return true;
}

}  // namespace

std::expected<int, std::string> spawn(const Launch& launch) {
  Pipe failure;  // closed by exec; else it says why there was none
  const pid_t child = fork();
  if (child < 0) return std::unexpected(std::string("no process: ") + std::strerror(errno));
  if (child == 0) {
    become(launch);
    const int reason = errno;
    const bool is_told = write(failure.ends[1], &reason, sizeof reason) == sizeof reason;
    _exit(is_told ? 126 : 125);
  }
  // The child does the same: whoever comes first, the group is there when we return.
  if (launch.leads_group) setpgid(child, child);
  failure.close_writer();
  int reason = 0;
  if (read(failure.ends[0], &reason, sizeof reason) != sizeof reason) return child;
  waitpid(child, nullptr, 0);
  return std::unexpected(launch.arguments[0] + ": " + std::strerror(reason));
}

Exit start(const std::vector<std::string>& arguments, const Start& how) {
  Pipe out;
  Pipe err;
  const Clock::time_point begun = Clock::now();
  const auto child = spawn({.arguments = arguments,
                            .environment = how.environment,
                            .directory = how.directory,
                            .out = out.ends[1],
                            .err = err.ends[1],
                            .leads_group = true});
  if (!child) return {.status = 126, .out = {}, .err = child.error()};
  out.close_writer();
  err.close_writer();

  Exit result;
  bool has_signalled = how.signal == 0;
  bool is_killed = false;
  std::array<pollfd, 2> watched{pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0}};
  while (watched[0].fd >= 0 || watched[1].fd >= 0) {
    if (!has_signalled && Clock::now() >= begun + how.after) {
      kill(*child, how.signal);
      has_signalled = true;
    }
    if (!is_killed && Clock::now() >= begun + how.limit) {
      kill(-*child, SIGKILL);
      is_killed = true;
    }
    poll(watched.data(), watched.size(),
         milliseconds_until(begun + (has_signalled ? how.limit : how.after)));
    if (watched[0].revents != 0 && !drain(watched[0].fd, result.out)) watched[0].fd = -1;
    if (watched[1].revents != 0 && !drain(watched[1].fd, result.err)) watched[1].fd = -1;
  }
  int status = 0;
  waitpid(*child, &status, 0);
  result.status = exit_status(status);
  return result;
}

Background::Background(const std::vector<std::string>& arguments) {
  Pipe out;
  if (const auto child = spawn({.arguments = arguments, .out = out.ends[1]}))
    pid_ = *child;
  else
    status_ = 126;
  out_ = std::exchange(out.ends[0], -1);
}

Background::~Background() {
  if (status_ < 0) end(SIGKILL);
  ::close(out_);
}

std::string Background::line(std::chrono::milliseconds patience) {
  const Clock::time_point deadline = Clock::now() + patience;
  std::size_t end = 0;
  while ((end = buffer_.find('\n')) == std::string::npos && Clock::now() < deadline) {
    pollfd wanted{out_, POLLIN, 0};
    if (poll(&wanted, 1, milliseconds_until(deadline)) > 0 && !drain(out_, buffer_)) break;
  }
  if (end == std::string::npos) return {};
  std::string out = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return out;
}

bool Background::is_running() {
  if (status_ >= 0) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == 0) return true;
  status_ = exit_status(status);
  return false;
}

int Background::end(int signal) {
  if (status_ >= 0) return status_;
  kill(pid_, signal);
  int status = 0;
  waitpid(pid_, &status, 0);
  status_ = exit_status(status);
  return status_;
}

}  // namespace sipassay::tools
