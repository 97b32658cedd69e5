// Subscriptions (RFC 6665): both machines, beside an INVITE usage and without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/session/glare.h"
#include "engine/session/session_dialog.h"
#include "engine/session/subscription.h"
#include "engine/testing/session_pair.h"

namespace sipassay::session {
namespace {

using ::testing::ElementsAre;
using testing::SessionPair;
using enum testing::Who;
using Phase = SubscriptionPhase;

Subscription subscriber(bool is_refreshed = true) {
  return Subscription({.role = SubscriptionRole::Subscriber,
                       .name = {"presence", {}, {}},
                       .expires = 600,
                       .is_refreshed = is_refreshed});
}
Subscription notifier() {
  return Subscription({.role = SubscriptionRole::Notifier, .name = {"presence", "7", {}}});
}

void receive(Subscription& subscription, std::string_view state, Instant now) {
  subscription.notify_received(SubscriptionState::parse(state).value(), now);
}

// --- the subscriber's machine

TEST(Subscriber, ANotifyEstablishesIt) {
  for (const auto& [state, phase] : {std::pair{"active;expires=60", Phase::Active},
                                     std::pair{"PENDING;expires=60", Phase::Pending},
                                     std::pair{"terminated;reason=rejected", Phase::Terminated},
                                     std::pair{"extension", Phase::Active}}) {
    auto ours = subscriber();
    ours.subscribe_sent(600, Instant{});
    EXPECT_EQ(ours.phase(), Phase::NotifyWait);
    ours.subscribe_answered(200, 600, Instant{});
    EXPECT_EQ(ours.phase(), Phase::NotifyWait) << "RFC 6665 4.4.1: not by the 2xx";
    receive(ours, state, Instant{});
    EXPECT_EQ(ours.phase(), phase) << state;
  }
}

TEST(Subscriber, TimerNEndsIt) {
  auto ours = subscriber();
  ours.subscribe_sent(600, Instant{});
  ours.subscribe_answered(200, 600, Instant{});
  EXPECT_EQ(ours.advance(Instant{} + 31999ms), Subscription::Due::Nothing);
  EXPECT_EQ(ours.advance(Instant{} + 32s), Subscription::Due::Ended);
  EXPECT_EQ(ours.phase(), Phase::Terminated);
  EXPECT_FALSE(ours.next_deadline());
}

TEST(Subscriber, RefreshesBeforeItExpires) {
  auto ours = subscriber();
  ours.subscribe_sent(600, Instant{});
  ours.subscribe_answered(200, 300, Instant{});
  receive(ours, "active", Instant{});
  EXPECT_EQ(ours.expires(Instant{}), 300U) << "shortened by the 2xx";
  EXPECT_EQ(ours.advance(Instant{} + 268s), Subscription::Due::Refresh);
  receive(ours, "active;expires=20", Instant{} + 270s);
  EXPECT_EQ(ours.next_deadline(), Instant{} + 280s) << "expires of a NOTIFY is authoritative";
}

TEST(Subscriber, AnotherFailureOfTheRefreshLeavesIt) {
  auto ours = subscriber(false);
  ours.subscribe_sent(600, Instant{});
  receive(ours, "active;expires=600", Instant{});
  ours.subscribe_sent(600, Instant{} + 100s);
  ours.subscribe_answered(500, {}, Instant{} + 100s);
  EXPECT_EQ(ours.phase(), Phase::Active);
  EXPECT_EQ(ours.next_deadline(), Instant{} + 600s) << "and Timer N is off";
  EXPECT_EQ(ours.advance(Instant{} + 600s), Subscription::Due::Ended);
}

TEST(Subscriber, TheseRefusalsOfTheRefreshEndIt) {
  for (const int status : {404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604}) {
    auto ours = subscriber();
    ours.subscribe_sent(600, Instant{});
    receive(ours, "active;expires=600", Instant{});
    ours.subscribe_sent(600, Instant{} + 1s);
    ours.subscribe_answered(status, {}, Instant{} + 1s);
    EXPECT_TRUE(ours.is_over()) << status;
  }
}

TEST(Subscriber, A204StopsTimerN) {
  auto ours = subscriber(false);
  ours.subscribe_sent(600, Instant{});
  receive(ours, "active;expires=600", Instant{});
  ours.subscribe_sent(600, Instant{} + 100s);
  ours.subscribe_answered(204, 600, Instant{} + 100s);
  EXPECT_EQ(ours.advance(Instant{} + 132s), Subscription::Due::Nothing);
  EXPECT_FALSE(ours.is_over());
}

TEST(Subscriber, ExpiresOfATerminatedNotifyMeansNothing) {
  auto ours = subscriber();
  ours.subscribe_sent(600, Instant{});
  receive(ours, "terminated;reason=noresource;expires=300;retry-after=5", Instant{});
  EXPECT_TRUE(ours.is_over());
  EXPECT_FALSE(ours.next_deadline());
  EXPECT_EQ(ours.reason(), "noresource");
  EXPECT_EQ(ours.retry_after(), 5U);
}

TEST(Subscriber, TheReasonSaysWhetherItTriesAgain) {
  EXPECT_EQ(resubscribe_after("deactivated", 5), Duration{}) << "retry-after means nothing here";
  EXPECT_EQ(resubscribe_after("Probation", 5), Duration(5s));
  EXPECT_EQ(resubscribe_after("giveup", 7), Duration(7s));
  EXPECT_EQ(resubscribe_after("timeout", 7), Duration{});
  EXPECT_EQ(resubscribe_after("nosuch", 9), Duration(9s));
  EXPECT_EQ(resubscribe_after("", 9), Duration(9s));
  EXPECT_GT(resubscribe_after("probation", {}), Duration(1s));
  for (const auto never : {"rejected", "noresource", "invariant"})
    EXPECT_FALSE(resubscribe_after(never, 1)) << never;
}

// --- the notifier's machine

std::string notify(Subscription& ours, Instant now) {
  if (!ours.owes_notify(now)) return "nothing";
  Message message = Message::request("NOTIFY", "sip:x");
  ours.fill_notify(message, now);
  return std::string(message.raw(HeaderId::SubscriptionState)) + "|" + std::string(message.body());
}

TEST(Notifier, NotifiesAtOnceAndShowsNothingBeforeItIsGranted) {
  auto ours = notifier();
  ours.set_state({"text/plain", "secret", {}}, Instant{});
  ours.accepted(60, false, Instant{});
  EXPECT_EQ(notify(ours, Instant{}), "pending;expires=60|");
  EXPECT_EQ(notify(ours, Instant{}), "nothing");
  ours.grant(Instant{} + 10s);
  EXPECT_EQ(notify(ours, Instant{} + 10s), "active;expires=50|secret");
  ours.set_state({"text/plain", "news", {}}, Instant{} + 20s);
  EXPECT_EQ(notify(ours, Instant{} + 20s), "active;expires=40|news");
}

TEST(Notifier, ARefreshIsConfirmedByANotify) {
  auto ours = notifier();
  ours.accepted(60, true, Instant{});
  notify(ours, Instant{});
  ours.accepted(90, true, Instant{} + 30s);
  EXPECT_EQ(notify(ours, Instant{} + 30s), "active;expires=90|");
}

TEST(Notifier, ExpiresZeroEndsItWithTimeout) {
  auto ours = notifier();
  ours.accepted(60, true, Instant{});
  notify(ours, Instant{});
  ours.accepted(0, true, Instant{} + 1s);
  EXPECT_TRUE(ours.is_over());
  EXPECT_FALSE(ours.is_finished()) << "the last NOTIFY is owed";
  EXPECT_EQ(notify(ours, Instant{} + 1s), "terminated;reason=timeout|");
  EXPECT_TRUE(ours.is_finished());
}

TEST(Notifier, AFetchGetsTheState) {
  auto ours = notifier();
  ours.set_state({"text/plain", "state", {}}, Instant{});
  ours.accepted(0, true, Instant{});
  EXPECT_EQ(notify(ours, Instant{}), "terminated;reason=timeout|state");
  EXPECT_TRUE(ours.is_finished());
}

TEST(Notifier, AFetchThatIsNotGrantedGetsNone) {
  auto ours = notifier();
  ours.set_state({"text/plain", "secret", {}}, Instant{});
  ours.accepted(0, false, Instant{});
  EXPECT_EQ(notify(ours, Instant{}), "terminated;reason=timeout|");
}

TEST(Notifier, ExpiryAndPolicySayWhy) {
  auto ours = notifier();
  ours.accepted(60, true, Instant{});
  notify(ours, Instant{});
  EXPECT_EQ(ours.advance(Instant{} + 60s), Subscription::Due::Ended);
  EXPECT_EQ(notify(ours, Instant{} + 60s), "terminated;reason=timeout|");
  auto other = notifier();
  other.accepted(60, false, Instant{});
  notify(other, Instant{});
  other.finish("probation", 5, Instant{} + 1s);
  EXPECT_EQ(notify(other, Instant{} + 1s), "terminated;reason=probation;retry-after=5|");
}

TEST(Notifier, TheseRefusalsOfANotifyDropItWithoutAWord) {
  for (const int status : {0, 404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604}) {
    auto ours = notifier();
    ours.accepted(60, true, Instant{});
    notify(ours, Instant{});
    ours.notify_answered(status);
    EXPECT_TRUE(ours.is_finished()) << status;
    EXPECT_FALSE(ours.next_deadline());
  }
  auto ours = notifier();
  ours.accepted(60, true, Instant{});
  ours.notify_answered(500);
  EXPECT_FALSE(ours.is_over());
}

TEST(Notifier, NewsWaitsForItsTurnConfirmationsDoNot) {
  Subscription ours(
      {.role = SubscriptionRole::Notifier, .name = {"presence", {}, {}}, .notify_interval = 5s});
  ours.accepted(60, true, Instant{});
  notify(ours, Instant{});
  ours.set_state({"text/plain", "one", {}}, Instant{} + 1s);
  ours.set_state({"text/plain", "two", {}}, Instant{} + 2s);
  EXPECT_EQ(notify(ours, Instant{} + 2s), "nothing");
  EXPECT_EQ(ours.next_deadline(), Instant{} + 5s);
  EXPECT_EQ(notify(ours, Instant{} + 5s), "active;expires=55|two");
  ours.accepted(60, true, Instant{} + 6s);
  EXPECT_EQ(notify(ours, Instant{} + 6s), "active;expires=60|two");
}

TEST(SubscriptionTables, HaveARowForEveryArrow) {
  EXPECT_GE(subscription_tables().size(), 38U);
}

// --- names

TEST(EventName, IsComparedByteByByte) {
  const auto names = [](std::string_view ours, std::string_view theirs) {
    return event_name(Event::parse(ours).value()).is_named_by(Event::parse(theirs).value());
  };
  EXPECT_TRUE(names("presence", "presence;foo=bar"));
  EXPECT_TRUE(names("presence;id=a", "presence;x=y;id=a"));
  EXPECT_FALSE(names("presence", "Presence"));
  EXPECT_FALSE(names("presence", "presence.winfo"));
  EXPECT_FALSE(names("presence;id=a", "presence;id=A"));
  EXPECT_FALSE(names("presence;id=a", "presence"));
  EXPECT_FALSE(names("presence", "presence;id=a"));
}

TEST(EventName, OfTheFirstReferMayHaveItsCSeqOrNot) {
  const EventName first{"refer", std::nullopt, 12};
  EXPECT_TRUE(first.is_named_by(Event::parse("refer").value()));
  EXPECT_TRUE(first.is_named_by(Event::parse("refer;id=12").value()));
  EXPECT_FALSE(first.is_named_by(Event::parse("refer;id=13").value()));
}

// --- beside the INVITE usage

struct Call : SessionPair {
  explicit Call(Options options = {}) : SessionPair(std::move(options)) { establish(); }

