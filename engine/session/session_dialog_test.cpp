// How a session begins and ends: INVITE, reliable and unreliable 1xx, 2xx, ACK, BYE, CANCEL.
#include "engine/session/session_dialog.h"

#include <gtest/gtest.h>

#include "engine/testing/session_pair.h"

namespace sipassay::session {
namespace {

using testing::sdp_body;
using testing::sdp_text;
using testing::SessionPair;
using enum testing::Who;

constexpr TransactionId invite = SessionPair::invite_transaction;

TEST(SessionStart, CallerOffersIn200) {
  SessionPair pair({});
  EXPECT_EQ(pair.callee().session_state(), SessionState::Initial);
  EXPECT_EQ(pair.callee().signaling_state(), SignalingState::HaveRemoteOffer);
  ASSERT_TRUE(pair.reply(Callee, invite, {.status = 180}));
  pair.settle();
  EXPECT_EQ(pair.callee().session_state(), SessionState::Early);
  EXPECT_EQ(pair.caller().session_state(), SessionState::Early);
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::HaveLocalOffer);
  ASSERT_TRUE(pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)}));
  EXPECT_EQ(pair.callee().session_state(), SessionState::AckWait);
  EXPECT_EQ(pair.callee().signaling_state(), SignalingState::Stable);
  pair.settle();
  EXPECT_EQ(pair.caller().session_state(), SessionState::Confirmed);
  ASSERT_EQ(pair.count<Answered>(Caller), 1U);
  EXPECT_FALSE(pair.newest<Answered>(Caller)->has_offer);
  const auto ack = pair.caller().ack();
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->raw(HeaderId::CSeq), "10 ACK");
  EXPECT_EQ(ack->request_uri(), "sip:bob@127.0.0.1:5080");
  pair.send(Caller, *ack);
  pair.settle();
  EXPECT_EQ(pair.callee().session_state(), SessionState::Confirmed);
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Stable);
  EXPECT_EQ(pair.caller().offer()->octets, sdp_text(1));
  EXPECT_EQ(pair.caller().answer()->octets, sdp_text(2));
  EXPECT_EQ(pair.callee().offer(), pair.caller().offer());
  EXPECT_EQ(pair.callee().answer(), pair.caller().answer());
  EXPECT_EQ(pair.count<SessionChanged>(Caller), 1U);
  EXPECT_EQ(pair.count<SessionChanged>(Callee), 1U);
  EXPECT_EQ(pair.count<Violation>(Caller) + pair.count<Violation>(Callee), 0U);
}

TEST(SessionStart, OfferlessInviteIsAnsweredInTheAck) {
  SessionPair pair({.has_offer = false});
  EXPECT_EQ(pair.callee().signaling_state(), SignalingState::Initial);
  EXPECT_EQ(pair.reply(Callee, invite, {.status = 200}).error().code,
            SessionErrorCode::OfferMissing);
  ASSERT_TRUE(pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)}));
  pair.settle();
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::HaveRemoteOffer);
  EXPECT_TRUE(pair.newest<Answered>(Caller)->has_offer);
  EXPECT_EQ(pair.caller().ack().error().code, SessionErrorCode::AnswerMissing);
  pair.send(Caller, pair.caller().ack({.body = sdp_body(3)}));
  pair.settle();
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Stable);
  EXPECT_EQ(pair.callee().signaling_state(), SignalingState::Stable);
  EXPECT_EQ(pair.callee().answer()->octets, sdp_text(3));
}

TEST(SessionStart, A2xxNeedsItsAnswer) {
  SessionPair pair({});
  EXPECT_EQ(pair.reply(Callee, invite, {.status = 200}).error().code,
            SessionErrorCode::AnswerMissing);
  EXPECT_EQ(pair.callee().session_state(), SessionState::Initial) << "an error leaves no trace";
  EXPECT_TRUE(pair.flight().empty());
}

