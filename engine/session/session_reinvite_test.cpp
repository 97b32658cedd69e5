// re-INVITE and UPDATE: exchanges, refusals, overlap, targets.
#include <gtest/gtest.h>

#include "engine/session/glare.h"
#include "engine/session/session_dialog.h"
#include "engine/testing/session_pair.h"

namespace sipassay::session {
namespace {

using testing::sdp_body;
using testing::sdp_text;
using testing::SessionPair;
using enum testing::Who;

constexpr TransactionId invite = SessionPair::invite_transaction;

struct Established : SessionPair {
  explicit Established(Options options = {}) : SessionPair(std::move(options)) { establish(); }

  TransactionId reinvite(testing::Who who, int version = 5, std::vector<HeaderLine> headers = {}) {
    const Body body = version == 0 ? Body{} : sdp_body(version);
    const auto id =
        send(who, side(who).invite({.headers = std::move(headers), .body = body}, now()));
    settle();
    return id;
  }
};

testing::Who other(testing::Who who) {
  return who == Caller ? Callee : Caller;
}

TEST(Reinvite, AcceptedGivesBothSidesTheNewPair) {
  for (const auto who : {Caller, Callee}) {
    Established pair;
    const auto id = pair.reinvite(who);
    EXPECT_EQ(pair.side(who).signaling_state(), SignalingState::HaveLocalOffer);
    EXPECT_NE(pair.side(who).reinvite_user_agent_client(), nullptr);
    EXPECT_NE(pair.side(other(who)).reinvite_user_agent_server(), nullptr);
    ASSERT_TRUE(pair.reply(other(who), id, {.status = 200, .body = sdp_body(6)}));
    pair.settle();
    const Message ack = *pair.side(who).ack();
    EXPECT_EQ(ack.get<CSeq>()->number, pair.side(who).dialog().local_cseq());
    pair.send(who, ack);
    pair.settle();
    for (const auto side : {Caller, Callee}) {
      EXPECT_EQ(pair.side(side).signaling_state(), SignalingState::Stable);
      EXPECT_EQ(pair.side(side).offer()->octets, sdp_text(5));
      EXPECT_EQ(pair.side(side).answer()->octets, sdp_text(6));
      EXPECT_EQ(pair.side(side).reinvite_user_agent_client(), nullptr);
      EXPECT_EQ(pair.side(side).reinvite_user_agent_server(), nullptr);
      EXPECT_EQ(pair.count<Violation>(side), 0U);
    }
  }
}

TEST(Reinvite, OfferlessIsAnsweredInTheAck) {
  Established pair;
  const auto id = pair.reinvite(Caller, 0);
  EXPECT_EQ(pair.reply(Callee, id, {.status = 200}).error().code, SessionErrorCode::OfferMissing);
  pair.reply(Callee, id, {.status = 200, .body = sdp_body(6)});
  pair.settle();
  EXPECT_EQ(pair.caller().ack().error().code, SessionErrorCode::AnswerMissing);
  pair.send(Caller, pair.caller().ack({.body = sdp_body(7)}));
  pair.settle();
  EXPECT_EQ(pair.callee().signaling_state(), SignalingState::Stable);
  EXPECT_EQ(pair.callee().answer()->octets, sdp_text(7));
}

TEST(Reinvite, RefusedLeavesTheOldPair) {
  Established pair;
  const auto id = pair.reinvite(Caller);
  pair.reply(Callee, id, {.status = 488});
  EXPECT_TRUE(pair.response(id).has(HeaderId::Warning));
  pair.settle();
  for (const auto side : {Caller, Callee}) {
    EXPECT_EQ(pair.side(side).signaling_state(), SignalingState::Stable);
    EXPECT_EQ(pair.side(side).offer()->octets, sdp_text(1));
    EXPECT_EQ(pair.count<RolledBack>(side), 1U);
    EXPECT_EQ(pair.side(side).session_state(), SessionState::Confirmed);
  }
  EXPECT_TRUE(pair.caller().invite({.body = sdp_body(8)}, pair.now())) << "the next one works";
}

TEST(Reinvite, IsRefusedLocallyWhileOneIsOpen) {
  Established pair;
  const auto id = pair.reinvite(Caller);
  EXPECT_EQ(pair.caller().invite({}, pair.now()).error().code, SessionErrorCode::InviteInProgress);
  EXPECT_EQ(pair.callee().invite({}, pair.now()).error().code, SessionErrorCode::InviteInProgress);
  pair.reply(Callee, id, {.status = 200, .body = sdp_body(6)});
  pair.settle();
  EXPECT_EQ(pair.caller().invite({}, pair.now()).error().code, SessionErrorCode::InviteInProgress)
      << "our ACK is missing";
  EXPECT_EQ(pair.callee().invite({}, pair.now()).error().code, SessionErrorCode::InviteInProgress);
  pair.send(Caller, pair.caller().ack());
  pair.settle();
  EXPECT_TRUE(pair.callee().invite({}, pair.now()));
}

TEST(Reinvite, GlareGives491BothWaysAndEachRetriesInItsWindow) {
  Established pair;
  const auto one = pair.send(Caller, pair.caller().invite({.body = sdp_body(5)}, pair.now()));
  const auto two = pair.send(Callee, pair.callee().invite({.body = sdp_body(6)}, pair.now()));
  pair.settle();
  EXPECT_EQ(pair.statuses(one), (std::vector<int>{491}));
  EXPECT_EQ(pair.statuses(two), (std::vector<int>{491}));
  for (const auto side : {Caller, Callee}) {
    EXPECT_EQ(pair.side(side).signaling_state(), SignalingState::Stable);
    EXPECT_TRUE(pair.newest<Rejected>(side)->will_retry);
  }
  const auto owner = pair.caller().next_deadline();
  const auto rest = pair.callee().next_deadline();
  ASSERT_TRUE(owner);
  ASSERT_TRUE(rest);
  EXPECT_GE(*owner - pair.now(), 2100ms);
  EXPECT_LE(*owner - pair.now(), 4s);
  EXPECT_LE(*rest - pair.now(), 2s);
  pair.pass(2s);
  ASSERT_EQ(pair.count<RetryDue>(Callee), 1U);
  EXPECT_EQ(pair.newest<RetryDue>(Callee)->method, Method::Invite);
  EXPECT_EQ(pair.count<RetryDue>(Caller), 0U);
  pair.pass(2s);
  EXPECT_EQ(pair.count<RetryDue>(Caller), 1U);
}

TEST(Reinvite, InAnEarlyDialogIsRefused) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  EXPECT_EQ(pair.caller().invite({}, pair.now()).error().code, SessionErrorCode::NotConfirmed);
  const auto raw = [&](testing::Who from, int cseq) {
    Message request = Message::request("INVITE", "sip:x@127.0.0.1");
    const bool is_caller = from == Caller;
    request.add("From", is_caller ? "<sip:alice@example.com>;tag=from-alice"
                                  : "<sip:bob@example.com>;tag=to-bob");
    request.add("To", is_caller ? "<sip:bob@example.com>;tag=to-bob"
                                : "<sip:alice@example.com>;tag=from-alice");
    request.add("Call-ID", "call-1@127.0.0.1").add("CSeq", std::to_string(cseq) + " INVITE");
    request.add("Contact", "<sip:moved@127.0.0.1>");
    request.set_body("", "");
    const auto id = pair.send(from, request);
    pair.settle();
    return id;
  };
  const auto to_uas = raw(Caller, 11);
  EXPECT_EQ(pair.statuses(to_uas), (std::vector<int>{500}));
  const auto after = pair.response(to_uas).get<RetryAfter>();
  ASSERT_TRUE(after);
  EXPECT_GE(after->seconds, 1U);
  EXPECT_LE(after->seconds, 10U);
  EXPECT_EQ(pair.statuses(raw(Callee, 1)), (std::vector<int>{491}))
      << "our INVITE is in progress (14.2)";
  EXPECT_NE(pair.caller().dialog().remote_target(), "sip:moved@127.0.0.1");
  EXPECT_EQ(pair.statuses(raw(Caller, 11)), (std::vector<int>{500})) << "the number was used up";
}

TEST(Reinvite, ASecondOneBeforeTheFinalGets500) {
  Established pair;
  const auto first = pair.reinvite(Caller);
  Message second = *pair.caller().info({});
  const std::string number = std::to_string(second.get<CSeq>()->number);
  second = pair.invite();
  second.remove("Via")
      .set("To", "<sip:bob@example.com>;tag=to-bob")
      .set("CSeq", number + " INVITE");
  const auto id = pair.send(Caller, second);
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{500}));
  EXPECT_TRUE(pair.response(id).has(HeaderId::RetryAfter));
  EXPECT_TRUE(pair.reply(Callee, first, {.status = 200, .body = sdp_body(6)}))
      << "the first goes on";
}

