// Subscriptions between two agents (RFC 6665), REFER outside a dialog, MESSAGE one at a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/message/header/all.h"
#include "engine/session/session_dialog.h"
#include "engine/testing/pair.h"

namespace sipassay::agent {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::StartsWith;
using Pair = sipassay::testing::Pair;
using Side = Pair::Side;

void subscribe(Pair& pair, std::string_view user, std::uint32_t expires = 600,
               std::string event = "presence") {
  pair.a_does(
      Subscribe{.target = pair.uri(Side::B, user), .event = std::move(event), .expires = expires});
}

std::vector<std::string> notified(const Pair& pair, Side notifier = Side::B) {
  std::vector<std::string> out;
  for (const auto& line : pair.transcript()) {
    const auto message = line.message();
    if (line.from == notifier && !line.was_lost && message.method() == Method::Notify)
      out.emplace_back(message.raw(HeaderId::SubscriptionState));
  }
  return out;
}

void expect_empty(Pair& pair) {
  EXPECT_TRUE(pair.run_until_quiet());
  EXPECT_TRUE(pair.is_empty());
}

TEST(Subscription, IsMadeRefreshedAndGivenUp) {
  Pair pair;
  subscribe(pair, "auto", 100);
  pair.run_for(1s);
  EXPECT_THAT(pair.ladder(),
              ElementsAre("a SUBSCRIBE", "b 200 SUBSCRIBE", "b NOTIFY", "a 200 NOTIFY"));
  const auto notify = pair.sent(Side::B, "NOTIFY");
  EXPECT_EQ(notify.raw(HeaderId::Event), "presence");
  EXPECT_EQ(notify.raw(HeaderId::ContentType), "application/pidf+xml");
  EXPECT_THAT(std::string(notify.body()), ::testing::HasSubstr("<basic>open</basic>"));
  pair.run_for(70s);
  EXPECT_EQ(pair.count(Side::A, "SUBSCRIBE"), 2U) << "64*T1 before the end";
  EXPECT_EQ(pair.count(Side::B, "NOTIFY"), 2U);
  pair.a_does(Unsubscribe{});
  pair.run_for(1s);
  EXPECT_EQ(pair.sent(Side::A, "SUBSCRIBE", 2).raw(HeaderId::Expires), "0");
  EXPECT_EQ(notified(pair).back(), "terminated;reason=timeout");
  expect_empty(pair);
  EXPECT_EQ(pair.count(Side::A, "SUBSCRIBE"), 3U) << "nobody wants it any more";
}

TEST(Subscription, AFetchIsOneNotify) {
  Pair pair;
  subscribe(pair, "auto", 0);
  expect_empty(pair);
  EXPECT_THAT(notified(pair), ElementsAre("terminated;reason=timeout"));
  EXPECT_EQ(pair.count(Side::A, "SUBSCRIBE"), 1U);
}

TEST(Subscription, IsPendingUntilItIsGranted) {
  Pair pair;
  subscribe(pair, "pending", 60);
  pair.run_for(10s);
  EXPECT_THAT(notified(pair), ElementsAre("pending;expires=60", "active;expires=55"));
  EXPECT_TRUE(pair.sent(Side::B, "NOTIFY").body().empty());
  pair.a_does(Unsubscribe{});
  expect_empty(pair);
}

TEST(Subscription, TooBriefIsAskedForAgain) {
  Pair pair;
  subscribe(pair, "interval", 60);
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "423 SUBSCRIBE"), 1U);
  EXPECT_EQ(pair.sent(Side::A, "SUBSCRIBE", 1).raw(HeaderId::Expires), "120");
  EXPECT_EQ(pair.sent(Side::A, "SUBSCRIBE", 1).raw(HeaderId::CallId),
            pair.sent(Side::A, "SUBSCRIBE").raw(HeaderId::CallId));
  EXPECT_EQ(notified(pair).size(), 1U);
  pair.a_does(Unsubscribe{});
  expect_empty(pair);
}

