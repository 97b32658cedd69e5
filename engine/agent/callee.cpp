// Calls that came: the UAS of the initial INVITE (RFC 3261 13.3), by the behaviour of the called
// user or by command.
#include <algorithm>

#include "engine/agent/core.h"
#include "engine/agent/resolve.h"
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/multipart.h"

namespace sipassay::agent {
namespace {

bool lists_100rel(const Message& request, HeaderId id) {
  return has_token(request, id, "100rel");
}

Refusal refused_offer(const sdp::LocalMedia::Refused& refused) {
  if (refused.refusal == sdp::LocalMedia::Refusal::Malformed)
    return {400, {3261, "21.4.1", Level::Stated}, "Malformed session description", {}};
  return {488,
          {3261, "13.3.1.3", Level::Should},
          {},
          {{"Warning", "305 sipassay \"no media format in common\""}}};
}

// 12.1.1 MUST: a sips Request-URI, topmost Record-Route or, without one, Contact is answered by a
// sips Contact.
bool owes_sips_contact(const Message& invite) {
  const auto is_sips = [](const Uri& uri) { return uri.scheme == Uri::Scheme::Sips; };
  const auto uri = parse_uri(invite.request_uri());
  if (uri && is_sips(*uri)) return true;
  if (const auto route = invite.maybe<RecordRoute>()) return is_sips(route->addr.uri);
  const auto contact = invite.maybe<Contact>();
  return contact && !contact->is_star && is_sips(contact->addr.uri);
}

}  // namespace

void Core::receive_invite(transaction::Id transaction, const Message& request, const Flow& flow,
                          const Behaviour& behaviour) {
  const auto refuse = [&](const Refusal& refusal) { respond(transaction, request, refusal, flow); };
  if (calls_.size() >= settings_.calls_limit)
    return refuse({503, {3261, "21.5.4", Level::Stated}, {}, {{"Retry-After", "5"}}});
  const bool supports = lists_100rel(request, HeaderId::Supported);
  const bool requires_it = lists_100rel(request, HeaderId::Require);
  // RFC 3262 3: 421 only when the application asks for it.
  if (behaviour.demands_100rel && settings_.supports_100rel && !supports && !requires_it)
    return refuse({421, {3262, "3", Level::Stated}, {}, {{"Require", "100rel"}}});
  if (reject_next_) {
    const int status = *std::exchange(reject_next_, std::nullopt);
    return refuse({status, {3261, "13.3.1.3", Level::Stated}});
  }
  if (const auto min_se = owed_min_se(request, behaviour))
    return refuse({422, {4028, "9", Level::May}, {}, {{"Min-SE", std::to_string(*min_se)}}});
  std::optional<dialog::DialogId> replaced;
  bool replaces_early = false;
  if (auto refusal = check_replaces(request, replaced, replaces_early)) return refuse(*refusal);
  Message challenge;
  if (replaced && authenticate(guard_of(*replaced, behaviour), request, challenge))
    return respond(transaction, std::move(challenge), flow);

  auto media = make_media(flow, behaviour.has_video);
  std::string answer;
  const auto offer = session_description(request);
  if (offer) {
    auto made = media.answer(*offer);
    if (!made) return refuse(refused_offer(made.error()));
    answer = std::move(*made);
  }
  const auto dialog_with = [&](std::string_view tag) {
    return dialog::Dialog::from_request(request, tag, is_over_tls(flow.local.transport));
  };
  auto made = dialog_with(to_tag_for(request, tag_secret_));
  // The same INVITE again after its transaction has ended is a new one: its dialog is not the old
  // dialog, even while that lives (RFC 3261 19.3: tags are unique).
  while (made && dialogs_.contains(made->id())) made = dialog_with(rng_.token(12));
  if (!made)
    return refuse({400, {3261, "12.1.1", Level::Must}, std::string(text(made.error().code)), {}});

  const auto uri = parse_uri(request.request_uri());
  const std::string user = uri && uri->has_user ? unescape(uri->user) : std::string(settings_.user);
  auto& call = calls_[++last_call_];
  call.id = last_call_;
  touch(call.id);
  auto& server = call.server.emplace();
  server.transaction = transaction;
  server.request = request;
  server.behaviour = &behaviour;
  server.answer = std::move(answer);
  server.has_offer = offer.has_value();
  server.requires_100rel = requires_it;
  server.allows_100rel =
      (supports || requires_it) && settings_.supports_100rel && behaviour.supports_100rel;
  server.replaces = replaced;
  server.replaces_early = replaces_early;
  auto dialog = std::make_unique<CallDialog>(
      session::SessionDialog(session::ReceivedInvite{request, transaction}, std::move(*made),
                             session_settings(user, flow, &behaviour, owes_sips_contact(request)),
                             rng_for(request), now_),
      std::move(media), flow);
  auto& added = add_dialog(call, std::move(dialog));
  servers_.insert_or_assign(transaction, ServerTransaction{call.id, added.key});
  emit(CallArrived{call.id, user});
  pump(call, added);

  call.give_up_due = now_ + behaviour.gives_up_after;
  // RFC 3891 3: the call that takes over is answered at once.
  if (replaced)
    accept(call);
  else
    start_steps(call, behaviour.on_invite);
}

// RFC 4028 9: seconds of the Min-SE of a 422.
std::optional<std::uint32_t> Core::owed_min_se(const Message& invite,
                                               const Behaviour& behaviour) const {
  if (!settings_.supports_timer || !behaviour.supports_timer) return std::nullopt;
  const auto owed =
      session::owed_min_se(session::timer_request_of(invite), timer_settings(&behaviour));
  return owed ? std::optional(session::delta_seconds(*owed)) : std::nullopt;
}

// --- steps of a behaviour

void Core::start_steps(LiveCall& call, std::span<const Step> steps) {
  call.steps = steps;
  call.step_due.reset();
  if (steps.empty()) return;
  if (steps.front().after == 0ms)
    run_step(call);
  else
    call.step_due = now_ + steps.front().after;
}

void Core::run_step(LiveCall& call) {
  while (!call.steps.empty() && !call.has_ended) {
    const auto step = call.steps.front();
    call.steps = call.steps.subspan(1);
    auto* dialog = call.primary();
    std::string target = "<sip:auto@";
    target += host_port(settings_.local.empty() ? Endpoint{} : settings_.local.front());
    target += '>';
    std::string package;
    if (dialog != nullptr && !dialog->session.peer_recv_info().empty())
      package = dialog->session.peer_recv_info().front();
    // RFC 6086 4.2.1: no INFO of a package that the peer does not receive.
    if (step.act != Act::Info || !package.empty()) on(command_of(step, call.id, target, package));
    if (call.steps.empty()) return;
    const auto after = call.steps.front().after;
    if (after == 0ms) continue;
    // Behind a reliable provisional: from its PRACK on (deliver_prack).
    const bool waits = step.act == Act::Ring && call.server && call.server->last_was_reliable;
    if (!waits) call.step_due = now_ + after;
    return;
  }
}

// --- commands

void Core::command(const Ring& command) {
  auto* call = live_or_newest(command.call);
  if (call == nullptr) return;
  if (call->server && !call->server->has_final)
    return progress(*call, command.status, command.reliable, command.has_sdp);
  for (std::size_t i = 0; i < call->dialogs.size(); ++i)
    progress_reinvite(*call, *call->dialogs[i], command);
}

// A re-INVITE that is answered later: its user is asked (14.2; RFC 6141 4.6 SHOULD).
void Core::progress_reinvite(LiveCall& call, CallDialog& dialog, const Ring& wish) {
  if (!dialog.deferred || dialog.deferred->what != Deferred::What::Reinvite) return;
  session::ReplyOptions options{.status = wish.status};
  options.is_reliable = wish.reliable != Reliability::Never;
  const auto before = dialog.media;
  const auto& offer = dialog.session.offer();
  if (wish.has_sdp && dialog.deferred->has_offer && offer) {
    auto answer = dialog.media.answer(offer->octets);
    if (answer) options.body = {"application/sdp", std::move(*answer), {}};
  }
  const bool answers = options.is_reliable && !options.body.is_empty();
  // 13.2.1: in an unreliable response only a preview of the answer.
  if (!dialog.session.reply(dialog.deferred->transaction, options, now_) || !answers)
    dialog.media = before;
  pump(call, dialog);
}

void Core::command(const Answer& command) {
  auto* call = live_or_newest(command.call);
  if (call == nullptr || !call->server) return;
  if (!call->server->has_final) return accept(*call);
  for (auto& dialog : call->dialogs)
    if (dialog->deferred) dialog->deferred->due = now_;
}

void Core::command(const Reject& command) {
  auto* call = live_or_newest(command.call);
  auto* dialog = call == nullptr ? nullptr : call->primary();
  if (dialog == nullptr) {
    if (command.next && command.call == 0) reject_next_ = command.status;
    return;
  }
  if (command.next || dialog->deferred) dialog->reject_next = command.status;
  if (command.next) return;
  if (dialog->deferred)
    dialog->deferred->due = now_;
  else if (call->server && !call->server->has_final)
    reject(*call, command.status);
}

void Core::command(const Redirect& command) {
  auto* call = live_or_newest(command.call);
  if (call == nullptr || !call->server || call->server->has_final) return;
  std::string contact = command.contact;
  if (!contact.empty() && contact.front() != '<' && contact.find('"') == std::string::npos) {
    contact.insert(0, 1, '<');
    contact += '>';
  }
  reject(*call, 302, {{"Contact", contact}});
}

// --- answering

void Core::progress(LiveCall& call, int status, Reliability reliable, bool has_sdp) {
  auto& server = *call.server;
  auto* dialog = call.primary();
  if (dialog == nullptr) return;
  // RFC 3262 3 MUST: required, so every provisional but 100 is reliable.
  const bool wants_reliable = reliable != Reliability::Never || server.requires_100rel;
  session::ReplyOptions options{.status = status};
  options.is_reliable = wants_reliable && server.allows_100rel && status != 100;
  const auto exchange = dialog->session.offer_answer().invite_exchange();
  const bool is_open = exchange == session::InviteExchange::Open;
  if (server.has_offer) {
    // 13.2.1: the answer, in an unreliable response only a preview of it.
    if (has_sdp && is_open) options.body = {"application/sdp", server.answer, {}};
  } else if (options.is_reliable && exchange == session::InviteExchange::Owed) {
    // 13.2.1, RFC 3262 5 MUST: the first reliable response makes the offer that is missing.
    options.body = {"application/sdp", dialog->media.offer(), {}};
  }
  if (!dialog->session.reply(server.transaction, options, now_)) return;
  server.last_was_reliable = options.is_reliable;
  pump(call, *dialog);
}

void Core::accept(LiveCall& call) {
  auto& server = *call.server;
  auto* dialog = call.primary();
  if (dialog == nullptr || server.has_final) return;
  session::ReplyOptions options{.status = 200, .headers = {{"Allow-Events", allow_events()}}};
  switch (dialog->session.offer_answer().invite_exchange()) {
    case session::InviteExchange::Open:
      if (server.has_offer) options.body = {"application/sdp", server.answer, {}};
      break;
    case session::InviteExchange::Owed:
      options.body = {"application/sdp", dialog->media.offer(), {}};
      break;
    case session::InviteExchange::None:
    case session::InviteExchange::Done:
    case session::InviteExchange::Any:
      break;
  }
  if (!dialog->session.reply(server.transaction, options, now_)) {
    if (dialog->media.has_open_offer() && !options.body.is_empty() && !server.has_offer)
      dialog->media.rolled_back();
    return;
  }
  server.has_final = true;
  call.give_up_due.reset();
  pump(call, *dialog);
}

void Core::reject(LiveCall& call, int status, std::vector<session::HeaderLine> headers) {
  auto& server = *call.server;
  auto* dialog = call.primary();
  if (dialog == nullptr || server.has_final) return;
  session::ReplyOptions options{.status = status, .headers = std::move(headers)};
  if (status == 503) options.headers.push_back({"Retry-After", "5"});
  if (status == 488 || status == 606)  // 13.3.1.3 SHOULD
    options.headers.push_back({"Warning", "399 sipassay \"no session wanted\""});
  if (!dialog->session.reply(server.transaction, options, now_)) return;
  server.has_final = true;
  pump(call, *dialog);
}

// Our 2xx is out.
void Core::answered(LiveCall& call) {
  emit(CallAnswered{call.id});
  if (call.server && call.server->replaces) end_replaced(call);
}

}  // namespace sipassay::agent
