// The INVITE client transaction (RFC 3261 17.1.1 with the Accepted state of RFC 6026, figure 5).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/state_table.h"
#include "engine/base/timer_table.h"
#include "engine/transaction/machine.h"

namespace sipassay::transaction {

// Driven by the layer, which matches responses to it, calls fire() when next_deadline() has come
// and drops it once it is Terminated.
class InviteClient {
 public:
  enum class State : std::uint8_t { Start, Calling, Proceeding, Completed, Accepted, Terminated };
  // Provisional 1xx, Success 2xx, Failure 300-699.
  enum class Input : std::uint8_t {
    InviteFromUser,
    Provisional,
    Success,
    Failure,
    TimerA,
    TimerB,
    TimerD,
    TimerM,
    TransportError,
    Abandoned
  };
  enum class Action : std::uint8_t {
    None,
    SendInvite,
    RepeatInvite,
    PassUp,
    PassUpAndLinger,
    PassUpAndAck,
    RepeatAck,
    TellTimeout,
    TellTransportError
  };
  using Row = Transition<State, Input, Action>;
  using enum State;
  using enum Input;
  using enum Action;
  using enum Level;

  static constexpr std::string_view name = "INVITE client";
  // clang-format off
  static constexpr auto rows = std::to_array<Row>({
      {Start,      InviteFromUser, Calling,    SendInvite,         {3261, "17.1.1.2", Must}},
      {Calling,    TimerA,         Calling,    RepeatInvite,       {3261, "17.1.1.2", Must}},
      {Calling,    TimerB,         Terminated, TellTimeout,        {3261, "17.1.1.2", Should}},
      {Calling,    TransportError, Terminated, TellTransportError, {3261, "17.1.4", Should}},
      {Calling,    Provisional,    Proceeding, PassUp,             {3261, "17.1.1.2", Must}},
      {Calling,    Success,        Accepted,   PassUpAndLinger,    {6026, "8.4", Must}},
      {Calling,    Failure,        Completed,  PassUpAndAck,       {6026, "8.4", Must}},
      {Calling,    Abandoned,      Terminated, None,               {3261, "9.1", Should}},
      {Proceeding, Provisional,    Proceeding, PassUp,             {3261, "17.1.1.2", Must}},
      {Proceeding, Success,        Accepted,   PassUpAndLinger,    {6026, "8.4", Must}},
      {Proceeding, Failure,        Completed,  PassUpAndAck,       {6026, "8.4", Must}},
      {Proceeding, Abandoned,      Terminated, None,               {3261, "9.1", Should}},
      {Completed,  Failure,        Completed,  RepeatAck,          {6026, "8.4", Must}},
      {Completed,  Provisional,    Completed,  None,               {3261, "17.1.1.2", Stated}},  // late
      {Completed,  Success,        Completed,  PassUp,             {3261, "16.7", Must}},  // a fork's
      {Completed,  TimerD,         Terminated, None,               {6026, "8.4", Must}},
      {Completed,  TransportError, Terminated, TellTransportError, {3261, "17.1.4", Should}},
      {Accepted,   Success,        Accepted,   PassUp,             {6026, "7.2", Must}},
      // RFC 6026 says nothing of a late 1xx; a reliable one of another fork wants its PRACK.
      {Accepted,   Provisional,    Accepted,   PassUp,             {5407, "E", Stated}},
      {Accepted,   TimerM,         Terminated, None,               {6026, "8.4", Must}},
  });
  // clang-format on

  explicit InviteClient(Context the_context) : context_(std::move(the_context)) {}

  void start(Instant now, Outbox& out) { step(InviteFromUser, now, out); }
  void receive(Message response, const Flow& flow, Instant now, Outbox& out);
  void transport_failed(Instant now, Outbox& out);
  void abandon(Instant now, Outbox& out);
  // The timer that is due at now, if there is one.
  void fire(Instant now, Outbox& out);

  std::optional<Instant> next_deadline() const { return timers_.next(); }
  State state() const { return state_; }
  bool is_terminated() const { return state_ == Terminated; }
  const Context& context() const { return context_; }

 private:
  enum class Timer : std::uint8_t {
    B,
    A,
    D,
    M,
    Count
  };  // of two that are due the first goes first

  void step(Input input, Instant now, Outbox& out, const Flow& flow = {});
  void perform(Action action, Instant now, Outbox& out, const Flow& flow);
  void pass_up(const Flow& flow, Outbox& out);

  Context context_;
  State state_ = Start;
  TimerTable<Timer> timers_;
  Duration interval_{};         // of Timer A
  std::optional<Message> ack_;  // for the non-2xx final response
};

static_assert(has_unique_cells(InviteClient::rows));

std::string_view to_string(InviteClient::State state);
std::string_view to_string(InviteClient::Input input);
std::string_view to_string(InviteClient::Action action);

}  // namespace sipassay::transaction
