// Calls that `sipassay ua --call` makes: when each begins, what is done in it, how it went.
//
// Driven like the agent: handle() takes what the agent tells, poll() gives the next command for it,
// until nothing is due before deadline(). A call has failed when it was not answered, when anything
// done in it was refused, when the peer ended it too early or broke a rule.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/agent/command.h"
#include "engine/agent/event.h"
#include "engine/base/time.h"

namespace sipassay::tools {

inline constexpr std::size_t call_steps_max = 64;
inline constexpr std::size_t failures_told_max = 100;  // one by one; all are counted

struct CallStepRow;

// One thing that is done in a call, once what was done before it has its answer.
struct CallStep {
  const CallStepRow* row = nullptr;
  std::string argument;  // behind "="
  Duration wait{};
};
// Of texts like "hold", "refer=sip:carol@192.0.2.7", "wait=1s". The error is one line for a user.
std::expected<std::vector<CallStep>, std::string> call_steps_from(
    const std::vector<std::string>& written);
// One line a step, for --help.
std::string call_steps_text();

struct CallPlan {
  std::vector<std::string> targets;  // called in turn; at least one
  std::uint64_t calls = 1;
  Duration interval = 100ms;  // from one beginning to the next
  std::size_t at_once = 100;  // no more side by side
  Duration patience = 180s;   // a call that is not over by then has failed
  agent::Call call{};         // but for the target
  std::vector<CallStep> steps{};
};

class Calls {
 public:
  explicit Calls(CallPlan plan) : plan_(std::move(plan)) {}

  void handle(const agent::Event& event);
  std::optional<agent::Command> poll(Instant now);
  std::optional<Instant> deadline() const;

  bool is_over() const { return begun_ == plan_.calls && live_.empty() && !is_placing_; }
  std::uint64_t ended_count() const { return ended_count_; }
  std::uint64_t failed_count() const { return failed_count_; }
  // One line a failed call, since last asked.
  std::vector<std::string> take_failures() { return std::exchange(failures_, {}); }

 private:
  enum class Phase : std::uint8_t {
    Calling,    // until it is confirmed
    Idle,       // the next step may go
    Stepping,   // until the step has its answer
    HangingUp,  // until the BYE has its answer
    Over,
  };
  struct Live {
    Phase phase = Phase::Calling;
    std::size_t step = 0;
    std::optional<Instant> gives_up_at{}, wait_ends_at{};
    int refer_status = 0;  // that the last NOTIFY told
    std::string failure{};
    bool wants_hang_up = false;
  };
  using Entry = std::map<agent::CallId, Live>::iterator;

  void on(const agent::CallPlaced& event);
  void on(const agent::CallConfirmed& event);
  void on(const agent::CallEnded& event);
  void on(const agent::RequestAnswered& event);
  void on(const agent::OfferRejected& event);
  void on(const agent::NotifyArrived& event);
  void on(const agent::SubscriptionMoved& event);
  void on(const agent::Violation& event);
  void on(const auto&) {}

  std::optional<agent::Command> begin(Instant now);
  std::optional<agent::Command> go_on(agent::CallId id, Live& call, Instant now);
  const CallStep* current(const Live& call) const;
  void step_done(Live& call);
  void fail(Live& call, std::string why);
  void count(agent::CallId id, const std::string& failure);

  CallPlan plan_;
  std::map<agent::CallId, Live> live_;
  std::uint64_t begun_ = 0, ended_count_ = 0, failed_count_ = 0;
  bool is_placing_ = false;  // a Call was given, and nothing heard of it yet
  Instant next_begin_{};
  std::vector<std::string> failures_;
};

}  // namespace sipassay::tools
