// Two agents on a simulated network in virtual time, with a transcript: for tests and fuzz targets.
//
// "a" usually calls, "b" usually answers. A third party is played by hand with inject().
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/agent/agent.h"
#include "engine/simulation/network.h"

namespace sipassay::testing {

class Pair {
 public:
  struct Options {
    std::uint64_t seed = 1;
    Transport transport = Transport::Udp;
    simulation::Conditions conditions{.delay_min = 10ms, .delay_max = 10ms};
    agent::Settings a{};  // local is filled in when empty
    agent::Settings b{};
  };
  enum class Side : std::uint8_t { A, B };

  // One message that an agent sent, or that a test injected.
  struct Line {
    Instant at;
    Side from = Side::A;
    std::string octets;
    bool was_lost = false;
    bool was_injected = false;
    Message message() const;
  };

  Pair();
  explicit Pair(Options options);

  agent::Agent& a() { return agents_[0]; }
  agent::Agent& b() { return agents_[1]; }
  Instant now() const { return now_; }
  simulation::Network& network() { return network_; }
  const Endpoint& endpoint(Side side) const { return endpoints_[index(side)]; }
  // "<sip:user@host:port;transport=tcp>" without brackets: what a calls to reach b, or the other
  // way.
  std::string uri(Side side, std::string_view user) const;

  void a_does(agent::Command command) { command_to(Side::A, std::move(command)); }
  void b_does(agent::Command command) { command_to(Side::B, std::move(command)); }
  void command_to(Side side, agent::Command command);
  // A message from a third party arrives at that side now, as if the other had sent it.
  void inject(Side to, Message message);
  void inject_octets(Side to, std::string octets);

  // False: the message is lost. Sees every message on the way, before the network's own dice.
  void set_filter(std::function<bool(const Line&)> passes) { passes_ = std::move(passes); }

  void run_for(Duration span);
  // True if the condition held within the span; looks after every step.
  bool run_until(const std::function<bool()>& is_met, Duration limit = 200s);
  // Until nothing can happen any more, or the limit. True if it got quiet.
  bool run_until_quiet(Duration limit = 3600s);
  bool is_quiet() const;
  // No call, no transaction on either side.
  bool is_empty() const;

  const std::vector<Line>& transcript() const { return transcript_; }
  const std::vector<agent::Event>& events(Side side) const { return events_[index(side)]; }
  template <class E>
  std::vector<E> events_of(Side side) const {
    std::vector<E> found;
    for (const auto& event : events(side))
      if (const auto* hit = std::get_if<E>(&event)) found.push_back(*hit);
    return found;
  }
  // "a INVITE", "b 180 INVITE", "a PRACK+sdp": one a message, for readable expectations. Copies of
  // the same octets and 100 are left out unless asked for.
  std::vector<std::string> ladder(bool has_all = false) const;
  // All messages with their times, for failure output and determinism checks.
  std::string dump() const;
  // The nth message of that side whose ladder text is `what` ("180 INVITE"); empty if there is
  // none.
  Message sent(Side side, std::string_view what, std::size_t nth = 0) const;
  std::size_t count(Side side, std::string_view what) const;

 private:
  static std::size_t index(Side side) { return side == Side::A ? 0 : 1; }
  static Side other(Side side) { return side == Side::A ? Side::B : Side::A; }
  void settle();
  bool settle(Side side);
  void transmit(Side from, const agent::Send& send);
  void deliver(const simulation::Packet& packet);
  void receive(Side to, std::string_view octets);
  std::optional<Instant> next() const;
  void step(Instant at);

  std::vector<Endpoint> endpoints_;
  simulation::Network network_;
  std::vector<agent::Agent> agents_;
  std::optional<Instant> deadlines_[2];
  std::vector<agent::Event> events_[2];
  std::vector<Line> transcript_;
  std::function<bool(const Line&)> passes_;
  Instant now_{};
  Transport transport_;
};

// "INVITE+sdp", "180 INVITE": method or status with the CSeq's method, and whether it has SDP.
std::string describe(const Message& message);

}  // namespace sipassay::testing
