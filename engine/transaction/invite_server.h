// The INVITE server transaction (RFC 3261 17.2.1 with the Accepted state of RFC 6026, figure 7).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/state_table.h"
#include "engine/base/timer_table.h"
#include "engine/transaction/machine.h"

namespace sipassay::transaction {

// Driven by the layer, which matches requests to it, calls fire() when next_deadline() has come and
// drops it once it is Terminated.
class InviteServer {
 public:
  enum class State : std::uint8_t { Start, Proceeding, Completed, Confirmed, Accepted, Terminated };
  // Provisional 1xx, Success 2xx, Failure 300-699; Trying: 200 ms without an answer.
  enum class Input : std::uint8_t {
    Invite,
    Ack,
    ProvisionalFromUser,
    SuccessFromUser,
    FailureFromUser,
    TimerTrying,
    TimerG,
    TimerH,
    TimerI,
    TimerL,
    TransportError
  };
  enum class Action : std::uint8_t {
    None,
    PassUp,
    SendTrying,
    SendProvisional,
    SendSuccess,
    SendFailure,
    Send,
    Repeat,
    RepeatOnTimer,
    StopRepeating,
    PassAckUp,
    TellTimeout,
    TellTransportError
  };
  using Row = Transition<State, Input, Action>;
  using enum State;
  using enum Input;
  using enum Action;
  using enum Level;

  static constexpr std::string_view name = "INVITE server";
  // clang-format off
  static constexpr auto rows = std::to_array<Row>({
      {Start,      Invite,              Proceeding, PassUp,             {3261, "17.2.1", Must}},
      {Proceeding, Invite,              Proceeding, Repeat,             {3261, "17.2.1", Must}},
      {Proceeding, TimerTrying,         Proceeding, SendTrying,         {3261, "17.2.1", Must}},
      {Proceeding, ProvisionalFromUser, Proceeding, SendProvisional,    {3261, "17.2.1", Must}},
      {Proceeding, SuccessFromUser,     Accepted,   SendSuccess,        {6026, "7.1", Must}},
      {Proceeding, FailureFromUser,     Completed,  SendFailure,        {3261, "17.2.1", Must}},
      {Proceeding, TransportError,      Proceeding, TellTransportError, {6026, "8.8", Must}},
      {Completed,  Invite,              Completed,  Repeat,             {3261, "17.2.1", Should}},
      {Completed,  TimerG,              Completed,  RepeatOnTimer,      {3261, "17.2.1", Stated}},
      {Completed,  Ack,                 Confirmed,  StopRepeating,      {3261, "17.2.1", Must}},
      {Completed,  TimerH,              Terminated, TellTimeout,        {3261, "17.2.1", Must}},
      {Completed,  TransportError,      Completed,  TellTransportError, {6026, "8.8", Must}},
      {Confirmed,  Ack,                 Confirmed,  None,               {3261, "17.2.1", Stated}},
      {Confirmed,  Invite,              Confirmed,  None,               {3261, "17.2.3", Stated}},  // late
      {Confirmed,  TimerI,              Terminated, None,               {3261, "17.2.1", Must}},
      {Accepted,   Invite,              Accepted,   None,               {6026, "7.1", Stated}},
      {Accepted,   SuccessFromUser,     Accepted,   Send,               {6026, "7.1", Must}},
      {Accepted,   Ack,                 Accepted,   PassAckUp,          {6026, "7.1", Must}},
      {Accepted,   TransportError,      Accepted,   TellTransportError, {6026, "8.8", Must}},
      {Accepted,   TimerL,              Terminated, None,               {6026, "7.1", Must}},
  });
  // clang-format on

  // `sends_trying`: a 100 if the user has not answered within 200 ms.
  InviteServer(Context the_context, bool sends_trying)
      : context_(std::move(the_context)), sends_trying_(sends_trying) {}

  // The request that made it comes up as the layer's RequestReceived.
  void start(Instant now, Outbox& out) { step(Invite, now, out); }
  // A retransmission of the INVITE.
  void receive_again(Instant now, Outbox& out) { step(Invite, now, out); }
  void receive_ack(Message ack, const Flow& flow, Instant now, Outbox& out);
  // False: there is no row for this response in this state; nothing was done.
  bool respond(Message response, Instant now, Outbox& out);
  // The 2xx once more; false if it is not in Accepted.
  bool repeat_success(Outbox& out);
  void transport_failed(Instant now, Outbox& out);
  void fire(Instant now, Outbox& out);

  std::optional<Instant> next_deadline() const { return timers_.next(); }
  State state() const { return state_; }
  bool is_terminated() const { return state_ == Terminated; }
  const Context& context() const { return context_; }

 private:
  enum class Timer : std::uint8_t { H, G, I, L, Trying, Count };

  void step(Input input, Instant now, Outbox& out);
  void perform(Action action, Instant now, Outbox& out);

  Context context_;
  State state_ = Start;
  TimerTable<Timer> timers_;
  Duration interval_{};  // of Timer G
  bool sends_trying_;
  std::optional<RequestReceived> ack_;  // the one in hand
};

static_assert(has_unique_cells(InviteServer::rows));

// RFC 3261 17.2.1.
inline constexpr Duration trying_delay = 200ms;

std::string_view to_string(InviteServer::State state);
std::string_view to_string(InviteServer::Input input);
std::string_view to_string(InviteServer::Action action);

}  // namespace sipassay::transaction