  TransactionId subscribe(std::string event, std::uint32_t expires = 60) {
    const auto request = caller().subscribe({.event = std::move(event), .expires = expires}, now());
    EXPECT_TRUE(request);
    const auto id = send(Caller, request);
    settle();
    return id;
  }
  void accept(TransactionId id, std::uint32_t expires, std::string state = "on") {
    EXPECT_TRUE(reply(Callee, id,
                      {.status = 200,
                       .subscription = Granted{.expires = expires,
                                               .state = {"text/plain", std::move(state), {}}}}));
    settle();
  }
  std::vector<std::string> notified() {
    std::vector<std::string> out;
    collect();
    for (const auto& output : log(Callee))
      if (const auto* sent = std::get_if<Send>(&output))
        out.push_back(std::string(sent->request.raw(HeaderId::Event)) + " " +
                      std::string(sent->request.raw(HeaderId::SubscriptionState)));
    return out;
  }
};

SessionPair::Options knows_presence() {
  return {.caller = {.event_packages = {"presence"}}, .callee = {.event_packages = {"presence"}}};
}

TEST(Shared, ASubscriptionLivesInTheDialogOfACall) {
  Call pair(knows_presence());
  const auto id = pair.subscribe("presence;id=7");
  ASSERT_NE(pair.newest<Deliver>(Callee), nullptr);
  EXPECT_EQ(pair.newest<Deliver>(Callee)->what, Deliver::What::Subscribe);
  EXPECT_FALSE(pair.newest<Deliver>(Callee)->is_refresh);
  pair.accept(id, 60);
  EXPECT_EQ(pair.response(id).raw(HeaderId::Expires), "60");
  EXPECT_TRUE(pair.response(id).has(HeaderId::Contact));
  EXPECT_THAT(pair.notified(), ElementsAre("presence;id=7 active;expires=60"));
  EXPECT_EQ(pair.newest<SubscriptionChanged>(Caller)->phase, Phase::Active);
  // RFC 5057 5.5: neither ends the other.
  pair.send(Caller, pair.caller().bye());
  pair.settle();
  EXPECT_EQ(pair.caller().session_state(), SessionState::Terminated);
  EXPECT_FALSE(pair.caller().is_finished());
  pair.accept(pair.subscribe("presence;id=7", 0), 0);
  EXPECT_TRUE(pair.caller().is_finished());
  EXPECT_TRUE(pair.callee().is_finished());
}

TEST(Shared, SubscriptionsInOneDialogAreIndependent) {
  Call pair(knows_presence());
  pair.accept(pair.subscribe("presence;id=1"), 60);
  pair.accept(pair.subscribe("presence;id=2"), 60);
  EXPECT_EQ(pair.callee().live_subscriptions(), 2U);
  const auto id = pair.subscribe("presence;id=1", 0);
  EXPECT_TRUE(pair.newest<Deliver>(Callee)->is_refresh);
  pair.accept(id, 0);
  EXPECT_EQ(pair.callee().live_subscriptions(), 1U);
  EXPECT_EQ(pair.caller().live_subscriptions(), 1U);
  EXPECT_EQ(pair.caller().session_state(), SessionState::Confirmed);
}

TEST(Shared, TheSubscriberRefreshesByItself) {
  Call pair(knows_presence());
  pair.accept(pair.subscribe("presence"), 60);
  pair.log(Caller).clear();
  pair.pass(30s);
  ASSERT_EQ(pair.count<Send>(Caller), 1U);
  const auto& again = pair.newest<Send>(Caller)->request;
  EXPECT_EQ(again.method(), Method::Subscribe);
  EXPECT_EQ(again.raw(HeaderId::Event), "presence");
  EXPECT_EQ(again.raw(HeaderId::Expires), "60");
}

TEST(Shared, A423IsTriedAgainWithMinExpires) {
  Call pair(knows_presence());
  pair.accept(pair.subscribe("presence"), 60);
  const auto id = pair.subscribe("presence", 10);
  pair.log(Caller).clear();
  pair.reply(Callee, id, {.status = 423, .headers = {{"Min-Expires", "90"}}});
  pair.settle();
  ASSERT_EQ(pair.count<Send>(Caller), 1U);
  EXPECT_EQ(pair.newest<Send>(Caller)->request.raw(HeaderId::Expires), "90");
  EXPECT_EQ(pair.caller().live_subscriptions(), 1U);
}

TEST(Shared, A423IsFollowedSoOftenAndNoMore) {
  Call pair(knows_presence());
  pair.accept(pair.subscribe("presence"), 60);
  pair.log(Caller).clear();
  Message asked = *pair.caller().subscribe({.event = "presence", .expires = 10}, pair.now());
  for (unsigned i = 0; i <= retries_max; ++i) {
    auto refusal = pair.callee().make_response(asked, 423);
    refusal.add(HeaderId::MinExpires, std::to_string(11 + i));
    pair.caller().receive_response(asked, refusal, pair.now());
    EXPECT_EQ(pair.count<Send>(Caller), std::min(i + 1, retries_max));
    asked = pair.newest<Send>(Caller)->request;
  }
}

TEST(Shared, ARefusedSubscribeMakesNone) {
  Call pair(knows_presence());
  const auto id = pair.subscribe("presence");
  pair.reply(Callee, id, {.status = 403});
  pair.settle();
  EXPECT_EQ(pair.caller().live_subscriptions(), 0U);
  EXPECT_EQ(pair.callee().live_subscriptions(), 0U);
  EXPECT_EQ(pair.caller().session_state(), SessionState::Confirmed);
}

TEST(Shared, A2xxMustSayWhatIsGranted) {
  Call pair(knows_presence());
  const auto id = pair.subscribe("presence");
  EXPECT_EQ(pair.reply(Callee, id, {.status = 200}).error().code, SessionErrorCode::WrongStatus);
}

TEST(Shared, NeverWithADialogWhoseTargetIsAGruu) {
  Call pair(knows_presence());
  Message update = *pair.callee().update({.headers = {{"Contact", "<sip:bob@127.0.0.1;gr=x>"}}});
  const auto id = pair.send(Callee, update);
  pair.settle();
  pair.reply(Caller, id, {.status = 200});
  EXPECT_EQ(pair.caller().subscribe({.event = "presence", .expires = 60}, pair.now()).error().code,
            SessionErrorCode::DialogNotShared);
}

TEST(Shared, ASubscribeWithoutEventGets489) {
  Call pair(knows_presence());
  const auto id = pair.send(Caller, pair.caller().request("SUBSCRIBE"));
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{489}));
  EXPECT_EQ(pair.response(id).raw(HeaderId::AllowEvents), "presence");
}

