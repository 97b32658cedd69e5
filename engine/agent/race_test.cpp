// Messages that cross, get lost or never come (RFC 5407, RFC 3261 9, 13.3.1.4, 15).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/message/header/all.h"
#include "engine/session/session_dialog.h"
#include "engine/testing/pair.h"

namespace sipassay::agent {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using Pair = sipassay::testing::Pair;
using Side = Pair::Side;

void call(Pair& pair, std::string_view user) {
  Call command;
  command.target = pair.uri(Side::B, user);
  pair.a_does(command);
}

void expect_all_ends(Pair& pair) {
  EXPECT_TRUE(pair.run_until_quiet());
  EXPECT_EQ(pair.a().live_calls(), 0U);
  EXPECT_EQ(pair.b().live_calls(), 0U);
  EXPECT_EQ(pair.a().live_transactions(), 0U);
  EXPECT_EQ(pair.b().live_transactions(), 0U);
}

// Loses what is described, from that side, as long as `count` lasts.
auto lose(Side from, std::string what, unsigned count = 1'000'000) {
  return [from, what, count](const Pair::Line& line) mutable {
    if (line.from != from || sipassay::testing::describe(line.message()) != what) return true;
    if (count == 0) return true;
    --count;
    return false;
  };
}

std::vector<std::int64_t> times_of(const Pair& pair, Side side, std::string_view what) {
  std::vector<std::int64_t> times;
  for (const auto& line : pair.transcript())
    if (line.from == side && sipassay::testing::describe(line.message()) == what)
      times.push_back(line.at.time_since_epoch().count() / 1000);
  return times;
}

// --- CANCEL

TEST(Race, ACancelBeforeAnyProvisionalWaits) {
  Pair pair;
  pair.set_filter(lose(Side::A, "INVITE+sdp", 2));
  call(pair, "ring");
  pair.a_does(Cancel{});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::A, "CANCEL"), 0U);
  pair.run_for(5s);
  EXPECT_EQ(pair.count(Side::A, "CANCEL"), 1U);
  EXPECT_EQ(pair.count(Side::B, "487 INVITE"), 1U);
  expect_all_ends(pair);
}

TEST(Race, AnAnswerThatCrossesTheCancelIsAcknowledgedAndHungUp) {
  Pair pair;
  call(pair, "slow");
  pair.run_for(2005ms);  // the 200 leaves at 2.01 s
  pair.a_does(Cancel{});
  pair.run_for(1s);
  EXPECT_THAT(pair.ladder(),
              ElementsAre("a INVITE+sdp", "b 180 INVITE", "a CANCEL", "b 200 INVITE+sdp",
                          "b 200 CANCEL", "a ACK", "a BYE", "b 200 BYE"));
  expect_all_ends(pair);
}

TEST(Race, ACancelledInviteIsGivenUpAfter64T1) {
  Pair pair;
  pair.set_filter([&](const Pair::Line& line) {
    const auto what = sipassay::testing::describe(line.message());
    return line.from == Side::A || what == "180 INVITE";
  });
  call(pair, "ring");
  pair.run_for(1s);
  pair.a_does(Cancel{});
  pair.run_for(31s);
  EXPECT_EQ(pair.a().live_calls(), 1U);
  pair.run_for(2s);
  EXPECT_EQ(pair.a().live_calls(), 0U);
  expect_all_ends(pair);
}

// Policy: a challenge to a cancelled INVITE is not answered.
TEST(Race, ACancelSurvivesAChallenge) {
  Pair::Options options;
  options.a.credentials = {{"", "u", "p"}};
  options.b.accepts = {"", "u", "p"};
  Pair pair(options);
  call(pair, "digest");
  pair.a_does(Cancel{});
  expect_all_ends(pair);
  EXPECT_EQ(pair.count(Side::A, "INVITE+sdp"), 1U);
}

TEST(Race, ACancelForNothingIs481) {
  Pair pair;
  call(pair, "ring");
  auto cancel = Message::request("CANCEL", "sip:ring@192.0.2.2");
  cancel.add("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKother").add("Max-Forwards", "70");
  cancel.add("From", "<sip:x@y>;tag=1").add("To", "<sip:z@y>").add("Call-ID", "none");
  cancel.add("CSeq", "1 CANCEL").set_body({}, {});
  pair.inject(Side::B, cancel);
  EXPECT_EQ(pair.count(Side::B, "481 CANCEL"), 1U);
}

