// Time as the engine sees it: it is always told, it never asks.
#pragma once

#include <chrono>
#include <cstdint>

namespace sipassay {

using Duration = std::chrono::microseconds;

// A clock without now(): only drivers (wall clock, virtual clock) know what time it is.
struct EngineClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<EngineClock, Duration>;
  static constexpr bool is_steady = true;
};

// Microseconds since the run began.
using Instant = EngineClock::time_point;

using namespace std::chrono_literals;

}  // namespace sipassay
