#include "reports/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/testdata/sample.h"

namespace sipassay::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string failure(const runner::CaseResult& result, const RenderOptions& options = {}) {
  std::string out;
  render_failure(result, options, out);
  return out;
}

TEST(Text, AFailureSaysAllThatOneNeeds) {
  const std::string shown = failure(testdata::failing_case());
  EXPECT_THAT(shown, HasSubstr("FAIL RFC3262-4-8"));
  EXPECT_THAT(shown, HasSubstr("clause      RFC 3262 section 4, MUST NOT"));
  EXPECT_THAT(shown, HasSubstr("expected    no PRACK within 1 s"));
  EXPECT_THAT(shown, HasSubstr("actual      PRACK with RAck 102 1 INVITE"));
  EXPECT_THAT(shown, HasSubstr("  >> | RAck: 102 1\n  >> |  INVITE\n     | X-Note: ok\n"));
  EXPECT_THAT(shown, HasSubstr(">>     0.506  |<="));
  EXPECT_THAT(shown, HasSubstr("seed        18446744073709551615"));
  EXPECT_THAT(shown, HasSubstr("repeat      sipassay run"));
}

TEST(Text, ALostMessageDoesNotArrive) {
  EXPECT_THAT(failure(testdata::failing_case()), HasSubstr("x|"));
}

TEST(Text, SaysThatTheHeaderAtFaultIsNotThere) {
  EXPECT_THAT(failure(testdata::hostile_case()), HasSubstr(">> there is no Via in it"));
}

TEST(Text, ColoursOnlyWhenAsked) {
  EXPECT_THAT(failure(testdata::hostile_case()), Not(HasSubstr("\x1b")));
  EXPECT_THAT(failure(testdata::failing_case(), {.colours = true}), HasSubstr("\x1b[1;31m"));
}

TEST(Text, ACaseWithoutMessagesSaysSo) {
  runner::CaseResult result = testdata::failing_case();
  result.messages.clear();
  EXPECT_THAT(failure(result), HasSubstr("No message was exchanged."));
}

TEST(Text, ALongCallShowsItsEndAndTheArrowAtFault) {
  runner::CaseResult result = testdata::failing_case();
  for (int i = 0; i < 1000; ++i) result.messages.push_back(result.messages[1]);
  const std::string shown = failure(result);
  EXPECT_THAT(shown, HasSubstr("... 805 earlier messages"));
  EXPECT_THAT(shown, HasSubstr(">>     0.506"));
}

}  // namespace
}  // namespace sipassay::reports
