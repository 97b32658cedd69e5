// Whole runs: hand-built cases against the embedded agent, each step kind, each outcome.
#include "engine/runner/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "engine/runner/misbehaviour.h"
#include "engine/runner/observer.h"

namespace sipassay::runner {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// --- cases by hand

Step line(std::size_t number, decltype(Step::action) action, std::string flow = {}) {
  return {.action = std::move(action), .line = number, .flow = std::move(flow)};
}

SendStep send(std::string method, std::string as = {}, std::string dialog = {}) {
  SendStep step;
  step.method = std::move(method);
  step.as = std::move(as);
  step.dialog = std::move(dialog);
  return step;
}
SendStep send_sdp(std::string method, std::string as, std::string sdp) {
  auto step = send(std::move(method), std::move(as));
  step.edit.sdp = std::move(sdp);
  return step;
}
ExpectStep expect(std::string status, std::string of = {}, std::string as = {}) {
  ExpectStep step;
  step.pattern.status = std::move(status);
  step.pattern.of = std::move(of);
  step.as = std::move(as);
  return step;
}
ExpectStep expect_request(std::string method, std::string as = {}) {
  ExpectStep step;
  step.pattern.method = std::move(method);
  step.as = std::move(as);
  return step;
}
ExpectStep with(ExpectStep step, std::string name, HeaderCheck::Op op, std::string value = {},
                std::optional<Level> level = {}) {
  step.checks.push_back({HeaderCheck{.name = std::move(name),
                                     .param = {},
                                     .part = {},
                                     .op = op,
                                     .value = std::move(value),
                                     .level = level,
                                     .clause_section = {}}});
  return step;
}
ReplyStep reply(std::string to, int status, std::string dialog = {}) {
  ReplyStep step;
  step.to = std::move(to);
  step.status = status;
  step.dialog = std::move(dialog);
  return step;
}
SutStep sut(std::string action, std::map<std::string, Template> arguments = {}) {
  return {std::move(action), std::move(arguments)};
}
Span span(Duration fixed) {
  return {.fixed = fixed, .t1_multiple = 0};
}
Span t1(double multiple) {
  return {.fixed = {}, .t1_multiple = multiple};
}

template <class... Actions>
Case make(Actions... actions) {
  Case out;
  out.id = "LOCAL-test-1";
  out.title = "a test";
  out.clause_section = "13.3";
  out.transports = {Transport::Udp, Transport::Tcp};
  std::size_t number = 0;
  (out.steps.push_back(line(++number, std::move(actions))), ...);
  return out;
}
template <class... Actions>
Case called(std::string user, Actions... actions) {
  auto out = make(std::move(actions)...);
  out.user = std::move(user);
  return out;
}

CaseResult run(const Case& the_case, EmbeddedOptions options = {}) {
  return run_embedded(the_case, options);
}

std::string explain(const CaseResult& result) {
  std::string out = std::string(to_string(result.outcome)) + ": " + result.reason + " | expected " +
                    result.expected + " | observed " + result.observed + "\n";
  for (const auto& message : result.messages)
    out += message.from + ": " + message.octets.substr(0, message.octets.find("\r\n")) + "\n";
  return out;
}
testing::AssertionResult ends_as(const CaseResult& result, Outcome wanted) {
  if (result.outcome == wanted) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "not " << to_string(wanted) << " but " << explain(result);
}

std::size_t count(const CaseResult& result, std::string_view from, std::string_view start) {
  return static_cast<std::size_t>(std::ranges::count_if(result.messages, [&](const auto& entry) {
    return entry.from == from && entry.octets.starts_with(start);
  }));
}

// --- calls

Case simple_call() {
  return make(send("INVITE", "invite"), expect("2xx", "invite", "ok"), send("ACK"),
              send("BYE", "bye"), expect("200", "bye"));
}

TEST(Run, ACallPasses) {
  const auto result = run(simple_call());
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_EQ(result.clause, "RFC 3261 section 13.3, MUST");
  EXPECT_EQ(result.repeat, "sipassay run LOCAL-test-1 --seed 1");
  // INVITE, 200, ACK, BYE, 200 and the probe with its answer; a 100 may be among them.
  EXPECT_GE(result.messages.size(), 7u);
}

TEST(Run, ACallPassesOverTcp) {
  const auto result = run(simple_call(), {.transport = Transport::Tcp});
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
  EXPECT_EQ(result.transport, Transport::Tcp);
  EXPECT_THAT(result.messages.front().octets, HasSubstr("SIP/2.0/TCP"));
  EXPECT_THAT(result.repeat, HasSubstr("--transport tcp"));
}

TEST(Run, TheSutCalls) {
  auto the_case =
      make(sut("call"), expect_request("INVITE", "invite"), reply("invite", 180, "call"),
           reply("invite", 200, "call"), expect_request("ACK"), sut("hang-up"),
           expect_request("BYE", "bye"), reply("bye", 200));
  the_case.role = SutRole::Uac;
  EXPECT_TRUE(ends_as(run(the_case), Outcome::Pass));
}

TEST(Run, TheSameSeedGivesTheSameOctets) {
  const auto octets = [](std::uint64_t seed) {
    std::string out;
    for (const auto& message : run(simple_call(), {.run_seed = seed}).messages)
      out += message.octets;
    return out;
  };
  EXPECT_EQ(octets(7), octets(7));
  EXPECT_NE(octets(7), octets(8));
}

TEST(Run, ALossyNetworkDoesNotChangeTheVerdict) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EmbeddedOptions options{.run_seed = seed};
    options.network = {
        .delay_min = 1ms, .delay_max = 40ms, .loss_percent = 10, .duplicate_percent = 10};
    EXPECT_TRUE(ends_as(run(simple_call(), options), Outcome::Pass));
  }
}

