// Calls between two agents in virtual time: what each user does to its caller, and what a call is
// made of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/agent/behaviour.h"
#include "engine/agent/response.h"
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

Pair::Options with_credentials() {
  Pair::Options options;
  options.a.credentials = {{"", "alice", "secret"}};
  options.b.accepts = {"", "alice", "secret"};
  return options;
}

void call(Pair& pair, std::string_view user, Call command = {}) {
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

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) (text += text.empty() ? "" : ", ") += line;
  return text;
}

// --- one row a user: the call as seen on the wire, hung up (or cancelled) by the caller after 8 s

struct Vector {
  std::string_view user;
  std::string_view offer_in_invite;
  std::string_view offerless;
};
constexpr std::string_view plain = "a INVITE+sdp, b 200 INVITE+sdp, a ACK, a BYE, b 200 BYE";
constexpr std::string_view plain_late = "a INVITE, b 200 INVITE+sdp, a ACK+sdp, a BYE, b 200 BYE";
const Vector vectors[] = {
    {"auto", plain, plain_late},
    {"late-offer", plain, plain_late},
    {"video", plain, plain_late},
    {"refuse-reinvite", plain, plain_late},
    {"slow-reinvite", plain, plain_late},
    {"slow-update", plain, plain_late},
    {"pending", plain, plain_late},
    {"interval", plain, plain_late},
    {"short-lived", plain, plain_late},
    {"changing", plain, plain_late},
    {"migrate", plain, plain_late},
    {"probation", plain, plain_late},
    {"unauthorised", plain, plain_late},
    {"undecided", plain, plain_late},
    {"no-resource", plain, plain_late},
    {"invariant", plain, plain_late},
    {"slow", "a INVITE+sdp, b 180 INVITE, b 200 INVITE+sdp, a ACK, a BYE, b 200 BYE",
     "a INVITE, b 180 INVITE, b 200 INVITE+sdp, a ACK+sdp, a BYE, b 200 BYE"},
    {"queue", "a INVITE+sdp, b 182 INVITE, b 180 INVITE, b 200 INVITE+sdp, a ACK, a BYE, b 200 BYE",
     "a INVITE, b 182 INVITE, b 180 INVITE, b 200 INVITE+sdp, a ACK+sdp, a BYE, b 200 BYE"},
    // 13.2.1: to an INVITE without an offer an unreliable response brings none
    {"early-media",
     "a INVITE+sdp, b 183 INVITE+sdp, b 180 INVITE+sdp, b 200 INVITE+sdp, a ACK, a BYE, b 200 BYE",
     "a INVITE, b 183 INVITE, b 180 INVITE, b 200 INVITE+sdp, a ACK+sdp, a BYE, b 200 BYE"},
    // RFC 6337 2.2, patterns 3 and 4
    {"reliable",
     "a INVITE+sdp, b 183 INVITE+sdp, a PRACK, b 200 PRACK, b 180 INVITE, a PRACK, b 200 PRACK, "
     "b 200 INVITE, a ACK, a BYE, b 200 BYE",
     "a INVITE, b 183 INVITE+sdp, a PRACK+sdp, b 200 PRACK, b 180 INVITE, a PRACK, b 200 PRACK, "
     "b 200 INVITE, a ACK, a BYE, b 200 BYE"},
    {"demands-100rel",
     "a INVITE+sdp, b 183 INVITE+sdp, a PRACK, b 200 PRACK, b 180 INVITE, a PRACK, b 200 PRACK, "
     "b 200 INVITE, a ACK, a BYE, b 200 BYE",
     "a INVITE, b 183 INVITE+sdp, a PRACK+sdp, b 200 PRACK, b 180 INVITE, a PRACK, b 200 PRACK, "
     "b 200 INVITE, a ACK, a BYE, b 200 BYE"},
    {"reliable-ring",
     "a INVITE+sdp, b 180 INVITE, a PRACK, b 200 PRACK, b 200 INVITE+sdp, a ACK, a BYE, b 200 BYE",
     "a INVITE, b 180 INVITE+sdp, a PRACK+sdp, b 200 PRACK, b 200 INVITE, a ACK, a BYE, b 200 BYE"},
    // RFC 3262 3: the 180 waits for the PRACK of the 183, so does the 200
    {"reliable-hasty",
     "a INVITE+sdp, b 183 INVITE+sdp, a PRACK, b 180 INVITE, b 200 PRACK, b 200 INVITE, a PRACK, "
     "a ACK, b 200 PRACK, a BYE, b 200 BYE",
     "a INVITE, b 183 INVITE+sdp, a PRACK+sdp, b 180 INVITE, b 200 PRACK, b 200 INVITE, a PRACK, "
     "a ACK, b 200 PRACK, a BYE, b 200 BYE"},
    // pattern 6
    {"reliable-update",
     "a INVITE+sdp, b 183 INVITE+sdp, a PRACK, b 200 PRACK, b UPDATE+sdp, a 200 UPDATE+sdp, "
     "b 200 INVITE, a ACK, a BYE, b 200 BYE",
     "a INVITE, b 183 INVITE+sdp, a PRACK+sdp, b 200 PRACK, b UPDATE+sdp, a 200 UPDATE+sdp, "
     "b 200 INVITE, a ACK, a BYE, b 200 BYE"},
    {"no-100rel", "a INVITE+sdp, b 180 INVITE, b 200 INVITE+sdp, a ACK, a BYE, b 200 BYE",
     "a INVITE, b 180 INVITE, b 200 INVITE+sdp, a ACK+sdp, a BYE, b 200 BYE"},
    {"ring", "a INVITE+sdp, b 180 INVITE, a CANCEL, b 200 CANCEL, b 487 INVITE, a ACK",
     "a INVITE, b 180 INVITE, a CANCEL, b 200 CANCEL, b 487 INVITE, a ACK"},
    {"reliable-wait",
     "a INVITE+sdp, b 183 INVITE+sdp, a PRACK, b 200 PRACK, a CANCEL, b 200 CANCEL, b 487 INVITE, "
     "a ACK",
     "a INVITE, b 183 INVITE+sdp, a PRACK+sdp, b 200 PRACK, a CANCEL, b 200 CANCEL, b 487 INVITE, "
     "a ACK"},
    {"reliable-ring-wait",
     "a INVITE+sdp, b 180 INVITE, a PRACK, b 200 PRACK, a CANCEL, b 200 CANCEL, b 487 INVITE, "
     "a ACK",
     "a INVITE, b 180 INVITE+sdp, a PRACK+sdp, b 200 PRACK, a CANCEL, b 200 CANCEL, b 487 INVITE, "
     "a ACK"},
    {"silent", "a INVITE+sdp, a CANCEL, b 200 CANCEL, b 487 INVITE, a ACK",
     "a INVITE, a CANCEL, b 200 CANCEL, b 487 INVITE, a ACK"},
    {"busy", "a INVITE+sdp, b 486 INVITE, a ACK", "a INVITE, b 486 INVITE, a ACK"},
    {"ring-busy", "a INVITE+sdp, b 180 INVITE, b 486 INVITE, a ACK",
     "a INVITE, b 180 INVITE, b 486 INVITE, a ACK"},
    {"reliable-busy", "a INVITE+sdp, b 183 INVITE+sdp, a PRACK, b 200 PRACK, b 486 INVITE, a ACK",
     "a INVITE, b 183 INVITE+sdp, a PRACK+sdp, b 200 PRACK, b 486 INVITE, a ACK"},
    {"no-answer", "a INVITE+sdp, b 180 INVITE, b 480 INVITE, a ACK",
     "a INVITE, b 180 INVITE, b 480 INVITE, a ACK"},
    {"decline", "a INVITE+sdp, b 603 INVITE, a ACK", "a INVITE, b 603 INVITE, a ACK"},
    {"forbidden", "a INVITE+sdp, b 403 INVITE, a ACK", "a INVITE, b 403 INVITE, a ACK"},
    {"gone", "a INVITE+sdp, b 410 INVITE, a ACK", "a INVITE, b 410 INVITE, a ACK"},
    {"unavailable", "a INVITE+sdp, b 480 INVITE, a ACK", "a INVITE, b 480 INVITE, a ACK"},
    {"not-acceptable", "a INVITE+sdp, b 488 INVITE, a ACK", "a INVITE, b 488 INVITE, a ACK"},
    {"error", "a INVITE+sdp, b 500 INVITE, a ACK", "a INVITE, b 500 INVITE, a ACK"},
    {"overload", "a INVITE+sdp, b 503 INVITE, a ACK", "a INVITE, b 503 INVITE, a ACK"},
    {"redirect", "a INVITE+sdp, b 302 INVITE, a ACK", "a INVITE, b 302 INVITE, a ACK"},
    {"registered", "a INVITE+sdp, b 480 INVITE, a ACK", "a INVITE, b 480 INVITE, a ACK"},
    {"nobody", "a INVITE+sdp, b 404 INVITE, a ACK", "a INVITE, b 404 INVITE, a ACK"},
    {"digest",
     "a INVITE+sdp, b 401 INVITE, a ACK, a INVITE+sdp, b 200 INVITE+sdp, a ACK, a BYE, b 200 BYE",
     "a INVITE, b 401 INVITE, a ACK, a INVITE, b 200 INVITE+sdp, a ACK+sdp, a BYE, b 200 BYE"},
    {"proxy-digest",
     "a INVITE+sdp, b 407 INVITE, a ACK, a INVITE+sdp, b 200 INVITE+sdp, a ACK, a BYE, b 200 BYE",
     "a INVITE, b 407 INVITE, a ACK, a INVITE, b 200 INVITE+sdp, a ACK+sdp, a BYE, b 200 BYE"},
    {"glare",
     "a INVITE+sdp, b 200 INVITE+sdp, a ACK, b INVITE+sdp, a 200 INVITE+sdp, b ACK, a BYE, "
     "b 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, b INVITE+sdp, a 200 INVITE+sdp, b ACK, a BYE, "
     "b 200 BYE"},
    {"glare-now",
     "a INVITE+sdp, b 200 INVITE+sdp, a ACK, b INVITE+sdp, a 200 INVITE+sdp, b ACK, a BYE, "
     "b 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, b INVITE+sdp, a 200 INVITE+sdp, b ACK, a BYE, "
     "b 200 BYE"},
    {"hold",
     "a INVITE+sdp, b 200 INVITE+sdp, a ACK, b INVITE+sdp, a 200 INVITE+sdp, b ACK, a BYE, "
     "b 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, b INVITE+sdp, a 200 INVITE+sdp, b ACK, a BYE, "
     "b 200 BYE"},
    {"hold-resume",
     "a INVITE+sdp, b 200 INVITE+sdp, a ACK, b INVITE+sdp, a 200 INVITE+sdp, b ACK, b INVITE+sdp, "
     "a 200 INVITE+sdp, b ACK, a BYE, b 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, b INVITE+sdp, a 200 INVITE+sdp, b ACK, b INVITE+sdp, "
     "a 200 INVITE+sdp, b ACK, a BYE, b 200 BYE"},
    {"reinvite-offerless",
     "a INVITE+sdp, b 200 INVITE+sdp, a ACK, b INVITE, a 200 INVITE+sdp, b ACK+sdp, a BYE, "
     "b 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, b INVITE, a 200 INVITE+sdp, b ACK+sdp, a BYE, "
     "b 200 BYE"},
    {"update",
     "a INVITE+sdp, b 200 INVITE+sdp, a ACK, b UPDATE+sdp, a 200 UPDATE+sdp, a BYE, b 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, b UPDATE+sdp, a 200 UPDATE+sdp, a BYE, b 200 BYE"},
    {"update-empty",
     "a INVITE+sdp, b 200 INVITE+sdp, a ACK, b UPDATE, a 200 UPDATE, a BYE, b 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, b UPDATE, a 200 UPDATE, a BYE, b 200 BYE"},
    {"info", "a INVITE+sdp, b 200 INVITE+sdp, a ACK, b INFO, a 200 INFO, a BYE, b 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, b INFO, a 200 INFO, a BYE, b 200 BYE"},
    {"legacy-info", "a INVITE+sdp, b 200 INVITE+sdp, a ACK, b INFO, a 200 INFO, a BYE, b 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, b INFO, a 200 INFO, a BYE, b 200 BYE"},
    {"message", "a INVITE+sdp, b 200 INVITE+sdp, a ACK, b MESSAGE, a 200 MESSAGE, a BYE, b 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, b MESSAGE, a 200 MESSAGE, a BYE, b 200 BYE"},
    {"ask-user", "a INVITE+sdp, b 200 INVITE+sdp, a ACK, a BYE, b 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, a BYE, b 200 BYE"},
    {"slow-message", "a INVITE+sdp, b 200 INVITE+sdp, a ACK, a BYE, b 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, a BYE, b 200 BYE"},
    {"late-message", "a INVITE+sdp, b 200 INVITE+sdp, a ACK, a BYE, b 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, a BYE, b 200 BYE"},
    {"hang-up", "a INVITE+sdp, b 200 INVITE+sdp, a ACK, b BYE, a 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, b BYE, a 200 BYE"},
    {"hang-up-now", "a INVITE+sdp, b 200 INVITE+sdp, a ACK, b BYE, a 200 BYE",
     "a INVITE, b 200 INVITE+sdp, a ACK+sdp, b BYE, a 200 BYE"},
};

