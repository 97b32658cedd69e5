#include "engine/session/session_timer.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace sipassay::session {
namespace {

using State = SessionTimer::State;
using Due = SessionTimer::Due;

constexpr Instant start{};

// Everything that comes due until `end`, with its time in seconds.
std::vector<std::pair<double, Due>> run(SessionTimer& timer, Instant end) {
  std::vector<std::pair<double, Due>> out;
  while (const auto next = timer.next_deadline()) {
    if (*next > end) break;
    const auto due = timer.advance(*next);
    out.emplace_back(std::chrono::duration<double>(*next - start).count(), due);
    if (out.size() > 100) break;
  }
  return out;
}

using Times = std::vector<std::pair<double, Due>>;

TEST(SessionTimer, RefreshesAtHalfTheInterval) {
  SessionTimer timer;
  timer.granted(1800s, true, start);
  EXPECT_TRUE(timer.is_ours());
  EXPECT_EQ(run(timer, start + 1799s), (Times{{900, Due::Refresh}}));
  timer.granted(1800s, true, start + 901s);
  EXPECT_EQ(run(timer, start + 2700s), (Times{{1801, Due::Refresh}}));
}

TEST(SessionTimer, WaitsForThePeerAndEndsAThirdOr32SecondsBeforeTheExpiration) {
  for (const auto& [interval, end] :
       std::vector<std::pair<Duration, double>>{{90s, 60}, {96s, 64}, {97s, 65}, {1800s, 1768}}) {
    SessionTimer timer;
    timer.granted(interval, false, start);
    EXPECT_FALSE(timer.is_ours());
    EXPECT_EQ(run(timer, start + 10000s), (Times{{end, Due::Expire}}));
    EXPECT_FALSE(timer.is_on());
    EXPECT_FALSE(timer.next_deadline());
  }
}

TEST(SessionTimer, ARefreshThatIsNeverAnsweredEndsAtTheExpiration) {
  SessionTimer timer;
  timer.granted(90s, true, start);
  EXPECT_EQ(run(timer, start + 1000s), (Times{{45, Due::Refresh}, {90, Due::Expire}}));
}

TEST(SessionTimer, TheSameErrorIsMetThreeTimesAtHalfOfWhatIsLeft) {
  SessionTimer timer;
  timer.granted(90s, true, start);
  Times seen;
  while (const auto next = timer.next_deadline()) {
    const auto due = timer.advance(*next);
    seen.emplace_back(std::chrono::duration<double>(*next - start).count(), due);
    if (due == Due::Refresh) timer.refused(500, std::nullopt, *next);
  }
  EXPECT_EQ(
      seen,
      (Times{{45, Due::Refresh}, {67.5, Due::Refresh}, {78.75, Due::Refresh}, {90, Due::Expire}}));
}

TEST(SessionTimer, ASuccessForgetsTheErrorsBeforeIt) {
  SessionTimer timer;
  timer.granted(90s, true, start);
  for (int round = 0; round < 2; ++round) {
    const Instant began = start + round * 100s;
    timer.granted(90s, true, began);
    for (unsigned i = 0; i + 1 < refresh_tries_max; ++i) {
      ASSERT_EQ(timer.advance(began + 80s), Due::Refresh);
      timer.refused(500, 0s, began + 80s);
    }
    EXPECT_EQ(timer.advance(began + 80s), Due::Refresh);
  }
}

TEST(SessionTimer, GlareIsTriedAgainUntilTheExpiration) {
  SessionTimer timer;
  timer.granted(90s, true, start);
  unsigned tries = 0;
  while (const auto next = timer.next_deadline()) {
    if (timer.advance(*next) != Due::Refresh) continue;
    ++tries;
    timer.refused(491, 3s, *next);
  }
  EXPECT_EQ(tries, 15U);  // at 45, 48, … 87 s; the expiration comes first at 90
}

TEST(SessionTimer, ABusyDialogPutsTheRefreshOffWithoutCountingIt) {
  SessionTimer timer;
  timer.granted(90s, true, start);
  for (int i = 0; i < 10; ++i) {
    const auto next = timer.next_deadline();
    ASSERT_EQ(timer.advance(*next), Due::Refresh);
    EXPECT_EQ(*next, start + 45s + i * 4s);
    timer.busy(4s, *next);
  }
  EXPECT_EQ(timer.state(), State::Refresher);
}

TEST(SessionTimer, TheLatest2xxDecides) {
  SessionTimer timer;
  timer.granted(90s, true, start);
  timer.granted(300s, false, start + 10s);
  EXPECT_EQ(timer.state(), State::Waiting);
  EXPECT_EQ(timer.interval(), 300s);
  EXPECT_EQ(timer.next_deadline(), start + 10s + 268s);
  timer.granted(120s, true, start + 20s);
  EXPECT_EQ(timer.next_deadline(), start + 80s);
  timer.not_granted();
  EXPECT_EQ(timer.state(), State::Off);
  EXPECT_FALSE(timer.next_deadline());
}

TEST(SessionTimer, NothingIsDueOnceTheSessionHasEnded) {
  for (const bool is_ours : {true, false}) {
    SessionTimer timer;
    timer.granted(90s, is_ours, start);
    timer.session_ended();
    EXPECT_FALSE(timer.next_deadline());
    EXPECT_EQ(timer.advance(start + 1000s), Due::Nothing);
  }
}

TEST(SessionTimer, TheLongestIntervalOfTheGrammarFits) {
  SessionTimer timer;
  timer.granted(std::chrono::seconds(0xffff'ffffU), true, start);
  EXPECT_EQ(timer.next_deadline(), start + Duration(std::chrono::seconds(0xffff'ffffU)) / 2);
}

TEST(SessionTimer, EveryStateIsReachedAndLeftAndEveryRowHasAClause) {
  std::set<State> entered, left;
  for (const auto& row : SessionTimer::rows) {
    if (row.from == row.to) continue;
    entered.insert(row.to);
    left.insert(row.from);
    EXPECT_NE(row.clause.section, "") << to_string(row.from) << ", " << to_string(row.on);
  }
  EXPECT_EQ(entered.size(), 4U);
  EXPECT_EQ(left.size(), 4U);
}

}  // namespace
}  // namespace sipassay::session
