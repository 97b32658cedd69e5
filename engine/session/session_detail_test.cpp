// Smaller rules: what is learnt, counted, refreshed, kept, limited.
#include <gtest/gtest.h>

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
};

// --- UAC: what responses to INVITE change

TEST(InviteResponse, AReliable1xxOfTheInitialInviteRefreshesTheTarget) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  pair.reply(Callee, invite, {.status = 183, .headers = {{"Contact", "<sip:bob2@127.0.0.1>"}}});
  pair.settle();
  EXPECT_EQ(pair.caller().dialog().remote_target(), "sip:bob@127.0.0.1:5080") << "unreliable";
  pair.reply(
      Callee, invite,
      {.status = 183, .headers = {{"Contact", "<sip:bob3@127.0.0.1>"}}, .is_reliable = true});
  pair.settle();
  EXPECT_EQ(pair.caller().prack()->request_uri(), "sip:bob3@127.0.0.1") << "RFC 6141 4.9";
}

TEST(InviteResponse, The2xxGivesRouteSetAndTargetAnew) {
  SessionPair pair({.headers = {{"Record-Route", "<sip:early;lr>"}}});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  EXPECT_EQ(pair.caller().dialog().route_set(), (std::vector<std::string>{"<sip:early;lr>"}));
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.collect();
  pair.flight().front().message.set("Record-Route", "<sip:b;lr>, <sip:a;lr>");
  pair.flight().front().message.set("Contact", "<sip:final@127.0.0.1>");
  pair.settle();
  const Message ack = *pair.caller().ack();
  EXPECT_EQ(ack.request_uri(), "sip:final@127.0.0.1");
  EXPECT_EQ(pair.caller().dialog().route_set(),
            (std::vector<std::string>{"<sip:a;lr>", "<sip:b;lr>"}));
}

TEST(InviteResponse, The2xxOfAReinviteLeavesTheRouteSet) {
  Established pair({.headers = {{"Record-Route", "<sip:p;lr>"}}});
  const auto id = pair.send(Caller, pair.caller().invite({.body = sdp_body(5)}, pair.now()));
  pair.settle();
  pair.reply(Callee, id,
             {.status = 200, .headers = {{"Record-Route", "<sip:q;lr>"}}, .body = sdp_body(6)});
  pair.settle();
  EXPECT_EQ(pair.caller().dialog().route_set(), (std::vector<std::string>{"<sip:p;lr>"}));
}

TEST(InviteResponse, WhatIsWrongWithItIsReported) {
  struct Vector {
    const char* rule;
    std::string_view header, value;
    bool is_reliable;
    int status;
  };
  const Vector vectors[] = {
      {"reliable-1xx-without-rseq", "RSeq", "", true, 180},
      {"reliable-1xx-without-rseq", "RSeq", "0", true, 180},
      {"contact-missing-in-2xx", "Contact", "", false, 200},
  };
  for (const Vector& vector : vectors) {
    SessionPair pair({});
    pair.reply(Callee, invite,
               {.status = vector.status,
                .body = vector.status == 200 ? sdp_body(2) : Body{},
                .is_reliable = vector.is_reliable});
    pair.collect();
    Message& response = pair.flight().front().message;
    if (vector.value.empty())
      response.remove(vector.header);
    else
      response.set(vector.header, vector.value);
    pair.settle();
    EXPECT_TRUE(pair.has_violation(Caller, vector.rule)) << vector.rule;
  }
}

TEST(InviteResponse, AReliable1xxThatTheInviteDidNotAllowIsAViolation) {
  SessionPair pair({.headers = {}});
  pair.reply(Callee, invite, {.status = 180});
  pair.collect();
  pair.flight().front().message.add("Require", "100rel").add("RSeq", "9");
  pair.settle();
  EXPECT_TRUE(pair.has_violation(Caller, "reliable-1xx-not-allowed"));
  EXPECT_TRUE(pair.caller().prack()) << "it is acknowledged all the same";
}

TEST(InviteResponse, LateOnesAreIgnored) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  const Message late = pair.response(invite);
  Message ok = late;
  ok.set_start_line("SIP/2.0 200 OK");
  pair.reply(Callee, invite, {.status = 486});
  pair.settle();
  const std::size_t before = pair.log(Caller).size();
  pair.caller().receive_response(pair.invite(), late, pair.now());
  pair.caller().receive_response(pair.invite(), ok, pair.now());
  pair.collect();
  EXPECT_EQ(pair.log(Caller).size(), before);
}