TEST(Shared, ANotifyOfAKnownPackageWithoutSubscriptionGets481) {
  Call pair(knows_presence());
  const auto id = pair.send(
      Callee,
      pair.callee().notify({.headers = {{"Event", "presence"}, {"Subscription-State", "active"}}}));
  pair.settle();
  EXPECT_EQ(pair.statuses(id), (std::vector<int>{481}));
}

TEST(Shared, ATargetRefreshOfEitherSideCounts) {
  Call pair(knows_presence());
  const auto id = pair.send(
      Caller,
      pair.caller().subscribe({.event = "presence",
                               .expires = 60,
                               .request = {.headers = {{"Contact", "<sip:alice@127.0.0.1:5099>"}}}},
                              pair.now()));
  pair.settle();
  pair.accept(id, 60);
  EXPECT_EQ(pair.callee().dialog().remote_target(), "sip:alice@127.0.0.1:5099");
}

TEST(Shared, A404ToTheRefreshEndsTheDialogWithAllItsUsages) {
  Call pair(knows_presence());
  pair.accept(pair.subscribe("presence"), 60);
  const auto id = pair.subscribe("presence");
  pair.reply(Callee, id, {.status = 404});
  pair.settle();
  EXPECT_TRUE(pair.caller().is_finished());
}

