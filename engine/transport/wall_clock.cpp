#include "engine/transport/wall_clock.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace sipassay::transport {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

}  // namespace

void WallClock::run_until(std::optional<Instant> end) {
  pump();
  while (!hub_.is_stopped()) {
    const Instant now = hub_.now();
    if (end && now >= *end) return;
    if (deadline_ && *deadline_ <= now) {
      handle_(agent::TimePassed{}, now);
      pump();
    }
    std::optional<Instant> until = deadline_;
    if (end && (!until || *end < *until)) until = end;
    hub_.wait(until);
    take_events();
  }
}

void WallClock::command(agent::Command command) {
  handle_(std::move(command), hub_.now());
  pump();
}

void WallClock::take_events() {
  while (auto event = hub_.poll()) {
    take(std::move(*event), hub_.now());
    pump();
  }
}

void WallClock::take(Event event, Instant now) {
  std::visit(
      Overloaded{
          [&](MessageArrived& arrived) {
            handle_(agent::MessageReceived{std::move(arrived.message), arrived.flow}, now);
          },
          [&](GarbageArrived& arrived) {
            handle_(agent::GarbageReceived{std::move(arrived.octets), arrived.error, arrived.flow},
                    now);
          },
          [&](FlowClosed& closed) { handle_(agent::FlowClosed{closed.flow.id}, now); },
          [&](SendFailed& failed) { handle_(agent::DeliveryFailed{failed.to}, now); },
      },
      event);
}

void WallClock::pump() {
  while (true) {
    agent::Output output = poll_();
    if (auto* send = std::get_if<agent::Send>(&output)) {
      hub_.send(
          {.octets = send->message.to_string(), .to = send->to, .segments = {}, .address = {}});
    } else if (const auto* event = std::get_if<agent::Event>(&output)) {
      if (listener_) listener_(*event);
    } else {
      deadline_ = std::get<agent::Wait>(output).deadline;
      return;
    }
  }
}

}  // namespace sipassay::transport