void expect_ladder(const Pair::Options& options, const Vector& vector, bool has_offer) {
  SCOPED_TRACE(std::string(vector.user) + (has_offer ? "" : ", offerless"));
  Pair pair(options);
  call(pair, vector.user, {.target = {}, .has_offer = has_offer, .headers = {}});
  pair.run_for(8s);
  pair.a_does(HangUp{});
  expect_all_ends(pair);
  EXPECT_EQ(joined(pair.ladder()), has_offer ? vector.offer_in_invite : vector.offerless);
  for (const auto side : {Side::A, Side::B})
    for (const auto& broken : pair.events_of<Violation>(side))
      ADD_FAILURE() << broken.finding.rule << ": expected " << broken.finding.expected
                    << ", observed " << broken.finding.observed;
}

TEST(Behaviour, EveryUserDoesWhatItsRowSays) {
  std::size_t ran = 0;
  for (const auto& vector : vectors) {
    expect_ladder(with_credentials(), vector, true);
    expect_ladder(with_credentials(), vector, false);
    ++ran;
  }
  // "refer" and the session timers have tests of their own (transfer_test.cpp, timer_test.cpp).
  EXPECT_EQ(ran + 6, behaviours().size());
}

TEST(Behaviour, EveryUserDoesTheSameOverTcp) {
  auto options = with_credentials();
  options.transport = Transport::Tcp;
  for (const auto& vector : vectors) expect_ladder(options, vector, true);
}