// --- verdicts

TEST(Run, AMustThatIsBrokenFailsWithEverythingThatIsKnown) {
  const auto result = run(called("busy", send("INVITE", "invite"), expect("2xx", "invite")));
  EXPECT_TRUE(ends_as(result, Outcome::Fail));
  EXPECT_THAT(result.reason, HasSubstr("486 Busy Here to INVITE came instead of response 2xx"));
  EXPECT_EQ(result.expected, "response 2xx to invite");
  EXPECT_EQ(result.observed, "486 Busy Here to INVITE");
  EXPECT_EQ(result.line, 2u);
  ASSERT_GE(result.offending, 0);
  EXPECT_TRUE(result.messages[static_cast<std::size_t>(result.offending)].octets.starts_with(
      "SIP/2.0 486"));
}

TEST(Run, ACheckThatFailsNamesTheHeader) {
  const auto result = run(make(send("OPTIONS", "options"), with(expect("200", "options"), "Allow",
                                                                HeaderCheck::Op::Has, "NOSUCH")));
  EXPECT_TRUE(ends_as(result, Outcome::Fail));
  EXPECT_EQ(result.header, "Allow");
  EXPECT_EQ(result.expected, "Allow has NOSUCH");
  EXPECT_THAT(result.observed, HasSubstr("INVITE"));
}

TEST(Run, AShouldThatIsNotKeptIsNonStrictAndTheCaseGoesOn) {
  auto the_case =
      make(send("OPTIONS", "options"),
           with(expect("200", "options"), "X-None", HeaderCheck::Op::Present, "", Level::Should),
           send("OPTIONS", "second"), expect("200", "second"));
  auto result = run(the_case);
  EXPECT_TRUE(ends_as(result, Outcome::NonStrict));
  EXPECT_EQ(count(result, "peer", "OPTIONS"), 3u);
  the_case.level = Level::Should;
  std::get<HeaderCheck>(std::get<ExpectStep>(the_case.steps[1].action).checks[0].check).level = {};
  EXPECT_TRUE(ends_as(run(the_case), Outcome::NonStrict));
  std::get<HeaderCheck>(std::get<ExpectStep>(the_case.steps[1].action).checks[0].check).level =
      Level::Must;
  EXPECT_TRUE(ends_as(run(the_case), Outcome::Fail));
}

TEST(Run, NothingCameFailsAfterThePatience) {
  const auto result = run(called("silent", send("INVITE", "invite"), expect("2xx", "invite")));
  EXPECT_TRUE(ends_as(result, Outcome::Fail));
  EXPECT_EQ(result.expected, "response 2xx to invite within 33 s");
  EXPECT_THAT(result.observed, HasSubstr("100 Trying"));
  EXPECT_EQ(count(result, "peer", "CANCEL"), 1u) << "teardown cancels what is pending";
}

TEST(Run, AFlowBeforeTheFirstOwnExpectationIsAPrecondition) {
  Case the_case = called("busy");
  the_case.steps = {line(1, send("INVITE", "invite"), "established-call"),
                    line(1, expect("2xx", "invite"), "established-call"),
                    line(2, send("BYE", "bye")), line(3, expect("200", "bye"))};
  const auto result = run(the_case);
  EXPECT_TRUE(ends_as(result, Outcome::Error));
  EXPECT_THAT(result.reason, HasSubstr("the precondition (established-call) was not established"));
  // A flow after an expectation of the case itself is part of what it requires.
  the_case.steps.insert(the_case.steps.begin(), {line(1, send("OPTIONS", "options")),
                                                 line(1, expect("200|486", "options"))});
  EXPECT_TRUE(ends_as(run(the_case), Outcome::Fail));
}

TEST(Run, UnsupportedIsTheSutsOwnWord) {
  auto the_case = make(send("PUBLISH", "publish"), expect("200", "publish"));
  const auto result = run(the_case);
  EXPECT_TRUE(ends_as(result, Outcome::Unsupported));
  EXPECT_THAT(result.reason, HasSubstr("does not support PUBLISH"));
  // A 4xx that says something else is a failure.
  EXPECT_TRUE(ends_as(run(called("nobody", send("MESSAGE", "message"), expect("200", "message"))),
                      Outcome::Fail));
}

TEST(Run, NotApplicableSaysWhy) {
  auto the_case = simple_call();
  EXPECT_TRUE(ends_as(run(the_case, {.transport = Transport::Ws}), Outcome::NotApplicable));
  CaseOptions options;
  options.sut = {.transport = Transport::Udp, .host = "192.0.2.1", .port = 5060};
  CaseRun no_user(the_case, options, Instant{});
  EXPECT_TRUE(no_user.is_done());
  EXPECT_THAT(no_user.result().reason, HasSubstr("behaves as \"auto\""));
  options.assume_users = true;
  the_case.needs = {"100rel"};
  options.declared = {{{CapabilityKind::Extension, "100rel"}, false}};
  const auto unsupported = CaseRun(the_case, options, Instant{}).result();
  EXPECT_TRUE(ends_as(unsupported, Outcome::Unsupported));
  EXPECT_THAT(unsupported.reason, HasSubstr("profile says that it lacks the extension 100rel"));
  options.roles = {SutRole::Registrar, SutRole::Proxy};
  const auto no_role = CaseRun(the_case, options, Instant{}).result();
  EXPECT_TRUE(ends_as(no_role, Outcome::NotApplicable));
  EXPECT_THAT(no_role.reason, HasSubstr("no uas"));
  options.roles = {SutRole::Uas};
  the_case.needs = {};
  the_case.steps.insert(the_case.steps.begin(), line(1, sut("call")));
  const auto result = CaseRun(the_case, options, Instant{}).result();
  EXPECT_TRUE(ends_as(result, Outcome::NotApplicable));
  EXPECT_THAT(result.reason, HasSubstr("trigger"));
}

