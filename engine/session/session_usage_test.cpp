// Requests beside INVITE: INFO, MESSAGE, NOTIFY, REFER, OPTIONS, unknown ones; their CSeq order.
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

testing::Who other(testing::Who who) {
  return who == Caller ? Callee : Caller;
}

TEST(InDialog, RequestsFromEitherSideAreDeliveredOnce) {
  for (const auto who : {Caller, Callee}) {
    Established pair;
    const std::pair<SessionDialog::Result, Deliver::What> requests[] = {
        {pair.side(who).info({}), Deliver::What::Info},
        {pair.side(who).message({.body = {"text/plain", "hi", {}}}), Deliver::What::Message},
        {pair.side(who).refer("sip:carol@example.com", {}, pair.now()), Deliver::What::Refer},
        {pair.side(who).request("OPTIONS"), Deliver::What::Options},
        {pair.side(who).request("FOO"), Deliver::What::Other},
    };
    for (const auto& [request, what] : requests) {
      ASSERT_TRUE(request);
      pair.log(other(who)).clear();
      const auto id = pair.send(who, *request);
      pair.settle();
      ASSERT_EQ(pair.count<Deliver>(other(who)), 1U);
      EXPECT_EQ(pair.newest<Deliver>(other(who))->what, what);
      EXPECT_TRUE(pair.reply(other(who), id, {.status = 200}));
      EXPECT_EQ(pair.reply(other(who), id, {.status = 200}).error().code,
                SessionErrorCode::UnknownTransaction);
      pair.settle();
      EXPECT_EQ(pair.statuses(id), (std::vector<int>{200}));
      EXPECT_EQ(pair.side(who).signaling_state(), SignalingState::Stable);
    }
  }
}

TEST(InDialog, InfoAndUpdateWorkEarlyTheOthersDoNot) {
  SessionPair pair({});
  pair.reply(Callee, invite, {.status = 180});
  pair.settle();
  for (const auto who : {Caller, Callee}) {
    EXPECT_TRUE(pair.side(who).info({}));
    EXPECT_TRUE(pair.side(who).update({}));
    EXPECT_EQ(pair.side(who).message({}).error().code, SessionErrorCode::NotConfirmed);
    EXPECT_EQ(pair.side(who).notify({}).error().code, SessionErrorCode::NotConfirmed);
    EXPECT_EQ(pair.side(who).refer("sip:c@d", {}, pair.now()).error().code,
              SessionErrorCode::NotConfirmed);
    EXPECT_EQ(pair.side(who).invite({}, pair.now()).error().code, SessionErrorCode::NotConfirmed);
  }
}

TEST(InDialog, NothingIsSentBeforeTheDialogExists) {
  SessionPair pair({});
  EXPECT_EQ(pair.callee().info({}).error().code, SessionErrorCode::NotConfirmed);
  EXPECT_EQ(pair.callee().bye().error().code, SessionErrorCode::NotConfirmed);
}

TEST(InDialog, ALowerOrEqualNumberGets500AndIsNotDelivered) {
  Established pair;
  const Message first = *pair.caller().info({});
  const auto one = pair.send(Caller, first);
  pair.settle();
  const auto equal = pair.send(Caller, first);
  Message lower = first;
  lower.set("CSeq", "3 INFO");
  const auto low = pair.send(Caller, lower);
  pair.settle();
  EXPECT_EQ(pair.statuses(equal), (std::vector<int>{500}));
  EXPECT_EQ(pair.statuses(low), (std::vector<int>{500}));
  EXPECT_FALSE(pair.response(low).has(HeaderId::RetryAfter));
  EXPECT_TRUE(pair.has_violation(Callee, "cseq-repeated"));
  EXPECT_EQ(pair.count<Deliver>(Callee), 1U);
  EXPECT_TRUE(pair.reply(Callee, one, {.status = 200}));
}

TEST(InDialog, AGapUpwardsIsFineAndARejectedNumberIsUsed) {
  Established pair;
  Message request = *pair.caller().info({});
  request.set("CSeq", "1000 INFO");
  const auto id = pair.send(Caller, request);
  pair.settle();
  EXPECT_EQ(pair.count<Deliver>(Callee), 1U);
  pair.reply(Callee, id, {.status = 403});
  EXPECT_EQ(pair.callee().dialog().remote_cseq(), 1000U);
}

