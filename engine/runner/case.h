// A conformance case as data: what a scenario file says once it is loaded. No XML, no execution here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/clause.h"
#include "engine/base/endpoint.h"
#include "engine/base/time.h"
#include "engine/runner/outcome.h"

namespace sipassay::runner {

// The role in which the stack under test is exercised.
enum class SutRole : std::uint8_t { Uas, Uac, Proxy, Registrar, Redirect };

// Text with ${name.path} references, resolved when the step runs: "100 ${invite.cseq.number} INVITE".
// Names are messages (as="…": header fields by lower-case name, .cseq.number, .from.tag, .status, …),
// dialogs, and peer.host, peer.port, peer.uri, sut.host, sut.port, sut.uri, sut.user.
using Template = std::string;

// In units of seconds or milliseconds, or as a multiple of T1 ("64*T1") that --t1 scales.
struct Span {
  Duration fixed{};
  double t1_multiple = 0;
};

// --- what to send differently from what the peer's state says
struct HeaderEdit {
  enum class Action : std::uint8_t { Set, Add, Remove, Double, Compact, Fold, First, Last, Param, RemoveParam } action = Action::Set;
  std::string name;
  Template value;     // Set, Add; value of Param
  std::string param;  // Param, RemoveParam
};
struct MessageEdit {
  std::vector<HeaderEdit> headers;
  std::optional<Template> start_line;      // any octets
  std::optional<Template> request_uri;
  std::optional<std::string> sdp;          // none, offer, answer, same, offer:hold, offer:audio+video, …
  std::optional<Template> body;            // with body_type
  std::string body_type;
  std::optional<Template> content_length;  // a lie
  std::optional<Template> branch;          // a name of a message: its branch; else the text
  std::optional<Template> cseq;            // "same", "+N", "-N" or a number
  std::optional<Template> from_tag, to_tag, call_id, contact;  // empty text removes
  std::optional<Template> raw;             // the whole message; everything else is ignored
  std::vector<std::size_t> segments;       // stream transports: octets of each write but the last
};

// --- checks on a received message, on parsed values
struct HeaderCheck {
  std::string name;                      // header field; or start-line, body, sdp
  std::string param;                     // of the first value; empty: the value itself
  std::string part;                      // uri, tag, number, method, host, port, user, display, …; empty: whole value
  enum class Op : std::uint8_t { Present, Absent, Is, IsNot, Has, HasNot, Count, Matches, LessThan, GreaterThan, AtLeast, AtMost, SameAs, DiffersFrom } op = Op::Present;
  Template value;                        // Matches: glob with * and ?; SameAs: name of a message
  std::optional<Level> level;            // Should: not kept is NON-STRICT; unset: the case's level
  std::string clause_section;            // where it differs from the case's clause
};
struct SdpCheck {
  enum class Op : std::uint8_t { Present, Absent, Answers, Equals, NextVersion, SameVersion, MediaCount, Direction, PortZero } op = Op::Present;
  Template value;    // Answers: name of the message with the offer
  std::size_t media = 0;
};
struct Check {
  std::variant<HeaderCheck, SdpCheck> check;
};

// What a message must be to match a step: a method, or statuses ("200", "2xx", "400|416", "4xx-6xx").
struct Pattern {
  std::string method;   // request; empty: a response
  std::string status;   // response
  std::string of;       // response: name of the request it answers; empty: the last one sent
  std::string dialog;   // name; empty: any
  std::string peer;     // name; empty: the default peer
};

struct Step;
using Steps = std::vector<Step>;

// --- steps
struct SutStep {  // <sut do="…">: what the SUT shall do; in process or by an adapter
  std::string action;
  std::map<std::string, Template> arguments;
};
struct SendStep {
  std::string method;
  std::string as, dialog, peer;
  std::string to_user;        // user part of the target for a request outside a dialog
  bool in_transaction = true; // false: sent once, never repeated by the machine
  MessageEdit edit;
};
struct ReplyStep {
  std::string to;             // name of the request; empty: the last request received
  int status = 200;
  std::string as, dialog;
  std::optional<std::string> rseq;  // reliable: a number, or "next"
  MessageEdit edit;
};
struct ExpectStep {
  Pattern pattern;
  std::string as;
  bool is_optional = false;
  std::optional<Span> within;  // default: the case's patience (live) or 64*T1 + 1 s (virtual)
  std::vector<Check> checks;
  std::optional<Outcome> outcome;   // reached inside an alternative: the case's outcome at best
};
struct EitherStep {            // first branch whose first expectation matches what came
  struct Branch {
    std::optional<Outcome> outcome;  // e.g. NonStrict
    std::string reason;
    std::vector<Step> steps;
  };
  std::vector<Branch> branches;
};
struct UnorderedStep {         // all of these, in any order
  std::vector<Step> steps;
};
struct ForbidStep {            // nothing that matches arrives during the span
  Pattern pattern;
  Span during;
};
struct AgainStep {             // a retransmission of a received message, octet for octet
  std::string message;
  Span at;                     // after its first copy
  std::optional<Span> tolerance;
};
struct ResendStep {            // the peer sends a message that it sent before, octet for octet
  std::string message;
};
struct NetworkStep {
  enum class Action : std::uint8_t { Drop, Delay, Duplicate, Swap, Close, Unreachable, Restore } action = Action::Drop;
  bool to_sut = false;         // direction; false: from the SUT
  Pattern pattern;
  unsigned count = 1;
  Span by;                     // Delay
};
struct WaitStep {
  Span span;
};
struct StateStep {             // embedded SUT or the peer itself
  bool of_sut = true;
  std::string dialog;
  std::map<std::string, Template> fields;  // session, signaling, offer, answer, route-set, remote-target, local-cseq, remote-cseq
};
struct DialogStep {            // names the dialog that a message made
  std::string name, from_message;
};
struct CheckStep {             // checks again on a message received before
  std::string message;
  std::vector<Check> checks;
};

struct Step {
  std::variant<SutStep, SendStep, ReplyStep, ExpectStep, EitherStep, UnorderedStep, ForbidStep,
               AgainStep, ResendStep, NetworkStep, WaitStep, StateStep, DialogStep, CheckStep> action;
  std::size_t line = 0;        // in the scenario file
};

struct Case {
  std::string id;                    // RFC3262-4-8, LOCAL-parser-3; family members: RFC3261-8.1.1-4@cseq-missing
  std::vector<std::string> rows;     // catalogue ids that it covers
  std::string title;
  SutRole role = SutRole::Uas;
  Level level = Level::Must;
  Clause clause;
  std::string clause_section;        // owns clause.section's text
  std::string clause_text;           // the requirement in our words
  std::vector<Transport> transports{Transport::Udp};
  std::vector<std::string> needs;    // trigger, 100rel, user:ring, …
  std::vector<std::string> breaks;   // misbehaviours that must fail it
  std::vector<std::string> tags;     // slow, timer, disputed, destructive
  std::string user = "auto";         // which user of the SUT is called
  std::string note;
  Steps steps;
  std::string file;                  // as given to the loader
};

std::string_view to_string(SutRole role);

}  // namespace sipassay::runner
