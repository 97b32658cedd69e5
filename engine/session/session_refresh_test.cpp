// Session timers between two sessions in virtual time (RFC 4028).
#include <gtest/gtest.h>

#include "engine/session/session_dialog.h"
#include "engine/testing/session_pair.h"

namespace sipassay::session {
namespace {

using testing::sdp_body;
using testing::sdp_text;
using testing::SessionPair;
using enum testing::Who;

// A call whose 200 has Session-Expires: 90.
struct TimedCall : SessionPair {
  struct Options {
    bool callee_refreshes = false;
    bool by_update = true;
    std::vector<HeaderLine> invite{};
    bool callee_knows_timers = true;
    bool callee_allows_update = true;
  };

  explicit TimedCall(Options options) : SessionPair(pair_options(options)) { establish(); }

  static SessionPair::Options pair_options(const Options& options) {
    SessionPair::Options out;
    out.headers = {{"Supported", "100rel, timer"},
                   {"Session-Expires", "1800"},
                   {"Allow", "INVITE, ACK, BYE, UPDATE"}};
    out.headers.insert(out.headers.end(), options.invite.begin(), options.invite.end());
    out.caller.timer = {.interval = 1800s, .refreshes_by_update = options.by_update};
    out.callee.timer = {.interval = 90s,
                        .lowers = true,
                        .refreshes = options.callee_refreshes,
                        .refreshes_by_update = options.by_update};
    if (!options.callee_knows_timers) out.callee.supported = {"100rel"};
    if (!options.callee_allows_update) out.callee.allow = {"INVITE", "ACK", "BYE"};
    return out;
  }

  // The request that one of them sends by itself next, within that time; a response of the tests'
  // own is given to it.
  std::optional<Message> next_request(Duration within) {
    const Instant end = now() + within;
    for (;;) {
      collect();
      for (const auto& packet : flight())
        if (packet.message.is_request() && packet.message.method() != Method::Ack)
          return packet.message;
      if (now() == end) return std::nullopt;
      pass(std::min<Duration>(500ms, end - now()));
    }
  }
  // Answers the request in flight to `who` with 200 and settles; its 2xx.
  Message answer(testing::Who who, const Body& body = {}) {
    const TransactionId id = flight().front().transaction;
    deliver();
    EXPECT_TRUE(reply(who, id, {.status = 200, .body = body}));
    settle();
    return response(id);
  }
  void refuse(testing::Who who, ReplyOptions options) {
    const TransactionId id = flight().front().transaction;
    deliver();
    EXPECT_TRUE(reply(who, id, options));
    settle();
  }
};

TEST(SessionRefresh, TheCallerRefreshesByUpdateAtHalfTheInterval) {
  TimedCall call({});
  const auto began = call.now();
  const auto refresh = call.next_request(44s + 500ms);
  EXPECT_FALSE(refresh);
  const auto update = call.next_request(1s);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->method(), Method::Update);
  EXPECT_EQ(call.now(), began + 45s);
  EXPECT_EQ(update->raw(HeaderId::SessionExpires), "90;refresher=uac");
  EXPECT_FALSE(update->has(HeaderId::MinSe));
  EXPECT_TRUE(update->body().empty());
  EXPECT_TRUE(has_token(*update, HeaderId::Supported, "timer"));
  const Message ok = call.answer(Callee);
  EXPECT_EQ(ok.raw(HeaderId::SessionExpires), "90;refresher=uac");
  EXPECT_TRUE(has_token(ok, HeaderId::Require, "timer"));
  EXPECT_FALSE(ok.has(HeaderId::MinSe));
  // And again 45 s later; nobody hangs up meanwhile.
  ASSERT_TRUE(call.next_request(45s));
  EXPECT_EQ(call.now(), began + 90s);
  EXPECT_EQ(call.count<Violation>(Caller) + call.count<Violation>(Callee), 0U);
}

TEST(SessionRefresh, TheCalleeRefreshesWhenItTookThatUpon) {
  TimedCall call({.callee_refreshes = true});
  const auto update = call.next_request(46s);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->method(), Method::Update);
  // In this transaction the callee is the UAC.
  EXPECT_EQ(update->raw(HeaderId::SessionExpires), "90;refresher=uac");
  EXPECT_EQ(call.answer(Caller).raw(HeaderId::SessionExpires), "90;refresher=uac");
}