TEST(SessionStart, ResponsesCarryWhatADialogNeeds) {
  SessionPair pair({.headers = {{"Record-Route", "<sip:p1;lr>, <sip:p2;lr>"}, {"Recv-Info", "a"}},
                    .callee = {.recv_info = {"b", "c"}}});
  pair.reply(Callee, invite, {.status = 180});
  const Message ringing = pair.response(invite);
  EXPECT_EQ(ringing.raw(HeaderId::RecordRoute), "<sip:p1;lr>, <sip:p2;lr>");
  EXPECT_EQ(ringing.raw(HeaderId::Contact), "<sip:bob@127.0.0.1:5080>");
  EXPECT_EQ(ringing.get<To>()->tag(), "to-bob");
  EXPECT_FALSE(ringing.has(HeaderId::RecvInfo)) << "only in a reliable 18x or 2xx (RFC 6086 5.2.3)";
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  const Message ok = pair.response(invite);
  EXPECT_EQ(ok.raw(HeaderId::RecvInfo), "b, c");
  EXPECT_TRUE(ok.has(HeaderId::Allow));
  EXPECT_EQ(ok.get<To>()->tag(), "to-bob");
  EXPECT_EQ(ok.raw(HeaderId::Via), pair.invite().raw(HeaderId::Via));
  EXPECT_EQ(ok.get<CSeq>()->number, 10U);
}

TEST(SessionStart, AHundredHasNoToTag) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 100});
  EXPECT_EQ(pair.response(invite).get<To>()->tag(), "");
  EXPECT_EQ(pair.callee().session_state(), SessionState::Initial);
}

TEST(SessionStart, SecondAcceptIsAnErrorAndSendsNothing) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  const std::size_t sent = pair.flight().size();
  EXPECT_EQ(pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)}).error().code,
            SessionErrorCode::WrongStatus);
  EXPECT_EQ(pair.reply(Callee, invite, {.status = 486}).error().code,
            SessionErrorCode::WrongStatus);
  EXPECT_EQ(pair.flight().size(), sent);
}

TEST(SessionStart, RejectionEndsBothSidesAtOnce) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  pair.reply(Callee, invite, {.status = 486});
  EXPECT_EQ(pair.callee().session_state(), SessionState::Terminated);
  EXPECT_EQ(pair.newest<Ended>(Callee)->reason, EndReason::RejectedByUs);
  pair.settle();
  EXPECT_EQ(pair.caller().session_state(), SessionState::Terminated);
  EXPECT_EQ(pair.newest<Rejected>(Caller)->status, 486);
  EXPECT_EQ(pair.newest<Ended>(Caller)->reason, EndReason::RejectedByPeer);
  EXPECT_TRUE(pair.caller().is_finished());
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Closed);
}

TEST(SessionStart, A488HasAWarning) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 488});
  EXPECT_TRUE(pair.response(invite).has(HeaderId::Warning));
}

TEST(SessionStart, AnswerInAnUnreliable183IsAPreviewAndTheSameIn200) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 183, .body = sdp_body(2)});
  pair.settle();
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::HaveLocalOffer);
  EXPECT_EQ(pair.caller().offer_answer().preview()->octets, sdp_text(2));
  EXPECT_EQ(pair.reply(Callee, invite, {.status = 200, .body = sdp_body(3)}).error().code,
            SessionErrorCode::AnswerUnexpected);
  ASSERT_TRUE(pair.reply(Callee, invite, {.status = 200})) << "the stored answer is repeated";
  EXPECT_EQ(pair.response(invite).body(), sdp_text(2));
  pair.settle();
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Stable);
  EXPECT_EQ(pair.count<Violation>(Caller), 0U);
}

TEST(SessionStart, ADifferentAnswerIn200IsAViolationAndIgnored) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 183, .body = sdp_body(2)});
  pair.settle();
  pair.reply(Callee, invite, {.status = 200});
  pair.collect();
  pair.flight().front().message.set_body("application/sdp", sdp_text(3));
  pair.settle();
  EXPECT_TRUE(pair.has_violation(Caller, "answer-differs-from-preview"));
  EXPECT_EQ(pair.caller().answer()->octets, sdp_text(2));
}