TEST(Run, ABrokenCaseIsErrorNotFail) {
  EXPECT_TRUE(ends_as(
      run(make(send("OPTIONS", "options"),
               with(expect("200", "options"), "CSeq", HeaderCheck::Op::Is, "${nobody.cseq}"))),
      Outcome::Error));
  EXPECT_TRUE(ends_as(run(make(sut("juggle"))), Outcome::Unsupported));
  EXPECT_TRUE(ends_as(run(make(reply("nobody", 200))), Outcome::Error));
  EXPECT_TRUE(ends_as(run(make(send("ACK"))), Outcome::Error));
  EXPECT_TRUE(ends_as(run(make(ResendStep{"nobody"})), Outcome::Error));
  EXPECT_TRUE(ends_as(run(make(AgainStep{"nobody", t1(1), {}})), Outcome::Error));
  EXPECT_TRUE(ends_as(run(make(CheckStep{"nobody", {}})), Outcome::Error));
  EXPECT_TRUE(ends_as(run(make(DialogStep{"call", "nobody"})), Outcome::Error));
}

// --- steps

TEST(Steps, EitherTakesTheBranchThatCame) {
  EitherStep either;
  either.branches.push_back(
      {.outcome = {},
       .reason = {},
       .silence = {},
       .steps = {line(2, with(expect("200", "options"), "X-None", HeaderCheck::Op::Present))}});
  either.branches.push_back({.outcome = Outcome::Info,
                             .reason = "no X-None",
                             .silence = {},
                             .steps = {line(3, expect("200", "options"))}});
  either.branches.push_back({.outcome = Outcome::NonStrict,
                             .reason = "busy",
                             .silence = {},
                             .steps = {line(4, expect("486", "options"))}});
  auto result = run(make(send("OPTIONS", "options"), either));
  EXPECT_TRUE(ends_as(result, Outcome::Info));
  EXPECT_EQ(result.reason, "no X-None");
  result = run(called("busy", send("OPTIONS", "options"), either));
  EXPECT_TRUE(ends_as(result, Outcome::NonStrict));
  result = run(called("nobody", send("OPTIONS", "options"), either));
  EXPECT_TRUE(ends_as(result, Outcome::Fail));
  EXPECT_EQ(result.expected,
            "response 200 to options, or response 200 to options, or response 486 to options");
}

TEST(Steps, EitherMayBeSilence) {
  EitherStep either;
  either.branches.push_back(
      {.outcome = {}, .reason = {}, .silence = {}, .steps = {line(2, expect("400"))}});
  either.branches.push_back(
      {.outcome = Outcome::Info, .reason = "dropped", .silence = span(2s), .steps = {}});
  auto raw = send("");
  raw.edit.raw = "this is no SIP\r\n\r\n";
  const auto result = run(make(raw, either));
  EXPECT_TRUE(ends_as(result, Outcome::Info));
  EXPECT_EQ(result.reason, "dropped");
}

TEST(Steps, UnorderedTakesAnyOrder) {
  for (const bool is_turned : {false, true}) {
    UnorderedStep unordered;
    unordered.steps = {line(3, expect("200", "one")), line(4, expect("200", "two"))};
    if (is_turned) std::swap(unordered.steps[0], unordered.steps[1]);
    EXPECT_TRUE(ends_as(run(make(send("OPTIONS", "one"), send("OPTIONS", "two"), unordered)),
                        Outcome::Pass));
  }
  UnorderedStep missing;
  missing.steps = {line(3, expect("200", "one")), line(4, expect_request("INFO"))};
  const auto result = run(make(send("OPTIONS", "one"), missing));
  EXPECT_TRUE(ends_as(result, Outcome::Fail));
  EXPECT_THAT(result.expected, HasSubstr("INFO"));
}

TEST(Steps, OptionalIsSkippedWhenWhatFollowsIsThere) {
  auto optional = expect("180", "invite");
  optional.is_optional = true;
  const auto direct =
      run(make(send("INVITE", "invite"), optional, expect("2xx", "invite"), send("ACK")));
  EXPECT_TRUE(ends_as(direct, Outcome::Pass));
  EXPECT_LT(direct.took, 5s);
  EXPECT_TRUE(ends_as(run(called("ring", send("INVITE", "invite"), optional, sut("answer"),
                                 expect("2xx", "invite"), send("ACK"))),
                      Outcome::Pass));
}

TEST(Steps, ForbidFailsOnWhatArrivesInItsSpanOnly) {
  ForbidStep forbid{{.method = {}, .status = "2xx", .of = "invite", .dialog = {}, .peer = {}},
                    span(400ms)};
  EXPECT_TRUE(
      ends_as(run(make(send("INVITE", "invite"), expect("2xx", "invite"), forbid, send("ACK"))),
              Outcome::Pass));
  forbid.during = span(600ms);  // T1 is in it: without an ACK the 2xx comes again
  const auto result =
      run(make(send("INVITE", "invite"), expect("2xx", "invite"), forbid, send("ACK")));
  EXPECT_TRUE(ends_as(result, Outcome::Fail));
  EXPECT_EQ(result.observed, "200 OK to INVITE after 0.500 s");
}

