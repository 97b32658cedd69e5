#include "engine/session/subscription.h"

#include <algorithm>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"

namespace sipassay::session {

Subscription::Subscription(SubscriptionRole role, SubscriptionId id, Duration expires, Duration t1,
                           Instant now)
    : role_(role), id_(id), expires_at_(now + expires) {
  // RFC 6665 4.1.2.4: Timer N, 64*T1 for the first NOTIFY.
  deadline_ = role == SubscriptionRole::Subscriber ? now + 64 * t1 : expires_at_;
}

std::string Subscription::event() const {
  if (id_.is_first) return "refer";
  return "refer;id=" + std::to_string(id_.cseq);
}

void Subscription::fill_notify(Message& notify, std::string_view status_line, bool is_final,
                               Instant now) {
  notify.set(HeaderId::Event, event());
  if (is_final) {
    notify.set(HeaderId::SubscriptionState, "terminated;reason=noresource");
    phase_ = SubscriptionPhase::Terminated;
    deadline_.reset();
  } else {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(expires_at_ - now).count();
    notify.set(HeaderId::SubscriptionState,
               "active;expires=" + std::to_string(std::max<std::int64_t>(left, 0)));
    phase_ = SubscriptionPhase::Active;
  }
  notify.set_body("message/sipfrag;version=2.0", std::string(status_line) + "\r\n");
}

void Subscription::fill_timeout(Message& notify) const {
  notify.set(HeaderId::Event, event());
  notify.set(HeaderId::SubscriptionState, "terminated;reason=timeout");
  notify.set_body("message/sipfrag;version=2.0", "SIP/2.0 100 Trying\r\n");
}

void Subscription::notify_answered(int status) {
  // RFC 6665 4.2.2; a timeout (0 here) drops it too.
  constexpr int dropping[] = {0,   404, 405, 408, 410, 416, 480, 481,
                              482, 483, 484, 485, 489, 501, 604};
  if (std::ranges::find(dropping, status) == std::end(dropping)) return;
  phase_ = SubscriptionPhase::Terminated;
  deadline_.reset();
}

std::optional<Subscription::Refusal> Subscription::check(const Message& notify) const {
  const auto state = notify.get<SubscriptionState>();
  if (!state)
    return Refusal{489, "notify-without-subscription-state", {6665, "4.1.3", Level::Must}};
  const auto type = notify.maybe<ContentType>();
  const bool is_sipfrag = type && type->is("message", "sipfrag");
  if (!is_sipfrag) return Refusal{0, "notify-without-sipfrag", {3515, "2.4.5", Level::Must}};
  if (!notify.body().starts_with("SIP/2.0 "))
    return Refusal{0, "sipfrag-without-status-line", {3515, "2.4.5", Level::Must}};
  return std::nullopt;
}

void Subscription::notify_received(const Message& notify, Instant now) {
  const auto state = notify.maybe<SubscriptionState>();
  if (!state) return;
  // RFC 3261 7.3.1: tokens compare without case.
  if (ascii::iequals(state->state, "terminated")) {
    phase_ = SubscriptionPhase::Terminated;
    deadline_.reset();
    return;
  }
  phase_ = ascii::iequals(state->state, "pending") ? SubscriptionPhase::Pending
                                                   : SubscriptionPhase::Active;
  // RFC 6665 4.1.3: expires is the authoritative duration.
  if (const auto expires = state->expires()) expires_at_ = now + std::chrono::seconds(*expires);
  deadline_ = expires_at_;
}

bool Subscription::advance(Instant now) {
  if (!deadline_ || *deadline_ > now) return false;
  phase_ = SubscriptionPhase::Terminated;
  deadline_.reset();
  return true;
}

std::optional<SubscriptionId> refer_event(const Message& message) {
  const auto event = message.maybe<Event>();
  if (!event || event->package != "refer") return std::nullopt;
  const auto id = event->params.find("id");
  if (!id) return SubscriptionId{0, true};
  const auto number = ascii::number<std::uint32_t>(id->value);
  if (!number) return std::nullopt;
  return SubscriptionId{*number, false};
}

}  // namespace sipassay::session
