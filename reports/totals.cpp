#include "reports/totals.h"

#include <fmt/format.h>

namespace sipassay::reports {

using runner::Outcome;

Totals totals(const runner::RunResult& result) {
  Totals out;
  for (const runner::CaseResult& one : result.cases)
    ++out.counts[static_cast<std::size_t>(one.outcome)];
  out.all = result.cases.size();
  return out;
}

std::string to_string(const Totals& totals) {
  std::string out;
  for (std::size_t i = 0; i < outcome_count; ++i) {
    if (totals.counts[i] == 0) continue;
    if (!out.empty()) out += ", ";
    out += fmt::format("{} {}", totals.counts[i], runner::to_string(static_cast<Outcome>(i)));
  }
  return out.empty() ? "no cases" : out;
}

bool is_failure(Outcome outcome, const RenderOptions& options) {
  switch (outcome) {
    case Outcome::Fail:
    case Outcome::Crash:
    case Outcome::Xpass:
      return true;
    case Outcome::NonStrict:
      return options.is_strict;
    case Outcome::Flaky:
      return options.flaky_fails;
    default:
      return false;
  }
}

int exit_status(const runner::RunResult& result, const RenderOptions& options) {
  int status = exit_as_expected;
  for (const runner::CaseResult& one : result.cases) {
    if (is_failure(one.outcome, options)) return exit_failed;
    if (one.outcome == Outcome::Error) status = exit_error;
  }
  return status;
}

std::string known_text(const runner::CaseResult& result) {
  if (!result.expectation) return {};
  const runner::Expectation& known = *result.expectation;
  return fmt::format("{} expected by {}{}: {}", known.outcomes, known.where,
                     known.clause.empty() ? "" : fmt::format(" ({})", known.clause), known.reason);
}

std::string_view meaning(Outcome outcome) {
  switch (outcome) {
    case Outcome::Pass:
      return "what the requirement asks";
    case Outcome::Info:
      return "behaviour recorded, nobody to blame";
    case Outcome::NotApplicable:
      return "meant for another role or transport";
    case Outcome::Unsupported:
      return "the SUT says that it lacks the feature";
    case Outcome::NonStrict:
      return "conformant but unusual: a SHOULD not kept, or a tolerated answer";
    case Outcome::Xfail:
      return "fails as the expectation file says";
    case Outcome::Xpass:
      return "better than the expectation file says";
    case Outcome::Flaky:
      return "different outcomes in different runs";
    case Outcome::Error:
      return "the precondition could not be established; not the SUT's fault";
    case Outcome::Fail:
      return "a requirement is broken";
    case Outcome::Crash:
      return "the SUT died or answers no more";
  }
  return "";
}

}  // namespace sipassay::reports