TEST(Steps, AgainIsExact) {
  const auto schedule = [](std::vector<Span> times) {
    auto the_case = make(send("INVITE", "invite"), expect("2xx", "invite", "ok"));
    for (const auto& time : times) the_case.steps.push_back(line(3, AgainStep{"ok", time, {}}));
    the_case.steps.push_back(line(4, send("ACK")));
    return the_case;
  };
  EXPECT_TRUE(ends_as(run(schedule({t1(1), t1(3), t1(7), t1(15)})), Outcome::Pass));
  const auto early = run(schedule({t1(1.002)}));
  EXPECT_TRUE(ends_as(early, Outcome::Fail));
  EXPECT_EQ(early.observed, "it came after 0.500 s");
  EXPECT_TRUE(ends_as(run(schedule({t1(0.5)})), Outcome::Fail));
  auto tolerant = schedule({t1(1.1)});
  std::get<AgainStep>(tolerant.steps[2].action).tolerance = span(60ms);
  EXPECT_TRUE(ends_as(run(tolerant), Outcome::Pass));
  EmbeddedOptions slow;
  slow.timings.t1 = 100ms;
  EXPECT_TRUE(ends_as(run(schedule({t1(1), t1(3)}), slow), Outcome::Pass));
}

TEST(Steps, AgainOverlooksAProvisionalResponseThatWasSentInBetween) {
  const auto result = run(called(
      "ring", send("INVITE", "invite"), expect("180", "invite", "ringing"), WaitStep{span(200ms)},
      ResendStep{"invite"}, WaitStep{span(300ms)}, ResendStep{"invite"},
      AgainStep{"ringing", span(500ms), {}}, send("CANCEL"), expect("487", "invite")));
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
}

TEST(Steps, ResendRepeatsOctets) {
  const auto result = run(make(send("OPTIONS", "options"), expect("200", "options", "ok"),
                               ResendStep{"options"}, AgainStep{"ok", span(0s), {}}));
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
  EXPECT_EQ(result.messages[0].octets, result.messages[2].octets);
  EXPECT_TRUE(result.messages[2].is_retransmission);
}

TEST(Steps, NetworkDropsDelaysDoublesAndSwaps) {
  using Action = NetworkStep::Action;
  const auto network = [](Action action, bool to_sut, Pattern pattern, unsigned times = 1,
                          Duration by = {}) {
    return NetworkStep{action, to_sut, std::move(pattern), times, span(by)};
  };
  const Pattern invite{.method = "INVITE", .status = {}, .of = {}, .dialog = {}, .peer = {}};
  const Pattern success{.method = {}, .status = "2xx", .of = {}, .dialog = {}, .peer = {}};

  auto result = run(make(network(Action::Drop, true, invite, 2), send("INVITE", "invite"),
                         expect("2xx", "invite"), send("ACK")));
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
  EXPECT_EQ(std::ranges::count_if(result.messages, &TranscriptEntry::was_lost), 2);
  EXPECT_GE(result.took, 1500ms);

  result = run(make(network(Action::Drop, false, success), send("INVITE", "invite"),
                    expect("2xx", "invite"), send("ACK")));
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
  EXPECT_EQ(std::ranges::count_if(result.messages, &TranscriptEntry::was_lost), 1);

  result = run(make(network(Action::Delay, true, invite, 1, 300ms), send("INVITE", "invite"),
                    expect("2xx", "invite"), send("ACK")));
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
  EXPECT_EQ(result.took, 300ms);

  result = run(make(
      network(Action::Duplicate, true,
              Pattern{.method = "OPTIONS", .status = {}, .of = {}, .dialog = {}, .peer = {}}),
      send("OPTIONS", "options"), expect("200", "options", "ok"), AgainStep{"ok", span(0s), {}}));
  EXPECT_TRUE(ends_as(result, Outcome::Pass));

  const Pattern options{.method = "OPTIONS", .status = {}, .of = {}, .dialog = {}, .peer = {}};
  result =
      run(make(network(Action::Swap, true, options), send("OPTIONS", "one"), send("OPTIONS", "two"),
               expect("200", "two", "first"), expect("200", "one", "second")));
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
  EXPECT_EQ(count(result, "sut", "SIP/2.0 200"), 3u);
  EXPECT_LT(
      std::ranges::find_if(result.messages, [](const auto& entry) { return entry.from == "sut"; }) -
          result.messages.begin(),
      3);
}

TEST(Steps, NetworkIsUnreachableUntilRestored) {
  using Action = NetworkStep::Action;
  auto the_case = make(
      NetworkStep{Action::Unreachable, false, {}, 1, {}}, sut("call"), WaitStep{span(1s)},
      NetworkStep{Action::Restore, false, {}, 1, {}},
      ForbidStep{{.method = "INVITE", .status = {}, .of = {}, .dialog = {}, .peer = {}}, span(5s)});
  the_case.role = SutRole::Uac;
  EXPECT_TRUE(ends_as(run(the_case), Outcome::Pass));
}

TEST(Steps, WaitTakesItsTime) {
  EXPECT_EQ(run(make(WaitStep{t1(4)})).took, 2s);
}