TEST(Behaviour, RowsHaveDifferentNames) {
  for (const auto& row : behaviours()) EXPECT_EQ(behaviour_of(row.user), &row) << row.user;
  EXPECT_EQ(behaviour_of("somebody-else"), nullptr);
}

TEST(Behaviour, UnknownUsersMeetTheDefault) {
  Pair::Options options;
  options.b.default_behaviour = "busy";
  Pair pair(options);
  call(pair, "somebody-else");
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "486 INVITE"), 1U);
}

TEST(Behaviour, TheDefaultHoldsForAllWhenUsersDoNotChoose) {
  Pair::Options options;
  options.b.answers_by_user = false;
  options.b.default_behaviour = "decline";
  Pair pair(options);
  call(pair, "auto");
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "603 INVITE"), 1U);
}

// --- determinism

TEST(Call, TheSameSeedGivesTheSameOctets) {
  const auto run = [](std::uint64_t seed) {
    Pair::Options options = with_credentials();
    options.seed = seed;
    options.conditions = {.delay_min = 5ms, .delay_max = 300ms, .loss_percent = 10};
    Pair pair(options);
    for (const std::string_view user : {"reliable", "digest", "glare", "refer"}) call(pair, user);
    pair.run_for(30s);
    return pair.dump();
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

// --- what the messages of a call say

TEST(Call, TheInviteSaysWhatWeCanDo) {
  Pair pair;
  call(pair, "auto");
  const auto invite = pair.sent(Side::A, "INVITE+sdp");
  EXPECT_EQ(invite.raw(HeaderId::Allow),
            "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, MESSAGE, NOTIFY, REFER, "
            "SUBSCRIBE");
  EXPECT_TRUE(has_token(invite, HeaderId::Supported, "100rel"));
  EXPECT_TRUE(has_token(invite, HeaderId::Supported, "replaces"));
  EXPECT_FALSE(has_token(invite, HeaderId::Supported, "outbound"));
  EXPECT_EQ(invite.raw(HeaderId::RecvInfo), "g.sipassay.test");
  EXPECT_EQ(invite.raw(HeaderId::MaxForwards), "70");
  ASSERT_TRUE(invite.get<sipassay::Contact>());
  EXPECT_EQ(invite.get<sipassay::Contact>()->addr.uri.text, "sip:alice@192.0.2.1:5060");
  EXPECT_FALSE(invite.get<From>()->tag().empty());
  EXPECT_TRUE(invite.get<To>()->tag().empty());
}

TEST(Call, TheSuccessSaysWhatTheCalleeCanDo) {
  Pair pair;
  call(pair, "auto");
  pair.run_for(1s);
  const auto success = pair.sent(Side::B, "200 INVITE+sdp");
  EXPECT_TRUE(success.has(HeaderId::Allow));
  EXPECT_TRUE(success.has(HeaderId::Supported));
  EXPECT_EQ(success.raw(HeaderId::RecvInfo), "g.sipassay.test");
  EXPECT_EQ(success.get<sipassay::Contact>()->addr.uri.text, "sip:auto@192.0.2.2:5060");
}

TEST(Call, RequiredReliabilityMakesEveryProvisionalReliable) {
  Pair pair;
  call(pair, "slow", {.target = {}, .reliable = Reliability::Always, .headers = {}});
  pair.run_for(5s);
  EXPECT_TRUE(has_token(pair.sent(Side::A, "INVITE+sdp"), HeaderId::Require, "100rel"));
  EXPECT_TRUE(pair.sent(Side::B, "180 INVITE").has(HeaderId::RSeq));
  EXPECT_EQ(pair.count(Side::A, "PRACK"), 1U);
}

TEST(Call, ReliabilityIsNotUsedWhenTheCallerDoesNotKnowIt) {
  Pair pair;
  call(pair, "reliable", {.target = {}, .reliable = Reliability::Never, .headers = {}});
  pair.run_for(5s);
  EXPECT_FALSE(has_token(pair.sent(Side::A, "INVITE+sdp"), HeaderId::Supported, "100rel"));
  EXPECT_FALSE(pair.sent(Side::B, "183 INVITE+sdp").has(HeaderId::RSeq));
  EXPECT_EQ(pair.count(Side::B, "200 INVITE+sdp"), 1U);
}

TEST(Call, UnsupportedReliabilityIsRefused) {
  Pair pair;
  call(pair, "no-100rel", {.target = {}, .reliable = Reliability::Always, .headers = {}});
  pair.run_for(1s);
  EXPECT_EQ(pair.sent(Side::B, "420 INVITE").raw(HeaderId::Unsupported), "100rel");
}

// RFC 3261 21.5.4 SHOULD NOT: nothing more to a server that says how long it is overloaded.
TEST(Call, AnOverloadedServerIsSparedAsLongAsItSays) {
  Pair pair;
  call(pair, "auto");
  pair.run_for(100ms);
  call(pair, "overload");
  pair.run_for(100ms);
  ASSERT_EQ(pair.sent(Side::B, "503 INVITE").raw(HeaderId::RetryAfter), "5");
  const auto invites = pair.count(Side::A, "INVITE+sdp");
  call(pair, "auto");
  pair.a_does(SendOptions{pair.uri(Side::B, "auto")});
  pair.run_for(4700ms);
  EXPECT_EQ(pair.count(Side::A, "INVITE+sdp"), invites);
  EXPECT_EQ(pair.count(Side::A, "OPTIONS"), 0U);
  EXPECT_EQ(pair.events_of<CallEnded>(Side::A).at(1).reason, "503 server is overloaded and spared");
  EXPECT_EQ(pair.events_of<RequestAnswered>(Side::A).at(0).status, 503);
  // A call that was there is ended all the same.
  pair.a_does(HangUp{1});
  pair.run_for(100ms);
  EXPECT_EQ(pair.count(Side::B, "200 BYE"), 1U);
  pair.run_for(300ms);
  call(pair, "auto");
  pair.run_for(100ms);
  EXPECT_EQ(pair.count(Side::A, "INVITE+sdp"), invites + 1);
  pair.a_does(HangUp{});
  expect_all_ends(pair);
}

TEST(Call, DemandedReliabilityIs421) {
  Pair pair;
  call(pair, "demands-100rel", {.target = {}, .reliable = Reliability::Never, .headers = {}});
  pair.run_for(1s);
  EXPECT_EQ(pair.sent(Side::B, "421 INVITE").raw(HeaderId::Require), "100rel");
}

// RFC 6337 2.2, pattern 5: a second offer in the PRACK of the answer.
TEST(Call, APrackMayCarryAnotherOffer) {
  Pair pair;
  call(pair, "reliable", {.target = {}, .headers = {}, .offers_in_prack = true});
  pair.run_for(5s);
  pair.a_does(HangUp{});
  expect_all_ends(pair);
  EXPECT_THAT(pair.ladder(),
              ElementsAre("a INVITE+sdp", "b 183 INVITE+sdp", "a PRACK+sdp", "b 200 PRACK+sdp",
                          "b 180 INVITE", "a PRACK", "b 200 PRACK", "b 200 INVITE", "a ACK",
                          "a BYE", "b 200 BYE"));
}

TEST(Call, TheAckCarriesTheCredentialsOfTheInvite) {
  Pair pair(with_credentials());
  call(pair, "digest");
  pair.run_for(1s);
  const auto invite = pair.sent(Side::A, "INVITE+sdp", 1);
  const auto ack = pair.sent(Side::A, "ACK", 1);
  ASSERT_TRUE(invite.has(HeaderId::Authorization));
  EXPECT_EQ(ack.raw(HeaderId::Authorization), invite.raw(HeaderId::Authorization));
  EXPECT_EQ(invite.get<CSeq>()->number, pair.sent(Side::A, "INVITE+sdp").get<CSeq>()->number + 1);
  EXPECT_EQ(invite.raw(HeaderId::CallId), pair.sent(Side::A, "INVITE+sdp").raw(HeaderId::CallId));
}

TEST(Call, WrongCredentialsEndTheCall) {
  auto options = with_credentials();
  options.a.credentials = {{"", "alice", "guess"}};
  Pair pair(options);
  call(pair, "digest");
  expect_all_ends(pair);
  EXPECT_EQ(pair.count(Side::A, "INVITE+sdp"), 2U);
  EXPECT_EQ(pair.events_of<CallEnded>(Side::A).at(0).reason, "401 Unauthorized");
}

TEST(Call, ARedirectionThatIsNotFollowedIsTold) {
  Pair pair;
  call(pair, "redirect");
  pair.run_for(1s);
  EXPECT_THAT(pair.ladder(), ElementsAre("a INVITE+sdp", "b 302 INVITE", "a ACK"));
  ASSERT_EQ(pair.events_of<CallEnded>(Side::A).size(), 1U);
  EXPECT_EQ(pair.events_of<CallEnded>(Side::A)[0].reason, "302 Moved Temporarily");
  expect_all_ends(pair);
}

// 13.2.2.4 MUST: an offer in the 2xx is answered in its ACK; without it there is no session.
TEST(Call, AnAckWithoutTheDueAnswerIsHungUp) {
  Pair pair;
  pair.set_filter([&pair](const Pair::Line& line) {
    const auto message = line.message();
    if (line.was_injected || sipassay::testing::describe(message) != "ACK+sdp") return true;
    auto bare = message;
    bare.set_body({}, {});
    pair.inject(Side::B, std::move(bare));
    return false;
  });
  call(pair, "auto", {.target = {}, .has_offer = false, .headers = {}});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "BYE"), 1U);
  EXPECT_THAT(std::string(pair.sent(Side::B, "BYE").raw(HeaderId::Reason)),
              ::testing::HasSubstr("cause=488"));
  expect_all_ends(pair);
}

