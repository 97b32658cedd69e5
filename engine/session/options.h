// What the agent gives a session: settings, and the parts of a message that are its business.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "engine/session/offer_answer.h"
#include "engine/session/session_expires.h"

namespace sipassay::session {

// Opaque: the id of a server transaction of the agent's. Zero: none (ACK).
using TransactionId = std::uint64_t;

struct HeaderLine {
  std::string name{}, value{};
};

struct Body {
  std::string type{};  // Content-Type; empty: no body
  std::string octets{};
  std::string disposition{};  // Content-Disposition; empty: the default of RFC 3261 13.2.1

  bool is_empty() const { return type.empty() && octets.empty(); }
};

struct Settings {
  std::string contact{};  // our Contact value: "<sip:user@host:port>"
  std::vector<std::string> allow{"INVITE", "ACK",  "BYE",     "CANCEL", "OPTIONS", "PRACK",
                                 "UPDATE", "INFO", "MESSAGE", "NOTIFY", "REFER",   "SUBSCRIBE"};
  // Option tags; "timer" among them: RFC 4028.
  std::vector<std::string> supported{"100rel", "replaces", "norefersub", "timer"};
  std::vector<std::string> recv_info{};  // Info-Packages that we receive (RFC 6086)
  Duration t1 = 500ms;
  Duration t2 = 4s;
  bool is_over_tls = false;          // RFC 3261 12.1.1: half of the secure flag
  bool bye_when_ack_missing = true;  // RFC 3261 13.3.1.4, SHOULD; false: AckMissing only
  bool retries_after_491 = true;     // RFC 3261 14.1, SHOULD: RetryDue after the wait
  bool judges_sdp = true;            // RFC 3264 5, 8: Violation for offers of theirs
  // Event packages that we know: a NOTIFY of another one is 489, of one of these without a
  // subscription 481 (RFC 6665 4.1.3).
  std::vector<std::string> event_packages{"refer"};
  bool delivers_any_notify = false;  // a NOTIFY of no subscription goes up, instead of 481 or 489
  Duration subscription_expires = 60s;  // of a REFER that we accept
  TimerSettings timer{};
};

struct RequestOptions {
  std::vector<HeaderLine> headers{};
  Body body{};  // "application/sdp": an offer or answer, where the method allows one
};

// What a 2xx to SUBSCRIBE grants (RFC 6665 4.2.1).
struct Granted {
  std::uint32_t expires = 0;   // seconds; not more than was asked for
  bool is_pending = false;     // not decided yet; of the first SUBSCRIBE only
  Body state{};                // of the resource; empty: as set before
  Duration notify_interval{};  // news is not sent closer to the NOTIFY before
};

struct SubscribeOptions {
  std::string event{};        // value of Event: "presence", "presence;id=7"
  std::uint32_t expires = 0;  // seconds; 0 unsubscribes, or is a fetch
  bool is_refreshed = true;   // refreshed by itself before it expires
  RequestOptions request{};
};

struct ReplyOptions {
  int status = 200;
  std::string reason{};  // empty: the default phrase
  std::vector<HeaderLine> headers{};
  Body body{};
  bool is_reliable = false;               // 101-199 to INVITE: RSeq, resent until PRACK (RFC 3262)
  std::optional<Granted> subscription{};  // 2xx to SUBSCRIBE: what it must say
  // 300-699 to a re-INVITE of which something was executed already: undo it all the same. Otherwise
  // the answer is 200 (RFC 6141 3.3 SHOULD).
  bool undoes_changes = false;
};

}  // namespace sipassay::session