TEST(Shared, A481ToTheRefreshEndsTheSubscriptionOnly) {
  Call pair(knows_presence());
  pair.accept(pair.subscribe("presence"), 60);
  const auto id = pair.subscribe("presence");
  pair.reply(Callee, id, {.status = 481});
  pair.settle();
  EXPECT_EQ(pair.caller().live_subscriptions(), 0U);
  EXPECT_EQ(pair.caller().session_state(), SessionState::Confirmed);
}

// --- a dialog without INVITE usage

Message out_of_dialog(std::string_view method) {
  Message request = Message::request(method, "sip:bob@127.0.0.1:5080");
  request.add("Via", "SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKsubscribe");
  request.add("Max-Forwards", "70");
  request.add("From", "<sip:alice@example.com>;tag=a");
  request.add("To", "<sip:bob@example.com>");
  request.add("Call-ID", "subscription-1");
  request.add("CSeq", "20 " + std::string(method));
  request.add("Contact", "<sip:alice@127.0.0.1:5070>");
  return request;
}

struct Alone {
  static SessionDialog make_notifier(const Message& request) {
    Settings settings;
    settings.contact = "<sip:bob@127.0.0.1:5080>";
    return {ReceivedRequest{request, 1}, dialog::Dialog::from_request(request, "b").value(),
            settings, Rng(1), Instant{}};
  }
  static SessionDialog make_subscriber(const Message& request, const Message& notify) {
    Settings settings;
    settings.contact = "<sip:alice@127.0.0.1:5070>";
    return {SentRequest{request}, dialog::Dialog::from_notify(request, notify).value(), settings,
            Rng(2), Instant{}};
  }
};

