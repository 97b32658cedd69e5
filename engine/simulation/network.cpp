#include "engine/simulation/network.h"

#include <algorithm>
#include <utility>

namespace sipassay::simulation {

Network::Network(Conditions conditions, Rng rng) : conditions_(conditions), rng_(rng) {}

unsigned Network::send(Packet packet, Instant now, const Conditions& conditions, Rng& rng) {
  const auto jitter = [&] {
    const auto low = std::min(conditions.delay_min, conditions.delay_max).count();
    const auto high = std::max(conditions.delay_min, conditions.delay_max).count();
    if (low == high) return Duration(low);
    return Duration(
        low + static_cast<Duration::rep>(rng.between(0, static_cast<std::uint64_t>(high - low))));
  };
  if (conditions.partitioned) return 0;
  if (is_reliable(packet.to.transport)) {
    packet.due = std::max(now + jitter(), last_reliable_);
    last_reliable_ = packet.due;
    return push(std::move(packet)) ? 1 : 0;
  }
  if (rng.percent(conditions.loss_percent)) return 0;
  packet.due = now + jitter();
  if (!rng.percent(conditions.duplicate_percent)) return push(std::move(packet)) ? 1 : 0;
  Packet twin = packet;
  twin.due = now + jitter();
  const bool has_first = push(std::move(packet));
  return (has_first ? 1U : 0U) + (push(std::move(twin)) ? 1U : 0U);
}

bool Network::push(Packet packet) {
  if (queue_.size() >= packets_max) return false;
  const auto due = packet.due;
  queue_.emplace(due, std::move(packet));
  return true;
}

std::optional<Instant> Network::next_due() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.begin()->first;
}

std::optional<Packet> Network::take(Instant now) {
  if (queue_.empty() || queue_.begin()->first > now) return std::nullopt;
  Packet packet = std::move(queue_.begin()->second);
  queue_.erase(queue_.begin());
  return packet;
}

}  // namespace sipassay::simulation
