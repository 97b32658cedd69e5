// RFC 3261 10.2 with a registrar at the other end, in virtual time.
#include "engine/agent/registration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/message/header/all.h"
#include "engine/testing/pair.h"

namespace sipassay::agent {
namespace {

using ::testing::ElementsAre;
using Pair = sipassay::testing::Pair;
using Side = Pair::Side;

Pair::Options with_registrar(std::chrono::seconds minimum = std::chrono::seconds{60}) {
  Pair::Options options;
  options.b.registrar.emplace().minimum = minimum;
  options.b.accepts = {{}, "u", "p"};
  return options;
}

std::vector<std::uint32_t> granted(const Pair& pair) {
  std::vector<std::uint32_t> out;
  for (const auto& event : pair.events_of<RegistrationChanged>(Side::A))
    out.push_back(event.seconds);
  return out;
}
std::vector<int> answers(const Pair& pair) {
  std::vector<int> out;
  for (const auto& event : pair.events_of<RequestAnswered>(Side::A)) out.push_back(event.status);
  return out;
}

TEST(Registration, IsMadeAsRfc3261Says) {
  Pair pair(with_registrar());
  pair.a_does(Register{.registrar = pair.uri(Side::B, "bob"), .expires = 600});
  pair.run_for(1s);
  const auto sent = pair.sent(Side::A, "REGISTER");
  EXPECT_EQ(sent.request_uri(), "sip:192.0.2.2:5060");
  EXPECT_EQ(sent.raw(HeaderId::To), "<sip:bob@192.0.2.2>");
  EXPECT_EQ(sent.get<From>()->addr.uri.text, "sip:bob@192.0.2.2");
  EXPECT_EQ(sent.raw(HeaderId::Contact), "<sip:bob@192.0.2.1:5060>");
  EXPECT_EQ(sent.raw(HeaderId::Expires), "600");
  EXPECT_THAT(granted(pair), ElementsAre(600U));
}

TEST(Registration, IsRefreshedBeforeItExpires) {
  Pair pair(with_registrar());
  pair.a_does(Register{.registrar = pair.uri(Side::B, "bob"), .expires = 60});
  pair.run_for(29s);
  EXPECT_EQ(pair.count(Side::A, "REGISTER"), 1U);
  pair.run_for(2s);  // half of what is shorter than two timeouts
  EXPECT_EQ(pair.count(Side::A, "REGISTER"), 2U);
  pair.run_for(600s);
  const auto first = pair.sent(Side::A, "REGISTER");
  for (std::size_t i = 1; i < pair.count(Side::A, "REGISTER"); ++i) {
    const auto next = pair.sent(Side::A, "REGISTER", i);
    EXPECT_EQ(next.raw(HeaderId::CallId), first.raw(HeaderId::CallId));
    EXPECT_EQ(next.get<CSeq>()->number, first.get<CSeq>()->number + i);
  }
  EXPECT_EQ(pair.count(Side::A, "REGISTER"), 22U);
}

TEST(Registration, OfAnHourIsRefreshedATimeoutEarlier) {
  Pair pair(with_registrar());
  pair.a_does(Register{.registrar = pair.uri(Side::B, "bob")});
  pair.run_for(3567s);
  EXPECT_EQ(pair.count(Side::A, "REGISTER"), 1U);
  pair.run_for(2s);
  EXPECT_EQ(pair.count(Side::A, "REGISTER"), 2U);
}

TEST(Registration, IsRemovedFetchedAndRemovedWholly) {
  Pair pair(with_registrar());
  const auto uri = pair.uri(Side::B, "bob");
  pair.a_does(Register{.registrar = uri});
  pair.run_for(1s);
  pair.a_does(Register{.registrar = uri, .kind = Register::Kind::Fetch});
  pair.run_for(1s);
  EXPECT_FALSE(pair.sent(Side::A, "REGISTER", 1).has(HeaderId::Contact));
  pair.a_does(Register{.registrar = uri, .expires = 0});
  pair.run_for(1s);
  pair.a_does(Register{.registrar = uri});
  pair.run_for(1s);
  pair.a_does(Register{.registrar = uri, .kind = Register::Kind::RemoveAll});
  pair.run_for(1s);
  EXPECT_EQ(pair.sent(Side::A, "REGISTER", 4).raw(HeaderId::Contact), "*");
  EXPECT_EQ(pair.sent(Side::A, "REGISTER", 4).raw(HeaderId::Expires), "0");
  EXPECT_THAT(granted(pair), ElementsAre(3600U, 3599U, 0U, 3600U, 0U));
  EXPECT_TRUE(pair.run_until_quiet()) << "nothing is refreshed that is not bound";
}

TEST(Registration, WaitsForTheFinalResponseOfTheOneBefore) {
  Pair pair(with_registrar());
  const auto uri = pair.uri(Side::B, "bob");
  for (const std::uint32_t seconds : {100U, 200U, 300U})
    pair.a_does(Register{.registrar = uri, .expires = seconds, .refreshes = false});
  EXPECT_EQ(pair.count(Side::A, "REGISTER"), 1U);
  pair.run_for(1s);
  EXPECT_THAT(granted(pair), ElementsAre(100U, 300U));  // the newest wish follows
}

TEST(Registration, AsksForLongerAfter423) {
  Pair pair(with_registrar(std::chrono::seconds{1800}));
  pair.a_does(Register{.registrar = pair.uri(Side::B, "bob"), .expires = 60});
  pair.run_for(1s);
  EXPECT_THAT(answers(pair), ElementsAre(423, 200));
  EXPECT_THAT(granted(pair), ElementsAre(1800U));
}

TEST(Registration, Follows423SoOftenAndNoMore) {
  sipassay::agent::Registration one(32s);
  EXPECT_TRUE(one.want({.registrar = "sip:r", .expires = 60}));
  for (unsigned i = 1; i <= raises_max + 1; ++i) {
    auto refusal = Message::response(423);
    refusal.add(HeaderId::MinExpires, std::to_string(60 + i));
    EXPECT_EQ(one.answered(&refusal, "sip:b@h", {}), i <= raises_max) << i;
  }
  EXPECT_EQ(one.state(), sipassay::agent::Registration::State::Idle);
}

TEST(Registration, AnswersChallengesOfBothKinds) {
  for (const std::string_view user : {"digest", "proxy-digest"}) {
    auto options = with_registrar();
    options.a.credentials = {{{}, "u", "p"}};
    Pair pair(options);
    pair.a_does(Register{.registrar = pair.uri(Side::B, user)});
    pair.run_for(1s);
    EXPECT_THAT(granted(pair), ElementsAre(3600U)) << user;
    EXPECT_EQ(pair.sent(Side::A, "REGISTER", 1).get<CSeq>()->number, 2U);
    pair.a_does(Register{.registrar = pair.uri(Side::B, user), .expires = 0});  // at once
    pair.run_for(1s);
    EXPECT_EQ(pair.count(Side::A, "REGISTER"), 3U);
  }
}

TEST(Registration, GivesUpWithAWrongPassword) {
  auto options = with_registrar();
  options.a.credentials = {{{}, "u", "wrong"}};
  Pair pair(options);
  pair.a_does(Register{.registrar = pair.uri(Side::B, "digest")});
  EXPECT_TRUE(pair.run_until_quiet());
  EXPECT_EQ(pair.count(Side::A, "REGISTER"), 2U);
  EXPECT_THAT(answers(pair), ElementsAre(401));
}

TEST(Registration, TriesAgainLaterWhenNobodyAnswers) {
  Pair pair(with_registrar());
  pair.set_filter([](const Pair::Line&) { return false; });
  pair.a_does(Register{.registrar = pair.uri(Side::B, "bob")});
  pair.run_for(91s);
  const auto before = pair.count(Side::A, "REGISTER");
  EXPECT_EQ(pair.sent(Side::A, "REGISTER", before - 1).get<CSeq>()->number, 1U);
  EXPECT_THAT(answers(pair), ElementsAre(408));
  pair.set_filter({});
  pair.run_for(3s);
  EXPECT_THAT(granted(pair), ElementsAre(0U, 3600U));
}

TEST(Registration, HasALimitOfRegistrars) {
  Pair pair(with_registrar());
  for (int i = 0; i <= 64; ++i)
    pair.a_does(Register{.registrar = pair.uri(Side::B, "user" + std::to_string(i))});
  pair.run_for(1s);
  EXPECT_EQ(granted(pair).size(), 64U);
  EXPECT_EQ(answers(pair).front(), 503);
  // One that nothing is bound at makes room.
  pair.a_does(Register{.registrar = pair.uri(Side::B, "user7"), .expires = 0});
  pair.run_for(1s);
  pair.a_does(Register{.registrar = pair.uri(Side::B, "another")});
  pair.run_for(1s);
  EXPECT_EQ(granted(pair).back(), 3600U);
}

}  // namespace
}  // namespace sipassay::agent
