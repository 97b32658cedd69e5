// A SUT that its profile starts, and the other commands of a profile.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/endpoint.h"
#include "scenarios/profile.h"

namespace sipassay::tools {

// Runs until it is stopped, at the latest with this object; then its whole process group has ended.
class SutProcess {
 public:
  // Descriptors that become its standard input and output; -1: nothing comes in, and what goes out
  // is kept.
  struct Pipes {
    int in, out;
  };
  // What it writes goes to `log`, which is emptied first; without one it is kept for output().
  static std::expected<std::unique_ptr<SutProcess>, std::string> start(
      const scenarios::Command& command, const Endpoint& sut, const std::string& log = {},
      const Pipes& pipes = {-1, -1});
  ~SutProcess();
  SutProcess(const SutProcess&) = delete;
  SutProcess& operator=(const SutProcess&) = delete;

  bool is_running();
  // Once it does not run: exit status; 128 + N when signal N ended it.
  int status() const { return status_; }
  // "ended with status 3", "was ended by signal 11".
  std::string obituary() const;
  void stop(const scenarios::Stop& how, const Endpoint& sut);

  // What it has written so far, in octets; and at most `most` of it from an offset on.
  std::uint64_t output_size() const;
  std::string output(std::uint64_t from, std::size_t most) const;
  // The last line that is not empty, fit for a report.
  std::string last_line() const;

 private:
  SutProcess(int pid, int log) : pid_(pid), log_(log) {}
  bool has_ended_within(Duration patience);
  void end();

  int pid_;
  int log_;
  int status_ = -1;  // 0 and more: it has ended
};

// The first line by which a sanitizer or valgrind reports a fault, fit for a report; empty: none.
std::string sanitizer_report(std::string_view output);

// Runs a command of a profile to its end. Empty when it ended with status 0, else why not.
std::string run_command(const scenarios::Command& command, const Endpoint& sut);

}  // namespace sipassay::tools
