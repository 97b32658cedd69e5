// Responses to our requests, and requests that never got one.
#include <algorithm>
#include <utility>

#include "engine/message/header/all.h"
#include "engine/session/session_dialog_impl.h"

namespace sipassay::session {
namespace {

constexpr std::uint32_t first_rseq_max = 0x7fff'ffff;  // RFC 3262 3

std::uint32_t cseq_of(const Message& request) {
  const auto cseq = request.maybe<CSeq>();
  return cseq ? cseq->number : 0;
}

}  // namespace

void SessionDialog::Impl::receive_response(const Message& request, const Message& response,
                                           Instant now) {
  if (request.method() == Method::Invite) {
    const std::uint32_t cseq = cseq_of(request);
    Own* own = own_invite(cseq);
    if (own != nullptr && response.status() < 300) return invite_response(*own, response, now);
    if (own == nullptr) {
      // RFC 3261 13.2.2.4: every repeated 2xx gets the ACK again.
      const auto ack = acks.find(cseq);
      if (ack != acks.end() && response.status() >= 200 && response.status() < 300)
        put(RepeatAck{cseq, ack->second});
      return;
    }
  }
  if (response.status() < 200) return;
  final_answer(request, &response, response.status(), now);
}

void SessionDialog::Impl::invite_response(Own& own, const Message& response, Instant now) {
  if (response.status() == 100) return;
  if (own.info.was_answered) return;  // a 2xx again before our ACK, or a 1xx behind it
  if (response.status() < 200)
    invite_provisional(own, response);
  else
    invite_success(own, response, now);
}

// RFC 3262 4: an in-order reliable 1xx, once.
bool SessionDialog::Impl::guard(Own& own, const Message& response) {
  if (!is_reliable(response)) return true;
  const std::uint32_t rseq = response.get<RSeq>()->value;
  if (own.receiver.order(rseq) != ReliableReceiver::Order::InOrder) return false;
  own.receiver.commit(rseq);
  return true;
}

void SessionDialog::Impl::invite_provisional(Own& own, const Message& response) {
  if (is_over) return;
  const bool wants_reliable = has_token(response, HeaderId::Require, "100rel");
  const bool reliable = is_reliable(response);
  if (wants_reliable && !reliable)
    violation("reliable-1xx-without-rseq", {3262, "3", Level::Must}, "RSeq of 1 or more",
              response.has(HeaderId::RSeq) ? std::string(response.raw(HeaderId::RSeq)) : "none");
  const bool is_first = reliable && !own.receiver.last();
  if (!guard(own, response)) return;
  if (reliable && !allows_100rel(own.info.request))
    violation("reliable-1xx-not-allowed", {3262, "3", Level::MustNot},
              "no reliable 1xx: the INVITE did not list 100rel", "RSeq and Require: 100rel");
  if (is_first && *own.receiver.last() > first_rseq_max)
    violation("rseq-first-too-large", {3262, "3", Level::Must}, "1 to 2**31 - 1",
              std::string(response.raw(HeaderId::RSeq)));
  own.info.was_provisional = true;
  learn(response);
  const auto description = description_of(response);
  const Carrier carrier = reliable ? Carrier::ReliableProvisional : Carrier::Provisional;
  const auto verdict = transition(Side::Remote, carrier, description);
  const bool has_offer = verdict.action == Action::TakeOffer;
  const bool has_answer = verdict.action == Action::TakeAnswer;
  if (reliable) {
    // RFC 6141 4.7, 4.9: a reliable 1xx refreshes the target, an unreliable one must not.
    dialog.refresh_target(response);
    if (response.has(HeaderId::RecvInfo)) peer_recv_info = recv_info_of(response);
    unpracked.push_back(
        {own.info.cseq, response.get<RSeq>()->value, response, has_offer, has_answer});
  }
  put(Progressed{response, own.info.cseq, reliable, has_offer, has_answer});
  // RFC 6228 4, 7: nothing more is sent but the PRACK of a reliable one; prack() ends it then.
  if (response.status() == 199 && !reliable) end_early();
}

// RFC 6228 4: a 199 ends the INVITE usage of an early dialog, without a BYE.
void SessionDialog::Impl::end_early() {
  if (is_over || !dialog.is_early()) return;
  was_ended_early = true;
  end(EndReason::RejectedByPeer);
}

void SessionDialog::Impl::invite_success(Own& own, const Message& response, Instant now) {
  own.info.was_answered = true;
  const bool own_is_initial = own.info.is_initial;
  Answered answered{response, own.info.cseq, false, false};
  if (!response.maybe<Contact>())
    violation("contact-missing-in-2xx", {3261, "12.1.1", Level::Must}, "Contact", "none");
  if (own.info.is_initial && dialog.is_early() && !is_over) {
    // RFC 3261 13.2.2.4: the 2xx gives the route set of the confirmed dialog.
    dialog.recompute_route_set(response);
    dialog.confirm();
  }
  dialog.refresh_target(response);  // RFC 3261 12.2.1.2, RFC 6141 4.7
  if (!is_over) {
    learn(response);
    timer_granted_by_peer(own.info.request, response, now);
    if (response.has(HeaderId::RecvInfo)) peer_recv_info = recv_info_of(response);
    if (exchange_side == Side::Local && exchange_cseq == own.info.cseq) {
      const auto verdict =
          transition(Side::Remote, Carrier::InviteSuccess, description_of(response));
      answered.has_offer = offers.state() == SignalingState::HaveRemoteOffer &&
                           offers.offered_in() == Carrier::InviteSuccess;
      answered.lacks_description =
          verdict.action == Action::MissingAnswer || verdict.action == Action::MissingOffer;
    }
  }
  put(std::move(answered));
  // The peer goes on with a dialog that its 199 had ended: BYE behind the ACK.
  if (!was_ended_early || !own_is_initial) return;
  dialog.confirm();
  if (auto bye = dialog.make_request("BYE")) {
    fill(*bye, {});
    put(Send{std::move(*bye)});
  }
}

void SessionDialog::Impl::final_answer(const Message& request, const Message* response, int status,
                                       Instant now) {
  const std::uint32_t cseq = cseq_of(request);
  const int heard = response == nullptr ? 0 : status;
  const bool is_success = heard >= 200 && heard < 300;
  // RFC 5057 5.4: a target refresh of any usage moves the target of all (RFC 6665 3.1, 3.2).
  const bool is_refresh = request.method() == Method::Subscribe ||
                          request.method() == Method::Notify || request.method() == Method::Refer;
  if (is_refresh && is_success) dialog.refresh_target(*response);
  switch (request.method()) {
    case Method::Invite:
      return invite_failed(cseq, response, heard, now);
    case Method::Update:
      update_answered(request, response, heard, now);
      break;
    case Method::Prack:
      prack_answered(cseq, response, heard);
      break;
    case Method::Refer:
      refer_answered(cseq, response, heard);
      break;
    case Method::Notify:
      notify_answered(request, heard);
      break;
    case Method::Subscribe:
      subscribe_answered(request, response, heard, now);
      break;
    default:
      break;
  }
  if (request.method() != Method::Update || is_success)
    put(Responded{request, response == nullptr ? Message() : *response, heard});
  if (request.method() != Method::Bye) suffer(request.method(), heard);
}

// RFC 5057 5.1, RFC 3261 12.2.1.2: what a failure ends.
void SessionDialog::Impl::suffer(Method method, int status) {
  if (status >= 200 && status < 300) return;
  const FailureEffect effect = failure_effect(method, status);
  if (effect == FailureEffect::Dialog) {
    drop_subscriptions();
    if (is_over) return;
    answer_all_pending(487);
    return end(EndReason::DialogGone);
  }
  if (is_over || effect != FailureEffect::Usage || usage_of(method) != Usage::Invite) return;
  send_bye();
  end(EndReason::DialogGone);
}

void SessionDialog::Impl::invite_failed(std::uint32_t cseq, const Message* response, int status,
                                        Instant now) {
  const Own* own = own_invite(cseq);
  if (own == nullptr || own->info.was_answered) return;
  const bool is_initial = own->info.is_initial;
  std::erase_if(own_invites, [cseq](const Own& o) { return o.info.cseq == cseq; });
  std::erase_if(unpracked, [cseq](const Unpracked& u) { return u.cseq == cseq; });
  const bool has_executed = offers.has_executed_changes();
  if (!is_over && exchange_side == Side::Local && exchange_cseq == cseq) {
    // RFC 3261 14.1: the session is as if no re-INVITE had been issued.
    transition(Side::Remote, Carrier::InviteFailure, std::nullopt);
    exchange_cseq.reset();
  }
  if (!refresh_refused(Method::Invite, cseq, response, status, now)) {
    const bool will_retry = !is_initial && schedule_retry(Method::Invite, response, status, now);
    put(Rejected{response == nullptr ? Message() : *response, cseq, Method::Invite, status,
                 will_retry});
  }
  if (is_over) return;
  if (is_initial) {
    // RFC 3261 12.3: a non-2xx final ends the early dialogs.
    answer_all_pending(487);
    return end(EndReason::RejectedByPeer);
  }
  if (has_executed) put(ResynchroniseWanted{});
  suffer(Method::Invite, status);
}

bool SessionDialog::Impl::schedule_retry(Method method, const Message* response, int status,
                                         Instant now) {
  if (is_over || !settings.retries_after_491) return false;
  std::optional<Instant>& due = method == Method::Invite ? retry_invite_at : retry_update_at;
  const auto wait = retry_wait(response, status);
  if (wait) due = now + *wait;
  return wait.has_value();
}

void SessionDialog::Impl::update_answered(const Message& request, const Message* response,
                                          int status, Instant now) {
  const std::uint32_t cseq = cseq_of(request);
  if (!own_update || own_update->cseq != cseq) return;
  const bool has_offer = own_update->has_offer;
  const bool was_undone = own_update->was_undone;
  own_update.reset();
  if (response != nullptr && status < 300) {
    dialog.refresh_target(*response);
    if (!response->maybe<Contact>())
      violation("contact-missing-in-update-2xx", {3311, "5.2", Level::Must}, "Contact", "none");
    if (response->has(HeaderId::RecvInfo)) peer_recv_info = recv_info_of(*response);
    learn(*response);
    timer_granted_by_peer(request, *response, now);
    if (was_undone) return;
    if (has_offer)
      transition(Side::Remote, Carrier::UpdateSuccess, description_of(*response));
    else if (description_of(*response))
      violation("description-out-of-place", {6337, "2.2", Level::Stated}, "no SDP",
                "SDP in the 2xx to an UPDATE without an offer");
    return;
  }
  if (has_offer && !was_undone) transition(Side::Remote, Carrier::UpdateFailure, std::nullopt);
  if (refresh_refused(Method::Update, cseq, response, status, now)) return;
  const bool will_retry = schedule_retry(Method::Update, response, status, now);
  put(Rejected{response == nullptr ? Message() : *response, cseq, Method::Update, status,
               will_retry});
}

void SessionDialog::Impl::prack_answered(std::uint32_t cseq, const Message* response, int status) {
  const auto prack = std::ranges::find(own_pracks, cseq, &OwnPrack::cseq);
  if (prack == own_pracks.end()) return;
  const bool has_offer = prack->has_offer;
  const bool was_undone = prack->was_undone;
  own_pracks.erase(prack);
  if (was_undone) return;
  const bool is_success = response != nullptr && status < 300;
  if (has_offer) {
    transition(Side::Remote, is_success ? Carrier::PrackSuccess : Carrier::PrackFailure,
               is_success ? description_of(*response) : std::nullopt);
  } else if (is_success && description_of(*response)) {
    // Another PRACK's offer may be open: this is not its answer.
    violation("description-out-of-place", {6337, "2.2", Level::Stated}, "no SDP",
              "SDP in the 2xx to a PRACK without an offer");
  }
}

}  // namespace sipassay::session