TEST(InviteResponse, NullTagIsAcceptedAndAcknowledged) {
  SessionPair pair({});
  Message ok = pair.callee().make_response(pair.invite(), 200);
  ok.set("To", "<sip:bob@example.com>").add("Contact", "<sip:bob@127.0.0.1:5080>");
  ok.set_body("application/sdp", sdp_text(2));
  SessionDialog session(SentInvite{pair.invite()},
                        *dialog::Dialog::from_response(pair.invite(), ok),
                        {.contact = "<sip:alice@127.0.0.1>"}, Rng(1), pair.now());
  session.receive_response(pair.invite(), ok, pair.now());
  const auto ack = session.ack();
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->raw(HeaderId::To), "<sip:bob@example.com>");
  EXPECT_EQ(session.session_state(), SessionState::Confirmed);
}

TEST(InviteResponse, CredentialsOfTheInviteGoIntoTheAck) {
  SessionPair pair(
      {.headers = {{"Supported", "100rel"}, {"Proxy-Authorization", "Digest x=\"1\""}}});
  pair.reply(Callee, invite, {.status = 200, .body = sdp_body(2)});
  pair.settle();
  EXPECT_EQ(pair.caller().ack()->raw(HeaderId::ProxyAuthorization), "Digest x=\"1\"");
}

// --- what the peer said about itself

TEST(Learnt, AllowAnd100relOfThePeer) {
  SessionPair pair({.headers = {{"Allow", "INVITE, ACK"}, {"Allow", "BYE"}}});
  EXPECT_TRUE(pair.callee().peer_allows("BYE"));
  EXPECT_FALSE(pair.callee().peer_allows("UPDATE"));
  EXPECT_FALSE(pair.callee().peer_supports_100rel());
  SessionPair silent({});
  EXPECT_TRUE(silent.callee().peer_allows("UPDATE")) << "nothing is known";
  EXPECT_TRUE(silent.callee().peer_supports_100rel());
}

// --- retries with credentials (RFC 3261 22.2)

TEST(Retry, APrackWithAnOfferIsStillRecognised) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 183, .body = sdp_body(2), .is_reliable = true});
  pair.settle();
  const Message first = *pair.caller().prack({.body = sdp_body(3)});
  const Message again = *pair.caller().retry(first);
  EXPECT_EQ(again.raw(HeaderId::RAck), first.raw(HeaderId::RAck));
  Message ok = pair.callee().make_response(again, 200);
  ok.set_body("application/sdp", sdp_text(4));
  pair.caller().receive_response(again, ok, pair.now());
  EXPECT_EQ(pair.caller().answer()->octets, sdp_text(4));
}

TEST(Retry, AReferKeepsItsSubscription) {
  Established pair;
  EXPECT_TRUE(pair.caller().refer("sip:first@example.com", {}, pair.now()));
  const Message refer = *pair.caller().refer("sip:carol@example.com", {}, pair.now());
  const Message again = *pair.caller().retry(refer);
  const std::uint32_t cseq = again.get<CSeq>()->number;
  Message notify = *pair.callee().notify({});
  notify.add("Event", "refer;id=" + std::to_string(cseq)).add("Subscription-State", "active");
  notify.set_body("message/sipfrag", "SIP/2.0 100 Trying\r\n");
  const auto id = pair.send(Callee, notify);
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{200}));
}

TEST(Retry, IsRefusedAfterTheEndForAllButBye) {
  Established pair;
  const Message info = *pair.caller().info({});
  const Message bye = *pair.caller().bye();
  EXPECT_EQ(pair.caller().retry(info).error().code, SessionErrorCode::Terminated);
  EXPECT_TRUE(pair.caller().retry(bye));
}

// --- 2xx and ACK

TEST(AckMissing, NoByeIfTheTargetMovedAndANewerReinviteCame) {
  // RFC 6141 5.4: the ACK was lost, but the peer lives.
  Established pair;
  const auto first = pair.send(
      Caller,
      pair.caller().invite({.headers = {{"Contact", "<sip:moved@127.0.0.1>"}}, .body = sdp_body(5)},
                           pair.now()));
  pair.settle();
  pair.reply(Callee, first, {.status = 200, .body = sdp_body(6)});
  pair.settle();
  EXPECT_TRUE(pair.caller().ack());  // lost
  pair.pass(1s);
  pair.flight().clear();
  const auto second = pair.send(Caller, pair.caller().invite({.body = sdp_body(7)}, pair.now()));
  pair.settle();
  ASSERT_TRUE(pair.reply(Callee, second, {.status = 200, .body = sdp_body(8)}));
  pair.settle();
  pair.send(Caller, pair.caller().ack());
  pair.settle();
  pair.log(Callee).clear();
  pair.pass(40s);
  EXPECT_EQ(pair.count<AckMissing>(Callee), 1U);
  EXPECT_EQ(pair.count<Send>(Callee), 0U);
  EXPECT_EQ(pair.callee().session_state(), SessionState::Confirmed);
}