TEST(SessionStart, UnreliableSdpIsNoOfferToAnOfferlessInvite) {
  SessionPair pair({.has_offer = false});
  EXPECT_EQ(pair.reply(Callee, invite, {.status = 183, .body = sdp_body(2)}).error().code,
            SessionErrorCode::AnswerUnexpected);
  pair.reply(Callee, invite, {.status = 183});
  pair.collect();
  pair.flight().front().message.set_body("application/sdp", sdp_text(2));
  pair.settle();
  EXPECT_TRUE(pair.has_violation(Caller, "offer-in-unreliable-1xx"));
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Initial);
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(3)});
  pair.settle();
  EXPECT_EQ(pair.caller().offer()->octets, sdp_text(3)) << "the real offer is in the 2xx";
}

TEST(SessionStart, A2xxWithoutTheAnswerIsReported) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.collect();
  pair.flight().front().message.set_body("", "");
  pair.settle();
  EXPECT_TRUE(pair.newest<Answered>(Caller)->lacks_description);
  EXPECT_TRUE(pair.has_violation(Caller, "answer-missing-in-2xx"));
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Initial);
  EXPECT_TRUE(pair.caller().ack());
  EXPECT_TRUE(pair.caller().bye());
}

// --- ACK

TEST(SessionAck, OfAnotherNumberIsIgnored) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.settle();
  Message ack = *pair.caller().ack();
  ack.set("CSeq", "11 ACK");
  pair.send(Caller, ack);
  pair.settle();
  EXPECT_EQ(pair.callee().session_state(), SessionState::AckWait);
  pair.pass(600ms);
  EXPECT_EQ(pair.count<Resend>(Callee), 1U);
}

TEST(SessionAck, BeforeAny2xxMeansNothing) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  Message ack = Message::request("ACK", "sip:bob@127.0.0.1");
  ack.add("From", "<sip:alice@example.com>;tag=from-alice")
      .add("To", "<sip:bob@example.com>;tag=to-bob");
  ack.add("Call-ID", "call-1@127.0.0.1").add("CSeq", "10 ACK");
  pair.send(Caller, ack);
  pair.settle();
  EXPECT_EQ(pair.count<Deliver>(Callee), 0U);
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  EXPECT_EQ(pair.callee().session_state(), SessionState::AckWait);
  pair.pass(600ms);
  EXPECT_EQ(pair.count<Resend>(Callee), 1U) << "the 2xx is still resent";
}

TEST(SessionAck, MissingOnePutsElevenCopiesOnTheWireAndAByeAt32Seconds) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.settle();
  pair.flight().clear();
  pair.pass(31999ms);
  EXPECT_EQ(pair.count<Resend>(Callee), 10U);
  EXPECT_EQ(pair.count<Send>(Callee), 0U);
  pair.pass(1ms);
  EXPECT_EQ(pair.count<AckMissing>(Callee), 1U);
  ASSERT_EQ(pair.count<Send>(Callee), 1U);
  EXPECT_EQ(pair.newest<Send>(Callee)->request.method(), Method::Bye);
  EXPECT_EQ(pair.newest<Ended>(Callee)->reason, EndReason::AckMissing);
  EXPECT_FALSE(pair.callee().next_deadline());
}

TEST(SessionAck, WithAHandlerNoByeIsSent) {
  SessionPair pair({.callee = {.bye_when_ack_missing = false}});
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.settle();
  pair.pass(40s);
  EXPECT_EQ(pair.count<AckMissing>(Callee), 1U);
  EXPECT_EQ(pair.count<Send>(Callee), 0U);
  EXPECT_EQ(pair.callee().session_state(), SessionState::Confirmed);
  EXPECT_TRUE(pair.callee().bye()) << "allowed now (15)";
}

TEST(SessionAck, ARepeated2xxGetsTheSameAckAndIsNotToldAgain) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.settle();
  const Message ack = *pair.caller().ack();
  pair.pass(600ms);  // lost: the 2xx comes again
  pair.settle();
  EXPECT_EQ(pair.count<Answered>(Caller), 1U);
  ASSERT_EQ(pair.count<RepeatAck>(Caller), 1U);
  EXPECT_EQ(pair.newest<RepeatAck>(Caller)->ack.to_string(), ack.to_string());
  EXPECT_EQ(pair.callee().session_state(), SessionState::Confirmed);
}