TEST(Call, RedirectionsAreFollowedWhenAskedTo) {
  Pair pair;
  call(pair, "redirect", {.target = {}, .headers = {}, .follows_redirects = true});
  pair.run_for(1s);
  EXPECT_EQ(pair.sent(Side::A, "INVITE+sdp", 1).request_uri(), "sip:auto@192.0.2.2:5060");
  EXPECT_THAT(pair.events_of<CallConfirmed>(Side::A), Not(IsEmpty()));
}

TEST(Call, ARedirectionToAnotherTransportHasTheContactOfThat) {
  Pair::Options options;
  options.a.local = {{Transport::Udp, "192.0.2.1", 5060}, {Transport::Tcp, "192.0.2.1", 5060}};
  Pair pair(options);
  pair.a_does(
      Call{.target = pair.uri(Side::B, "redirect") + ";transport=tcp", .follows_redirects = true});
  const auto first = pair.sent(Side::A, "INVITE+sdp");
  EXPECT_EQ(first.raw(HeaderId::Contact), "<sip:alice@192.0.2.1:5060;transport=tcp>");
  auto moved = make_response(first, 302, "moved");
  moved.add(HeaderId::Contact, "<sip:auto@192.0.2.2:5060>");
  pair.inject(Side::A, moved);
  pair.run_for(1s);
  EXPECT_EQ(pair.sent(Side::A, "INVITE+sdp", 1).raw(HeaderId::Contact),
            "<sip:alice@192.0.2.1:5060>");
}

