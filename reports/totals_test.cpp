#include "reports/totals.h"

#include <gtest/gtest.h>

#include "reports/testdata/sample.h"

namespace sipassay::reports {
namespace {

using runner::Outcome;

int status_of(std::initializer_list<Outcome> outcomes, const RenderOptions& options = {}) {
  runner::RunResult result;
  for (const Outcome outcome : outcomes)
    result.cases.push_back(testdata::make_case("x", outcome, ""));
  return exit_status(result, options);
}

TEST(ExitStatus, FollowsTheWorstOutcome) {
  EXPECT_EQ(status_of({}), 0);
  EXPECT_EQ(status_of({Outcome::Pass, Outcome::Info, Outcome::Unsupported, Outcome::NotApplicable,
                       Outcome::NonStrict, Outcome::Xfail, Outcome::Flaky}),
            0);
  EXPECT_EQ(status_of({Outcome::Error, Outcome::Pass}), 2);
  EXPECT_EQ(status_of({Outcome::Error, Outcome::Fail}), 1);
  EXPECT_EQ(status_of({Outcome::Crash, Outcome::Error}), 1);
  EXPECT_EQ(status_of({Outcome::Xpass}), 1);
}

TEST(ExitStatus, OptionsMakeItStricter) {
  EXPECT_EQ(status_of({Outcome::NonStrict}, {.is_strict = true}), 1);
  EXPECT_EQ(status_of({Outcome::Flaky}, {.flaky_fails = true}), 1);
}

TEST(Totals, CountEveryOutcome) {
  EXPECT_EQ(to_string(totals(testdata::sample())),
            "1 PASS, 1 INFO, 1 NOT-APPLICABLE, 1 UNSUPPORTED, 1 NON-STRICT, 1 XFAIL, 1 XPASS, "
            "1 FLAKY, 1 ERROR, 1 FAIL, 1 CRASH");
  EXPECT_EQ(to_string(totals({})), "no cases");
}

}  // namespace
}  // namespace sipassay::reports