TEST(Subscription, ThatThe2xxShortensIsRefreshedInTime) {
  Pair pair;
  subscribe(pair, "short-lived", 600);
  pair.run_for(15s);
  EXPECT_EQ(pair.sent(Side::B, "200 SUBSCRIBE").raw(HeaderId::Expires), "20");
  EXPECT_EQ(pair.count(Side::A, "SUBSCRIBE"), 2U);
  pair.a_does(Unsubscribe{});
  expect_empty(pair);
}

TEST(Subscription, NewsIsNotifiedAtItsRate) {
  Pair pair;
  subscribe(pair, "changing", 600, "sipassay");
  pair.run_for(5s);
  EXPECT_EQ(notified(pair).size(), 3U);
  pair.a_does(Unsubscribe{});
  expect_empty(pair);
  Pair slow;
  subscribe(slow, "changing", 600);
  slow.run_for(9s);
  EXPECT_EQ(notified(slow).size(), 2U) << "RFC 3856 6.10: not within 5 s";
  slow.a_does(Unsubscribe{});
  expect_empty(slow);
}

// RFC 6665 4.1.3
TEST(Subscription, TheReasonOfItsEndSaysWhetherANewOneFollows) {
  struct Vector {
    std::string_view user;
    std::size_t within_a_second, within_ten;
  };
  for (const auto& [user, soon, late] :
       {Vector{"migrate", 2, 9}, Vector{"probation", 1, 2}, Vector{"undecided", 1, 2},
        Vector{"unauthorised", 1, 1}, Vector{"no-resource", 1, 1}, Vector{"invariant", 1, 1}}) {
    Pair pair;
    subscribe(pair, user, 600, "sipassay");
    pair.run_for(1900ms);
    EXPECT_EQ(pair.count(Side::A, "SUBSCRIBE"), soon) << user;
    pair.run_for(8s);
    EXPECT_GE(pair.count(Side::A, "SUBSCRIBE"), late) << user;
    EXPECT_TRUE(late > 1 || pair.count(Side::A, "SUBSCRIBE") == 1) << user;
    expect_empty(pair);
    EXPECT_LE(pair.count(Side::A, "SUBSCRIBE"), 9U) << "there is a limit";
  }
}

TEST(Subscription, ANewOneIsInANewDialog) {
  Pair pair;
  subscribe(pair, "migrate", 600, "sipassay");
  pair.run_for(1900ms);
  const auto first = pair.sent(Side::A, "SUBSCRIBE"), second = pair.sent(Side::A, "SUBSCRIBE", 1);
  EXPECT_NE(first.raw(HeaderId::CallId), second.raw(HeaderId::CallId));
  EXPECT_TRUE(second.get<To>()->tag().empty());
  expect_empty(pair);
}

TEST(Subscription, WithoutANotifyItFailsAtTimerN) {
  Pair pair;
  pair.set_filter([](const Pair::Line& line) { return line.message().method() != Method::Notify; });
  subscribe(pair, "auto", 600);
  pair.run_for(31s);
  EXPECT_EQ(pair.a().live_calls(), 1U);
  pair.run_for(2s);
  EXPECT_EQ(pair.a().live_calls(), 0U);
  EXPECT_EQ(pair.events_of<SubscriptionMoved>(Side::A).back().phase, "Terminated");
  expect_empty(pair);
  EXPECT_EQ(pair.count(Side::B, "NOTIFY"), 11U) << "one NOTIFY: the notifier drops it on timeout";
}

TEST(Subscription, WithoutAnyAnswerItFailsAfter64T1) {
  Pair pair;
  pair.set_filter([](const Pair::Line& line) { return line.from == Side::A; });
  subscribe(pair, "auto", 600);
  pair.run_for(31900ms);
  EXPECT_EQ(pair.events_of<RequestAnswered>(Side::A).size(), 0U);
  pair.run_for(200ms);
  ASSERT_EQ(pair.events_of<RequestAnswered>(Side::A).size(), 1U);
  EXPECT_EQ(pair.events_of<RequestAnswered>(Side::A)[0].status, 408);
  EXPECT_EQ(pair.a().live_calls(), 0U);
  const auto ladder = pair.ladder();
  EXPECT_EQ(std::ranges::count(ladder, "a SUBSCRIBE"), 1) << "it is not tried again";
  expect_empty(pair);
}

