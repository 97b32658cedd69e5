// Subscriptions of the dialog (RFC 6665, RFC 3515), beside its INVITE usage or without one:
// SUBSCRIBE, NOTIFY and REFER in both roles. Each lives and dies by itself; the dialog ends with
// its last usage (RFC 5057 4, RFC 6665 4.5.2).
#include <algorithm>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/session/session_dialog_impl.h"

namespace sipassay::session {
namespace {

using enum SessionErrorCode;

constexpr std::string_view refer_package = "refer";
constexpr Duration refer_interval = 1s;  // RFC 3515 3.10

Body sipfrag(std::string_view status_line) {
  return {"message/sipfrag;version=2.0", std::string(status_line) + "\r\n", {}};
}

// The status of "SIP/2.0 180 Ringing"; nothing if that is no status line.
std::optional<int> status_of(std::string_view status_line) {
  if (!status_line.starts_with("SIP/2.0 ")) return std::nullopt;
  return ascii::number<int>(status_line.substr(8, 3));
}

// RFC 7614 4.3, 5.3 MUST NOT: a REFER that requires one of these makes no subscription.
bool forbids_subscription(const Message& refer) {
  return has_token(refer, HeaderId::Require, "explicitsub") ||
         has_token(refer, HeaderId::Require, "nosub");
}

// RFC 4488 4: Refer-Sub: false in the 2xx.
bool denies_subscription(const Message& response) {
  const auto refer_sub = response.maybe<ReferSub>();
  return refer_sub && !refer_sub->value;
}

// RFC 5627: a GRUU as remote target names one device, and its dialog is not shared.
bool is_gruu(std::string_view target) {
  const auto uri = parse_uri(target);
  return uri && uri->params.has("gr");
}

}  // namespace

// --- looking up

Subscription* SessionDialog::Impl::subscription(SubscriptionRole role, const Event& event) {
  const auto found = std::ranges::find_if(subscriptions, [&](const Subscription& candidate) {
    return candidate.role() == role && !candidate.is_over() && candidate.name().is_named_by(event);
  });
  return found == subscriptions.end() ? nullptr : &*found;
}

Subscription* SessionDialog::Impl::subscription(SubscriptionRole role, std::string_view event) {
  const auto parsed = Event::parse(event);
  return parsed ? subscription(role, *parsed) : nullptr;
}

std::size_t SessionDialog::Impl::live_subscriptions() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(subscriptions, [](const Subscription& s) { return !s.is_finished(); }));
}

bool SessionDialog::Impl::has_room() {
  std::erase_if(subscriptions, [](const Subscription& s) { return s.is_finished(); });
  return subscriptions.size() < subscriptions_max;
}

void SessionDialog::Impl::changed(const Subscription& subscription) {
  put(SubscriptionChanged{.event = subscription.name().text(),
                          .refer_cseq = subscription.name().refer_cseq.value_or(0),
                          .is_notifier = subscription.role() == SubscriptionRole::Notifier,
                          .phase = subscription.phase(),
                          .reason = subscription.reason(),
                          .retry_after = subscription.retry_after(),
                          .was_given_up = subscription.was_given_up()});
}

// RFC 5057 5.1: a failure that ends the dialog ends every subscription in it.
void SessionDialog::Impl::drop_subscriptions() {
  for (Subscription& dropped : std::exchange(subscriptions, {})) {
    if (dropped.is_over()) continue;
    dropped.drop();
    changed(dropped);
  }
}

// A dialog that a SUBSCRIBE or REFER made: there never is an INVITE usage.
void SessionDialog::Impl::begin_without_session() {
  is_over = true;
  dialog.confirm();
  offers.close();
  noted_state = state();
  noted_signaling = offers.state();
}

// --- subscriber

// The NOTIFY that makes the dialog comes next; it stops Timer N, which runs from the SUBSCRIBE on.
void SessionDialog::Impl::begin_subscription(const SentRequest& initial, Instant now) {
  const auto cseq = initial.request.maybe<CSeq>();
  const auto event = initial.request.maybe<Event>();
  if (!event) {
    ++own_refers;
    subscriptions.push_back(
        refer_subscription(SubscriptionRole::Subscriber, cseq ? cseq->number : 0, true));
    return subscriptions.back().subscribe_sent(std::nullopt, now);
  }
  const std::uint32_t asked = expires_of(initial.request).value_or(0);
  subscriptions.emplace_back(Subscription::Options{.role = SubscriptionRole::Subscriber,
                                                   .name = event_name(*event),
                                                   .expires = asked,
                                                   .is_refreshed = initial.is_refreshed,
                                                   .t1 = settings.t1});
  subscriptions.back().subscribe_sent(asked, now);
  if (initial.granted) subscriptions.back().subscribe_answered(200, initial.granted, now);
}

