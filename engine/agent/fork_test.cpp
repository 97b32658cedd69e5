// The UAC of an INVITE that several callees answer, played by hand (RFC 3261 13.2.2.4, 12.1.2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/agent/agent.h"
#include "engine/message/header/all.h"
#include "engine/message/multipart.h"
#include "engine/session/session_dialog.h"

namespace sipassay::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view sdp =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

class Fork : public ::testing::Test {
 protected:
  Fork() : agent_(settings(), Rng(1)) {}

  static Settings settings() {
    Settings settings;
    settings.local = {{Transport::Udp, "192.0.2.1", 5060}};
    return settings;
  }

  void call(bool has_offer = true) {
    Call command;
    command.target = "sip:somebody@192.0.2.9";
    command.has_offer = has_offer;
    agent_.handle(command, now_);
    invite_ = drain().at(0);
  }

  Message response(int status, std::string_view tag, std::string_view body = {}) const {
    return response_to(invite_, status, tag, body);
  }
  static Message response_to(const Message& request, int status, std::string_view tag,
                             std::string_view body = {}) {
    auto message = Message::response(status);
    for (const auto id : {HeaderId::Via, HeaderId::From, HeaderId::CallId, HeaderId::CSeq})
      message.add(id, request.raw(id));
    std::string to(request.raw(HeaderId::To));
    if (!tag.empty() && request.get<To>()->tag().empty()) to += ";tag=" + std::string(tag);
    message.add("To", to);
    message.add("Contact", "<sip:" + std::string(tag) + "@192.0.2.9>");
    message.set_body(body.empty() ? "" : "application/sdp", body);
    return message;
  }
  static Message reliable(Message message, std::uint32_t rseq) {
    message.add("Require", "100rel").add("RSeq", std::to_string(rseq));
    return message;
  }

  std::vector<Message> receive(Message message) {
    const Flow flow{{Transport::Udp, "192.0.2.1", 5060}, {Transport::Udp, "192.0.2.9", 5060}, 0};
    agent_.handle(MessageReceived{std::move(message), flow}, now_);
    return drain();
  }
  std::vector<Message> drain() {
    std::vector<Message> sent;
    while (true) {
      auto output = agent_.poll();
      if (auto* send = std::get_if<Send>(&output)) sent.push_back(std::move(send->message));
      if (auto* event = std::get_if<Event>(&output)) events_.push_back(std::move(*event));
      if (auto* wait = std::get_if<Wait>(&output)) {
        deadline_ = wait->deadline;
        return sent;
      }
    }
  }
  // Time passes, what is sent meanwhile.
  std::vector<Message> pass(Duration span) {
    std::vector<Message> sent;
    const auto end = now_ + span;
    while (deadline_ && *deadline_ <= end) {
      now_ = std::max(now_, *deadline_);
      agent_.handle(TimePassed{}, now_);
      for (auto& message : drain()) sent.push_back(std::move(message));
    }
    now_ = end;
    return sent;
  }
  template <class E>
  std::vector<E> events() const {
    std::vector<E> found;
    for (const auto& event : events_)
      if (const auto* hit = std::get_if<E>(&event)) found.push_back(*hit);
    return found;
  }

  static std::vector<std::string> methods(const std::vector<Message>& messages) {
    std::vector<std::string> names;
    for (const auto& message : messages)
      names.push_back(std::string(message.method_text()) + " " +
                      std::string(message.get<To>()->tag()));
    return names;
  }

  Agent agent_;
  Instant now_{};
  std::optional<Instant> deadline_;
  std::vector<Event> events_;
  Message invite_;
};

TEST_F(Fork, EachToTagIsADialog) {
  call();
  receive(response(180, "one"));
  receive(response(180, "two"));
  EXPECT_THAT(methods(receive(response(200, "two", sdp))), ElementsAre("ACK two"));
  EXPECT_EQ(agent_.session(0)->id().remote_tag, "two");
  EXPECT_EQ(agent_.session(0)->session_state(), session::SessionState::Confirmed);
}