TEST(Steps, StateLooksAtBothSides) {
  auto the_case = make(send("INVITE", "invite", "call"), expect("2xx", "invite", "ok"), send("ACK"),
                       StateStep{true,
                                 "call",
                                 {{"signaling", "stable"},
                                  {"session", "confirmed"},
                                  {"offer", "${call.offer}"},
                                  {"answer", "${ok.body}"}}},
                       StateStep{false,
                                 "call",
                                 {{"signaling", "stable"},
                                  {"session", "confirmed"},
                                  {"remote-target", "${ok.contact.uri}"}}});
  EXPECT_TRUE(ends_as(run(the_case), Outcome::Pass));
  std::get<StateStep>(the_case.steps[3].action).fields = {{"signaling", "have-local-offer"}};
  const auto result = run(the_case);
  EXPECT_TRUE(ends_as(result, Outcome::Fail));
  EXPECT_EQ(result.observed, "stable");
  EXPECT_EQ(result.header, "signaling");
}

TEST(Steps, DialogAndCheckNameWhatCame) {
  CheckStep check{"ok",
                  {{HeaderCheck{.name = "To",
                                .param = "tag",
                                .part = {},
                                .op = HeaderCheck::Op::Is,
                                .value = "${named.remote-tag}",
                                .level = {},
                                .clause_section = {}}},
                   {SdpCheck{.op = SdpCheck::Op::Answers,
                             .value = "invite",
                             .media = 0,
                             .level = {},
                             .clause_section = {}}}}};
  EXPECT_TRUE(ends_as(run(make(send("INVITE", "invite"), expect("2xx", "invite", "ok"), send("ACK"),
                               DialogStep{"named", "ok"}, check, send("BYE", "bye", "named"),
                               expect("200", "bye"))),
                      Outcome::Pass));
}

TEST(Steps, SegmentsOnAStreamChangeNothing) {
  auto cut = send("OPTIONS", "options");
  cut.edit.segments = {1, 10, 100};
  EXPECT_TRUE(ends_as(run(make(cut, expect("200", "options")), {.transport = Transport::Tcp}),
                      Outcome::Pass));
}

// --- the peer is a real one

TEST(Peer, PracksAndAnswersFromState) {
  auto invite = send("INVITE", "invite");
  invite.edit.headers = {{HeaderEdit::Action::Set, "Supported", "100rel", ""}};
  const auto result =
      run(called("reliable", invite,
                 with(expect("101-199", "invite", "ringing"), "RSeq", HeaderCheck::Op::Present),
                 send("PRACK", "prack"), expect("200", "prack"), expect("2xx", "invite"),
                 send("ACK"), send("BYE", "bye"), expect("200", "bye")));
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
}

TEST(Peer, ReinvitesHoldsAndGoesOn) {
  EXPECT_TRUE(ends_as(run(make(send("INVITE", "invite", "call"), expect("2xx", "invite"),
                               send("ACK"), send_sdp("INVITE", "hold", "offer:sendonly"),
                               expect("2xx", "hold", "held"), send("ACK"),
                               CheckStep{"held",
                                         {{SdpCheck{.op = SdpCheck::Op::Direction,
                                                    .value = "recvonly|inactive",
                                                    .media = 0,
                                                    .level = {},
                                                    .clause_section = {}}}}},
                               send_sdp("INVITE", "ask", "none"), expect("2xx", "ask"), send("ACK"),
                               StateStep{false, "call", {{"signaling", "stable"}}})),
                      Outcome::Pass));
}

TEST(Peer, RepeatsItsSuccessAndReliableProvisionalUntilTheyAreAcknowledged) {
  using Action = NetworkStep::Action;
  auto reliable = reply("invite", 183, "call");
  reliable.rseq = "next";
  auto the_case =
      make(sut("call"), expect_request("INVITE", "invite"),
           NetworkStep{Action::Drop,
                       true,
                       {.method = {}, .status = "183", .of = {}, .dialog = {}, .peer = {}},
                       2,
                       {}},
           reliable, expect_request("PRACK", "prack"), reply("prack", 200),
           NetworkStep{Action::Drop,
                       true,
                       {.method = {}, .status = "200", .of = {}, .dialog = {}, .peer = {}},
                       1,
                       {}},
           reply("invite", 200, "call"), expect_request("ACK"), send("BYE", "bye"),
           expect("200", "bye"));
  the_case.role = SutRole::Uac;
  const auto result = run(the_case);
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
  EXPECT_EQ(count(result, "peer", "SIP/2.0 183"), 3u);
  EXPECT_EQ(count(result, "peer", "SIP/2.0 200 OK\r\n"), 3u) << "to PRACK, and twice to INVITE";
}

TEST(Peer, AnswersAChallenge) {
  const auto result = run(called("digest", send("INVITE", "invite"), expect("2xx", "invite"),
                                 send("ACK"), send("BYE", "bye"), expect("200", "bye")));
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
  EXPECT_GE(count(result, "peer", "INVITE"), 2u);
}

TEST(Peer, AnswersInTheBackgroundWhatTheCaseIsNotAbout) {
  auto the_case =
      make(send("INVITE", "invite"), expect("2xx", "invite"), send("ACK"), sut("hold"), sut("info"),
           WaitStep{span(1s)}, sut("options"), send("BYE", "bye"), expect("200", "bye"));
  const auto result = run(the_case);
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
  EXPECT_THAT(result.findings, IsEmpty());
}

