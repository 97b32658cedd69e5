// Drives one agent in real time: messages and timers of a hub in, what the agent sends out.
#pragma once

#include <functional>
#include <optional>

#include "engine/agent/agent.h"
#include "engine/transport/hub.h"

namespace sipassay::transport {

class WallClock {
 public:
  using Listener = std::function<void(const agent::Event&)>;

  // Both outlive it. `listener` may be empty.
  WallClock(Hub& hub, agent::Agent& agent, Listener listener = {});

  // Until then, or until the hub is stopped; none: only until it is stopped.
  void run_until(std::optional<Instant> end);
  // Until something has happened, or the hub was woken, or it is time.
  void turn(std::optional<Instant> end = {});
  // An application's command, now.
  void command(agent::Command command);

 private:
  void take_events();
  void take(Event event, Instant now);
  void pump();

  Hub& hub_;
  agent::Agent& agent_;
  Listener listener_;
  std::optional<Instant> deadline_;  // the agent's
};

}  // namespace sipassay::transport
