#include "tools/repeat.h"

#include <gtest/gtest.h>

#include "tools/progress.h"

namespace sipassay::tools {
namespace {

using runner::Outcome;

runner::CaseResult run_with(Outcome outcome, std::string reason) {
  runner::CaseResult out;
  out.outcome = outcome;
  out.reason = std::move(reason);
  return out;
}

TEST(Repeat, EqualOutcomesStay) {
  const auto verdict = verdict_of({run_with(Outcome::Pass, "a"), run_with(Outcome::Pass, "b")});
  EXPECT_EQ(verdict.outcome, Outcome::Pass);
  EXPECT_EQ(verdict.reason, "a");
}

TEST(Repeat, DifferentOutcomesAreFlaky) {
  const auto verdict = verdict_of({run_with(Outcome::Pass, ""), run_with(Outcome::Fail, "no BYE"),
                                   run_with(Outcome::Pass, "")});
  EXPECT_EQ(verdict.outcome, Outcome::Flaky);
  EXPECT_EQ(verdict.reason, "2 PASS, 1 FAIL in 3 runs; the worst: no BYE");
}

TEST(Progress, SaysHowFarAndHowLong) {
  Progress progress(4, false);
  EXPECT_EQ(progress.line(std::chrono::seconds(0)), "0 of 4 done, 0 failed");
  progress.started();
  progress.started();
  progress.done(Outcome::Fail);
  EXPECT_EQ(progress.line(std::chrono::seconds(2)),
            "1 of 4 done, 1 failed, 1 running, about 6 s left");
  progress.done(Outcome::Pass);
  EXPECT_EQ(progress.line(std::chrono::seconds(2)), "2 of 4 done, 1 failed, about 2 s left");
}

}  // namespace
}  // namespace sipassay::tools