template <class T>
std::optional<T> take(SessionDialog& dialog) {
  while (auto output = dialog.poll())
    if (auto* found = std::get_if<T>(&*output)) return std::move(*found);
  return std::nullopt;
}

TEST(Alone, SubscribeNotifyRefreshUnsubscribe) {
  Message subscribe = out_of_dialog("SUBSCRIBE");
  subscribe.add("Event", "presence").add("Expires", "600");
  auto notifier = Alone::make_notifier(subscribe);
  EXPECT_EQ(notifier.session_state(), SessionState::Terminated) << "there is no INVITE usage";
  ASSERT_EQ(take<Deliver>(notifier)->what, Deliver::What::Subscribe);
  ASSERT_TRUE(
      notifier.reply(1, {.status = 200, .subscription = Granted{.expires = 600}}, Instant{}));
  EXPECT_EQ(take<Reply>(notifier)->response.get<To>()->tag(), "b");
  auto notify = take<Send>(notifier)->request;
  EXPECT_EQ(notify.request_uri(), "sip:alice@127.0.0.1:5070");
  notify.add("Record-Route", "<sip:one@127.0.0.1;lr>, <sip:two@127.0.0.1;lr>");

  auto subscriber = Alone::make_subscriber(subscribe, notify);
  EXPECT_EQ(subscriber.dialog().route_set().front(), "<sip:one@127.0.0.1;lr>")
      << "RFC 6665 4.4.1: of the NOTIFY, in its order";
  subscriber.receive_request(notify, 5, Instant{});
  EXPECT_EQ(take<Reply>(subscriber)->response.status(), 200);
  EXPECT_EQ(subscriber.live_subscriptions(), 1U);
  EXPECT_EQ(subscriber.bye({}).error().code, SessionErrorCode::Terminated);

  const auto last = subscriber.subscribe({.event = "presence", .expires = 0}, Instant{});
  ASSERT_TRUE(last);
  EXPECT_EQ(last->get<CSeq>()->number, 21U) << "after the SUBSCRIBE that made the dialog";
  notifier.receive_request(*last, 2, Instant{});
  EXPECT_TRUE(take<Deliver>(notifier)->is_refresh);
  ASSERT_TRUE(notifier.reply(2, {.status = 200, .subscription = Granted{.expires = 0}}, Instant{}));
  notify = take<Send>(notifier)->request;
  EXPECT_EQ(notify.raw(HeaderId::SubscriptionState), "terminated;reason=timeout");
  EXPECT_FALSE(take<Send>(notifier));
  EXPECT_TRUE(notifier.is_finished());
  subscriber.receive_request(notify, 6, Instant{});
  EXPECT_EQ(take<Reply>(subscriber)->response.status(), 200);
  while (subscriber.poll()) {
  }
  EXPECT_TRUE(subscriber.is_finished());
}

