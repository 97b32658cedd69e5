#include "engine/session/offer_answer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace sipassay::session {
namespace {

using enum SignalingState;
using enum Action;
using Invites = InviteExchange;

constexpr std::nullopt_t any = std::nullopt;
constexpr bool sdp = true;
constexpr bool no_sdp = false;

constexpr Clause one_at_a_time{3264, "4", Level::MustNot};
constexpr Clause patterns{6337, "2.2", Level::Stated};
constexpr Clause first_reliable{3261, "13.2.1", Level::Must};
constexpr Clause same_answer{3261, "13.2.1", Level::Must};
constexpr Clause refused_offer{3264, "4", Level::Stated};
constexpr Clause unchanged{3261, "14.1", Level::Must};

// Every row with the local side as the one that offers; the other half is the mirror image.
constexpr std::array local_rows{
    // --- INVITE and re-INVITE
    OfferAnswerRow{Initial,
                   any,
                   Invites::Any,
                   Side::Local,
                   Carrier::Invite,
                   sdp,
                   HaveLocalOffer,
                   TakeOffer,
                   {},
                   {3261, "13.2.1", Level::Stated}},
    OfferAnswerRow{Stable,
                   any,
                   Invites::Any,
                   Side::Local,
                   Carrier::Invite,
                   sdp,
                   HaveLocalOffer,
                   TakeOffer,
                   {},
                   {3261, "14.1", Level::Stated}},
    OfferAnswerRow{HaveLocalOffer, any, Invites::Any, Side::Local, Carrier::Invite, sdp,
                   HaveLocalOffer, Refuse, "offer-while-offer-open", one_at_a_time},
    OfferAnswerRow{HaveRemoteOffer, any, Invites::Any, Side::Local, Carrier::Invite, sdp,
                   HaveRemoteOffer, Refuse, "offer-while-offer-open", one_at_a_time},
    OfferAnswerRow{Initial,
                   any,
                   Invites::Any,
                   Side::Local,
                   Carrier::Invite,
                   no_sdp,
                   Initial,
                   None,
                   {},
                   {3261, "13.2.1", Level::Stated}},
    OfferAnswerRow{Stable,
                   any,
                   Invites::Any,
                   Side::Local,
                   Carrier::Invite,
                   no_sdp,
                   Stable,
                   None,
                   {},
                   {3261, "14.1", Level::Stated}},
    OfferAnswerRow{HaveLocalOffer,
                   any,
                   Invites::Any,
                   Side::Local,
                   Carrier::Invite,
                   no_sdp,
                   HaveLocalOffer,
                   Refuse,
                   "invite-while-offer-open",
                   {6337, "4.3", Level::ShouldNot}},
    OfferAnswerRow{HaveRemoteOffer,
                   any,
                   Invites::Any,
                   Side::Local,
                   Carrier::Invite,
                   no_sdp,
                   HaveRemoteOffer,
                   Refuse,
                   "invite-while-offer-open",
                   {6337, "4.3", Level::ShouldNot}},

    // --- unreliable 1xx: a preview of the answer, never an offer
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::Invite,
                   Invites::Open,
                   Side::Remote,
                   Carrier::Provisional,
                   sdp,
                   HaveLocalOffer,
                   Preview,
                   {},
                   same_answer},
    OfferAnswerRow{Initial, any, Invites::Owed, Side::Remote, Carrier::Provisional, sdp, Initial,
                   Ignore, "offer-in-unreliable-1xx", first_reliable},
    OfferAnswerRow{Stable, any, Invites::Owed, Side::Remote, Carrier::Provisional, sdp, Stable,
                   Ignore, "offer-in-unreliable-1xx", first_reliable},
    OfferAnswerRow{Stable,
                   any,
                   Invites::Done,
                   Side::Remote,
                   Carrier::Provisional,
                   sdp,
                   Stable,
                   Repeat,
                   {},
                   same_answer},
    OfferAnswerRow{HaveLocalOffer,
                   any,
                   Invites::Done,
                   Side::Remote,
                   Carrier::Provisional,
                   sdp,
                   HaveLocalOffer,
                   Repeat,
                   {},
                   same_answer},
    OfferAnswerRow{HaveRemoteOffer,
                   any,
                   Invites::Done,
                   Side::Remote,
                   Carrier::Provisional,
                   sdp,
                   HaveRemoteOffer,
                   Repeat,
                   {},
                   same_answer},