// RFC 3261 8.1.3.4: highest q first, no URI twice, without method and headers in the Request-URI.
TEST(Call, TheContactsOfARedirectionAreTriedOneAfterTheOther) {
  Pair pair;
  pair.a_does(Call{.target = pair.uri(Side::B, "ring"), .follows_redirects = true});
  const auto first = pair.sent(Side::A, "INVITE+sdp");
  auto moved = make_response(first, 302, "moved");
  moved.add(HeaderId::Contact, "<" + std::string(first.request_uri()) + ">");
  moved.add(HeaderId::Contact, "<sip:last@192.0.2.2;x=y;method=INVITE?Subject=hi&Via=no>;q=0.1");
  moved.add(HeaderId::Contact, "<mailto:someone@example.com>;q=0.8");
  moved.add(HeaderId::Contact, "<sip:busy@192.0.2.2;method=MESSAGE>;q=0.7");
  moved.add(HeaderId::Contact, "<sip:busy@192.0.2.2>;q=0.5");
  pair.inject(Side::A, moved);
  pair.run_for(1s);
  EXPECT_EQ(pair.sent(Side::A, "INVITE+sdp", 1).request_uri(), "sip:busy@192.0.2.2");
  const auto last = pair.sent(Side::A, "INVITE+sdp", 2);
  EXPECT_EQ(last.request_uri(), "sip:last@192.0.2.2;x=y");
  EXPECT_EQ(last.raw("Subject"), "hi");
  EXPECT_EQ(last.line_count(HeaderId::Via), 1U);
}

