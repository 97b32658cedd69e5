#include "engine/session/glare.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace sipassay::session {
namespace {

using enum Overlap;
using enum Decision;

constexpr Clause invite_after_own{3261, "14.2", Level::Must};
constexpr Clause invite_after_theirs{3261, "14.2", Level::Must};
constexpr Clause update_after_own{3311, "5.2", Level::Must};
constexpr Clause update_after_theirs{3311, "5.2", Level::Must};
constexpr Clause interworking{6337, "4.3", Level::Should};
constexpr Clause race_before_ack{5407, "3.1.5", Level::Should};
constexpr Clause answered{6141, "5.5", Level::Stated};
constexpr Clause no_offer{6337, "2.2", Level::Stated};
constexpr Clause nothing{3261, "12.2.2", Level::Stated};

constexpr std::array rows{
    // --- a re-INVITE comes
    GlareRow{None, Arrival::Invite, Accept, nothing},
    GlareRow{OwnInvite, Arrival::Invite, Pending, invite_after_own},
    GlareRow{OwnInviteUnacked, Arrival::Invite, Pending, {6337, "4.3", Level::Must}},
    GlareRow{PeerInvite, Arrival::Invite, RetryAfter, invite_after_theirs},
    GlareRow{PeerOfferUnacked, Arrival::Invite, Pending, race_before_ack},
    GlareRow{PeerAnswerUnacked, Arrival::Invite, Accept, answered},
    GlareRow{OwnUpdateOffer, Arrival::Invite, Pending, interworking},
    GlareRow{OwnUpdate, Arrival::Invite, Accept, no_offer},
    GlareRow{PeerUpdate, Arrival::Invite, RetryAfter, interworking},
    GlareRow{OwnOffer, Arrival::Invite, Pending, interworking},
    GlareRow{PeerOffer, Arrival::Invite, RetryAfter, interworking},
    GlareRow{OwnOfferInResponse, Arrival::Invite, RetryAfter, interworking},
    GlareRow{PeerOfferInResponse, Arrival::Invite, Pending, interworking},
    GlareRow{OwnReliable, Arrival::Invite, RetryAfter, interworking},
    GlareRow{OwnPrack, Arrival::Invite, Pending, interworking},
    GlareRow{OwnInviteOwed, Arrival::Invite, Pending, interworking},
    GlareRow{PeerInviteOwed, Arrival::Invite, RetryAfter, interworking},
    // --- an UPDATE with an offer comes. An open INVITE alone does not forbid it: its offers do,
    // and
    // they are OwnOffer and PeerOffer here.
    GlareRow{None, Arrival::UpdateWithOffer, Accept, nothing},
    GlareRow{OwnInvite, Arrival::UpdateWithOffer, Accept, {3311, "5.1", Level::May}},
    GlareRow{OwnInviteUnacked, Arrival::UpdateWithOffer, Accept, {3311, "5.1", Level::May}},
    GlareRow{PeerInvite, Arrival::UpdateWithOffer, Accept, {3311, "5.1", Level::May}},
    GlareRow{PeerOfferUnacked, Arrival::UpdateWithOffer, RetryAfter, interworking},
    GlareRow{PeerAnswerUnacked, Arrival::UpdateWithOffer, Accept, answered},
    GlareRow{OwnUpdateOffer, Arrival::UpdateWithOffer, Pending, update_after_own},
    GlareRow{OwnUpdate, Arrival::UpdateWithOffer, Accept, no_offer},
    GlareRow{PeerUpdate, Arrival::UpdateWithOffer, RetryAfter, update_after_theirs},
    GlareRow{OwnOffer, Arrival::UpdateWithOffer, Pending, update_after_own},
    GlareRow{PeerOffer, Arrival::UpdateWithOffer, RetryAfter, update_after_theirs},
    GlareRow{OwnOfferInResponse, Arrival::UpdateWithOffer, RetryAfter, interworking},
    GlareRow{PeerOfferInResponse, Arrival::UpdateWithOffer, Pending, interworking},
    GlareRow{OwnReliable, Arrival::UpdateWithOffer, RetryAfter, interworking},
    GlareRow{OwnPrack, Arrival::UpdateWithOffer, Pending, interworking},
    GlareRow{OwnInviteOwed, Arrival::UpdateWithOffer, Pending, interworking},
    GlareRow{PeerInviteOwed, Arrival::UpdateWithOffer, RetryAfter, interworking},
    // --- an UPDATE without an offer comes (RFC 5407 3.3.2)
    GlareRow{None, Arrival::Update, Accept, nothing},
    GlareRow{OwnInvite, Arrival::Update, Accept, no_offer},
    GlareRow{OwnInviteUnacked, Arrival::Update, Accept, no_offer},
    GlareRow{PeerInvite, Arrival::Update, Accept, no_offer},
    GlareRow{PeerOfferUnacked, Arrival::Update, Accept, no_offer},
    GlareRow{PeerAnswerUnacked, Arrival::Update, Accept, no_offer},
    GlareRow{OwnUpdateOffer, Arrival::Update, Accept, no_offer},
    GlareRow{OwnUpdate, Arrival::Update, Accept, no_offer},
    GlareRow{PeerUpdate, Arrival::Update, RetryAfter, update_after_theirs},
    GlareRow{OwnOffer, Arrival::Update, Accept, no_offer},
    GlareRow{PeerOffer, Arrival::Update, Accept, no_offer},
    GlareRow{OwnOfferInResponse, Arrival::Update, Accept, no_offer},
    GlareRow{PeerOfferInResponse, Arrival::Update, Accept, no_offer},
    GlareRow{OwnReliable, Arrival::Update, Accept, no_offer},
    GlareRow{OwnPrack, Arrival::Update, Accept, no_offer},
    GlareRow{OwnInviteOwed, Arrival::Update, Accept, no_offer},
    GlareRow{PeerInviteOwed, Arrival::Update, Accept, no_offer},
};

constexpr bool has_every_cell() {
  for (std::size_t overlap = 0; overlap < static_cast<std::size_t>(Overlap::Count); ++overlap)
    for (const Arrival arrival : {Arrival::Invite, Arrival::UpdateWithOffer, Arrival::Update}) {
      std::size_t count = 0;
      for (const GlareRow& row : rows)
        if (row.overlap == static_cast<Overlap>(overlap) && row.arrival == arrival) ++count;
      if (count != 1) return false;
    }
  return true;
}
static_assert(has_every_cell());

constexpr int weight(const GlareRow& row) {
  if (row.decision == Decision::Accept) return 0;
  return (row.clause.level == Level::Must ? 2 : 0) + (row.decision == Decision::RetryAfter ? 2 : 1);
}

}  // namespace