TEST(Subscription, AChallengeIsAnsweredWithTheNextNumber) {
  Pair::Options options;
  options.a.credentials = {{"", "alice", "secret"}};
  options.b.accepts = {"", "alice", "secret"};
  Pair pair(options);
  subscribe(pair, "digest", 600);
  pair.run_for(1s);
  EXPECT_THAT(pair.ladder(), ElementsAre("a SUBSCRIBE", "b 401 SUBSCRIBE", "a SUBSCRIBE",
                                         "b 200 SUBSCRIBE", "b NOTIFY", "a 200 NOTIFY"));
  const auto first = pair.sent(Side::A, "SUBSCRIBE"), again = pair.sent(Side::A, "SUBSCRIBE", 1);
  EXPECT_EQ(again.raw(HeaderId::CallId), first.raw(HeaderId::CallId));
  EXPECT_EQ(again.get<CSeq>()->number, first.get<CSeq>()->number + 1);
  pair.a_does(Unsubscribe{});
  expect_empty(pair);
}

TEST(Subscription, ARefusedOneIsOver) {
  for (const auto& [user, status] : {std::pair{"busy", 486}, std::pair{"nobody", 404},
                                     std::pair{"decline", 603}, std::pair{"digest", 401}}) {
    Pair pair;
    subscribe(pair, user, 600);
    pair.run_for(1s);
    ASSERT_EQ(pair.events_of<RequestAnswered>(Side::A).size(), 1U) << user;
    EXPECT_EQ(pair.events_of<RequestAnswered>(Side::A)[0].status, status);
    EXPECT_EQ(pair.a().live_calls(), 0U) << user;
    EXPECT_EQ(pair.count(Side::B, "NOTIFY"), 0U) << user;
    expect_empty(pair);
    EXPECT_EQ(pair.count(Side::A, "SUBSCRIBE"), 1U) << user;
  }
}

TEST(Subscription, ANotifyMayComeBeforeThe2xx) {
  Pair pair;
  std::size_t lost = 0;
  pair.set_filter([&](const Pair::Line& line) {
    const auto message = line.message();
    const bool is_ok = message.is_response() && line.from == Side::B && message.status() == 200;
    return !is_ok || ++lost > 1;
  });
  subscribe(pair, "auto", 100);
  pair.run_for(10s);
  EXPECT_EQ(pair.count(Side::A, "200 NOTIFY"), 1U);
  EXPECT_THAT(pair.ladder(), Not(Contains("a 481 NOTIFY")));
  pair.a_does(Unsubscribe{});
  expect_empty(pair);
}

// RFC 6665 4.4.1, 5.4.9; RFC 3856 6.9
TEST(Subscription, EachForkHasADialogIfThePackageAllowsIt) {
  for (const auto& [event, status] : {std::pair{"sipassay", "200"}, std::pair{"presence", "481"}}) {
    Pair pair;
    subscribe(pair, "auto", 100, event);
    pair.run_for(1s);
    auto fork = pair.sent(Side::B, "NOTIFY");
    const std::string from(fork.raw(HeaderId::From));
    fork.set("From", from.substr(0, from.find(";tag=")) + ";tag=another");
    fork.remove(HeaderId::Via);
    fork.insert(0, "Via", "SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKfork");
    pair.inject(Side::A, fork);
    pair.run_for(1s);
    EXPECT_EQ(pair.count(Side::A, std::string(status) + " NOTIFY"),
              status == std::string("200") ? 2U : 1U);
    pair.a_does(Unsubscribe{});
    pair.run_for(1s);
    pair.a_does(Unsubscribe{});
    pair.run_for(700s);
  }
}

