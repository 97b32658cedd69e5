#include "engine/session/subscription.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"

namespace sipassay::session {
namespace {

using Phase = SubscriptionPhase;

constexpr Clause subscriber_figure{6665, "4.1.2", Level::Stated};
constexpr Clause timer_n{6665, "4.1.2.4", Level::Stated};
constexpr Clause states{6665, "4.1.3", Level::Stated};
constexpr Clause must_end{6665, "4.1.3", Level::Must};

constexpr auto subscriber_rows = [] {
  using In = SubscriberInput;
  using Do = SubscriberAction;
  return std::array{
      SubscriberRow{Phase::Init, In::SubscribeSent, Phase::NotifyWait, Do::StartTimerN, timer_n},
      SubscriberRow{Phase::NotifyWait, In::NotifyPending, Phase::Pending, Do::Adopt,
                    subscriber_figure},
      SubscriberRow{Phase::NotifyWait, In::NotifyActive, Phase::Active, Do::Adopt,
                    subscriber_figure},
      SubscriberRow{Phase::NotifyWait, In::NotifyTerminated, Phase::Terminated, Do::End,
                    subscriber_figure},
      SubscriberRow{Phase::NotifyWait,
                    In::SubscribeFailed,
                    Phase::Terminated,
                    Do::End,
                    {6665, "4.1.2.1", Level::Stated}},
      SubscriberRow{Phase::NotifyWait, In::TimerN, Phase::Terminated, Do::End, timer_n},
      SubscriberRow{Phase::Pending,
                    In::SubscribeSent,
                    Phase::Pending,
                    Do::StartTimerN,
                    {6665, "4.1.2.2", Level::Stated}},
      SubscriberRow{Phase::Pending, In::NotifyPending, Phase::Pending, Do::Adopt, states},
      SubscriberRow{Phase::Pending, In::NotifyActive, Phase::Active, Do::Adopt, subscriber_figure},
      SubscriberRow{Phase::Pending, In::NotifyTerminated, Phase::Terminated, Do::End, must_end},
      SubscriberRow{Phase::Pending,
                    In::RefreshRefused,
                    Phase::Terminated,
                    Do::End,
                    {6665, "4.1.2.2", Level::Must}},
      SubscriberRow{Phase::Pending,
                    In::RefreshFailed,
                    Phase::Pending,
                    Do::StopTimerN,
                    {6665, "4.1.2.2", Level::Stated}},
      SubscriberRow{Phase::Pending, In::TimerN, Phase::Terminated, Do::End, subscriber_figure},
      SubscriberRow{Phase::Pending,
                    In::Expired,
                    Phase::Terminated,
                    Do::End,
                    {6665, "4.1.2.2", Level::Stated}},
      SubscriberRow{Phase::Active,
                    In::SubscribeSent,
                    Phase::Active,
                    Do::StartTimerN,
                    {6665, "4.1.2.2", Level::Stated}},
      SubscriberRow{Phase::Active, In::NotifyActive, Phase::Active, Do::Adopt, states},
      // No arrow of the figure; the notifier is believed.
      SubscriberRow{Phase::Active, In::NotifyPending, Phase::Pending, Do::Adopt, states},
      SubscriberRow{Phase::Active, In::NotifyTerminated, Phase::Terminated, Do::End, must_end},
      SubscriberRow{Phase::Active,
                    In::RefreshRefused,
                    Phase::Terminated,
                    Do::End,
                    {6665, "4.1.2.2", Level::Must}},
      SubscriberRow{Phase::Active,
                    In::RefreshFailed,
                    Phase::Active,
                    Do::StopTimerN,
                    {6665, "4.1.2.2", Level::Stated}},
      SubscriberRow{Phase::Active, In::TimerN, Phase::Terminated, Do::End, subscriber_figure},
      SubscriberRow{
          Phase::Active, In::Expired, Phase::Terminated, Do::End, {6665, "4.1.2.2", Level::Stated}},
  };
}();
static_assert(has_unique_cells(subscriber_rows));

constexpr Clause notifier_figure{6665, "4.2.2", Level::Stated};
constexpr Clause at_once{6665, "4.2.1.2", Level::Must};
constexpr Clause removed{6665, "4.2.2", Level::Must};
constexpr Clause timed_out{6665, "4.2.1.4", Level::Should};

constexpr auto notifier_rows = [] {
  using In = NotifierInput;
  using Do = NotifierAction;
  return std::array{
      NotifierRow{Phase::Init, In::SubscribeReceived, Phase::ResponseWait, Do::Accept,
                  notifier_figure},
      NotifierRow{Phase::ResponseWait, In::Granted, Phase::Active, Do::Notify, at_once},
      NotifierRow{Phase::ResponseWait, In::Undecided, Phase::Pending, Do::Notify, at_once},
      NotifierRow{Phase::ResponseWait, In::NotifyFailed, Phase::Terminated, Do::Drop, removed},
      NotifierRow{Phase::ResponseWait,
                  In::Unsubscribed,
                  Phase::Terminated,
                  Do::NotifyLast,
                  {6665, "4.4.3", Level::Stated}},
      NotifierRow{Phase::ResponseWait, In::Ended, Phase::Terminated, Do::NotifyLast,
                  notifier_figure},
      NotifierRow{Phase::Pending, In::Granted, Phase::Active, Do::Notify, notifier_figure},
      NotifierRow{Phase::Pending, In::Refreshed, Phase::Pending, Do::Notify, at_once},
      NotifierRow{Phase::Pending, In::NotifyFailed, Phase::Terminated, Do::Drop, removed},
      NotifierRow{Phase::Pending,
                  In::Unsubscribed,
                  Phase::Terminated,
                  Do::NotifyLast,
                  {6665, "4.2.1.4", Level::Stated}},
      NotifierRow{Phase::Pending, In::Expired, Phase::Terminated, Do::NotifyLast, timed_out},
      NotifierRow{Phase::Pending, In::Ended, Phase::Terminated, Do::NotifyLast, notifier_figure},
      NotifierRow{Phase::Active, In::Refreshed, Phase::Active, Do::Notify, at_once},
      NotifierRow{Phase::Active,
                  In::StateChanged,
                  Phase::Active,
                  Do::Notify,
                  {6665, "4.2.2", Level::Should}},
      NotifierRow{Phase::Active, In::NotifyFailed, Phase::Terminated, Do::Drop, removed},
      NotifierRow{Phase::Active,
                  In::Unsubscribed,
                  Phase::Terminated,
                  Do::NotifyLast,
                  {6665, "4.2.1.4", Level::Stated}},
      NotifierRow{Phase::Active, In::Expired, Phase::Terminated, Do::NotifyLast, timed_out},
      NotifierRow{Phase::Active, In::Ended, Phase::Terminated, Do::NotifyLast, notifier_figure},
  };
}();
static_assert(has_unique_cells(notifier_rows));

// RFC 6665 4.1.3, one row a reason.
enum class Retry : std::uint8_t { Never, AtOnce, AfterRetryAfter };
struct ReasonRow {
  std::string_view reason;
  Retry retry;
};
constexpr std::array reasons{
    ReasonRow{"deactivated", Retry::AtOnce},  // SHOULD
    ReasonRow{"probation", Retry::AfterRetryAfter},
    ReasonRow{"rejected", Retry::Never},  // SHOULD NOT
    ReasonRow{"timeout", Retry::AtOnce},  // MAY
    ReasonRow{"giveup", Retry::AfterRetryAfter},
    ReasonRow{"noresource", Retry::Never},  // SHOULD NOT
    ReasonRow{"invariant", Retry::Never},   // SHOULD NOT, whatever retry-after says
};
// "Some later time" where no retry-after says which (policy).
constexpr Duration later = 60s;

// Early enough that Timer N of the refresh ends before the subscription (policy; the RFC says only
// "before").
Duration refresh_after(std::uint32_t expires, Duration t1) {
  const Duration whole = std::chrono::seconds(expires);
  return std::max(whole / 2, whole - 64 * t1);
}

}  // namespace

std::string_view to_string(SubscriptionPhase phase) {
  constexpr std::string_view names[] = {"Init",    "NotifyWait", "ResponseWait",
                                        "Pending", "Active",     "Terminated"};
  return names[static_cast<std::size_t>(phase)];
}
std::string_view to_string(SubscriberInput input) {
  constexpr std::string_view names[] = {"SUBSCRIBE sent",    "SUBSCRIBE failed", "refresh refused",
                                        "refresh failed",    "NOTIFY pending",   "NOTIFY active",
                                        "NOTIFY terminated", "Timer N",          "expired"};
  return names[static_cast<std::size_t>(input)];
}
std::string_view to_string(SubscriberAction action) {
  constexpr std::string_view names[] = {"start Timer N", "stop Timer N", "adopt its expires",
                                        "end"};
  return names[static_cast<std::size_t>(action)];
}
std::string_view to_string(NotifierInput input) {
  constexpr std::string_view names[] = {"SUBSCRIBE accepted", "refreshed",     "granted",
                                        "undecided",          "state changed", "NOTIFY failed",
                                        "unsubscribed",       "expired",       "ended"};
  return names[static_cast<std::size_t>(input)];
}
std::string_view to_string(NotifierAction action) {
  constexpr std::string_view names[] = {"accept", "send NOTIFY", "send the last NOTIFY", "drop"};
  return names[static_cast<std::size_t>(action)];
}

std::vector<TableRow> subscription_tables() {
  auto out = describe("subscriber", subscriber_rows);
  const auto notifier = describe("notifier", notifier_rows);
  out.insert(out.end(), notifier.begin(), notifier.end());
  return out;
}

std::string EventName::text() const {
  return id ? package + ";id=" + *id : package;
}

bool EventName::is_named_by(const Event& event) const {
  if (event.package != package) return false;
  const auto named = event.params.find("id");
  if (!named) return !id;
  if (id) return named->value == *id;
  return refer_cseq && ascii::number<std::uint32_t>(named->value) == refer_cseq;
}

EventName event_name(const Event& event) {
  EventName name{std::string(event.package), std::nullopt, std::nullopt};
  if (const auto id = event.params.find("id")) name.id = std::string(id->value);
  return name;
}

std::optional<std::uint32_t> expires_of(const Message& message) {
  const auto expires = message.maybe<Expires>();
  return expires ? std::optional(expires->value) : std::nullopt;
}

bool ends_subscription(int status) {
  constexpr int ending[] = {0,   404, 405, 408, 410, 416, 480, 481,
                            482, 483, 484, 485, 489, 501, 604};
  return std::ranges::find(ending, status) != std::end(ending);
}

std::optional<Duration> resubscribe_after(std::string_view reason,
                                          std::optional<std::uint32_t> retry_after) {
  const auto row = std::ranges::find_if(
      reasons, [&](const ReasonRow& known) { return ascii::iequals(known.reason, reason); });
  const Retry retry = row == reasons.end() ? Retry::AfterRetryAfter : row->retry;
  if (retry == Retry::Never) return std::nullopt;
  if (retry == Retry::AtOnce) return Duration{};
  return retry_after ? Duration(std::chrono::seconds(*retry_after)) : later;
}

std::uint32_t Subscription::expires(Instant now) const {
  if (!expires_at_ || *expires_at_ <= now) return 0;
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(*expires_at_ - now).count());
}

