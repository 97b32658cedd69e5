// A network between two ends in virtual time: delay, loss, duplication, reordering, all seeded.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/endpoint.h"
#include "engine/base/rng.h"
#include "engine/base/time.h"

namespace sipassay::simulation {

struct Conditions {
  Duration delay_min = 0ms;
  Duration delay_max = 0ms;  // uniform; more than one message in flight may be reordered by it
  unsigned loss_percent = 0;
  unsigned duplicate_percent = 0;
  bool partitioned = false;  // nothing passes
};

struct Packet {
  Instant due{};
  Endpoint from{}, to{};
  FlowId flow = 0;
  std::string octets{};
  std::uint64_t mark = 0;  // the sender's own; comes out as it went in
};

inline constexpr std::size_t packets_max = 100'000;

class Network {
 public:
  Network(Conditions conditions, Rng rng);
  void set(Conditions conditions) { conditions_ = conditions; }
  // False when the packet was lost. Reliable transports are neither lost, doubled nor reordered.
  bool send(Packet packet, Instant now) {
    return send(std::move(packet), now, conditions_, rng_) != 0;
  }
  // The same under conditions and by dice of the sender's: how many copies will arrive.
  unsigned send(Packet packet, Instant now, const Conditions& conditions, Rng& rng);
  std::optional<Instant> next_due() const;
  // The next packet due at now, if any.
  std::optional<Packet> take(Instant now);
  std::size_t in_flight() const { return queue_.size(); }

 private:
  bool push(Packet packet);

  Conditions conditions_;
  Rng rng_;
  Instant last_reliable_{};
  std::multimap<Instant, Packet> queue_;  // ties: first sent, first delivered
};

}  // namespace sipassay::simulation