TEST(InDialog, PendingRequestsHaveALimit) {
  Established pair;
  for (std::size_t i = 0; i < pending_requests_max; ++i) pair.send(Caller, pair.caller().info({}));
  pair.settle();
  EXPECT_EQ(pair.count<Deliver>(Callee), pending_requests_max);
  const auto id = pair.send(Caller, pair.caller().info({}));
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{500}));
}

// RFC 3261 15.1.1: for who has sent it the session is over, so that a BYE is never one too many.
TEST(InDialog, AByeIsTakenHoweverManyRequestsArePending) {
  Established pair;
  for (std::size_t i = 0; i < pending_requests_max; ++i) pair.send(Caller, pair.caller().info({}));
  const auto id = pair.send(Caller, pair.caller().bye());
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{200}));
  EXPECT_TRUE(pair.callee().is_finished());
}

TEST(InDialog, OnlyA100MayPrecedeTheFinalOfANonInvite) {
  Established pair;
  const auto id = pair.send(Caller, pair.caller().info({}));
  pair.settle();
  EXPECT_EQ(pair.reply(Callee, id, {.status = 180}).error().code, SessionErrorCode::WrongStatus);
  EXPECT_TRUE(pair.reply(Callee, id, {.status = 100}));
  EXPECT_TRUE(pair.reply(Callee, id, {.status = 200}));
}

TEST(InDialog, PendingOnesAreAnsweredWhenTheSessionEnds) {
  Established pair;
  const auto id = pair.send(Caller, pair.caller().info({}));
  pair.settle();
  pair.send(Caller, pair.caller().bye());
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{487}));
}

TEST(InDialog, SdpInAnInfoIsNeitherOfferNorAnswer) {
  Established pair;
  const auto id = pair.send(Caller, pair.caller().info({.body = sdp_body(9)}));
  pair.settle();
  EXPECT_TRUE(pair.reply(Callee, id, {.status = 200}));
  EXPECT_EQ(pair.callee().offer()->octets, sdp_text(1));
  EXPECT_EQ(pair.count<Violation>(Callee), 0U);
}

TEST(InDialog, ADigestRetryOfAnyRequestKeepsNumbersContiguous) {
  Established pair;
  const Message info = *pair.caller().info({});
  const Message again = *pair.caller().retry(info);
  const Message next = *pair.caller().info({});
  EXPECT_EQ(again.get<CSeq>()->number, info.get<CSeq>()->number + 1);
  EXPECT_EQ(next.get<CSeq>()->number, info.get<CSeq>()->number + 2);
}

TEST(InDialog, UpdateAndPrackRetriesAreRecognised) {
  Established pair;
  const Message update = *pair.caller().update({.body = sdp_body(5)});
  const Message again = *pair.caller().retry(update);
  Message ok = pair.callee().make_response(again, 200);
  ok.add("Contact", "<sip:bob@127.0.0.1:5080>").set_body("application/sdp", sdp_text(6));
  pair.caller().receive_response(again, ok, pair.now());
  EXPECT_EQ(pair.caller().signaling_state(), SignalingState::Stable);
  EXPECT_EQ(pair.caller().answer()->octets, sdp_text(6));
}

// --- INFO (RFC 6086)

TEST(Info, AnUnwillingPackageGets469WithRecvInfo) {
  Established pair({.callee = {.recv_info = {"g.one", "g.two"}}});
  const auto id =
      pair.send(Caller, pair.caller().request("INFO", {.headers = {{"Info-Package", "g.three"}},
                                                       .body = {"text/plain", "x", {}}}));
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{469}));
  EXPECT_EQ(pair.response(id).raw(HeaderId::RecvInfo), "g.one, g.two");
  EXPECT_EQ(pair.caller().session_state(), SessionState::Confirmed);
}