TEST_F(Fork, ASecondAnswerIsAcknowledgedAndHungUp) {
  call();
  EXPECT_THAT(methods(receive(response(200, "one", sdp))), ElementsAre("ACK one"));
  EXPECT_THAT(methods(receive(response(200, "two", sdp))), ElementsAre("ACK two", "BYE two"));
  // 13.2.2.4: the ACK for every copy, no second BYE.
  EXPECT_THAT(methods(receive(response(200, "two", sdp))), ElementsAre("ACK two"));
  EXPECT_THAT(methods(receive(response(200, "one", sdp))), ElementsAre("ACK one"));
  EXPECT_EQ(agent_.session(0)->id().remote_tag, "one");
}

TEST_F(Fork, EarlyDialogsThatNobodyConfirmedEndAfter64T1) {
  call();
  receive(response(180, "one"));
  receive(response(180, "two"));
  receive(response(200, "one", sdp));
  pass(33s);
  agent_.handle(HangUp{}, now_);
  EXPECT_THAT(methods(drain()), ElementsAre("BYE one"));
  pass(40s);
  EXPECT_EQ(agent_.live_calls(), 0U);
  EXPECT_EQ(agent_.live_transactions(), 0U);
}

TEST_F(Fork, EachForkHasItsOwnPracks) {
  call();
  EXPECT_THAT(methods(receive(reliable(response(183, "one", sdp), 7))), ElementsAre("PRACK one"));
  const auto pracks = receive(reliable(response(183, "two", sdp), 7));
  EXPECT_THAT(methods(pracks), ElementsAre("PRACK two"));
  EXPECT_EQ(pracks.at(0).raw(HeaderId::RAck), "7 " + std::string(invite_.raw(HeaderId::CSeq)));
  EXPECT_THAT(receive(reliable(response(183, "two", sdp), 7)), IsEmpty()) << "a copy";
  EXPECT_THAT(receive(reliable(response(180, "two"), 9)), IsEmpty()) << "a gap";
  EXPECT_THAT(methods(receive(reliable(response(180, "two"), 8))), ElementsAre("PRACK two"));
}

TEST_F(Fork, AFailureEndsAllEarlyDialogs) {
  call();
  receive(response(180, "one"));
  receive(response(180, "two"));
  EXPECT_THAT(methods(receive(response(486, "three"))), ElementsAre("ACK three"));
  EXPECT_EQ(events<CallEnded>().size(), 1U);
  EXPECT_EQ(events<CallEnded>().at(0).reason, "486 Busy Here");
  pass(40s);
  EXPECT_EQ(agent_.live_calls(), 0U);
}

// 16.7: a proxy may pass a 2xx of another fork behind a failure.
TEST_F(Fork, AnAnswerBehindAFailureIsAcknowledgedAndHungUp) {
  call();
  receive(response(486, "one"));
  EXPECT_THAT(methods(receive(response(200, "two", sdp))), ElementsAre("ACK two", "BYE two"));
  pass(100s);
  EXPECT_EQ(agent_.live_calls(), 0U);
  EXPECT_EQ(agent_.live_transactions(), 0U);
}

// 17.1.3: matched by its branch, so it counts; but it is reported.
TEST_F(Fork, AResponseWithAnotherCallIdIsReported) {
  call();
  auto success = response(200, "one", sdp);
  success.set("Call-ID", "other");
  EXPECT_THAT(methods(receive(success)), ElementsAre("ACK one"));
  EXPECT_EQ(events<Violation>().at(0).finding.rule, "response-of-another-request");
}

TEST_F(Fork, A2xxWithoutTheDueAnswerIsHungUp) {
  call();
  const auto sent = receive(response(200, "one"));
  EXPECT_THAT(methods(sent), ElementsAre("ACK one", "BYE one"));
  EXPECT_EQ(sent[1].raw(HeaderId::Reason).substr(0, 14), "SIP ;cause=400");
}

TEST_F(Fork, A2xxWithoutTheDueOfferIsHungUp) {
  call(false);
  EXPECT_THAT(methods(receive(response(200, "one"))), ElementsAre("ACK one", "BYE one"));
}

TEST_F(Fork, AnAnswerThatCannotBeReadIsHungUp) {
  call();
  EXPECT_THAT(methods(receive(response(200, "one", "v=9\r\n"))), ElementsAre("ACK one", "BYE one"));
}

// 13.2.2.4 MUST: a valid answer, then BYE.
TEST_F(Fork, AnOfferThatIsNotAcceptableIsAnsweredAndHungUp) {
  for (const std::string& offer : {std::string("junk"), [] {
                                     std::string other(sdp);
                                     other.replace(other.find("m=audio"), 7, "m=image");
                                     return other;
                                   }()}) {
    agent_ = Agent(settings(), Rng(2));
    call(false);
    const auto sent = receive(response(200, "one", offer));
    EXPECT_THAT(methods(sent), ElementsAre("ACK one", "BYE one"));
    EXPECT_TRUE(session_description(sent[0]));
  }
}

