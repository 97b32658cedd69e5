// What a run shows while it runs, on standard error: a line that rewrites itself on a terminal,
// now and then a plain line elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "engine/runner/outcome.h"

namespace sipassay::tools {

class Progress {
 public:
  Progress(std::size_t all, bool is_terminal);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void started() { ++running_; }
  void done(runner::Outcome outcome);
  // Redraws when there is something new to see; call as often as you like.
  void tick();

  // "34 of 120 done, 2 failed, 5 running, about 12 s left"
  std::string line(std::chrono::milliseconds elapsed) const;

 private:
  using Clock = std::chrono::steady_clock;
  void clear();

  std::size_t all_, done_ = 0, failed_ = 0, running_ = 0;
  bool is_terminal_;
  bool is_drawn_ = false;
  Clock::time_point begun_, drawn_;
};

}  // namespace sipassay::tools
