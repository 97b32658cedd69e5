#include "engine/soak/soak.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/base/rng.h"
#include "engine/soak/agreement.h"
#include "engine/testing/session_pair.h"

namespace sipassay::soak {
namespace {

std::string told(const Result& result) {
  std::string text;
  for (const auto& failure : result.failures) {
    text += failure.call ? "call " + std::to_string(*failure.call) : "both agents";
    text += ": " + std::string(failure.finding.rule) + ": expected " + failure.finding.expected +
            ", but " + failure.finding.observed + '\n';
  }
  return text;
}

TEST(Soak, LeavesNothingBehindAndBothSidesAgree) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto result = soak({.seed = seed, .calls = 300});
    EXPECT_EQ(result.failure_count, 0U) << "seed " << seed << '\n' << told(result);
    EXPECT_GT(result.answered, 200U);
    EXPECT_GT(result.comparisons, result.answered);
    EXPECT_GT(result.lost, 0U);
    EXPECT_GT(result.doubled, 0U);
  }
}

TEST(Soak, EndsOnATerribleNetworkToo) {
  const simulation::Conditions terrible{
      .delay_min = 0ms, .delay_max = 2s, .loss_percent = 35, .duplicate_percent = 20};
  const auto result = soak({.seed = 5, .calls = 100, .conditions = terrible});
  EXPECT_EQ(result.failure_count, 0U) << told(result);
  EXPECT_GT(result.answered, 50U);
}

TEST(Soak, GoesEverywhere) {
  const auto result = soak({.seed = 9, .calls = 1500});
  for (const char* what :
       {"INVITE",        "ACK",           "BYE",        "CANCEL",        "PRACK",
        "UPDATE",        "INFO",          "MESSAGE",    "OPTIONS",       "REFER",
        "NOTIFY",        "180 INVITE",    "183 INVITE", "302 INVITE",    "401 INVITE",
        "407 INVITE",    "486 INVITE",    "487 INVITE", "488 INVITE",    "488 UPDATE",
        "491 INVITE",    "491 UPDATE",    "SUBSCRIBE",  "200 SUBSCRIBE", "423 SUBSCRIBE",
        "486 SUBSCRIBE", "404 SUBSCRIBE", "REGISTER",   "200 REGISTER",  "401 REGISTER",
        "423 REGISTER",  "603 INVITE"})
    EXPECT_GT(result.sent.contains(what) ? result.sent.at(what) : 0U, 0U) << what;
  EXPECT_GT(result.referred, 0U);
}

TEST(Soak, TheSameSeedGivesTheSameTranscript) {
  const auto first = soak({.seed = 7, .calls = 60});
  EXPECT_EQ(soak({.seed = 7, .calls = 60}).hash, first.hash);
  EXPECT_NE(soak({.seed = 8, .calls = 60}).hash, first.hash);
}

// So that a failure can be looked at by itself.
TEST(Soak, ACallGoesTheSameWayAloneAndAmongOthers) {
  for (Number call = 20; call < 26; ++call) {
    const auto among = soak({.seed = 9, .calls = 40, .ladder = call});
    const auto alone = soak({.seed = 9, .first = call, .calls = 1, .ladder = call});
    if (alone.referred != 0) continue;  // dice of referred calls are drawn by the agents
    ASSERT_EQ(among.ladder.size(), alone.ladder.size()) << call;
    for (std::size_t i = 0; i < alone.ladder.size(); ++i) {
      EXPECT_EQ(among.ladder[i].at - among.ladder[0].at, alone.ladder[i].at - alone.ladder[0].at);
      EXPECT_EQ(among.ladder[i].copies, alone.ladder[i].copies);
    }
  }
}

TEST(Soak, MemoryThatGrowsIsSeen) {
  std::uint64_t octets = 1'000'000;
  const Options options{.seed = 7,
                        .calls = 20,
                        .heap = [&octets] { return octets += growth_max + 1; },
                        .settled_after = 5};
  const auto result = soak(options);
  ASSERT_EQ(result.failure_count, 1U);
  EXPECT_EQ(result.failures.front().finding.rule, "memory-grows");
  EXPECT_FALSE(result.failures.front().call);
}

TEST(Plan, IsTheSameForTheSameSeedAndOrderedInTime) {
  std::set<std::string> users;
  for (Number call = 0; call < 2000; ++call) {
    const auto plan = draw_plan(3, call);
    const auto again = draw_plan(3, call);
    EXPECT_EQ(plan.start, again.start);
    EXPECT_EQ(plan.user, again.user);
    EXPECT_EQ(plan.setting_up.size(), again.setting_up.size());
    users.insert(plan.user);
    for (const auto& list : {plan.setting_up, plan.ending})
      EXPECT_TRUE(std::ranges::is_sorted(list, {}, &Action::at));
  }
  EXPECT_GT(users.size(), 30U);
}

TEST(Plan, DrawsEveryActionByEveryRoleThatMay) {
  std::set<std::pair<const ActionRow*, Role>> drawn;
  const auto note = [&](const std::vector<Action>& list) {
    for (const auto& action : list) drawn.emplace(action.row, action.by);
  };
  for (Number call = 0; call < 3000; ++call) {
    const auto plan = draw_plan(4, call);
    note(plan.setting_up);
    for (const auto& round : plan.changes) note(round);
    note(plan.ending);
  }
  for (const auto& row : action_rows()) {
    EXPECT_EQ(drawn.contains({&row, Role::Caller}), row.by_caller) << row.name;
    EXPECT_EQ(drawn.contains({&row, Role::Callee}), row.by_callee) << row.name;
  }
}

// Ends that differ are told apart, row by row.
TEST(Agreement, SeesEndsThatDiffer) {
  testing::SessionPair one({.seed = 1});
  one.establish();
  EXPECT_FALSE(disagreement(one.caller(), one.callee(), true));
  EXPECT_TRUE(is_settled(one.caller()));
  const auto finding = disagreement(one.caller(), one.caller(), true);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->rule, "dialog-id");

  const auto info = one.caller().info({});  // never arrives
  ASSERT_TRUE(info);
  EXPECT_EQ(disagreement(one.caller(), one.callee(), true)->rule, "cseq");
  EXPECT_FALSE(disagreement(one.caller(), one.callee(), false));

  ASSERT_TRUE(one.caller().invite({.body = testing::sdp_body(2)}, one.now()));
  EXPECT_FALSE(is_settled(one.caller()));
  EXPECT_EQ(disagreement(one.caller(), one.callee(), false)->rule, "offer");
}

}  // namespace
}  // namespace sipassay::soak