std::optional<SubscriberAction> Subscription::apply(SubscriberInput input) {
  const auto* row = find_row(subscriber_rows, phase_, input);
  if (row == nullptr) return std::nullopt;
  phase_ = row->to;
  if (row->action == SubscriberAction::StopTimerN || row->action == SubscriberAction::Adopt)
    timer_n_.reset();
  if (row->action == SubscriberAction::End) stop();
  return row->action;
}

std::optional<NotifierAction> Subscription::apply(NotifierInput input, Instant now) {
  const auto* row = find_row(notifier_rows, phase_, input);
  if (row == nullptr) return std::nullopt;
  phase_ = row->to;
  switch (row->action) {
    case NotifierAction::Accept:
      break;
    case NotifierAction::Notify:
      notify_due_ = turn(input, now);
      break;
    case NotifierAction::NotifyLast:
      stop();
      notify_due_ = turn(input, now);
      break;
    case NotifierAction::Drop:
      stop();
      break;
  }
  return row->action;
}

// What confirms a SUBSCRIBE is owed at once (RFC 6665 4.2.1.2); news waits for its turn.
Instant Subscription::turn(NotifierInput input, Instant now) const {
  const bool is_news = input == NotifierInput::StateChanged || input == NotifierInput::Granted ||
                       input == NotifierInput::Ended;
  if (!is_news || !notified_at_) return now;
  return std::max(now, *notified_at_ + options_.notify_interval);
}