TEST(SessionRefresh, ByReinviteRepeatsTheLastDescriptionWithItsVersion) {
  for (const bool by_update : {true, false}) {
    TimedCall call({.by_update = by_update, .callee_allows_update = !by_update});
    const auto reinvite = call.next_request(46s);
    ASSERT_TRUE(reinvite);
    EXPECT_EQ(reinvite->method(), Method::Invite);
    EXPECT_EQ(reinvite->body(), sdp_text(1));
    call.answer(Callee, sdp_body(1001));
    EXPECT_EQ(call.count<Answered>(Caller), 1U);
    call.send(Caller, call.caller().ack());
    call.settle();
    EXPECT_EQ(call.caller().signaling_state(), SignalingState::Stable);
    EXPECT_TRUE(call.next_request(46s));
  }
}

TEST(SessionRefresh, AnyReinviteRestartsTheTimerAndNamesTheRefresher) {
  TimedCall call({});
  call.pass(30s);
  const auto id = call.send(Caller, call.caller().invite({.body = sdp_body(2)}, call.now()));
  call.settle();
  call.reply(Callee, id, {.status = 200, .body = sdp_body(1002)});
  call.settle();
  EXPECT_EQ(call.response(id).raw(HeaderId::SessionExpires), "90;refresher=uac");
  call.send(Caller, call.caller().ack());
  call.settle();
  const auto began = call.now();
  ASSERT_TRUE(call.next_request(60s));
  EXPECT_EQ(call.now(), began + 45s);
}

TEST(SessionRefresh, TheSideThatDoesNotRefreshSaysSo) {
  TimedCall call({});
  const Message reinvite = *call.callee().invite({.body = sdp_body(1002)}, call.now());
  EXPECT_EQ(reinvite.raw(HeaderId::SessionExpires), "90;refresher=uas");
}

TEST(SessionRefresh, WithoutOneTheOtherSideSendsByeAThirdBeforeTheEnd) {
  TimedCall call({});
  const auto began = call.now();
  call.pass(50s);
  call.collect();
  call.flight().clear();  // the refresh is lost
  while (call.now() < began + 59s) call.pass(1s);
  call.collect();
  EXPECT_EQ(call.count<Ended>(Callee), 0U);
  call.pass(1s);
  ASSERT_EQ(call.count<Ended>(Callee), 1U);
  EXPECT_EQ(call.newest<Ended>(Callee)->reason, EndReason::Expired);
  EXPECT_EQ(call.newest<Send>(Callee)->request.method(), Method::Bye);
}

TEST(SessionRefresh, UnansweredItEndsTheCallWithBye) {
  for (const int status : {408, 481, 0}) {
    TimedCall call({});
    const auto update = call.next_request(46s);
    ASSERT_TRUE(update);
    call.flight().clear();
    if (status == 0)
      call.caller().request_failed(*update, Failure::TimedOut, call.now());
    else
      call.caller().receive_response(*update, call.callee().make_response(*update, status),
                                     call.now());
    ASSERT_EQ(call.count<Ended>(Caller), 1U) << status;
    EXPECT_EQ(call.newest<Send>(Caller)->request.method(), Method::Bye);
    EXPECT_FALSE(call.caller().next_deadline());
  }
}

TEST(SessionRefresh, GlareIsTriedAgainInTheOwnersWindow) {
  TimedCall call({});
  ASSERT_TRUE(call.next_request(46s));
  call.refuse(Callee, {.status = 491});
  EXPECT_EQ(call.count<RetryDue>(Caller), 0U) << "not the application's business";
  const auto refused_at = call.now();
  ASSERT_TRUE(call.next_request(5s));
  EXPECT_GE(call.now(), refused_at + 2100ms - 500ms);
  EXPECT_LE(call.now(), refused_at + 4s + 500ms);
}

TEST(SessionRefresh, A422IsFollowedAtOnceWithItsMinSe) {
  TimedCall call({});
  ASSERT_TRUE(call.next_request(46s));
  call.refuse(Callee, {.status = 422, .headers = {{"Min-SE", "3600"}}});
  const auto again = call.next_request(1s);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->raw(HeaderId::SessionExpires), "3600;refresher=uac");
  EXPECT_EQ(again->raw(HeaderId::MinSe), "3600");
  call.answer(Callee);  // which lowers it, but not below Min-SE
  const auto began = call.now();
  const auto later = call.next_request(1801s);
  ASSERT_TRUE(later);
  EXPECT_EQ(call.now(), began + 1800s);
  EXPECT_EQ(later->raw(HeaderId::MinSe), "3600") << "it is remembered";
}

