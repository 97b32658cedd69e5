// Why a session refuses to send: the caller erred against an RFC, and which sentence says so.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/clause.h"

namespace sipassay::session {

enum class SessionErrorCode : std::uint8_t {
  NotConfirmed,        // the dialog is early and this request needs a confirmed one
  Terminated,          // BYE was sent or received, or the session ended otherwise (RFC 5407 2)
  OfferOpen,           // an offer is unanswered (RFC 3264 4)
  NoOfferYet,          // no offer/answer exchange was completed reliably yet (RFC 3311 5.1)
  InviteInProgress,    // an INVITE is open in either direction (RFC 3261 14.1)
  UpdateInProgress,    // an UPDATE is open
  MustNotBye,          // callee, early dialog or ACK missing (RFC 3261 15)
  AnswerMissing,       // this message must carry the answer
  OfferMissing,        // this message must carry the offer
  AnswerUnexpected,    // a description has no business in this message
  NothingToAck,        // no 2xx with that CSeq number was received
  NothingToPrack,      // no reliable 1xx waits for a PRACK
  UnknownTransaction,  // no request with that id waits for an answer
  WrongStatus,         // the status code does not fit the request
  NotReliable,         // the INVITE did not allow 100rel (RFC 3262 3)
  UnknownSubscription,
  DialogNotShared,   // no new subscription in a dialog whose remote target is a GRUU (RFC
                     // 6665 4.5.2)
  PackageNotListed,  // the peer's Recv-Info does not list that Info-Package (RFC 6086 4.2.1)
  BadHeader,         // CR or LF in a header given
  CSeqUsedUp,        // 2**31 - 1 requests
  TooMany,           // one of our named limits
  Unusable,          // the message that should make the dialog cannot
  Count
};

struct SessionError {
  SessionErrorCode code{};
  Clause clause;

  friend bool operator==(const SessionError&, const SessionError&) = default;
};

// The error with its clause, out of one table.
SessionError session_error(SessionErrorCode code);
std::string_view to_string(SessionErrorCode code);

}  // namespace sipassay::session