TEST(Alone, ARequestOfTheInviteUsageGets481) {
  Message subscribe = out_of_dialog("SUBSCRIBE");
  subscribe.add("Event", "presence").add("Expires", "600");
  auto notifier = Alone::make_notifier(subscribe);
  ASSERT_TRUE(
      notifier.reply(1, {.status = 200, .subscription = Granted{.expires = 600}}, Instant{}));
  int cseq = 30;
  for (const auto& [method, status] : {std::pair{"BYE", 481}, std::pair{"INFO", 481},
                                       std::pair{"INVITE", 481}, std::pair{"UPDATE", 481}}) {
    Message request = out_of_dialog(method);
    request.set("To", "<sip:bob@example.com>;tag=b");
    request.set("CSeq", std::to_string(++cseq) + " " + method);
    while (notifier.poll()) {
    }
    notifier.receive_request(request, 9, Instant{});
    EXPECT_EQ(take<Reply>(notifier)->response.status(), status) << method;
  }
  Message options = out_of_dialog("OPTIONS");
  options.set("To", "<sip:bob@example.com>;tag=b");
  options.set("CSeq", "50 OPTIONS");
  notifier.receive_request(options, 9, Instant{});
  EXPECT_EQ(take<Deliver>(notifier)->what, Deliver::What::Options);
}