TEST(Info, AWillingPackageIsDelivered) {
  Established pair({.headers = {{"Recv-Info", ""}}, .callee = {.recv_info = {"g.one"}}});
  const auto id = pair.send(Caller, pair.caller().info({.body = {"text/plain", "x", {}}}, "g.one"));
  pair.settle();
  const auto* came = pair.newest<Deliver>(Callee);
  ASSERT_NE(came, nullptr);
  EXPECT_EQ(came->request.get<InfoPackage>()->package, "g.one");
  EXPECT_EQ(came->request.raw(HeaderId::ContentDisposition), "Info-Package");
  EXPECT_TRUE(pair.reply(Callee, id, {.status = 200}));
}

TEST(Info, APackageThatThePeerHasNotListedIsNotSent) {
  Established pair({.headers = {{"Recv-Info", "g.a"}}, .callee = {.recv_info = {"g.one"}}});
  EXPECT_EQ(pair.caller().info({}, "G.One").error().code, SessionErrorCode::PackageNotListed);
  EXPECT_EQ(pair.callee().info({}, "g.one").error().code, SessionErrorCode::PackageNotListed);
  EXPECT_TRUE(pair.callee().info({}, "g.a"));
  EXPECT_TRUE(pair.caller().info({}, "g.one"));
}

TEST(Info, LegacyOnesAreDelivered) {
  Established pair;
  pair.send(Caller, pair.caller().info({.body = {"application/dtmf-relay", "Signal=1", {}}}));
  pair.settle();
  EXPECT_EQ(pair.newest<Deliver>(Callee)->what, Deliver::What::Info);
}

TEST(Info, PackagesAreLearntFromInviteAnd2xx) {
  Established pair({.headers = {{"Recv-Info", "g.a, g.b"}}, .callee = {.recv_info = {"g.c"}}});
  EXPECT_EQ(pair.callee().peer_recv_info(), (std::vector<std::string>{"g.a", "g.b"}));
  EXPECT_EQ(pair.caller().peer_recv_info(), (std::vector<std::string>{"g.c"}));
  const auto id = pair.send(Caller, pair.caller().update({.headers = {{"Recv-Info", "g.z"}}}));
  pair.settle();
  pair.reply(Callee, id, {.status = 403});
  EXPECT_EQ(pair.callee().peer_recv_info(), (std::vector<std::string>{"g.a", "g.b"}))
      << "RFC 6086 5.2.4";
  pair.settle();
  const auto next = pair.send(Caller, pair.caller().update({.headers = {{"Recv-Info", "g.z"}}}));
  pair.settle();
  pair.reply(Callee, next, {.status = 200});
  EXPECT_EQ(pair.callee().peer_recv_info(), (std::vector<std::string>{"g.z"}));
}

// --- REFER and its subscription

struct Referred : Established {
  TransactionId refer = 0;
  std::uint32_t cseq = 0;

  explicit Referred(Options options = {}) : Established(std::move(options)) { again(); }

  void again() {
    const Message request = *caller().refer("sip:carol@example.com", {}, now());
    cseq = request.get<CSeq>()->number;
    refer = send(Caller, request);
    settle();
    ASSERT_TRUE(reply(Callee, refer, {.status = 200}));
    settle();
  }
  // RFC 3515 3.10: a second after the NOTIFY before.
  void progress(std::string_view line) {
    ASSERT_TRUE(callee().notify(cseq, line, now()));
    pass(1s);
    settle();
  }
  const Message& last_notify() { return newest<Deliver>(Caller)->request; }
};

TEST(Refer, A2xxMakesASubscriptionWithANotifyAtOnce) {
  Referred pair;
  EXPECT_EQ(pair.caller().live_subscriptions(), 1U);
  EXPECT_EQ(pair.callee().live_subscriptions(), 1U);
  ASSERT_NE(pair.newest<Deliver>(Caller), nullptr);
  const Message& notify = pair.last_notify();
  EXPECT_EQ(notify.method(), Method::Notify);
  EXPECT_EQ(notify.raw(HeaderId::Event), "refer");
  EXPECT_EQ(notify.raw(HeaderId::SubscriptionState), "active;expires=60");
  EXPECT_TRUE(notify.get<ContentType>()->is("message", "sipfrag"));
  EXPECT_EQ(notify.body(), "SIP/2.0 100 Trying\r\n");
  EXPECT_TRUE(notify.has(HeaderId::Contact));
}

