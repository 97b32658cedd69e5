#include "fuzz/world.h"

#include <algorithm>
#include <utility>

#include "engine/message/parse.h"
#include "fuzz/support.h"

namespace sipassay::fuzz {

namespace {

constexpr std::size_t steps_max = 60'000;  // of one input: beyond, somebody spins
constexpr std::size_t sent_kept_max = 512;

agent::Settings settings(std::size_t side) {
  const std::string host = side == 0 ? "192.0.2.1" : "192.0.2.2";
  agent::Settings out;
  out.user = side == 0 ? "alice" : "bob";
  out.local = {{Transport::Udp, host, 5060}, {Transport::Tcp, host, 5060}};
  out.credentials = {{"", "alice", "secret"}};
  out.accepts = {"example.com", "alice", "secret"};
  return out;
}

}  // namespace

World::World(Watcher& watcher)
    : watcher_(watcher),
      agents_{agent::Agent(settings(0), Rng(1)), agent::Agent(settings(1), Rng(2))},
      network_({}, Rng(3)) {}

Endpoint World::endpoint(std::size_t side, Transport transport) const {
  return {transport, side == 0 ? "192.0.2.1" : "192.0.2.2", 5060};
}

void World::command(std::size_t side, agent::Command command) {
  handle(side, agent::Input(std::move(command)));
}

void World::handle(std::size_t side, agent::Input input) {
  agents_[side].handle(std::move(input), now_);
  drain(side);
}

void World::drain(std::size_t side) {
  while (true) {
    auto output = agents_[side].poll();
    if (const auto* wait = std::get_if<agent::Wait>(&output)) {
      deadlines_[side] = wait->deadline;
      return;
    }
    if (const auto* event = std::get_if<agent::Event>(&output)) {
      watcher_.told(side, *event);
      continue;
    }
    const auto& send = std::get<agent::Send>(output);
    simulation::Packet packet;
    packet.from = endpoint(side, send.to.endpoint.transport);
    packet.to = send.to.endpoint;
    packet.flow = is_reliable(packet.to.transport) ? 1 : 0;
    packet.octets = send.message.to_string();
    ++sent_count_;
    watcher_.sent(side, send.message, packet.octets, now_);
    if (sent_.size() < sent_kept_max) sent_.push_back(packet);
    network_.send(std::move(packet), now_);
  }
}

void World::deliver(std::size_t side, std::string_view octets, Transport transport) {
  simulation::Packet packet;
  packet.from = endpoint(1 - side, transport);
  packet.to = endpoint(side, transport);
  packet.flow = is_reliable(transport) ? 1 : 0;
  packet.octets = octets;
  arrive(packet);
}

void World::arrive(const simulation::Packet& packet) {
  for (std::size_t side = 0; side < sides; ++side) {
    if (packet.to != endpoint(side, packet.to.transport)) continue;
    const Flow flow{packet.to, packet.from, packet.flow};
    ++delivered_count_;
    const Block octets(packet.octets);
    auto message = parse_message(octets.view());
    if (!message) return handle(side, agent::GarbageReceived{packet.octets, message.error(), flow});
    watcher_.delivered(side, *message, now_);
    return handle(side, agent::MessageReceived{std::move(*message), flow});
  }
}

std::optional<Instant> World::next_due() const {
  auto next = network_.next_due();
  for (const auto& deadline : deadlines_)
    if (deadline && (!next || *deadline < *next)) next = deadline;
  return next;
}

// One thing that is due no later than the limit.
bool World::step(std::optional<Instant> limit) {
  const auto due = next_due();
  if (!due || (limit && *due > *limit)) return false;
  check(++steps_ <= steps_max, "work is bounded: an input ends");
  now_ = std::max(now_, *due);
  if (auto packet = network_.take(now_)) {
    if (drops_ != 0)
      --drops_;
    else
      arrive(*packet);
    return true;
  }
  for (std::size_t side = 0; side < sides; ++side)
    if (deadlines_[side] && *deadlines_[side] <= now_) {
      handle(side, agent::TimePassed{});
      return true;
    }
  return true;
}

bool World::run_steps(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    if (!step(std::nullopt)) return false;
  return true;
}

void World::run_until(Instant end) {
  while (step(end)) {
  }
  now_ = std::max(now_, end);
}

bool World::run_to_quiescence(Duration at_most) {
  const Instant end = now_ + at_most;
  while (step(end)) {
  }
  return !next_due();
}

}  // namespace sipassay::fuzz
