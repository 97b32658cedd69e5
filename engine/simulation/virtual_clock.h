// Virtual time: jumps from deadline to deadline of any number of nodes. No waiting, no real clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/time.h"

namespace sipassay::simulation {

// Something that acts at points in time: an agent, a network, a scripted peer. Borrowed by the
// clock.
class Node {
 public:
  virtual ~Node() = default;
  // When it has something to do; at or before now: at once. None: only others can wake it.
  virtual std::optional<Instant> next_deadline() const = 0;
  // Does what is due at now.
  virtual void run(Instant now) = 0;
};

enum class Stop : std::uint8_t {
  Finished,   // the caller's condition holds
  Idle,       // nobody has a deadline: nothing can happen any more
  TimeLimit,  // the next deadline is behind the limit
  StepLimit,  // too many steps: somebody spins
};
std::string_view to_string(Stop stop);

class VirtualClock {
 public:
  struct Limits {
    Duration time = 3600s;
    std::size_t steps_max = 1'000'000;
  };

  explicit VirtualClock(Instant start = Instant{}) : now_(start) {}

  // Nodes run in the order in which they were added. Each must outlive the clock.
  void add(Node& node) { nodes_.push_back(&node); }
  Instant now() const { return now_; }
  std::size_t steps() const { return steps_; }

  // Until is_finished() holds. Time never runs backwards; a deadline in the past means now.
  Stop run(const std::function<bool()>& is_finished, Limits limits);
  Stop run(const std::function<bool()>& is_finished) { return run(is_finished, Limits{}); }

 private:
  std::vector<Node*> nodes_;
  Instant now_;
  std::size_t steps_ = 0;
};

}  // namespace sipassay::simulation