TEST(Alone, AReferMakesOneWithItsSubscription) {
  Message refer = out_of_dialog("REFER");
  refer.add("Refer-To", "<sip:carol@example.com>");
  auto notifier = Alone::make_notifier(refer);
  ASSERT_EQ(take<Deliver>(notifier)->what, Deliver::What::Refer);
  ASSERT_TRUE(notifier.reply(1, {.status = 200}, Instant{}));
  EXPECT_TRUE(take<Reply>(notifier)->response.has(HeaderId::Contact));
  const auto notify = take<Send>(notifier)->request;
  EXPECT_EQ(notify.raw(HeaderId::Event), "refer");
  auto subscriber = Alone::make_subscriber(refer, notify);
  subscriber.receive_request(notify, 5, Instant{});
  EXPECT_EQ(take<Reply>(subscriber)->response.status(), 200);
  EXPECT_EQ(subscriber.live_subscriptions(), 1U);
}

TEST(Alone, WithoutASubscriptionADialogIsFinished) {
  for (const auto* tag : {"nosub", "explicitsub"}) {
    Message refer = out_of_dialog("REFER");
    refer.add("Refer-To", "<sip:carol@example.com>").add("Require", tag);
    auto notifier = Alone::make_notifier(refer);
    ASSERT_TRUE(take<Deliver>(notifier));
    ASSERT_TRUE(notifier.reply(1, {.status = 200}, Instant{}));
    while (const auto output = notifier.poll())
      EXPECT_FALSE(std::holds_alternative<Send>(*output)) << tag;
    EXPECT_TRUE(notifier.is_finished());
  }
}

}  // namespace
}  // namespace sipassay::session
