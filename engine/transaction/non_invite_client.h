// The non-INVITE client transaction (RFC 3261 17.1.2, figure 6).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/state_table.h"
#include "engine/base/timer_table.h"
#include "engine/transaction/machine.h"

namespace sipassay::transaction {

// Driven like InviteClient.
class NonInviteClient {
 public:
  enum class State : std::uint8_t { Start, Trying, Proceeding, Completed, Terminated };
  // Provisional 1xx, Final 200-699.
  enum class Input : std::uint8_t {
    RequestFromUser,
    Provisional,
    Final,
    TimerE,
    TimerF,
    TimerK,
    TransportError,
    Abandoned
  };
  enum class Action : std::uint8_t {
    None,
    SendRequest,
    RepeatRequest,
    RepeatSlowly,
    PassUp,
    PassUpAndAbsorb,
    TellTimeout,
    TellTransportError
  };
  using Row = Transition<State, Input, Action>;
  using enum State;
  using enum Input;
  using enum Action;
  using enum Level;

  static constexpr std::string_view name = "non-INVITE client";
  // clang-format off
  static constexpr auto rows = std::to_array<Row>({
      {Start,      RequestFromUser, Trying,     SendRequest,        {3261, "17.1.2.2", Must}},
      {Trying,     TimerE,          Trying,     RepeatRequest,      {3261, "17.1.2.2", Must}},
      {Trying,     TimerF,          Terminated, TellTimeout,        {3261, "17.1.2.2", Should}},
      {Trying,     TransportError,  Terminated, TellTransportError, {3261, "17.1.4", Should}},
      {Trying,     Provisional,     Proceeding, PassUp,             {3261, "17.1.2.2", Must}},
      {Trying,     Final,           Completed,  PassUpAndAbsorb,    {3261, "17.1.2.2", Must}},
      {Trying,     Abandoned,       Terminated, None,               {3261, "17.1.2.2", Stated}},
      {Proceeding, TimerE,          Proceeding, RepeatSlowly,       {3261, "17.1.2.2", Must}},
      {Proceeding, TimerF,          Terminated, TellTimeout,        {3261, "17.1.2.2", Must}},
      {Proceeding, TransportError,  Terminated, TellTransportError, {3261, "17.1.4", Should}},
      {Proceeding, Provisional,     Proceeding, PassUp,             {3261, "17.1.2.2", Must}},
      {Proceeding, Final,           Completed,  PassUpAndAbsorb,    {3261, "17.1.2.2", Must}},
      {Proceeding, Abandoned,       Terminated, None,               {3261, "17.1.2.2", Stated}},
      {Completed,  Provisional,     Completed,  None,               {3261, "17.1.2.2", Stated}},
      {Completed,  Final,           Completed,  None,               {3261, "17.1.2.2", Stated}},
      {Completed,  TimerK,          Terminated, None,               {3261, "17.1.2.2", Must}},
  });
  // clang-format on

  explicit NonInviteClient(Context the_context) : context_(std::move(the_context)) {}

  void start(Instant now, Outbox& out) { step(RequestFromUser, now, out); }
  void receive(Message response, const Flow& flow, Instant now, Outbox& out);
  void transport_failed(Instant now, Outbox& out);
  void abandon(Instant now, Outbox& out);
  void fire(Instant now, Outbox& out);

  std::optional<Instant> next_deadline() const { return timers_.next(); }
  State state() const { return state_; }
  bool is_terminated() const { return state_ == Terminated; }
  const Context& context() const { return context_; }

 private:
  enum class Timer : std::uint8_t { F, E, K, Count };

  void step(Input input, Instant now, Outbox& out, const Flow& flow = {});
  void perform(Action action, Instant now, Outbox& out, const Flow& flow);
  void pass_up(const Flow& flow, Outbox& out);

  Context context_;
  State state_ = Start;
  TimerTable<Timer> timers_;
  Duration interval_{};  // of Timer E
};

static_assert(has_unique_cells(NonInviteClient::rows));

std::string_view to_string(NonInviteClient::State state);
std::string_view to_string(NonInviteClient::Input input);
std::string_view to_string(NonInviteClient::Action action);

}  // namespace sipassay::transaction
