#include "engine/simulation/virtual_clock.h"

#include <algorithm>

namespace sipassay::simulation {

std::string_view to_string(Stop stop) {
  switch (stop) {
    case Stop::Finished:
      return "finished";
    case Stop::Idle:
      return "nothing can happen any more";
    case Stop::TimeLimit:
      return "limit of virtual time reached";
    case Stop::StepLimit:
      return "limit of steps reached";
  }
  return {};
}

Stop VirtualClock::run(const std::function<bool()>& is_finished, Limits limits) {
  const Instant end = now_ + limits.time;
  const std::size_t last_step = steps_ + limits.steps_max;
  while (!is_finished()) {
    std::optional<Instant> next;
    for (const Node* node : nodes_) {
      const auto due = node->next_deadline();
      if (due && (!next || *due < *next)) next = due;
    }
    if (!next) return Stop::Idle;
    const Instant then = std::max(now_, *next);
    if (then > end) return Stop::TimeLimit;
    if (steps_ == last_step) return Stop::StepLimit;
    ++steps_;
    now_ = then;
    for (Node* node : nodes_) {
      const auto due = node->next_deadline();
      if (due && *due <= now_) node->run(now_);
    }
  }
  return Stop::Finished;
}

}  // namespace sipassay::simulation
