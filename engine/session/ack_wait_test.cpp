#include "engine/session/ack_wait.h"

#include <gtest/gtest.h>

namespace sipassay::session {
namespace {

constexpr Instant start{};

std::vector<double> resend_times(AckWait& wait, Duration until) {
  std::vector<double> out;
  while (const auto next = wait.next_deadline()) {
    if (*next > start + until) break;
    while (const auto due = wait.advance(*next))
      if (due->what == AckWait::Due::What::Resend)
        out.push_back(std::chrono::duration<double>(*next - start).count());
  }
  return out;
}

TEST(AckWait, ResendsWithDoublingIntervalsUpToT2) {
  AckWait wait(500ms, 4s);
  ASSERT_TRUE(wait.start(7, start));
  const std::vector<double> expected{.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5};
  EXPECT_EQ(resend_times(wait, 40s), expected);
  EXPECT_FALSE(wait.is_waiting());
}

TEST(AckWait, GivesUpAfter64T1) {
  AckWait wait(500ms, 4s);
  wait.start(7, start);
  resend_times(wait, 31999ms);
  EXPECT_TRUE(wait.is_waiting(7));
  const auto due = wait.advance(start + 32s);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->what, AckWait::Due::What::GiveUp);
  EXPECT_EQ(due->cseq, 7U);
  EXPECT_FALSE(wait.advance(start + 33s));
}

TEST(AckWait, StopsAtTheAckOfThat2xxOnly) {
  AckWait wait(500ms, 4s);
  wait.start(7, start);
  wait.start(8, start);
  EXPECT_FALSE(wait.acknowledge(9));
  EXPECT_TRUE(wait.acknowledge(7));
  EXPECT_FALSE(wait.acknowledge(7));
  const auto due = wait.advance(start + 500ms);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->cseq, 8U);
  EXPECT_FALSE(wait.advance(start + 500ms));
}

TEST(AckWait, HasALimit) {
  AckWait wait(500ms, 4s);
  for (std::uint32_t i = 0; i < ack_waits_max; ++i) EXPECT_TRUE(wait.start(i, start));
  EXPECT_FALSE(wait.start(ack_waits_max, start));
  EXPECT_TRUE(wait.start(0, start)) << "one that waits already is no new one";
}

TEST(AckWait, ALateClockDoesNotCauseABurst) {
  AckWait wait(500ms, 4s);
  wait.start(7, start);
  int count = 0;
  while (wait.advance(start + 10s)) ++count;
  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace sipassay::session
