// The non-INVITE server transaction (RFC 3261 17.2.2, figure 8; RFC 4320).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/state_table.h"
#include "engine/base/timer_table.h"
#include "engine/transaction/machine.h"

namespace sipassay::transaction {

// Driven like InviteServer.
class NonInviteServer {
 public:
  enum class State : std::uint8_t { Start, Trying, Proceeding, Completed, Terminated };
  // Provisional 1xx, Final 200-699; TimerTrying: the client's Timer E has reached T2;
  // TimerUnanswered: the client's Timer F has fired.
  enum class Input : std::uint8_t {
    Request,
    ProvisionalFromUser,
    FinalFromUser,
    TimerTrying,
    TimerUnanswered,
    TimerJ,
    TransportError
  };
  enum class Action : std::uint8_t {
    None,
    PassUp,
    SendTrying,
    SendProvisional,
    SendFinal,
    Repeat,
    TellTimeout,
    TellTransportError
  };
  using Row = Transition<State, Input, Action>;
  using enum State;
  using enum Input;
  using enum Action;
  using enum Level;

  static constexpr std::string_view name = "non-INVITE server";
  // clang-format off
  static constexpr auto rows = std::to_array<Row>({
      {Start,      Request,             Trying,     PassUp,             {3261, "17.2.2", Stated}},
      {Trying,     Request,             Trying,     None,               {3261, "17.2.2", Stated}},
      {Trying,     ProvisionalFromUser, Proceeding, SendProvisional,    {3261, "17.2.2", Must}},
      {Trying,     FinalFromUser,       Completed,  SendFinal,          {3261, "17.2.2", Must}},
      {Trying,     TimerTrying,         Proceeding, SendTrying,         {4320, "4.1", Must}},
      {Trying,     TimerUnanswered,     Terminated, TellTimeout,        {4320, "4.2", Stated}},
      {Proceeding, Request,             Proceeding, Repeat,             {3261, "17.2.2", Must}},
      {Proceeding, ProvisionalFromUser, Proceeding, SendProvisional,    {3261, "17.2.2", Must}},
      {Proceeding, FinalFromUser,       Completed,  SendFinal,          {3261, "17.2.2", Must}},
      {Proceeding, TimerUnanswered,     Terminated, TellTimeout,        {4320, "4.2", Stated}},
      {Proceeding, TransportError,      Proceeding, TellTransportError, {6026, "8.8", Must}},
      {Completed,  Request,             Completed,  Repeat,             {3261, "17.2.2", Must}},
      {Completed,  FinalFromUser,       Completed,  None,               {3261, "17.2.2", Must}},
      {Completed,  TransportError,      Completed,  TellTransportError, {6026, "8.8", Must}},
      {Completed,  TimerJ,              Terminated, None,               {3261, "17.2.2", Must}},
  });
  // clang-format on

  // `sends_trying`: the late 100 of RFC 4320 4.1.
  NonInviteServer(Context the_context, bool sends_trying)
      : context_(std::move(the_context)), sends_trying_(sends_trying) {}

  void start(Instant now, Outbox& out);
  // A retransmission of the request.
  void receive_again(Instant now, Outbox& out) { step(Request, now, out); }
  // False: there is no row for this response in this state; nothing was done.
  bool respond(Message response, Instant now, Outbox& out);
  // RFC 4320 4.1: over an unreliable transport a 100 is too early before this.
  Instant trying_from() const { return trying_from_; }
  void transport_failed(Instant now, Outbox& out);
  void fire(Instant now, Outbox& out);

  std::optional<Instant> next_deadline() const { return timers_.next(); }
  State state() const { return state_; }
  bool is_terminated() const { return state_ == Terminated; }
  const Context& context() const { return context_; }

 private:
  enum class Timer : std::uint8_t { Unanswered, Trying, J, Count };

  void step(Input input, Instant now, Outbox& out);
  void perform(Action action, Instant now, Outbox& out);

  Context context_;
  State state_ = Start;
  TimerTable<Timer> timers_;
  bool sends_trying_;
  Instant trying_from_{};
};

static_assert(has_unique_cells(NonInviteServer::rows));

// How long after a request its client resets Timer E to T2 (RFC 4320 4.1): 3.5 s by default.
Duration late_trying_delay(const Timings& timings);

std::string_view to_string(NonInviteServer::State state);
std::string_view to_string(NonInviteServer::Input input);
std::string_view to_string(NonInviteServer::Action action);

}  // namespace sipassay::transaction
