#include "tools/repeat.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "reports/totals.h"

namespace sipassay::tools {

runner::CaseResult verdict_of(std::vector<runner::CaseResult> runs) {
  assert(!runs.empty());
  const bool all_same = std::ranges::all_of(
      runs, [&](const runner::CaseResult& one) { return one.outcome == runs[0].outcome; });
  if (all_same) return std::move(runs[0]);

  runner::RunResult tally;
  tally.cases = std::move(runs);
  const std::string counts = reports::to_string(reports::totals(tally));
  const auto worst = std::ranges::max_element(tally.cases, {}, &runner::CaseResult::outcome);
  runner::CaseResult out = std::move(*worst);
  out.reason = fmt::format("{} in {} runs; the worst: {}", counts, tally.cases.size(), out.reason);
  out.outcome = runner::Outcome::Flaky;
  return out;
}

}  // namespace sipassay::tools