void Subscription::stop() {
  for (auto* timer : {&expires_at_, &timer_n_, &refresh_at_, &notify_due_}) timer->reset();
}

void Subscription::renumber(std::uint32_t cseq) {
  options_.name.refer_cseq = cseq;
  if (options_.name.id) options_.name.id = std::to_string(cseq);
}

void Subscription::drop() {
  phase_ = SubscriptionPhase::Terminated;
  stop();
}

// --- subscriber

void Subscription::subscribe_sent(std::optional<std::uint32_t> expires, Instant now) {
  if (apply(SubscriberInput::SubscribeSent) != SubscriberAction::StartTimerN) return;
  timer_n_ = now + 64 * options_.t1;
  refresh_at_.reset();
  was_given_up_ = expires == 0U;
  if (!expires_at_ && expires && *expires > 0) expires_at_ = now + std::chrono::seconds(*expires);
}

void Subscription::subscribe_answered(int status, std::optional<std::uint32_t> granted,
                                      Instant now) {
  if (status >= 200 && status < 300) {
    if (status == 204) timer_n_.reset();  // RFC 6665 4.1.2.2: no NOTIFY will come
    if (granted && !was_given_up_ && !is_over()) {
      expires_at_ = now + std::chrono::seconds(*granted);
      schedule_refresh(now);
    }
    return;
  }
  const bool is_first = phase_ == SubscriptionPhase::NotifyWait;
  const auto input = is_first                    ? SubscriberInput::SubscribeFailed
                     : ends_subscription(status) ? SubscriberInput::RefreshRefused
                                                 : SubscriberInput::RefreshFailed;
  // No response at all: Timer N, which runs as long, decides (4.1.2.2).
  if (!is_first && (status == 0 || status == 408)) return;
  apply(input);
}

