#include "engine/simulation/network.h"

#include <algorithm>
#include <utility>

namespace sipassay::simulation {
namespace {

// The heap's top is the packet that is due first.
bool is_later(const Packet& a, const Packet& b) {
  return std::pair(a.due, a.order) > std::pair(b.due, b.order);
}

}  // namespace

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
  packet.order = order_++;
  queue_.push_back(std::move(packet));
  std::push_heap(queue_.begin(), queue_.end(), is_later);
  return true;
}

std::optional<Instant> Network::next_due() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.front().due;
}

std::optional<Packet> Network::take(Instant now) {
  if (queue_.empty() || queue_.front().due > now) return std::nullopt;
  std::pop_heap(queue_.begin(), queue_.end(), is_later);
  Packet packet = std::move(queue_.back());
  queue_.pop_back();
  return packet;
}

}  // namespace sipassay::simulation
