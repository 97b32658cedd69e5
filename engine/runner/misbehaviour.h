// Named ways in which the embedded SUT errs. Each breaks one rule at the SUT's wire, on what it
// sends or on what reaches it, so that every case can be shown to fail (`breaks=`, run --teeth).
//
// The driver of the embedded SUT asks a tap about every message in both directions and carries out
// what it says instead of passing the message on. Without a misbehaviour there is no tap.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clause.h"
#include "engine/base/time.h"
#include "engine/message/message.h"

namespace sipassay::runner {

class Tap;
class Wire;

struct Misbehaviour {
  std::string_view name;     // "pracks-out-of-order"
  Clause clause;             // of the rule that it breaks
  std::string_view summary;  // what the SUT does then
  void (*act)(Wire& wire);   // on each message, see wire.h
  // What a look into the SUT's state shows (StateStep); none: the truth.
  void (*show)(const Wire& wire, std::string_view field, std::string& value) = nullptr;

  std::unique_ptr<Tap> make() const;  // for one run
};

// All rows, sorted by name.
std::span<const Misbehaviour> misbehaviours();
// nullptr: no such row.
const Misbehaviour* find_misbehaviour(std::string_view name);

// A message on its way over the SUT's wire.
struct Crossing {
  bool from_sut = true;
  Message message;
  Duration after{};  // how much later than now it is to go on
};

// What a tap remembers of a run.
struct Crossed {
  bool from_sut = true;
  Instant at;
  Message message;     // as it came to the tap
  std::string octets;  // the same as text
};
inline constexpr std::size_t tap_history_max = 2000;  // older ones are forgotten

// One misbehaviour in one run. Deterministic: what it does depends on the messages and their times.
class Tap {
 public:
  explicit Tap(const Misbehaviour& misbehaviour) : misbehaviour_(misbehaviour) {}

  // What takes the place of this message, in order: nothing loses it, itself unchanged passes it
  // on. May hold messages of the other direction; none of them is shown to the tap again. A made-up
  // message from the SUT goes where the last one from the SUT with its Call-ID went, else where the
  // last one came from.
  std::vector<Crossing> cross(Crossing crossing, Instant now);
  // What a StateStep is shown.
  std::string state(std::string_view field, std::string value) const;

 private:
  const Misbehaviour& misbehaviour_;
  std::vector<Crossed> history_;
  int memory_ = 0;
};

}  // namespace sipassay::runner