TEST(Refer, TheFinalNotifyEndsIt) {
  Referred pair;
  pair.pass(10s);
  pair.progress("SIP/2.0 180 Ringing");
  EXPECT_EQ(pair.last_notify().raw(HeaderId::SubscriptionState), "active;expires=50")
      << "that one went at once";
  pair.progress("SIP/2.0 200 OK");
  EXPECT_EQ(pair.last_notify().raw(HeaderId::SubscriptionState), "terminated;reason=noresource");
  EXPECT_EQ(pair.caller().live_subscriptions(), 0U);
  EXPECT_EQ(pair.callee().live_subscriptions(), 0U);
  EXPECT_EQ(pair.callee().notify(pair.cseq, "SIP/2.0 200 OK", pair.now()).error().code,
            SessionErrorCode::UnknownSubscription);
}

TEST(Refer, FromTheSecondOnTheEventHasAnId) {
  Referred pair;
  pair.again();
  EXPECT_EQ(pair.last_notify().raw(HeaderId::Event), "refer;id=" + std::to_string(pair.cseq));
  EXPECT_EQ(pair.caller().live_subscriptions(), 2U);
  pair.progress("SIP/2.0 200 OK");
  EXPECT_EQ(pair.caller().live_subscriptions(), 1U);
}

TEST(Refer, RejectedMakesNone) {
  Established pair;
  const auto id = pair.send(Caller, pair.caller().refer("sip:carol@example.com", {}, pair.now()));
  pair.settle();
  pair.reply(Callee, id, {.status = 603});
  pair.settle();
  EXPECT_EQ(pair.caller().live_subscriptions(), 0U);
  EXPECT_EQ(pair.callee().live_subscriptions(), 0U);
}

TEST(Refer, ReferSubFalseMakesNone) {
  Established pair;
  const auto id =
      pair.send(Caller, pair.caller().refer("sip:carol@example.com",
                                            {.headers = {{"Refer-Sub", "false"}}}, pair.now()));
  pair.settle();
  pair.reply(Callee, id, {.status = 200, .headers = {{"Refer-Sub", "false"}}});
  pair.settle();
  EXPECT_EQ(pair.caller().live_subscriptions(), 0U);
  EXPECT_EQ(pair.callee().live_subscriptions(), 0U);
  EXPECT_EQ(pair.count<Send>(Callee), 0U);
}

TEST(Refer, NeedsExactlyOneReferTo) {
  for (const int count : {0, 2}) {
    Established pair;
    Message request = *pair.caller().refer("sip:carol@example.com", {}, pair.now());
    request.remove("Refer-To");
    for (int i = 0; i < count; ++i) request.add("Refer-To", "<sip:carol@example.com>");
    const auto id = pair.send(Caller, request);
    pair.settle();
    EXPECT_EQ(pair.statuses(id), (std::vector<int>{400}));
    EXPECT_TRUE(pair.has_violation(Callee, "refer-to-not-one"));
  }
}

TEST(Refer, ATelUriIsDelivered) {
  Established pair;
  pair.send(Caller, pair.caller().refer("tel:+4930123", {}, pair.now()));
  pair.settle();
  ASSERT_NE(pair.newest<Deliver>(Callee), nullptr);
  EXPECT_EQ(pair.newest<Deliver>(Callee)->what, Deliver::What::Refer);
}

TEST(Refer, TheSubscriptionOutlivesTheBye) {
  Referred pair;
  pair.send(Caller, pair.caller().bye());
  pair.settle();
  EXPECT_FALSE(pair.caller().is_finished());
  EXPECT_FALSE(pair.callee().is_finished());
  pair.progress("SIP/2.0 200 OK");
  EXPECT_EQ(pair.last().status(), 200);
  EXPECT_TRUE(pair.caller().is_finished());
  EXPECT_TRUE(pair.callee().is_finished());
}

