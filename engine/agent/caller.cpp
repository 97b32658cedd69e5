// Calls that we make: the UAC of the initial INVITE (RFC 3261 13.2), its forks, CANCEL (9.1),
// challenges (22.2) and redirections (8.1.3.4).
#include <algorithm>
#include <cassert>

#include "engine/agent/core.h"
#include "engine/agent/form.h"
#include "engine/agent/resolve.h"
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/multipart.h"

namespace sipassay::agent {
namespace {

bool has_contact(const Message& response) {
  const auto contact = response.get<Contact>();
  return contact && !contact->is_star;
}

// 8.1.1.8 MUST: a request to a sips URI has a sips Contact.
bool is_sips(std::string_view target) {
  const auto uri = parse_uri(target);
  return uri && uri->scheme == Uri::Scheme::Sips;
}

std::string reason_of(int status, std::string_view text) {
  std::string reason = std::to_string(status);
  if (!text.empty()) {
    reason += ' ';
    reason += text;
  }
  return reason;
}

void set_mixed_body(Message& message, const std::string& sdp, const Attachment& attachment,
                    const std::string& boundary) {
  std::vector<Part> parts;
  if (!sdp.empty()) parts.emplace_back().body = sdp;
  if (!sdp.empty()) parts.back().content_type = "application/sdp";
  auto& attached = parts.emplace_back();
  attached.headers = attachment.headers;
  attached.body = attachment.octets;
  message.set_body("multipart/mixed;boundary=" + boundary, make_multipart(parts, boundary));
}

}  // namespace

void Core::command(const Call& command) {
  start_call(command, std::nullopt, 0);
}

CallId Core::start_call(Call command, std::optional<Referrer> referrer, unsigned depth) {
  if (calls_.size() >= settings_.calls_limit) {
    emit(RequestAnswered{0, "INVITE", 503});
    return 0;
  }
  auto& call = calls_[++last_call_];
  call.id = last_call_;
  touch(call.id);
  emit(CallPlaced{call.id, referrer.has_value()});
  call.referrer = std::move(referrer);
  call.depth = depth;
  auto& client = call.client.emplace();
  client.command = std::move(command);
  const auto flow = default_flow(client.command.target);
  client.request = make_invite(call, flow);
  digest_client_.authorize(client.request);
  send_invite(call);
  return last_call_;
}

Message Core::make_invite(LiveCall& call, const Flow& flow) {
  auto& client = *call.client;
  const auto& wish = client.command;
  auto invite = make_outside("INVITE", wish.target, flow, wish.user);
  if (!wish.call_id.empty()) invite.set(HeaderId::CallId, wish.call_id);
  const auto settings = session_settings(settings_.user, flow, nullptr, is_sips(wish.target));
  auto supported = settings.supported;
  if (wish.reliable == Reliability::Never) std::erase(supported, "100rel");
  invite.add(HeaderId::Contact, settings.contact);
  invite.add(HeaderId::Allow, ascii::comma_list(settings.allow));
  invite.add(HeaderId::AllowEvents, allow_events());  // RFC 6665 4.4.4 SHOULD
  invite.set(HeaderId::Supported, ascii::comma_list(supported));
  if (wish.reliable == Reliability::Always) invite.add(HeaderId::Require, "100rel");
  invite.add(HeaderId::RecvInfo, ascii::comma_list(settings.recv_info));  // RFC 6086 5.2.3 MUST
  if (settings_.supports_timer && settings_.timer.interval)
    session::ask_for_timer(invite, *settings_.timer.interval, std::nullopt,
                           session::own_min_se(settings_.timer));
  for (const auto& [name, value] : wish.headers) {
    const auto id = header_id_from(name);
    const bool is_ours = id == HeaderId::SessionExpires || id == HeaderId::MinSe;
    is_ours ? invite.set(name, value) : invite.add(name, value);
  }
  client.media = make_media(flow, false);
  const std::string offer = wish.has_offer ? client.media->offer() : std::string();
  if (wish.attachment)
    set_mixed_body(invite, offer, *wish.attachment, rng_.token(24));
  else
    invite.set_body(offer.empty() ? std::string_view{} : "application/sdp", offer);
  return invite;
}

void Core::send_invite(LiveCall& call) {
  auto& client = *call.client;
  const auto sent =
      send(client.request, nullptr, {.what = ClientTransaction::What::Invite, .call = call.id});
  client.transaction = sent.value_or(0);
  client.saw_provisional = false;
  if (!sent) return invite_failed(call, 503, sent.error());  // 8.1.3.1
  // 13.2.1 SHOULD: CANCEL when Expires has passed.
  if (const auto expires = client.request.maybe<Expires>())
    call.expires_due = now_ + std::chrono::seconds(expires->value);
}

// --- responses

void Core::receive_invite_response(LiveCall& call, const Message& response, const Flow& flow) {
  auto& client = *call.client;
  const int status = response.status();
  if (status >= 300) return receive_invite_failure(call, response);
  if (status < 200) client.saw_provisional = true;
  if (status >= 200) {
    client.saw_success = true;
    call.abandon_due.reset();
    call.expires_due.reset();
    digest_client_.learn(response);
  }
  const auto to = response.get<To>();
  const bool makes_dialog = status >= 200 || (status > 100 && to && !to->tag().empty());
  if (makes_dialog) {
    if (auto* dialog = fork_for(call, response, flow)) {
      dialog->flow = flow;
      dialog->session.receive_response(client.request, response, now_);
      pump(call, *dialog);
    }
  } else if (status > 100) {
    emit(CallProgressed{call.id, status, false});
  }
  if (status < 200 && status > 100) tell_referrer(call, status, response.reason());
  // 9.1: not before a provisional response.
  if (client.wants_cancel && status < 200) send_cancel(call);
}

void Core::receive_invite_failure(LiveCall& call, const Message& response) {
  auto& client = *call.client;
  const int status = response.status();
  // 12.3: early dialogs end with any final response but 2xx.
  for (std::size_t i = 0; i < call.dialogs.size(); ++i) {
    call.dialogs[i]->session.receive_response(client.request, response, now_);
    pump(call, *call.dialogs[i]);
  }
  call.abandon_due.reset();
  call.expires_due.reset();
  if (client.saw_success) return;  // a fork answered before; this final response is not for us
  if ((status == 401 || status == 407) && answer_invite_challenge(call, response)) return;
  if (status >= 300 && status < 400 && follow_redirect(call, response)) return;
  if (status == 422 && raise_interval(call, response)) return;
  // 21.6: a 6xx is about the user wherever he is.
  if (status >= 400 && status < 600 && try_next_target(call)) return;
  // The transaction lives on in Completed: a 2xx of another fork may still come (16.7).
  tell_referrer(call, status, response.reason());
  end(call, reason_of(status, response.reason()));
}

bool Core::answer_invite_challenge(LiveCall& call, const Message& response) {
  auto& client = *call.client;
  // A cancelled INVITE is not sent again (policy).
  if (client.wants_cancel || client.was_cancelled) return false;
  if (++client.challenges > challenges_answered_max) return false;
  auto retry = client.request;
  if (digest_client_.answer_challenge(response, retry) != digest::Verdict::Retry) return false;
  return send_invite_again(call, std::move(retry));
}

// 22.2 MUST: the next CSeq number, and Call-ID, To and From as before; it is another INVITE, so its
// dialogs are others.
bool Core::send_invite_again(LiveCall& call, Message invite) {
  const auto cseq = invite.get<CSeq>();
  if (!cseq || cseq->number >= dialog::cseq_max) return false;
  invite.set(HeaderId::CSeq, std::to_string(cseq->number + 1) + " INVITE");
  invite.remove(HeaderId::Via);
  for (const auto& dialog : call.dialogs) dialogs_.erase(dialog->key);
  call.dialogs.clear();
  call.client->request = std::move(invite);
  send_invite(call);
  return true;
}

// 8.1.3.4 MUST NOT: no URI twice.
void ClientInvite::add_target(std::string text) {
  const auto uri = parse_uri(text);
  const auto is_same = [&](const std::string& known) {
    const auto other = parse_uri(known);
    return other && equivalent(*uri, *other);
  };
  if (uri && targets.size() < targets_max && std::ranges::none_of(targets, is_same))
    targets.push_back(std::move(text));
}

// 8.1.3.4: the target set grows by the contacts, by their q values, highest first; only when the
// application asked for it.
bool Core::follow_redirect(LiveCall& call, const Message& response) {
  auto& client = *call.client;
  if (!client.command.follows_redirects) return false;
  if (client.targets.empty()) client.add_target(std::string(client.request.request_uri()));
  std::vector<std::pair<int, std::string>> contacts;
  for (const auto& contact : response.all<Contact>())
    if (contact && !contact->is_star)
      contacts.emplace_back(-contact->q().value_or(1000), std::string(contact->addr.uri.text));
  std::ranges::stable_sort(contacts, {}, &std::pair<int, std::string>::first);
  for (auto& [q, text] : contacts) client.add_target(std::move(text));
  return try_next_target(call);
}

// 8.1.3.4 SHOULD: the next contact, when one has failed. What cannot be reached is passed over.
bool Core::try_next_target(LiveCall& call) {
  auto& client = *call.client;
  if (client.wants_cancel || client.was_cancelled) return false;
  while (client.tried + 1 < client.targets.size()) {
    const auto uri = parse_uri(client.targets[++client.tried]);
    auto formed = uri ? form_invite(*uri) : std::nullopt;
    if (!formed) continue;
    auto retry = client.request;
    retry.set_request_uri(formed->request_uri);
    retry.set(HeaderId::Contact, contact_for(settings_.user, default_flow(formed->request_uri)));
    for (const auto& header : formed->headers) retry.set(header.name, header.value);
    return send_invite_again(call, std::move(retry));
  }
  return false;
}

// RFC 4028 7.3, 7.4: once more with the interval and the Min-SE that the 422 wants. It is the
// largest of all: a smaller one would not have refused what was asked for.
bool Core::raise_interval(LiveCall& call, const Message& response) {
  auto& client = *call.client;
  if (client.wants_cancel || client.was_cancelled) return false;
  const auto min_se = session::raised_min_se(client.request, response);
  if (!min_se || ++client.intervals_raised > intervals_raised_max) return false;
  auto retry = client.request;
  session::ask_for_timer(retry, *min_se, session::timer_request_of(retry).refresher, min_se);
  return send_invite_again(call, std::move(retry));
}

// The dialog of that To tag; a new one if there is none yet (12.1.2, 13.2.2.4).
CallDialog* Core::fork_for(LiveCall& call, const Message& response, const Flow& flow) {
  const auto from = call.client->request.get<From>();
  const auto to = response.get<To>();
  if (!from || !to) return nullptr;
  const dialog::DialogId key{std::string(call.client->request.raw(HeaderId::CallId)),
                             std::string(from->tag()), std::string(to->tag())};
  if (auto* known = call.find(key)) return known;
  if (call.dialogs.size() >= forks_max) return nullptr;
  // RFC 6228 4: an unreliable 199 for a dialog that we do not know says nothing.
  if (response.status() == 199 && !session::is_reliable(response)) return nullptr;
  if (!has_contact(response))
    violate(call.id, "contact-in-dialog-forming-response", {3261, "12.1.1", Level::Must},
            "a Contact", "none");
  const auto& client = *call.client;
  auto made =
      dialog::Dialog::from_response(client.request, response, is_over_tls(flow.local.transport));
  if (!made) return nullptr;
  auto settings = session_settings(settings_.user, flow, nullptr, is_sips(client.command.target));
  // Where we said that we are: an INVITE that was too long came by another transport (18.1.1).
  settings.contact = client.request.raw(HeaderId::Contact);
  auto dialog = std::make_unique<CallDialog>(
      session::SessionDialog(session::SentInvite{client.request}, std::move(*made),
                             std::move(settings), rng_for(client.request), now_),
      *client.media, flow);
  assert(dialog->session.id() == key);
  return &add_dialog(call, std::move(dialog));
}

// --- giving up

void Core::command(const Cancel& command) {
  auto* call = live_or_newest(command.call);
  if (call == nullptr) return;
  if (call->client && call->client->transaction != 0 && !call->client->saw_success &&
      !call->has_ended) {
    auto& client = *call->client;
    if (client.was_cancelled) return;
    client.wants_cancel = true;
    if (client.saw_provisional) send_cancel(*call);
    return;
  }
  auto* dialog = call->primary();
  if (dialog == nullptr || !dialog->reinvite || dialog->reinvite->abandon_due) return;
  dialog->reinvite->wants_cancel = true;
  if (dialog->reinvite->saw_provisional) cancel_reinvite(*call, *dialog);
}

void Core::send_cancel(LiveCall& call) {
  auto& client = *call.client;
  if (client.was_cancelled || client.transaction == 0) return;
  client.was_cancelled = true;
  client.wants_cancel = false;
  if (send_cancel_for(call.id, client.transaction))
    call.abandon_due = now_ + settings_.timings.timeout();
}

void Core::cancel_reinvite(LiveCall& call, CallDialog& dialog) {
  auto& reinvite = *dialog.reinvite;
  reinvite.wants_cancel = false;
  if (send_cancel_for(call.id, reinvite.transaction))
    reinvite.abandon_due = now_ + settings_.timings.timeout();
}

// 9.1: as the INVITE, Via included, and to where it went.
bool Core::send_cancel_for(CallId call, transaction::Id invite) {
  const auto sent = clients_.find(invite);
  if (sent == clients_.end()) return false;
  auto cancel = transaction::cancel_for(sent->second.request);
  cancel.add(HeaderId::UserAgent, product);
  // RFC 4028 7.1 MUST: Supported: timer in every request but ACK.
  cancel.add(HeaderId::Supported, ascii::comma_list(capabilities(nullptr).supported));
  const auto to = sent->second.to;
  const auto id = layer_.send_request(cancel, to, now_);
  if (!id) return false;
  clients_.emplace(*id, ClientTransaction{.what = ClientTransaction::What::Cancel,
                                          .call = call,
                                          .request = std::move(cancel),
                                          .to = to});
  drain();
  return true;
}

// No final response will come: 8.1.3.1.
void Core::invite_failed(LiveCall& call, int status, std::string_view reason) {
  auto& client = *call.client;
  client.transaction = 0;
  call.abandon_due.reset();
  call.expires_due.reset();
  for (std::size_t i = 0; i < call.dialogs.size(); ++i) {
    auto& dialog = *call.dialogs[i];
    if (dialog.session.dialog().is_early())
      dialog.session.request_failed(
          client.request,
          status == 408 ? session::Failure::TimedOut : session::Failure::TransportFailed, now_);
    pump(call, dialog);
  }
  if (client.saw_success) return;
  tell_referrer(call, status, reason);
  end(call, reason_of(status, reason));
}

// Timer M, or the end after a failure. 13.2.2.4: early dialogs that no 2xx confirmed end now.
void Core::invite_terminated(LiveCall& call) {
  call.client->transaction = 0;
  for (std::size_t i = 0; i < call.dialogs.size(); ++i) {
    auto& dialog = *call.dialogs[i];
    // One that a failure ended before still waits for its INVITE: that will never be answered now.
    if (dialog.session.dialog().is_early()) {
      dialog.session.dispose();
      dialog.is_over = true;
      pump(call, dialog);
    }
  }
}

}  // namespace sipassay::agent