TEST(Call, APairOfRedirectionsIsNoLoop) {
  Pair pair;
  pair.a_does(Call{.target = pair.uri(Side::B, "ring"), .follows_redirects = true});
  const auto first = pair.sent(Side::A, "INVITE+sdp");
  auto moved = make_response(first, 302, "moved");
  moved.add(HeaderId::Contact, "<sip:elsewhere@192.0.2.2:5060>");
  pair.inject(Side::A, moved);
  auto back = make_response(pair.sent(Side::A, "INVITE+sdp", 1), 302, "moved");
  back.add(HeaderId::Contact, "<" + std::string(first.request_uri()) + ">");
  pair.inject(Side::A, back);
  EXPECT_EQ(pair.count(Side::A, "INVITE+sdp"), 2U);
  EXPECT_EQ(pair.events_of<CallEnded>(Side::A).size(), 1U);
}

TEST(Call, EventsTellTheStory) {
  Pair pair;
  call(pair, "slow");
  pair.run_for(5s);
  pair.a_does(HangUp{});
  pair.run_for(1s);
  EXPECT_EQ(pair.events_of<CallProgressed>(Side::A).at(0).status, 180);
  EXPECT_EQ(pair.events_of<CallAnswered>(Side::A).size(), 1U);
  EXPECT_EQ(pair.events_of<CallConfirmed>(Side::A).size(), 1U);
  EXPECT_EQ(pair.events_of<CallConfirmed>(Side::B).size(), 1U);
  EXPECT_EQ(pair.events_of<CallArrived>(Side::B).at(0).user, "slow");
  EXPECT_EQ(pair.events_of<CallEnded>(Side::A).size(), 1U);
  EXPECT_EQ(pair.events_of<CallEnded>(Side::B).size(), 1U);
}

