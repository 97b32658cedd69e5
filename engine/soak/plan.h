// One call as it is meant to go, drawn from one seed: who calls, whom, over which network, what
// both users do meanwhile, and how it ends. Only what RFCs allow; the rest is up to the agents.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/agent/command.h"
#include "engine/base/endpoint.h"
#include "engine/base/rng.h"
#include "engine/base/time.h"
#include "engine/session/session_dialog.h"
#include "engine/simulation/network.h"

namespace sipassay::soak {

// Of a call in a soak: its place in the order of calls, from zero. A call that a REFER made has the
// number of the call at the root in its low half, and the path to it above.
using Number = std::uint64_t;
inline constexpr unsigned root_bits = 32;
constexpr Number root_of(Number call) {
  return call & ((Number{1} << root_bits) - 1);
}

enum class Role : std::uint8_t { Caller, Callee };

// When an action may be drawn.
enum class Stage : std::uint8_t {
  Ringing,    // before the answer
  Answering,  // exactly one
  Up,         // in the answered call
  Ending,     // exactly one
};

// What the acting user sees.
struct Situation {
  std::string own, other;  // host and port of its agent, and of the other one
  Number number = 0;
  agent::CallId call = 0;
  agent::CallId usage = 0;                          // its newest subscription outside; 0: none
  const session::SessionDialog* session = nullptr;  // of the call, once there is one
  std::size_t ends = 0;                             // that the call had so far
};

// A Request-URI has this parameter where nothing else tells to which call a request belongs.
inline constexpr std::string_view number_param = "soak";
// A registration is nobody's call: all plays share those of their agents.
inline constexpr std::string_view registered_user = "roamer";

// What a user does: a command to the agent of one side; none if it makes no sense now.
struct ActionRow {
  std::string_view name;
  Stage stage;
  unsigned weight;  // among the rows of its stage
  bool by_caller, by_callee;
  std::optional<agent::Command> (*command)(const Situation& situation);
};
std::span<const ActionRow> action_rows();

// Networks that calls are drawn for. One without loss, doubles or jitter is ideal: nothing that an
// agent does on it may surprise the other.
struct NetworkRow {
  std::string_view name;
  unsigned weight;
  simulation::Conditions conditions;
};
std::span<const NetworkRow> network_rows();
bool is_ideal(const simulation::Conditions& conditions);

struct Action {
  Duration at{};  // since the stage began
  Role by = Role::Caller;
  const ActionRow* row = nullptr;
};

struct Plan {
  Duration start{};
  std::size_t caller = 0;  // which of the two agents
  Transport transport = Transport::Udp;
  simulation::Conditions conditions;
  std::string user;                          // a behaviour of the called agent; "silent": commanded
  agent::Call call;                          // without its target
  std::vector<Action> setting_up;            // ringing, answer, giving up
  std::vector<std::vector<Action>> changes;  // rounds in the answered call; quiet after each
  std::vector<Action> ending;
};

// New calls of a soak begin so often, on the average.
inline constexpr Duration call_interval = 100ms;

Plan draw_plan(std::uint64_t seed, Number number);

}  // namespace sipassay::soak
