#include "tools/progress.h"

#include <fmt/format.h>

#include <cstdio>

#include "reports/totals.h"

namespace sipassay::tools {
namespace {

constexpr std::chrono::milliseconds terminal_interval{100};
constexpr std::chrono::milliseconds plain_interval{10'000};

}  // namespace

Progress::Progress(std::size_t all, bool is_terminal)
    : all_(all), is_terminal_(is_terminal), begun_(Clock::now()), drawn_(begun_) {}

Progress::~Progress() {
  clear();
}

void Progress::done(runner::Outcome outcome) {
  if (running_ > 0) --running_;
  ++done_;
  if (reports::is_failure(outcome, {})) ++failed_;
  tick();
}

std::string Progress::line(std::chrono::milliseconds elapsed) const {
  std::string out = fmt::format("{} of {} done, {} failed", done_, all_, failed_);
  if (running_ > 0) out += fmt::format(", {} running", running_);
  // When nothing is left to start, the slowest timer decides, not the average.
  if (done_ > 0 && done_ + running_ < all_) {
    const auto left = elapsed.count() * static_cast<std::int64_t>(all_ - done_) /
                      static_cast<std::int64_t>(done_);
    out += fmt::format(", about {} s left", (left + 999) / 1000);
  }
  return out;
}

void Progress::tick() {
  const Clock::time_point now = Clock::now();
  if (now - drawn_ < (is_terminal_ ? terminal_interval : plain_interval)) return;
  drawn_ = now;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - begun_);
  if (is_terminal_)
    fmt::print(stderr, "\r\x1b[K{}", line(elapsed));
  else
    fmt::print(stderr, "{}\n", line(elapsed));
  std::fflush(stderr);
  is_drawn_ = true;
}

void Progress::clear() {
  if (is_terminal_ && is_drawn_) fmt::print(stderr, "\r\x1b[K");
  is_drawn_ = false;
}

}  // namespace sipassay::tools
