// Always on: holds every message of the SUT against rules that no case is about.
#pragma once

#include <vector>

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

// Findings on all that the SUT sent, once a rule with its count, in order of first occurrence.
// Apart from the case's verdict.
std::vector<ReportedFinding> observe(const Peers& peers, SutRole role);

}  // namespace sipassay::runner
