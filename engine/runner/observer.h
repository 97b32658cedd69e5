// Always on: holds every message of a party against rules that no case is about.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/finding.h"
#include "engine/message/message.h"
#include "engine/runner/peers.h"
#include "engine/runner/result.h"

namespace sipassay::runner {

struct ObserverRule {
  std::string_view name;
  Clause clause;
  std::string_view expected;
};
// All stateful rules, for reports. Rules of a single message are lint's.
const std::vector<ObserverRule>& observer_rules();

// One message of a log, and what is known about it.
struct Seen {
  const Message* message = nullptr;
  std::size_t entry = 0;                    // where it stands, for the reader
  std::size_t sender = 0;                   // rules about order hold for each sender apart
  bool is_judged = true;                    // else it is only there to be referred to
  std::optional<std::size_t> request;       // a response: index of what it answers
  std::optional<std::size_t> original;      // passed on: index of what came in
  std::vector<std::size_t> changed_copies;  // where it was sent again with other octets
};

// Octets that are no message.
struct Malformed {
  std::size_t entry = 0;
  std::size_t sender = 0;
  Error error;
};

struct ObserverOptions {
  bool may_be_proxy = false;  // the responses of a sender may be those of several user agents
  bool may_lack = false;      // the log may lack messages: a jump in a sequence proves nothing
};

// A rule that a sender broke, with the first message that did and how many did.
struct Observation {
  Finding finding;
  std::size_t entry = 0;
  std::size_t sender = 0;
  unsigned count = 1;
};

// In order of first occurrence, once a rule and sender.
std::vector<Observation> observe(std::span<const Seen> log, std::span<const Malformed> malformed,
                                 const ObserverOptions& options);

// All that the SUT sent, apart from the case's verdict.
std::vector<ReportedFinding> observe(const Peers& peers, SutRole role);

}  // namespace sipassay::runner