    // --- reliable 1xx: patterns 3 and 4
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::Invite,
                   Invites::Open,
                   Side::Remote,
                   Carrier::ReliableProvisional,
                   sdp,
                   Stable,
                   TakeAnswer,
                   {},
                   {3262, "5", Level::Must}},
    OfferAnswerRow{Initial,
                   any,
                   Invites::Owed,
                   Side::Local,
                   Carrier::ReliableProvisional,
                   sdp,
                   HaveLocalOffer,
                   TakeOffer,
                   {},
                   {3262, "5", Level::Must}},
    OfferAnswerRow{Stable,
                   any,
                   Invites::Owed,
                   Side::Local,
                   Carrier::ReliableProvisional,
                   sdp,
                   HaveLocalOffer,
                   TakeOffer,
                   {},
                   {3262, "5", Level::Must}},
    OfferAnswerRow{Initial, any, Invites::Owed, Side::Local, Carrier::ReliableProvisional, no_sdp,
                   Initial, MissingOffer, "first-reliable-1xx-without-offer", first_reliable},
    OfferAnswerRow{Stable, any, Invites::Owed, Side::Local, Carrier::ReliableProvisional, no_sdp,
                   Stable, MissingOffer, "first-reliable-1xx-without-offer", first_reliable},
    OfferAnswerRow{Stable,
                   any,
                   Invites::Done,
                   Side::Remote,
                   Carrier::ReliableProvisional,
                   sdp,
                   Stable,
                   Repeat,
                   {},
                   same_answer},
    OfferAnswerRow{HaveLocalOffer,
                   any,
                   Invites::Done,
                   Side::Remote,
                   Carrier::ReliableProvisional,
                   sdp,
                   HaveLocalOffer,
                   Repeat,
                   {},
                   same_answer},
    OfferAnswerRow{HaveRemoteOffer,
                   any,
                   Invites::Done,
                   Side::Remote,
                   Carrier::ReliableProvisional,
                   sdp,
                   HaveRemoteOffer,
                   Repeat,
                   {},
                   same_answer},
    OfferAnswerRow{HaveLocalOffer, Carrier::ReliableProvisional, Invites::Open, Side::Local,
                   Carrier::ReliableProvisional, sdp, HaveLocalOffer, Ignore,
                   "offer-while-offer-open", one_at_a_time},

    // --- 2xx to INVITE: patterns 1 and 2
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::Invite,
                   Invites::Open,
                   Side::Remote,
                   Carrier::InviteSuccess,
                   sdp,
                   Stable,
                   TakeAnswer,
                   {},
                   {3261, "13.2.1", Level::Must}},
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::Invite,
                   Invites::Open,
                   Side::Remote,
                   Carrier::InviteSuccess,
                   no_sdp,
                   Stable,
                   MissingAnswer,
                   "answer-missing-in-2xx",
                   {3261, "13.3.1.4", Level::Must}},
    OfferAnswerRow{Initial,
                   any,
                   Invites::Owed,
                   Side::Local,
                   Carrier::InviteSuccess,
                   sdp,
                   HaveLocalOffer,
                   TakeOffer,
                   {},
                   {3261, "13.3.1.4", Level::Must}},
    OfferAnswerRow{Stable,
                   any,
                   Invites::Owed,
                   Side::Local,
                   Carrier::InviteSuccess,
                   sdp,
                   HaveLocalOffer,
                   TakeOffer,
                   {},
                   {3261, "14.2", Level::Stated}},
    OfferAnswerRow{Initial,
                   any,
                   Invites::Owed,
                   Side::Local,
                   Carrier::InviteSuccess,
                   no_sdp,
                   Initial,
                   MissingOffer,
                   "offer-missing-in-2xx",
                   {3261, "13.3.1.4", Level::Must}},
    OfferAnswerRow{Stable,
                   any,
                   Invites::Owed,
                   Side::Local,
                   Carrier::InviteSuccess,
                   no_sdp,
                   Stable,
                   MissingOffer,
                   "offer-missing-in-2xx",
                   {3261, "13.3.1.4", Level::Must}},
    OfferAnswerRow{Stable,
                   any,
                   Invites::Done,
                   Side::Remote,
                   Carrier::InviteSuccess,
                   sdp,
                   Stable,
                   Repeat,
                   {},
                   same_answer},
    OfferAnswerRow{HaveLocalOffer,
                   any,
                   Invites::Done,
                   Side::Remote,
                   Carrier::InviteSuccess,
                   sdp,
                   HaveLocalOffer,
                   Repeat,
                   {},
                   same_answer},
    OfferAnswerRow{HaveRemoteOffer,
                   any,
                   Invites::Done,
                   Side::Remote,
                   Carrier::InviteSuccess,
                   sdp,
                   HaveRemoteOffer,
                   Repeat,
                   {},
                   same_answer},
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::ReliableProvisional,
                   Invites::Open,
                   Side::Local,
                   Carrier::InviteSuccess,
                   sdp,
                   HaveLocalOffer,
                   Ignore,
                   "2xx-before-prack",
                   {3262, "3", Level::MustNot}},
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::ReliableProvisional,
                   Invites::Open,
                   Side::Local,
                   Carrier::InviteSuccess,
                   no_sdp,
                   HaveLocalOffer,
                   None,
                   "2xx-before-prack",
                   {3262, "3", Level::MustNot}},

    // An UPDATE's offer is open while the offer of the INVITE is still due.
    OfferAnswerRow{HaveLocalOffer,
                   any,
                   Invites::Owed,
                   Side::Local,
                   Carrier::InviteSuccess,
                   no_sdp,
                   HaveLocalOffer,
                   MissingOffer,
                   "offer-missing-in-2xx",
                   {3261, "13.3.1.4", Level::Must}},
    OfferAnswerRow{HaveLocalOffer,
                   any,
                   Invites::Owed,
                   Side::Remote,
                   Carrier::InviteSuccess,
                   no_sdp,
                   HaveLocalOffer,
                   MissingOffer,
                   "offer-missing-in-2xx",
                   {3261, "13.3.1.4", Level::Must}},

    // --- non-2xx to INVITE: everything since the INVITE is undone (RFC 6141 3.1)
    OfferAnswerRow{Initial,
                   any,
                   Invites::Any,
                   Side::Remote,
                   Carrier::InviteFailure,
                   no_sdp,
                   Initial,
                   Rollback,
                   {},
                   refused_offer},
    OfferAnswerRow{Stable,
                   any,
                   Invites::Any,
                   Side::Remote,
                   Carrier::InviteFailure,
                   no_sdp,
                   Stable,
                   Rollback,
                   {},
                   unchanged},
    OfferAnswerRow{HaveLocalOffer,
                   any,
                   Invites::Any,
                   Side::Remote,
                   Carrier::InviteFailure,
                   no_sdp,
                   Stable,
                   Rollback,
                   {},
                   unchanged},
    OfferAnswerRow{HaveRemoteOffer,
                   any,
                   Invites::Any,
                   Side::Remote,
                   Carrier::InviteFailure,
                   no_sdp,
                   Stable,
                   Rollback,
                   {},
                   unchanged},

    // --- ACK of a 2xx: pattern 2
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::InviteSuccess,
                   Invites::Open,
                   Side::Remote,
                   Carrier::Ack,
                   sdp,
                   Stable,
                   TakeAnswer,
                   {},
                   {3261, "13.2.2.4", Level::Must}},
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::InviteSuccess,
                   Invites::Open,
                   Side::Remote,
                   Carrier::Ack,
                   no_sdp,
                   Stable,
                   MissingAnswer,
                   "answer-missing-in-ack",
                   {3261, "13.2.2.4", Level::Must}},
    OfferAnswerRow{Stable, any, Invites::Any, Side::Remote, Carrier::Ack, sdp, Stable, Ignore,
                   "description-in-ack", patterns},
    OfferAnswerRow{Initial, any, Invites::Any, Side::Remote, Carrier::Ack, sdp, Initial, Ignore,
                   "description-in-ack", patterns},

    // --- PRACK: patterns 4 and 5
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::ReliableProvisional,
                   Invites::Open,
                   Side::Remote,
                   Carrier::Prack,
                   sdp,
                   Stable,
                   TakeAnswer,
                   {},
                   {3262, "5", Level::Must}},
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::ReliableProvisional,
                   Invites::Open,
                   Side::Remote,
                   Carrier::Prack,
                   no_sdp,
                   Stable,
                   MissingAnswer,
                   "answer-missing-in-prack",
                   {3262, "5", Level::Must}},
    OfferAnswerRow{Stable,
                   any,
                   Invites::Any,
                   Side::Local,
                   Carrier::PrackOfAnswer,
                   sdp,
                   HaveLocalOffer,
                   TakeOffer,
                   {},
                   patterns},
    OfferAnswerRow{Stable, any, Invites::Any, Side::Local, Carrier::Prack, sdp, Stable, Ignore,
                   "offer-in-prack", patterns},
    OfferAnswerRow{Initial, any, Invites::Any, Side::Local, Carrier::Prack, sdp, Initial, Ignore,
                   "offer-in-prack", patterns},
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::Prack,
                   Invites::Any,
                   Side::Remote,
                   Carrier::PrackSuccess,
                   sdp,
                   Stable,
                   TakeAnswer,
                   {},
                   {3262, "5", Level::Must}},
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::Prack,
                   Invites::Any,
                   Side::Remote,
                   Carrier::PrackSuccess,
                   no_sdp,
                   Stable,
                   MissingAnswer,
                   "answer-missing-in-prack-2xx",
                   {3262, "5", Level::Must}},
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::Prack,
                   Invites::Any,
                   Side::Remote,
                   Carrier::PrackFailure,
                   no_sdp,
                   Stable,
                   Rollback,
                   {},
                   {6337, "2.3", Level::Stated}},

    // --- UPDATE: pattern 6
    OfferAnswerRow{Stable,
                   any,
                   Invites::Any,
                   Side::Local,
                   Carrier::Update,
                   sdp,
                   HaveLocalOffer,
                   TakeOffer,
                   {},
                   {3311, "5.1", Level::May}},
    OfferAnswerRow{Initial,
                   any,
                   Invites::Any,
                   Side::Local,
                   Carrier::Update,
                   sdp,
                   Initial,
                   Refuse,
                   "update-before-first-exchange",
                   {3311, "5.1", Level::MustNot}},
    OfferAnswerRow{HaveLocalOffer,
                   any,
                   Invites::Any,
                   Side::Local,
                   Carrier::Update,
                   sdp,
                   HaveLocalOffer,
                   Refuse,
                   "offer-while-offer-open",
                   {3311, "5.1", Level::MustNot}},
    OfferAnswerRow{HaveRemoteOffer,
                   any,
                   Invites::Any,
                   Side::Local,
                   Carrier::Update,
                   sdp,
                   HaveRemoteOffer,
                   Refuse,
                   "offer-while-offer-open",
                   {3311, "5.1", Level::MustNot}},
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::Update,
                   Invites::Any,
                   Side::Remote,
                   Carrier::UpdateSuccess,
                   sdp,
                   Stable,
                   TakeAnswer,
                   {},
                   {3311, "5.2", Level::Must}},
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::Update,
                   Invites::Any,
                   Side::Remote,
                   Carrier::UpdateSuccess,
                   no_sdp,
                   Stable,
                   MissingAnswer,
                   "answer-missing-in-update-2xx",
                   {3311, "5.2", Level::Must}},
    OfferAnswerRow{HaveLocalOffer,
                   Carrier::Update,
                   Invites::Any,
                   Side::Remote,
                   Carrier::UpdateFailure,
                   no_sdp,
                   Stable,
                   Rollback,
                   {},
                   {3311, "5.3", Level::Must}},

    // --- anything else is never an offer and never an answer
    OfferAnswerRow{Initial,
                   any,
                   Invites::Any,
                   Side::Local,
                   Carrier::Other,
                   sdp,
                   Initial,
                   Ignore,
                   {},
                   patterns},
    OfferAnswerRow{
        Stable, any, Invites::Any, Side::Local, Carrier::Other, sdp, Stable, Ignore, {}, patterns},
    OfferAnswerRow{HaveLocalOffer,
                   any,
                   Invites::Any,
                   Side::Local,
                   Carrier::Other,
                   sdp,
                   HaveLocalOffer,
                   Ignore,
                   {},
                   patterns},
    OfferAnswerRow{HaveRemoteOffer,
                   any,
                   Invites::Any,
                   Side::Local,
                   Carrier::Other,
                   sdp,
                   HaveRemoteOffer,
                   Ignore,
                   {},
                   patterns},
};

