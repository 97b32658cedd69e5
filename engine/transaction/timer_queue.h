// The deadlines of thousands of transactions: a heap whose outdated entries fall out by themselves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "engine/base/time.h"

namespace sipassay::transaction {

// One deadline an id. Equal deadlines come in the order of their ids, so that runs repeat.
class TimerQueue {
 public:
  using Id = std::uint64_t;

  // Replaces the id's deadline; none: it has none any more.
  void set(Id id, std::optional<Instant> due);
  std::optional<Instant> next() const;
  // Takes the earliest deadline that is due at now.
  std::optional<Id> take_due(Instant now);
  std::size_t size() const { return live_.size(); }
  // Entries held, outdated ones included: at most twice the live ones and a few.
  std::size_t entry_count() const { return heap_.size(); }

 private:
  struct Entry {
    Instant due;
    Id id;
    friend auto operator<=>(const Entry&, const Entry&) = default;
  };
  bool is_outdated(const Entry& entry) const;
  void drop_outdated();
  void rebuild();

  std::vector<Entry> heap_;  // the earliest in front; its front is never outdated
  std::map<Id, Instant> live_;
};

}  // namespace sipassay::transaction
