#include "engine/session/session_timer.h"

#include <algorithm>

namespace sipassay::session {

Duration expiration_margin(Duration interval) {
  return std::min<Duration>(32s, interval / 3);
}

void SessionTimer::granted(Duration interval, bool to_us, Instant now) {
  interval_ = interval;
  step(to_us ? GrantedToUs : GrantedToPeer, now);
}

void SessionTimer::busy(Duration wait, Instant now) {
  wait_ = wait;
  step(Busy, now);
}

void SessionTimer::refused(int status, std::optional<Duration> wait, Instant now) {
  // Glare is no error of the refresh: the wait of RFC 3261 14.1 resolves it.
  constexpr int glare = 491;
  tries_ = status == last_error_ && status != glare ? tries_ + 1 : 1;
  last_error_ = status;
  wait_ = wait.value_or((expires_at_ - now) / 2);
  step(tries_ < refresh_tries_max ? Refused : RefusedAgain, now);
}

SessionTimer::Due SessionTimer::advance(Instant now) {
  const auto timer = timers_.take_due(now);
  if (!timer) return Due::Nothing;
  switch (step(*timer == Timer::Refresh ? RefreshTimer : ExpirationTimer, now)) {
    case Action::Refresh:
      return Due::Refresh;
    case Action::Expire:
      return Due::Expire;
    default:
      return Due::Nothing;
  }
}

SessionTimer::Action SessionTimer::step(Input input, Instant now) {
  const Row* row = find_row(rows, state_, input);
  if (row == nullptr) return Action::None;
  state_ = row->to;
  switch (row->action) {
    case Action::StartRefreshing:
      // 7.2, 9 RECOMMENDED: once half of the interval is over.
      expires_at_ = now + interval_;
      timers_.start(Timer::Refresh, now + interval_ / 2);
      timers_.start(Timer::Expiration, expires_at_);
      tries_ = 0;
      last_error_ = 0;
      break;
    case Action::StartWaiting:
      timers_.stop(Timer::Refresh);
      timers_.start(Timer::Expiration, now + interval_ - expiration_margin(interval_));
      break;
    case Action::TryLater:
      timers_.start(Timer::Refresh, now + wait_);
      break;
    case Action::Expire:
    case Action::Stop:
      timers_.stop_all();
      break;
    case Action::Refresh:
    case Action::None:
      break;
  }
  return row->action;
}

std::string_view to_string(SessionTimer::State state) {
  constexpr std::array<std::string_view, 4> names{"Off", "Refresher", "Refreshing", "Waiting"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(SessionTimer::Input input) {
  constexpr std::array<std::string_view, 9> names{"2xx: we refresh",
                                                  "2xx: the peer refreshes",
                                                  "2xx without Session-Expires",
                                                  "time to refresh",
                                                  "refresh cannot be sent",
                                                  "refresh refused",
                                                  "refresh refused as before",
                                                  "expiration",
                                                  "session ended"};
  return names[static_cast<std::size_t>(input)];
}

std::string_view to_string(SessionTimer::Action action) {
  constexpr std::array<std::string_view, 7> names{"none",
                                                  "refresh at half the interval",
                                                  "await a refresh",
                                                  "send a refresh",
                                                  "try later",
                                                  "send BYE",
                                                  "stop timers"};
  return names[static_cast<std::size_t>(action)];
}

}  // namespace sipassay::session