TEST(SessionAck, A2xxRepeatedBeforeOurAckIsDropped) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.settle();
  pair.pass(600ms);
  pair.settle();
  EXPECT_EQ(pair.count<Answered>(Caller), 1U);
  EXPECT_EQ(pair.count<RepeatAck>(Caller), 0U);
  EXPECT_TRUE(pair.caller().ack());
  EXPECT_EQ(pair.caller().ack().error().code, SessionErrorCode::NothingToAck);
}

TEST(SessionAck, WithoutTheDueAnswerIsAViolation) {
  SessionPair pair({.has_offer = false});
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.settle();
  Message ack = *pair.caller().ack({.body = sdp_body(3)});
  ack.set_body("", "");
  pair.send(Caller, ack);
  pair.settle();
  EXPECT_TRUE(pair.has_violation(Callee, "answer-missing-in-ack"));
  EXPECT_EQ(pair.callee().signaling_state(), SignalingState::Initial);
}

TEST(SessionAck, WithSdpWhenStableIsAViolationAndIgnored) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.settle();
  EXPECT_EQ(pair.caller().ack({.body = sdp_body(9)}).error().code,
            SessionErrorCode::AnswerUnexpected);
  Message ack = *pair.caller().ack();
  ack.set_body("application/sdp", sdp_text(9));
  pair.send(Caller, ack);
  pair.settle();
  EXPECT_TRUE(pair.has_violation(Callee, "description-in-ack"));
  EXPECT_EQ(pair.callee().signaling_state(), SignalingState::Stable);
  EXPECT_EQ(pair.callee().offer()->octets, sdp_text(1));
}

// --- reliable provisional responses

TEST(SessionReliable, AnswerInA183AndPrackBeforeThe2xx) {
  SessionPair pair({});
  ASSERT_TRUE(
      pair.reply(Callee, invite, {.status = 183, .body = sdp_body(2), .is_reliable = true}));
  pair.settle();
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Stable);
  ASSERT_NE(pair.newest<Progressed>(Caller), nullptr);
  EXPECT_TRUE(pair.newest<Progressed>(Caller)->is_reliable);
  EXPECT_TRUE(pair.newest<Progressed>(Caller)->has_answer);
  ASSERT_TRUE(pair.reply(Callee, invite, {.status = 200}));
  EXPECT_EQ(pair.count<SuccessHeld>(Callee), 1U) << "no 2xx before the PRACK (RFC 3262 3)";
  EXPECT_EQ(pair.statuses(invite), (std::vector<int>{183}));
  const auto prack = pair.send(Caller, pair.caller().prack());
  pair.settle();
  EXPECT_EQ(pair.statuses(prack), (std::vector<int>{200}));
  EXPECT_EQ(pair.statuses(invite), (std::vector<int>{183, 200}));
  EXPECT_EQ(pair.response(invite).body(), "") << "the answer was given already";
  EXPECT_TRUE(pair.caller().ack());
  EXPECT_EQ(pair.count<Violation>(Caller), 0U);
}

TEST(SessionReliable, OfferInA183AndAnswerInThePrack) {
  SessionPair pair({.has_offer = false});
  EXPECT_EQ(pair.reply(Callee, invite, {.status = 183, .is_reliable = true}).error().code,
            SessionErrorCode::OfferMissing);
  pair.reply(Callee, invite, {.status = 183, .body = sdp_body(2), .is_reliable = true});
  pair.settle();
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::HaveRemoteOffer);
  EXPECT_TRUE(pair.newest<Progressed>(Caller)->has_offer);
  EXPECT_EQ(pair.caller().prack().error().code, SessionErrorCode::AnswerMissing);
  pair.send(Caller, pair.caller().prack({.body = sdp_body(3)}));
  pair.settle();
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Stable);
  EXPECT_EQ(pair.callee().signaling_state(), SignalingState::Stable);
  EXPECT_TRUE(pair.reply(Callee, invite, {.status = 200}));
}