// 17.2.1: Timer H. Unlike a 2xx without ACK (13.3.1.4) it ends nothing.
TEST(Race, ARefusedReinviteWithoutAckChangesNothing) {
  Pair pair;
  call(pair, "refuse-reinvite");
  pair.run_for(1s);
  pair.set_filter(lose(Side::A, "ACK"));
  pair.a_does(Reinvite{});
  pair.run_for(60s);
  EXPECT_GT(pair.count(Side::B, "488 INVITE+sdp") + pair.count(Side::B, "488 INVITE"), 5U);
  EXPECT_EQ(pair.b().session(0)->session_state(), session::SessionState::Confirmed);
  pair.a_does(HangUp{});
  expect_all_ends(pair);
  EXPECT_EQ(pair.count(Side::B, "BYE"), 0U);
}

// --- BYE

TEST(Race, ByesThatCrossAreBothAnswered) {
  Pair pair;
  call(pair, "auto");
  pair.run_for(1s);
  pair.a_does(HangUp{});
  pair.b_does(HangUp{});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::A, "200 BYE"), 1U) << pair.dump();
  EXPECT_EQ(pair.count(Side::B, "200 BYE"), 1U);
  expect_all_ends(pair);
}

// 15.1.1 MUST: the session is over as soon as the BYE is sent; RFC 5057 5.1: whatever it gets.
TEST(Race, AByeThatIsRefusedEndsTheCallAllTheSame) {
  for (const int status : {400, 403, 500, 503, 600}) {
    Pair pair;
    call(pair, "auto");
    pair.run_for(1s);
    pair.set_filter(lose(Side::B, "200 BYE"));
    pair.a_does(HangUp{});
    EXPECT_EQ(pair.events_of<CallEnded>(Side::A).size(), 1U);
    EXPECT_EQ(pair.a().session(1)->session_state(), session::SessionState::Terminated);
    const auto bye = pair.sent(Side::A, "BYE");
    auto refusal = Message::response(status);
    for (const auto id :
         {HeaderId::Via, HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq})
      refusal.add(id, bye.raw(id));
    refusal.add(HeaderId::RetryAfter, "3");
    refusal.add(HeaderId::ContentLength, "0");
    pair.inject(Side::A, refusal);
    expect_all_ends(pair);
    EXPECT_EQ(pair.count(Side::A, "BYE"), 1U) << status;
    EXPECT_EQ(pair.events_of<CallEnded>(Side::A).size(), 1U);
  }
}

// 15: not before the ACK.
TEST(Race, TheCalleeHangsUpAfterTheAckOnly) {
  Pair pair;
  pair.set_filter(lose(Side::A, "ACK", 2));
  call(pair, "auto");
  pair.run_for(100ms);
  pair.b_does(HangUp{});
  pair.run_for(500ms);
  EXPECT_EQ(pair.count(Side::B, "BYE"), 0U);
  pair.run_for(3s);
  EXPECT_EQ(pair.count(Side::B, "BYE"), 1U);
  expect_all_ends(pair);
}

TEST(Race, WithoutAckTheCalleeHangsUpAfter64T1) {
  Pair pair;
  pair.set_filter(lose(Side::A, "ACK"));
  call(pair, "auto");
  expect_all_ends(pair);
  // 13.3.1.4: T1 doubling to T2, for 64*T1
  EXPECT_THAT(times_of(pair, Side::B, "200 INVITE+sdp"),
              ElementsAre(10, 510, 1510, 3510, 7510, 11510, 15510, 19510, 23510, 27510, 31510));
  EXPECT_THAT(times_of(pair, Side::B, "BYE"), ElementsAre(32010));
  // 13.2.2.4: an ACK for each copy, the same octets
  EXPECT_EQ(pair.count(Side::A, "ACK"), 11U);
  const auto ladder = pair.ladder();
  EXPECT_EQ(std::ranges::count(ladder, "a ACK"), 1);
}

