// REFER and Replaces (RFC 3515, RFC 7647, RFC 4488, RFC 3891, RFC 3892).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/agent/core.h"
#include "engine/message/header/all.h"
#include "engine/session/session_dialog.h"
#include "engine/testing/pair.h"

namespace sipassay::agent {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using Pair = sipassay::testing::Pair;
using Side = Pair::Side;

void establish(Pair& pair, std::string_view user = "auto") {
  Call command;
  command.target = pair.uri(Side::B, user);
  pair.a_does(command);
  pair.run_for(50ms);
  ASSERT_EQ(pair.a().session(0)->session_state(), session::SessionState::Confirmed);
}

void expect_all_ends(Pair& pair) {
  for (int i = 0; i < 10 && !pair.is_empty(); ++i) {
    pair.a_does(HangUp{});
    pair.b_does(HangUp{});
    pair.run_for(40s);
  }
  EXPECT_TRUE(pair.run_until_quiet());
  EXPECT_TRUE(pair.is_empty());
}

std::vector<std::string> notified(const Pair& pair, Side notifier) {
  std::vector<std::string> states;
  for (const auto& line : pair.transcript()) {
    const auto message = line.message();
    if (line.from != notifier || message.method() != Method::Notify) continue;
    std::string text(message.body());
    text.resize(text.find('\r'));
    states.push_back(std::string(message.raw(HeaderId::SubscriptionState).substr(0, 10)) + " " +
                     text);
  }
  return states;
}

// RFC 3515 2.4.4, 2.4.5, 2.4.7
TEST(Refer, IsFollowedAndItsProgressNotified) {
  Pair pair;
  establish(pair);
  pair.a_does(SendRefer{0, pair.uri(Side::A, "slow")});
  pair.run_for(10s);
  EXPECT_EQ(pair.count(Side::B, "200 REFER"), 1U);
  EXPECT_EQ(pair.sent(Side::B, "INVITE+sdp").request_uri(), pair.uri(Side::A, "slow"));
  EXPECT_THAT(notified(pair, Side::B),
              ::testing::ElementsAre(StartsWith("active"), HasSubstr("180 Ringing"),
                                     "terminated SIP/2.0 200 OK"));
  const auto notify = pair.sent(Side::B, "NOTIFY");
  EXPECT_EQ(notify.raw(HeaderId::Event), "refer");
  EXPECT_TRUE(notify.has(HeaderId::Contact));
  EXPECT_EQ(pair.count(Side::A, "200 NOTIFY"), 3U);
  EXPECT_EQ(pair.events_of<NotifyArrived>(Side::A).size(), 3U);
  EXPECT_EQ(pair.events_of<ReferArrived>(Side::B).size(), 1U);
  // The first call is as before.
  EXPECT_EQ(pair.a().session(1)->session_state(), session::SessionState::Confirmed);
  expect_all_ends(pair);
}

TEST(Refer, AFailureIsNotifiedToo) {
  Pair pair;
  establish(pair);
  pair.a_does(SendRefer{0, pair.uri(Side::A, "busy")});
  pair.run_for(5s);
  EXPECT_THAT(notified(pair, Side::B), Contains("terminated SIP/2.0 486 Busy Here"));
  expect_all_ends(pair);
}

TEST(Refer, ATargetThatCannotBeReachedIsNotified) {
  Pair pair;
  establish(pair);
  pair.a_does(SendRefer{0, "sip:x@nowhere.invalid"});
  pair.run_for(5s);
  EXPECT_THAT(notified(pair, Side::B), Contains(HasSubstr("503")));
  expect_all_ends(pair);
}

// RFC 3515 2.4.2, RFC 5057 5.6
TEST(Refer, WhatWeDoNotReachIsDeclined) {
  for (const std::string_view target :
       {"tel:+1234", "http://192.0.2.1/", "sip:x@192.0.2.1;method=BYE"}) {
    Pair pair;
    establish(pair);
    pair.a_does(SendRefer{0, std::string(target)});
    pair.run_for(1s);
    EXPECT_EQ(pair.count(Side::B, "603 REFER"), 1U) << target;
    EXPECT_EQ(pair.a().session(0)->session_state(), session::SessionState::Confirmed);
    expect_all_ends(pair);
  }
}

// RFC 5621 8.4 SHOULD
TEST(Refer, ABodyPartAsTargetIs415) {
  Pair pair;
  establish(pair);
  pair.a_does(SendRefer{0, "cid:part@example.com"});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "415 REFER"), 1U);
  EXPECT_TRUE(pair.sent(Side::B, "415 REFER").has(HeaderId::Accept));
  expect_all_ends(pair);
}