TEST(SessionRefresh, A422WithoutALargerMinSeIsNotFollowed) {
  TimedCall call({});
  ASSERT_TRUE(call.next_request(46s));
  call.refuse(Callee, {.status = 422, .headers = {{"Min-SE", "90"}}});
  EXPECT_FALSE(call.next_request(10s));
}

TEST(SessionRefresh, AChangeThatMeetsA422IsTriedAgain) {
  TimedCall call({});
  const auto id = call.send(Caller, call.caller().invite({.body = sdp_body(2)}, call.now()));
  call.settle();
  call.reply(Callee, id, {.status = 422, .headers = {{"Min-SE", "200"}}});
  call.settle();
  ASSERT_EQ(call.count<Rejected>(Caller), 1U);
  EXPECT_TRUE(call.newest<Rejected>(Caller)->will_retry);
  call.pass(1ms);
  EXPECT_EQ(call.count<RetryDue>(Caller), 1U);
  const Message again = *call.caller().invite({.body = sdp_body(3)}, call.now());
  EXPECT_EQ(again.raw(HeaderId::SessionExpires), "200;refresher=uac");
}

TEST(SessionRefresh, MinSeOfThePeersRefreshIsRepeated) {
  TimedCall call({.callee_refreshes = true});
  const auto update = call.next_request(46s);
  ASSERT_TRUE(update);
  Message with = *update;
  with.set(HeaderId::MinSe, "80");  // less than 90 does not count
  call.flight().front().message.set(HeaderId::SessionExpires, "300;refresher=uas");
  call.flight().front().message.set(HeaderId::MinSe, "200");
  EXPECT_EQ(call.answer(Caller).raw(HeaderId::SessionExpires), "300;refresher=uas");
  const auto ours = call.next_request(151s);
  ASSERT_TRUE(ours);
  EXPECT_EQ(ours->raw(HeaderId::MinSe), "200");
  EXPECT_EQ(ours->raw(HeaderId::SessionExpires), "300;refresher=uac");
}

TEST(SessionRefresh, AnUpdateThatThePeerDoesNotKnowIsFollowedByAReinvite) {
  TimedCall call({});
  ASSERT_TRUE(call.next_request(46s));
  call.refuse(Callee, {.status = 405});
  const auto next = call.next_request(1s);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->method(), Method::Invite);
}

TEST(SessionRefresh, RetryAfterIsWaitedFor) {
  TimedCall call({});
  ASSERT_TRUE(call.next_request(46s));
  call.refuse(Callee, {.status = 503, .headers = {{"Retry-After", "7"}}});
  const auto refused_at = call.now();
  ASSERT_TRUE(call.next_request(10s));
  EXPECT_EQ(call.now(), refused_at + 7s);
}

TEST(SessionRefresh, ARetryWithCredentialsIsStillTheRefresh) {
  TimedCall call({});
  const auto update = call.next_request(46s);
  ASSERT_TRUE(update);
  call.flight().clear();
  const auto again = call.caller().retry(*update);
  ASSERT_TRUE(again);
  call.send(Caller, *again);
  call.refuse(Callee, {.status = 500});
  EXPECT_EQ(call.count<Rejected>(Caller), 0U);
  EXPECT_TRUE(call.next_request(30s)) << "tried again at half of what is left";
}

TEST(SessionRefresh, WaitsWhileAnotherRequestIsOpen) {
  TimedCall call({.by_update = false});
  call.pass(44s);
  call.send(Caller, call.caller().invite({.body = sdp_body(2)}, call.now()));
  call.settle();
  EXPECT_FALSE(call.next_request(10s));
  EXPECT_EQ(call.count<Ended>(Caller), 0U);
}