TEST(Race, AByeWhileTheAckIsMissingEndsAllTimers) {
  Pair pair;
  pair.set_filter(lose(Side::A, "ACK"));
  call(pair, "auto");
  pair.run_for(1s);
  pair.a_does(HangUp{});
  expect_all_ends(pair);
  EXPECT_EQ(pair.count(Side::B, "BYE"), 0U);
  EXPECT_EQ(pair.count(Side::B, "200 BYE"), 1U);
}

// 15.1.2: what is pending when a BYE comes is answered 487.
TEST(Race, AByeAnswersThePendingReinvite) {
  Pair pair;
  call(pair, "slow-reinvite");
  pair.run_for(1s);
  pair.a_does(Reinvite{});
  pair.run_for(100ms);
  pair.a_does(HangUp{});
  expect_all_ends(pair);
  EXPECT_EQ(pair.count(Side::B, "487 INVITE"), 1U);
  EXPECT_EQ(pair.count(Side::B, "200 BYE"), 1U);
}

// RFC 5407 3.2.2: a re-INVITE that crosses the BYE.
TEST(Race, AReinviteThatCrossesTheByeIs481) {
  Pair pair;
  call(pair, "auto");
  pair.run_for(1s);
  pair.a_does(HangUp{});
  pair.b_does(Reinvite{});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::A, "481 INVITE"), 1U);
  EXPECT_EQ(pair.count(Side::B, "200 BYE"), 1U);
  expect_all_ends(pair);
}

// RFC 3261 13.2.2.4 MUST: an answer, though there is no session any more; and not two BYEs.
TEST(Race, AnOfferThatCrossesTheByeIsAnsweredInTheAck) {
  Pair pair;
  call(pair, "auto");
  pair.run_for(1s);
  pair.a_does(Reinvite{.kind = Reinvite::Kind::Offerless});
  pair.run_for(15ms);
  pair.a_does(HangUp{});
  expect_all_ends(pair);
  EXPECT_EQ(pair.count(Side::A, "ACK+sdp"), 1U) << pair.dump();
  EXPECT_EQ(pair.count(Side::A, "BYE"), 1U);
  EXPECT_THAT(pair.events_of<Violation>(Side::B), IsEmpty());
}

TEST(Race, AReferThatCrossesTheByeIs481) {
  Pair pair;
  call(pair, "auto");
  pair.run_for(1s);
  pair.a_does(HangUp{});
  pair.b_does(SendRefer{0, "sip:auto@192.0.2.2"});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::A, "481 REFER"), 1U);
  expect_all_ends(pair);
}

// 12.2.1.2: nobody answers the re-INVITE, so the call is over.
TEST(Race, ATimeoutInTheDialogEndsTheCall) {
  Pair pair;
  call(pair, "auto");
  pair.run_for(1s);
  pair.set_filter([](const Pair::Line& line) { return line.from == Side::A; });
  pair.a_does(Reinvite{});
  pair.run_for(33s);
  EXPECT_THAT(pair.ladder(), Contains("a BYE"));
  pair.set_filter({});
  expect_all_ends(pair);
}

// --- lost provisional responses and PRACKs (RFC 3262 3)

TEST(Race, AReliableProvisionalIsRepeatedUntilItsPrackComes) {
  Pair pair;
  pair.set_filter(lose(Side::A, "PRACK", 3));
  call(pair, "reliable");
  pair.run_for(10s);
  EXPECT_EQ(pair.count(Side::B, "200 INVITE"), 1U);
  pair.a_does(HangUp{});
  expect_all_ends(pair);
}

TEST(Race, WithoutPrackTheInviteFailsAfter64T1) {
  Pair pair;
  pair.set_filter(lose(Side::A, "PRACK"));
  call(pair, "reliable");
  expect_all_ends(pair);
  EXPECT_THAT(times_of(pair, Side::B, "183 INVITE+sdp"),
              ElementsAre(10, 510, 1510, 3510, 7510, 15510, 31510));
  EXPECT_EQ(pair.count(Side::B, "504 INVITE"), 1U);
}

