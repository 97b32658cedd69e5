// What an application (a trigger of a scenario, `sipassay ua`, a test, a fuzzer) tells the agent to
// do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sipassay::agent {

// A call: one session dialog, or the forks of one INVITE. Never reused. Zero: the newest live call.
using CallId = std::uint32_t;

struct ExtraHeader {
  std::string name, value;
};
struct Body {
  std::string type;  // Content-Type
  std::string octets;
  std::string disposition;  // Content-Disposition; empty: the default of 13.2.1
};

// A body part as it stands in some message: the lines of its header fields, and what follows.
struct Attachment {
  std::string headers, octets;
};

enum class Reliability : std::uint8_t { IfSupported, Never, Always };

// --- commands; imperative
struct Call {
  std::string target{};                             // Request-URI
  bool has_offer = true;                            // false: offerless INVITE, the peer offers
  Reliability reliable = Reliability::IfSupported;  // Always: Require: 100rel
  std::vector<ExtraHeader> headers{};
  std::optional<Attachment> attachment{};  // beside the offer, in a multipart/mixed
  bool follows_redirects = false;          // RFC 3261 8.1.3.4; otherwise a 3xx ends the call
  bool offers_in_prack = false;  // a new offer in the PRACK of the answer (RFC 6337 2.2, pattern 5)
  std::string call_id{};         // empty: drawn
  std::string user{};            // who calls, in From; empty: the agent's own user
};
struct Ring {
  CallId call = 0;
  int status = 180;
  Reliability reliable = Reliability::Never;
  bool has_sdp = false;  // an answer (or, to an offerless INVITE, an offer when reliable)
};
struct Answer {
  CallId call = 0;
};
struct Reject {
  CallId call = 0;
  int status = 486;
  bool next = false;  // the next INVITE, re-INVITE or offering UPDATE of that call instead
};
struct Redirect {
  CallId call = 0;
  std::string contact;
};
struct Cancel {
  CallId call = 0;
};
struct HangUp {
  CallId call = 0;
};
struct Reinvite {
  CallId call = 0;
  enum class Kind : std::uint8_t { Same, Hold, Resume, Offerless, AddMedia } kind = Kind::Same;
};
struct Update {
  CallId call = 0;
  bool has_offer = true;
};
struct SendInfo {
  CallId call = 0;
  std::string package;  // empty: legacy INFO
  Body body;
};
struct SendMessage {
  std::string target;  // empty: inside the call
  CallId call = 0;
  Body body;
};
struct SendRefer {
  CallId call = 0;
  std::string refer_to;
  std::string target{};          // outside a dialog; empty: inside the call (RFC 7647 4)
  bool has_subscription = true;  // false: Refer-Sub: false (RFC 4488)
};
// RFC 6665: target empty: in the dialog of the call.
struct Subscribe {
  std::string target;
  std::string event = "presence";  // value of Event
  std::uint32_t expires = 3600;    // s; 0: a fetch
  CallId call = 0;
};
// The newest subscription, or the newest of that call.
struct Unsubscribe {
  CallId call = 0;
};
struct SendOptions {
  std::string target;
};
struct Register {
  std::string registrar;  // "sip:bob@example.com": the address-of-record too; without user: ours
  std::uint32_t expires = 3600;  // seconds; 0 removes our binding
  enum class Kind : std::uint8_t { Bind, Fetch, RemoveAll } kind = Kind::Bind;
  bool refreshes = true;  // before it expires, until it is removed (RFC 3261 10.2.4)
};

using Command =
    std::variant<Call, Ring, Answer, Reject, Redirect, Cancel, HangUp, Reinvite, Update, SendInfo,
                 SendMessage, SendRefer, Subscribe, Unsubscribe, SendOptions, Register>;

}  // namespace sipassay::agent