TEST(Reinvite, BeforeTheAckOfAnAnswerIsProcessed) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.settle();
  EXPECT_TRUE(pair.caller().ack());  // lost
  const auto id = pair.send(Caller, pair.caller().invite({.body = sdp_body(5)}, pair.now()));
  pair.settle();
  ASSERT_TRUE(pair.reply(Callee, id, {.status = 200, .body = sdp_body(6)}));
  pair.settle();
  const Message ack = *pair.caller().ack();
  pair.send(Caller, ack);
  pair.settle();
  EXPECT_EQ(pair.callee().session_state(), SessionState::AckWait) << "each 2xx has its own ACK";
  EXPECT_EQ(pair.callee().offer()->octets, sdp_text(5));
  pair.log(Callee).clear();
  pair.pass(1s);
  ASSERT_GE(pair.count<Resend>(Callee), 1U);
  EXPECT_EQ(pair.newest<Resend>(Callee)->transaction, invite) << "only the first one is resent";
}

TEST(Reinvite, BeforeTheAckThatBringsTheAnswerGets491) {
  SessionPair pair({.has_offer = false});
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.settle();
  EXPECT_TRUE(pair.caller().ack({.body = sdp_body(3)}));  // lost
  const auto id = pair.send(Caller, pair.caller().invite({.body = sdp_body(5)}, pair.now()));
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{491}));
  EXPECT_EQ(pair.callee().signaling_state(), SignalingState::HaveLocalOffer);
}