TEST(AckMissing, AnOfferThatWasNeverAnsweredIsUndone) {
  Established pair({.callee = {.bye_when_ack_missing = false}});
  const auto id = pair.send(Caller, pair.caller().invite({}, pair.now()));
  pair.settle();
  pair.reply(Callee, id, {.status = 200, .body = sdp_body(6)});
  EXPECT_EQ(pair.callee().signaling_state(), SignalingState::HaveLocalOffer);
  pair.pass(32s);
  EXPECT_EQ(pair.callee().signaling_state(), SignalingState::Stable);
  EXPECT_EQ(pair.callee().offer()->octets, sdp_text(1));
  EXPECT_TRUE(pair.callee().invite({.body = sdp_body(7)}, pair.now()))
      << "nothing is blocked for ever";
}

TEST(Ack, KeptOnesHaveALimit) {
  Established pair;
  std::vector<Message> invites, answers;
  for (std::size_t i = 0; i <= acks_kept_max; ++i) {
    const Message request =
        *pair.caller().invite({.body = sdp_body(static_cast<int>(10 + i))}, pair.now());
    Message ok = pair.callee().make_response(request, 200);
    ok.add("Contact", "<sip:bob@127.0.0.1:5080>").set_body("application/sdp", sdp_text(3));
    pair.caller().receive_response(request, ok, pair.now());
    ASSERT_TRUE(pair.caller().ack());
    invites.push_back(request);
    answers.push_back(ok);
  }
  pair.collect();
  pair.log(Caller).clear();
  pair.caller().receive_response(invites.front(), answers.front(), pair.now());
  EXPECT_EQ(pair.count<RepeatAck>(Caller), 0U) << "the oldest made room";
  pair.caller().receive_response(invites.back(), answers.back(), pair.now());
  EXPECT_EQ(pair.count<RepeatAck>(Caller), 1U);
}

TEST(Prack, OpenOnesHaveALimit) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180, .is_reliable = true});
  pair.settle();
  Message ringing = pair.response(invite);
  std::uint32_t rseq = ringing.get<RSeq>()->value;
  for (std::size_t i = 0; i < pracks_open_max; ++i) {
    ASSERT_TRUE(pair.caller().prack()) << i;
    ringing.set("RSeq", std::to_string(++rseq));
    pair.caller().receive_response(pair.invite(), ringing, pair.now());
  }
  EXPECT_EQ(pair.caller().prack().error().code, SessionErrorCode::TooMany);
}

TEST(Held, ARefusalMayStillReplaceA2xxThatWaits) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 183, .body = sdp_body(2), .is_reliable = true});
  pair.settle();
  ASSERT_TRUE(pair.reply(Callee, invite, {.status = 200}));
  EXPECT_EQ(pair.reply(Callee, invite, {.status = 200}).error().code,
            SessionErrorCode::WrongStatus);
  ASSERT_TRUE(pair.reply(Callee, invite, {.status = 486}));
  pair.settle();
  EXPECT_EQ(pair.statuses(invite), (std::vector<int>{183, 486}));
}

TEST(Held, ItIsDroppedByACancel) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 183, .body = sdp_body(2), .is_reliable = true});
  pair.settle();
  pair.reply(Callee, invite, {.status = 200});
  pair.callee().receive_cancel(invite, pair.now());
  pair.send(Caller, pair.caller().prack());
  pair.settle();
  EXPECT_EQ(pair.statuses(invite), (std::vector<int>{183, 487}));
}

TEST(Undone, AnUpdateInsideAFailedReinviteIsRefusedAndItsLateAnswerIsNoViolation) {
  Established pair;
  const auto id = pair.send(
      Caller, pair.caller().invite({.headers = {{"Supported", "100rel"}}, .body = sdp_body(5)},
                                   pair.now()));
  pair.settle();
  pair.reply(Callee, id, {.status = 183, .body = sdp_body(6), .is_reliable = true});
  pair.settle();
  pair.send(Caller, pair.caller().prack());
  pair.settle();
  const auto update = pair.send(Caller, pair.caller().update({.body = sdp_body(7)}));
  pair.settle();
  pair.reply(Callee, id, {.status = 488, .undoes_changes = true});
  pair.settle();
  EXPECT_EQ(pair.statuses(update), (std::vector<int>{488}));
  EXPECT_EQ(pair.reply(Callee, update, {.status = 200, .body = sdp_body(8)}).error().code,
            SessionErrorCode::UnknownTransaction);
  for (const auto who : {Caller, Callee}) {
    EXPECT_EQ(pair.side(who).offer()->octets, sdp_text(1));
    EXPECT_EQ(pair.count<Violation>(who), 0U);
  }
}

