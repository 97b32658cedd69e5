#include "engine/agent/core.h"

#include <algorithm>

#include "engine/agent/resolve.h"
#include "engine/base/ascii.h"
#include "engine/message/classify.h"
#include "engine/message/header/all.h"
#include "engine/message/parse.h"

namespace sipassay::agent {
namespace {

std::vector<digest::Secret> secrets_of(const Settings& settings) {
  std::vector<digest::Secret> secrets;
  for (const auto& known : settings.credentials)
    secrets.push_back({known.realm, known.user, known.password});
  return secrets;
}

digest::Server::Options server_options(const Settings& settings, bool is_proxy) {
  digest::Server::Options options;
  if (!settings.accepts.realm.empty()) options.realm = settings.accepts.realm;
  options.users.push_back({{}, settings.accepts.user, settings.accepts.password});
  options.algorithms = settings.digest_algorithms;
  options.is_proxy = is_proxy;
  return options;
}

// What garbage must show before it is worth a 400 (RFC 3261 8.2.2).
bool is_answerable(const Message& request) {
  return request.is_request() && request.method() != Method::Ack && can_be_answered(request);
}

bool is_answer_to(const Message& request, const Message& response) {
  const auto from = request.get<From>();
  const auto answered_from = response.get<From>();
  const auto cseq = request.get<CSeq>();
  const auto answered_cseq = response.get<CSeq>();
  return request.raw(HeaderId::CallId) == response.raw(HeaderId::CallId) && from && answered_from &&
         from->tag() == answered_from->tag() && cseq && answered_cseq &&
         cseq->number == answered_cseq->number;
}

}  // namespace

CallDialog* LiveCall::find(const dialog::DialogId& key) {
  const auto it =
      std::ranges::find_if(dialogs, [&](const auto& dialog) { return dialog->key == key; });
  return it == dialogs.end() ? nullptr : it->get();
}

CallDialog* LiveCall::primary() {
  if (chosen)
    if (auto* dialog = find(*chosen)) return dialog;
  for (const auto& dialog : dialogs)
    if (!dialog->is_over) return dialog.get();
  return dialogs.empty() ? nullptr : dialogs.front().get();
}

Core::Core(Settings settings, Rng rng)
    : settings_(std::move(settings)),
      rng_(rng.fork("agent")),
      tag_secret_(rng.fork("tags").next()),
      session_secret_(rng.fork("sessions").next()),
      layer_({.timings = settings_.timings}, rng.fork("transactions")),
      digest_client_(secrets_of(settings_), rng.fork("digest-client")),
      digest_server_(server_options(settings_, false), rng.fork("digest-server")),
      digest_proxy_(server_options(settings_, true), rng.fork("digest-proxy")) {
  if (settings_.registrar) registrar_.emplace(*settings_.registrar);
}

// --- inputs

void Core::handle(Input input, Instant now) {
  now_ = std::max(now_, now);
  std::visit([this](auto&& what) { on(std::forward<decltype(what)>(what)); }, std::move(input));
  drain();
  while (!touched_.empty()) sweep();
}

void Core::on(MessageReceived input) {
  auto& message = input.message;
  if (message.is_response()) {
    if (must_discard(message)) return;  // 8.1.3.3, 18.3
    layer_.receive(std::move(message), input.flow, now_);
    return;
  }
  if (!message.get<Via>()) {
    if (!message.has(HeaderId::Via) || message.method() == Method::Ack) return;
    const Refusal refusal{400, {3261, "20.42", Level::Stated}, "Malformed Via", {}};
    respond_statelessly(make_response(message, refusal, to_tag_for(message, tag_secret_)),
                        input.flow);
    return;
  }
  layer_.receive(std::move(message), input.flow, now_);
}

void Core::on(GarbageReceived input) {
  Message request;
  if (parse_message(input.octets, request)) return on(MessageReceived{request, input.flow});
  if (!is_answerable(request) || input.octets.starts_with("SIP/")) return;
  transaction::stamp_via(request, input.flow);
  // 21.5.6: another version of SIP.
  const int status = input.error.code == ErrorCode::Version ? 505 : 400;
  respond_statelessly(make_response(request, status, to_tag_for(request, tag_secret_),
                                    status == 400 ? text(input.error.code) : std::string_view{}),
                      input.flow);
}

void Core::on(DeliveryFailed input) {
  if (input.to.endpoint.transport == Transport::Tcp) note_without_tcp(input.to.endpoint);
  layer_.transport_failed(input.to, now_);
}

void Core::on(FlowClosed input) {
  for (auto& [id, call] : calls_)
    for (auto& dialog : call.dialogs)
      if (dialog->flow.id == input.flow) dialog->flow.id = 0;
}

void Core::on(TimePassed) {
  layer_.advance(now_);
  drain();
  advance_calls();
  advance_registrations();
}

void Core::on(const Command& wish) {
  std::visit([this](const auto& what) { command(what); }, wish);
}

// --- what the transaction layer says

void Core::drain() {
  while (auto output = layer_.poll())
    std::visit([this](auto&& what) { route(std::forward<decltype(what)>(what)); },
               std::move(*output));
}

void Core::route(transaction::Transmit output) {
  outputs_.emplace_back(Send{std::move(output.message), std::move(output.to)});
}

void Core::route(transaction::RequestReceived output) {
  receive_request(output.transaction, output.request, output.flow);
}

void Core::route(transaction::CancelReceived output) {
  if (output.cancelled == 0) {
    // 9.2 SHOULD; the tag as always (8.2.7).
    respond(output.transaction, output.request, {481, {3261, "9.2", Level::Should}}, output.flow);
    return;
  }
  // 9.2 SHOULD: the To tag of the 200 is that of the INVITE's responses.
  respond(output.transaction, output.request, {200, {3261, "9.2", Level::Must}}, output.flow);
  const auto server = servers_.find(output.cancelled);
  if (server == servers_.end()) return;
  auto* call = find_call(server->second.call);
  auto* dialog = call == nullptr ? nullptr : call->find(server->second.dialog);
  if (dialog == nullptr) return;
  if (dialog->deferred && dialog->deferred->transaction == output.cancelled)
    dialog->deferred.reset();
  dialog->session.receive_cancel(output.cancelled, now_);
  pump(*call, *dialog);
}

void Core::route(transaction::ResponseReceived output) {
  const auto it = clients_.find(output.transaction);
  if (it == clients_.end()) return;
  const auto owner = it->second;
  // 17.1.3: branch and method decide whose response it is, even if it does not repeat the rest.
  if (!is_answer_to(owner.request, output.response))
    violate(owner.call, "response-of-another-request", {3261, "8.2.6.2", Level::Must},
            "Call-ID, From tag and CSeq of the request", "others");
  if (output.response.status() == 503) spare(owner.to.endpoint, output.response);
  switch (owner.what) {
    case ClientTransaction::What::Invite:
      if (auto* call = find_call(owner.call);
          call != nullptr && call->client && call->client->transaction == output.transaction)
        receive_invite_response(*call, output.response, output.flow);
      return;
    case ClientTransaction::What::InDialog:
      receive_in_dialog_response(owner, output.response, output.flow);
      return;
    case ClientTransaction::What::Subscription:
      if (auto* call = find_call(owner.call); call != nullptr && call->subscriber &&
                                              call->subscriber->transaction == output.transaction)
        receive_subscription_response(*call, output.response, output.flow);
      return;
    case ClientTransaction::What::Cancel:
      return;  // 9.1: the INVITE's own final response is what counts
    case ClientTransaction::What::Outside:
      receive_outside_response(owner, output.response);
      return;
    case ClientTransaction::What::Register:
      receive_register_response(owner, output.response);
      return;
  }
}

// 17.1.3, 18.1.2: matches nothing, silently discarded.
void Core::route(transaction::StrayResponse) {}

// Of a server transaction it is Timer H: no ACK came for our refusal (17.2.1). That changes
// nothing; only a 2xx without ACK is to end its session (13.3.1.4), and the session counts for that
// itself.
void Core::route(transaction::TimedOut output) {
  if (clients_.contains(output.transaction))
    client_failed(output.transaction, session::Failure::TimedOut);
}

void Core::route(transaction::TransportFailed output) {
  if (!clients_.contains(output.transaction) || send_by_datagram(output.transaction)) return;
  client_failed(output.transaction, session::Failure::TransportFailed);
}

void Core::client_failed(transaction::Id id, session::Failure failure) {
  const auto owner = clients_.at(id);
  // 8.1.3.1: a timeout is treated as 408, a fatal transport error as 503.
  const bool timed_out = failure == session::Failure::TimedOut;
  const int status = timed_out ? 408 : 503;
  const std::string_view reason = timed_out ? "no final response" : "transport failure";
  auto* call = find_call(owner.call);
  switch (owner.what) {
    case ClientTransaction::What::Invite:
      if (call != nullptr && call->client && call->client->transaction == id)
        invite_failed(*call, status, reason);
      return;
    case ClientTransaction::What::InDialog:
      if (auto* dialog = call == nullptr ? nullptr : call->find(owner.dialog)) {
        dialog->session.request_failed(owner.request, failure, now_);
        pump(*call, *dialog);
      }
      return;
    case ClientTransaction::What::Subscription:
      if (call != nullptr && call->subscriber && call->subscriber->transaction == id)
        subscription_failed(*call, status);
      return;
    case ClientTransaction::What::Cancel:
      return;
    case ClientTransaction::What::Outside:
      emit(RequestAnswered{0, std::string(owner.request.method_text()), status});
      outside_ended(owner.request);
      return;
    case ClientTransaction::What::Register:
      register_failed(owner.registrar, status);
      return;
  }
}

void Core::route(transaction::Terminated output) {
  if (const auto it = clients_.find(output.transaction); it != clients_.end()) {
    const auto owner = std::move(it->second);
    clients_.erase(it);
    auto* call = find_call(owner.call);
    if (call == nullptr) return;
    if (owner.what == ClientTransaction::What::InDialog) {
      if (auto* dialog = call->find(owner.dialog)) {
        --dialog->own_requests;
        try_wanted(*call, *dialog);
      }
    } else if (owner.what == ClientTransaction::What::Invite && call->client &&
               call->client->transaction == output.transaction) {
      invite_terminated(*call);
    }
    return;
  }
  if (const auto it = servers_.find(output.transaction); it != servers_.end()) {
    const auto owner = std::move(it->second);
    servers_.erase(it);
    auto* call = find_call(owner.call);
    auto* dialog = call == nullptr ? nullptr : call->find(owner.dialog);
    if (dialog == nullptr) return;
    dialog->session.transaction_ended(output.transaction, now_);
    pump(*call, *dialog);
  }
}

void Core::route(const transaction::Unexpected&) {}

// --- outputs

Output Core::poll() {
  if (outputs_.empty()) return Wait{next_deadline()};
  auto output = std::move(outputs_.front());
  outputs_.pop_front();
  return output;
}

std::optional<Instant> Core::next_deadline() const {
  auto deadline = layer_.next_deadline();
  if (!schedule_.empty() && (!deadline || schedule_.begin()->first < *deadline))
    deadline = schedule_.begin()->first;
  for (const auto& [registrar, own] : registrations_)
    if (const auto due = own.registration.next_deadline(); due && (!deadline || *due < *deadline))
      deadline = due;
  return deadline;
}

void Core::violate(CallId call, std::string_view rule, Clause clause, std::string expected,
                   std::string observed) {
  emit(Violation{call, {rule, clause, std::move(expected), std::move(observed)}});
}

// --- time

void Core::advance_calls() {
  // Each call once: what it schedules anew for this very instant comes with the next TimePassed.
  std::vector<CallId> due;
  for (const auto& [deadline, id] : schedule_) {
    if (deadline > now_) break;
    due.push_back(id);
  }
  for (const auto id : due) {
    auto* call = find_call(id);
    if (call == nullptr) continue;
    advance(*call);
    drain();
  }
}

void Core::advance(LiveCall& call) {
  const auto take = [this](std::optional<Instant>& due) {
    if (!due || *due > now_) return false;
    due.reset();
    return true;
  };
  for (std::size_t i = 0; i < call.dialogs.size(); ++i) {
    auto& dialog = *call.dialogs[i];
    dialog.session.advance(now_);
    pump(call, dialog);
    advance_served(call, dialog);
    if (dialog.deferred && dialog.deferred->due <= now_) {
      const auto deferred = *dialog.deferred;
      dialog.deferred.reset();
      if (deferred.what == Deferred::What::Message)
        reply(call, dialog, deferred.transaction, {.status = 200});
      else
        answer_change(call, dialog, deferred.transaction, deferred.what == Deferred::What::Update,
                      deferred.has_offer);
    }
  }
  for (std::size_t i = 0; i < call.dialogs.size(); ++i) {
    auto& dialog = *call.dialogs[i];
    if (!dialog.reinvite || !take(dialog.reinvite->abandon_due)) continue;
    // 9.1 SHOULD, for a cancelled re-INVITE.
    if (const auto* invite = layer_.request(dialog.reinvite->transaction)) {
      const Message request = *invite;
      layer_.abandon(dialog.reinvite->transaction, now_);
      dialog.session.request_failed(request, session::Failure::TimedOut, now_);
    }
    dialog.reinvite.reset();
    pump(call, dialog);
  }
  if (take(call.expires_due)) command(Cancel{call.id});  // 13.2.1 SHOULD
  if (take(call.give_up_due)) reject(call, 480);
  if (take(call.abandon_due) && call.client && call.client->transaction != 0) {
    // 9.1 SHOULD: no final response 64*T1 after the CANCEL.
    layer_.abandon(call.client->transaction, now_);
    invite_failed(call, 408, "no final response to a cancelled INVITE");
  }
  if (take(call.step_due)) run_step(call);
  if (call.subscriber) advance_subscriber(call);
}

std::optional<Instant> Core::deadline_of(const LiveCall& call) const {
  std::optional<Instant> earliest;
  const auto consider = [&](const std::optional<Instant>& due) {
    if (due && (!earliest || *due < *earliest)) earliest = due;
  };
  for (const auto& dialog : call.dialogs) {
    consider(dialog->session.next_deadline());
    if (dialog->deferred) consider(dialog->deferred->due);
    for (const auto& served : dialog->served)
      for (const auto& due : {served.grant_due, served.change_due, served.end_due}) consider(due);
    if (dialog->reinvite) consider(dialog->reinvite->abandon_due);
  }
  for (const auto& due : {call.step_due, call.expires_due, call.give_up_due, call.abandon_due})
    consider(due);
  if (call.subscriber)
    for (const auto& due : {call.subscriber->timer_n, call.subscriber->again_due}) consider(due);
  return earliest;
}

void Core::reschedule(LiveCall& call) {
  const auto deadline = deadline_of(call);
  if (deadline == call.scheduled) return;
  if (call.scheduled) schedule_.erase({*call.scheduled, call.id});
  call.scheduled = deadline;
  if (deadline) schedule_.insert({*deadline, call.id});
}

void Core::touch(CallId call) {
  touched_.insert(call);
}

// Drops what is finished among the calls that were touched; the others cannot have changed.
void Core::sweep() {
  const auto touched = std::exchange(touched_, {});
  for (const auto id : touched) {
    const auto it = calls_.find(id);
    if (it == calls_.end()) continue;
    auto& call = it->second;
    // A repeated 2xx must find its dialog until Timer M has fired (RFC 6026 7.2).
    const bool has_invite = call.client && call.client->transaction != 0;
    const bool may_have_more =
        call.subscriber && (call.subscriber->transaction != 0 || call.subscriber->timer_n ||
                            call.subscriber->again_due);
    std::erase_if(call.dialogs, [&](const std::unique_ptr<CallDialog>& dialog) {
      const bool is_done = !has_invite && dialog->is_over && dialog->session.is_finished() &&
                           dialog->own_requests == 0;
      if (is_done) {
        dialogs_.erase(dialog->key);
        if (call.server || call.client) ended_.push_back(dialog->key);
        if (ended_.size() > ended_kept_max) ended_.pop_front();
      }
      return is_done;
    });
    if (call.dialogs.empty() && !has_invite && !may_have_more) {
      end(call, "over");
      if (call.scheduled) schedule_.erase({*call.scheduled, call.id});
      calls_.erase(it);
      continue;
    }
    reschedule(call);
  }
  drain();
}

// --- looking up

LiveCall* Core::find_call(CallId id) {
  const auto it = calls_.find(id);
  if (it == calls_.end()) return nullptr;
  touch(id);
  return &it->second;
}

LiveCall* Core::live_or_newest(CallId id) {
  return find_call(id == 0 ? newest_call() : id);
}

CallId Core::newest_call() const {
  for (auto it = calls_.rbegin(); it != calls_.rend(); ++it)
    if (!it->second.has_ended) return it->first;
  return 0;
}

CallDialog* Core::find_dialog(const dialog::DialogId& key, LiveCall** call) {
  const auto it = dialogs_.find(key);
  if (it == dialogs_.end()) return nullptr;
  auto* found = find_call(it->second);
  if (call != nullptr) *call = found;
  return found == nullptr ? nullptr : found->find(key);
}

CallDialog& Core::add_dialog(LiveCall& call, std::unique_ptr<CallDialog> dialog) {
  dialog->key = dialog->session.id();
  dialogs_.insert_or_assign(dialog->key, call.id);
  call.dialogs.push_back(std::move(dialog));
  return *call.dialogs.back();
}

const session::SessionDialog* Core::session(CallId id) const {
  const auto it = calls_.find(id == 0 ? newest_call() : id);
  if (it == calls_.end()) return nullptr;
  const auto& call = it->second;
  const CallDialog* first = nullptr;
  for (const auto& dialog : call.dialogs) {
    if (call.chosen && dialog->key == *call.chosen) return &dialog->session;
    if (first == nullptr || (first->is_over && !dialog->is_over)) first = dialog.get();
  }
  return first == nullptr ? nullptr : &first->session;
}

Flow Core::default_flow(std::string_view target) const {
  Flow flow;
  if (const auto uri = parse_uri(target))
    if (const auto endpoint = resolve(*uri)) flow.remote = *endpoint;
  const auto* local = flow.remote.host.empty() ? nullptr : local_for(settings_.local, flow.remote);
  if (local == nullptr && !settings_.local.empty()) local = &settings_.local.front();
  if (local != nullptr) flow.local = *local;
  return flow;
}

Rng Core::rng_for(const Message& invite) const {
  return Rng(derive_seed(session_secret_, invite.raw(HeaderId::CallId)));
}

Census Core::census() const {
  return {.calls = calls_.size(),
          .dialogs = dialogs_.size(),
          .transactions = layer_.size(),
          .transaction_owners = clients_.size() + servers_.size(),
          .timers = schedule_.size(),
          .messages_waiting = pending_messages_.size() + waiting_messages_.size()};
}

// --- the shell

Agent::Agent(Settings settings, Rng rng)
    : impl_(std::make_unique<Impl>(std::move(settings), rng)) {}
Agent::~Agent() = default;
Agent::Agent(Agent&&) noexcept = default;
Agent& Agent::operator=(Agent&&) noexcept = default;

void Agent::handle(Input input, Instant now) {
  impl_->handle(std::move(input), now);
}
Output Agent::poll() {
  return impl_->poll();
}
CallId Agent::newest_call() const {
  return impl_->newest_call();
}
CallId Agent::last_id() const {
  return impl_->last_id();
}
Census Agent::census() const {
  return impl_->census();
}
bool Agent::has_call(CallId call) const {
  return impl_->has_call(call);
}
const session::SessionDialog* Agent::session(CallId call) const {
  return impl_->session(call);
}
std::size_t Agent::live_calls() const {
  return impl_->live_calls();
}
std::size_t Agent::live_transactions() const {
  return impl_->live_transactions();
}

}  // namespace sipassay::agent