SessionDialog::Result SessionDialog::Impl::subscribe(const SubscribeOptions& options, Instant now) {
  if (const auto may = may_send(options.request, true, false); !may)
    return std::unexpected(may.error());
  const auto event = Event::parse(options.event);
  if (!event) return std::unexpected(session_error(BadHeader));
  Subscription* ours = subscription(SubscriptionRole::Subscriber, *event);
  if (ours == nullptr) {
    // RFC 6665 4.5.2 MUST NOT: such a dialog is not shared.
    if (is_gruu(dialog.remote_target())) return std::unexpected(session_error(DialogNotShared));
    if (!has_room()) return std::unexpected(session_error(TooMany));
  }
  auto request = make_request("SUBSCRIBE", options.request);
  if (!request) return request;
  request->add(HeaderId::Event, ours != nullptr ? ours->name().text() : options.event);
  request->add(HeaderId::Expires, std::to_string(options.expires));  // 3.1.1 SHOULD
  if (ours == nullptr) {
    subscriptions.emplace_back(Subscription::Options{.role = SubscriptionRole::Subscriber,
                                                     .name = event_name(*event),
                                                     .expires = options.expires,
                                                     .is_refreshed = options.is_refreshed,
                                                     .t1 = settings.t1});
    ours = &subscriptions.back();
  }
  ours->subscribe_sent(options.expires, now);
  return request;
}

void SessionDialog::Impl::refresh_subscription(Subscription& subscription, std::uint32_t expires,
                                               Instant now) {
  auto request = dialog.make_request("SUBSCRIBE");
  if (!request) return;
  fill(*request, {});
  request->add(HeaderId::Event, subscription.name().text());
  request->add(HeaderId::Expires, std::to_string(expires));
  subscription.subscribe_sent(expires, now);
  put(Send{std::move(*request)});
}

void SessionDialog::Impl::subscribe_answered(const Message& request, const Message* response,
                                             int status, Instant now) {
  const auto event = request.maybe<Event>();
  Subscription* ours = event ? subscription(SubscriptionRole::Subscriber, *event) : nullptr;
  if (ours == nullptr) return;
  const bool is_success = response != nullptr && status >= 200 && status < 300;
  if (is_success && !expires_of(*response))
    violation("expires-missing-in-subscribe-2xx", {6665, "3.1.1", Level::Must}, "Expires", "none");
  const auto asked = expires_of(request);
  const auto least = response == nullptr ? std::nullopt : response->maybe<MinExpires>();
  const bool is_too_brief = status == 423 && least && asked && *asked > 0 && least->value > *asked;
  if (is_success) retries.erase(Method::Subscribe);
  if (is_too_brief && ours->phase() != SubscriptionPhase::NotifyWait &&
      may_try_again(Method::Subscribe))
    return refresh_subscription(*ours, least->value, now);
  ours->subscribe_answered(status, is_success ? expires_of(*response) : std::nullopt, now);
  if (ours->is_over()) changed(*ours);
}

SessionDialog::Result SessionDialog::Impl::refer(std::string_view refer_to,
                                                 const RequestOptions& options, Instant now) {
  if (const auto may = may_send(options, true, false); !may) return std::unexpected(may.error());
  if (refer_to.empty() || refer_to.find_first_of("\r\n") != std::string_view::npos)
    return std::unexpected(session_error(BadHeader));
  auto request = make_request("REFER", options);
  if (!request) return request;
  const bool has_brackets = refer_to.find('<') != std::string_view::npos;
  request->add(HeaderId::ReferTo,
               has_brackets ? std::string(refer_to) : "<" + std::string(refer_to) + ">");
  const bool is_first = own_refers++ == 0;
  if (forbids_subscription(*request)) return request;
  if (!has_room()) return std::unexpected(session_error(TooMany));
  // RFC 3515 2.4.4: the first NOTIFY may come before the 2xx.
  const std::uint32_t cseq = *dialog.local_cseq();
  subscriptions.push_back(refer_subscription(SubscriptionRole::Subscriber, cseq, is_first));
  subscriptions.back().subscribe_sent(std::nullopt, now);
  return request;
}

