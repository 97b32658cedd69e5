// One branch of a response context: a request that was sent on to one target, seen from above its
// client transaction (RFC 3261 16.6 to 16.10).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/state_table.h"
#include "engine/base/timer_table.h"
#include "engine/message/message.h"
#include "engine/transaction/layer.h"
#include "engine/transaction/timings.h"

namespace sipassay::proxy {

// Driven by the proxy: step() what happened, do what the action says; fire() when next_deadline()
// has come. Sends nothing by itself.
class Branch {
 public:
  enum class State : std::uint8_t {
    Start,
    Calling,
    Proceeding,
    CancelWanted,
    Cancelling,
    Completed
  };
  // Trying 100, Provisional 101-199, Success 2xx, Failure 300-699. Cancel: this branch is no longer
  // wanted.
  enum class Input : std::uint8_t {
    Forwarded,
    Trying,
    Provisional,
    Success,
    Failure,
    TimedOut,
    Unreachable,
    TimerC,
    TimerCancel,
    Cancel
  };
  enum class Action : std::uint8_t {
    None,
    PassUp,           // forward the response at once
    PassUpAndCancel,  // and send CANCEL
    Keep,             // the response is a candidate for the best one
    SendCancel,
    TakeTimeout,  // as if 408 had come
    TakeFailure,  // as if 503 had come
  };
  using Row = Transition<State, Input, Action>;
  using enum State;
  using enum Input;
  using enum Action;
  using enum Level;

  static constexpr std::string_view name = "proxy branch";
  // clang-format off
  static constexpr auto rows = std::to_array<Row>({
      {Start,        Forwarded,   Calling,      None,            {3261, "16.6", Must}},
      {Calling,      Trying,      Proceeding,   None,            {3261, "16.7", MustNot}},  // never sent on
      {Calling,      Provisional, Proceeding,   PassUp,          {3261, "16.7", Must}},
      {Calling,      Success,     Completed,    PassUp,          {3261, "16.7", Must}},
      {Calling,      Failure,     Completed,    Keep,            {3261, "16.7", MustNot}},  // not at once
      {Calling,      TimedOut,    Completed,    TakeTimeout,     {3261, "16.7", Must}},
      {Calling,      Unreachable, Completed,    TakeFailure,     {3261, "16.9", Must}},
      {Calling,      TimerC,      Completed,    TakeTimeout,     {3261, "16.8", Must}},
      {Calling,      Cancel,      CancelWanted, None,            {3261, "9.1", MustNot}},   // no 1xx yet
      {Proceeding,   Trying,      Proceeding,   None,            {3261, "16.7", MustNot}},
      {Proceeding,   Provisional, Proceeding,   PassUp,          {3261, "16.7", Must}},
      {Proceeding,   Success,     Completed,    PassUp,          {3261, "16.7", Must}},
      {Proceeding,   Failure,     Completed,    Keep,            {3261, "16.7", MustNot}},
      {Proceeding,   TimedOut,    Completed,    TakeTimeout,     {3261, "16.7", Must}},
      {Proceeding,   Unreachable, Completed,    TakeFailure,     {3261, "16.9", Must}},
      {Proceeding,   TimerC,      Cancelling,   SendCancel,      {3261, "16.8", Must}},
      {Proceeding,   Cancel,      Cancelling,   SendCancel,      {3261, "16.10", Must}},
      {CancelWanted, Trying,      Cancelling,   SendCancel,      {3261, "9.1", Must}},
      {CancelWanted, Provisional, Cancelling,   PassUpAndCancel, {3261, "9.1", Must}},
      {CancelWanted, Success,     Completed,    PassUp,          {3261, "16.7", Must}},
      {CancelWanted, Failure,     Completed,    Keep,            {3261, "16.7", MustNot}},
      {CancelWanted, TimedOut,    Completed,    TakeTimeout,     {3261, "16.7", Must}},
      {CancelWanted, Unreachable, Completed,    TakeFailure,     {3261, "16.9", Must}},
      {Cancelling,   Trying,      Cancelling,   None,            {3261, "16.7", MustNot}},
      {Cancelling,   Provisional, Cancelling,   PassUp,          {3261, "16.7", Must}},
      {Cancelling,   Success,     Completed,    PassUp,          {3261, "16.7", Must}},
      {Cancelling,   Failure,     Completed,    Keep,            {3261, "16.7", MustNot}},
      {Cancelling,   Unreachable, Completed,    TakeFailure,     {3261, "16.9", Must}},
      {Cancelling,   TimerCancel, Completed,    TakeTimeout,     {3261, "9.1", Should}},
      {Completed,    Success,     Completed,    PassUp,          {3261, "16.7", Must}},     // of a fork behind
  });
  // clang-format on

  // Timer C runs for INVITE only. Both spans must be positive.
  Branch(Message request, Duration timer_c, Duration cancel_wait)
      : request_(std::move(request)), timer_c_(timer_c), cancel_wait_(cancel_wait) {}

  // What is to be done; None too for an input that means nothing in this state.
  Action step(Input input, Instant now);
  // The input of a timer that is due.
  std::optional<Input> take_due(Instant now);
  std::optional<Instant> next_deadline() const { return timers_.next(); }

  State state() const { return state_; }
  bool is_over() const { return state_ == Completed; }
  const Message& request() const { return request_; }
  bool is_invite() const { return request_.method() == Method::Invite; }

  transaction::Id transaction = 0;  // of the client
  std::optional<Message> final;     // 300-699 that came, or that we made in its place

 private:
  enum class Timer : std::uint8_t { C, Cancel, Count };

  Message request_;  // as it was sent on
  Duration timer_c_, cancel_wait_;
  State state_ = Start;
  TimerTable<Timer> timers_;
};

static_assert(has_unique_cells(Branch::rows));

std::string_view to_string(Branch::State state);
std::string_view to_string(Branch::Input input);
std::string_view to_string(Branch::Action action);

}  // namespace sipassay::proxy
