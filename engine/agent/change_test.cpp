// Changes of a session that is up: re-INVITE, UPDATE, glare, rollback, INFO and MESSAGE.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/message/header/all.h"
#include "engine/message/multipart.h"
#include "engine/session/session_dialog.h"
#include "engine/testing/pair.h"

namespace sipassay::agent {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Pair = sipassay::testing::Pair;
using Side = Pair::Side;
using Kind = Reinvite::Kind;

void establish(Pair& pair, std::string_view user = "auto") {
  Call command;
  command.target = pair.uri(Side::B, user);
  pair.a_does(command);
  pair.run_for(50ms);
  ASSERT_EQ(pair.a().session(0)->session_state(), session::SessionState::Confirmed);
  ASSERT_EQ(pair.b().session(0)->session_state(), session::SessionState::Confirmed);
}

std::string pair_of(const session::SessionDialog& session) {
  return session.offer()->octets + "|" + session.answer()->octets;
}

void expect_same_session(Pair& pair) {
  EXPECT_EQ(pair_of(*pair.a().session(0)), pair_of(*pair.b().session(0)));
  EXPECT_EQ(pair.a().session(0)->signaling_state(), session::SignalingState::Stable);
  EXPECT_EQ(pair.b().session(0)->signaling_state(), session::SignalingState::Stable);
}

void expect_all_ends(Pair& pair) {
  pair.a_does(HangUp{});
  EXPECT_TRUE(pair.run_until_quiet());
  EXPECT_TRUE(pair.is_empty());
}

std::string_view direction(const Message& message) {
  const auto sdp = session_description(message);
  for (const std::string_view name : {"sendonly", "recvonly", "inactive", "sendrecv"})
    if (sdp && sdp->find("a=" + std::string(name)) != std::string_view::npos) return name;
  return "";
}

TEST(Change, HoldIsOfferedAndAnswered) {
  Pair pair;
  establish(pair);
  pair.a_does(Reinvite{.call = 0, .kind = Kind::Hold});
  pair.run_for(1s);
  EXPECT_EQ(direction(pair.sent(Side::A, "INVITE+sdp", 1)), "sendonly");
  EXPECT_EQ(direction(pair.sent(Side::B, "200 INVITE+sdp", 1)), "recvonly");
  expect_same_session(pair);
  pair.a_does(Reinvite{.call = 0, .kind = Kind::Resume});
  pair.run_for(1s);
  EXPECT_NE(direction(pair.sent(Side::A, "INVITE+sdp", 2)), "sendonly");
  expect_same_session(pair);
  expect_all_ends(pair);
}

TEST(Change, MediaAreAdded) {
  Pair pair;
  establish(pair);
  pair.a_does(Reinvite{.call = 0, .kind = Kind::AddMedia});
  pair.run_for(1s);
  EXPECT_THAT(std::string(pair.sent(Side::A, "INVITE+sdp", 1).body()), HasSubstr("m=video"));
  EXPECT_THAT(std::string(pair.sent(Side::B, "200 INVITE+sdp", 1).body()), HasSubstr("m=video 0"));
  expect_same_session(pair);
  expect_all_ends(pair);
}

TEST(Change, OfferlessReinviteGetsItsOfferInThe200) {
  Pair pair;
  establish(pair);
  pair.a_does(Reinvite{.call = 0, .kind = Kind::Offerless});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::A, "ACK+sdp"), 1U);
  expect_same_session(pair);
  expect_all_ends(pair);
}

TEST(Change, UpdateChangesTheSession) {
  Pair pair;
  establish(pair);
  pair.b_does(Update{.call = 0, .has_offer = true});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::A, "200 UPDATE+sdp"), 1U);
  expect_same_session(pair);
  pair.b_does(Update{.call = 0, .has_offer = false});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::A, "200 UPDATE"), 1U);
  expect_all_ends(pair);
}

