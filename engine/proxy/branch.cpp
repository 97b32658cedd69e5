#include "engine/proxy/branch.h"

namespace sipassay::proxy {

Branch::Action Branch::step(Input input, Instant now) {
  const auto* row = find_row(rows, state_, input);
  if (row == nullptr) return None;
  state_ = row->to;
  // 16.6 step 11, 16.7 step 2: set with the request, and anew with every 101-199.
  if (is_invite() && (input == Forwarded || input == Provisional) && state_ != Cancelling)
    timers_.start(Timer::C, now + timer_c_);
  if (state_ == Cancelling && !timers_.is_running(Timer::Cancel)) {
    timers_.stop(Timer::C);
    timers_.start(Timer::Cancel, now + cancel_wait_);
  }
  if (state_ == Completed) timers_.stop_all();
  return row->action;
}

std::optional<Branch::Input> Branch::take_due(Instant now) {
  const auto timer = timers_.take_due(now);
  if (!timer) return std::nullopt;
  return *timer == Timer::C ? Input::TimerC : Input::TimerCancel;
}

std::string_view to_string(Branch::State state) {
  static constexpr std::string_view names[] = {"Start",        "Calling",    "Proceeding",
                                               "CancelWanted", "Cancelling", "Completed"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(Branch::Input input) {
  static constexpr std::string_view names[] = {"Forwarded",
                                               "100",
                                               "101-199",
                                               "2xx",
                                               "300-699",
                                               "TimedOut",
                                               "TransportError",
                                               "Timer C",
                                               "no answer to CANCEL",
                                               "no longer wanted"};
  return names[static_cast<std::size_t>(input)];
}

std::string_view to_string(Branch::Action action) {
  static constexpr std::string_view names[] = {"",
                                               "forward",
                                               "forward, send CANCEL",
                                               "keep as a candidate",
                                               "send CANCEL",
                                               "take as 408",
                                               "take as 503"};
  return names[static_cast<std::size_t>(action)];
}

}  // namespace sipassay::proxy