// 12.1.2 MUST: no To tag is a tag too.
TEST_F(Fork, APeerOfRfc2543IsAcknowledged) {
  call();
  auto success = response(200, "", sdp);
  success.set("Contact", "<sip:old@192.0.2.9>");
  EXPECT_THAT(methods(receive(success)), ElementsAre("ACK "));
}

// RFC 3261 12.1.1: the MUST is the callee's; the caller still hears of it (policy).
TEST_F(Fork, A1xxWithoutContactIsAnEarlyDialogAllTheSame) {
  call();
  auto ringing = response(180, "one");
  ringing.remove("Contact");
  receive(ringing);
  EXPECT_EQ(events<CallProgressed>().size(), 1U);
  ASSERT_EQ(events<Violation>().size(), 1U);
  EXPECT_EQ(events<Violation>()[0].finding.rule, "contact-in-dialog-forming-response");
  EXPECT_THAT(methods(receive(response(200, "one", sdp))), ElementsAre("ACK one"));
}

// RFC 3261 13.2.1 SHOULD: Expires is the caller's own limit too, whatever the callee does.
TEST_F(Fork, TheCallerCancelsAnInviteThatHasExpired) {
  Call command;
  command.target = "sip:somebody@192.0.2.9";
  command.headers = {{"Expires", "5"}};
  agent_.handle(command, now_);
  invite_ = drain().at(0);
  receive(response(180, "one"));
  EXPECT_THAT(methods(pass(4999ms)), IsEmpty());
  EXPECT_THAT(methods(pass(1ms)), ElementsAre("CANCEL "));
}

TEST_F(Fork, AnInviteThatWasAnsweredDoesNotExpire) {
  Call command;
  command.target = "sip:somebody@192.0.2.9";
  command.headers = {{"Expires", "5"}};
  agent_.handle(command, now_);
  invite_ = drain().at(0);
  EXPECT_THAT(methods(receive(response(200, "one", sdp))), ElementsAre("ACK one"));
  EXPECT_THAT(methods(pass(60s)), IsEmpty());
}

// RFC 3261 14.1, 13.2.2.4 MUST: alike for a re-INVITE.
TEST_F(Fork, A2xxOfAReinviteWithoutTheDueAnswerIsHungUp) {
  call();
  receive(response(200, "one", sdp));
  agent_.handle(Reinvite{}, now_);
  const auto reinvite = drain().at(0);
  const auto sent = receive(response_to(reinvite, 200, "one", ""));
  EXPECT_THAT(methods(sent), ElementsAre("ACK one", "BYE one"));
}

TEST_F(Fork, AnUnacceptableOfferInThe2xxOfAReinviteIsAnsweredAndHungUp) {
  call();
  receive(response(200, "one", sdp));
  agent_.handle(Reinvite{.kind = Reinvite::Kind::Offerless}, now_);
  const auto reinvite = drain().at(0);
  ASSERT_EQ(reinvite.method(), Method::Invite);
  const auto sent = receive(response_to(reinvite, 200, "one", "junk"));
  EXPECT_THAT(methods(sent), ElementsAre("ACK one", "BYE one"));
  EXPECT_TRUE(session_description(sent[0]));
}

TEST_F(Fork, A2xxWithoutContactIsAcknowledgedAndReported) {
  call();
  auto success = response(200, "one", sdp);
  success.remove("Contact");
  EXPECT_THAT(methods(receive(success)), ElementsAre("ACK one"));
  EXPECT_FALSE(events<Violation>().empty());
}

TEST_F(Fork, DialogsOfOneInviteHaveALimit) {
  call();
  // 32 forks: one more gets no dialog, hence no ACK.
  for (int i = 0; i < 32; ++i)
    EXPECT_FALSE(receive(response(200, "t" + std::to_string(i), sdp)).empty()) << i;
  EXPECT_THAT(receive(response(200, "t32", sdp)), IsEmpty());
}