TEST(Subscription, InTheDialogOfACallOutlivesIt) {
  Pair pair;
  Call command;
  command.target = pair.uri(Side::B, "auto");
  pair.a_does(command);
  pair.run_for(100ms);
  pair.a_does(Subscribe{.target = {}, .event = "sipassay;id=1", .expires = 100, .call = 1});
  pair.run_for(100ms);
  EXPECT_EQ(pair.sent(Side::B, "NOTIFY").raw(HeaderId::Event), "sipassay;id=1");
  EXPECT_EQ(pair.sent(Side::B, "NOTIFY").raw(HeaderId::CallId),
            pair.sent(Side::A, "INVITE+sdp").raw(HeaderId::CallId));
  pair.a_does(HangUp{1});
  pair.run_for(1s);
  EXPECT_EQ(pair.a().live_calls(), 1U);
  pair.a_does(Unsubscribe{1});
  expect_empty(pair);
  EXPECT_EQ(notified(pair).back(), "terminated;reason=timeout");
}

// RFC 3515 2.4.4: unsubscribing does not stop the referred request.
TEST(Subscription, OfAReferCanBeGivenUp) {
  Pair pair;
  Call command;
  command.target = pair.uri(Side::B, "auto");
  pair.a_does(command);
  pair.run_for(100ms);
  pair.a_does(SendRefer{.call = 1, .refer_to = pair.uri(Side::A, "slow")});
  pair.run_for(200ms);
  pair.a_does(Unsubscribe{1});
  pair.run_for(5s);
  EXPECT_EQ(notified(pair).back(), "terminated;reason=timeout");
  EXPECT_EQ(pair.count(Side::A, "200 INVITE+sdp"), 1U);
  EXPECT_EQ(pair.a().session(1)->session_state(), session::SessionState::Confirmed);
}

// --- REFER outside a dialog

TEST(ReferOutside, IsNotifiedInADialogOfItsOwn) {
  Pair pair;
  pair.a_does(
      SendRefer{.refer_to = pair.uri(Side::A, "busy"), .target = pair.uri(Side::B, "auto")});
  pair.run_for(5s);
  EXPECT_EQ(pair.count(Side::B, "200 REFER"), 1U);
  EXPECT_THAT(notified(pair), ElementsAre("active;expires=60", "terminated;reason=noresource"));
  EXPECT_EQ(pair.sent(Side::B, "NOTIFY", 1).body(), "SIP/2.0 486 Busy Here\r\n");
  EXPECT_EQ(pair.count(Side::A, "200 NOTIFY"), 2U);
  expect_empty(pair);
}

TEST(ReferOutside, WithoutASubscriptionMakesNoDialog) {
  Pair pair;
  pair.a_does(SendRefer{.refer_to = pair.uri(Side::A, "busy"),
                        .target = pair.uri(Side::B, "auto"),
                        .has_subscription = false});
  pair.run_for(5s);
  EXPECT_EQ(pair.sent(Side::B, "200 REFER").raw(HeaderId::ReferSub), "false");
  EXPECT_EQ(pair.count(Side::B, "NOTIFY"), 0U);
  expect_empty(pair);
}

// RFC 7647 4
TEST(ReferOutside, IsTheWayToAGruu) {
  Pair pair;
  Call command;
  command.target = pair.uri(Side::B, "auto");
  pair.set_filter([](const Pair::Line&) { return true; });
  pair.a_does(command);
  pair.run_for(100ms);
  auto update = Message::request("UPDATE", pair.uri(Side::A, "sipassay"));
  const auto ok = pair.sent(Side::B, "200 INVITE+sdp");
  update.add("Via", "SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKgruu").add("Max-Forwards", "70");
  update.add("From", ok.raw(HeaderId::To)).add("To", ok.raw(HeaderId::From));
  update.add("Call-ID", ok.raw(HeaderId::CallId)).add("CSeq", "900 UPDATE");
  update.add("Contact", "<" + pair.uri(Side::B, "auto") + ";gr=urn:x>").set_body({}, {});
  pair.inject(Side::A, update);
  pair.run_for(100ms);
  pair.a_does(SendRefer{.call = 1, .refer_to = pair.uri(Side::A, "busy")});
  pair.run_for(3s);
  const auto refer = pair.sent(Side::A, "REFER");
  EXPECT_NE(refer.raw(HeaderId::CallId), ok.raw(HeaderId::CallId));
  const auto about = refer.get<TargetDialog>();
  ASSERT_TRUE(about);
  EXPECT_EQ(about->call_id, ok.raw(HeaderId::CallId));
  EXPECT_EQ(about->local_tag, ok.get<To>()->tag()) << "of the receiver";
  EXPECT_EQ(pair.count(Side::B, "200 REFER"), 1U) << "tdialog is understood";
}

