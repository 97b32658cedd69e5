// The running timers of one machine: one slot a timer name, no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "engine/base/time.h"

namespace sipassay {

// Timer is an enumeration that ends in Count.
template <class Timer>
class TimerTable {
 public:
  void start(Timer timer, Instant due) { slot(timer) = due; }
  void stop(Timer timer) { slot(timer).reset(); }
  void stop_all() { due_.fill(std::nullopt); }
  bool is_running(Timer timer) const { return due_[index(timer)].has_value(); }

  // The earliest deadline, if any timer runs.
  std::optional<Instant> next() const {
    std::optional<Instant> earliest;
    for (const auto& due : due_)
      if (due && (!earliest || *due < *earliest)) earliest = due;
    return earliest;
  }

  // Stops and returns the earliest timer that is due at now; call until it returns nothing.
  std::optional<Timer> take_due(Instant now) {
    std::size_t best = due_.size();
    for (std::size_t i = 0; i < due_.size(); ++i)
      if (due_[i] && *due_[i] <= now && (best == due_.size() || *due_[i] < *due_[best])) best = i;
    if (best == due_.size()) return std::nullopt;
    due_[best].reset();
    return static_cast<Timer>(best);
  }

 private:
  static constexpr std::size_t index(Timer timer) { return static_cast<std::size_t>(timer); }
  std::optional<Instant>& slot(Timer timer) { return due_[index(timer)]; }

  std::array<std::optional<Instant>, static_cast<std::size_t>(Timer::Count)> due_{};
};

}  // namespace sipassay