TEST(Reinvite, TargetMovesOnlyWithTheAnswer) {
  Established pair;
  const auto id = pair.reinvite(Caller, 5, {{"Contact", "<sip:moved@127.0.0.1>"}});
  EXPECT_EQ(pair.callee().dialog().remote_target(), "sip:alice@127.0.0.1:5070");
  pair.reply(Callee, id, {.status = 180});
  EXPECT_EQ(pair.callee().dialog().remote_target(), "sip:alice@127.0.0.1:5070") << "unreliable: no";
  pair.reply(Callee, id, {.status = 200, .body = sdp_body(6)});
  EXPECT_EQ(pair.callee().dialog().remote_target(), "sip:moved@127.0.0.1");
}

TEST(Reinvite, RefusedDoesNotMoveTheTarget) {
  Established pair;
  const auto id = pair.reinvite(Caller, 5, {{"Contact", "<sip:moved@127.0.0.1>"}});
  pair.reply(Callee, id, {.status = 488});
  pair.settle();
  EXPECT_EQ(pair.callee().info({})->request_uri(), "sip:alice@127.0.0.1:5070");
}

TEST(Reinvite, AReliable1xxMovesTheTargetAndAFailureDoesNotMoveItBack) {
  Established pair;
  const auto id =
      pair.reinvite(Caller, 5, {{"Contact", "<sip:moved@127.0.0.1>"}, {"Supported", "100rel"}});
  ASSERT_TRUE(pair.reply(Callee, id, {.status = 183, .is_reliable = true}));
  EXPECT_EQ(pair.callee().dialog().remote_target(), "sip:moved@127.0.0.1");
  pair.settle();
  pair.send(Caller, pair.caller().prack());
  pair.settle();
  pair.reply(Callee, id, {.status = 488});
  pair.settle();
  EXPECT_EQ(pair.callee().dialog().remote_target(), "sip:moved@127.0.0.1") << "RFC 6141 4.4";
}

TEST(Reinvite, TheContactOfThe2xxIsTheNewTarget) {
  Established pair;
  const auto id = pair.reinvite(Caller);
  pair.reply(
      Callee, id,
      {.status = 200, .headers = {{"Contact", "<sip:bob2@127.0.0.1>"}}, .body = sdp_body(6)});
  pair.settle();
  EXPECT_EQ(pair.caller().ack()->request_uri(), "sip:bob2@127.0.0.1");
  EXPECT_EQ(pair.caller().info({})->request_uri(), "sip:bob2@127.0.0.1");
}

TEST(Reinvite, ContactOfAnUnreliable1xxChangesNothing) {
  Established pair;
  const auto id = pair.reinvite(Caller);
  pair.reply(Callee, id, {.status = 180, .headers = {{"Contact", "<sip:bob2@127.0.0.1>"}}});
  pair.settle();
  EXPECT_EQ(pair.caller().dialog().remote_target(), "sip:bob@127.0.0.1:5080");
}

TEST(Reinvite, WithoutAckEndsInBye) {
  Established pair;
  const auto id = pair.reinvite(Caller);
  pair.reply(Callee, id, {.status = 200, .body = sdp_body(6)});
  pair.settle();
  pair.pass(32s);
  EXPECT_EQ(pair.count<Resend>(Callee), 10U);
  ASSERT_EQ(pair.count<Send>(Callee), 1U);
  EXPECT_EQ(pair.newest<Send>(Callee)->request.method(), Method::Bye);
  EXPECT_EQ(pair.callee().session_state(), SessionState::Terminated);
}

TEST(Reinvite, AnAcked2xxIsNeverResentByTheNextOne) {
  Established pair;
  const auto first = pair.reinvite(Caller);
  pair.reply(Callee, first, {.status = 200, .body = sdp_body(6)});
  pair.settle();
  pair.send(Caller, pair.caller().ack());
  const auto second = pair.reinvite(Caller, 7);
  pair.log(Callee).clear();
  pair.pass(10s);
  EXPECT_EQ(pair.count<Resend>(Callee), 0U);
  EXPECT_TRUE(pair.reply(Callee, second, {.status = 200, .body = sdp_body(8)}));
}