void SessionDialog::Impl::refer_answered(std::uint32_t cseq, const Message* response, int status) {
  const auto ours = std::ranges::find_if(subscriptions, [&](const Subscription& s) {
    return s.role() == SubscriptionRole::Subscriber && s.name().refer_cseq == cseq && !s.is_over();
  });
  if (ours == subscriptions.end()) return;
  const bool is_success = response != nullptr && status < 300;
  if (is_success && !denies_subscription(*response)) return;
  ours->drop();
  changed(*ours);
}

void SessionDialog::Impl::receive_notify(const Message& request, TransactionId transaction,
                                         std::uint32_t cseq, Instant now) {
  const auto event = request.maybe<Event>();
  Subscription* ours = event ? subscription(SubscriptionRole::Subscriber, *event) : nullptr;
  if (ours == nullptr) {
    if (settings.delivers_any_notify && event && !is_over)
      return deliver(Deliver::What::Notify, request, transaction, cseq);
    // RFC 6665 4.1.3: a package that we do not know (or none) is 489; no match 481, MUST.
    const bool is_known = event && std::ranges::find(settings.event_packages, event->package) !=
                                       settings.event_packages.end();
    return refuse(request, transaction, is_known ? 481 : 489);
  }
  const auto state = request.get<sipassay::SubscriptionState>();
  if (!state) {
    violation("notify-without-subscription-state", {6665, "4.1.3", Level::Must},
              "Subscription-State", "none that can be read");
    return refuse(request, transaction, 400);
  }
  if (event->package == refer_package) judge_refer_notify(request);
  dialog.stage_target(cseq, request);  // RFC 6665 3.2
  dialog.commit_target(cseq);
  ours->notify_received(*state, now);
  refuse(request, transaction, 200);
  put(Deliver{Deliver::What::Notify, transaction, request, false, true});
  changed(*ours);
}

void SessionDialog::Impl::judge_refer_notify(const Message& notify) {
  const auto type = notify.maybe<ContentType>();
  if (!type || !type->is("message", "sipfrag"))
    violation("notify-without-sipfrag", {3515, "2.4.5", Level::Must}, "message/sipfrag",
              "NOTIFY without it");
  else if (!notify.body().starts_with("SIP/2.0 "))
    violation("sipfrag-without-status-line", {3515, "2.4.5", Level::Must}, "a status line first",
              "a body that begins otherwise");
}

// --- notifier

void SessionDialog::Impl::receive_subscribe(const Message& request, TransactionId transaction,
                                            std::uint32_t cseq) {
  const auto event = request.maybe<Event>();
  // RFC 6665 4.2.3: without Event it is PINT's, which we do not do.
  if (!event) return refuse(request, transaction, 489);
  const Subscription* known = subscription(SubscriptionRole::Notifier, *event);
  if (known == nullptr && !has_room()) return refuse(request, transaction, 503, true);
  dialog.stage_target(cseq, request);  // RFC 6665 3.1
  pending.insert_or_assign(transaction,
                           Pending{request, Deliver::What::Subscribe, cseq, false, {}});
  put(Deliver{.what = Deliver::What::Subscribe,
              .transaction = transaction,
              .request = request,
              .is_refresh = known != nullptr});
}

void SessionDialog::Impl::receive_refer(const Message& request, TransactionId transaction,
                                        std::uint32_t cseq) {
  // RFC 3515 2.4.2: exactly one Refer-To.
  const auto refer_to = request.get<ReferTo>();
  if (request.line_count(HeaderId::ReferTo) != 1 || !refer_to) {
    violation("refer-to-not-one", {3515, "2.4.1", Level::Must}, "exactly one Refer-To",
              std::to_string(request.line_count(HeaderId::ReferTo)) + " lines");
    return refuse(request, transaction, 400);
  }
  if (!has_room()) return refuse(request, transaction, 503, true);
  dialog.stage_target(cseq, request);  // RFC 4488 4
  deliver(Deliver::What::Refer, request, transaction, cseq);
  pending.at(transaction).is_first_refer = peer_refers++ == 0;
}

Subscription SessionDialog::Impl::refer_subscription(SubscriptionRole role, std::uint32_t cseq,
                                                     bool is_first) const {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(settings.subscription_expires).count();
  // RFC 3515 2.4.6: from the second REFER on, the id is its CSeq number.
  return Subscription(
      {.role = role,
       .name = {std::string(refer_package),
                is_first ? std::nullopt : std::optional(std::to_string(cseq)), cseq},
       .expires = static_cast<std::uint32_t>(seconds),
       .notify_interval = refer_interval,
       .t1 = settings.t1});
}