TEST(Race, TheSameInviteAfterItsTransactionEndedMakesAnotherDialog) {
  Pair pair;
  call(pair, "auto");
  pair.run_for(60s);
  pair.inject(Side::B, pair.sent(Side::A, "INVITE+sdp"));
  pair.run_for(100ms);
  ASSERT_EQ(pair.count(Side::B, "200 INVITE+sdp"), 2U);
  const auto first = pair.sent(Side::B, "200 INVITE+sdp", 0);
  const auto second = pair.sent(Side::B, "200 INVITE+sdp", 1);
  EXPECT_NE(first.get<To>()->tag(), second.get<To>()->tag());
  pair.a_does(HangUp{});
  pair.run_for(1s);
  EXPECT_EQ(pair.b().live_calls(), 1U);  // the first ended; the second waits for its ACK
  pair.run_for(60s);
  expect_all_ends(pair);
}

TEST(Race, NothingIsSentAfterTheEnd) {
  Pair pair;
  call(pair, "auto");
  pair.run_for(1s);
  pair.a_does(HangUp{});
  pair.run_for(1s);
  const auto sent = pair.transcript().size();
  pair.a_does(Reinvite{.call = 1});
  pair.a_does(Update{.call = 1});
  pair.a_does(SendInfo{1, "", {}});
  pair.a_does(SendMessage{{}, 1, {"text/plain", "x", {}}});
  pair.a_does(SendRefer{1, "sip:x@192.0.2.2"});
  pair.a_does(HangUp{1});
  pair.a_does(Cancel{1});
  pair.run_for(60s);
  EXPECT_EQ(pair.transcript().size(), sent);
}

// --- nobody is there

TEST(Race, WithoutAnyAnswerTheCallEndsAfter64T1) {
  Pair pair;
  pair.set_filter([](const Pair::Line&) { return false; });
  call(pair, "auto");
  expect_all_ends(pair);
  EXPECT_EQ(pair.count(Side::A, "INVITE+sdp"), 7U);
  EXPECT_EQ(pair.events_of<CallEnded>(Side::A).at(0).reason, "408 no final response");
}

TEST(Race, ATransportFailureEndsTheCall) {
  Pair pair;
  call(pair, "auto");
  pair.a().handle(DeliveryFailed{{pair.endpoint(Side::B), 0}}, pair.now());
  pair.run_for(1s);
  ASSERT_EQ(pair.events_of<CallEnded>(Side::A).size(), 1U);
  EXPECT_EQ(pair.events_of<CallEnded>(Side::A)[0].reason, "503 transport failure");
  EXPECT_EQ(pair.a().live_transactions(), 0U);
}

// --- a bad network: everything ends all the same

void survive(std::uint64_t seed, simulation::Conditions conditions) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Pair::Options options;
  options.seed = seed;
  options.conditions = conditions;
  options.a.credentials = {{"", "u", "p"}};
  options.b.accepts = {"", "u", "p"};
  Pair pair(options);
  Rng rng(seed);
  for (const std::string_view user :
       {"auto", "reliable", "glare", "digest", "hold-resume", "refer", "slow", "update"}) {
    call(pair, user);
    pair.run_for(std::chrono::milliseconds(rng.between(0, 3000)));
    if (rng.percent(50)) pair.a_does(Reinvite{.call = 0, .kind = Reinvite::Kind::Hold});
    if (rng.percent(30)) pair.b_does(Update{});
    if (rng.percent(30)) pair.a_does(Cancel{});
    if (rng.percent(30)) pair.b_does(HangUp{});
    pair.run_for(std::chrono::milliseconds(rng.between(0, 3000)));
    if (rng.percent(50)) pair.a_does(HangUp{});
  }
  for (int round = 0; round < 30 && !pair.is_empty(); ++round) {
    pair.a_does(HangUp{});
    pair.b_does(HangUp{});
    pair.run_for(40s);
  }
  EXPECT_TRUE(pair.run_until_quiet());
  EXPECT_EQ(pair.a().live_calls(), 0U);
  EXPECT_EQ(pair.b().live_calls(), 0U);
  EXPECT_EQ(pair.a().live_transactions(), 0U);
  EXPECT_EQ(pair.b().live_transactions(), 0U);
}

TEST(Race, EverythingEndsWithLoss) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
    survive(seed, {.delay_min = 5ms, .delay_max = 50ms, .loss_percent = 20});
}

TEST(Race, EverythingEndsWithReorderingAndDuplicates) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
    survive(seed,
            {.delay_min = 0ms, .delay_max = 900ms, .loss_percent = 5, .duplicate_percent = 20});
}

}  // namespace
}  // namespace sipassay::agent