TEST(Reinvite, CancelGets487AndTheSessionStays) {
  Established pair;
  const auto id = pair.reinvite(Caller);
  pair.callee().receive_cancel(id, pair.now());
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{487}));
  EXPECT_EQ(pair.callee().session_state(), SessionState::Confirmed);
  EXPECT_EQ(pair.callee().offer()->octets, sdp_text(1));
  EXPECT_EQ(pair.caller().offer()->octets, sdp_text(1));
}

TEST(Reinvite, CancelAfterExecutedChangesGets2xx) {
  Established pair;
  const auto id = pair.reinvite(Caller, 5, {{"Supported", "100rel"}});
  pair.reply(Callee, id, {.status = 183, .body = sdp_body(6), .is_reliable = true});
  pair.settle();
  pair.send(Caller, pair.caller().prack());
  pair.settle();
  pair.callee().receive_cancel(id, pair.now());
  pair.collect();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{183, 200})) << "RFC 6141 3.8";
}

// RFC 6141 3.3 SHOULD; an error only where nothing was executed.
TEST(Reinvite, RefusalAfterExecutedChangesIs2xx) {
  for (const bool is_executed : {true, false}) {
    Established pair;
    const auto id = pair.reinvite(Caller, 5, {{"Supported", "100rel"}});
    if (is_executed) {
      pair.reply(Callee, id, {.status = 183, .body = sdp_body(6), .is_reliable = true});
      pair.settle();
      pair.send(Caller, pair.caller().prack());
      pair.settle();
    }
    pair.reply(Callee, id, {.status = 488});
    pair.settle();
    EXPECT_EQ(pair.statuses(id),
              is_executed ? (std::vector<int>{183, 200}) : (std::vector<int>{488}));
    EXPECT_EQ(pair.caller().offer()->octets, sdp_text(is_executed ? 5 : 1));
    EXPECT_EQ(pair.callee().offer()->octets, sdp_text(is_executed ? 5 : 1));
  }
}

TEST(Reinvite, FailureAfterExecutedChangesUndoesAllAndWantsAResync) {
  Established pair;
  const auto id = pair.reinvite(Caller, 5, {{"Supported", "100rel"}});
  pair.reply(Callee, id, {.status = 183, .body = sdp_body(6), .is_reliable = true});
  pair.settle();
  pair.send(Caller, pair.caller().prack());
  pair.settle();
  const auto update = pair.send(Callee, pair.callee().update({.body = sdp_body(7)}));
  pair.settle();
  pair.reply(Caller, update, {.status = 200, .body = sdp_body(8)});
  pair.settle();
  EXPECT_EQ(pair.caller().offer()->octets, sdp_text(7));
  pair.reply(Callee, id, {.status = 488, .undoes_changes = true});
  pair.settle();
  EXPECT_EQ(pair.caller().offer()->octets, sdp_text(1));
  EXPECT_EQ(pair.callee().offer()->octets, sdp_text(1));
  EXPECT_EQ(pair.count<ResynchroniseWanted>(Caller), 1U);
}

TEST(Reinvite, PendingOneGets487WhenEitherSideHangsUp) {
  for (const auto who : {Caller, Callee}) {
    Established pair;
    const auto id = pair.reinvite(Caller);
    pair.send(who, pair.side(who).bye());
    pair.settle();
    EXPECT_EQ(pair.statuses(id), (std::vector<int>{487}));
    EXPECT_EQ(pair.callee().session_state(), SessionState::Terminated);
    EXPECT_TRUE(pair.caller().is_finished());
  }
}

TEST(Reinvite, A2xxWithoutSdpIsReportedAndTheOldPairStays) {
  Established pair;
  const auto id = pair.reinvite(Caller);
  pair.reply(Callee, id, {.status = 200, .body = sdp_body(6)});
  pair.collect();
  pair.flight().front().message.set_body("", "");
  pair.settle();
  EXPECT_TRUE(pair.newest<Answered>(Caller)->lacks_description);
  EXPECT_EQ(pair.caller().offer()->octets, sdp_text(1));
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Stable);
}

TEST(Reinvite, ItsChallengeTakesTheNextNumberAndKeepsTheExchange) {
  Established pair;
  const Message first = *pair.caller().invite({.body = sdp_body(5)}, pair.now());
  const Message again = *pair.caller().retry(first);
  EXPECT_EQ(again.get<CSeq>()->number, first.get<CSeq>()->number + 1);
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::HaveLocalOffer);
  const auto id = pair.send(Caller, again);
  pair.settle();
  pair.reply(Callee, id, {.status = 200, .body = sdp_body(6)});
  pair.settle();
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Stable);
  EXPECT_EQ(pair.caller().ack()->get<CSeq>()->number, again.get<CSeq>()->number);
  EXPECT_EQ(pair.caller().info({})->get<CSeq>()->number, again.get<CSeq>()->number + 1);
}

TEST(Reinvite, WithABodyAndNoContentTypeGets400AndTheNextWorks) {
  Established pair;
  Message broken = *pair.caller().invite({.body = sdp_body(5)}, pair.now());
  broken.remove("Content-Type");
  const auto id = pair.send(Caller, broken);
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{400}));
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Stable);
  const auto next = pair.reinvite(Caller, 6);
  EXPECT_TRUE(pair.reply(Callee, next, {.status = 200, .body = sdp_body(7)}));
}

