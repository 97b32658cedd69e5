// Requests of our own: what may be sent when, and what it is made of.
#include <algorithm>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/session/session_dialog_impl.h"

namespace sipassay::session {
namespace {

using enum SessionErrorCode;

std::unexpected<SessionError> refuse_to_send(SessionErrorCode code) {
  return std::unexpected(session_error(code));
}

bool has_line_end(std::string_view text) {
  return text.find_first_of("\r\n") != std::string_view::npos;
}

// RFC 3261 12.2.1.1, RFC 3311 5.1, RFC 3515 Table 1, RFC 6665 3.2: target refreshes and their like.
bool wants_contact(std::string_view method) {
  constexpr std::string_view methods[] = {"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"};
  return std::ranges::find(methods, method) != std::end(methods);
}

// Headers of which there can be one only: the caller's replaces ours.
bool replaces_ours(std::string_view name) {
  const HeaderId id = header_id_from(name);
  return id == HeaderId::Contact || id == HeaderId::Allow || id == HeaderId::Supported ||
         id == HeaderId::MaxForwards || id == HeaderId::RecvInfo ||
         id == HeaderId::SessionExpires || id == HeaderId::MinSe;
}

}  // namespace

std::expected<void, SessionError> SessionDialog::Impl::may_send(const RequestOptions& options,
                                                                bool needs_confirmed,
                                                                bool needs_session) const {
  if (is_over && (needs_session || live_subscriptions() == 0)) return refuse_to_send(Terminated);
  const SessionState now = state();
  if (now == SessionState::Initial || (needs_confirmed && now == SessionState::Early))
    return refuse_to_send(NotConfirmed);
  for (const HeaderLine& line : options.headers)
    if (line.name.empty() || has_line_end(line.name) || has_line_end(line.value))
      return refuse_to_send(BadHeader);
  if (has_line_end(options.body.type) || has_line_end(options.body.disposition))
    return refuse_to_send(BadHeader);
  if (!dialog.next_cseq()) return refuse_to_send(CSeqUsedUp);
  return {};
}

void SessionDialog::Impl::fill(Message& request, const RequestOptions& options) const {
  if (wants_contact(request.method_text())) request.add(HeaderId::Contact, settings.contact);
  // RFC 3311 4, RFC 3261 13.2.1: say what we allow where a session is set up or changed.
  const bool is_refresh = request.method() == Method::Invite || request.method() == Method::Update;
  if (is_refresh && !settings.allow.empty())
    request.add(HeaderId::Allow, ascii::comma_list(settings.allow));
  // RFC 4028 7.1: Supported: timer in every request but ACK.
  const bool has_supported = is_refresh || (has_timers() && request.method() != Method::Ack);
  if (has_supported && !settings.supported.empty())
    request.add(HeaderId::Supported, ascii::comma_list(settings.supported));
  if (is_refresh) ask_for_timer(request);
  for (const HeaderLine& line : options.headers) {
    if (replaces_ours(line.name))
      request.set(line.name, line.value);
    else
      request.add(line.name, line.value);
  }
  request.set_body(options.body.type, options.body.octets);
  if (!options.body.disposition.empty())
    request.set(HeaderId::ContentDisposition, options.body.disposition);
}

SessionDialog::Result SessionDialog::Impl::make_request(std::string_view method,
                                                        const RequestOptions& options) {
  auto request = dialog.make_request(method);
  if (!request) return refuse_to_send(CSeqUsedUp);
  fill(*request, options);
  return std::move(*request);
}

SessionDialog::Result SessionDialog::Impl::ack(const RequestOptions& options, std::uint32_t cseq) {
  const auto own = std::ranges::find_if(own_invites, [&](const Own& candidate) {
    return candidate.info.was_answered && (cseq == 0 || candidate.info.cseq == cseq);
  });
  if (own == own_invites.end()) return refuse_to_send(NothingToAck);
  for (const HeaderLine& line : options.headers)
    if (has_line_end(line.name) || has_line_end(line.value)) return refuse_to_send(BadHeader);
  const auto description = description_of(options.body);
  const bool is_current = exchange_side == Side::Local && exchange_cseq == own->info.cseq;
  if (own->owes_answer && !description) return refuse_to_send(AnswerMissing);
  if (!is_over && is_current) {
    const auto verdict = offers.decide(Side::Local, Carrier::Ack, description);
    if (verdict.action == Action::MissingAnswer) return refuse_to_send(AnswerMissing);
    if (verdict.is_violation()) return refuse_to_send(AnswerUnexpected);
  }
  Message ack = dialog.make_ack(own->info.request);
  fill(ack, options);
  const std::uint32_t number = own->info.cseq;
  own_invites.erase(own);
  if (!is_over && is_current) {
    transition(Side::Local, Carrier::Ack, description);
    exchange_cseq.reset();
  }
  if (acks.size() == acks_kept_max) acks.erase(acks.begin());
  acks.insert_or_assign(number, ack);
  return ack;
}

bool SessionDialog::Impl::may_bye() const {
  if (is_over || state() == SessionState::Initial) return false;
  // RFC 3261 15: the callee may not on an early dialog, nor before the ACK or its timeout.
  return dialog.role() == dialog::Role::Uac || (!dialog.is_early() && !initial_ack_waits);
}

SessionDialog::Result SessionDialog::Impl::bye(const RequestOptions& options) {
  if (const auto may = may_send(options, false); !may) return std::unexpected(may.error());
  if (!may_bye()) return refuse_to_send(MustNotBye);
  auto request = make_request("BYE", options);
  if (!request) return request;
  was_bye_sent = true;
  answer_all_pending(487);
  // RFC 3261 15.1.1: the session is over as soon as the BYE is passed down.
  end(EndReason::ByeSent);
  return request;
}

void SessionDialog::Impl::send_bye() {
  if (is_over) return;
  answer_all_pending(487);  // an early dialog's INVITE, too, where no BYE may be sent
  if (!may_bye()) return;
  auto request = dialog.make_request("BYE");
  if (!request) return;
  fill(*request, {});
  was_bye_sent = true;
  put(Send{std::move(*request)});
}

SessionDialog::Result SessionDialog::Impl::invite(const RequestOptions& options) {
  if (const auto may = may_send(options, true); !may) return std::unexpected(may.error());
  // RFC 3261 14.1, RFC 6337 4.3: none while one is in progress in either direction.
  if (!own_invites.empty() || !peer_invites.empty()) return refuse_to_send(InviteInProgress);
  const bool has_peer_update = std::ranges::any_of(
      pending, [](const auto& entry) { return entry.second.what == Deliver::What::Update; });
  if (own_update || has_peer_update) return refuse_to_send(UpdateInProgress);
  const auto description = description_of(options.body);
  if (offers.decide(Side::Local, Carrier::Invite, description).is_refused())
    return refuse_to_send(OfferOpen);
  auto request = make_request("INVITE", options);
  if (!request) return request;
  const std::uint32_t cseq = *dialog.local_cseq();
  transition(Side::Local, Carrier::Invite, description);
  exchange_cseq = cseq;
  exchange_side = Side::Local;
  own_invites.push_back({OwnInvite{*request, cseq}, {}});
  retry_invite_at.reset();
  return request;
}

SessionDialog::Result SessionDialog::Impl::prack(const RequestOptions& options,
                                                 const Message* response) {
  if (const auto may = may_send(options, false); !may) return std::unexpected(may.error());
  auto entry = unpracked.begin();
  if (response != nullptr) {
    const auto rseq = response->maybe<RSeq>();
    entry = std::ranges::find_if(unpracked, [&](const Unpracked& candidate) {
      return rseq && candidate.rseq == rseq->value;
    });
  }
  if (entry == unpracked.end()) return refuse_to_send(NothingToPrack);
  if (own_pracks.size() == pracks_open_max) return refuse_to_send(TooMany);
  const auto description = description_of(options.body);
  const Carrier carrier = entry->has_answer ? Carrier::PrackOfAnswer : Carrier::Prack;
  const auto verdict = offers.decide(Side::Local, carrier, description);
  if (verdict.action == Action::MissingAnswer) return refuse_to_send(AnswerMissing);
  if (verdict.is_violation())
    return refuse_to_send(offers.is_open() ? OfferOpen : AnswerUnexpected);
  auto request = make_request("PRACK", options);
  if (!request) return request;
  request->add(HeaderId::RAck, make_rack(entry->response));
  transition(Side::Local, carrier, description);
  own_pracks.push_back({*dialog.local_cseq(), verdict.action == Action::TakeOffer,
                        entry->has_offer || entry->has_answer || description.has_value()});
  const bool is_terminated = entry->response.status() == 199;
  unpracked.erase(entry);
  if (is_terminated) end_early();
  return request;
}

SessionDialog::Result SessionDialog::Impl::update(const RequestOptions& options) {
  if (const auto may = may_send(options, false); !may) return std::unexpected(may.error());
  if (own_update) return refuse_to_send(UpdateInProgress);
  const auto description = description_of(options.body);
  if (description) {
    const auto verdict = offers.decide(Side::Local, Carrier::Update, description);
    if (verdict.is_refused()) return refuse_to_send(offers.is_open() ? OfferOpen : NoOfferYet);
    // RFC 3311 5.1, RFC 6337 4.3: not before the PRACK of a description is over.
    const auto open = overlaps();
    const bool is_unsettled = std::ranges::any_of(open, [](Overlap overlap) {
      return overlap == Overlap::OwnReliable || overlap == Overlap::OwnPrack ||
             overlap == Overlap::PeerUpdate || overlap == Overlap::OwnInviteOwed ||
             overlap == Overlap::PeerInviteOwed;
    });
    if (is_unsettled) return refuse_to_send(OfferOpen);
  }
  auto request = make_request("UPDATE", options);
  if (!request) return request;
  if (description) transition(Side::Local, Carrier::Update, description);
  own_update = OwnUpdate{*dialog.local_cseq(), description.has_value()};
  retry_update_at.reset();
  return request;
}

// RFC 3261 22.2: credentials go into a new request with the next CSeq number; the dialog owns it.
SessionDialog::Result SessionDialog::Impl::retry(const Message& request) {
  const auto before = request.maybe<CSeq>();
  if (!before) return refuse_to_send(Unusable);
  // RFC 5407 2: after a BYE nothing but that BYE with credentials.
  const bool is_subscription =
      usage_of(request.method()) == Usage::Subscription && !subscriptions.empty();
  if (is_over && request.method() != Method::Bye && !is_subscription)
    return refuse_to_send(Terminated);
  auto again = dialog.make_again(request);
  if (!again) return refuse_to_send(CSeqUsedUp);
  const std::uint32_t cseq = *dialog.local_cseq();
  if (Own* own = own_invite(before->number)) {
    own->info.cseq = cseq;
    own->info.request = *again;
    if (exchange_side == Side::Local && exchange_cseq == before->number) exchange_cseq = cseq;
  }
  if (own_update && own_update->cseq == before->number) own_update->cseq = cseq;
  if (open_refresh && open_refresh->cseq == before->number) open_refresh->cseq = cseq;
  for (OwnPrack& prack : own_pracks)
    if (prack.cseq == before->number) prack.cseq = cseq;
  for (Subscription& subscription : subscriptions)
    if (subscription.role() == SubscriptionRole::Subscriber &&
        subscription.name().refer_cseq == before->number)
      subscription.renumber(cseq);
  return std::move(*again);
}

}  // namespace sipassay::session