TEST(Refer, HeadersOfTheTargetGoIntoTheInvite) {
  Pair pair;
  establish(pair);
  pair.a_does(SendRefer{
      0, pair.uri(Side::A, "auto") + "?Subject=hello%20there&Via=evil&Reason=a%0d%0aX:%20y"});
  pair.run_for(1s);
  const auto invite = pair.sent(Side::B, "INVITE+sdp");
  EXPECT_EQ(invite.raw(HeaderId::Subject), "hello there");
  EXPECT_EQ(invite.line_count(HeaderId::Via), 1U);
  EXPECT_FALSE(invite.has(HeaderId::Reason));
  EXPECT_EQ(invite.request_uri(), pair.uri(Side::A, "auto"));
  expect_all_ends(pair);
}

// RFC 3892 2.2 SHOULD: one identity for the referrer and the target.
TEST(Refer, TheTargetSeesWhoWasReferred) {
  Pair pair;
  establish(pair, "update-empty");
  pair.a_does(SendRefer{0, pair.uri(Side::A, "auto")});
  pair.run_for(1s);
  EXPECT_THAT(std::string(pair.sent(Side::B, "INVITE+sdp").raw(HeaderId::From)),
              StartsWith("<sip:update-empty@"));
  expect_all_ends(pair);
}

// RFC 3892 2.2 MUST: value and token, without modification.
TEST(Refer, ReferredByAndItsTokenAreCopied) {
  Pair pair;
  establish(pair);
  const std::string by =
      "<sip:referrer@example.com>;cid=\"20398823.2UWQFN309shb3@example.com\";x=y";
  const std::string token =
      "Content-Type: message/sipfrag\r\nContent-Disposition: aib; handling=optional\r\n"
      "Content-ID: <20398823.2UWQFN309shb3@example.com>\r\n\r\n"
      "Date: Thu, 21 Feb 2002 13:02:03 GMT\r\nReferred-By: <sip:referrer@example.com>\r\n";
  pair.set_filter([&](const Pair::Line& line) {
    const auto message = line.message();
    if (line.was_injected || message.method() != Method::Refer) return true;
    auto refer = message;
    refer.add("Referred-By", by);
    refer.set_body(
        "multipart/mixed;boundary=b1",
        "--b1\r\nContent-Type: text/plain\r\n\r\nother\r\n--b1\r\n" + token + "\r\n--b1--\r\n");
    pair.inject(Side::B, std::move(refer));
    return false;
  });
  pair.a_does(SendRefer{0, pair.uri(Side::A, "auto")});
  pair.run_for(1s);
  const auto invite = pair.sent(Side::B, "INVITE+sdp");
  EXPECT_EQ(invite.raw(HeaderId::ReferredBy), by);
  EXPECT_THAT(std::string(invite.body()), HasSubstr("\r\n" + token + "\r\n--"));
  EXPECT_THAT(std::string(invite.body()), Not(HasSubstr("other")));
  // The offer beside it is understood.
  EXPECT_EQ(pair.count(Side::A, "200 INVITE+sdp"), 1U);
  expect_all_ends(pair);
}

// RFC 5057 5.5: the subscription outlives the session.
TEST(Refer, NotifiesAfterTheBye) {
  Pair pair;
  establish(pair);
  pair.a_does(SendRefer{0, pair.uri(Side::A, "slow")});
  pair.run_for(300ms);
  pair.a_does(HangUp{1});
  pair.run_for(10s);
  EXPECT_THAT(notified(pair, Side::B), Contains("terminated SIP/2.0 200 OK"));
  EXPECT_THAT(pair.ladder(), Not(Contains("a 481 NOTIFY")));
  expect_all_ends(pair);
}

// RFC 3515 2.4.6
TEST(Refer, TheSecondOneHasAnId) {
  Pair pair;
  establish(pair);
  pair.a_does(SendRefer{1, pair.uri(Side::A, "busy")});
  pair.run_for(2s);
  pair.a_does(SendRefer{1, pair.uri(Side::A, "busy")});
  pair.run_for(2s);
  EXPECT_EQ(pair.sent(Side::B, "NOTIFY", 2).raw(HeaderId::Event),
            "refer;id=" + std::to_string(pair.sent(Side::A, "REFER", 1).get<CSeq>()->number));
  expect_all_ends(pair);
}

// A refers b to itself, which refers again …: the chain has an end.
TEST(Refer, ChainsHaveALimit) {
  Pair pair;
  establish(pair, "refer");
  pair.run_for(20s);
  EXPECT_LE(pair.a().live_calls(), 8U);
  expect_all_ends(pair);
}

// --- Replaces

std::string replaces(const session::SessionDialog& at_b, std::string_view more = {}) {
  const auto id = at_b.id();
  return id.call_id + ";to-tag=" + id.local_tag + ";from-tag=" + id.remote_tag + std::string(more);
}

void call_with(Pair& pair, std::string value, std::string_view user = "auto") {
  Call command;
  command.target = pair.uri(Side::B, user);
  command.headers = {{"Replaces", std::move(value)}, {"Require", "replaces"}};
  pair.a_does(command);
  pair.run_for(1s);
}

