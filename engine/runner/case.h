// A conformance case as data: what a scenario file says once it is loaded. No XML, no execution here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
//   NAME of a message (as="…"): .start-line .method .request-uri .status .reason .body .branch (of the
//     top Via), .cseq.number .cseq.method, .HEADER (raw first value, lower-case name: .rseq .call-id
//     .via .contact), .HEADER.uri, .HEADER.tag, .HEADER.PARAMETER (.from.tag, .via.branch)
//   NAME of a dialog: .call-id .local-tag .remote-tag .local-cseq .remote-cseq .remote-target .offer
//     .answer (of the last finished exchange) .peer-sdp .sut-sdp (last SDP that side sent)
//   peer.host peer.port peer.uri (also NAME of another peer), sut.host sut.port sut.uri sut.user
// A whole number may be shifted: "${ringing.rseq+1}", "${call.local-cseq-1}". "$${" is "${".
// The loader has already put in flow parameters and family values (names without a dot) and has
// checked that every other name is one of the case's messages, dialogs or peers.
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
// What of a raw message is made to fit the run, octet by octet; all else stays as it is.
struct RawAdaptation {
  bool via = false;          // transport and sent-by of the top Via are the peer's, its branch is new
  bool call_id = false;      // every Call-ID is new
  bool request_uri = false;  // the Request-URI is the SUT's
  bool end = false;          // an empty line is put behind a header section that lacks it
};
struct MessageEdit {
  std::vector<HeaderEdit> headers;
  std::optional<Template> start_line;      // any octets
  std::optional<Template> request_uri;
  // none, offer, answer, same (as this side's last one), or offer:/answer: with traits joined by "+":
  // sdp_traits. No value: what the state asks for.
  std::optional<std::string> sdp;
  std::optional<Template> body;            // with body_type
  std::string body_type;
  std::optional<Template> content_length;  // a lie
  std::optional<Template> branch;          // a name of a message: its branch; else the text
  std::optional<Template> cseq;            // "same", "+N", "-N" or a number
  std::optional<Template> from_tag, to_tag, call_id, contact;  // empty text removes
  std::optional<Template> raw;             // the whole message; everything else is ignored
  RawAdaptation adaptation;                // of raw
  std::vector<std::size_t> segments;       // stream transports: octets of each write but the last
};

// Credentials that are not what the challenge and the login ask for; the response is computed of
// these values all the same.
struct CredentialsEdit {
  bool is_basic = false;                   // RFC 7617 instead of Digest
  std::optional<Template> user, password, nonce, uri, nc;
};

// --- checks on a received message, on parsed values
struct HeaderCheck {
  std::string name;                      // header field; or start-line, body, sdp
  std::string param;                     // of the first value; empty: the value itself
  std::string part;                      // uri, tag, number, method, host, port, user, display, …; empty: whole value
  enum class Op : std::uint8_t { Present, Absent, Is, IsNot, Has, HasNot, Count, Matches, LessThan, GreaterThan, AtLeast, AtMost, SameAs, DiffersFrom, Quoted, Unquoted, Distinct, Digest } op = Op::Present;
  Template value;                        // Matches: glob with * and ?; SameAs: name of a message; Distinct: parameters; Digest: "valid"
  std::optional<Level> level;            // Should: not kept is NON-STRICT; unset: the case's level
  std::string clause_section;            // where it differs from the case's clause
};
struct SdpCheck {
  // Equals: but for the version of o=. Direction, PortZero, HasFormat: of the stream `media`.
  enum class Op : std::uint8_t { Present, Absent, Answers, Equals, NextVersion, SameVersion, MediaCount, Direction, PortZero, PortNotZero, HasFormat } op = Op::Present;
  Template value;    // Answers, NextVersion, SameVersion: name of a message; Equals: SDP text; Direction: "recvonly|inactive"
  std::size_t media = 0;
  std::optional<Level> level;
  std::string clause_section;
};
struct Check {
  std::variant<HeaderCheck, SdpCheck> check;
};

// What a message must be to match a step: a method or statuses.
struct Pattern {
  std::string method;   // request: "PRACK", "INVITE|UPDATE", "*"; empty: a response
  std::string status;   // response: "200", "2xx", "400|416", "101-199", joined by "|"; "*": any, strays too
  std::string of;       // response: name of the request it answers; empty: the last one sent
  std::string dialog;   // name; empty: any
  std::string peer;     // name; empty: the default peer
};