constexpr SignalingState mirror(SignalingState state) {
  if (state == HaveLocalOffer) return HaveRemoteOffer;
  return state == HaveRemoteOffer ? HaveLocalOffer : state;
}
constexpr Side mirror(Side side) {
  return side == Side::Local ? Side::Remote : Side::Local;
}

constexpr auto rows = [] {
  std::array<OfferAnswerRow, 2 * local_rows.size()> out{};
  for (std::size_t i = 0; i < local_rows.size(); ++i) {
    out[2 * i] = local_rows[i];
    OfferAnswerRow row = local_rows[i];
    row.from = mirror(row.from);
    row.to = mirror(row.to);
    row.side = mirror(row.side);
    out[2 * i + 1] = row;
  }
  return out;
}();

constexpr bool overlap(const OfferAnswerRow& a, const OfferAnswerRow& b) {
  const bool same_offer = !a.offered_in || !b.offered_in || a.offered_in == b.offered_in;
  const bool same_invite =
      a.invite == Invites::Any || b.invite == Invites::Any || a.invite == b.invite;
  return a.from == b.from && a.side == b.side && a.carrier == b.carrier &&
         a.has_description == b.has_description && same_offer && same_invite;
}
constexpr bool is_unambiguous() {
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = i + 1; j < rows.size(); ++j)
      if (overlap(rows[i], rows[j])) return false;
  return true;
}
static_assert(is_unambiguous(), "a message would have two meanings");

