// Subscriptions (RFC 6665) of this agent: the ones that it serves, in calls and outside, by the
// behaviour of the user that is subscribed to; and the ones that it makes, with their forks, their
// refreshes and what follows their end.
#include <algorithm>

#include "engine/agent/core.h"
#include "engine/agent/packages.h"
#include "engine/agent/resolve.h"
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"

namespace sipassay::agent {
namespace {

using session::Deliver;
using session::expires_of;

std::uint32_t granted(const Message& subscribe, const EventPackage& package,
                      const Notifier& notifier) {
  return std::min(expires_of(subscribe).value_or(package.expires_default), notifier.expires_max);
}

}  // namespace

// --- notifier

// RFC 6665 4.2.1.1, in its order. is_known: a subscription of ours is refreshed.
std::optional<Refusal> Core::check_subscribe(const Message& request, const Behaviour* behaviour,
                                             bool is_known) const {
  const auto event = request.maybe<sipassay::Event>();
  const auto* package = event ? event_package(event->package) : nullptr;
  if (package == nullptr)
    return Refusal{489, {6665, "4.2.1.1", Level::Should}, {}, {{"Allow-Events", allow_events()}}};
  if (package->only_by_refer && !is_known)
    return Refusal{403, {3515, "2.4.4", Level::Must}, "Only by REFER", {}};
  if (!accepts(request, package->type))
    return Refusal{
        406, {6665, "4.1.2.1", Level::Stated}, {}, {{"Accept", std::string(package->type)}}};
  if (behaviour == nullptr) return std::nullopt;
  // Who takes no call of this subscriber shows it nothing either (RFC 6665 4.2.1.3).
  if (const int status = options_status(*behaviour); status >= 300 && !is_known)
    return Refusal{status, {6665, "4.2.1.3", Level::Should}};
  const auto asked = expires_of(request);
  const auto least = behaviour->notifier.expires_min;
  if (asked && *asked > 0 && *asked < 3600 && *asked < least)
    return Refusal{
        423, {6665, "4.2.1.1", Level::May}, {}, {{"Min-Expires", std::to_string(least)}}};
  return std::nullopt;
}

// A SUBSCRIBE or REFER without dialog makes one, without a call in it.
void Core::receive_usage(transaction::Id transaction, const Message& request, const Flow& flow,
                         const Behaviour& behaviour) {
  if (calls_.size() >= settings_.calls_limit)
    return respond(transaction, request,
                   {503, {3261, "21.5.4", Level::Stated}, {}, {{"Retry-After", "5"}}}, flow);
  auto tag = to_tag_for(request, tag_secret_);
  auto made = dialog::Dialog::from_request(request, tag, is_over_tls(flow.local.transport));
  while (made && dialogs_.contains(made->id())) {
    tag = rng_.token(12);
    made = dialog::Dialog::from_request(request, tag, is_over_tls(flow.local.transport));
  }
  if (!made)
    return respond(transaction, request,
                   {400, {3261, "12.1.1", Level::Must}, std::string(text(made.error().code)), {}},
                   flow);
  auto& call = add_usage_call();
  call.served_by = &behaviour;
  const auto uri = parse_uri(request.request_uri());
  const std::string user = uri && uri->has_user ? unescape(uri->user) : settings_.user;
  auto dialog = std::make_unique<CallDialog>(
      session::SessionDialog(session::ReceivedRequest{request, transaction}, std::move(*made),
                             session_settings(user, flow, &behaviour, false), Rng(rng_.next()),
                             now_),
      make_media(flow, false), flow);
  dialog->is_over = true;
  auto& added = add_dialog(call, std::move(dialog));
  servers_.insert_or_assign(transaction, ServerTransaction{call.id, added.key});
  pump(call, added);
}

LiveCall& Core::add_usage_call() {
  auto& call = calls_[++last_call_];
  call.id = last_call_;
  call.has_ended = true;  // there never was one
  touch(call.id);
  return call;
}

void Core::deliver_subscribe(LiveCall& call, CallDialog& dialog, const Deliver& request) {
  const auto* behaviour = call.server ? call.server->behaviour : call.served_by;
  if (const auto refusal = check_subscribe(request.request, behaviour, request.is_refresh)) {
    session::ReplyOptions options{.status = refusal->status, .reason = refusal->reason};
    for (const auto& [name, value] : refusal->headers) options.headers.push_back({name, value});
    return reply(call, dialog, request.transaction, std::move(options));
  }
  const auto event = request.request.get<sipassay::Event>();
  const auto& package = *event_package(event->package);
  static constexpr Notifier plain{};
  const Notifier& notifier = behaviour != nullptr ? behaviour->notifier : plain;
  const auto expires = granted(request.request, package, notifier);
  session::ReplyOptions options{.status = 200};
  options.headers.push_back({"Allow-Events", allow_events()});  // RFC 6665 4.4.4 SHOULD
  auto& grant = options.subscription.emplace();
  grant.expires = expires;
  grant.is_pending = notifier.grants_after > 0ms;
  grant.notify_interval = package.notify_interval;
  const auto name = session::event_name(*event).text();
  if (!package.only_by_refer && !request.is_refresh) {
    const auto entity = dialog.session.dialog().local_uri();
    grant.state = {std::string(package.type), event_state(package, entity, 0), {}};
    if (expires > 0) serve(dialog, package, notifier, name);
  }
  reply(call, dialog, request.transaction, std::move(options));
}

void Core::serve(CallDialog& dialog, const EventPackage& package, const Notifier& notifier,
                 std::string event) {
  Served served{.event = std::move(event), .package = &package, .notifier = &notifier};
  if (notifier.grants_after > 0ms) served.grant_due = now_ + notifier.grants_after;
  if (notifier.changes_every > 0ms) served.change_due = now_ + notifier.changes_every;
  if (!notifier.reason.empty()) served.end_due = now_ + notifier.ends_after;
  dialog.served.push_back(std::move(served));
}

void Core::advance_served(LiveCall& call, CallDialog& dialog) {
  const auto take = [this](std::optional<Instant>& due) {
    if (!due || *due > now_) return false;
    due.reset();
    return true;
  };
  for (auto& served : dialog.served) {
    auto& session = dialog.session;
    if (take(served.grant_due)) (void)session.grant_subscription(served.event, now_);
    if (take(served.change_due)) {
      const auto state =
          event_state(*served.package, session.dialog().local_uri(), ++served.changes);
      (void)session.set_state(served.event, {std::string(served.package->type), state, {}}, now_);
      served.change_due = now_ + served.notifier->changes_every;
    }
    if (take(served.end_due))
      (void)session.end_subscription(served.event, served.notifier->reason,
                                     served.notifier->retry_after, now_);
  }
  pump(call, dialog);
}

// --- subscriber

void Core::command(const Subscribe& wish) {
  if (!wish.target.empty()) return start_subscription(wish, 0);
  auto* call = live_or_newest(wish.call);
  auto* dialog = call == nullptr ? nullptr : call->primary();
  if (dialog == nullptr) return emit(RequestAnswered{0, "SUBSCRIBE", 0});
  subscribe_in_dialog(*call, *dialog, wish.event, wish.expires);
}

void Core::subscribe_in_dialog(LiveCall& call, CallDialog& dialog, std::string event,
                               std::uint32_t expires) {
  session::SubscribeOptions options{.event = std::move(event), .expires = expires};
  if (const auto name = sipassay::Event::parse(options.event))
    if (const auto* package = event_package(name->package))
      options.request.headers.push_back({"Accept", std::string(package->type)});
  if (!send_in_dialog(call, dialog, dialog.session.subscribe(options, now_)))
    emit(RequestAnswered{call.id, "SUBSCRIBE", 0});
  pump(call, dialog);
}

// RFC 6665 4.1.2.3: the newest subscription that lives.
void Core::command(const Unsubscribe& wish) {
  for (auto it = calls_.rbegin(); it != calls_.rend(); ++it) {
    auto& call = it->second;
    if (wish.call != 0 && call.id != wish.call) continue;
    if (call.subscriber) call.subscriber->again_due.reset();
    for (auto& dialog : call.dialogs) {
      if (dialog->subscribed.empty()) continue;
      const auto event = dialog->subscribed.back();
      return subscribe_in_dialog(call, *dialog, event, 0);
    }
  }
  emit(RequestAnswered{wish.call, "SUBSCRIBE", 0});
}

// `attempts` counts the subscriptions that one command has made.
void Core::start_subscription(Subscribe wish, unsigned attempts) {
  if (calls_.size() >= settings_.calls_limit) return emit(RequestAnswered{0, "SUBSCRIBE", 503});
  const auto flow = default_flow(wish.target);
  auto request = make_outside("SUBSCRIBE", wish.target, flow);
  request.add(HeaderId::Contact, contact_for(settings_.user, flow));
  request.add(HeaderId::Event, wish.event);
  request.add(HeaderId::Expires, std::to_string(wish.expires));  // RFC 6665 3.1.1 SHOULD
  request.add(HeaderId::Allow, ascii::comma_list(allowed_methods()));
  request.add(HeaderId::AllowEvents, allow_events());
  if (const auto name = sipassay::Event::parse(wish.event))
    if (const auto* package = event_package(name->package))
      request.add(HeaderId::Accept, package->type);
  request.set_body({}, {});
  auto& call = add_usage_call();
  auto& subscriber = call.subscriber.emplace();
  subscriber.command = std::move(wish);
  subscriber.request = std::move(request);
  subscriber.attempts = attempts;
  digest_client_.authorize(subscriber.request);
  send_subscription(call);
}

void Core::send_subscription(LiveCall& call) {
  auto& subscriber = *call.subscriber;
  subscriber.timer_n = now_ + settings_.timings.timeout();  // RFC 6665 4.1.2.4
  subscriber.transaction = send(subscriber.request, nullptr,
                                {.what = ClientTransaction::What::Subscription, .call = call.id})
                               .value_or(0);
  if (subscriber.transaction == 0) subscription_failed(call, 503);
}

void Core::subscription_failed(LiveCall& call, int status) {
  auto& subscriber = *call.subscriber;
  const std::string method(subscriber.request.method_text());
  subscriber.transaction = 0;
  // RFC 6665 4.1.2.1: there is none, and no NOTIFY will come.
  if (call.dialogs.empty()) subscriber.timer_n.reset();
  emit(RequestAnswered{call.id, method, status});
  touch(call.id);
}

void Core::receive_subscription_response(LiveCall& call, const Message& response,
                                         const Flow& flow) {
  auto& subscriber = *call.subscriber;
  const int status = response.status();
  if (status < 200) return;
  const bool is_challenge = status == 401 || status == 407;
  const auto least = response.maybe<MinExpires>();
  const auto asked = expires_of(subscriber.request);
  const bool is_too_brief = status == 423 && least && asked && *asked > 0 && least->value > *asked;
  if ((is_challenge || is_too_brief) && subscriber.challenges++ < challenges_answered_max) {
    auto again = subscriber.request;
    // RFC 3261 10.2.8, RFC 6665 4.2.1.1: not less than Min-Expires.
    if (is_too_brief) again.set(HeaderId::Expires, std::to_string(least->value));
    const bool goes_on =
        is_too_brief || digest_client_.answer_challenge(response, again) == digest::Verdict::Retry;
    const auto cseq = again.get<CSeq>();
    if (goes_on && cseq && cseq->number < dialog::cseq_max) {
      again.set(HeaderId::CSeq,
                std::to_string(cseq->number + 1) + " " + std::string(again.method_text()));
      again.remove(HeaderId::Via);
      subscriber.request = std::move(again);
      return send_subscription(call);
    }
  }
  if (status >= 300) return subscription_failed(call, status);
  digest_client_.learn(response);
  subscriber.transaction = 0;
  subscriber.granted = expires_of(response);
  const auto refer_sub = response.maybe<ReferSub>();
  const bool is_refer = subscriber.request.method() == Method::Refer;
  // RFC 4488 4: no subscription was made.
  if (is_refer && refer_sub && !refer_sub->value) subscriber.timer_n.reset();
  if (const auto id = dialog::id_of_response_received(response))
    if (auto* dialog = call.find(*id)) {
      dialog->flow = flow;
      dialog->session.receive_response(subscriber.request, response, now_);
      pump(call, *dialog);
    }
  emit(RequestAnswered{call.id, std::string(subscriber.request.method_text()), status});
  touch(call.id);
}

// RFC 6665 4.4.1: a NOTIFY that matches a SUBSCRIBE or REFER of ours makes a dialog, until Timer N;
// the package says whether more than one may be (5.4.9).
bool Core::notify_makes_dialog(transaction::Id transaction, const Message& notify,
                               const Flow& flow) {
  const auto key = dialog::id_of_request_received(notify);
  const auto event = notify.maybe<sipassay::Event>();
  if (!key || !event) return false;
  for (auto& [id, call] : calls_) {
    if (!call.subscriber || !call.subscriber->timer_n) continue;
    const auto& request = call.subscriber->request;
    const auto from = request.get<From>();
    if (!from || key->call_id != request.raw(HeaderId::CallId) || key->local_tag != from->tag())
      continue;
    const auto asked = request.maybe<sipassay::Event>();
    const auto cseq = request.get<CSeq>();
    const auto name = asked ? session::event_name(*asked)
                            : session::EventName{"refer", std::nullopt, cseq->number};
    if (!name.is_named_by(*event)) return false;
    const auto* package = event_package(event->package);
    if (call.subscriber->had_notify && (package == nullptr || !package->allows_forks)) return false;
    if (call.dialogs.size() >= forks_max) return false;
    auto made = dialog::Dialog::from_notify(request, notify, is_over_tls(flow.local.transport));
    if (!made) return false;
    auto dialog = std::make_unique<CallDialog>(
        session::SessionDialog(
            session::SentRequest{
                .request = request, .is_refreshed = true, .granted = call.subscriber->granted},
            std::move(*made), session_settings(settings_.user, flow, nullptr, false),
            Rng(rng_.next()), now_),
        make_media(flow, false), flow);
    dialog->is_over = true;
    call.subscriber->had_notify = true;
    auto& added = add_dialog(call, std::move(dialog));
    servers_.insert_or_assign(transaction, ServerTransaction{call.id, added.key});
    touch(call.id);
    added.session.receive_request(notify, transaction, now_);
    pump(call, added);
    return true;
  }
  return false;
}

void Core::on(LiveCall& call, CallDialog& dialog, session::SubscriptionChanged output) {
  const bool is_over = output.is_over();
  emit(SubscriptionMoved{call.id, output.event, output.is_notifier,
                         std::string(session::to_string(output.phase)), output.reason});
  if (output.is_notifier) {
    if (is_over)
      std::erase_if(dialog.served, [&](const Served& s) { return s.event == output.event; });
    return;
  }
  std::erase(dialog.subscribed, output.event);
  if (!is_over) return dialog.subscribed.push_back(output.event);
  if (output.was_given_up || output.refer_cseq != 0 || !call.subscriber) return;
  // RFC 6665 4.1.3: what the reason says; a new subscription in a new dialog (4.4.2).
  if (const auto wait = session::resubscribe_after(output.reason, output.retry_after))
    if (call.subscriber->attempts < resubscriptions_max) call.subscriber->again_due = now_ + *wait;
}

void Core::advance_subscriber(LiveCall& call) {
  auto& subscriber = *call.subscriber;
  if (subscriber.timer_n && *subscriber.timer_n <= now_) {
    subscriber.timer_n.reset();
    // RFC 6665 4.1.2.4: without a NOTIFY it has failed.
    if (call.dialogs.empty() && subscriber.transaction == 0 && !subscriber.had_notify)
      emit(SubscriptionMoved{
          call.id, std::string(subscriber.request.raw(HeaderId::Event)), false, "Terminated", {}});
  }
  if (!subscriber.again_due || *subscriber.again_due > now_) return;
  subscriber.again_due.reset();
  start_subscription(subscriber.command, subscriber.attempts + 1);
}

}  // namespace sipassay::agent
