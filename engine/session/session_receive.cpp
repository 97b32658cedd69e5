// Requests of the peer's: the decision list for each method.
#include <algorithm>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/multipart.h"
#include "engine/session/session_dialog_impl.h"

namespace sipassay::session {
namespace {

// A body that cannot be understood at all (RFC 3261 20.15: a body needs a Content-Type).
bool is_body_broken(const Message& request) {
  if (request.body().empty()) return false;
  return !request.maybe<ContentType>() || !body_contents(request);
}

bool has_contact(const Message& request) {
  const auto contact = request.maybe<Contact>();
  return contact && !contact->is_star;
}

Deliver::What what_of(Method method) {
  switch (method) {
    case Method::Message:
      return Deliver::What::Message;
    case Method::Options:
      return Deliver::What::Options;
    default:
      return Deliver::What::Other;
  }
}

}  // namespace

void SessionDialog::Impl::receive_request(const Message& request, TransactionId transaction,
                                          Instant now) {
  if (request.method() == Method::Ack) return receive_ack(request);
  if (is_over && request.method() == Method::Bye && was_bye_sent) {
    // RFC 5407 3.2.1: BYEs that cross are both answered 200.
    return refuse(request, transaction, 200);
  }
  const bool may_live_on = live_subscriptions() != 0 && usage_of(request.method()) != Usage::Invite;
  if (is_over && !may_live_on) return refuse(request, transaction, 481);

  const dialog::Sequence sequence = dialog.sequence(request);
  if (sequence == dialog::Sequence::NoCSeq) return refuse(request, transaction, 400);
  if (sequence != dialog::Sequence::InOrder) {
    // RFC 3261 12.2.2: lower is out of order; an equal number in a new transaction breaks 12.2.1.1.
    if (sequence == dialog::Sequence::Equal)
      violation("cseq-repeated", {3261, "12.2.1.1", Level::Must}, "a higher CSeq number",
                "the number of the request before, in a new transaction");
    return refuse(request, transaction, 500);
  }
  const auto cseq = request.get<CSeq>();
  const std::uint32_t number = cseq->number;
  // The number is used up whatever becomes of the request.
  dialog.commit_remote_cseq(number);
  // A BYE waits for nobody, and ends what does (RFC 3261 15.1.2).
  if (pending.size() >= pending_requests_max && request.method() != Method::Bye)
    return refuse(request, transaction, 500, true);
  if (is_body_broken(request)) return refuse(request, transaction, 400);
  receive_method(request, transaction, number, now);
}

void SessionDialog::Impl::receive_method(const Message& request, TransactionId transaction,
                                         std::uint32_t number, Instant now) {
  switch (request.method()) {
    case Method::Bye:
      return receive_bye(request, transaction);
    case Method::Invite:
      return receive_invite(request, transaction, number, now);
    case Method::Update:
      return receive_update(request, transaction, number);
    case Method::Prack:
      return receive_prack(request, transaction, number, now);
    case Method::Info:
      return receive_info(request, transaction, number);
    case Method::Notify:
      return receive_notify(request, transaction, number, now);
    case Method::Refer:
      return receive_refer(request, transaction, number);
    case Method::Subscribe:
      return receive_subscribe(request, transaction, number);
    default:
      return deliver(what_of(request.method()), request, transaction, number);
  }
}

void SessionDialog::Impl::deliver(Deliver::What what, const Message& request,
                                  TransactionId transaction, std::uint32_t cseq, bool has_offer) {
  pending.insert_or_assign(transaction, Pending{request, what, cseq, has_offer, std::nullopt});
  put(Deliver{what, transaction, request, has_offer, false});
}

// Never answered, never counted in CSeq; only the ACK of a 2xx that we sent means anything.
void SessionDialog::Impl::receive_ack(const Message& request) {
  const auto cseq = request.maybe<CSeq>();
  Peer* peer = cseq && !is_over ? peer_invite_by_cseq(cseq->number) : nullptr;
  if (peer == nullptr || !peer->info.was_answered) return;
  ack_wait.acknowledge(cseq->number);
  if (peer->info.is_initial) initial_ack_waits = false;
  const auto description = description_of(request);
  const bool is_current = exchange_side == Side::Remote && exchange_cseq == cseq->number;
  finish_peer_invite(cseq->number);
  if (is_current) {
    transition(Side::Remote, Carrier::Ack, description);
    exchange_cseq.reset();
  } else if (description) {
    violation("description-in-ack", {6337, "2.2", Level::Stated}, "no SDP", "SDP in a late ACK");
  }
  put(Deliver{Deliver::What::Ack, 0, request, false, true});
}

void SessionDialog::Impl::receive_bye(const Message& request, TransactionId transaction) {
  // RFC 3261 15: the callee may not end an early dialog with BYE, nor one whose ACK is to come.
  const bool is_initial_unacked = std::ranges::any_of(
      own_invites, [](const Own& own) { return own.info.is_initial && own.info.was_answered; });
  if (dialog.role() == dialog::Role::Uac && (dialog.is_early() || is_initial_unacked))
    violation("bye-by-callee-too-early", {3261, "15", Level::MustNot},
              "no BYE before the ACK or its timeout", "BYE");
  refuse(request, transaction, 200);
  put(Deliver{Deliver::What::Bye, transaction, request, false, true});
  answer_all_pending(487);
  end(EndReason::ByeReceived);
}

SessionDialog::Impl::Peer& SessionDialog::Impl::add_peer_invite(const Message& request,
                                                                TransactionId transaction,
                                                                std::uint32_t cseq, bool is_initial,
                                                                Instant now) {
  learn(request);
  transition(Side::Remote, Carrier::Invite, description_of(request));
  exchange_cseq = cseq;
  exchange_side = Side::Remote;
  newest_peer_invite = cseq;
  Peer peer{PeerInvite{request, transaction, cseq, is_initial, false},
            ReliableSender(rng, settings.t1)};
  peer.allows_100rel = allows_100rel(request);
  peer.requires_100rel = has_token(request, HeaderId::Require, "100rel");
  if (request.has(HeaderId::RecvInfo)) peer.recv_info = recv_info_of(request);
  // RFC 3261 13.3.1: an INVITE that expires without a final response is answered 487.
  if (const auto expires = request.maybe<Expires>())
    peer.expires_at = now + std::chrono::seconds(expires->value);
  peer_invites.push_back(std::move(peer));
  return peer_invites.back();
}

void SessionDialog::Impl::receive_invite(const Message& request, TransactionId transaction,
                                         std::uint32_t cseq, Instant now) {
  // RFC 3261 8.1.1.8: an INVITE has a Contact.
  if (!has_contact(request)) return refuse(request, transaction, 400);
  const GlareRow& row = glare(overlaps(), Arrival::Invite);
  if (row.decision == Decision::Pending) return refuse(request, transaction, 491);
  if (row.decision == Decision::RetryAfter) return refuse(request, transaction, 500, true);
  const auto description = description_of(request);
  if (offers.decide(Side::Remote, Carrier::Invite, description).is_refused())
    return refuse(request, transaction, 500, true);
  if (is_interval_refused(request, transaction)) return;
  note_timers(request);
  dialog.stage_target(cseq, request);
  add_peer_invite(request, transaction, cseq, false, now);
  put(Deliver{Deliver::What::Invite, transaction, request, description.has_value(), false});
}

void SessionDialog::Impl::receive_update(const Message& request, TransactionId transaction,
                                         std::uint32_t cseq) {
  // RFC 3311 Table 1: Contact is mandatory.
  if (!has_contact(request)) return refuse(request, transaction, 400);
  const auto description = description_of(request);
  const Arrival arrival = description ? Arrival::UpdateWithOffer : Arrival::Update;
  const GlareRow& row = glare(overlaps(), arrival);
  if (row.decision == Decision::Pending) return refuse(request, transaction, 491);
  if (row.decision == Decision::RetryAfter) return refuse(request, transaction, 500, true);
  if (is_interval_refused(request, transaction)) return;
  if (description) {
    const auto verdict = offers.decide(Side::Remote, Carrier::Update, description);
    if (verdict.is_refused()) {
      violation(verdict.rule, verdict.clause, "no offer before the first exchange is complete",
                "UPDATE with an offer");
      return refuse(request, transaction, 500, true);
    }
    transition(Side::Remote, Carrier::Update, description);
  }
  learn(request);
  note_timers(request);
  dialog.stage_target(cseq, request);
  deliver(Deliver::What::Update, request, transaction, cseq, description.has_value());
  if (request.has(HeaderId::RecvInfo)) pending.at(transaction).recv_info = recv_info_of(request);
}

void SessionDialog::Impl::receive_prack(const Message& request, TransactionId transaction,
                                        std::uint32_t cseq, Instant now) {
  const auto rack = request.get<RAck>();
  if (!rack) {
    violation("prack-without-rack", {3262, "7.2", Level::Must}, "RAck", "none that can be read");
    return refuse(request, transaction, 400);
  }
  ReliableSender* sender = nullptr;
  TransactionId invite = 0;
  if (rack->method == Method::Invite) {
    if (Peer* peer = peer_invite_by_cseq(rack->cseq)) {
      sender = &peer->sender;
      invite = peer->info.transaction;
    }
    for (Finished& old : finished)
      if (sender == nullptr && old.cseq == rack->cseq) sender = &old.sender;
  }
  const auto match = sender == nullptr ? ReliableSender::Match::None : sender->match(rack->rseq);
  if (match == ReliableSender::Match::None) {
    violation("prack-matches-nothing", {3262, "3", Level::Stated},
              "RAck of a reliable provisional response",
              "RAck: " + std::string(request.raw(HeaderId::RAck)));
    return refuse(request, transaction, 481);
  }
  const auto description = description_of(request);
  const Carrier carrier =
      sender->find(rack->rseq)->has_answer ? Carrier::PrackOfAnswer : Carrier::Prack;
  const auto verdict = transition(Side::Remote, carrier, description);
  if (const auto* next = sender->acknowledge(rack->rseq, now)) {
    dialog.commit_target(rack->cseq);
    put(Reply{invite, next->response});
  }
  if (verdict.action == Action::TakeOffer)
    return deliver(Deliver::What::Prack, request, transaction, cseq, true);
  // RFC 3262 3: a match gets a 2xx, whatever stood in it.
  refuse(request, transaction, 200);
  put(Deliver{Deliver::What::Prack, transaction, request, false, true});
  release_held(now);
}

void SessionDialog::Impl::receive_info(const Message& request, TransactionId transaction,
                                       std::uint32_t cseq) {
  const auto package = request.maybe<InfoPackage>();
  const bool is_willing =
      !package || std::ranges::any_of(settings.recv_info, [&](const std::string& ours) {
        return ours == package->package;  // RFC 6086 7.2: with case
      });
  if (is_willing) return deliver(Deliver::What::Info, request, transaction, cseq);
  // RFC 6086 4.2.2: 469 with Recv-Info for a package that we do not receive.
  Message response = make_response(request, 469, "Bad Info Package");
  response.add(HeaderId::RecvInfo, ascii::comma_list(settings.recv_info));
  response.set_body({}, {});
  put(Reply{transaction, std::move(response)});
}

// RFC 3261 9.2, RFC 6141 3.8: 487, unless the re-INVITE has changed something already.
void SessionDialog::Impl::receive_cancel(TransactionId cancelled, Instant now) {
  Peer* peer = peer_invite(cancelled);
  if (peer == nullptr || peer->info.was_answered) return;
  if (succeed_instead(*peer, now)) return;
  const bool is_initial = peer->info.is_initial;
  if (!is_initial) return reply_failure(*peer, {.status = 487});
  put(Reply{cancelled, make_response(peer->info.request, 487, {}).set_body({}, {})});
  std::erase_if(peer_invites, [&](const Peer& p) { return p.info.transaction == cancelled; });
  answer_all_pending(487);
  end(EndReason::Cancelled);
}

}  // namespace sipassay::session
