// Answers to requests of the peer's: what they contain, and what sending them commits.
#include <algorithm>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/session/session_dialog_impl.h"

namespace sipassay::session {
namespace {

using enum SessionErrorCode;

// RFC 3261 13.3.1.1 and RFC 3262 3: proxies forget an INVITE after three minutes.
constexpr Duration provisional_every = 60s;
constexpr Duration reliable_provisional_every = 150s;

std::unexpected<SessionError> refuse_to_send(SessionErrorCode code) {
  return std::unexpected(session_error(code));
}

bool has_line_end(std::string_view text) {
  return text.find_first_of("\r\n") != std::string_view::npos;
}

bool is_well_formed(const ReplyOptions& options) {
  for (const HeaderLine& line : options.headers)
    if (line.name.empty() || has_line_end(line.name) || has_line_end(line.value)) return false;
  return !has_line_end(options.reason) && !has_line_end(options.body.type) &&
         !has_line_end(options.body.disposition);
}

void fill_response(Message& response, const ReplyOptions& options) {
  for (const HeaderLine& line : options.headers) {
    const HeaderId id = header_id_from(line.name);
    const bool is_ours = id == HeaderId::Contact || id == HeaderId::Allow ||
                         id == HeaderId::Supported || id == HeaderId::RecvInfo ||
                         id == HeaderId::SessionExpires;
    if (is_ours)
      response.set(line.name, line.value);
    else
      response.add(line.name, line.value);
  }
  response.set_body(options.body.type, options.body.octets);
  if (!options.body.disposition.empty())
    response.set(HeaderId::ContentDisposition, options.body.disposition);
}

Body body_of(const Description& description) {
  return {description.type, description.octets, {}};
}

}  // namespace

SessionDialog::Status SessionDialog::Impl::reply(TransactionId transaction,
                                                 const ReplyOptions& options, Instant now) {
  if (is_over) {
    // A REFER or NOTIFY may still wait; the session's own requests were answered when it ended.
    const auto waiting = pending.find(transaction);
    if (waiting == pending.end()) return refuse_to_send(Terminated);
  }
  if (!is_well_formed(options)) return refuse_to_send(BadHeader);
  if (options.status < 100 || options.status > 699) return refuse_to_send(WrongStatus);
  if (Peer* peer = peer_invite(transaction)) return reply_invite(*peer, options, now);
  const auto waiting = pending.find(transaction);
  if (waiting == pending.end()) return refuse_to_send(UnknownTransaction);
  return reply_other(waiting->second, transaction, options, now);
}

SessionDialog::Status SessionDialog::Impl::reply_invite(Peer& peer, const ReplyOptions& options,
                                                        Instant now) {
  // A final response is given once; a held 2xx counts, but for a refusal.
  if (peer.info.was_answered) return refuse_to_send(WrongStatus);
  if (peer.held && options.status < 300) return refuse_to_send(WrongStatus);
  if (options.status == 100) {
    put(Reply{peer.info.transaction, make_response(peer.info.request, 100, options.reason)});
    return {};
  }
  if (options.status < 200) return reply_provisional(peer, options, now);
  if (options.status < 300) return reply_success(peer, options, now);
  if (!options.undoes_changes && succeed_instead(peer, now)) return {};
  reply_failure(peer, options);
  return {};
}

// RFC 6141 3.3, 3.8: 2xx to a re-INVITE that has changed something already, for what is refused or
// cancelled now.
bool SessionDialog::Impl::succeed_instead(Peer& peer, Instant now) {
  const bool has_executed = !peer.info.is_initial && offers.has_executed_changes() &&
                            offers.invite_exchange() == InviteExchange::Done;
  return has_executed && reply_success(peer, {}, now);
}

SessionDialog::Status SessionDialog::Impl::reply_provisional(Peer& peer,
                                                             const ReplyOptions& options,
                                                             Instant now) {
  // RFC 3262 3: every one reliably if the INVITE requires it; none if it does not allow it.
  const bool is_reliable = options.is_reliable || peer.requires_100rel;
  if (is_reliable && !peer.allows_100rel) return refuse_to_send(NotReliable);
  if (is_reliable && peer.sender.is_full()) return refuse_to_send(TooMany);
  const Carrier carrier = is_reliable ? Carrier::ReliableProvisional : Carrier::Provisional;
  const auto description = description_of(options.body);
  const auto verdict = offers.decide(Side::Local, carrier, description);
  if (verdict.action == Action::MissingOffer) return refuse_to_send(OfferMissing);
  if (verdict.is_violation()) return refuse_to_send(AnswerUnexpected);

  Message response = make_response(peer.info.request, options.status, options.reason);
  add_dialog_headers(response, peer.info.request);
  if (is_reliable) add_recv_info(response, peer.info.request);
  fill_response(response, options);
  transition(Side::Local, carrier, description);
  was_provisional_sent = true;
  peer.provisional = response;
  peer.is_provisional_reliable = is_reliable;
  if (is_reliable) {
    const bool has_answer = verdict.action == Action::TakeAnswer;
    const auto* sent =
        peer.sender.send(std::move(response), description.has_value(), has_answer, now);
    if (sent != nullptr) {
      // RFC 6141 4.6: a reliable 1xx commits the peer's new target.
      dialog.commit_target(peer.info.cseq);
      put(Reply{peer.info.transaction, sent->response});
    }
    peer.refresh_at = now + reliable_provisional_every;
  } else {
    put(Reply{peer.info.transaction, std::move(response)});
    peer.refresh_at = now + provisional_every;
  }
  return {};
}

SessionDialog::Status SessionDialog::Impl::reply_success(Peer& peer, ReplyOptions options,
                                                         Instant now) {
  // RFC 3261 13.2.1: what an 18x showed is the answer; the 2xx repeats it.
  if (options.body.is_empty() && offers.preview() && offers.offered_in() == Carrier::Invite)
    options.body = body_of(*offers.preview());
  const auto description = description_of(options.body);
  // RFC 3262 3: no 2xx while a reliable 1xx with a description has no PRACK.
  if (peer.sender.holds_back_success()) {
    peer.held = std::move(options);
    peer.refresh_at.reset();
    put(SuccessHeld{peer.info.transaction});
    return {};
  }
  const auto verdict = offers.decide(Side::Local, Carrier::InviteSuccess, description);
  if (verdict.action == Action::MissingAnswer || verdict.action == Action::TakePreview)
    return refuse_to_send(AnswerMissing);
  if (verdict.action == Action::MissingOffer) return refuse_to_send(OfferMissing);
  if (verdict.is_violation()) return refuse_to_send(AnswerUnexpected);

  Message response = make_response(peer.info.request, options.status, options.reason);
  add_dialog_headers(response, peer.info.request);
  add_recv_info(response, peer.info.request);
  answer_timer(response, peer.info.request);
  fill_response(response, options);
  transition(Side::Local, Carrier::InviteSuccess, description);
  timer_granted_by_us(response, now);
  peer.success_has_offer = verdict.action == Action::TakeOffer;
  peer.success = response;
  // RFC 6141 4.6: sending the 2xx commits the peer's new target.
  peer.moved_target = dialog.commit_target(peer.info.cseq);
  if (peer.recv_info) peer_recv_info = *peer.recv_info;
  put(Reply{peer.info.transaction, std::move(response)});
  confirm(peer, now);
  return {};
}

void SessionDialog::Impl::confirm(Peer& peer, Instant now) {
  peer.info.was_answered = true;
  peer.held.reset();
  peer.refresh_at.reset();
  peer.expires_at.reset();
  peer.sender.stop();
  dialog.confirm();
  if (peer.info.is_initial) initial_ack_waits = true;
  ack_wait.start(peer.info.cseq, now);
}

void SessionDialog::Impl::reply_failure(Peer& peer, const ReplyOptions& options) {
  Message response = make_response(peer.info.request, options.status, options.reason);
  // RFC 3261 14.2, 20.43: a 488 says why.
  const auto is_warning = [](const HeaderLine& line) {
    return header_id_from(line.name) == HeaderId::Warning;
  };
  if (options.status == 488 && std::ranges::none_of(options.headers, is_warning))
    response.add(HeaderId::Warning, "305 sipassay \"Incompatible media format\"");
  fill_response(response, options);
  put(Reply{peer.info.transaction, std::move(response)});
  dialog.discard_target(peer.info.cseq);
  const std::uint32_t cseq = peer.info.cseq;
  const bool is_initial = peer.info.is_initial;
  finish_peer_invite(cseq);  // `peer` is gone
  if (exchange_side == Side::Remote && exchange_cseq == cseq) {
    transition(Side::Local, Carrier::InviteFailure, std::nullopt);
    exchange_cseq.reset();
  }
  if (!is_initial) return;
  // RFC 3261 12.3: a non-2xx final ends the early dialog at once.
  answer_all_pending(487);
  end(EndReason::RejectedByUs);
}

SessionDialog::Status SessionDialog::Impl::reply_other(Pending& waiting, TransactionId transaction,
                                                       const ReplyOptions& options, Instant now) {
  // RFC 4320 4.1: no 1xx but 100 to a non-INVITE request.
  if (options.status > 100 && options.status < 200) return refuse_to_send(WrongStatus);
  Message response = make_response(waiting.request, options.status, options.reason);
  if (options.status == 100) {
    put(Reply{transaction, std::move(response)});
    return {};
  }
  const bool is_success = options.status < 300;
  const bool is_update = waiting.what == Deliver::What::Update;
  const bool is_prack = waiting.what == Deliver::What::Prack;
  const auto description = is_success ? description_of(options.body) : std::nullopt;
  if (is_update || is_prack) {
    const Carrier success = is_update ? Carrier::UpdateSuccess : Carrier::PrackSuccess;
    const Carrier failure = is_update ? Carrier::UpdateFailure : Carrier::PrackFailure;
    if (description && !waiting.has_offer) return refuse_to_send(AnswerUnexpected);
    if (is_success && waiting.has_offer && !description) return refuse_to_send(AnswerMissing);
    const bool is_answer =
        offers.decide(Side::Local, success, description).action == Action::TakeAnswer;
    if (description && !is_answer) return refuse_to_send(AnswerUnexpected);
    if (waiting.has_offer) transition(Side::Local, is_success ? success : failure, description);
  }
  const bool makes_subscription = is_success && (waiting.what == Deliver::What::Refer ||
                                                 waiting.what == Deliver::What::Subscribe);
  if (waiting.what == Deliver::What::Subscribe && is_success && !options.subscription)
    return refuse_to_send(WrongStatus);
  if (makes_subscription) {
    add_dialog_headers(response, waiting.request);
    if (options.subscription)
      response.add(HeaderId::Expires, std::to_string(options.subscription->expires));
    dialog.commit_target(waiting.cseq);
  }
  if (is_update && is_success) {
    // RFC 3311 5.2: Contact in the 2xx; it commits their new target.
    add_dialog_headers(response, waiting.request);
    add_recv_info(response, waiting.request);
    answer_timer(response, waiting.request);
    dialog.commit_target(waiting.cseq);
    if (waiting.recv_info) peer_recv_info = *waiting.recv_info;
  }
  if (!is_success) dialog.discard_target(waiting.cseq);
  if (options.status == 488)
    response.add(HeaderId::Warning, "305 sipassay \"Incompatible media format\"");
  fill_response(response, options);
  if (is_update && is_success) timer_granted_by_us(response, now);
  const Pending done = std::move(waiting);
  pending.erase(transaction);  // `waiting` is gone
  const Message sent = response;
  put(Reply{transaction, std::move(response)});
  if (is_prack) release_held(now);
  if (makes_subscription) subscription_accepted(done, options, sent, now);
  return {};
}

void SessionDialog::Impl::release_held(Instant now) {
  for (Peer& peer : peer_invites) {
    if (!peer.held || peer.info.was_answered || peer.sender.holds_back_success()) continue;
    const bool has_prack_open = std::ranges::any_of(
        pending, [](const auto& entry) { return entry.second.what == Deliver::What::Prack; });
    if (has_prack_open) return;
    ReplyOptions options = std::move(*peer.held);
    peer.held.reset();
    const TransactionId transaction = peer.info.transaction;
    if (!reply_success(peer, options, now)) {
      // The application's 2xx no longer fits what the PRACK did: without its body, then.
      options.body = {};
      if (!reply_success(peer, options, now)) put(PrackMissing{transaction});
    }
    return;
  }
}

// RFC 3261 13.3.1.1: a non-100 1xx again; a reliable one is a new response (RFC 3262 3).
void SessionDialog::Impl::refresh_provisional(Peer& peer, Instant now) {
  Message again = *peer.provisional;
  if (!peer.is_provisional_reliable) {
    put(Reply{peer.info.transaction, std::move(again)});
    peer.refresh_at = now + provisional_every;
    return;
  }
  again.set_body({}, {});
  const auto* sent = peer.sender.send(std::move(again), false, false, now);
  if (sent != nullptr) put(Reply{peer.info.transaction, sent->response});
  peer.refresh_at = now + reliable_provisional_every;
}

// RFC 3264 5: the next offer counts on from a refused one, or from the one before it. The answer to
// an open offer of ours may have been written before.
void SessionDialog::Impl::note_refused(const Message& request) {
  if (!description_of(request)) return;
  compared_sdp.reset();
  was_refused_meanwhile = offers.is_open();
}

void SessionDialog::Impl::refuse(const Message& request, TransactionId transaction, int status,
                                 bool has_retry_after) {
  if (status >= 300) note_refused(request);
  Message response = make_response(request, status, {});
  if (has_retry_after) response.add(HeaderId::RetryAfter, std::to_string(retry_after(rng)));
  if (status == 489)
    response.add(HeaderId::AllowEvents, ascii::comma_list(settings.event_packages));
  response.set_body({}, {});
  put(Reply{transaction, std::move(response)});
}

// RFC 6086 5.2.3: in a reliable 18x or 2xx if the request had it, never otherwise.
void SessionDialog::Impl::add_recv_info(Message& response, const Message& request) const {
  if (request.has(HeaderId::RecvInfo))
    response.add(HeaderId::RecvInfo, ascii::comma_list(settings.recv_info));
}

}  // namespace sipassay::session
