// Two agents and the network between them in virtual time. Every message belongs to a call of the
// soak, whose own dice decide its fate: a call meets the same network alone and among others.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/agent/agent.h"
#include "engine/simulation/network.h"
#include "engine/soak/plan.h"

namespace sipassay::soak {

inline constexpr std::size_t agent_count = 2;

// A call as one agent has it. An agent that calls itself has both ends.
struct End {
  std::size_t agent = 0;
  agent::CallId id = 0;
};

// One message on the wire; copies: how many of it will arrive.
struct Crossing {
  Instant at;
  std::size_t from = 0;
  const Message& message;
  std::string_view octets;
  unsigned copies = 0;
};

// What belongs to one call on the network.
struct Lane {
  simulation::Conditions conditions;
  Rng rng;
  std::vector<End> callers{}, callees{};  // the newest last: after a 302, with Replaces
  std::vector<End> usages{};              // dialogs of subscriptions only, of both sides
  std::vector<std::string> call_ids{};
  unsigned in_flight = 0;
  Instant last_crossing{};
  Instant last_change{};  // the same, but for SUBSCRIBE and NOTIFY: they change no session
};

// Registrations belong to no call; their messages have this one's network.
inline constexpr Number registrations = ~Number{0};

// Told of everything that happens, with the call that it belongs to.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void crossed(Number call, const Crossing& crossing) = 0;
  virtual void told(Number call, std::size_t agent, const agent::Event& event) = 0;
  // The agent that was referred calls: a call that nobody planned. Its lane is to be opened.
  virtual Number referred(Number by, std::size_t agent) = 0;
  // An agent sends what belongs to no call.
  virtual void strayed(std::size_t agent, const Message& message) = 0;
};

class World {
 public:
  World(std::uint64_t seed, Watcher& watcher);

  Lane& open(Number call, const simulation::Conditions& conditions, Rng rng);
  // Nothing of it may be in flight or come any more.
  void close(Number call);
  Lane& lane(Number call) { return lanes_.at(call); }

  // What the user of that agent wants, for that call.
  void command(Number call, std::size_t agent, agent::Command command);
  const agent::Agent& agent(std::size_t index) const { return agents_[index]; }
  Endpoint endpoint(std::size_t agent, Transport transport) const;

  Instant now() const { return now_; }
  std::optional<Instant> next_due() const;
  // Nothing may be due before that time.
  void pass_to(Instant time) { now_ = std::max(now_, time); }
  // The next thing that is due.
  void step();

 private:
  void drain(std::size_t agent);
  void on(std::size_t agent, const agent::Send& send);
  void on(std::size_t agent, const agent::Event& event);
  void note_call(std::size_t agent, Number call);
  void note_usage(std::size_t agent, Number call);
  void arrive(simulation::Packet packet);
  std::optional<Number> owner_of(const Message& message);

  Watcher& watcher_;
  std::array<agent::Agent, agent_count> agents_;
  std::array<std::optional<Instant>, agent_count> deadlines_;
  std::array<agent::CallId, agent_count> noted_{};  // the newest id whose call is known
  simulation::Network network_;
  std::map<Number, Lane> lanes_;
  std::map<std::string, Number, std::less<>> call_ids_;
  std::map<std::pair<std::size_t, agent::CallId>, Number> owners_;
  std::optional<Number> current_;  // the call whose message or command is being handled
  Instant now_{};
};

}  // namespace sipassay::soak
