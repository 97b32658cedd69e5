// Session timers of a whole agent (RFC 4028): users, INVITE, 422, CANCEL and requests outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/message/header/all.h"
#include "engine/session/session_dialog.h"
#include "engine/testing/pair.h"

namespace sipassay::agent {
namespace {

using Pair = sipassay::testing::Pair;
using Side = Pair::Side;

void call(Pair& pair, std::string_view user, std::vector<ExtraHeader> headers = {}) {
  Call command;
  command.target = pair.uri(Side::B, user);
  command.headers = std::move(headers);
  pair.a_does(command);
  pair.run_for(1s);
}

void expect_all_ends(Pair& pair) {
  pair.a_does(HangUp{});
  EXPECT_TRUE(pair.run_until_quiet());
  EXPECT_TRUE(pair.is_empty());
  for (const auto side : {Side::A, Side::B})
    for (const auto& broken : pair.events_of<Violation>(side))
      ADD_FAILURE() << broken.finding.rule << ", observed " << broken.finding.observed;
}

std::string_view expires(const Message& message) {
  return message.raw(HeaderId::SessionExpires);
}

TEST(Timers, AreAskedForAndGranted) {
  Pair pair;
  call(pair, "auto");
  const auto invite = pair.sent(Side::A, "INVITE+sdp");
  EXPECT_EQ(expires(invite), "1800");
  EXPECT_FALSE(invite.has(HeaderId::MinSe));
  EXPECT_TRUE(has_token(invite, HeaderId::Supported, "timer"));
  EXPECT_FALSE(has_token(invite, HeaderId::Require, "timer"));
  const auto ok = pair.sent(Side::B, "200 INVITE+sdp");
  EXPECT_EQ(expires(ok), "1800;refresher=uac");
  EXPECT_TRUE(has_token(ok, HeaderId::Require, "timer"));
  pair.run_for(3600s);
  EXPECT_EQ(pair.count(Side::A, "UPDATE"), 4U);  // each 900 s
  expect_all_ends(pair);
}

TEST(Timers, UserTimerUasRefreshesByUpdate) {
  Pair pair;
  call(pair, "timer-uas");
  EXPECT_EQ(expires(pair.sent(Side::B, "200 INVITE+sdp")), "90;refresher=uas");
  pair.run_for(180s);
  EXPECT_EQ(pair.count(Side::B, "UPDATE"), 4U);
  EXPECT_EQ(pair.count(Side::A, "UPDATE"), 0U);
  expect_all_ends(pair);
}

TEST(Timers, UserTimerReinviteRefreshesByReinviteOfTheSameDescription) {
  Pair pair;
  call(pair, "timer-reinvite");
  pair.run_for(91s);
  ASSERT_EQ(pair.count(Side::B, "INVITE+sdp"), 2U);
  EXPECT_EQ(pair.sent(Side::B, "INVITE+sdp", 0).body(),
            pair.sent(Side::B, "200 INVITE+sdp").body());
  EXPECT_EQ(pair.sent(Side::A, "200 INVITE+sdp", 0).body(), pair.sent(Side::A, "INVITE+sdp").body())
      << "the answer to an unchanged offer is unchanged";
  EXPECT_EQ(pair.count(Side::B, "ACK"), 2U);
  expect_all_ends(pair);
}

TEST(Timers, UserTimerUacLeavesItToTheCaller) {
  Pair pair;
  call(pair, "timer-uac");
  EXPECT_EQ(expires(pair.sent(Side::B, "200 INVITE+sdp")), "90;refresher=uac");
  pair.run_for(180s);
  EXPECT_EQ(pair.count(Side::A, "UPDATE"), 4U);
  expect_all_ends(pair);
}

TEST(Timers, UserTimerUacHangsUpOnACallerThatDoesNotRefresh) {
  Pair pair;
  call(pair, "timer-uac");
  pair.set_filter([](const Pair::Line& line) { return !line.octets.starts_with("UPDATE"); });
  pair.run_for(58s);
  EXPECT_EQ(pair.count(Side::B, "BYE"), 0U);
  pair.run_for(2s);
  EXPECT_EQ(pair.count(Side::B, "BYE"), 1U);
  const auto ended = pair.events_of<CallEnded>(Side::B);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended.front().reason, "expired");
  EXPECT_TRUE(pair.run_until_quiet());
  EXPECT_TRUE(pair.is_empty());
}

TEST(Timers, UserTimerMinWantsMoreAndTheCallerGivesIt) {
  Pair pair;
  call(pair, "timer-min", {{"Session-Expires", "90"}});
  ASSERT_EQ(pair.count(Side::B, "422 INVITE"), 1U);
  const auto first = pair.sent(Side::A, "INVITE+sdp", 0);
  const auto second = pair.sent(Side::A, "INVITE+sdp", 1);
  EXPECT_EQ(expires(second), "600");
  EXPECT_EQ(second.raw(HeaderId::MinSe), "600");
  EXPECT_EQ(second.raw(HeaderId::CallId), first.raw(HeaderId::CallId));
  EXPECT_EQ(second.raw(HeaderId::From), first.raw(HeaderId::From));
  EXPECT_EQ(second.raw(HeaderId::To), first.raw(HeaderId::To));
  EXPECT_EQ(second.get<CSeq>()->number, first.get<CSeq>()->number + 1);
  EXPECT_EQ(expires(pair.sent(Side::B, "200 INVITE+sdp")), "600;refresher=uac");
  pair.run_for(301s);
  EXPECT_FALSE(pair.sent(Side::A, "UPDATE").has(HeaderId::MinSe))
      << "what was heard before the dialog is forgotten (7.4)";
  expect_all_ends(pair);
}

TEST(Timers, UserNoTimerKnowsNone) {
  Pair pair;
  call(pair, "no-timer");
  EXPECT_EQ(expires(pair.sent(Side::B, "200 INVITE+sdp")), "");
  pair.run_for(901s);
  EXPECT_EQ(pair.count(Side::A, "UPDATE"), 1U) << "the caller keeps its timer by itself";
  expect_all_ends(pair);

  Pair requiring;
  call(requiring, "no-timer", {{"Require", "timer"}});
  EXPECT_EQ(requiring.count(Side::B, "420 INVITE"), 1U);
}

TEST(Timers, A422IsNotFollowedForEver) {
  Pair pair;
  pair.set_filter([](const Pair::Line& line) { return line.from == Side::A; });
  Call command;
  command.target = pair.uri(Side::B, "auto");
  pair.a_does(command);
  for (unsigned wanted = 2000; wanted < 2100; wanted += 10) {
    pair.run_for(100ms);
    const auto sent = pair.count(Side::A, "INVITE+sdp");
    auto refusal = Message::response(422);
    const auto invite = pair.sent(Side::A, "INVITE+sdp", sent - 1);
    for (const auto id : {HeaderId::Via, HeaderId::From, HeaderId::CallId, HeaderId::CSeq})
      refusal.add(id, invite.raw(id));
    refusal.add("To", std::string(invite.raw(HeaderId::To)) + ";tag=x");
    refusal.add("Min-SE", std::to_string(wanted));
    refusal.set_body({}, {});
    pair.inject(Side::A, refusal);
  }
  EXPECT_EQ(pair.count(Side::A, "INVITE+sdp"), 6U);
  ASSERT_EQ(pair.events_of<CallEnded>(Side::A).size(), 1U);
}

TEST(Timers, TimerIsSupportedInRequestsOutsideAndInCancel) {
  Pair pair;
  pair.a_does(SendOptions{pair.uri(Side::B, "auto")});
  pair.a_does(SendMessage{pair.uri(Side::B, "auto"), 0, {"text/plain", "hi", {}}});
  call(pair, "ring");
  pair.a_does(Cancel{});
  pair.run_for(1s);
  for (const std::string_view method : {"OPTIONS", "MESSAGE", "CANCEL"})
    EXPECT_TRUE(has_token(pair.sent(Side::A, method), HeaderId::Supported, "timer")) << method;
  EXPECT_FALSE(has_token(pair.sent(Side::A, "ACK"), HeaderId::Supported, "timer"));
}

TEST(Timers, AnAgentWithoutThemDoesNotMentionThem) {
  Pair::Options options;
  options.a.supports_timer = false;
  Pair pair(options);
  call(pair, "auto");
  EXPECT_EQ(expires(pair.sent(Side::A, "INVITE+sdp")), "");
  EXPECT_EQ(expires(pair.sent(Side::B, "200 INVITE+sdp")), "");
  pair.run_for(3600s);
  EXPECT_EQ(pair.count(Side::A, "UPDATE") + pair.count(Side::B, "UPDATE"), 0U);
  expect_all_ends(pair);
}

TEST(Timers, AnAgentMayAskForNoneAndInsistOnAMinimum) {
  Pair::Options options;
  options.a.timer = {.interval = std::nullopt};
  options.b.timer = {.interval = 600s, .minimum = 200s, .refreshes = true};
  Pair pair(options);
  call(pair, "auto");
  EXPECT_EQ(expires(pair.sent(Side::A, "INVITE+sdp")), "");
  EXPECT_EQ(expires(pair.sent(Side::B, "200 INVITE+sdp")), "600;refresher=uas");
  pair.run_for(301s);
  EXPECT_EQ(pair.sent(Side::B, "UPDATE").raw(HeaderId::MinSe), "200");
  expect_all_ends(pair);
}

}  // namespace
}  // namespace sipassay::agent