TEST(Call, ATargetThatCannotBeReachedFailsLocally) {
  Pair pair;
  Call command;
  command.target = "sip:auto@nowhere.invalid";
  pair.a_does(command);
  EXPECT_EQ(pair.events_of<CallEnded>(Side::A).at(0).reason, "503 host name cannot be looked up");
  EXPECT_THAT(pair.ladder(), IsEmpty());
  expect_all_ends(pair);
}

// 13.3.1.1: every minute; RFC 3262 3: every 2.5 minutes, with the next RSeq.
TEST(Call, RingingIsRefreshed) {
  Pair pair;
  call(pair, "ring");
  pair.run_for(130s);
  EXPECT_EQ(pair.count(Side::B, "180 INVITE"), 3U);
  expect_all_ends(pair);
  EXPECT_EQ(pair.count(Side::B, "480 INVITE"), 1U);
}

TEST(Call, ReliableRingingIsRefreshedReliably) {
  Pair pair;
  call(pair, "reliable-ring-wait");
  pair.run_for(160s);
  ASSERT_EQ(pair.count(Side::B, "180 INVITE"), 2U);
  EXPECT_EQ(pair.sent(Side::B, "180 INVITE", 1).get<RSeq>()->value,
            pair.sent(Side::B, "180 INVITE", 0).get<RSeq>()->value + 1);
  expect_all_ends(pair);
}