// The 2xx to SUBSCRIBE or REFER is out: its subscription begins, goes on or ends, and a NOTIFY
// follows at once (RFC 6665 4.2.1.2, RFC 3515 2.4.4).
void SessionDialog::Impl::subscription_accepted(const Pending& done, const ReplyOptions& options,
                                                const Message& response, Instant now) {
  if (done.what == Deliver::What::Refer) {
    if (denies_subscription(response) || forbids_subscription(done.request)) return;
    auto made = refer_subscription(SubscriptionRole::Notifier, done.cseq, done.is_first_refer);
    made.set_state(sipfrag("SIP/2.0 100 Trying"), now);
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(settings.subscription_expires).count();
    made.accepted(static_cast<std::uint32_t>(seconds), true, now);
    subscriptions.push_back(std::move(made));
    changed(subscriptions.back());
    return send_owed(now);
  }
  const auto& grant = *options.subscription;
  const auto event = done.request.get<Event>();
  Subscription* ours = subscription(SubscriptionRole::Notifier, *event);
  if (ours == nullptr) {
    subscriptions.emplace_back(Subscription::Options{.role = SubscriptionRole::Notifier,
                                                     .name = event_name(*event),
                                                     .expires = grant.expires,
                                                     .notify_interval = grant.notify_interval,
                                                     .t1 = settings.t1});
    ours = &subscriptions.back();
  }
  if (!grant.state.is_empty()) ours->set_state(grant.state, now);
  ours->accepted(grant.expires, !grant.is_pending, now);
  changed(*ours);
  send_owed(now);
}

void SessionDialog::Impl::send_owed(Instant now) {
  for (Subscription& ours : subscriptions) {
    if (!ours.owes_notify(now)) continue;
    auto notify = dialog.make_request("NOTIFY");
    if (!notify) {  // the CSeq numbers are used up
      ours.drop();
      changed(ours);
      continue;
    }
    fill(*notify, {});
    ours.fill_notify(*notify, now);
    put(Send{std::move(*notify)});
  }
}

SessionDialog::Status SessionDialog::Impl::with_notifier(std::string_view event, Instant now,
                                                         const NotifierChange& change) {
  Subscription* ours = subscription(SubscriptionRole::Notifier, event);
  if (ours == nullptr) return std::unexpected(session_error(UnknownSubscription));
  const auto before = ours->phase();
  change(*ours);
  if (ours->phase() != before) changed(*ours);
  send_owed(now);
  return {};
}

SessionDialog::Status SessionDialog::Impl::notify(std::uint32_t refer_cseq,
                                                  std::string_view status_line, Instant now) {
  const auto found = std::ranges::find_if(subscriptions, [&](const Subscription& s) {
    return s.role() == SubscriptionRole::Notifier && s.name().refer_cseq == refer_cseq &&
           !s.is_over();
  });
  if (found == subscriptions.end()) return std::unexpected(session_error(UnknownSubscription));
  const auto status = status_of(status_line);
  if (!status || status_line.find_first_of("\r\n") != std::string_view::npos)
    return std::unexpected(session_error(BadHeader));
  found->set_state(sipfrag(status_line), now);
  if (*status >= 200) {
    found->finish("noresource", std::nullopt, now);  // RFC 3515 2.4.7
    changed(*found);
  }
  send_owed(now);
  return {};
}

void SessionDialog::Impl::notify_answered(const Message& request, int status) {
  const auto event = request.maybe<Event>();
  Subscription* ours = event ? subscription(SubscriptionRole::Notifier, *event) : nullptr;
  if (ours == nullptr) return;
  ours->notify_answered(status);
  if (ours->is_over()) changed(*ours);
}

// --- time

void SessionDialog::Impl::advance_subscriptions(Instant now) {
  for (Subscription& subscription : subscriptions) {
    switch (subscription.advance(now)) {
      case Subscription::Due::Refresh:
        refresh_subscription(subscription, subscription.asked(), now);
        break;
      case Subscription::Due::Ended:
        changed(subscription);
        break;
      case Subscription::Due::Nothing:
        break;
    }
  }
  send_owed(now);
}

}  // namespace sipassay::session