TEST(Reinvite, WithoutContactGets400) {
  Established pair;
  Message broken = *pair.caller().invite({.body = sdp_body(5)}, pair.now());
  broken.remove("Contact");
  const auto id = pair.send(Caller, broken);
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{400}));
}

TEST(Reinvite, SdpIsFoundInAMultipartAndWithParameters) {
  Established pair;
  Message mixed = *pair.caller().invite({.body = sdp_body(5)}, pair.now());
  mixed.set_body(
      "multipart/mixed;boundary=b",
      "--b\r\nContent-Type: text/plain\r\nContent-Disposition: "
      "render;handling=optional\r\n\r\nhi\r\n--b\r\nContent-Type: Application/SDP;x=1\r\n\r\n" +
          sdp_text(5) + "\r\n--b--\r\n");
  pair.send(Caller, mixed);
  pair.settle();
  EXPECT_EQ(pair.callee().signaling_state(), SignalingState::HaveRemoteOffer);
  EXPECT_EQ(pair.callee().offer()->octets, sdp_text(5));
}

// --- what is wrong with an offer (RFC 3264)

TEST(OfferJudged, TheVersionGrowsByOne) {
  Established good({.judges_sdp = true});
  good.reinvite(Caller, 2);
  EXPECT_EQ(good.count<Violation>(Callee), 0U);
  Established bad({.judges_sdp = true});
  bad.reinvite(Caller, 3);
  EXPECT_EQ(bad.count<Violation>(Callee), 1U);
  EXPECT_EQ(bad.newest<Violation>(Callee)->finding.clause.rfc, 3264);
}

TEST(OfferJudged, NoMediaLineIsTakenAway) {
  Established pair({.judges_sdp = true});
  const Body none{"application/sdp", sdp_text(2, "sendrecv", 0), {}};
  pair.send(Caller, pair.caller().invite({.body = none}, pair.now()));
  pair.settle();
  EXPECT_GE(pair.count<Violation>(Callee), 1U);
}

TEST(OfferJudged, AfterARefusedOfferEitherVersionIsRight) {
  for (const int version : {2, 3}) {
    Established pair({.judges_sdp = true});
    const auto id = pair.reinvite(Caller, 2);
    pair.reply(Callee, id, {.status = 488});
    pair.settle();
    pair.reinvite(Caller, version);
    EXPECT_EQ(pair.count<Violation>(Callee), 0U) << version;
  }
}

TEST(OfferJudged, AfterAnOfferThatMetOursEitherVersionIsRight) {
  for (const int version : {2, 3}) {
    Established pair({.judges_sdp = true});
    pair.send(Caller, pair.caller().invite({.body = sdp_body(2)}, pair.now()));
    pair.send(Callee, pair.callee().invite({.body = sdp_body(2)}, pair.now()));
    pair.settle();
    EXPECT_EQ(pair.newest<Rejected>(Caller)->status, 491);
    pair.reinvite(Caller, version);
    EXPECT_EQ(pair.count<Violation>(Callee), 0U) << version;
  }
}

TEST(OfferJudged, AnAnswerThatCameBehindARefusedOfferIsOlder) {
  Established pair({.judges_sdp = true});
  const auto update = pair.send(Callee, pair.callee().update({.body = sdp_body(2)}));
  pair.settle();
  pair.reply(Caller, update, {.status = 200, .body = sdp_body(1)});
  pair.send(Caller, pair.caller().invite({.body = sdp_body(2)}, pair.now()));
  ASSERT_EQ(pair.flight().size(), 2U);
  std::swap(pair.flight().front(), pair.flight().back());
  pair.settle();
  EXPECT_EQ(pair.newest<Rejected>(Caller)->status, 491);
  EXPECT_EQ(pair.callee().signaling_state(), SignalingState::Stable);
  pair.reinvite(Caller, 3);
  EXPECT_EQ(pair.count<Violation>(Callee), 0U);
}

TEST(OfferJudged, MalformedSdpIsReported) {
  Established pair({.judges_sdp = true});
  pair.send(Caller,
            pair.caller().invite({.body = {"application/sdp", "nonsense", {}}}, pair.now()));
  pair.settle();
  EXPECT_TRUE(pair.has_violation(Callee, "sdp-malformed"));
}

// --- what a failure ends

TEST(Failures, AReinviteThatTimesOutEndsTheCallWithBye) {
  Established pair;
  const Message request = *pair.caller().invite({.body = sdp_body(5)}, pair.now());
  pair.caller().request_failed(request, Failure::TimedOut, pair.now());
  EXPECT_EQ(pair.count<Send>(Caller), 1U);
  EXPECT_EQ(pair.newest<Send>(Caller)->request.method(), Method::Bye);
  EXPECT_EQ(pair.newest<Rejected>(Caller)->status, 0);
  EXPECT_EQ(pair.newest<Ended>(Caller)->reason, EndReason::DialogGone);
}