// Traits of an SDP that the peer makes, in the order of use: "offer:audio+video+hold".
inline constexpr std::string_view sdp_traits[] = {
    "audio",          // one audio stream, PCMU and PCMA (the default)
    "video",          // one more stream, H264
    "application",    // one more stream of a media type nobody serves
    "unknown-codec",  // the audio stream has but one codec that nobody has
    "refused",        // answer: every stream with port 0
    "port-zero",      // the last stream has port 0
    "new-port",       // another port than before
    "sendonly", "recvonly", "inactive", "sendrecv",
    "zero-address",   // c=IN IP4 0.0.0.0
    "same-version",   // o= is not raised
    "no-media",       // no m= line at all
};

struct Step;
using Steps = std::vector<Step>;

// --- steps
// <sut do="…">: what the SUT shall do; in process or by an adapter. Actions and their arguments:
//   call        offer (yes no) reliable (if-supported never always)
  //               redirects (follow) target (URI; default: the peer)
//   ring        status reliable (yes no) sdp (yes no)
//   answer, cancel, hang-up
//   reject      status next (INVITE, UPDATE: the next one instead of the pending one)
//   redirect    contact
//   reinvite    kind (same hold resume offerless add-media); hold and resume for short
//   update      offer (yes no)
//   info        package type body
//   message     type body
//   refer       to
//   options     target
//   register    registrar expires
struct SutStep {
  std::string action;
  std::map<std::string, Template> arguments;
};
struct SendStep {
  std::string method;
  std::string as, dialog, peer;
  // ACK: the response; PRACK: the provisional; CANCEL: the INVITE; empty: the last one. Any other:
  // the 401 or 407 that it answers, by the same request with credentials and the next CSeq number.
  std::string about;
  std::string to_user;        // user part of the target for a request outside a dialog; empty: the case's user
  bool in_transaction = true; // false: sent once; no repetition and no ACK to a 300-699 by the machine
  bool answers_challenges = true;  // false: a 401 or 407 to it is the case's
  CredentialsEdit credentials;     // about a 401 or 407
  MessageEdit edit;
};
// It answers a 401 or 407.
bool answers_challenge(const SendStep& step);
struct ReplyStep {
  std::string to;             // name of the request; empty: the last request received
  int status = 200;
  std::string as;
  std::string dialog;         // a new name: a new To tag and RSeq space, that is another fork
  std::string reason;         // reason phrase; empty: the default one
  std::optional<std::string> rseq;  // reliable: a number, or "next"
  // A 2xx to INVITE, and a reliable provisional in order, are repeated until their ACK or PRACK comes;
  // false: sent once.
  bool in_transaction = true;
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
    std::optional<Span> silence;     // taken when no other branch matched within that span
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
  Span at;                     // after its first copy; copies that come earlier break the case
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

struct Peer {                  // one more scripted end besides the default one
  std::string name;
  bool has_own_address = true; // false: shares address and connection of the default peer
};

struct Step {
  std::variant<SutStep, SendStep, ReplyStep, ExpectStep, EitherStep, UnorderedStep, ForbidStep,
               AgainStep, ResendStep, NetworkStep, WaitStep, StateStep, DialogStep, CheckStep> action;
  std::size_t line = 0;        // in the scenario file; of a flow's step: the line of its <use>
  // "established-call"; empty outside flows. A flow's step that fails before the case's own first
  // expectation is ERROR (the precondition was not established), never FAIL.
  std::string flow;
};

struct Case {
  std::string id;                    // RFC3262-4-8, LOCAL-parser-3; family members: RFC3261-8.1.1-4@cseq-missing
  std::vector<std::string> rows;     // catalogue ids that it covers
  std::string title;
  SutRole role = SutRole::Uas;
  Level level = Level::Must;
  std::uint16_t clause_rfc = 3261;
  std::string clause_section;
  std::string clause_text;           // the requirement in our words
  std::vector<Transport> transports{Transport::Udp};
  std::vector<std::string> needs;    // trigger, 100rel, user:ring, …
  std::vector<std::string> breaks;   // misbehaviours that must fail it
  std::vector<std::string> tags;     // slow, timer, disputed, destructive
  std::string user = "auto";         // which user of the SUT is called
  std::string note;
  std::vector<Peer> peers;
  Steps steps;
  std::string file;                  // as given to the loader
  std::size_t line = 0;              // of its <scenario>

  // A view into this case: valid while it lives and is not moved.
  Clause clause() const { return {clause_rfc, clause_section, level}; }
};

std::string_view to_string(SutRole role);
// It tells the SUT what to do: only one that can be told can run it.
bool needs_trigger(const Case& one);
// Tagged as one about which good stacks and readers differ: never worse than NON-STRICT.
bool is_disputed(const Case& one);

}  // namespace sipassay::runner
