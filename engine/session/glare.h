// INVITE and UPDATE that overlap with others (RFC 3261 14.1, 14.2; RFC 3311 5.2; RFC 6337 4.3):
// accept, 491, or 500 with Retry-After; and how long to wait before trying again.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/base/clause.h"
#include "engine/base/rng.h"
#include "engine/base/time.h"

namespace sipassay::session {

// What is open in the dialog when the request arrives.
enum class Overlap : std::uint8_t {
  None,
  OwnInvite,            // our INVITE has no final response
  OwnInviteUnacked,     // our INVITE got a 2xx that we have not acknowledged
  PeerInvite,           // their INVITE has no final response
  PeerOfferUnacked,     // our 2xx carried the offer, its ACK must bring the answer
  PeerAnswerUnacked,    // our 2xx carried the answer (or the exchange was over before), no ACK yet
  OwnUpdateOffer,       // our UPDATE with an offer has no answer
  OwnUpdate,            // our UPDATE without an offer has no answer
  PeerUpdate,           // their UPDATE is not answered
  OwnOffer,             // our offer in an INVITE or PRACK is open
  PeerOffer,            // their offer in an INVITE or PRACK is open
  OwnOfferInResponse,   // our offer in a reliable 1xx is open
  PeerOfferInResponse,  // their offer in a reliable 1xx or a 2xx is open
  OwnReliable,          // our reliable 1xx with a description has no PRACK
  OwnInviteOwed,        // our INVITE without an offer waits for theirs
  PeerInviteOwed,       // their INVITE without an offer waits for ours
  OwnPrack,             // our PRACK for a reliable 1xx with a description has no final response
  Count
};

enum class Arrival : std::uint8_t { Invite, UpdateWithOffer, Update };
enum class Decision : std::uint8_t { Accept, Pending, RetryAfter };  // 491; 500 with Retry-After

struct GlareRow {
  Overlap overlap;
  Arrival arrival;
  Decision decision;
  Clause clause;
};
std::span<const GlareRow> glare_rows();

// The row for one open thing; every pair has one.
const GlareRow& glare(Overlap overlap, Arrival arrival);
// Of several open things a MUST counts before a SHOULD, then 500 before 491 before accepting.
const GlareRow& glare(std::span<const Overlap> open, Arrival arrival);

std::string_view to_string(Overlap overlap);
std::string_view to_string(Arrival arrival);
std::string_view to_string(Decision decision);

// How often in a row a request of ours is tried again because the peer puts it off (491; 500 or 503
// with Retry-After; 423), or sent to put things straight (RFC 6141 3.4). RFC 3261 14.1 says "once
// more" each time; a peer that always does it would keep us busy for ever.
inline constexpr unsigned retries_max = 10;

// Seconds for Retry-After, 1..10: RFC 3261 14.2 says 0..10, 20.33 wants a positive integer.
std::uint32_t retry_after(Rng& rng);
// The wait after a 491 (14.1, RFC 3311 5.3): owner of the Call-ID 2.1..4 s, else 0..2 s; units of
// 10 ms.
Duration retry_delay(bool is_call_id_owner, Rng& rng);

}  // namespace sipassay::session