TEST(SessionReliable, OfferInThePrackIsAnsweredInIts2xx) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 183, .body = sdp_body(2), .is_reliable = true});
  pair.settle();
  const auto prack = pair.send(Caller, pair.caller().prack({.body = sdp_body(3)}));
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::HaveLocalOffer);
  pair.settle();
  EXPECT_EQ(pair.callee().signaling_state(), SignalingState::HaveRemoteOffer);
  ASSERT_TRUE(pair.newest<Deliver>(Callee)->has_offer);
  pair.reply(Callee, invite, {.status = 200});
  EXPECT_EQ(pair.reply(Callee, prack, {.status = 200}).error().code,
            SessionErrorCode::AnswerMissing);
  ASSERT_TRUE(pair.reply(Callee, prack, {.status = 200, .body = sdp_body(4)}));
  pair.settle();
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Stable);
  EXPECT_EQ(pair.caller().answer()->octets, sdp_text(4));
}

TEST(SessionReliable, ARefusedOfferInThePrackRollsBack) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 183, .body = sdp_body(2), .is_reliable = true});
  pair.settle();
  const auto prack = pair.send(Caller, pair.caller().prack({.body = sdp_body(3)}));
  pair.settle();
  ASSERT_TRUE(pair.reply(Callee, prack, {.status = 488}));
  pair.settle();
  for (const auto who : {Caller, Callee}) {
    EXPECT_EQ(pair.side(who).signaling_state(), SignalingState::Stable);
    EXPECT_EQ(pair.side(who).offer()->octets, sdp_text(1));
    EXPECT_EQ(pair.count<RolledBack>(who), 1U);
  }
}

TEST(SessionReliable, IsResentUntilThePrackComes) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 183, .is_reliable = true});
  pair.settle();
  pair.pass(4s);
  EXPECT_EQ(pair.count<Resend>(Callee), 3U);
  pair.settle();
  EXPECT_EQ(pair.count<Progressed>(Caller), 1U) << "duplicates are dropped";
  pair.send(Caller, pair.caller().prack());
  pair.settle();
  pair.pass(20s);
  EXPECT_EQ(pair.count<Resend>(Callee), 3U);
  EXPECT_EQ(pair.caller().prack().error().code, SessionErrorCode::NothingToPrack);
}

TEST(SessionReliable, WithoutPrackIsGivenUpAfter64T1) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 183, .is_reliable = true});
  pair.settle();
  pair.pass(32s);
  ASSERT_EQ(pair.count<PrackMissing>(Callee), 1U);
  EXPECT_EQ(pair.newest<PrackMissing>(Callee)->transaction, invite);
  EXPECT_TRUE(pair.reply(Callee, invite, {.status = 504}));
}

TEST(SessionReliable, NeedsTheOptionTagInTheInvite) {
  SessionPair pair({.headers = {}});
  EXPECT_EQ(pair.reply(Callee, invite, {.status = 183, .is_reliable = true}).error().code,
            SessionErrorCode::NotReliable);
}

TEST(SessionReliable, IsForcedByRequire) {
  SessionPair pair({.headers = {{"Require", "100rel"}}});
  pair.reply(Callee, invite, {.status = 180});
  EXPECT_TRUE(is_reliable(pair.response(invite)));
}

TEST(SessionReliable, SecondOneWaitsForThePrackOfTheFirst) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180, .is_reliable = true});
  pair.reply(Callee, invite, {.status = 183, .body = sdp_body(2), .is_reliable = true});
  EXPECT_EQ(pair.statuses(invite), (std::vector<int>{180}));
  pair.settle();
  pair.send(Caller, pair.caller().prack());
  pair.settle();
  EXPECT_EQ(pair.statuses(invite), (std::vector<int>{180, 183}));
  EXPECT_EQ(pair.count<Progressed>(Caller), 2U);
}

TEST(SessionReliable, AGapIsNotAcknowledged) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180, .is_reliable = true});
  pair.settle();
  pair.send(Caller, pair.caller().prack());
  pair.settle();
  pair.reply(Callee, invite, {.status = 182, .is_reliable = true});
  pair.collect();
  const std::uint32_t rseq = pair.flight().front().message.get<RSeq>()->value;
  pair.flight().front().message.set("RSeq", std::to_string(rseq + 1));
  pair.settle();
  EXPECT_EQ(pair.count<Progressed>(Caller), 1U);
  EXPECT_EQ(pair.caller().prack().error().code, SessionErrorCode::NothingToPrack);
}

