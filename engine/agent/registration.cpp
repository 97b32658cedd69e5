#include "engine/agent/registration.h"

#include <algorithm>
#include <utility>

#include "engine/message/header/all.h"

namespace sipassay::agent {
namespace {

using Kind = Register::Kind;

bool may_pass(int status) {
  return status == 0 || status == 408 || (status >= 500 && status < 600);
}

}  // namespace

bool Registration::want(const Register& wish) {
  if (state_ == State::Pending) {
    next_ = wish;
    return act(On::Wanted, {});
  }
  wish_ = wish;
  return act(On::Wanted, {});
}

bool Registration::answered(const Message* response, std::string_view own_contact, Instant now) {
  const int status = response == nullptr ? 0 : response->status();
  if (status >= 200 && status < 300) {
    raises_ = 0;
    const auto granted = granted_by(*response, own_contact);
    granted_ = granted.value_or(0);
    act(granted_ > 0 ? On::Granted : On::Removed, now);
    return take_next();
  }
  if (status == 423 && ask_longer(*response)) return act(On::TooBrief, now);
  raises_ = 0;
  retry_after_ = registration_retry;
  if (response != nullptr)
    if (const auto after = response->maybe<RetryAfter>())
      retry_after_ = std::max<Duration>(retry_after_, std::chrono::seconds(after->seconds));
  act(may_pass(status) ? On::Unanswered : On::Refused, now);
  return take_next();
}

bool Registration::advance(Instant now) {
  if (!due_ || *due_ > now) return false;
  return act(On::Due, now);
}

bool Registration::take_next() {
  return next_ && want(*std::exchange(next_, std::nullopt));
}

bool Registration::act(On on, Instant now) {
  const auto* row = find_row(rows, state_, on);
  if (row == nullptr) return false;
  state_ = row->to;
  due_.reset();
  switch (row->action) {
    case Action::Ask:
    case Action::AskLonger:
      return true;
    case Action::Keep:
      return false;
    case Action::RefreshLater: {
      if (!wish_.refreshes) return false;
      // A refresh is for what we bound, whatever was asked last.
      wish_.kind = Kind::Bind;
      const Duration span = std::chrono::seconds(granted_);
      due_ = now + (span > 2 * margin_ ? span - margin_ : span / 2);
      return false;
    }
    case Action::Forget:
      granted_ = 0;
      return false;
    case Action::RetryLater:
      granted_ = 0;
      if (wish_.refreshes && wish_.kind == Kind::Bind) due_ = now + retry_after_;
      return false;
  }
  return false;
}

// 10.2.4: our contact by 19.1.4; its expires, else Expires, else what we asked for.
std::optional<std::uint32_t> Registration::granted_by(const Message& response,
                                                      std::string_view own_contact) const {
  const auto own = parse_uri(own_contact);
  if (!own) return std::nullopt;
  for (const auto& contact : response.all<Contact>()) {
    if (!contact || contact->is_star || !equivalent(contact->addr.uri, *own)) continue;
    if (const auto expires = contact->expires()) return expires;
    if (const auto expires = response.maybe<Expires>()) return expires->value;
    return wish_.expires;
  }
  return std::nullopt;
}

bool Registration::ask_longer(const Message& response) {
  const auto minimum = response.maybe<MinExpires>();
  if (!minimum || wish_.kind != Kind::Bind || minimum->value <= wish_.expires ||
      minimum->value > interval_max || ++raises_ > raises_max)
    return false;
  wish_.expires = minimum->value;
  return true;
}

std::string_view to_string(Registration::State state) {
  switch (state) {
    case Registration::State::Idle:
      return "Idle";
    case Registration::State::Pending:
      return "Pending";
    case Registration::State::Bound:
      return "Bound";
    case Registration::State::Waiting:
      return "Waiting";
  }
  return "";
}

std::string_view to_string(Registration::On on) {
  switch (on) {
    case Registration::On::Wanted:
      return "registration wanted";
    case Registration::On::Granted:
      return "2xx that lists our contact";
    case Registration::On::Removed:
      return "2xx that does not";
    case Registration::On::TooBrief:
      return "423 with a longer Min-Expires";
    case Registration::On::Refused:
      return "3xx, 4xx, 6xx";
    case Registration::On::Unanswered:
      return "timeout, 408, 5xx";
    case Registration::On::Due:
      return "its time has come";
  }
  return "";
}

std::string_view to_string(Registration::Action action) {
  switch (action) {
    case Registration::Action::Ask:
      return "send REGISTER";
    case Registration::Action::Keep:
      return "keep it until the final response";
    case Registration::Action::RefreshLater:
      return "refresh before the end";
    case Registration::Action::Forget:
      return "nothing is bound";
    case Registration::Action::AskLonger:
      return "send REGISTER for Min-Expires";
    case Registration::Action::RetryLater:
      return "try again later";
  }
  return "";
}

}  // namespace sipassay::agent
