// A result that has everything a report must cope with: every outcome, hostile octets, lost and
// repeated messages, several peers, a message without the header at fault.
#pragma once

#include <string>
#include <utility>

#include "engine/runner/result.h"

namespace sipassay::reports::testdata {

// Markup, NUL, invalid UTF-8, a terminal escape, a right-to-left override, an emoji, ]]> and a
// quote.
inline std::string hostile() {
  using namespace std::string_literals;
  return "<script>alert(1)</script>&'\"]]>\0\xff\xc3\x28\x1b[31m\xe2\x80\xae\xf0\x9f\x93\x9e"s;
}

inline runner::TranscriptEntry entry(Duration at, std::string from, std::string to,
                                     std::string octets) {
  runner::TranscriptEntry out;
  out.at = Instant(at);
  out.from = std::move(from);
  out.to = std::move(to);
  out.octets = std::move(octets);
  return out;
}

inline runner::CaseResult make_case(std::string id, runner::Outcome outcome, std::string reason) {
  runner::CaseResult out;
  out.rows = {id};
  out.title = "A title for " + id;
  out.id = std::move(id);
  out.clause = "RFC 3261 section 12.2.2, MUST";
  out.requirement = "A request out of order is rejected.";
  out.outcome = outcome;
  out.reason = std::move(reason);
  out.file = "scenarios/rfc3261/sample.xml";
  out.line = 12;
  out.seed = 18446744073709551615U;
  out.repeat = "sipassay run RFC3261-12.2.2-1 --seed 7";
  return out;
}

inline runner::CaseResult failing_case() {
  runner::CaseResult out = make_case("RFC3262-4-8", runner::Outcome::Fail,
                                     "a PRACK came for a provisional out of order");
  out.level = Level::MustNot;
  out.role = runner::SutRole::Uac;
  out.clause = "RFC 3262 section 4, MUST NOT";
  out.title = "A reliable provisional whose RSeq skips a number is not acknowledged";
  out.requirement =
      "A reliable provisional out of order is not acknowledged nor processed further.";
  out.expected = "no PRACK within 1 s";
  out.observed = "PRACK with RAck 102 1 INVITE";
  out.header = "RAck";
  out.took = 1500ms;
  out.messages.push_back(
      entry(0ms, "sut", "peer",
            "INVITE sip:auto@192.0.2.1 SIP/2.0\r\n"
            "v: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa\r\n"
            "CSeq: 1 INVITE\r\nc: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"));
  out.messages.push_back(entry(
      2ms, "peer", "sut", "SIP/2.0 183 Session Progress\r\nCSeq: 1 INVITE\r\nRSeq: 100\r\n\r\n"));
  out.messages.back().was_lost = true;
  out.messages.push_back(entry(
      502ms, "peer", "sut", "SIP/2.0 183 Session Progress\r\nCSeq: 1 INVITE\r\nRSeq: 100\r\n\r\n"));
  out.messages.back().is_retransmission = true;
  out.messages.push_back(
      entry(505ms, "peer", "sut", "SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\nRSeq: 102\r\n\r\n"));
  out.messages.push_back(entry(506ms, "sut", "peer",
                               "PRACK sip:peer@192.0.2.1 SIP/2.0\r\nCSeq: 2 PRACK\r\n"
                               "RAck: 102 1\r\n INVITE\r\nX-Note: ok\r\n\r\n"));
  out.offending = 4;
  return out;
}

inline runner::CaseResult hostile_case() {
  runner::CaseResult out = make_case("LOCAL-hostile-1", runner::Outcome::Crash, hostile());
  out.title = hostile();
  out.requirement = hostile();
  out.expected = hostile();
  out.observed = "line one\r\nline two " + hostile();
  out.header = "Via";
  out.transport = Transport::Tcp;
  out.rows = {"RFC3261-7-1", "RFC3261-7-2"};
  out.messages.push_back(entry(0ms, "peer", "sut", hostile() + " sip:a SIP/2.0\r\n\r\n"));
  out.messages.push_back(entry(1ms, "sut", "peer2", "\r\n\r\n"));
  out.messages.push_back(entry(2ms, "sut", hostile(), ""));
  out.messages.push_back(entry(3ms, "peer2", "peer", "SIP/2.0 200 " + hostile() + "\r\n\r\nbody"));
  out.offending = 3;
  out.findings.push_back({"via-branch-cookie", "RFC 3261 section 8.1.1.7, MUST",
                          "a branch that begins with z9hG4bK", hostile(), 2, 3});
  return out;
}

inline runner::RunResult sample() {
  using runner::Outcome;
  runner::RunResult out;
  out.run.version = "0.1.0";
  out.run.seed = 7;
  out.run.sut = "udp:127.0.0.1:5060";
  out.run.sut_name = "Stack/1.0 " + hostile();
  out.run.options = {"--sut", "udp:127.0.0.1:5060", "--seed", "7"};
  out.run.started = "2026-01-02T03:04:05Z";
  out.run.partial = true;
  out.run.partial_reason = "interrupted after 11 of 12 cases";
  out.cases = {make_case("RFC3261-1-1", Outcome::Pass, ""),
               make_case("RFC3261-1-2", Outcome::Info, "501 rather than 405"),
               make_case("RFC3261-1-3", Outcome::NotApplicable, "the SUT is no proxy"),
               make_case("RFC3261-1-4", Outcome::Unsupported, "Allow has no PRACK"),
               make_case("RFC3261-1-5", Outcome::NonStrict, "no Contact in the 180"),
               make_case("RFC3261-1-6", Outcome::Xfail, "known"),
               make_case("RFC3261-1-7", Outcome::Xpass, "the expectation file says FAIL"),
               make_case("RFC3261-1-8", Outcome::Flaky, "2 of 3 runs failed"),
               make_case("RFC3261-1-9", Outcome::Error, "trigger exited 1"),
               failing_case(),
               hostile_case()};
  out.cases[5].expectation = {.outcomes = "FAIL CRASH",
                              .actual = Outcome::Fail,
                              .clause = "RFC 3515 section 2.4.2",
                              .reason = "no NOTIFY follows " + hostile(),
                              .where = "stack.xml:12"};
  out.cases[6].expectation = {.outcomes = "FAIL",
                              .actual = Outcome::Pass,
                              .clause = {},
                              .reason = "the account has no second line",
                              .where = "stack.xml:13"};
  return out;
}

}  // namespace sipassay::reports::testdata
