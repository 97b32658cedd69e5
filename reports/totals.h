// How many cases ended how, and what that means for whoever called the program.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "engine/runner/result.h"
#include "reports/report.h"

namespace sipassay::reports {

// Exit statuses of the program.
inline constexpr int exit_as_expected = 0;
inline constexpr int exit_failed = 1;  // FAIL, CRASH or XPASS
inline constexpr int exit_error = 2;   // ERROR and nothing worse
inline constexpr int exit_usage = 3;   // bad usage, or nothing selected

inline constexpr std::size_t outcome_count = static_cast<std::size_t>(runner::Outcome::Crash) + 1;

// In the order of Outcome.
struct Totals {
  std::array<std::size_t, outcome_count> counts{};
  std::size_t all = 0;

  std::size_t of(runner::Outcome outcome) const {
    return counts[static_cast<std::size_t>(outcome)];
  }
};

Totals totals(const runner::RunResult& result);
// "81 PASS, 2 INFO, 1 FAIL"; "no cases" for none.
std::string to_string(const Totals& totals);

// The outcome fails the run under these options.
bool is_failure(runner::Outcome outcome, const RenderOptions& options);
int exit_status(const runner::RunResult& result, const RenderOptions& options);

// What an expectation file says of the case: "FAIL expected by baresip.xml:12 (RFC 3515 section
// 2.4.2): no NOTIFY follows"; empty: nothing.
std::string known_text(const runner::CaseResult& result);

// What the outcome means, for legends.
std::string_view meaning(runner::Outcome outcome);

}  // namespace sipassay::reports
