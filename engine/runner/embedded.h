// The embedded SUT and the simulated network between it and the peers of a case, in virtual time.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "engine/agent/agent.h"
#include "engine/message/framer.h"
#include "engine/proxy/proxy.h"
#include "engine/runner/misbehaviour.h"
#include "engine/runner/run.h"
#include "engine/simulation/network.h"
#include "engine/simulation/virtual_clock.h"

namespace sipassay::runner {

// Addresses of documentation (RFC 5737): nothing of a virtual run is anybody's.
Endpoint embedded_sut(Transport transport);
Endpoint embedded_peer(Transport transport, std::size_t index);

// <sut do="…"> as a command of the agent; nothing: no such action.
std::optional<agent::Command> command_for(const SutCommand& command);

// The SUT's core behind its wire, and behind a misbehaviour if there is one.
class EmbeddedSut {
 public:
  using Core = std::variant<agent::Agent, proxy::Proxy>;

  EmbeddedSut(Core core, std::unique_ptr<Tap> tap);

  struct Outgoing {
    std::string octets;
    transaction::Destination to;
  };

  void receive(std::string octets, const Flow& flow, Instant now);
  void failed(const transaction::Destination& to, Instant now);
  void closed(FlowId flow, Instant now);
  void command(agent::Command command, Instant now);
  void advance(Instant now);
  std::optional<Instant> next_deadline() const;
  std::optional<Outgoing> poll();
  const agent::Agent* agent() const { return std::get_if<agent::Agent>(&core_); }
  const Tap* tap() const { return tap_.get(); }

 private:
  struct Late {
    Instant due{};
    std::uint64_t order = 0;
    Crossing crossing;
    Flow flow;
    transaction::Destination to;
  };
  transaction::Destination destination_of(const Message& message, const Flow& flow) const;
  void handle(agent::Input input, Instant now);
  void drain(Instant now);
  void cross(Crossing crossing, const Flow& flow, const transaction::Destination& to, Instant now);
  void pass(Crossing crossing, const Flow& flow, const transaction::Destination& to, Instant now);

  Core core_;
  std::unique_ptr<Tap> tap_;
  std::optional<Instant> deadline_;
  std::vector<Late> late_;
  std::uint64_t order_ = 0;
  std::deque<Outgoing> outgoing_;
  std::map<std::string, transaction::Destination, std::less<>> destinations_;  // by Call-ID
  std::map<std::string, Flow, std::less<>> flows_;                             // by Call-ID
  std::map<FlowId, Framer> framers_;
};

}  // namespace sipassay::runner