TEST(SessionRefresh, AUasWithoutTimersLeavesItToTheCaller) {
  TimedCall call({.callee_knows_timers = false});
  const auto began = call.now();
  const auto update = call.next_request(901s);
  ASSERT_TRUE(update);
  EXPECT_EQ(call.now(), began + 900s);
  EXPECT_EQ(update->raw(HeaderId::SessionExpires), "1800;refresher=uac");
  EXPECT_FALSE(call.answer(Callee).has(HeaderId::SessionExpires));
  EXPECT_TRUE(call.next_request(901s));
}

TEST(SessionRefresh, A2xxWithoutSessionExpiresTurnsTheTimerOff) {
  TimedCall call({});
  const auto update = call.next_request(46s);
  ASSERT_TRUE(update);
  call.flight().clear();
  Message ok = call.callee().make_response(*update, 200);
  ok.add("Contact", "<sip:bob@127.0.0.1:5080>");
  call.caller().receive_response(*update, ok, call.now());
  EXPECT_FALSE(call.caller().next_deadline());
}

TEST(SessionRefresh, ARequestWithoutTimersTurnsItOff) {
  TimedCall call({});
  Message plain = *call.caller().invite({.body = sdp_body(2)}, call.now());
  plain.remove(HeaderId::SessionExpires).remove(HeaderId::Supported);
  const auto id = call.send(Caller, plain);
  call.settle();
  call.reply(Callee, id, {.status = 200, .body = sdp_body(1002)});
  call.settle();
  EXPECT_FALSE(call.response(id).has(HeaderId::SessionExpires));
  call.send(Caller, call.caller().ack());
  call.settle();
  EXPECT_FALSE(call.callee().next_deadline());
}

TEST(SessionRefresh, AnIntervalBelowOurMinimumIsRefusedInTheDialogToo) {
  TimedCall call({});
  for (const std::string_view method : {"INVITE", "UPDATE"}) {
    auto short_one = method == "INVITE" ? call.caller().invite({.body = sdp_body(2)}, call.now())
                                        : call.caller().update({});
    ASSERT_TRUE(short_one);
    short_one->set(HeaderId::SessionExpires, "60;refresher=uac");
    const auto id = call.send(Caller, *short_one);
    call.settle();
    EXPECT_EQ(call.statuses(id), std::vector<int>{422}) << method;
    EXPECT_EQ(call.response(id).raw(HeaderId::MinSe), "90");
  }
  EXPECT_EQ(call.callee().signaling_state(), SignalingState::Stable);
  EXPECT_EQ(call.count<Deliver>(Callee), 0U);
}

TEST(SessionRefresh, OptionTagsOfTheFirstInviteAreKept) {
  TimedCall call({.invite = {{"Require", "100rel"}, {"Require", "timer"}}});
  const Message reinvite = *call.caller().invite({.body = sdp_body(2)}, call.now());
  EXPECT_TRUE(has_token(reinvite, HeaderId::Require, "100rel"));
  EXPECT_TRUE(has_token(reinvite, HeaderId::Require, "timer"));
  EXPECT_EQ(reinvite.raw(HeaderId::Supported), "100rel, timer");
  const Message update = *call.caller().update({});
  EXPECT_FALSE(has_token(update, HeaderId::Require, "100rel")) << "RFC 3262 4";
  EXPECT_TRUE(has_token(update, HeaderId::Require, "timer"));
}

TEST(SessionRefresh, TimerIsSupportedInEveryRequestButAck) {
  TimedCall call({});
  const std::vector<SessionDialog::Result> requests{
      call.caller().info({}),
      call.caller().message({}),
      call.caller().refer("sip:carol@example.com", {}, call.now()),
      call.caller().request("OPTIONS"),
      call.caller().update({}),
      call.caller().bye()};
  for (const auto& request : requests) {
    ASSERT_TRUE(request);
    EXPECT_TRUE(has_token(*request, HeaderId::Supported, "timer")) << request->method_text();
    EXPECT_EQ(request->has(HeaderId::SessionExpires), request->method() == Method::Update);
  }
  SessionPair ringing({});
  ringing.establish();
  const auto id = ringing.send(Callee, ringing.callee().invite({.body = sdp_body(9)}, {}));
  ringing.settle();
  ringing.reply(Caller, id, {.status = 200, .body = sdp_body(10)});
  ringing.settle();
  EXPECT_FALSE(ringing.callee().ack()->has(HeaderId::Supported));
}

}  // namespace
}  // namespace sipassay::session