TEST(Peer, ForksByName) {
  auto the_case =
      make(sut("call"), expect_request("INVITE", "invite"), reply("invite", 180, "one"),
           reply("invite", 180, "two"), reply("invite", 200, "two"), expect_request("ACK", "ack"),
           CheckStep{"ack",
                     {{HeaderCheck{.name = "To",
                                   .param = "tag",
                                   .part = {},
                                   .op = HeaderCheck::Op::Is,
                                   .value = "${two.local-tag}",
                                   .level = {},
                                   .clause_section = {}}}}},
           send("BYE", "bye", "two"), expect("200", "bye"));
  the_case.role = SutRole::Uac;
  EXPECT_TRUE(ends_as(run(the_case), Outcome::Pass));
}

TEST(Peer, SeveralPeersHaveAddressesOfTheirOwn) {
  auto the_case = make(send("OPTIONS", "one"), expect("200", "one"));
  the_case.peers = {{"second", true}, {"third", false}};
  for (const char* name : {"second", "third"}) {
    auto options = send("OPTIONS", std::string("of-") + name);
    options.peer = name;
    the_case.steps.push_back(line(5, options));
    auto ok = expect("200", std::string("of-") + name);
    ok.pattern.peer = name;
    the_case.steps.push_back(line(6, ok));
  }
  const auto result = run(the_case);
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
  EXPECT_EQ(count(result, "second", "OPTIONS"), 1u);
  EXPECT_EQ(count(result, "third", "OPTIONS"), 1u);
  const auto of = [&](std::string_view name) {
    return std::ranges::find(result.messages, name, &TranscriptEntry::from)->octets;
  };
  EXPECT_THAT(of("second"), HasSubstr("Via: SIP/2.0/UDP 192.0.2.102:5060"));
  EXPECT_THAT(of("third"), HasSubstr("Via: SIP/2.0/UDP 192.0.2.101:5060"));
}

// --- teardown, probe, crash

TEST(Teardown, EndsEveryDialog) {
  const auto result = run(make(send("INVITE", "invite"), expect("2xx", "invite")));
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
  EXPECT_EQ(count(result, "peer", "ACK"), 1u);
  EXPECT_EQ(count(result, "peer", "BYE"), 1u);
  EXPECT_EQ(count(result, "peer", "OPTIONS"), 1u);
}

TEST(Teardown, RefusesWhatTheSutStarted) {
  auto the_case =
      make(sut("call"), expect_request("INVITE", "invite"), reply("invite", 180, "call"));
  the_case.role = SutRole::Uac;
  const auto result = run(the_case);
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
  EXPECT_EQ(count(result, "peer", "SIP/2.0 486"), 1u);
}

// A SUT that the test plays itself.
class FedRun {
 public:
  explicit FedRun(Case the_case, bool is_live = false)
      : case_(std::move(the_case)), run_(case_, options(is_live), Instant{}) {
    drain();
  }

  void drain() {
    while (true) {
      auto output = run_.poll();
      if (std::holds_alternative<Done>(output)) return;
      if (const auto* wait = std::get_if<WaitUntil>(&output)) {
        deadline = wait->deadline;
        return;
      }
      if (const auto* open = std::get_if<OpenPeer>(&output)) {
        run_.handle(PeerOpened{open->peer, local}, now);
        continue;
      }
      outputs.push_back(std::move(output));
    }
  }
  void tick() {
    ASSERT_TRUE(deadline);
    now = std::max(now, *deadline);
    run_.handle(Elapsed{}, now);
    drain();
  }
  void input(Input what) {
    run_.handle(std::move(what), now);
    drain();
  }
  // The SUT answers the newest request that was sent.
  void answer(int status, std::string extra = {}) {
    for (std::size_t i = outputs.size(); i-- > 0;) {
      const auto* sent = std::get_if<SendOctets>(&outputs[i]);
      if (sent == nullptr) continue;
      std::string reply = "SIP/2.0 " + std::to_string(status) + " X\r\n";
      std::size_t at = sent->octets.find("\r\n") + 2;
      while (at < sent->octets.size() && sent->octets.substr(at, 2) != "\r\n") {
        const auto end = sent->octets.find("\r\n", at) + 2;
        const auto field = sent->octets.substr(at, end - at);
        if (field.starts_with("Via") || field.starts_with("From") || field.starts_with("Call-ID") ||
            field.starts_with("CSeq"))
          reply += field;
        if (field.starts_with("To")) reply += field.substr(0, field.size() - 2) + ";tag=sut\r\n";
        at = end;
      }
      input(
          OctetsReceived{"peer", reply + extra + "Content-Length: 0\r\n\r\n", Flow{local, sut, 0}});
      return;
    }
  }
  void run_out() {
    for (int i = 0; i < 1000 && !run_.is_done(); ++i) tick();
  }

  CaseResult result() const { return run_.result(); }
  bool is_done() const { return run_.is_done(); }
  std::vector<Output> outputs;
  std::optional<Instant> deadline;
  Instant now{};

 private:
  static CaseOptions options(bool is_live) {
    CaseOptions out;
    out.sut = sut;
    out.assume_users = true;
    out.has_trigger = true;
    out.is_live = is_live;
    out.sut_argument = is_live ? "--sut udp:192.0.2.1:5060" : "";
    return out;
  }
  inline static const Endpoint sut{.transport = Transport::Udp, .host = "192.0.2.1", .port = 5060};
  inline static const Endpoint local{
      .transport = Transport::Udp, .host = "192.0.2.101", .port = 5060};
  Case case_;
  CaseRun run_;
};