// 14.1, 14.2: the session stays as it was, and the next offer works.
TEST(Change, ARefusedReinviteIsRolledBack) {
  Pair pair;
  establish(pair, "refuse-reinvite");
  const auto before = pair_of(*pair.a().session(0));
  pair.a_does(Reinvite{.call = 0, .kind = Kind::AddMedia});
  pair.run_for(1s);
  EXPECT_TRUE(pair.sent(Side::B, "488 INVITE").has(HeaderId::Warning));
  EXPECT_EQ(pair_of(*pair.a().session(0)), before);
  EXPECT_EQ(pair_of(*pair.b().session(0)), before);
  EXPECT_EQ(pair.events_of<OfferRejected>(Side::A).at(0).status, 488);
  pair.b_does(Reinvite{.call = 0, .kind = Kind::Hold});
  pair.run_for(1s);
  expect_same_session(pair);
  EXPECT_NE(pair_of(*pair.a().session(0)), before);
  expect_all_ends(pair);
}

TEST(Change, TheNextChangeIsRefusedOnCommand) {
  Pair pair;
  establish(pair);
  pair.b_does(Reject{.call = 0, .status = 488, .next = true});
  const auto before = pair_of(*pair.a().session(0));
  pair.a_does(Update{.call = 0, .has_offer = true});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "488 UPDATE"), 1U);
  EXPECT_EQ(pair_of(*pair.a().session(0)), before);
  pair.a_does(Update{.call = 0, .has_offer = true});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "200 UPDATE+sdp"), 1U);
  expect_all_ends(pair);
}

// 14.1: both refuse with 491, the owner of the Call-ID waits 2.1 to 4 s, the other 0 to 2 s.
TEST(Change, GlareIsSolvedByWaiting) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Pair::Options options;
    options.seed = seed;
    Pair pair(options);
    establish(pair);
    pair.a_does(Reinvite{.call = 0, .kind = Kind::Hold});
    pair.b_does(Reinvite{.call = 0, .kind = Kind::Same});
    pair.run_for(1500ms);
    EXPECT_EQ(pair.count(Side::A, "491 INVITE"), 1U);
    EXPECT_EQ(pair.count(Side::B, "491 INVITE"), 1U);
    EXPECT_EQ(pair.count(Side::A, "INVITE+sdp"), 2U) << "not before 2.1 s";
    pair.run_for(10s);
    EXPECT_EQ(pair.count(Side::A, "INVITE+sdp"), 3U) << pair.dump();
    EXPECT_EQ(pair.count(Side::B, "INVITE+sdp"), 2U);
    EXPECT_EQ(direction(pair.sent(Side::A, "INVITE+sdp", 2)), "sendonly");
    expect_same_session(pair);
    expect_all_ends(pair);
  }
}

// RFC 3311 5.2: 491 to an offer while ours is open.
TEST(Change, CrossingUpdatesAreRetriedToo) {
  Pair pair;
  establish(pair);
  pair.a_does(Update{.call = 0, .has_offer = true});
  pair.b_does(Update{.call = 0, .has_offer = true});
  pair.run_for(10s);
  EXPECT_EQ(pair.count(Side::A, "491 UPDATE"), 1U);
  EXPECT_EQ(pair.count(Side::B, "491 UPDATE"), 1U);
  EXPECT_EQ(pair.count(Side::A, "200 UPDATE+sdp"), 1U);
  EXPECT_EQ(pair.count(Side::B, "200 UPDATE+sdp"), 1U);
  expect_same_session(pair);
  expect_all_ends(pair);
}

TEST(Change, AReinviteWaitsForTheOneThatIsOpen) {
  Pair pair;
  establish(pair, "slow-reinvite");
  pair.a_does(Reinvite{.call = 0, .kind = Kind::Hold});
  pair.a_does(Reinvite{.call = 0, .kind = Kind::Resume});
  EXPECT_EQ(pair.count(Side::A, "INVITE+sdp"), 2U);
  pair.run_for(5s);
  EXPECT_EQ(pair.count(Side::A, "INVITE+sdp"), 3U);
  expect_same_session(pair);
  expect_all_ends(pair);
}

// 9.2, RFC 6141 3.8
TEST(Change, ACancelledReinviteIs487AndRolledBack) {
  Pair pair;
  establish(pair, "slow-reinvite");
  const auto before = pair_of(*pair.a().session(0));
  pair.a_does(Reinvite{.call = 0, .kind = Kind::Hold});
  pair.run_for(300ms);
  pair.a_does(Cancel{});
  pair.run_for(5s);
  EXPECT_EQ(pair.count(Side::A, "CANCEL"), 1U) << pair.dump();
  EXPECT_EQ(pair.count(Side::B, "200 CANCEL"), 1U);
  EXPECT_EQ(pair.count(Side::B, "487 INVITE"), 1U);
  EXPECT_EQ(pair_of(*pair.a().session(0)), before);
  EXPECT_EQ(pair_of(*pair.b().session(0)), before);
  EXPECT_EQ(pair.a().session(0)->session_state(), session::SessionState::Confirmed);
  expect_all_ends(pair);
}