TEST(Failures, A481ToAnInfoEndsTheCall) {
  Established pair;
  const Message request = *pair.caller().info({});
  pair.caller().receive_response(request, pair.callee().make_response(request, 481), pair.now());
  EXPECT_EQ(pair.caller().session_state(), SessionState::Terminated);
}

TEST(Failures, A481ToAnInfoOfAnEarlyDialogAnswersItsInvite) {
  SessionPair pair({});
  ASSERT_TRUE(pair.callee().reply(SessionPair::invite_transaction, {.status = 180}, pair.now()));
  const Message request = *pair.callee().info({});
  pair.callee().receive_response(request, pair.callee().make_response(request, 481), pair.now());
  EXPECT_EQ(pair.newest<Reply>(Callee)->response.status(), 487);
  EXPECT_EQ(pair.newest<Ended>(Callee)->reason, EndReason::DialogGone);
  EXPECT_EQ(pair.count<Send>(Callee),
            0U);  // RFC 3261 15: no BYE from the callee of an early dialog
}

TEST(Failures, A405ToAnInfoOrATimeoutOfAMessageDoesNot) {
  Established pair;
  const Message info = *pair.caller().info({});
  pair.caller().receive_response(info, pair.callee().make_response(info, 405), pair.now());
  const Message message = *pair.caller().message({});
  pair.caller().request_failed(message, Failure::TimedOut, pair.now());
  EXPECT_EQ(pair.caller().session_state(), SessionState::Confirmed);
  EXPECT_EQ(pair.newest<Responded>(Caller)->status, 0);
}

TEST(Failures, A404EndsTheDialogWithoutBye) {
  Established pair;
  const Message info = *pair.caller().info({});
  pair.caller().receive_response(info, pair.callee().make_response(info, 404), pair.now());
  EXPECT_EQ(pair.caller().session_state(), SessionState::Terminated);
  EXPECT_EQ(pair.count<Send>(Caller), 0U);
}

// RFC 3261 13.2.2.4 MUST.
TEST(Failures, AnOfferAfterTheEndStillOwesAnAnswer) {
  for (const bool has_offer : {false, true}) {
    Established pair;
    const auto id = pair.send(
        Caller, pair.caller().invite({.body = has_offer ? sdp_body(5) : Body{}}, pair.now()));
    pair.settle();
    ASSERT_TRUE(pair.reply(Callee, id, {.status = 200, .body = sdp_body(6)}));
    ASSERT_TRUE(pair.caller().bye({}, pair.now()));
    pair.settle();
    ASSERT_NE(pair.newest<Answered>(Caller), nullptr);
    EXPECT_EQ(pair.newest<Answered>(Caller)->has_offer, !has_offer);
    if (!has_offer) {
      EXPECT_EQ(pair.caller().ack().error().code, SessionErrorCode::AnswerMissing);
      EXPECT_TRUE(pair.caller().ack({.body = sdp_body(7)}));
    } else {
      EXPECT_TRUE(pair.caller().ack());
    }
    EXPECT_TRUE(pair.caller().is_finished());
  }
}

TEST(Failures, A500WithRetryAfterIsTriedAgainThen) {
  Established pair;
  const Message request = *pair.caller().invite({.body = sdp_body(5)}, pair.now());
  Message busy = pair.callee().make_response(request, 500);
  busy.add("Retry-After", "7");
  pair.caller().receive_response(request, busy, pair.now());
  EXPECT_TRUE(pair.newest<Rejected>(Caller)->will_retry);
  pair.pass(6999ms);
  EXPECT_EQ(pair.count<RetryDue>(Caller), 0U);
  pair.pass(1ms);
  EXPECT_EQ(pair.count<RetryDue>(Caller), 1U);
}

TEST(Failures, AChangeIsPutOffSoOftenAndNoMore) {
  for (const int status : {491, 500, 503})
    for (const auto method : {Method::Invite, Method::Update}) {
      Established pair;
      const auto is_tried_again = [&] {
        pair.log(Caller).clear();
        const session::RequestOptions offer{.body = sdp_body(5)};
        const Message request = *(method == Method::Invite ? pair.caller().invite(offer, pair.now())
                                                           : pair.caller().update(offer));
        Message busy = pair.callee().make_response(request, status);
        if (status != 491) busy.add("Retry-After", "0");
        pair.caller().receive_response(request, busy, pair.now());
        const bool will_retry = pair.newest<Rejected>(Caller)->will_retry;
        pair.pass(5s);
        EXPECT_EQ(pair.count<RetryDue>(Caller), will_retry ? 1U : 0U);
        return will_retry;
      };
      for (unsigned i = 0; i < retries_max; ++i) EXPECT_TRUE(is_tried_again()) << i;
      EXPECT_FALSE(is_tried_again());
      EXPECT_TRUE(is_tried_again()) << "another change counts anew";
    }
}