TEST(Probe, SilenceIsACrashThatNamesTheMessageBeforeIt) {
  FedRun run(make(send("OPTIONS", "one"), expect("200", "one"), send("MESSAGE", "fatal"),
                  expect("200", "fatal")));
  run.answer(200);
  run.run_out();
  const auto result = run.result();
  EXPECT_TRUE(ends_as(result, Outcome::Crash));
  EXPECT_THAT(result.reason, HasSubstr("MESSAGE sip:auto@192.0.2.1:5060 SIP/2.0"));
  ASSERT_GE(result.offending, 0);
  EXPECT_TRUE(
      result.messages[static_cast<std::size_t>(result.offending)].octets.starts_with("MESSAGE"));
}

// A call, its ACK, and a request that is not answered.
CaseResult call_and_info(bool info_is_refused) {
  FedRun run(make(send("INVITE", "invite"), expect("200", "invite"), send("ACK", "ack"),
                  send("INFO", "info"), expect("200", "info")));
  run.answer(200, "Contact: <sip:sut@192.0.2.1:5060>\r\n");
  if (info_is_refused)
    for (auto& output : run.outputs)
      if (const auto* sent = std::get_if<SendOctets>(&output);
          sent != nullptr && sent->octets.starts_with("INFO")) {
        run.input(SendFailed{"peer", sent->to, "port unreachable"});
        break;
      }
  run.run_out();
  return run.result();
}

TEST(Probe, AnAckThatNeedsNoAnswerIsNotToBlame) {
  const auto result = call_and_info(false);
  EXPECT_TRUE(ends_as(result, Outcome::Crash));
  EXPECT_THAT(result.reason, HasSubstr("most probably of: INFO "));
}

TEST(Probe, WhatMetAClosedPortIsNotToBlame) {
  const auto result = call_and_info(true);
  EXPECT_TRUE(ends_as(result, Outcome::Crash));
  EXPECT_THAT(result.reason, HasSubstr("most probably of: ACK "));
}

TEST(Probe, AnyAnswerIsLife) {
  FedRun run(make(send("OPTIONS", "one"), expect("200", "one")));
  run.answer(200);
  ASSERT_FALSE(run.is_done());
  run.answer(503);
  EXPECT_TRUE(run.is_done());
  EXPECT_TRUE(ends_as(run.result(), Outcome::Pass));
}

TEST(Probe, AnUnreachableSutIsErrorNotCrash) {
  FedRun run(make(send("OPTIONS", "one"), expect("200", "one")));
  for (int i = 0; i < 3 && !run.is_done(); ++i) {
    for (auto& output : std::exchange(run.outputs, {}))
      if (const auto* sent = std::get_if<SendOctets>(&output))
        run.input(SendFailed{"peer", sent->to, "port unreachable"});
    if (!run.is_done()) run.tick();
  }
  run.run_out();
  const auto result = run.result();
  EXPECT_TRUE(ends_as(result, Outcome::Error));
  EXPECT_THAT(result.reason, HasSubstr("cannot be reached at udp:192.0.2.1:5060"));
}

TEST(Drivers, DeathOfTheSutsProcessIsACrash) {
  FedRun run(make(send("OPTIONS", "one"), expect("200", "one")));
  run.input(SutDied{"signal 11"});
  EXPECT_TRUE(run.is_done());
  EXPECT_TRUE(ends_as(run.result(), Outcome::Crash));
  EXPECT_THAT(run.result().reason, HasSubstr("signal 11"));
}

TEST(Drivers, AnInterruptedRunSaysSo) {
  FedRun run(make(send("OPTIONS", "one"), expect("200", "one")));
  run.input(Abort{"interrupted"});
  EXPECT_TRUE(run.is_done());
  EXPECT_TRUE(ends_as(run.result(), Outcome::Error));
  EXPECT_EQ(run.result().reason, "interrupted");
  EXPECT_EQ(run.result().messages.size(), 1u);
}

TEST(Drivers, ATriggerThatIsUnsupportedOrFails) {
  for (const bool is_unsupported : {true, false}) {
    auto the_case = make(sut("call"), expect_request("INVITE"));
    the_case.role = SutRole::Uac;
    FedRun run(the_case);
    const auto* command = std::get_if<SutCommand>(&run.outputs.back());
    ASSERT_NE(command, nullptr);
    EXPECT_EQ(command->action, "call");
    EXPECT_EQ(command->arguments.at("target"), "sip:peer@192.0.2.101:5060");
    run.input(SutCommandDone{command->number, false, is_unsupported, "exit 127"});
    run.answer(200);
    EXPECT_TRUE(ends_as(run.result(), is_unsupported ? Outcome::Unsupported : Outcome::Error));
  }
}

TEST(Drivers, ALiveSutIsAskedForWhatTheCaseNeeds) {
  auto the_case = make(send("OPTIONS", "one"), expect("200", "one"));
  the_case.needs = {"100rel", "REFER"};
  FedRun lacking(the_case, true);
  lacking.answer(200, "Supported: timer\r\nAllow: INVITE, REFER\r\n");
  EXPECT_TRUE(lacking.is_done());
  EXPECT_TRUE(ends_as(lacking.result(), Outcome::Unsupported));
  EXPECT_EQ(lacking.result().header, "Supported");
  EXPECT_THAT(lacking.result().repeat, HasSubstr("--sut udp:192.0.2.1:5060"));
  FedRun unsaid(the_case, true);
  unsaid.answer(200);
  EXPECT_FALSE(unsaid.is_done()) << "a SUT that does not say is tried";
  FedRun silent(the_case, true);
  silent.run_out();
  EXPECT_TRUE(ends_as(silent.result(), Outcome::Error));
}

