// Two agents and the network between them in virtual time: what the session target plays with.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/agent/agent.h"
#include "engine/base/rng.h"
#include "engine/simulation/network.h"

namespace sipassay::fuzz {

inline constexpr std::size_t sides = 2;

// Told of everything that crosses the wire. `side` is who sends or gets.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void sent(std::size_t side, const Message& message, std::string_view octets,
                    Instant now) = 0;
  virtual void delivered(std::size_t side, const Message& message, Instant now) = 0;
  virtual void told(std::size_t side, const agent::Event& event) = 0;
};

// No judgement of its own but one: work is bounded.
class World {
 public:
  explicit World(Watcher& watcher);

  agent::Agent& agent(std::size_t side) { return agents_[side]; }
  Endpoint endpoint(std::size_t side, Transport transport) const;
  Instant now() const { return now_; }
  simulation::Network& network() { return network_; }

  void command(std::size_t side, agent::Command command);
  // Octets arrive at that side, as if the other had sent them.
  void deliver(std::size_t side, std::string_view octets, Transport transport);
  void handle(std::size_t side, agent::Input input);
  // Loses the next packets that are due.
  void drop_next(std::size_t count) { drops_ += count; }

  // Up to `count` things that happen: a packet arrives, a deadline comes. False: nothing more can.
  bool run_steps(std::size_t count);
  // Everything up to that time; stays there.
  void run_until(Instant end);
  // Until nothing more can happen, or the time is over. True: nothing more can.
  bool run_to_quiescence(Duration at_most);

  // All that was sent, in order, for replays and forgeries.
  const std::vector<simulation::Packet>& sent() const { return sent_; }
  std::size_t sent_count() const { return sent_count_; }
  std::size_t delivered_count() const { return delivered_count_; }

 private:
  std::optional<Instant> next_due() const;
  bool step(std::optional<Instant> limit);
  void drain(std::size_t side);
  void arrive(const simulation::Packet& packet);

  Watcher& watcher_;
  std::array<agent::Agent, sides> agents_;
  std::array<std::optional<Instant>, sides> deadlines_;
  simulation::Network network_;
  std::vector<simulation::Packet> sent_;
  Instant now_{};
  std::size_t drops_ = 0;
  std::size_t sent_count_ = 0;
  std::size_t delivered_count_ = 0;
  std::size_t steps_ = 0;
};

}  // namespace sipassay::fuzz