std::span<const GlareRow> glare_rows() {
  return rows;
}

const GlareRow& glare(Overlap overlap, Arrival arrival) {
  const auto row = std::ranges::find_if(rows, [&](const GlareRow& candidate) {
    return candidate.overlap == overlap && candidate.arrival == arrival;
  });
  assert(row != rows.end());
  return *row;
}

const GlareRow& glare(std::span<const Overlap> open, Arrival arrival) {
  const GlareRow* strictest = &glare(Overlap::None, arrival);
  for (const Overlap overlap : open) {
    const GlareRow& row = glare(overlap, arrival);
    if (weight(row) > weight(*strictest)) strictest = &row;
  }
  return *strictest;
}

std::string_view to_string(Overlap overlap) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(Overlap::Count)> names{
      "nothing open",
      "our INVITE without final response",
      "our INVITE, 2xx received, not yet acknowledged",
      "their INVITE without final response",
      "our 2xx with the offer, ACK missing",
      "our 2xx without an open offer, ACK missing",
      "our UPDATE with an offer",
      "our UPDATE without an offer",
      "their UPDATE",
      "our offer in INVITE or PRACK",
      "their offer in INVITE or PRACK",
      "our offer in a reliable 1xx",
      "their offer in a reliable 1xx or 2xx",
      "our reliable 1xx with a description, PRACK missing",
      "our offerless INVITE, its offer not yet received",
      "their offerless INVITE, its offer not yet sent",
      "our PRACK for a description, not yet answered"};
  return names[static_cast<std::size_t>(overlap)];
}

std::string_view to_string(Arrival arrival) {
  constexpr std::array<std::string_view, 3> names{"re-INVITE", "UPDATE with an offer",
                                                  "UPDATE without an offer"};
  return names[static_cast<std::size_t>(arrival)];
}

std::string_view to_string(Decision decision) {
  constexpr std::array<std::string_view, 3> names{"accept", "491", "500 with Retry-After"};
  return names[static_cast<std::size_t>(decision)];
}

std::uint32_t retry_after(Rng& rng) {
  return static_cast<std::uint32_t>(rng.between(1, 10));
}

Duration retry_delay(bool is_call_id_owner, Rng& rng) {
  const std::uint64_t units = is_call_id_owner ? rng.between(210, 400) : rng.between(0, 200);
  return Duration{10ms} * static_cast<Duration::rep>(units);
}

}  // namespace sipassay::session