constexpr bool is_invite_exchange(std::optional<Carrier> offered_in) {
  return offered_in == Carrier::Invite || offered_in == Carrier::ReliableProvisional ||
         offered_in == Carrier::InviteSuccess;
}

}  // namespace

std::span<const OfferAnswerRow> offer_answer_rows() {
  return rows;
}

std::optional<Side> OfferAnswer::offerer() const {
  if (state_ == HaveLocalOffer) return Side::Local;
  if (state_ == HaveRemoteOffer) return Side::Remote;
  return std::nullopt;
}

OfferAnswerVerdict OfferAnswer::decide(Side side, Carrier carrier,
                                       const std::optional<Description>& description) const {
  OfferAnswerVerdict verdict{None, state_, state_, {}, patterns};
  if (state_ == Closed) {
    verdict.action = description ? Ignore : None;
    return verdict;
  }
  const auto row = std::ranges::find_if(rows, [&](const OfferAnswerRow& candidate) {
    return candidate.from == state_ && candidate.side == side && candidate.carrier == carrier &&
           candidate.has_description == description.has_value() &&
           (!candidate.offered_in || candidate.offered_in == offered_in()) &&
           (candidate.invite == Invites::Any || candidate.invite == invite_);
  });
  if (row == rows.end()) {
    if (!description) return verdict;
    verdict.action = Ignore;
    verdict.rule = "description-out-of-place";
    return verdict;
  }
  verdict.action = row->action;
  verdict.to = row->to;
  verdict.rule = row->rule;
  verdict.clause = row->clause;
  const bool is_previewed = preview_ && offered_in_ == Carrier::Invite;
  switch (row->action) {
    case MissingAnswer:
      if (carrier == Carrier::InviteSuccess && is_previewed)
        verdict.action = TakePreview;
      else
        verdict.to = before_offer_ ? before_offer_->state : Initial;
      break;
    case Rollback: {
      const auto& point = carrier == Carrier::InviteFailure ? before_invite_ : before_offer_;
      verdict.to = point ? point->state : state_;
      if (!point) verdict.action = None;
      break;
    }
    case TakeAnswer:
      // RFC 3261 13.2.1: the first description is the answer, later ones must be the same.
      if (is_previewed && *preview_ != *description) {
        verdict.rule = "answer-differs-from-preview";
        verdict.clause = same_answer;
      }
      break;
    case Preview:
      if (is_previewed && *preview_ != *description) {
        verdict.rule = "answer-differs-from-preview";
        verdict.action = Ignore;
      }
      break;
    case Repeat:
      if (invite_description_ && *invite_description_ != *description)
        verdict.rule = "answer-changed";
      break;
    default:
      break;
  }
  return verdict;
}

