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
using Row = OfferAnswerRow;

constexpr std::nullopt_t any = std::nullopt;
constexpr bool sdp = true;
constexpr bool no_sdp = false;
constexpr std::string_view legal;  // no rule is broken

constexpr Clause must(std::uint16_t rfc, std::string_view section) {
  return {rfc, section, Level::Must};
}
constexpr Clause must_not(std::uint16_t rfc, std::string_view section) {
  return {rfc, section, Level::MustNot};
}
constexpr Clause should_not(std::uint16_t rfc, std::string_view section) {
  return {rfc, section, Level::ShouldNot};
}
constexpr Clause stated(std::uint16_t rfc, std::string_view section) {
  return {rfc, section, Level::Stated};
}
constexpr Clause may(std::uint16_t rfc, std::string_view section) {
  return {rfc, section, Level::May};
}

constexpr Clause one_at_a_time{3264, "4", Level::MustNot};
constexpr Clause patterns{6337, "2.2", Level::Stated};
constexpr Clause first_reliable{3261, "13.2.1", Level::Must};
constexpr Clause same_answer{3261, "13.2.1", Level::Must};
constexpr Clause refused_offer{3264, "4", Level::Stated};
constexpr Clause unchanged{3261, "14.1", Level::Must};

// Every row with the local side as the one that offers; the other half is the mirror image.
constexpr std::array local_rows{
    // --- INVITE and re-INVITE
    Row{Initial, any, Invites::Any, Side::Local, Carrier::Invite, sdp, HaveLocalOffer, TakeOffer,
        legal, stated(3261, "13.2.1")},
    Row{Stable, any, Invites::Any, Side::Local, Carrier::Invite, sdp, HaveLocalOffer, TakeOffer,
        legal, stated(3261, "14.1")},
    Row{HaveLocalOffer, any, Invites::Any, Side::Local, Carrier::Invite, sdp, HaveLocalOffer,
        Refuse, "offer-while-offer-open", one_at_a_time},
    Row{HaveRemoteOffer, any, Invites::Any, Side::Local, Carrier::Invite, sdp, HaveRemoteOffer,
        Refuse, "offer-while-offer-open", one_at_a_time},
    Row{Initial, any, Invites::Any, Side::Local, Carrier::Invite, no_sdp, Initial, None, legal,
        stated(3261, "13.2.1")},
    Row{Stable, any, Invites::Any, Side::Local, Carrier::Invite, no_sdp, Stable, None, legal,
        stated(3261, "14.1")},
    Row{HaveLocalOffer, any, Invites::Any, Side::Local, Carrier::Invite, no_sdp, HaveLocalOffer,
        Refuse, "invite-while-offer-open", should_not(6337, "4.3")},
    Row{HaveRemoteOffer, any, Invites::Any, Side::Local, Carrier::Invite, no_sdp, HaveRemoteOffer,
        Refuse, "invite-while-offer-open", should_not(6337, "4.3")},

    // --- unreliable 1xx: a preview of the answer, never an offer
    Row{HaveLocalOffer, Carrier::Invite, Invites::Open, Side::Remote, Carrier::Provisional, sdp,
        HaveLocalOffer, Preview, legal, same_answer},
    Row{Initial, any, Invites::Owed, Side::Remote, Carrier::Provisional, sdp, Initial, Ignore,
        "offer-in-unreliable-1xx", first_reliable},
    Row{Stable, any, Invites::Owed, Side::Remote, Carrier::Provisional, sdp, Stable, Ignore,
        "offer-in-unreliable-1xx", first_reliable},
    Row{Stable, any, Invites::Done, Side::Remote, Carrier::Provisional, sdp, Stable, Repeat, legal,
        same_answer},
    Row{HaveLocalOffer, any, Invites::Done, Side::Remote, Carrier::Provisional, sdp, HaveLocalOffer,
        Repeat, legal, same_answer},
    Row{HaveRemoteOffer, any, Invites::Done, Side::Remote, Carrier::Provisional, sdp,
        HaveRemoteOffer, Repeat, legal, same_answer},

    // --- reliable 1xx: patterns 3 and 4
    Row{HaveLocalOffer, Carrier::Invite, Invites::Open, Side::Remote, Carrier::ReliableProvisional,
        sdp, Stable, TakeAnswer, legal, must(3262, "5")},
    Row{Initial, any, Invites::Owed, Side::Local, Carrier::ReliableProvisional, sdp, HaveLocalOffer,
        TakeOffer, legal, must(3262, "5")},
    Row{Stable, any, Invites::Owed, Side::Local, Carrier::ReliableProvisional, sdp, HaveLocalOffer,
        TakeOffer, legal, must(3262, "5")},
    Row{Initial, any, Invites::Owed, Side::Local, Carrier::ReliableProvisional, no_sdp, Initial,
        MissingOffer, "first-reliable-1xx-without-offer", first_reliable},
    Row{Stable, any, Invites::Owed, Side::Local, Carrier::ReliableProvisional, no_sdp, Stable,
        MissingOffer, "first-reliable-1xx-without-offer", first_reliable},
    Row{Stable, any, Invites::Done, Side::Remote, Carrier::ReliableProvisional, sdp, Stable, Repeat,
        legal, same_answer},
    Row{HaveLocalOffer, any, Invites::Done, Side::Remote, Carrier::ReliableProvisional, sdp,
        HaveLocalOffer, Repeat, legal, same_answer},
    Row{HaveRemoteOffer, any, Invites::Done, Side::Remote, Carrier::ReliableProvisional, sdp,
        HaveRemoteOffer, Repeat, legal, same_answer},
    Row{HaveLocalOffer, Carrier::ReliableProvisional, Invites::Open, Side::Local,
        Carrier::ReliableProvisional, sdp, HaveLocalOffer, Ignore, "offer-while-offer-open",
        one_at_a_time},

    // --- 2xx to INVITE: patterns 1 and 2
    Row{HaveLocalOffer, Carrier::Invite, Invites::Open, Side::Remote, Carrier::InviteSuccess, sdp,
        Stable, TakeAnswer, legal, must(3261, "13.2.1")},
    Row{HaveLocalOffer, Carrier::Invite, Invites::Open, Side::Remote, Carrier::InviteSuccess,
        no_sdp, Stable, MissingAnswer, "answer-missing-in-2xx", must(3261, "13.3.1.4")},
    Row{Initial, any, Invites::Owed, Side::Local, Carrier::InviteSuccess, sdp, HaveLocalOffer,
        TakeOffer, legal, must(3261, "13.3.1.4")},
    Row{Stable, any, Invites::Owed, Side::Local, Carrier::InviteSuccess, sdp, HaveLocalOffer,
        TakeOffer, legal, stated(3261, "14.2")},
    Row{Initial, any, Invites::Owed, Side::Local, Carrier::InviteSuccess, no_sdp, Initial,
        MissingOffer, "offer-missing-in-2xx", must(3261, "13.3.1.4")},
    Row{Stable, any, Invites::Owed, Side::Local, Carrier::InviteSuccess, no_sdp, Stable,
        MissingOffer, "offer-missing-in-2xx", must(3261, "13.3.1.4")},
    Row{Stable, any, Invites::Done, Side::Remote, Carrier::InviteSuccess, sdp, Stable, Repeat,
        legal, same_answer},
    Row{HaveLocalOffer, any, Invites::Done, Side::Remote, Carrier::InviteSuccess, sdp,
        HaveLocalOffer, Repeat, legal, same_answer},
    Row{HaveRemoteOffer, any, Invites::Done, Side::Remote, Carrier::InviteSuccess, sdp,
        HaveRemoteOffer, Repeat, legal, same_answer},
    Row{HaveLocalOffer, Carrier::ReliableProvisional, Invites::Open, Side::Local,
        Carrier::InviteSuccess, sdp, HaveLocalOffer, Ignore, "2xx-before-prack",
        must_not(3262, "3")},
    Row{HaveLocalOffer, Carrier::ReliableProvisional, Invites::Open, Side::Local,
        Carrier::InviteSuccess, no_sdp, HaveLocalOffer, None, "2xx-before-prack",
        must_not(3262, "3")},

    // An UPDATE's offer is open while the offer of the INVITE is still due.
    Row{HaveLocalOffer, any, Invites::Owed, Side::Local, Carrier::InviteSuccess, no_sdp,
        HaveLocalOffer, MissingOffer, "offer-missing-in-2xx", must(3261, "13.3.1.4")},
    Row{HaveLocalOffer, any, Invites::Owed, Side::Remote, Carrier::InviteSuccess, no_sdp,
        HaveLocalOffer, MissingOffer, "offer-missing-in-2xx", must(3261, "13.3.1.4")},

    // --- non-2xx to INVITE: everything since the INVITE is undone (RFC 6141 3.1)
    Row{Initial, any, Invites::Any, Side::Remote, Carrier::InviteFailure, no_sdp, Initial, Rollback,
        legal, refused_offer},
    Row{Stable, any, Invites::Any, Side::Remote, Carrier::InviteFailure, no_sdp, Stable, Rollback,
        legal, unchanged},
    Row{HaveLocalOffer, any, Invites::Any, Side::Remote, Carrier::InviteFailure, no_sdp, Stable,
        Rollback, legal, unchanged},
    Row{HaveRemoteOffer, any, Invites::Any, Side::Remote, Carrier::InviteFailure, no_sdp, Stable,
        Rollback, legal, unchanged},

    // --- ACK of a 2xx: pattern 2
    Row{HaveLocalOffer, Carrier::InviteSuccess, Invites::Open, Side::Remote, Carrier::Ack, sdp,
        Stable, TakeAnswer, legal, must(3261, "13.2.2.4")},
    Row{HaveLocalOffer, Carrier::InviteSuccess, Invites::Open, Side::Remote, Carrier::Ack, no_sdp,
        Stable, MissingAnswer, "answer-missing-in-ack", must(3261, "13.2.2.4")},
    Row{Stable, any, Invites::Any, Side::Remote, Carrier::Ack, sdp, Stable, Ignore,
        "description-in-ack", patterns},
    Row{Initial, any, Invites::Any, Side::Remote, Carrier::Ack, sdp, Initial, Ignore,
        "description-in-ack", patterns},

    // --- PRACK: patterns 4 and 5
    Row{HaveLocalOffer, Carrier::ReliableProvisional, Invites::Open, Side::Remote, Carrier::Prack,
        sdp, Stable, TakeAnswer, legal, must(3262, "5")},
    Row{HaveLocalOffer, Carrier::ReliableProvisional, Invites::Open, Side::Remote, Carrier::Prack,
        no_sdp, Stable, MissingAnswer, "answer-missing-in-prack", must(3262, "5")},
    Row{Stable, any, Invites::Any, Side::Local, Carrier::PrackOfAnswer, sdp, HaveLocalOffer,
        TakeOffer, legal, patterns},
    Row{Stable, any, Invites::Any, Side::Local, Carrier::Prack, sdp, Stable, Ignore,
        "offer-in-prack", patterns},
    Row{Initial, any, Invites::Any, Side::Local, Carrier::Prack, sdp, Initial, Ignore,
        "offer-in-prack", patterns},
    Row{HaveLocalOffer, Carrier::Prack, Invites::Any, Side::Remote, Carrier::PrackSuccess, sdp,
        Stable, TakeAnswer, legal, must(3262, "5")},
    Row{HaveLocalOffer, Carrier::Prack, Invites::Any, Side::Remote, Carrier::PrackSuccess, no_sdp,
        Stable, MissingAnswer, "answer-missing-in-prack-2xx", must(3262, "5")},
    Row{HaveLocalOffer, Carrier::Prack, Invites::Any, Side::Remote, Carrier::PrackFailure, no_sdp,
        Stable, Rollback, legal, stated(6337, "2.3")},

    // --- UPDATE: pattern 6
    Row{Stable, any, Invites::Any, Side::Local, Carrier::Update, sdp, HaveLocalOffer, TakeOffer,
        legal, may(3311, "5.1")},
    Row{Initial, any, Invites::Any, Side::Local, Carrier::Update, sdp, Initial, Refuse,
        "update-before-first-exchange", must_not(3311, "5.1")},
    Row{HaveLocalOffer, any, Invites::Any, Side::Local, Carrier::Update, sdp, HaveLocalOffer,
        Refuse, "offer-while-offer-open", must_not(3311, "5.1")},
    Row{HaveRemoteOffer, any, Invites::Any, Side::Local, Carrier::Update, sdp, HaveRemoteOffer,
        Refuse, "offer-while-offer-open", must_not(3311, "5.1")},
    Row{HaveLocalOffer, Carrier::Update, Invites::Any, Side::Remote, Carrier::UpdateSuccess, sdp,
        Stable, TakeAnswer, legal, must(3311, "5.2")},
    Row{HaveLocalOffer, Carrier::Update, Invites::Any, Side::Remote, Carrier::UpdateSuccess, no_sdp,
        Stable, MissingAnswer, "answer-missing-in-update-2xx", must(3311, "5.2")},
    Row{HaveLocalOffer, Carrier::Update, Invites::Any, Side::Remote, Carrier::UpdateFailure, no_sdp,
        Stable, Rollback, legal, must(3311, "5.3")},

    // --- anything else is never an offer and never an answer
    Row{Initial, any, Invites::Any, Side::Local, Carrier::Other, sdp, Initial, Ignore, legal,
        patterns},
    Row{Stable, any, Invites::Any, Side::Local, Carrier::Other, sdp, Stable, Ignore, legal,
        patterns},
    Row{HaveLocalOffer, any, Invites::Any, Side::Local, Carrier::Other, sdp, HaveLocalOffer, Ignore,
        legal, patterns},
    Row{HaveRemoteOffer, any, Invites::Any, Side::Local, Carrier::Other, sdp, HaveRemoteOffer,
        Ignore, legal, patterns},
};

constexpr SignalingState mirror(SignalingState state) {
  if (state == HaveLocalOffer) return HaveRemoteOffer;
  return state == HaveRemoteOffer ? HaveLocalOffer : state;
}
constexpr Side mirror(Side side) {
  return side == Side::Local ? Side::Remote : Side::Local;
}

constexpr auto rows = [] {
  std::array<Row, 2 * local_rows.size()> out{};
  for (std::size_t i = 0; i < local_rows.size(); ++i) {
    out[2 * i] = local_rows[i];
    Row row = local_rows[i];
    row.from = mirror(row.from);
    row.to = mirror(row.to);
    row.side = mirror(row.side);
    out[2 * i + 1] = row;
  }
  return out;
}();

constexpr bool overlap(const Row& a, const Row& b) {
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
  const auto row = std::ranges::find_if(rows, [&](const Row& candidate) {
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