TEST(SessionReliable, APrackInAnEstablishedSessionGets481) {
  SessionPair pair({});
  pair.establish();
  Message prack = Message::request("PRACK", "sip:bob@127.0.0.1:5080");
  prack.add("From", "<sip:alice@example.com>;tag=from-alice")
      .add("To", "<sip:bob@example.com>;tag=to-bob");
  prack.add("Call-ID", "call-1@127.0.0.1").add("CSeq", "11 PRACK").add("RAck", "1 10 INVITE");
  const auto id = pair.send(Caller, prack);
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{481}));
  EXPECT_EQ(pair.callee().session_state(), SessionState::Confirmed);
}

TEST(SessionReliable, APrackThatMatchesNothingGets481) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 183, .body = sdp_body(2), .is_reliable = true});
  pair.settle();
  const Message good = *pair.caller().prack();
  const std::string rack(good.raw(HeaderId::RAck));
  std::uint32_t cseq = 20;
  const auto try_rack = [&](const std::string& value) {
    Message prack = good;
    prack.set("CSeq", std::to_string(++cseq) + " PRACK");
    prack.set("RAck", value);
    const auto id = pair.send(Caller, prack);
    pair.settle();
    return pair.statuses(id).back();
  };
  const std::uint32_t rseq = good.get<RAck>()->rseq;
  EXPECT_EQ(try_rack(std::to_string(rseq + 1) + " 10 INVITE"), 481);
  EXPECT_EQ(try_rack(std::to_string(rseq) + " 11 INVITE"), 481);
  EXPECT_EQ(try_rack(std::to_string(rseq) + " 10 OPTIONS"), 481);
  EXPECT_EQ(try_rack("nonsense"), 400);
  EXPECT_TRUE(pair.has_violation(Callee, "prack-matches-nothing"));
  EXPECT_EQ(try_rack(rack), 200);
  EXPECT_EQ(try_rack(rack), 481) << "again: it is acknowledged (RFC 3262 3)";
}

TEST(SessionReliable, ALatePrackIsServedAfterThe2xx) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180, .is_reliable = true});
  pair.settle();
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.settle();
  pair.send(Caller, pair.caller().ack());
  pair.settle();
  const auto prack = pair.send(Caller, pair.caller().prack());
  pair.settle();
  EXPECT_EQ(pair.statuses(prack), (std::vector<int>{200}));
  EXPECT_EQ(pair.reply(Callee, invite, {.status = 183, .is_reliable = true}).error().code,
            SessionErrorCode::UnknownTransaction);
}

TEST(SessionReliable, ProvisionalResponsesAreRefreshed) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  pair.pass(125s);
  EXPECT_EQ(pair.statuses(invite), (std::vector<int>{180, 180, 180})) << "every minute (13.3.1.1)";
  SessionPair reliable({});
  reliable.reply(Callee, invite, {.status = 180, .is_reliable = true});
  reliable.settle();
  const std::uint32_t first = reliable.response(invite).get<RSeq>()->value;
  reliable.send(Caller, reliable.caller().prack());
  reliable.settle();
  reliable.pass(151s);
  EXPECT_EQ(reliable.statuses(invite), (std::vector<int>{180, 180}));
  EXPECT_EQ(reliable.response(invite).get<RSeq>()->value, first + 1) << "a new response";
}

TEST(SessionReliable, RSeqBeyond2To31IsAViolation) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180, .is_reliable = true});
  pair.collect();
  pair.flight().front().message.set("RSeq", "2147483648");
  pair.settle();
  EXPECT_TRUE(pair.has_violation(Caller, "rseq-first-too-large"));
}

// --- the end

TEST(SessionBye, FromEitherSideEndsBoth) {
  for (const auto who : {Caller, Callee}) {
    SessionPair pair({});
    pair.establish();
    const auto bye = pair.send(who, pair.side(who).bye());
    EXPECT_EQ(pair.side(who).session_state(), SessionState::Terminated);
    pair.settle();
    EXPECT_EQ(pair.statuses(bye), (std::vector<int>{200}));
    EXPECT_EQ(pair.newest<Ended>(Caller)->reason,
              who == Caller ? EndReason::ByeSent : EndReason::ByeReceived);
    EXPECT_TRUE(pair.caller().is_finished());
    EXPECT_TRUE(pair.callee().is_finished());
    EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Closed);
  }
}

