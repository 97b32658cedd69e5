// Named ways in which the embedded SUT errs. Each breaks one rule at the SUT's wire, on what it sends
// or on what reaches it, so that every case can be shown to fail (`breaks=`, run --teeth).
//
// The driver of the embedded SUT asks a tap about every message in both directions and carries out
// what it says instead of passing the message on. Without a misbehaviour there is no tap.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/clause.h"
#include "engine/base/time.h"
#include "engine/message/message.h"

namespace sipassay::runner {

// A message on its way over the SUT's wire.
struct Crossing {
  bool from_sut = true;
  Message message;
  Duration after{};  // how much later than now it is to go on
};

// State of one misbehaviour in one run. Deterministic: what it does depends on the messages and their
// times only.
class Tap {
 public:
  virtual ~Tap() = default;
  // What takes the place of this message, in order: nothing loses it, itself unchanged passes it on.
  // May hold messages of the other direction: those are not shown to the tap again. A message from
  // the SUT that was made up goes where the last one from the SUT with the same Call-ID went, or
  // where the message came from.
  virtual std::vector<Crossing> cross(Crossing crossing, Instant now) = 0;
};

struct Misbehaviour {
  std::string_view name;     // "pracks-out-of-order"
  Clause clause;             // of the rule that it breaks
  std::string_view summary;  // what the SUT does then
  std::unique_ptr<Tap> (*make)();
};

// All rows, sorted by name.
std::span<const Misbehaviour> misbehaviours();
// nullptr: no such row.
const Misbehaviour* find_misbehaviour(std::string_view name);

}  // namespace sipassay::runner
