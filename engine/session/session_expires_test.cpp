#include "engine/session/session_expires.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "engine/message/header/all.h"

namespace sipassay::session {
namespace {

using enum RefresherRole;

Message request(std::string_view expires, std::string_view min_se = {}, bool knows_timers = true) {
  Message out = Message::request("INVITE", "sip:bob@example.com");
  if (knows_timers) out.add("Supported", "100rel, timer");
  if (!expires.empty()) out.add("Session-Expires", expires);
  if (!min_se.empty()) out.add("Min-SE", min_se);
  return out;
}

Message success(std::string_view expires, bool requires_timer = true) {
  Message out = Message::response(200);
  if (!expires.empty()) out.add("Session-Expires", expires);
  if (requires_timer) out.add("Require", "timer");
  return out;
}

std::string granted(const Message& asked, const TimerSettings& settings,
                    std::optional<RefresherRole> now = {}) {
  const auto what = timer_request_of(asked);
  const auto out = grant(what, settings, now);
  if (!out) return "none";
  Message response = Message::response(200);
  add_grant(response, *out, what.is_supported);
  std::string text(response.raw(HeaderId::SessionExpires));
  if (has_token(response, HeaderId::Require, "timer")) text += " required";
  return text;
}

constexpr TimerSettings plain{.interval = 1800s};
constexpr TimerSettings eager{.interval = 1800s, .refreshes = true};
constexpr TimerSettings low{.interval = 90s, .lowers = true};
constexpr TimerSettings silent{};

struct Vector {
  std::string_view expires, min_se;
  bool knows_timers;
  const TimerSettings& settings;
  std::string_view granted;
};
const Vector vectors[] = {
    // RFC 4028 9, Table 2, row by row; rows 2 and 3 are not allowed to happen
    {"1800", "", false, plain, "1800;refresher=uas"},
    {"1800;refresher=uac", "", false, plain, "1800;refresher=uas"},
    {"1800;refresher=uas", "", false, plain, "1800;refresher=uas"},
    {"1800", "", true, plain, "1800;refresher=uac required"},
    {"1800", "", true, eager, "1800;refresher=uas required"},
    {"1800;refresher=uac", "", true, eager, "1800;refresher=uac required"},
    {"1800;refresher=uas", "", true, plain, "1800;refresher=uas required"},
    {"1800;foo=bar;refresher=UAS", "", true, plain, "1800;refresher=uas required"},
    // never raised, lowered if wanted, but not below Min-SE or 90
    {"600", "", true, plain, "600;refresher=uac required"},
    {"4294967295", "", true, plain, "4294967295;refresher=uac required"},
    {"1800", "", true, low, "90;refresher=uac required"},
    {"1800", "1200", true, low, "1200;refresher=uac required"},
    {"90", "", false, plain, "90;refresher=uas"},
    {"89", "", false, plain, "none"},
    // asked for by the UAS
    {"", "", true, plain, "1800;refresher=uac required"},
    {"", "3600", true, plain, "3600;refresher=uac required"},
    {"", "", true, silent, "none"},
    {"", "", false, plain, "none"},
    // what cannot be read is not there
    {"soon", "", true, silent, "none"},
    {"1800;refresher=proxy", "", true, silent, "none"},
};

TEST(SessionExpires, IsGrantedAsTable2Says) {
  for (const auto& vector : vectors)
    EXPECT_EQ(granted(request(vector.expires, vector.min_se, vector.knows_timers), vector.settings),
              vector.granted)
        << vector.expires << ", Min-SE " << vector.min_se << ", "
        << (vector.knows_timers ? "timer" : "no timer");
}

TEST(SessionExpires, KeepsTheRefresherWhereTheRequestLeavesItOpen) {
  EXPECT_EQ(granted(request("600"), plain, Uas), "600;refresher=uas required");
  EXPECT_EQ(granted(request("600"), eager, Uac), "600;refresher=uac required");
  EXPECT_EQ(granted(request("600;refresher=uac"), plain, Uas), "600;refresher=uac required");
}

TEST(SessionExpires, TooShortAnIntervalOwesAMinSeToAUacThatKnowsTimers) {
  const TimerSettings long_ones{.interval = 1800s, .minimum = 600s};
  EXPECT_EQ(owed_min_se(timer_request_of(request("599")), long_ones), 600s);
  EXPECT_EQ(owed_min_se(timer_request_of(request("600")), long_ones), std::nullopt);
  EXPECT_EQ(owed_min_se(timer_request_of(request("599", "", false)), long_ones), std::nullopt);
  EXPECT_EQ(owed_min_se(timer_request_of(request("")), long_ones), std::nullopt);
  EXPECT_EQ(owed_min_se(timer_request_of(request("89")), plain), 90s);
  EXPECT_EQ(owed_min_se(timer_request_of(request("90")), plain), std::nullopt);
  EXPECT_EQ(owed_min_se(timer_request_of(request("89")), {.minimum = 10s}), 90s)
      << "Min-SE is never below 90";
}

TEST(SessionExpires, IsAskedForWithNoLessThanMinSe) {
  Message invite = request("");
  ask_for_timer(invite, 1800s, std::nullopt, std::nullopt);
  EXPECT_EQ(invite.raw(HeaderId::SessionExpires), "1800");
  EXPECT_FALSE(invite.has(HeaderId::MinSe));
  ask_for_timer(invite, 1800s, Uac, 3600s);
  EXPECT_EQ(invite.raw(HeaderId::SessionExpires), "3600;refresher=uac");
  EXPECT_EQ(invite.raw(HeaderId::MinSe), "3600");
  ask_for_timer(invite, 10s, Uas, std::nullopt);
  EXPECT_EQ(invite.raw(HeaderId::SessionExpires), "90;refresher=uas");
}

TEST(SessionExpires, A422CountsOnlyIfItAsksForMore) {
  const auto refused = [](std::string_view min_se) {
    Message out = Message::response(422);
    if (!min_se.empty()) out.add("Min-SE", min_se);
    return out;
  };
  EXPECT_EQ(raised_min_se(request("90"), refused("300")), 300s);
  EXPECT_EQ(raised_min_se(request("300"), refused("300")), std::nullopt);
  EXPECT_EQ(raised_min_se(request("90"), refused("")), std::nullopt);
  EXPECT_EQ(raised_min_se(request("90"), refused("x")), std::nullopt);
  EXPECT_EQ(raised_min_se(request(""), refused("300")), std::nullopt);
  EXPECT_EQ(raised_min_se(request("90"), success("300")), std::nullopt);
}

struct Judged {
  std::string_view asked, min_se, answered;
  std::string_view rule;  // empty: in order
  std::optional<TimerGrant> granted;
};
const Judged judged[] = {
    {"1800", "", "1800;refresher=uac", "", TimerGrant{1800s, Uac}},
    {"1800", "", "600;refresher=uas", "", TimerGrant{600s, Uas}},
    {"", "", "600;refresher=uac", "", TimerGrant{600s, Uac}},
    {"1800", "", "600", "session-expires-without-refresher", TimerGrant{600s, Uac}},
    {"1800;refresher=uac", "", "600;refresher=uas", "refresher-overridden", TimerGrant{600s, Uas}},
    {"600", "", "1800;refresher=uac", "session-expires-raised", TimerGrant{1800s, Uac}},
    {"1800", "900", "600;refresher=uac", "session-expires-below-min-se", TimerGrant{600s, Uac}},
    {"1800", "", "1;refresher=uac", "session-expires-below-min-se", TimerGrant{90s, Uac}},
    {"1800", "", "", "timer-required-but-none", std::nullopt},
};

TEST(SessionExpires, OfA2xxIsJudged) {
  for (const auto& vector : judged) {
    std::vector<Finding> findings;
    EXPECT_EQ(
        granted_by(request(vector.asked, vector.min_se), success(vector.answered), true, findings),
        vector.granted)
        << vector.answered;
    EXPECT_EQ(findings.empty() ? "" : findings.front().rule, vector.rule) << vector.answered;
    EXPECT_EQ(findings.size(), vector.rule.empty() ? 0U : 1U);
  }
}

TEST(SessionExpires, MissingInA2xxMeansAUasThatKnowsNoneOrWantsNone) {
  std::vector<Finding> findings;
  EXPECT_EQ(granted_by(request("600"), success("", false), false, findings),
            (TimerGrant{600s, Uac}));
  EXPECT_EQ(granted_by(request("600"), success("", false), true, findings), std::nullopt);
  EXPECT_EQ(granted_by(request(""), success("", false), false, findings), std::nullopt);
  EXPECT_EQ(granted_by(request("600", "", false), success("600;refresher=uac"), true, findings),
            std::nullopt)
      << "we did not say that we know timers";
  EXPECT_TRUE(findings.empty());
}

}  // namespace
}  // namespace sipassay::session
