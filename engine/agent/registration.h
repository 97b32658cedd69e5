// One address-of-record of ours at one registrar (RFC 3261 10.2): what is wanted, what was granted,
// when to ask again. Decides; the agent makes, sends and authenticates the REGISTERs.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/agent/command.h"
#include "engine/base/state_table.h"
#include "engine/base/time.h"
#include "engine/message/message.h"

namespace sipassay::agent {

// 10.2.7: after a timeout or a failure that may pass, unless Retry-After says more.
inline constexpr Duration registration_retry = 60s;
inline constexpr std::uint32_t interval_max = 86'400;  // what a 423 may make us ask for, in seconds
inline constexpr unsigned raises_max = 5;              // 423s in a row that we follow

class Registration {
 public:
  enum class State : std::uint8_t { Idle, Pending, Bound, Waiting };
  enum class On : std::uint8_t {
    Wanted,      // by a command
    Granted,     // 2xx that lists our contact
    Removed,     // 2xx that does not
    TooBrief,    // 423 with a longer Min-Expires
    Refused,     // final response that another try would not change
    Unanswered,  // timeout, transport failure, 408, 5xx
    Due,
  };
  enum class Action : std::uint8_t { Ask, Keep, RefreshLater, Forget, AskLonger, RetryLater };
  static constexpr std::string_view name = "registration";
  static constexpr std::array rows{
      Transition{State::Idle, On::Wanted, State::Pending, Action::Ask, Clause{3261, "10.2"}},
      Transition{State::Bound, On::Wanted, State::Pending, Action::Ask, Clause{3261, "10.2.1"}},
      Transition{State::Waiting, On::Wanted, State::Pending, Action::Ask, Clause{3261, "10.2"}},
      Transition{State::Pending, On::Wanted, State::Pending, Action::Keep, Clause{3261, "10.2"}},
      Transition{State::Pending, On::Granted, State::Bound, Action::RefreshLater,
                 Clause{3261, "10.2.4"}},
      Transition{State::Pending, On::Removed, State::Idle, Action::Forget, Clause{3261, "10.2.2"}},
      Transition{State::Pending, On::TooBrief, State::Pending, Action::AskLonger,
                 Clause{3261, "10.2.8"}},
      Transition{State::Pending, On::Refused, State::Idle, Action::Forget, Clause{3261, "8.1.3"}},
      Transition{State::Pending, On::Unanswered, State::Waiting, Action::RetryLater,
                 Clause{3261, "10.2.7"}},
      Transition{State::Bound, On::Due, State::Pending, Action::Ask, Clause{3261, "10.2.4"}},
      Transition{State::Waiting, On::Due, State::Pending, Action::Ask, Clause{3261, "10.2.7"}},
  };
  static_assert(has_unique_cells(rows));

  // `margin`: how long before its end a binding is refreshed, if it is long enough.
  explicit Registration(Duration margin) : margin_(margin) {}

  // True: send request() now. False: one is pending (10.2 MUST NOT), this follows it.
  bool want(const Register& wish);
  // A final response but a challenge; status 0 of none. True: send request() now.
  bool answered(const Message* response, std::string_view own_contact, Instant now);
  // True: send request() now.
  bool advance(Instant now);

  const Register& request() const { return wish_; }
  State state() const { return state_; }
  // Seconds that the registrar granted; 0: nothing is bound.
  std::uint32_t granted() const { return granted_; }
  std::optional<Instant> next_deadline() const { return due_; }

 private:
  bool act(On on, Instant now);
  bool take_next();
  std::optional<std::uint32_t> granted_by(const Message& response, std::string_view contact) const;
  bool ask_longer(const Message& response);

  Duration margin_;
  State state_ = State::Idle;
  Register wish_;                 // asked for last
  std::optional<Register> next_;  // wanted while one is pending; the newest counts
  std::uint32_t granted_ = 0;
  unsigned raises_ = 0;
  Duration retry_after_{};
  std::optional<Instant> due_;
};

std::string_view to_string(Registration::State state);
std::string_view to_string(Registration::On on);
std::string_view to_string(Registration::Action action);

}  // namespace sipassay::agent
