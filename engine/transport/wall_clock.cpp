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

WallClock::WallClock(Hub& hub, agent::Agent& agent, Listener listener)
    : hub_(hub), agent_(agent), listener_(std::move(listener)) {}

void WallClock::run_until(std::optional<Instant> end) {
  while (!hub_.is_stopped() && (!end || hub_.now() < *end)) turn(end);
}

void WallClock::turn(std::optional<Instant> end) {
  const Instant now = hub_.now();
  if (deadline_ && *deadline_ <= now) agent_.handle(agent::TimePassed{}, now);
  pump();
  std::optional<Instant> until = deadline_;
  if (end && (!until || *end < *until)) until = end;
  hub_.wait(until);
  take_events();
}

void WallClock::command(agent::Command command) {
  agent_.handle(std::move(command), hub_.now());
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
            agent_.handle(agent::MessageReceived{std::move(arrived.message), arrived.flow}, now);
          },
          [&](GarbageArrived& arrived) {
            agent_.handle(
                agent::GarbageReceived{std::move(arrived.octets), arrived.error, arrived.flow},
                now);
          },
          [&](FlowClosed& closed) { agent_.handle(agent::FlowClosed{closed.flow.id}, now); },
          [&](SendFailed& failed) { agent_.handle(agent::DeliveryFailed{failed.to}, now); },
      },
      event);
}

void WallClock::pump() {
  while (true) {
    agent::Output output = agent_.poll();
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
