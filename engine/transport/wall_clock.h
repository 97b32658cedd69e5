// Drives one agent, or a proxy, in real time: messages and timers of a hub in, what it sends out.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "engine/agent/agent.h"
#include "engine/transport/hub.h"

namespace sipassay::transport {

class WallClock {
 public:
  using Listener = std::function<void(const agent::Event&)>;

  // `core`: an Agent, or what is driven like one. Both outlive the clock. `listener` may be empty.
  template <class Core>
  WallClock(Hub& hub, Core& core, Listener listener = {})
      : hub_(hub),
        handle_([&core](agent::Input input, Instant now) { core.handle(std::move(input), now); }),
        poll_([&core] { return core.poll(); }),
        listener_(std::move(listener)) {}

  // Until something has happened, that time has come, or the hub is stopped.
  void step(std::optional<Instant> end);
  // Until then, or until the hub is stopped; none: only until it is stopped.
  void run_until(std::optional<Instant> end);
  // An application's command, now.
  void command(agent::Command command);

 private:
  void take_events();
  void take(Event event, Instant now);
  void pump();

  Hub& hub_;
  std::function<void(agent::Input, Instant)> handle_;
  std::function<agent::Output()> poll_;
  Listener listener_;
  std::optional<Instant> deadline_;  // the core's
};

}  // namespace sipassay::transport