OfferAnswerVerdict OfferAnswer::apply(Side side, Carrier carrier,
                                      const std::optional<Description>& description) {
  const OfferAnswerVerdict verdict = decide(side, carrier, description);
  if (state_ == Closed || verdict.is_refused()) return verdict;
  if (carrier == Carrier::Invite) begin_invite(description.has_value());
  switch (verdict.action) {
    case TakeOffer:
      take_offer(side, carrier, *description);
      break;
    case TakeAnswer: {
      const bool is_previewed = preview_ && offered_in_ == Carrier::Invite;
      take_answer(is_previewed ? *preview_ : *description);
      break;
    }
    case TakePreview:
      take_answer(*preview_);
      break;
    case Preview:
      if (!preview_) preview_ = description;
      break;
    case Rollback:
      if (carrier == Carrier::InviteFailure)
        restore(*before_invite_);
      else
        restore(*before_offer_);
      break;
    case MissingAnswer:
      if (is_invite_exchange(offered_in_)) invite_ = Invites::Done;
      restore(before_offer_.value_or(Checkpoint{}));
      break;
    case MissingOffer:
      if (carrier == Carrier::InviteSuccess) invite_ = Invites::Done;
      break;
    default:
      break;
  }
  if (carrier == Carrier::InviteFailure) end_invite();
  if (carrier == Carrier::Ack) end_invite();
  return verdict;
}

