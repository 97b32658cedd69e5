#include <gtest/gtest.h>

#include "engine/base/ascii.h"
#include "engine/base/endpoint.h"
#include "engine/base/error.h"
#include "engine/base/rng.h"
#include "engine/base/timer_table.h"

namespace sipassay {
namespace {

TEST(Rng, GivesTheSameDrawsForTheSameSeed) {
  Rng a(7), b(7), c(8);
  EXPECT_EQ(a.token(10), b.token(10));
  EXPECT_NE(a.token(10), c.token(10));
}

TEST(Rng, ForksAreIndependentOfLaterDraws) {
  Rng a(7);
  const auto before = a.fork("peer").next();
  EXPECT_EQ(before, Rng(7).fork("peer").next());
  EXPECT_NE(before, Rng(7).fork("sut").next());
}

TEST(Rng, StaysInRange) {
  Rng rng(1);
  for (int i = 0; i < 1000; ++i) {
    const auto value = rng.between(3, 5);
    EXPECT_GE(value, 3U);
    EXPECT_LE(value, 5U);
  }
}

TEST(Endpoint, ReadsEveryFormAndWritesItBack) {
  const auto v4 = endpoint_from("udp:127.0.0.1:5070");
  ASSERT_TRUE(v4);
  EXPECT_EQ(to_string(*v4), "udp:127.0.0.1:5070");
  const auto v6 = endpoint_from("tcp:[::1]:5070");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(to_string(*v6), "tcp:[::1]:5070");
  EXPECT_EQ(endpoint_from("tls:[::1]")->port, 5061);
  EXPECT_EQ(endpoint_from("udp:example.com")->port, 5060);
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const auto* text : {"", "udp", "udp:", "xyz:host", "udp:host:99999", "udp:host:", "udp:[::1", "udp:[::1]x"})
    EXPECT_FALSE(endpoint_from(text)) << text;
}

TEST(Error, SaysWhereWhatAndWhichClause) {
  EXPECT_EQ(to_string(Error{ErrorCode::StatusCode, 8}),
            "offset 8: expected a status code of three digits between 100 and 699 (RFC 3261 section 7.2)");
}

TEST(Clause, NamesItsStrengthUnlessStated) {
  EXPECT_EQ(to_string(Clause{3262, "4", Level::MustNot}), "RFC 3262 section 4, MUST NOT");
  EXPECT_EQ(to_string(Clause{3261, "12"}), "RFC 3261 section 12");
}

enum class Timer : std::uint8_t { A, B, Count };

TEST(TimerTable, GivesDueTimersInOrderOnce) {
  TimerTable<Timer> timers;
  EXPECT_FALSE(timers.next());
  timers.start(Timer::B, Instant{2s});
  timers.start(Timer::A, Instant{3s});
  EXPECT_EQ(timers.next(), Instant{2s});
  EXPECT_FALSE(timers.take_due(Instant{1s}));
  EXPECT_EQ(timers.take_due(Instant{3s}), Timer::B);
  EXPECT_EQ(timers.take_due(Instant{3s}), Timer::A);
  EXPECT_FALSE(timers.take_due(Instant{9s}));
}

TEST(Ascii, CommaListsHaveOneCommaBetweenValues) {
  EXPECT_EQ(ascii::comma_list({}), "");
  EXPECT_EQ(ascii::comma_list({"100rel"}), "100rel");
  EXPECT_EQ(ascii::comma_list({"INVITE", "ACK", "BYE"}), "INVITE, ACK, BYE");
}

TEST(Ascii, NumbersAreDigitsInRange) {
  EXPECT_EQ(ascii::number<std::uint32_t>("4294967295"), 4294967295U);
  EXPECT_FALSE(ascii::number<std::uint32_t>("4294967296"));
  EXPECT_FALSE(ascii::number<int>("-1"));
  EXPECT_FALSE(ascii::number<int>("1 "));
  EXPECT_FALSE(ascii::number<int>(""));
}

}  // namespace
}  // namespace sipassay