void Subscription::notify_received(const SubscriptionState& state, Instant now) {
  // RFC 3261 7.3.1: tokens compare without case. An extension's state counts as active (policy).
  const auto input = ascii::iequals(state.state, "terminated") ? SubscriberInput::NotifyTerminated
                     : ascii::iequals(state.state, "pending")  ? SubscriberInput::NotifyPending
                                                               : SubscriberInput::NotifyActive;
  if (input == SubscriberInput::NotifyTerminated) {
    reason_ = std::string(state.reason().value_or(""));
    retry_after_ = state.retry_after();
  }
  if (apply(input) != SubscriberAction::Adopt) return;
  // RFC 6665 4.1.3: expires is the authoritative duration.
  // Without it that of the 2xx, or what was asked for, goes on (4.2.2).
  if (const auto expires = state.expires())
    expires_at_ = now + std::chrono::seconds(*expires);
  else if (!expires_at_)
    expires_at_ = now + std::chrono::seconds(options_.expires);
  schedule_refresh(now);
}

void Subscription::schedule_refresh(Instant now) {
  if (!options_.is_refreshed || was_given_up_ || !expires_at_) return;
  refresh_at_ = now + refresh_after(expires(now), options_.t1);
}

// --- notifier

void Subscription::accepted(std::uint32_t expires, bool is_granted, Instant now) {
  const bool is_first = apply(NotifierInput::SubscribeReceived, now).has_value();
  is_granted_ = is_granted_ || (is_first && is_granted);
  if (expires == 0) {
    reason_ = "timeout";  // RFC 6665 4.2.1.4, 4.4.3
    apply(NotifierInput::Unsubscribed, now);
    return;
  }
  expires_at_ = now + std::chrono::seconds(expires);
  apply(!is_first    ? NotifierInput::Refreshed
        : is_granted ? NotifierInput::Granted
                     : NotifierInput::Undecided,
        now);
}

void Subscription::grant(Instant now) {
  is_granted_ = apply(NotifierInput::Granted, now).has_value() || is_granted_;
}

void Subscription::set_state(Body body, Instant now) {
  if (is_over()) return;
  state_ = std::move(body);
  apply(NotifierInput::StateChanged, now);
}

void Subscription::finish(std::string_view reason, std::optional<std::uint32_t> retry_after,
                          Instant now) {
  if (is_over()) return;
  reason_ = std::string(reason);
  retry_after_ = retry_after;
  apply(NotifierInput::Ended, now);
}

void Subscription::notify_answered(int status) {
  if (ends_subscription(status)) apply(NotifierInput::NotifyFailed, Instant{});
}

void Subscription::fill_notify(Message& notify, Instant now) {
  notify_due_.reset();
  notified_at_ = now;
  notify.set(HeaderId::Event, name().text());
  std::string value(phase_ == SubscriptionPhase::Terminated ? "terminated"
                    : phase_ == SubscriptionPhase::Pending  ? "pending"
                                                            : "active");
  if (is_over()) {
    value += ";reason=" + reason_;
    if (retry_after_) value += ";retry-after=" + std::to_string(*retry_after_);
  } else {
    value += ";expires=" + std::to_string(expires(now));
  }
  notify.set(HeaderId::SubscriptionState, value);
  // RFC 6665 4.2.1.2: a neutral body until the subscriber may see the state.
  if (!is_granted_ || state_.is_empty())
    notify.set_body({}, {});
  else
    notify.set_body(state_.type, state_.octets);
}

// --- time

std::optional<Instant> Subscription::next_deadline() const {
  std::optional<Instant> next;
  for (const auto& due : {expires_at_, timer_n_, refresh_at_, notify_due_})
    if (due && (!next || *due < *next)) next = due;
  return next;
}

Subscription::Due Subscription::advance(Instant now) {
  const auto take = [now](std::optional<Instant>& due) {
    if (!due || *due > now) return false;
    due.reset();
    return true;
  };
  if (take(timer_n_)) {
    reason_.clear();
    apply(SubscriberInput::TimerN);
    return Due::Ended;
  }
  if (take(expires_at_)) {
    reason_ = "timeout";
    if (role() == SubscriptionRole::Subscriber)
      apply(SubscriberInput::Expired);
    else
      apply(NotifierInput::Expired, now);
    return is_over() ? Due::Ended : Due::Nothing;
  }
  return take(refresh_at_) ? Due::Refresh : Due::Nothing;
}

}  // namespace sipassay::session