TEST(Sequence, AnUnreadableNumberGets400) {
  Established pair;
  for (const char* value : {"", "x INFO", "2147483648 INFO", "99999999999 INFO"}) {
    Message request = *pair.caller().info({});
    request.set("CSeq", value);
    const auto id = pair.send(Caller, request);
    pair.settle();
    EXPECT_EQ(pair.statuses(id), (std::vector<int>{400})) << value;
  }
}

TEST(Sequence, AnAckIsNeverAnswered) {
  Established pair;
  for (const char* value : {"10 ACK", "999 ACK", "x"}) {
    Message ack = Message::request("ACK", "sip:bob@127.0.0.1");
    ack.add("From", "<sip:alice@example.com>;tag=from-alice")
        .add("To", "<sip:bob@example.com>;tag=to-bob");
    ack.add("Call-ID", "call-1@127.0.0.1").add("CSeq", value);
    pair.callee().receive_request(ack, 0, pair.now());
    pair.collect();
    EXPECT_EQ(pair.log(Callee).size(), 0U) << value;
  }
}

TEST(Members, TheSeedsOwnOnesWorkByThemselves) {
  Established pair;
  const Description offer{"application/sdp", sdp_text(9)};
  EXPECT_EQ(pair.caller().signaling_state_transition(Side::Remote, Carrier::Update, offer).action,
            Action::TakeOffer);
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::HaveRemoteOffer);
  EXPECT_TRUE(pair.caller().signaling_state_rollback());
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Stable);
  EXPECT_FALSE(pair.caller().signaling_state_rollback());
  EXPECT_EQ(pair.caller().offer()->octets, sdp_text(1));
  const auto id = pair.send(Caller, pair.caller().invite({.body = sdp_body(5)}, pair.now()));
  pair.settle();
  EXPECT_EQ(pair.callee().reinvite_user_agent_server()->transaction, id);
  pair.callee().re_confirm(pair.now());
  EXPECT_TRUE(pair.callee().reinvite_user_agent_server()->was_answered);
  EXPECT_TRUE(pair.callee().next_deadline());
}

TEST(Members, TheReliableGuardCommitsWhatIsInOrder) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  Message ringing = pair.response(invite);
  ringing.add("Require", "100rel").add("RSeq", "5");
  EXPECT_TRUE(pair.caller().reliable_sequence_guard(ringing));
  EXPECT_FALSE(pair.caller().reliable_sequence_guard(ringing)) << "a duplicate";
  ringing.set("RSeq", "7");
  EXPECT_FALSE(pair.caller().reliable_sequence_guard(ringing)) << "a gap";
  ringing.set("RSeq", "6");
  EXPECT_TRUE(pair.caller().reliable_sequence_guard(ringing));
  ringing.remove("RSeq");
  EXPECT_TRUE(pair.caller().reliable_sequence_guard(ringing)) << "unreliable";
}

// RFC 3261 12.2.1.1, RFC 3311 Table 1, RFC 3515 Table 1, RFC 6665 3.2.
TEST(SessionMembers, ContactStandsInEveryRequestThatMayMoveTheTarget) {
  Established pair;
  const auto contact = [](const SessionDialog::Result& request) {
    return request ? request->raw(HeaderId::Contact) : std::string_view("no request");
  };
  EXPECT_EQ(contact(pair.caller().update({})), "<sip:alice@127.0.0.1:5070>");
  EXPECT_EQ(contact(pair.caller().notify({})), "<sip:alice@127.0.0.1:5070>");
  EXPECT_EQ(contact(pair.caller().request("SUBSCRIBE")), "<sip:alice@127.0.0.1:5070>");
  EXPECT_EQ(contact(pair.caller().refer("sip:carol@127.0.0.1", {}, pair.now())),
            "<sip:alice@127.0.0.1:5070>");
  Established other;  // no re-INVITE beside the UPDATE
  EXPECT_EQ(contact(other.caller().invite({.body = sdp_body(9)}, other.now())),
            "<sip:alice@127.0.0.1:5070>");
  EXPECT_EQ(contact(pair.caller().info({})), "") << "RFC 6086 6.1";
  EXPECT_EQ(contact(pair.caller().message({})), "") << "RFC 3428 4";
}

}  // namespace
}  // namespace sipassay::session