// A peer that changes the session within each re-INVITE that it then refuses.
TEST(Failures, ThingsArePutStraightSoOftenAndNoMore) {
  Established pair;
  for (unsigned i = 0; i <= retries_max; ++i) {
    const auto id = pair.reinvite(Caller, 5, {{"Supported", "100rel"}});
    pair.reply(Callee, id, {.status = 183, .body = sdp_body(6), .is_reliable = true});
    pair.settle();
    pair.send(Caller, pair.caller().prack());
    pair.settle();
    pair.reply(Callee, id, {.status = 488, .undoes_changes = true});
    pair.settle();
  }
  EXPECT_EQ(pair.count<ResynchroniseWanted>(Caller), retries_max);
}

// --- UPDATE

TEST(Update, WithAnOfferInAConfirmedDialog) {
  for (const auto who : {Caller, Callee}) {
    Established pair;
    const auto id = pair.send(who, pair.side(who).update({.body = sdp_body(5)}));
    EXPECT_EQ(pair.side(who).update({}).error().code, SessionErrorCode::UpdateInProgress);
    pair.settle();
    ASSERT_EQ(pair.newest<Deliver>(other(who))->what, Deliver::What::Update);
    EXPECT_EQ(pair.reply(other(who), id, {.status = 200}).error().code,
              SessionErrorCode::AnswerMissing);
    ASSERT_TRUE(pair.reply(other(who), id, {.status = 200, .body = sdp_body(6)}));
    EXPECT_TRUE(pair.response(id).has(HeaderId::Contact)) << "RFC 3311 5.2";
    pair.settle();
    for (const auto side : {Caller, Callee})
      EXPECT_EQ(pair.side(side).answer()->octets, sdp_text(6));
  }
}

TEST(Update, WithoutAnOfferChangesNothingButTheTarget) {
  Established pair;
  const auto id =
      pair.send(Caller, pair.caller().update({.headers = {{"Contact", "<sip:moved@127.0.0.1>"}}}));
  pair.settle();
  EXPECT_EQ(pair.callee().dialog().remote_target(), "sip:alice@127.0.0.1:5070");
  EXPECT_EQ(pair.reply(Callee, id, {.status = 200, .body = sdp_body(6)}).error().code,
            SessionErrorCode::AnswerUnexpected);
  ASSERT_TRUE(pair.reply(Callee, id, {.status = 200}));
  EXPECT_EQ(pair.callee().dialog().remote_target(), "sip:moved@127.0.0.1");
  pair.settle();
  EXPECT_EQ(pair.count<SessionChanged>(Caller), 0U);
}

TEST(Update, RefusedLeavesSessionAndTarget) {
  Established pair;
  const auto id =
      pair.send(Caller, pair.caller().update({.headers = {{"Contact", "<sip:moved@127.0.0.1>"}},
                                              .body = sdp_body(5)}));
  pair.settle();
  pair.reply(Callee, id, {.status = 488});
  pair.settle();
  for (const auto side : {Caller, Callee}) EXPECT_EQ(pair.side(side).offer()->octets, sdp_text(1));
  EXPECT_EQ(pair.callee().dialog().remote_target(), "sip:alice@127.0.0.1:5070");
  EXPECT_EQ(pair.newest<Rejected>(Caller)->method, Method::Update);
}

TEST(Update, OffersThatCrossGet491AndAreTriedAgain) {
  Established pair;
  const auto one = pair.send(Caller, pair.caller().update({.body = sdp_body(5)}));
  const auto two = pair.send(Callee, pair.callee().update({.body = sdp_body(6)}));
  pair.settle();
  EXPECT_EQ(pair.statuses(one), (std::vector<int>{491}));
  EXPECT_EQ(pair.statuses(two), (std::vector<int>{491}));
  pair.pass(4s);
  EXPECT_EQ(pair.newest<RetryDue>(Caller)->method, Method::Update);
  EXPECT_EQ(pair.newest<RetryDue>(Callee)->method, Method::Update);
}

TEST(Update, ASecondOneBeforeTheAnswerGets500) {
  Established pair;
  pair.send(Caller, pair.caller().update({.body = sdp_body(5)}));
  pair.settle();
  Message second = pair.caller().request("X", {}).value();
  const std::string number = std::to_string(second.get<CSeq>()->number);
  second = Message::request("UPDATE", "sip:bob@127.0.0.1:5080");
  second.add("From", "<sip:alice@example.com>;tag=from-alice")
      .add("To", "<sip:bob@example.com>;tag=to-bob");
  second.add("Call-ID", "call-1@127.0.0.1")
      .add("CSeq", number + " UPDATE")
      .add("Contact", "<sip:a@b>");
  const auto id = pair.send(Caller, second);
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{500}));
  EXPECT_TRUE(pair.response(id).has(HeaderId::RetryAfter));
}