TEST(Refer, ExpiryEndsItWithANotify) {
  Referred pair;
  pair.log(Callee).clear();
  pair.pass(60s);
  ASSERT_EQ(pair.count<Send>(Callee), 1U);
  EXPECT_EQ(pair.newest<Send>(Callee)->request.raw(HeaderId::SubscriptionState),
            "terminated;reason=timeout");
  EXPECT_EQ(pair.callee().live_subscriptions(), 0U);
}

TEST(Refer, WithoutAnyNotifyTheSubscriberGivesUpAfter64T1) {
  Established pair;
  pair.send(Caller, pair.caller().refer("sip:carol@example.com", {}, pair.now()));
  pair.pass(31999ms);
  EXPECT_EQ(pair.caller().live_subscriptions(), 1U);
  pair.pass(1ms);
  EXPECT_EQ(pair.caller().live_subscriptions(), 0U);
}

TEST(Refer, A481ToTheNotifyDropsTheSubscriptionNotTheCall) {
  Referred pair;
  const Message notify = pair.last_notify();
  pair.callee().receive_response(notify, pair.caller().make_response(notify, 481), pair.now());
  EXPECT_EQ(pair.callee().live_subscriptions(), 0U);
  EXPECT_EQ(pair.callee().session_state(), SessionState::Confirmed);
}

TEST(Refer, SubscriptionsHaveALimit) {
  Established pair;
  for (std::size_t i = 0; i < subscriptions_max; ++i)
    ASSERT_TRUE(pair.caller().refer("sip:carol@example.com", {}, pair.now()));
  EXPECT_EQ(pair.caller().refer("sip:carol@example.com", {}, pair.now()).error().code,
            SessionErrorCode::TooMany);
}

TEST(Notify, ThatMatchesNothingIsRefused) {
  Referred pair;
  std::uint32_t cseq = 500;
  const auto answer = [&](std::string_view event, std::string_view state) {
    Message notify = *pair.callee().notify({});
    notify.set("CSeq", std::to_string(++cseq) + " NOTIFY");
    if (!event.empty()) notify.add("Event", event);
    if (!state.empty()) notify.add("Subscription-State", state);
    notify.set_body("message/sipfrag", "SIP/2.0 180 Ringing\r\n");
    const auto id = pair.send(Callee, notify);
    pair.settle();
    return pair.statuses(id).back();
  };
  EXPECT_EQ(answer("refer;id=77", "active"), 481);
  EXPECT_EQ(answer("presence", "active"), 489);
  EXPECT_EQ(answer("", "active"), 489);
  EXPECT_EQ(answer("refer", ""), 400);
  EXPECT_TRUE(pair.has_violation(Caller, "notify-without-subscription-state"));
  EXPECT_EQ(answer("refer", "Active;expires=30"), 200) << "tokens without case";
  EXPECT_EQ(answer("refer", "pending"), 200);
  EXPECT_EQ(pair.caller().live_subscriptions(), 1U);
  EXPECT_EQ(answer("refer", "TERMINATED;reason=noresource"), 200);
  EXPECT_EQ(answer("refer", "active"), 481);
}

TEST(Notify, WithoutSipfragIsAViolationButAnswered) {
  Referred pair;
  Message notify =
      *pair.callee().notify({.headers = {{"Event", "refer"}, {"Subscription-State", "active"}},
                             .body = {"text/plain", "ringing", {}}});
  const auto id = pair.send(Callee, notify);
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{200}));
  EXPECT_TRUE(pair.has_violation(Caller, "notify-without-sipfrag"));
}

TEST(Notify, OfOtherPackagesGoesUpIfAskedFor) {
  Established pair({.callee = {.delivers_any_notify = true}});
  pair.send(Caller,
            pair.caller().notify({.headers = {{"Event", "x"}, {"Subscription-State", "active"}}}));
  pair.settle();
  EXPECT_EQ(pair.newest<Deliver>(Callee)->what, Deliver::What::Notify);
}

TEST(SessionErrors, EachHasANameAndAClause) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(SessionErrorCode::Count); ++i) {
    const auto code = static_cast<SessionErrorCode>(i);
    EXPECT_FALSE(to_string(code).empty());
    EXPECT_EQ(session_error(code).code, code);
  }
}

}  // namespace
}  // namespace sipassay::session
