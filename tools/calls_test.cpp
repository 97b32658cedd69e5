// Calls that `sipassay ua --call` makes, to a second agent in virtual time.
#include "tools/calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/testing/pair.h"

namespace sipassay::tools {
namespace {

using sipassay::testing::describe;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Pair = sipassay::testing::Pair;
using Side = Pair::Side;

std::vector<CallStep> steps(const std::vector<std::string>& written) {
  auto steps = call_steps_from(written);
  EXPECT_TRUE(steps) << steps.error();
  return steps.value_or(std::vector<CallStep>{});
}

// As ua.cpp drives it: commands until there are none, then something happens.
class Play {
 public:
  Play(Pair& pair, CallPlan plan) : pair_(pair), calls_(std::move(plan)) {}

  void run() {
    for (int turn = 0; turn < 200'000 && !calls_.is_over(); ++turn) {
      give_commands();
      const std::size_t seen = told_;
      const auto until = calls_.deadline();
      if (calls_.is_over()) break;
      const Duration span = until ? std::max(*until - pair_.now(), Duration(0)) : Duration(600s);
      const bool was_told =
          pair_.run_until([&] { return pair_.events(Side::A).size() > seen; }, span);
      if (!was_told && until && pair_.now() < *until) pair_.run_for(*until - pair_.now());
      listen();
    }
    failures_ = calls_.take_failures();
  }

  const Calls& calls() const { return calls_; }
  const std::vector<std::string>& failures() const { return failures_; }
  std::size_t side_by_side_max() const { return side_by_side_max_; }

 private:
  void give_commands() {
    while (auto command = calls_.poll(pair_.now())) {
      pair_.a_does(*std::move(command));
      listen();
      side_by_side_max_ = std::max(side_by_side_max_, pair_.a().live_calls());
    }
  }
  void listen() {
    for (; told_ < pair_.events(Side::A).size(); ++told_)
      calls_.handle(agent::Event(pair_.events(Side::A)[told_]));
  }

