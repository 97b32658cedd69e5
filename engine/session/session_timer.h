// The session timer of one dialog (RFC 4028 7.2, 9, 10): who refreshes, when, and when the session
// is over.
//
// Driven by session_dialog: it tells what a 2xx granted and what became of a refresh, and does what
// advance() says. Sends nothing by itself.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/state_table.h"
#include "engine/base/time.h"
#include "engine/base/timer_table.h"

namespace sipassay::session {

// Refreshes in a row that got the same error; then the session is left to expire (RFC 4028 10).
inline constexpr unsigned refresh_tries_max = 3;

class SessionTimer {
 public:
  // Off: the session has no expiration. Refresher: we refresh. Refreshing: our refresh has no final
  // response. Waiting: the peer refreshes.
  enum class State : std::uint8_t { Off, Refresher, Refreshing, Waiting };
  enum class Input : std::uint8_t {
    GrantedToUs,      // a 2xx: we refresh
    GrantedToPeer,    // a 2xx: the peer refreshes
    NotGranted,       // a 2xx without Session-Expires
    RefreshTimer,     // half of the interval is over, or the wait after an error
    Busy,             // the refresh cannot be sent at present
    Refused,          // an error that does not end the session
    RefusedAgain,     // the same error for the last time that we try
    ExpirationTimer,  // nobody has refreshed
    SessionEnded
  };
  enum class Action : std::uint8_t {
    None,
    StartRefreshing,
    StartWaiting,
    Refresh,
    TryLater,
    Expire,
    Stop
  };
  using Row = Transition<State, Input, Action>;
  using enum State;
  using enum Input;
  using enum Level;

  static constexpr std::string_view name = "session timer";
  // clang-format off
  static constexpr auto rows = std::to_array<Row>({
      {Off,        GrantedToUs,     Refresher,  Action::StartRefreshing, {4028, "7.2", Must}},
      {Off,        GrantedToPeer,   Waiting,    Action::StartWaiting,    {4028, "10", Should}},
      {Off,        NotGranted,      Off,        Action::None,            {4028, "7.2", Stated}},
      {Refresher,  GrantedToUs,     Refresher,  Action::StartRefreshing, {4028, "7.2", Stated}},
      {Refresher,  GrantedToPeer,   Waiting,    Action::StartWaiting,    {4028, "7.2", Must}},
      {Refresher,  NotGranted,      Off,        Action::Stop,            {4028, "7.2", Stated}},
      {Refresher,  RefreshTimer,    Refreshing, Action::Refresh,         {4028, "7.2", Should}},
      {Refresher,  ExpirationTimer, Off,        Action::Expire,          {4028, "3", Stated}},
      {Refresher,  SessionEnded,    Off,        Action::Stop,            {3261, "15.1.1", Must}},
      {Refreshing, GrantedToUs,     Refresher,  Action::StartRefreshing, {4028, "10", Stated}},
      {Refreshing, GrantedToPeer,   Waiting,    Action::StartWaiting,    {4028, "7.2", Must}},
      {Refreshing, NotGranted,      Off,        Action::Stop,            {4028, "7.2", Stated}},
      {Refreshing, Busy,            Refresher,  Action::TryLater,        {3261, "14.1", MustNot}},
      {Refreshing, Refused,         Refresher,  Action::TryLater,        {4028, "10", Should}},
      {Refreshing, RefusedAgain,    Refresher,  Action::None,            {4028, "10", ShouldNot}},
      {Refreshing, ExpirationTimer, Off,        Action::Expire,          {4028, "3", Stated}},
      {Refreshing, SessionEnded,    Off,        Action::Stop,            {3261, "15.1.1", Must}},
      {Waiting,    GrantedToUs,     Refresher,  Action::StartRefreshing, {4028, "9", Must}},
      {Waiting,    GrantedToPeer,   Waiting,    Action::StartWaiting,    {4028, "9", Stated}},
      {Waiting,    NotGranted,      Off,        Action::Stop,            {4028, "9", Stated}},
      {Waiting,    ExpirationTimer, Off,        Action::Expire,          {4028, "10", Should}},
      {Waiting,    SessionEnded,    Off,        Action::Stop,            {3261, "15.1.1", Must}},
  });
  // clang-format on

  State state() const { return state_; }
  bool is_on() const { return state_ != Off; }
  bool is_ours() const { return state_ == Refresher || state_ == Refreshing; }
  // Of the last 2xx; meaningful while is_on().
  Duration interval() const { return interval_; }

  // A 2xx to an INVITE or UPDATE was sent or received.
  void granted(Duration interval, bool to_us, Instant now);
  void not_granted() { step(NotGranted, {}); }
  // The refresh was not sent, or got this error; try again after `wait`. No wait: when half of what
  // is left of the session is over.
  void busy(Duration wait, Instant now);
  void refused(int status, std::optional<Duration> wait, Instant now);
  void session_ended() { step(SessionEnded, {}); }

  enum class Due : std::uint8_t { Nothing, Refresh, Expire };
  // One thing due at now: send a refresh, or BYE.
  Due advance(Instant now);
  std::optional<Instant> next_deadline() const { return timers_.next(); }

 private:
  enum class Timer : std::uint8_t { Expiration, Refresh, Count };

  Action step(Input input, Instant now);

  State state_ = Off;
  TimerTable<Timer> timers_;
  Duration interval_{};
  Duration wait_{};  // of TryLater
  Instant expires_at_{};
  int last_error_ = 0;
  unsigned tries_ = 0;  // that got last_error_
};

static_assert(has_unique_cells(SessionTimer::rows));

std::string_view to_string(SessionTimer::State state);
std::string_view to_string(SessionTimer::Input input);
std::string_view to_string(SessionTimer::Action action);

// RFC 4028 10: how long before the expiration the side that does not refresh sends BYE.
Duration expiration_margin(Duration interval);

}  // namespace sipassay::session
