// What the sessions of a call say.
#include <algorithm>

#include "engine/agent/core.h"
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/multipart.h"

namespace sipassay::agent {
namespace {

using session::Deliver;

constexpr std::size_t acks_kept_max = 16;  // sent ACKs of one dialog, for repeated 2xx

session::Body session_body(std::string sdp) {
  return {"application/sdp", std::move(sdp), {}};
}

session::HeaderLine warning() {
  return {"Warning", "305 sipassay \"no media format in common\""};
}

std::string reason_value(int cause, std::string_view text) {
  std::string value = "SIP ;cause=" + std::to_string(cause) + " ;text=";
  value += quote(text);
  return value;
}

// An answer that takes nothing, to an offer that cannot even be read (RFC 3261 13.2.2.4 MUST
// answer).
std::string empty_answer() {
  sdp::OfferOptions options;
  options.streams.clear();
  return sdp::to_string(sdp::make_offer(options));
}

std::string refusing_answer(std::string_view offer) {
  std::vector<Finding> departures;
  const auto parsed = sdp::parse_lenient(offer, departures);
  if (!parsed) return empty_answer();
  sdp::AnswerOptions options;
  options.streams.clear();
  return sdp::to_string(sdp::make_answer(*parsed, options));
}

std::string_view reason_text(session::EndReason reason) {
  return session::to_string(reason);
}

}  // namespace

void Core::pump(LiveCall& call, CallDialog& dialog) {
  touch(call.id);
  while (auto output = dialog.session.poll()) route(call, dialog, std::move(*output));
  drain();
}

void Core::route(LiveCall& call, CallDialog& dialog, session::Output output) {
  std::visit([&](auto&& what) { on(call, dialog, std::forward<decltype(what)>(what)); },
             std::move(output));
}

// --- messages that the session wants out

void Core::on(LiveCall& call, CallDialog&, session::Reply output) {
  const int status = output.response.status();
  const bool is_initial = call.server && call.server->transaction == output.transaction;
  add_server_fields(output.response);
  (void)layer_.respond(output.transaction, std::move(output.response), now_);
  if (!is_initial || status < 200) return;
  call.server->has_final = true;
  call.give_up_due.reset();
  call.step_due.reset();
  call.steps = {};
  if (status < 300) answered(call);
}

void Core::on(LiveCall&, CallDialog&, session::Resend output) {
  if (output.response.status() >= 200)
    (void)layer_.repeat_response(output.transaction);
  else
    (void)layer_.respond(output.transaction, std::move(output.response), now_);
}

void Core::on(LiveCall& call, CallDialog& dialog, session::Send output) {
  send_in_dialog(call, dialog, std::move(output.request));
}

void Core::on(LiveCall&, CallDialog& dialog, session::RepeatAck output) {
  // 13.2.2.4 MUST: the same ACK for every copy of the 2xx; but by a way that works.
  std::erase_if(dialog.acks, [&](const SentAck& kept) {
    return kept.was_too_long && is_without_tcp(kept.to.endpoint);
  });
  for (const auto& kept : dialog.acks)
    if (kept.cseq == output.cseq) return layer_.send_ack(kept.ack, kept.to);
  send_ack(dialog, std::move(output.ack), output.cseq);
}

void Core::send_ack(CallDialog& dialog, Message ack, std::uint32_t cseq) {
  auto to = destination(ack, &dialog.flow);
  if (!to) return;
  const bool is_datagram = to->endpoint.transport == Transport::Udp;
  if (!address(ack, *to)) return;
  if (dialog.acks.size() >= acks_kept_max) dialog.acks.pop_front();
  const bool was_too_long = is_datagram && to->endpoint.transport != Transport::Udp;
  dialog.acks.push_back({cseq, ack, *to, was_too_long});
  layer_.send_ack(std::move(ack), *to);
}

bool Core::send_in_dialog(LiveCall& call, CallDialog& dialog,
                          session::SessionDialog::Result request) {
  if (!request) return false;
  request->add(HeaderId::UserAgent, product);
  digest_client_.authorize(*request);
  auto sent = *request;
  const auto id =
      send(sent, &dialog.flow,
           {.what = ClientTransaction::What::InDialog, .call = call.id, .dialog = dialog.key});
  if (!id) {
    dialog.session.request_failed(*request, session::Failure::TransportFailed, now_);
    return true;
  }
  ++dialog.own_requests;
  if (sent.method() == Method::Invite)
    dialog.reinvite = OpenReinvite{.transaction = *id, .abandon_due = {}};
  return true;
}

// --- responses to what we sent in the dialog

void Core::receive_in_dialog_response(const ClientTransaction& owner, const Message& response,
                                      const Flow& flow) {
  auto* call = find_call(owner.call);
  auto* dialog = call == nullptr ? nullptr : call->find(owner.dialog);
  if (dialog == nullptr) return;
  dialog->flow = flow;
  const int status = response.status();
  if ((status == 401 || status == 407) && answer_challenge(owner, response)) {
    pump(*call, *dialog);
    return;
  }
  if (status >= 200 && status < 300) digest_client_.learn(response);
  if (owner.request.method() == Method::Invite) note_reinvite(*call, *dialog, response);
  dialog->session.receive_response(owner.request, response, now_);
  pump(*call, *dialog);
}

// 9.1: CANCEL may go once there was a provisional response; a final one makes it pointless.
void Core::note_reinvite(LiveCall& call, CallDialog& dialog, const Message& response) {
  if (!dialog.reinvite) return;
  if (response.status() >= 200) return dialog.reinvite.reset();
  dialog.reinvite->saw_provisional = true;
  if (dialog.reinvite->wants_cancel) cancel_reinvite(call, dialog);
}

// 22.2: the same request with credentials and the dialog's next CSeq number.
bool Core::answer_challenge(const ClientTransaction& owner, const Message& response) {
  auto* call = find_call(owner.call);
  auto* dialog = call->find(owner.dialog);
  if (owner.challenges >= challenges_answered_max) return false;
  // A cancelled re-INVITE is not sent again (policy).
  const bool is_invite = owner.request.method() == Method::Invite;
  if (is_invite && dialog->reinvite &&
      (dialog->reinvite->wants_cancel || dialog->reinvite->abandon_due))
    return false;
  auto request = owner.request;
  if (digest_client_.answer_challenge(response, request) != digest::Verdict::Retry) return false;
  auto again = dialog->session.retry(request);
  if (!again) return false;
  const auto id = send(*again, &dialog->flow,
                       {.what = ClientTransaction::What::InDialog,
                        .call = call->id,
                        .dialog = dialog->key,
                        .request = {},
                        .challenges = owner.challenges + 1});
  if (!id) {
    dialog->session.request_failed(*again, session::Failure::TransportFailed, now_);
    return true;
  }
  ++dialog->own_requests;
  if (is_invite) dialog->reinvite = OpenReinvite{.transaction = *id, .abandon_due = {}};
  return true;
}

void Core::on(LiveCall& call, CallDialog& dialog, session::Progressed output) {
  emit(CallProgressed{call.id, output.response.status(), output.is_reliable});
  if (!output.is_reliable) return;
  session::RequestOptions options;
  if (output.has_offer) {
    // RFC 3262 5 MUST: the answer stands in the PRACK.
    const auto& offer = dialog.session.offer();
    auto answer = dialog.media.answer(offer ? offer->octets : std::string_view{});
    options.body = session_body(answer ? *answer : refusing_answer(offer ? offer->octets : ""));
  } else if (output.has_answer && call.client && call.client->command.offers_in_prack) {
    if (dialog.media.has_open_offer()) dialog.media.agreed();
    options.body = session_body(dialog.media.offer());
    call.client->command.offers_in_prack = false;
  }
  send_in_dialog(call, dialog, dialog.session.prack(options, &output.response));
}

void Core::on(LiveCall& call, CallDialog& dialog, session::Answered output) {
  const bool is_initial = call.client && !call.chosen.has_value();
  // Another fork answered before, or the call is over for us already.
  const bool is_extra_fork =
      call.client && (call.chosen ? *call.chosen != dialog.key : call.has_ended);
  session::RequestOptions options;
  int hang_up_cause = 0;
  std::string_view why;
  if (output.has_offer && dialog.is_over) {
    // 13.2.2.4 MUST: an answer, though our BYE came first; there is no session for it.
    const auto offer = session::description_of(output.response);
    options.body = session_body(refusing_answer(offer ? offer->octets : ""));
  } else if (output.has_offer) {
    const auto& offer = dialog.session.offer();
    auto answer = dialog.media.answer(offer ? offer->octets : std::string_view{});
    if (!answer) {
      // 13.2.2.4 MUST: a valid answer, then BYE at once.
      hang_up_cause = 488;
      why = "offer not acceptable";
    }
    options.body = session_body(answer ? *answer : refusing_answer(offer ? offer->octets : ""));
  } else if (output.lacks_description) {
    hang_up_cause = 400;
    why = "no session description";
  } else if (const auto& answer = dialog.session.answer()) {
    std::vector<Finding> departures;
    if (!sdp::parse_lenient(answer->octets, departures)) {
      hang_up_cause = 488;
      why = "answer cannot be read";
    }
  }
  // 13.2.2.4 MUST: every 2xx gets its ACK.
  if (auto ack = dialog.session.ack(options, output.cseq, now_))
    send_ack(dialog, std::move(*ack), output.cseq);
  if (is_extra_fork) return hang_up(call, dialog);
  if (is_initial && dialog.is_over) return;  // ended by a 199 before (RFC 6228 4)
  if (is_initial) {
    call.chosen = dialog.key;
    emit(CallAnswered{call.id});
    emit(CallConfirmed{call.id});
    tell_referrer(call, output.response.status(), output.response.reason());
    // 9.1: the CANCEL came too late, or there was no chance to send it.
    if (call.client->was_cancelled || call.client->wants_cancel) return hang_up(call, dialog);
  }
  if (hang_up_cause != 0) return hang_up(call, dialog, reason_value(hang_up_cause, why));
  if (!is_initial) emit(RequestAnswered{call.id, "INVITE", output.response.status()});
  try_wanted(call, dialog);
}

void Core::on(LiveCall& call, CallDialog& dialog, session::Rejected output) {
  if (call.client && !call.chosen && output.method == Method::Invite) return;  // the initial one
  emit(OfferRejected{call.id, output.status, output.will_retry});
  if (!output.will_retry) dialog.change.reset();
}

void Core::on(LiveCall& call, CallDialog&, session::Responded output) {
  // RFC 6337 2.3: a PRACK whose offer was refused; its INVITE is given up (policy).
  if (output.request.method() == Method::Prack && output.status == 488) command(Cancel{call.id});
  emit(RequestAnswered{call.id, std::string(output.request.method_text()), output.status});
}

void Core::on(LiveCall& call, CallDialog& dialog, session::RetryDue) {
  if (dialog.change) try_change(call, dialog, Change(*dialog.change));
}

void Core::on(LiveCall& call, CallDialog& dialog, session::AckMissing) {
  if (dialog.hangs_up_when_allowed) hang_up(call, dialog);
}

void Core::on(LiveCall& call, CallDialog& dialog, session::PrackMissing output) {
  // RFC 3262 3 SHOULD: 5xx after 64*T1 without PRACK.
  reply(call, dialog, output.transaction, {.status = 504});
}

void Core::on(LiveCall&, CallDialog&, session::SuccessHeld) {}

void Core::on(LiveCall& call, CallDialog& dialog, session::SessionChanged) {
  if (dialog.media.has_open_offer()) dialog.media.agreed();
  emit(SessionChanged{call.id});
  const auto& offers = dialog.session.offer_answer();
  if (!offers.local() || !offers.remote() || !dialog.session.offer() || !dialog.session.answer())
    return;
  // What the peer answered to our offer (RFC 3264 6).
  if (dialog.session.offer()->octets != offers.local()->octets) return;
  std::vector<Finding> departures;
  const auto ours = sdp::parse_lenient(dialog.session.offer()->octets, departures);
  const auto theirs = sdp::parse_lenient(dialog.session.answer()->octets, departures);
  if (!ours || !theirs) return;
  for (auto& finding : sdp::check_answer(*ours, *theirs))
    emit(Violation{call.id, std::move(finding)});
}

void Core::on(LiveCall&, CallDialog& dialog, session::RolledBack) {
  if (dialog.media.has_open_offer()) dialog.media.rolled_back();
}

void Core::on(LiveCall&, CallDialog&, session::SignalingChanged) {}
void Core::on(LiveCall&, CallDialog&, session::StateChanged) {}

void Core::on(LiveCall& call, CallDialog& dialog, session::ResynchroniseWanted) {
  // RFC 6141 3.4 SHOULD: a new offer puts things straight, as close as may be to what was before:
  // the session has gone back to it already, the media have not.
  const auto& ours = dialog.session.offer_answer().local();
  std::vector<Finding> departures;
  const auto before = sdp::parse_lenient(ours ? ours->octets : std::string(), departures);
  const bool was_held =
      before && !before->media.empty() && !sdp::receives(before->direction(before->media.front()));
  dialog.wanted = Reinvite{call.id, was_held ? Reinvite::Kind::Hold : Reinvite::Kind::Resume};
  try_wanted(call, dialog);
}

void Core::on(LiveCall& call, CallDialog&, session::Violation output) {
  emit(Violation{call.id, std::move(output.finding)});
}

void Core::on(LiveCall& call, CallDialog& dialog, session::Ended output) {
  dialog.is_over = true;
  dialog.deferred.reset();
  dialog.change.reset();
  dialog.wanted.reset();
  if (call.client) {
    // A fork that lost, or an early dialog of an INVITE whose end the caller side tells.
    if (call.chosen ? *call.chosen != dialog.key : call.client->transaction != 0) return;
  }
  end(call, std::string(reason_text(output.reason)));
}

void Core::end(LiveCall& call, std::string reason) {
  if (std::exchange(call.has_ended, true)) return;
  call.steps = {};
  for (auto* due : {&call.step_due, &call.expires_due, &call.give_up_due}) due->reset();
  tell_referrer(call, 487, "Request Terminated");  // if nothing final was told yet
  emit(CallEnded{call.id, std::move(reason)});
}

// --- requests of the peer in the dialog

void Core::on(LiveCall& call, CallDialog& dialog, session::Deliver output) {
  switch (output.what) {
    case Deliver::What::Ack:
      return deliver_ack(call, dialog, output.request);
    case Deliver::What::Bye:
      return;
    case Deliver::What::Invite:
    case Deliver::What::Update:
      return deliver_change(call, dialog, output);
    case Deliver::What::Prack:
      return deliver_prack(call, dialog, output);
    case Deliver::What::Info:
      return deliver_info(call, dialog, output);
    case Deliver::What::Refer:
      return deliver_refer(call, dialog, output);
    case Deliver::What::Notify:
      return deliver_notify(call, dialog, output);
    case Deliver::What::Message:
      return deliver_message(call, dialog, output);
    case Deliver::What::Options:
      if (!output.was_answered)
        reply(call, dialog, output.transaction,
              {.status = 200,
               .headers = {{"Allow", ascii::comma_list(allowed_methods())},
                           {"Supported", ascii::comma_list(dialog.session.settings().supported)},
                           {"Accept", std::string(accepted_media_types())},
                           {"Accept-Encoding", "identity"},
                           {"Accept-Language", "en"},
                           {"Allow-Events", allow_events()}}});
      return;
    case Deliver::What::Subscribe:
      return deliver_subscribe(call, dialog, output);
    case Deliver::What::Other:
      if (!output.was_answered)
        reply(call, dialog, output.transaction,
              {.status = 405, .headers = {{"Allow", ascii::comma_list(allowed_methods())}}});
      return;
  }
}

void Core::reply(LiveCall& call, CallDialog& dialog, transaction::Id transaction,
                 session::ReplyOptions options) {
  (void)dialog.session.reply(transaction, options, now_);
  pump(call, dialog);
}

void Core::deliver_ack(LiveCall& call, CallDialog& dialog, const Message&) {
  const bool is_first = call.server && !std::exchange(dialog.was_acknowledged, true);
  if (is_first) emit(CallConfirmed{call.id});
  if (dialog.hangs_up_when_allowed) return hang_up(call, dialog);
  if (is_first) {
    const auto state = dialog.session.signaling_state();
    // 13.2.2.4 MUST broken: no answer to the offer in our 2xx, so there is no session (policy:
    // BYE).
    if (state != session::SignalingState::Stable)
      return hang_up(call, dialog, reason_value(488, "no answer"));
    if (call.server->behaviour != nullptr) start_steps(call, call.server->behaviour->on_confirmed);
  }
  try_wanted(call, dialog);
}

void Core::deliver_change(LiveCall& call, CallDialog& dialog, const Deliver& request) {
  if (request.was_answered) return;
  const bool is_update = request.what == Deliver::What::Update;
  const bool is_change = !is_update || request.has_offer;
  int refusal = 0;
  if (is_change && dialog.reject_next)
    refusal = *std::exchange(dialog.reject_next, std::nullopt);
  else if (is_change && call.server && call.server->behaviour != nullptr)
    refusal = is_update && call.server->behaviour->refuses_updates != 0
                  ? call.server->behaviour->refuses_updates
                  : call.server->behaviour->refuses_changes;
  if (refusal != 0) {
    session::ReplyOptions options{.status = refusal};
    if (refusal == 488) options.headers.push_back(warning());  // 14.2, RFC 3311 5.2 SHOULD
    return reply(call, dialog, request.transaction, std::move(options));
  }
  const auto* behaviour = call.server ? call.server->behaviour : nullptr;
  const bool defers = behaviour != nullptr && (is_update ? is_change && behaviour->defers_updates
                                                         : behaviour->defers_reinvites);
  if (defers && !dialog.deferred) {
    using What = Deferred::What;
    dialog.deferred = Deferred{is_update ? What::Update : What::Reinvite, now_ + 1s,
                               request.transaction, request.has_offer};
    // RFC 6141 4.6 SHOULD: a new target is accepted before the user decides.
    const auto contact = request.request.get<Contact>();
    if (contact && contact->addr.uri.text != dialog.session.dialog().remote_target())
      progress_reinvite(call, dialog, {.status = 183, .reliable = Reliability::Always});
    return;
  }
  answer_change(call, dialog, request.transaction, is_update, request.has_offer);
}

void Core::answer_change(LiveCall& call, CallDialog& dialog, transaction::Id transaction,
                         bool is_update, bool has_offer) {
  session::ReplyOptions options{.status = 200};
  if (dialog.reject_next && !is_update)
    options.status = *std::exchange(dialog.reject_next, std::nullopt);
  const auto before = dialog.media;
  // A reliable provisional response may have finished the exchange of a re-INVITE already.
  const bool is_done = !is_update && dialog.session.offer_answer().invite_exchange() ==
                                         session::InviteExchange::Done;
  if (options.status < 300 && has_offer && !is_done) {
    const auto& offer = dialog.session.offer();
    auto answer = dialog.media.answer(offer ? offer->octets : std::string_view{});
    if (answer) {
      options.body = session_body(std::move(*answer));
    } else {
      options.status = answer.error().refusal == sdp::LocalMedia::Refusal::Malformed ? 400 : 488;
      if (options.status == 488) options.headers.push_back(warning());
    }
  } else if (options.status < 300 && !is_update && !is_done) {
    options.body = session_body(dialog.media.offer(sdp::LocalMedia::Change::AllCodecs));
  }
  if (!dialog.session.reply(transaction, options, now_)) dialog.media = before;
  pump(call, dialog);
}

void Core::deliver_prack(LiveCall& call, CallDialog& dialog, const Deliver& request) {
  if (!request.was_answered) {
    session::ReplyOptions options{.status = 200};
    const auto before = dialog.media;
    if (request.has_offer) {
      // RFC 3262 5 MUST: the offer is answered in the 2xx of its PRACK.
      const auto& offer = dialog.session.offer();
      auto answer = dialog.media.answer(offer ? offer->octets : std::string_view{});
      // RFC 6337 2.3: there is no refusing but with a valid answer.
      options.body = session_body(answer ? *answer : refusing_answer(offer ? offer->octets : ""));
    }
    if (!dialog.session.reply(request.transaction, options, now_)) dialog.media = before;
    pump(call, dialog);
  }
  if (!call.steps.empty() && !call.step_due) call.step_due = now_ + call.steps.front().after;
}

void Core::deliver_info(LiveCall& call, CallDialog& dialog, const Deliver& request) {
  const auto package = request.request.maybe<InfoPackage>();
  const Body body{std::string(request.request.raw(HeaderId::ContentType)),
                  std::string(request.request.body()),
                  {}};
  const std::string name(package ? package->package : std::string_view{});
  // RFC 6086 4.2.2: the package is one of ours, the session has seen to that; then its body.
  if (const auto refusal = request.was_answered ? std::nullopt : check_content(request.request)) {
    session::ReplyOptions options{.status = refusal->status, .reason = refusal->reason};
    for (const auto& [field, value] : refusal->headers) options.headers.push_back({field, value});
    return reply(call, dialog, request.transaction, std::move(options));
  }
  // RFC 6086 4.2.2 MUST: 200, also without a package.
  if (!request.was_answered) reply(call, dialog, request.transaction, {.status = 200});
  emit(InfoArrived{call.id, name, body});
}

void Core::deliver_message(LiveCall& call, CallDialog& dialog, const Deliver& request) {
  const Body body{std::string(request.request.raw(HeaderId::ContentType)),
                  std::string(request.request.body()),
                  {}};
  const auto delay =
      call.server && call.server->behaviour != nullptr ? call.server->behaviour->message_delay : 0s;
  if (delay > 0s && !dialog.deferred)
    dialog.deferred = Deferred{Deferred::What::Message, now_ + delay, request.transaction, false};
  else if (!request.was_answered)
    reply(call, dialog, request.transaction, {.status = 200});
  emit(MessageArrived{call.id, body});
}

void Core::deliver_notify(LiveCall& call, CallDialog& dialog, const Deliver& request) {
  const auto event = request.request.maybe<sipassay::Event>();
  const std::string package(event ? event->package : std::string_view{});
  const Body body{std::string(request.request.raw(HeaderId::ContentType)),
                  std::string(request.request.body()),
                  {}};
  if (!request.was_answered) {
    // RFC 6665 4.1.3: a package that we know but no subscription: 481; else 489.
    const int status = event_package(package) != nullptr ? 481 : 489;
    session::ReplyOptions options{.status = status};
    if (status == 489) options.headers.push_back({"Allow-Events", allow_events()});
    return reply(call, dialog, request.transaction, std::move(options));
  }
  emit(NotifyArrived{call.id, package, body});
}

}  // namespace sipassay::agent