TEST_F(Fork, ACancelledCallHangsUpEveryLateAnswer) {
  call();
  receive(response(180, "one"));
  agent_.handle(Cancel{}, now_);
  EXPECT_THAT(methods(drain()), ElementsAre("CANCEL "));
  EXPECT_THAT(methods(receive(response(200, "one", sdp))), ElementsAre("ACK one", "BYE one"));
  EXPECT_THAT(methods(receive(response(200, "two", sdp))), ElementsAre("ACK two", "BYE two"));
  pass(100s);
  EXPECT_EQ(agent_.live_calls(), 0U);
  EXPECT_EQ(agent_.live_transactions(), 0U);
}

// 8.1.3.4, 17.1.1.3: the ACK of a failure has the Route of the INVITE; the 2xx's ACK the dialog's.
TEST_F(Fork, TheAckFollowsTheRecordRoute) {
  call();
  auto success = response(200, "one", sdp);
  success.add("Record-Route", "<sip:192.0.2.8;lr>, <sip:192.0.2.7;lr>");
  const auto sent = receive(success);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].raw(HeaderId::Route), "<sip:192.0.2.7;lr>");
  EXPECT_EQ(sent[0].request_uri(), "sip:one@192.0.2.9");
}

// RFC 6228 4
TEST_F(Fork, An199OfAnUnknownDialogSaysNothing) {
  call();
  receive(response(199, "one"));
  EXPECT_EQ(agent_.session(0), nullptr);
}

TEST_F(Fork, A199EndsItsEarlyDialogAndNoOther) {
  call();
  receive(response(183, "one"));
  receive(response(183, "two"));
  EXPECT_THAT(receive(response(199, "one")), IsEmpty()) << "neither BYE nor CANCEL";
  // RFC 6228 7: as after a final response, a request in it gets 481.
  auto update = Message::request("UPDATE", "sip:sipassay@192.0.2.1");
  update.add("Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKu");
  update.add("Max-Forwards", "70");
  update.add("From", "<sip:somebody@192.0.2.9>;tag=one");
  update.add("To", std::string(invite_.raw(HeaderId::From)));
  update.add("Call-ID", invite_.raw(HeaderId::CallId));
  update.add("CSeq", "1 UPDATE");
  update.add("Contact", "<sip:one@192.0.2.9>");
  update.set_body({}, {});
  const auto refused = receive(update);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].status(), 481);
  const auto acks = receive(response(200, "two", sdp));
  ASSERT_EQ(acks.size(), 1U);
  EXPECT_EQ(acks[0].method(), Method::Ack);
  EXPECT_EQ(agent_.session(0)->id().remote_tag, "two");
  EXPECT_EQ(agent_.session(0)->session_state(), session::SessionState::Confirmed);
}

TEST_F(Fork, AReliable199IsAcknowledgedAndThenNothingIsSent) {
  call();
  receive(response(183, "one"));
  const auto pracks = receive(reliable(response(199, "one"), 1));
  ASSERT_EQ(pracks.size(), 1U);
  EXPECT_EQ(pracks[0].method(), Method::Prack);
  agent_.handle(SendInfo{0, {}, {"text/plain", "x", {}}}, now_);
  EXPECT_THAT(drain(), IsEmpty());
  // Of a dialog that was not known, too.
  EXPECT_EQ(receive(reliable(response(199, "two"), 1)).at(0).method(), Method::Prack);
}

TEST_F(Fork, A2xxAfterA199IsAcknowledgedAndHungUp) {
  call();
  receive(response(183, "one"));
  receive(response(199, "one"));
  const auto sent = receive(response(200, "one", sdp));
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].method(), Method::Ack);
  EXPECT_EQ(sent[1].method(), Method::Bye);
}

// RFC 5407 E: between the first 2xx and Timer M.
TEST_F(Fork, AReliable180OfAnotherForkBehindThe2xxIsAcknowledged) {
  call();
  receive(response(200, "one", sdp));
  const auto sent = receive(reliable(response(180, "two"), 7));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].method(), Method::Prack);
  EXPECT_EQ(sent[0].get<To>()->tag(), "two");
  EXPECT_EQ(agent_.session(0)->id().remote_tag, "one");
  // A late copy for the dialog that is confirmed says nothing.
  EXPECT_THAT(receive(response(180, "one")), IsEmpty());
  EXPECT_EQ(agent_.session(0)->session_state(), session::SessionState::Confirmed);
}

}  // namespace
}  // namespace sipassay::agent
