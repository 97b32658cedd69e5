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
                                 "UPDATE", "INFO", "MESSAGE", "NOTIFY", "REFER"};
  // Option tags; "timer" among them: RFC 4028.
  std::vector<std::string> supported{"100rel", "replaces", "norefersub", "timer"};
  std::vector<std::string> recv_info{};  // Info-Packages that we receive (RFC 6086)
  Duration t1 = 500ms;
  Duration t2 = 4s;
  bool is_over_tls = false;          // RFC 3261 12.1.1: half of the secure flag
  bool bye_when_ack_missing = true;  // RFC 3261 13.3.1.4, SHOULD; false: AckMissing only
  bool retries_after_491 = true;     // RFC 3261 14.1, SHOULD: RetryDue after the wait
  bool judges_sdp = true;            // RFC 3264 5, 8: Violation for offers of theirs
  bool delivers_any_notify = false;  // a NOTIFY of no subscription goes up, instead of 481 or 489
  Duration subscription_expires = 60s;  // of a REFER that we accept
  TimerSettings timer{};
};

struct RequestOptions {
  std::vector<HeaderLine> headers{};
  Body body{};  // "application/sdp": an offer or answer, where the method allows one
};

struct ReplyOptions {
  int status = 200;
  std::string reason{};  // empty: the default phrase
  std::vector<HeaderLine> headers{};
  Body body{};
  bool is_reliable = false;  // 101-199 to INVITE: RSeq, resent until PRACK (RFC 3262)
};

}  // namespace sipassay::session