TEST(Update, InAnEarlyDialogOnlyAfterAReliableExchange) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 183, .body = sdp_body(2), .is_reliable = true});
  pair.settle();
  EXPECT_EQ(pair.callee().update({.body = sdp_body(5)}).error().code, SessionErrorCode::OfferOpen)
      << "no PRACK yet";
  EXPECT_EQ(pair.caller().update({.body = sdp_body(5)}).error().code, SessionErrorCode::OfferOpen)
      << "our PRACK is not answered";
  pair.send(Caller, pair.caller().prack());
  pair.settle();
  const auto id = pair.send(Callee, pair.callee().update({.body = sdp_body(5)}));
  pair.settle();
  ASSERT_TRUE(pair.reply(Caller, id, {.status = 200, .body = sdp_body(6)}));
  pair.settle();
  EXPECT_EQ(pair.callee().answer()->octets, sdp_text(6));
  EXPECT_TRUE(pair.reply(Callee, invite, {.status = 200}));
}

TEST(Update, WhileTheInviteOfferIsOpenIsRefused) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  EXPECT_EQ(pair.caller().update({.body = sdp_body(5)}).error().code, SessionErrorCode::OfferOpen);
  EXPECT_EQ(pair.callee().update({.body = sdp_body(5)}).error().code, SessionErrorCode::OfferOpen);
  SessionPair offerless({.has_offer = false});
  offerless.reply(Callee, invite, {.status = 180});
  offerless.settle();
  EXPECT_EQ(offerless.caller().update({.body = sdp_body(5)}).error().code,
            SessionErrorCode::NoOfferYet);
}

TEST(Update, IncomingOfferWhileTheInviteOfferIsOpen) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  const auto raw = [&](testing::Who from, int cseq) {
    Message request = Message::request("UPDATE", "sip:x@127.0.0.1");
    const bool is_caller = from == Caller;
    request.add("From", is_caller ? "<sip:alice@example.com>;tag=from-alice"
                                  : "<sip:bob@example.com>;tag=to-bob");
    request.add("To", is_caller ? "<sip:bob@example.com>;tag=to-bob"
                                : "<sip:alice@example.com>;tag=from-alice");
    request.add("Call-ID", "call-1@127.0.0.1").add("CSeq", std::to_string(cseq) + " UPDATE");
    request.add("Contact", "<sip:moved@127.0.0.1>");
    request.set_body("application/sdp", sdp_text(9));
    const auto id = pair.send(from, request);
    pair.settle();
    return pair.statuses(id);
  };
  EXPECT_EQ(raw(Callee, 1), (std::vector<int>{491})) << "our offer is unanswered (3311 5.2)";
  EXPECT_EQ(raw(Caller, 11), (std::vector<int>{500})) << "we owe an answer (3311 5.2)";
}

TEST(Update, WhileAnOfferlessReinviteWaitsForItsOffer) {
  Established pair;
  Message update = *pair.callee().update({.body = sdp_body(6)});
  pair.callee().request_failed(update, Failure::TransportFailed, pair.now());
  Established other_pair;
  const auto id = other_pair.reinvite(Caller, 0);
  EXPECT_EQ(other_pair.caller().update({.body = sdp_body(5)}).error().code,
            SessionErrorCode::OfferOpen);
  EXPECT_EQ(other_pair.callee().update({.body = sdp_body(5)}).error().code,
            SessionErrorCode::OfferOpen);
  const auto crossing = other_pair.send(Callee, update);
  other_pair.settle();
  EXPECT_EQ(other_pair.statuses(crossing), (std::vector<int>{491})) << "RFC 6337 4.3";
  EXPECT_TRUE(other_pair.reply(Callee, id, {.status = 200, .body = sdp_body(7)}));
}

TEST(Update, WithoutContactGets400) {
  Established pair;
  Message request = *pair.caller().update({});
  request.remove("Contact");
  const auto id = pair.send(Caller, request);
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{400}));
}

TEST(Update, AReinviteDuringItGets491Or500) {
  Established pair;
  pair.send(Caller, pair.caller().update({.body = sdp_body(5)}));
  EXPECT_EQ(pair.caller().invite({.body = sdp_body(6)}, pair.now()).error().code,
            SessionErrorCode::UpdateInProgress);
  const auto crossing = pair.send(Callee, pair.callee().invite({.body = sdp_body(7)}, pair.now()));
  pair.settle();
  EXPECT_EQ(pair.statuses(crossing), (std::vector<int>{491}));
}

TEST(Update, WithoutAnOfferIsFineDuringAReinvite) {
  Established pair;
  pair.reinvite(Caller);
  const auto id = pair.send(Caller, pair.caller().update({}));
  pair.settle();
  EXPECT_TRUE(pair.reply(Callee, id, {.status = 200})) << "RFC 5407 3.3.2";
}

}  // namespace
}  // namespace sipassay::session