TEST(Call, AnInviteThatNobodyAnswersIs480InTheEnd) {
  Pair pair;
  call(pair, "silent");
  pair.run_for(239s);
  EXPECT_EQ(pair.count(Side::B, "480 INVITE"), 0U);
  pair.run_for(2s);
  EXPECT_EQ(pair.count(Side::B, "480 INVITE"), 1U);
  expect_all_ends(pair);
}

TEST(Call, AnExpiredInviteIs487) {
  Pair pair;
  call(pair, "ring", {.target = {}, .headers = {{"Expires", "5"}}});
  pair.run_for(20s);
  EXPECT_EQ(pair.count(Side::B, "487 INVITE"), 1U);
  expect_all_ends(pair);
}

TEST(Call, TheApplicationMayRingAnswerAndRefuse) {
  Pair::Options options;
  options.b.default_behaviour = "silent";
  Pair pair(options);
  call(pair, "app");
  pair.run_for(100ms);
  pair.b_does(
      Ring{.call = 0, .status = 183, .reliable = Reliability::IfSupported, .has_sdp = true});
  pair.run_for(1s);
  pair.b_does(Answer{});
  pair.run_for(1s);
  EXPECT_EQ(joined(pair.ladder()),
            "a INVITE+sdp, b 183 INVITE+sdp, a PRACK, b 200 PRACK, b 200 INVITE, a ACK");
  call(pair, "app");
  pair.run_for(100ms);
  pair.b_does(Reject{.call = 0, .status = 480});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "480 INVITE"), 1U);
  pair.b_does(HangUp{});
  pair.run_for(1s);
  EXPECT_EQ(pair.count(Side::B, "BYE"), 1U);
  expect_all_ends(pair);
}

}  // namespace
}  // namespace sipassay::agent
