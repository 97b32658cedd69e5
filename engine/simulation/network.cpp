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

bool Network::send(Packet packet, Instant now) {
  const bool reliable = is_reliable(packet.to.transport);
  const auto jitter = [this] {
    const auto low = std::min(conditions_.delay_min, conditions_.delay_max).count();
    const auto high = std::max(conditions_.delay_min, conditions_.delay_max).count();
    if (low == high) return Duration(low);
    return Duration(
        low + static_cast<Duration::rep>(rng_.between(0, static_cast<std::uint64_t>(high - low))));
  };
  const auto push = [this](Packet next) {
    if (queue_.size() >= packets_max) return false;
    next.order = order_++;
    queue_.push_back(std::move(next));
    std::push_heap(queue_.begin(), queue_.end(), is_later);
    return true;
  };
  if (conditions_.partitioned) return false;
  if (reliable) {
    packet.due = std::max(now + jitter(), last_reliable_);
    last_reliable_ = packet.due;
    return push(std::move(packet));
  }
  if (rng_.percent(conditions_.loss_percent)) return false;
  packet.due = now + jitter();
  if (rng_.percent(conditions_.duplicate_percent)) {
    Packet twin = packet;
    twin.due = now + jitter();
    if (!push(std::move(packet))) return false;
    return push(std::move(twin));
  }
  return push(std::move(packet));
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