TEST(SessionBye, ByesThatCrossAreBothAnswered200) {
  SessionPair pair({});
  pair.establish();
  const auto one = pair.send(Caller, pair.caller().bye());
  const auto two = pair.send(Callee, pair.callee().bye());
  pair.settle();
  EXPECT_EQ(pair.statuses(one), (std::vector<int>{200}));
  EXPECT_EQ(pair.statuses(two), (std::vector<int>{200}));
}

TEST(SessionBye, NothingIsSentAndNothingIsTakenAfterIt) {
  SessionPair pair({});
  pair.establish();
  Message late = *pair.callee().info({});
  pair.send(Caller, pair.caller().bye());
  const auto info = pair.send(Callee, late);
  EXPECT_EQ(pair.caller().bye().error().code, SessionErrorCode::Terminated);
  EXPECT_EQ(pair.caller().info({}).error().code, SessionErrorCode::Terminated);
  EXPECT_EQ(pair.caller().invite({}, pair.now()).error().code, SessionErrorCode::Terminated);
  EXPECT_EQ(pair.caller().update({}).error().code, SessionErrorCode::Terminated);
  EXPECT_EQ(pair.caller().message({}).error().code, SessionErrorCode::Terminated);
  EXPECT_EQ(pair.caller().refer("sip:x@y", {}, pair.now()).error().code,
            SessionErrorCode::Terminated);
  pair.settle();
  EXPECT_EQ(pair.statuses(info), (std::vector<int>{481}));
}

TEST(SessionBye, TheCalleeMayNotBeforeTheAck) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  EXPECT_EQ(pair.callee().bye().error().code, SessionErrorCode::MustNotBye);
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.settle();
  EXPECT_EQ(pair.callee().bye().error().code, SessionErrorCode::MustNotBye);
  EXPECT_FALSE(pair.callee().may_bye());
  pair.send(Caller, pair.caller().ack());
  pair.settle();
  EXPECT_TRUE(pair.callee().bye());
}

TEST(SessionBye, OfTheCalleeTooEarlyIsAViolation) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  Message bye = Message::request("BYE", "sip:alice@127.0.0.1");
  bye.add("From", "<sip:bob@example.com>;tag=to-bob")
      .add("To", "<sip:alice@example.com>;tag=from-alice");
  bye.add("Call-ID", "call-1@127.0.0.1").add("CSeq", "1 BYE");
  const auto id = pair.send(Callee, bye);
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{200}));
  EXPECT_TRUE(pair.has_violation(Caller, "bye-by-callee-too-early"));
}

TEST(SessionBye, OnAnEarlyDialogTheInviteGets487) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  const auto bye = pair.send(Caller, pair.caller().bye());
  pair.settle();
  EXPECT_EQ(pair.statuses(bye), (std::vector<int>{200}));
  EXPECT_EQ(pair.statuses(invite), (std::vector<int>{180, 487}));
  EXPECT_EQ(pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)}).error().code,
            SessionErrorCode::Terminated);
  EXPECT_TRUE(pair.caller().is_finished());
}

TEST(SessionBye, A2xxThatCrossedAnEarlyByeIsStillAcknowledged) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  EXPECT_TRUE(pair.caller().bye());
  pair.settle();
  EXPECT_EQ(pair.count<Answered>(Caller), 1U);
  EXPECT_FALSE(pair.caller().is_finished());
  EXPECT_TRUE(pair.caller().ack());
  pair.collect();
  EXPECT_TRUE(pair.caller().is_finished());
}

TEST(SessionBye, ReceivedWhileTheAckIsMissingStopsEverything) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.settle();
  pair.send(Caller, pair.caller().bye());
  pair.settle();
  EXPECT_EQ(pair.callee().session_state(), SessionState::Terminated);
  EXPECT_FALSE(pair.callee().next_deadline());
  pair.pass(64s);
  EXPECT_EQ(pair.count<AckMissing>(Callee), 0U);
  EXPECT_EQ(pair.count<Send>(Callee), 0U);
}

