#include "engine/transaction/timer_queue.h"

namespace sipassay::transaction {
namespace {

constexpr std::size_t slack = 64;

}  // namespace

void TimerQueue::set(Id id, std::optional<Instant> due) {
  if (!due) {
    if (live_.erase(id) != 0) drop_outdated();
    return;
  }
  const auto [it, is_new] = live_.try_emplace(id, *due);
  if (!is_new) {
    if (it->second == *due) return;
    it->second = *due;
  }
  heap_.push_back({*due, id});
  std::ranges::push_heap(heap_, std::greater<>());
  drop_outdated();
}

std::optional<Instant> TimerQueue::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().due;
}

std::optional<TimerQueue::Id> TimerQueue::take_due(Instant now) {
  if (heap_.empty() || heap_.front().due > now) return std::nullopt;
  const Id id = heap_.front().id;
  live_.erase(id);
  drop_outdated();
  return id;
}

bool TimerQueue::is_outdated(const Entry& entry) const {
  const auto it = live_.find(entry.id);
  return it == live_.end() || it->second != entry.due;
}

void TimerQueue::drop_outdated() {
  if (heap_.size() > 2 * live_.size() + slack) rebuild();
  while (!heap_.empty() && is_outdated(heap_.front())) {
    std::ranges::pop_heap(heap_, std::greater<>());
    heap_.pop_back();
  }
}

void TimerQueue::rebuild() {
  heap_.clear();
  for (const auto& [id, due] : live_) heap_.push_back({due, id});
  std::ranges::make_heap(heap_, std::greater<>());
}

}  // namespace sipassay::transaction