TEST(Refer, CallsThatItMakesHaveALimit) {
  Pair pair;
  establish(pair);
  const auto refer = [&] {
    pair.a_does(SendRefer{.refer_to = "sip:nobody@192.0.2.9", .has_subscription = false});
    pair.run_for(20ms);
  };
  for (std::size_t i = 0; i < referred_calls_max; ++i) refer();
  EXPECT_EQ(pair.count(Side::B, "603 REFER"), 0U);
  refer();
  EXPECT_EQ(pair.count(Side::B, "603 REFER"), 1U);
  EXPECT_EQ(pair.b().live_calls(), 1 + referred_calls_max);
  expect_all_ends(pair);
}

TEST(Replaces, TheNewCallTakesOverAConfirmedOne) {
  Pair pair;
  establish(pair);
  call_with(pair, replaces(*pair.b().session(1)), "ring");
  EXPECT_EQ(pair.count(Side::B, "200 INVITE+sdp"), 2U) << "answered at once";
  EXPECT_EQ(pair.count(Side::B, "BYE"), 1U);
  EXPECT_EQ(pair.sent(Side::B, "BYE").raw(HeaderId::CallId),
            pair.sent(Side::A, "INVITE+sdp").raw(HeaderId::CallId));
  EXPECT_EQ(pair.b().session(2)->session_state(), session::SessionState::Confirmed);
  expect_all_ends(pair);
}

TEST(Replaces, RefusesWhatItMay) {
  Pair pair;
  establish(pair);
  call_with(pair, "unknown;to-tag=1;from-tag=2");
  EXPECT_EQ(pair.count(Side::B, "481 INVITE"), 1U);
  call_with(pair, replaces(*pair.b().session(1), ";early-only"));
  EXPECT_EQ(pair.count(Side::B, "486 INVITE"), 1U);
  EXPECT_EQ(pair.b().session(1)->session_state(), session::SessionState::Confirmed);
  expect_all_ends(pair);
}

// RFC 3891 3: an early dialog that the callee did not start cannot be replaced.
TEST(Replaces, AnEarlyDialogOfTheCallersIs481) {
  Pair pair;
  Call command;
  command.target = pair.uri(Side::B, "ring");
  pair.a_does(command);
  pair.run_for(1s);
  call_with(pair, replaces(*pair.b().session(1)));
  EXPECT_EQ(pair.count(Side::B, "481 INVITE"), 1U);
  expect_all_ends(pair);
}

TEST(Replaces, AnEarlyDialogOfOurOwnIsCancelled) {
  Pair pair;
  Call command;
  command.target = pair.uri(Side::A, "ring");
  pair.b_does(command);
  pair.run_for(1s);
  call_with(pair, replaces(*pair.b().session(1)));
  EXPECT_EQ(pair.count(Side::B, "CANCEL"), 1U);
  EXPECT_EQ(pair.count(Side::A, "487 INVITE"), 1U);
  EXPECT_EQ(pair.count(Side::B, "200 INVITE+sdp"), 1U);
  expect_all_ends(pair);
}

// RFC 3891 3 MUST: the initiator is authorised; here by the credentials of the replaced user.
TEST(Replaces, ACallThatNeededCredentialsIsReplacedWithThemOnly) {
  for (const bool knows : {true, false}) {
    Pair::Options options;
    options.a.credentials = {{"", "alice", "secret"}};
    options.b.accepts = {"", "alice", "secret"};
    Pair pair(options);
    establish(pair, "digest");
    const std::string value = replaces(*pair.b().session(0));
    if (knows) {
      call_with(pair, value);
      EXPECT_EQ(pair.count(Side::B, "BYE"), 1U);
    } else {
      // A stranger who has seen the dialog.
      auto invite = pair.sent(Side::A, "INVITE+sdp");
      invite.set_request_uri(pair.uri(Side::B, "auto"));
      invite.set(HeaderId::CallId, "stranger").add("Replaces", value);
      invite.set(HeaderId::Via, "SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bKstranger");
      pair.inject(Side::B, std::move(invite));
      pair.run_for(1s);
      EXPECT_EQ(pair.sent(Side::B, "401 INVITE", 1).raw(HeaderId::CallId), "stranger");
      EXPECT_EQ(pair.count(Side::B, "200 INVITE+sdp"), 1U);
      EXPECT_EQ(pair.count(Side::B, "BYE"), 0U);
    }
    expect_all_ends(pair);
  }
}

TEST(Replaces, WithJoinOrTwiceIs400) {
  Pair pair;
  establish(pair);
  Call command;
  command.target = pair.uri(Side::B, "auto");
  command.headers = {{"Replaces", replaces(*pair.b().session(1))},
                     {"Join", "x;to-tag=1;from-tag=2"}};
  pair.a_does(command);
  command.headers[1].name = "Replaces";
  pair.a_does(command);
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "400 INVITE"), 2U);
  expect_all_ends(pair);
}

}  // namespace
}  // namespace sipassay::agent