void OfferAnswer::take_offer(Side side, Carrier carrier, const Description& description) {
  if (!before_offer_) before_offer_ = checkpoint();
  state_ = side == Side::Local ? HaveLocalOffer : HaveRemoteOffer;
  pair_ = {description, std::nullopt};
  offered_in_ = carrier == Carrier::PrackOfAnswer ? Carrier::Prack : carrier;
  preview_.reset();
  if (!is_invite_exchange(carrier)) return;
  invite_ = Invites::Open;
  if (carrier != Carrier::Invite) invite_description_ = description;
}

void OfferAnswer::take_answer(const Description& description) {
  const bool is_ours = state_ == HaveLocalOffer;
  pair_.answer = description;
  local_ = is_ours ? pair_.offer : pair_.answer;
  remote_ = is_ours ? pair_.answer : pair_.offer;
  if (is_invite_exchange(offered_in_)) {
    if (offered_in_ == Carrier::Invite) invite_description_ = description;
    invite_ = Invites::Done;
  }
  state_ = Stable;
  offered_in_.reset();
  before_offer_.reset();
  has_executed_changes_ = true;
}

bool OfferAnswer::rollback() {
  if (!is_open()) return false;
  restore(before_offer_.value_or(Checkpoint{}));
  return true;
}

void OfferAnswer::close() {
  *this = OfferAnswer();
  state_ = Closed;
}

void OfferAnswer::restore(const Checkpoint& point) {
  const Checkpoint copy = point;
  state_ = copy.state;
  pair_ = copy.pair;
  local_ = copy.local;
  remote_ = copy.remote;
  offered_in_.reset();
  before_offer_.reset();
  preview_.reset();
}

void OfferAnswer::begin_invite(bool has_offer) {
  before_invite_ = checkpoint();
  before_offer_.reset();
  invite_ = has_offer ? Invites::Open : Invites::Owed;
  invite_description_.reset();
  preview_.reset();
  has_executed_changes_ = false;
}

void OfferAnswer::end_invite() {
  invite_ = Invites::None;
  before_invite_.reset();
  invite_description_.reset();
  preview_.reset();
  has_executed_changes_ = false;
}

std::string_view to_string(SignalingState state) {
  constexpr std::array<std::string_view, 5> names{"Initial", "HaveLocalOffer", "HaveRemoteOffer",
                                                  "Stable", "Closed"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(Carrier carrier) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(Carrier::Count)> names{
      "INVITE", "1xx",           "reliable 1xx",          "2xx to INVITE", "non-2xx to INVITE",
      "ACK",    "PRACK",         "PRACK (of the answer)", "2xx to PRACK",  "non-2xx to PRACK",
      "UPDATE", "2xx to UPDATE", "non-2xx to UPDATE",     "other"};
  return names[static_cast<std::size_t>(carrier)];
}

std::string_view to_string(Action action) {
  constexpr std::array<std::string_view, 12> names{
      "None",     "TakeOffer", "TakeAnswer",    "Preview",      "TakePreview", "Repeat",
      "Rollback", "Ignore",    "MissingAnswer", "MissingOffer", "Refuse",      "Close"};
  return names[static_cast<std::size_t>(action)];
}

}  // namespace sipassay::session