// RFC 6141 3.3, 3.8: what a reliable response has answered is not undone.
TEST(Change, AReinviteThatWasAnsweredReliablyIsNotRefused) {
  for (const bool is_cancelled : {false, true}) {
    Pair pair;
    establish(pair, "slow-reinvite");
    pair.a_does(Reinvite{.call = 0, .kind = Kind::Hold});
    pair.run_for(100ms);
    pair.b_does(Ring{.call = 0, .status = 183, .reliable = Reliability::Always, .has_sdp = true});
    pair.run_for(100ms);
    EXPECT_EQ(pair.count(Side::A, "PRACK"), 1U) << pair.dump();
    if (is_cancelled)
      pair.a_does(Cancel{});
    else
      pair.b_does(Reject{.call = 0, .status = 488});
    pair.run_for(5s);
    EXPECT_EQ(pair.count(Side::B, "200 INVITE"), 1U) << pair.dump();
    expect_same_session(pair);
    expect_all_ends(pair);
  }
}

// RFC 3311 5.2 MUST
TEST(Change, OneUpdateAtATimeIsAnswered) {
  Pair pair;
  establish(pair, "slow-update");
  pair.a_does(Update{});
  pair.run_for(500ms);
  EXPECT_EQ(pair.count(Side::B, "200 UPDATE+sdp"), 0U);
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "200 UPDATE+sdp"), 1U) << pair.dump();
  expect_same_session(pair);
  expect_all_ends(pair);
}

// RFC 6086 4.2.1 MUST NOT; what a peer gets that does it: scenarios/rfc6086
TEST(Change, InfoOfAPackageThatThePeerDoesNotListIsNotSent) {
  Pair pair;
  establish(pair);
  pair.a_does(SendInfo{0, "g.unknown", {"text/plain", "x", {}}});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::A, "INFO"), 0U);
  pair.a_does(SendInfo{0, "g.sipassay.test", {"text/plain", "x", {}}});
  pair.a_does(SendInfo{0, "", {"text/plain", "y", {}}});
  pair.run_for(1s);
  ASSERT_EQ(pair.events_of<InfoArrived>(Side::B).size(), 2U);
  EXPECT_EQ(pair.events_of<InfoArrived>(Side::B)[0].package, "g.sipassay.test");
  EXPECT_EQ(pair.events_of<InfoArrived>(Side::B)[1].body.octets, "y");
  EXPECT_EQ(pair.sent(Side::A, "INFO", 0).get<ContentDisposition>()->type, "Info-Package");
  EXPECT_EQ(pair.events_of<RequestAnswered>(Side::A).at(0).status, 0) << "may not be sent";
  EXPECT_EQ(pair.events_of<RequestAnswered>(Side::A).at(1).status, 200);
  expect_all_ends(pair);
}

TEST(Change, InfoBodiesThatNobodyKnowsAre415) {
  Pair pair;
  establish(pair);
  pair.a_does(SendInfo{0, "", {"application/x-unheard-of", "x", {}}});
  pair.run_for(1s);
  EXPECT_TRUE(pair.sent(Side::B, "415 INFO").has(HeaderId::Accept));
  expect_all_ends(pair);
}

TEST(Change, MessagesTravelInTheDialogAndOutside) {
  Pair pair;
  establish(pair);
  pair.a_does(SendMessage{{}, 0, {"text/plain", "inside", {}}});
  pair.a_does(SendMessage{pair.uri(Side::B, "auto"), 0, {"text/plain", "outside", {}}});
  pair.run_for(1s);
  const auto arrived = pair.events_of<MessageArrived>(Side::B);
  ASSERT_EQ(arrived.size(), 2U);
  EXPECT_NE(arrived[0].call, 0U);
  EXPECT_EQ(arrived[0].body.octets, "inside");
  EXPECT_EQ(arrived[1].call, 0U);
  // RFC 3428 4, 7 MUST NOT: Contact
  EXPECT_FALSE(pair.sent(Side::A, "MESSAGE", 1).has(HeaderId::Contact));
  EXPECT_FALSE(pair.sent(Side::B, "200 MESSAGE", 1).has(HeaderId::Contact));
  expect_all_ends(pair);
}