// --- MESSAGE (RFC 3428 8)

TEST(Message, OneAtATimeGoesToOneUri) {
  Pair pair;
  for (int i = 0; i < 3; ++i)
    pair.a_does(SendMessage{pair.uri(Side::B, "auto"), 0, {"text/plain", std::to_string(i), {}}});
  pair.a_does(SendMessage{pair.uri(Side::B, "slow"), 0, {"text/plain", "other", {}}});
  EXPECT_EQ(pair.count(Side::A, "MESSAGE"), 2U);
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::A, "MESSAGE"), 4U);
  EXPECT_EQ(pair.sent(Side::A, "MESSAGE", 3).body(), "2");
  expect_empty(pair);
}

TEST(Message, WaitsForATimeoutToo) {
  Pair pair;
  pair.set_filter([](const Pair::Line& line) { return line.from != Side::B; });
  for (int i = 0; i < 2; ++i)
    pair.a_does(SendMessage{pair.uri(Side::B, "auto"), 0, {"text/plain", std::to_string(i), {}}});
  const auto bodies = [&] {
    std::set<std::string> out;
    for (const auto& line : pair.transcript())
      if (line.from == Side::A) out.emplace(line.message().body());
    return out;
  };
  pair.run_for(31s);
  EXPECT_EQ(bodies().size(), 1U);
  pair.run_for(2s);
  EXPECT_EQ(bodies().size(), 2U);
  expect_empty(pair);
}

TEST(Message, AboveItsSizeIsNotSent) {
  Pair pair;
  pair.a_does(
      SendMessage{pair.uri(Side::B, "auto"), 0, {"text/plain", std::string(1300, 'x'), {}}});
  EXPECT_EQ(pair.count(Side::A, "MESSAGE"), 0U);
  EXPECT_EQ(pair.events_of<RequestAnswered>(Side::A).back().status, 0);
  pair.a_does(SendMessage{pair.uri(Side::B, "auto"), 0, {"text/plain", std::string(600, 'x'), {}}});
  EXPECT_EQ(pair.count(Side::A, "MESSAGE"), 1U);
  expect_empty(pair);
}

TEST(Replaces, OfADialogOfSubscriptionsIs481OfAnEndedCall603) {
  Pair pair;
  subscribe(pair, "auto", 100);
  pair.run_for(100ms);
  const auto ok = pair.sent(Side::B, "200 SUBSCRIBE");
  const auto replace = [&](const sipassay::Message& response) {
    Call command;
    command.target = pair.uri(Side::B, "auto");
    command.headers = {{"Replaces", std::string(response.raw(HeaderId::CallId)) +
                                        ";to-tag=" + std::string(response.get<To>()->tag()) +
                                        ";from-tag=" + std::string(response.get<From>()->tag())}};
    pair.a_does(command);
    pair.run_for(100ms);
  };
  replace(ok);
  EXPECT_EQ(pair.count(Side::B, "481 INVITE"), 1U);
  Call command;
  command.target = pair.uri(Side::B, "auto");
  pair.a_does(command);
  pair.run_for(100ms);
  pair.a_does(HangUp{});
  pair.run_for(100ms);
  replace(pair.sent(Side::B, "200 INVITE+sdp"));
  EXPECT_EQ(pair.count(Side::B, "603 INVITE"), 1U) << "RFC 3891 3 SHOULD";
  pair.a_does(Unsubscribe{});
  expect_empty(pair);
}

}  // namespace
}  // namespace sipassay::agent