TEST(SessionBye, ItsChallengeIsAnsweredWithTheNextNumber) {
  SessionPair pair({});
  pair.establish();
  const Message bye = *pair.caller().bye();
  const auto again = pair.caller().retry(bye);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->get<CSeq>()->number, bye.get<CSeq>()->number + 1);
}

TEST(SessionCancel, Gets487AndEndsTheEarlyDialog) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  pair.callee().receive_cancel(invite, pair.now());
  pair.settle();
  EXPECT_EQ(pair.statuses(invite), (std::vector<int>{180, 487}));
  EXPECT_EQ(pair.newest<Ended>(Callee)->reason, EndReason::Cancelled);
  EXPECT_EQ(pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)}).error().code,
            SessionErrorCode::Terminated);
}

TEST(SessionCancel, AfterThe2xxDoesNothing) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.callee().receive_cancel(invite, pair.now());
  pair.settle();
  EXPECT_EQ(pair.statuses(invite), (std::vector<int>{200})) << "never two finals";
}

TEST(SessionExpires, PassedWithoutAFinalIs487) {
  SessionPair pair({.headers = {{"Expires", "30"}}});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  pair.pass(29999ms);
  EXPECT_EQ(pair.statuses(invite).back(), 180);
  pair.pass(1ms);
  EXPECT_EQ(pair.statuses(invite).back(), 487);
}

TEST(SessionFork, EachDialogHasItsOwnExchange) {
  // One INVITE, two To tags, two SessionDialogs of the caller.
  SessionPair pair({});
  Message other = pair.callee().make_response(pair.invite(), 200);
  other.set("To", "<sip:bob@example.com>;tag=other").add("Contact", "<sip:bob@127.0.0.9>");
  other.set_body("application/sdp", sdp_text(7));
  SessionDialog fork(SentInvite{pair.invite()},
                     *dialog::Dialog::from_response(pair.invite(), other), {}, Rng(1), pair.now());
  fork.receive_response(pair.invite(), other, pair.now());
  pair.reply(Callee, invite, {.status = 183, .body = sdp_body(2), .is_reliable = true});
  pair.settle();
  EXPECT_EQ(fork.answer()->octets, sdp_text(7));
  EXPECT_EQ(pair.caller().answer()->octets, sdp_text(2));
  EXPECT_TRUE(pair.caller().prack());
  EXPECT_TRUE(fork.ack());
  EXPECT_TRUE(fork.bye()) << "the unwanted one: ACK, then BYE (13.2.2.4)";
}

TEST(SessionDispose, SaysNothingAndKeepsNothing) {
  SessionPair pair({});
  pair.establish();
  pair.callee().dispose();
  pair.callee().dispose();
  EXPECT_EQ(pair.callee().session_state(), SessionState::Terminated);
  EXPECT_EQ(pair.count<Ended>(Callee), 1U);
  EXPECT_EQ(pair.count<Send>(Callee), 0U);
  EXPECT_TRUE(pair.callee().is_finished());
  EXPECT_FALSE(pair.callee().next_deadline());
}

TEST(SessionMembers, ConfirmStartsTheAckWaitOnce) {
  SessionPair pair({});
  pair.callee().confirm(pair.now());
  EXPECT_EQ(pair.callee().session_state(), SessionState::AckWait);
  const auto due = pair.callee().next_deadline();
  pair.callee().confirm(pair.now() + 1s);
  EXPECT_EQ(pair.callee().next_deadline(), due);
}

TEST(SessionMembers, HeadersWithLineEndsAreRefused) {
  SessionPair pair({});
  pair.establish();
  const auto cseq = pair.caller().dialog().local_cseq();
  EXPECT_EQ(pair.caller().info({.headers = {{"X", "a\r\nY: b"}}}).error().code,
            SessionErrorCode::BadHeader);
  EXPECT_EQ(pair.caller().info({.headers = {{"X\n", "a"}}}).error().code,
            SessionErrorCode::BadHeader);
  EXPECT_EQ(pair.caller().dialog().local_cseq(), cseq) << "no trace";
}

}  // namespace
}  // namespace sipassay::session