// 22.2 and 12.2.1.1: the retry takes the dialog's next number, and the request after it the next.
TEST(Change, ChallengesInTheDialogKeepItsNumbersContiguous) {
  Pair::Options options;
  options.a.credentials = {{"", "u", "p"}};
  Pair pair(options);
  establish(pair);
  bool is_challenged = false;
  pair.set_filter([&](const Pair::Line& line) {
    const auto message = line.message();
    if (is_challenged || message.method() != Method::Info) return true;
    is_challenged = true;
    auto challenge = Message::response(401);
    for (const auto id :
         {HeaderId::Via, HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq})
      challenge.add(id, message.raw(id));
    challenge.add(HeaderId::WwwAuthenticate, "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"");
    challenge.set_body({}, {});
    pair.network().send({.due = {},
                         .from = pair.endpoint(Side::B),
                         .to = pair.endpoint(Side::A),
                         .flow = 0,
                         .octets = challenge.to_string()},
                        pair.now());
    return false;
  });
  pair.a_does(SendInfo{0, "", {}});
  pair.run_for(1s);
  pair.a_does(Reinvite{});
  pair.run_for(1s);
  const auto first = pair.sent(Side::A, "INFO", 0).get<CSeq>()->number;
  EXPECT_EQ(pair.sent(Side::A, "INFO", 1).get<CSeq>()->number, first + 1);
  EXPECT_TRUE(pair.sent(Side::A, "INFO", 1).has(HeaderId::Authorization));
  EXPECT_EQ(pair.sent(Side::A, "INVITE+sdp", 1).get<CSeq>()->number, first + 2);
  EXPECT_EQ(pair.count(Side::B, "200 INFO"), 1U);
  expect_same_session(pair);
  expect_all_ends(pair);
}

// RFC 3311 5.2 SHOULD
TEST(Change, AnUpdateThatNeedsTheUserGets504AndAReinviteDoesNot) {
  Pair pair;
  establish(pair, "ask-user");
  pair.a_does(Update{});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "504 UPDATE"), 1U);
  pair.a_does(Update{.call = 0, .has_offer = false});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "200 UPDATE"), 1U);
  pair.a_does(Reinvite{});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "200 INVITE+sdp"), 2U);
  expect_same_session(pair);
  expect_all_ends(pair);
}

// RFC 4320 4.1, 4.2
TEST(Change, ASlowMessageGets100At3500msAndNever408) {
  for (const std::string_view user : {"slow-message", "late-message"}) {
    Pair pair;
    establish(pair, user);
    pair.a_does(SendMessage{{}, 0, {"text/plain", "hi", {}}});
    pair.run_for(3400ms);
    EXPECT_EQ(pair.count(Side::B, "100 MESSAGE"), 0U);
    pair.run_for(200ms);
    EXPECT_EQ(pair.count(Side::B, "100 MESSAGE"), 1U);
    pair.run_for(120s);
    EXPECT_EQ(pair.count(Side::B, "200 MESSAGE"), user == "slow-message" ? 1U : 0U);
    EXPECT_EQ(pair.count(Side::B, "408 MESSAGE"), 0U);
  }
}

// RFC 3261 12.2.2 MUST: also of a request that is refused before the dialog sees it.
TEST(Change, ARefusedRequestUsesUpItsNumber) {
  Pair pair;
  pair.a_does(Call{.target = pair.uri(Side::B, "auto")});
  pair.run_for(1s);
  pair.a_does(SendInfo{0, "g.sipassay.test", {"application/x-unknown", "what", {}}});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "415 INFO"), 1U);
  EXPECT_EQ(pair.b().session(0)->dialog().remote_cseq(),
            pair.a().session(0)->dialog().local_cseq());
}

TEST(Change, ARefusalForACallThatIsGoneMeetsNoOther) {
  Pair pair;
  pair.b_does(Reject{.call = 7, .status = 486, .next = true});
  pair.a_does(Call{.target = pair.uri(Side::B, "auto")});
  pair.run_for(1s);
  EXPECT_EQ(pair.events_of<CallConfirmed>(Side::A).size(), 1U);
}

}  // namespace
}  // namespace sipassay::agent