  Pair& pair_;
  Calls calls_;
  std::size_t told_ = 0, side_by_side_max_ = 0;
  std::vector<std::string> failures_;
};

Play play(Pair& pair, std::string_view user, const std::vector<std::string>& written,
          std::uint64_t calls = 1) {
  Play play(pair, {.targets = {pair.uri(Side::B, user)}, .calls = calls, .steps = steps(written)});
  play.run();
  return play;
}

TEST(Calls, EveryStepIsDoneOnceTheOneBeforeIsAnswered) {
  Pair pair;
  const Play done = play(pair, "auto",
                         {"hold", "resume", "reinvite", "offerless-reinvite", "add-media", "update",
                          "empty-update", "info", "info=g.sipassay.test", "message", "wait=1s"});
  EXPECT_THAT(done.failures(), IsEmpty());
  EXPECT_EQ(done.calls().ended_count(), 1U);
  EXPECT_EQ(done.calls().failed_count(), 0U);
  EXPECT_THAT(
      pair.ladder(),
      ElementsAre("a INVITE+sdp", "b 200 INVITE+sdp", "a ACK", "a INVITE+sdp", "b 200 INVITE+sdp",
                  "a ACK", "a INVITE+sdp", "b 200 INVITE+sdp", "a ACK", "a INVITE+sdp",
                  "b 200 INVITE+sdp", "a ACK", "a INVITE", "b 200 INVITE+sdp", "a ACK+sdp",
                  "a INVITE+sdp", "b 200 INVITE+sdp", "a ACK", "a UPDATE+sdp", "b 200 UPDATE+sdp",
                  "a UPDATE", "b 200 UPDATE", "a INFO", "b 200 INFO", "a INFO", "b 200 INFO",
                  "a MESSAGE", "b 200 MESSAGE", "a BYE", "b 200 BYE"));
  EXPECT_THAT(pair.sent(Side::A, "INVITE+sdp", 1).to_string(), HasSubstr("a=sendonly"));
}

TEST(Calls, AReferIsDoneWhenItsEndIsNotified) {
  Pair pair, other;
  const Play good = play(pair, "auto", {"refer=" + pair.uri(Side::A, "auto")});
  EXPECT_THAT(good.failures(), IsEmpty());
  // The call that the REFER makes arrives here and is none of the plan.
  EXPECT_EQ(good.calls().ended_count(), 1U);
  const Play busy = play(other, "auto", {"refer=" + other.uri(Side::A, "busy")});
  EXPECT_THAT(busy.failures(), ElementsAre(HasSubstr("the REFER ended with 486")));
}

TEST(Calls, APeerThatHangsUpIsWaitedForOnlyWhereThePlanSaysSo) {
  Pair pair, other;
  EXPECT_THAT(play(pair, "hang-up", {"await-bye"}).failures(), IsEmpty());
  EXPECT_THAT(play(other, "hang-up", {"wait=5s"}).failures(),
              ElementsAre(HasSubstr("ended before wait was done")));
  EXPECT_FALSE(call_steps_from({"await-bye", "hold"}));
}

TEST(Calls, WhatIsRefusedFailsTheCallAndNamesTheReason) {
  struct Row {
    const char* user;
    std::vector<std::string> steps;
    const char* reason;
  };
  const Row rows[] = {
      {"busy", {}, "not answered: 486"},
      {"nobody", {}, "not answered: 404"},
      {"refuse-reinvite", {"hold", "resume"}, "an offer was answered 488"},
      {"refuse-reinvite", {"update"}, "an offer was answered 488"},
      {"auto", {"info=unknown"}, "INFO was not answered"},
      {"digest", {}, "not answered: 401"},
  };
  for (const Row& row : rows) {
    Pair pair;
    const Play done = play(pair, row.user, row.steps);
    EXPECT_THAT(done.failures(), ElementsAre(HasSubstr(row.reason))) << row.user;
    EXPECT_EQ(done.calls().failed_count(), 1U);
    pair.run_until_quiet();
    EXPECT_TRUE(pair.is_empty()) << row.user;  // hung up all the same
  }
}

TEST(Calls, AReinviteThatMeetsAnotherGoesThroughInTheEnd) {
  Pair pair;
  const Play done = play(pair, "glare-now", {"reinvite", "wait=10s"});
  EXPECT_GE(pair.count(Side::B, "491 INVITE"), 1U);
  EXPECT_THAT(done.failures(), IsEmpty());
}

TEST(Calls, APeerThatBreaksARuleHasFailedTheCall) {
  Pair pair;
  pair.set_filter([&](const Pair::Line& line) {
    const auto message = line.message();
    if (line.was_injected || describe(message) != "200 INVITE+sdp") return true;
    auto broken = message;
    broken.remove(HeaderId::Contact);
    pair.inject(Side::A, std::move(broken));
    return false;
  });
  EXPECT_THAT(
      play(pair, "auto", {}).failures(),
      ElementsAre(HasSubstr("the peer broke contact-in-dialog-forming-response (RFC 3261")));
}

TEST(Calls, ACallThatIsNotOverInTimeHasFailed) {
  Pair pair;
  Play done(pair, {.targets = {pair.uri(Side::B, "ring")}, .patience = 20s});
  done.run();
  EXPECT_THAT(done.failures(), ElementsAre(HasSubstr("not over in time")));
  EXPECT_EQ(pair.now(), Instant(20s));
}

TEST(Calls, BeginAtTheirRateAndNotMoreThanSideBySideAreWanted) {
  Pair pair;
  Play done(pair, {.targets = {pair.uri(Side::B, "auto"), pair.uri(Side::B, "busy")},
                   .calls = 20,
                   .interval = 10ms,
                   .at_once = 3,
                   .steps = steps({"wait=1s"})});
  done.run();
  EXPECT_EQ(done.calls().ended_count(), 20U);
  EXPECT_EQ(done.calls().failed_count(), 10U);  // each second one
  std::vector<Instant> begun;
  for (const auto& line : pair.transcript())
    if (describe(line.message()) == "INVITE+sdp") begun.push_back(line.at);
  ASSERT_EQ(begun.size(), 20U);
  EXPECT_EQ(begun[1] - begun[0], Duration(10ms));
  EXPECT_EQ(begun[2] - begun[1], Duration(10ms));
  EXPECT_GT(pair.now(), Instant(3s));  // three at a time, a second each
}

TEST(Calls, WhatCannotBePlacedIsCounted) {
  Pair::Options options;
  options.a.calls_limit = 0;
  Pair pair(std::move(options));
  EXPECT_THAT(play(pair, "auto", {}, 2).failures(),
              ElementsAre(HasSubstr("INVITE was answered 503"), HasSubstr("503")));
}

TEST(CallSteps, SayWhatIsWrong) {
  const std::pair<const char*, const char*> rows[] = {
      {"frob", "no such step"},     {"", "no such step"},          {"hold=1", "takes no argument"},
      {"refer", "write refer=URI"}, {"refer=", "write refer=URI"}, {"wait=soon", "no time like"},
      {"wait", "write wait=TIME"},
  };
  for (const auto& [written, complaint] : rows) {
    const auto step = call_steps_from({written});
    ASSERT_FALSE(step) << written;
    EXPECT_THAT(step.error(), HasSubstr(complaint));
  }
  EXPECT_TRUE(call_steps_from(std::vector<std::string>(call_steps_max, "hold")));
  EXPECT_FALSE(call_steps_from(std::vector<std::string>(call_steps_max + 1, "hold")));
}

}  // namespace
}  // namespace sipassay::tools