TEST(Drivers, ALiveSutHasNoUsersByAssumptionUnlessItIsTheEngine) {
  auto the_case = called("ring", send("OPTIONS", "one"), expect("200", "one"));
  FedRun stranger(the_case, true);
  stranger.answer(200, "Server: somebody\r\n");
  EXPECT_TRUE(ends_as(stranger.result(), Outcome::NotApplicable));
  EXPECT_THAT(stranger.result().reason, HasSubstr("behaves as \"ring\""));
  FedRun engine(the_case, true);
  engine.answer(200, "Server: Sipassay/1\r\n");
  EXPECT_FALSE(engine.is_done());
  FedRun automatic(make(send("OPTIONS", "one"), expect("200", "one")), true);
  automatic.answer(200);
  automatic.answer(200);
  EXPECT_TRUE(ends_as(automatic.result(), Outcome::Pass));
}

TEST(Drivers, ASutWithoutRecvInfoKnowsNoInfoPackages) {
  auto the_case = make(send("OPTIONS", "one"),
                       with(expect("200", "one"), "Recv-Info", HeaderCheck::Op::Present));
  FedRun needless(the_case, true);
  needless.answer(200);
  needless.answer(200);
  EXPECT_TRUE(ends_as(needless.result(), Outcome::Fail));
  the_case.needs = {"recv-info"};
  FedRun needed(the_case, true);
  needed.answer(200);
  needed.answer(200);
  EXPECT_TRUE(ends_as(needed.result(), Outcome::Unsupported));
}

TEST(Drivers, HostileOctetsNeverHurt) {
  for (const std::string_view octets :
       {"", "\r\n", "SIP/2.0", "SIP/2.0 200 OK\r\n\r\n", "INVITE sip:x SIP/2.0\r\n\r\n",
        "SIP/2.0 999 X\r\nVia: ;;;\r\n\r\n",
        "BYE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKx\r\nCSeq: 1 BYE\r\nFrom: "
        "<sip:a>;tag=1\r\nTo: <sip:b>;tag=2\r\nCall-ID: x\r\n\r\n"}) {
    FedRun run(make(send("OPTIONS", "one"), expect("200", "one")));
    run.input(OctetsReceived{"peer", std::string(octets), {}});
    run.input(OctetsReceived{"nobody", std::string(octets), {}});
    run.answer(200);
    run.answer(200);
    EXPECT_TRUE(ends_as(run.result(), Outcome::Pass));
  }
}

TEST(Drivers, AFloodEndsTheCaseAtTheLimit) {
  FedRun run(make(send("OPTIONS", "one"), expect("200", "one")));
  for (std::size_t i = 0; i < 30'000 && !run.is_done(); ++i)
    run.input(OctetsReceived{"peer", "x", {}});
  EXPECT_TRUE(run.is_done());
  EXPECT_TRUE(ends_as(run.result(), Outcome::Error));
  EXPECT_THAT(run.result().reason, HasSubstr("too many messages"));
}

// --- observer and teeth

TEST(Observer, ReportsARuleOnceWithItsCount) {
  FedRun run(make(send("OPTIONS", "one"), expect("200", "one"), send("OPTIONS", "two"),
                  expect("200", "two")));
  run.answer(200, "Server: \r\nCSeq: 4711 OPTIONS\r\n");
  run.answer(200, "CSeq: 4711 OPTIONS\r\n");
  run.answer(200);
  const auto result = run.result();
  EXPECT_TRUE(ends_as(result, Outcome::Pass));
  const auto repeated =
      std::ranges::find(result.findings, "header-repeated", &ReportedFinding::rule);
  ASSERT_NE(repeated, result.findings.end());
  EXPECT_EQ(repeated->count, 2u);
  EXPECT_EQ(repeated->message, 1u);
  EXPECT_FALSE(repeated->clause.empty());
}

TEST(Observer, EveryRuleHasANameOfItsOwnAndAClause) {
  std::set<std::string_view> names;
  for (const auto& rule : observer_rules()) {
    EXPECT_TRUE(names.insert(rule.name).second) << rule.name;
    EXPECT_FALSE(rule.clause.section.empty());
    EXPECT_FALSE(rule.expected.empty());
  }
  EXPECT_GE(names.size(), 8u);
}

TEST(Teeth, BiteWhereTheCaseLooks) {
  auto the_case =
      make(send("OPTIONS", "one"), with(expect("200", "one"), "Allow", HeaderCheck::Op::Present));
  the_case.breaks = {"omits-allow", "never-pracks", "no-such-misbehaviour"};
  const auto bites = teeth(the_case, {});
  ASSERT_EQ(bites.size(), 3u);
  EXPECT_TRUE(bites[0].has_bitten) << explain(bites[0].result);
  EXPECT_FALSE(bites[1].has_bitten);
  EXPECT_TRUE(bites[1].is_known);
  EXPECT_FALSE(bites[2].is_known);
  EXPECT_FALSE(bites[2].has_bitten);
}

TEST(Teeth, EveryMisbehaviourLeavesTheHarnessStanding) {
  std::size_t count = 0;
  for (const auto& row : misbehaviours()) {
    for (const char* user : {"auto", "reliable"}) {
      auto the_case = simple_call();
      the_case.user = user;
      const auto result = run(the_case, {.misbehaviour = std::string(row.name)});
      EXPECT_THAT(result.reason, testing::Not(HasSubstr("without end"))) << row.name;
    }
    ++count;
  }
  EXPECT_GE(count, 60u);
}

}  // namespace
}  // namespace sipassay::runner
