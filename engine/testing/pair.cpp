#include "engine/testing/pair.h"

#include <algorithm>
#include <cassert>
#include <set>

#include "engine/message/header/all.h"
#include "engine/message/multipart.h"
#include "engine/message/parse.h"

namespace sipassay::testing {
namespace {

constexpr std::size_t rounds_max = 10'000;  // without time passing: somebody spins

std::vector<Endpoint> endpoints_for(Transport transport) {
  return {{transport, "192.0.2.1", 5060}, {transport, "192.0.2.2", 5060}};
}

agent::Settings with_local(agent::Settings settings, const Endpoint& endpoint,
                           std::string_view user) {
  if (settings.local.empty()) settings.local.push_back(endpoint);
  if (settings.user == agent::Settings{}.user) settings.user = user;
  return settings;
}

}  // namespace

std::string describe(const Message& message) {
  std::string text;
  if (message.is_request()) {
    text = message.method_text();
  } else {
    text = std::to_string(message.status());
    if (const auto cseq = message.maybe<CSeq>()) (text += ' ') += cseq->method_text;
  }
  if (session_description(message)) text += "+sdp";
  return text;
}

Message Pair::Line::message() const {
  auto parsed = parse_message(octets);
  return parsed ? *parsed : Message{};
}

Pair::Pair() : Pair(Options{}) {}

Pair::Pair(Options options)
    : endpoints_(endpoints_for(options.transport)),
      network_(options.conditions, Rng(derive_seed(options.seed, "network"))),
      transport_(options.transport) {
  agents_.emplace_back(with_local(options.a, endpoints_[0], "alice"),
                       Rng(derive_seed(options.seed, "a")));
  agents_.emplace_back(with_local(options.b, endpoints_[1], "bob"),
                       Rng(derive_seed(options.seed, "b")));
  settle();
}

std::string Pair::uri(Side side, std::string_view user) const {
  std::string text = "sip:" + std::string(user) + "@" + host_port(endpoint(side));
  if (transport_ != Transport::Udp) text += ";transport=" + std::string(to_string(transport_));
  return text;
}

void Pair::command_to(Side side, agent::Command command) {
  agents_[index(side)].handle(std::move(command), now_);
  settle();
}

void Pair::inject(Side to, Message message) {
  inject_octets(to, message.to_string());
}

void Pair::inject_octets(Side to, std::string octets) {
  transcript_.push_back({now_, other(to), octets, false, true});
  receive(to, octets);
  settle();
}

// --- the network

void Pair::transmit(Side from, const agent::Send& send) {
  Line line{now_, from, send.message.to_string()};
  const bool reaches_other =
      send.to.endpoint == endpoint(other(from)) || (send.to.flow != 0 && is_reliable(transport_));
  const bool passes = !passes_ || passes_(line);
  line.was_lost = !passes || !reaches_other;
  if (!line.was_lost)
    line.was_lost = !network_.send({.due = {},
                                    .from = endpoint(from),
                                    .to = endpoint(other(from)),
                                    .flow = is_reliable(transport_) ? 1U : 0U,
                                    .octets = line.octets},
                                   now_);
  transcript_.push_back(std::move(line));
}

void Pair::deliver(const simulation::Packet& packet) {
  receive(packet.to == endpoints_[0] ? Side::A : Side::B, packet.octets);
}

void Pair::receive(Side to, std::string_view octets) {
  const Flow flow{endpoint(to), endpoint(other(to)), is_reliable(transport_) ? 1U : 0U};
  auto& agent = agents_[index(to)];
  auto message = parse_message(octets);
  if (message)
    agent.handle(agent::MessageReceived{std::move(*message), flow}, now_);
  else
    agent.handle(agent::GarbageReceived{std::string(octets), message.error(), flow}, now_);
}

// --- time

bool Pair::settle(Side side) {
  bool did_something = false;
  while (true) {
    auto output = agents_[index(side)].poll();
    if (const auto* wait = std::get_if<agent::Wait>(&output)) {
      deadlines_[index(side)] = wait->deadline;
      return did_something;
    }
    did_something = true;
    if (const auto* send = std::get_if<agent::Send>(&output))
      transmit(side, *send);
    else
      events_[index(side)].push_back(std::get<agent::Event>(std::move(output)));
  }
}

void Pair::settle() {
  settle(Side::A);
  settle(Side::B);
}

std::optional<Instant> Pair::next() const {
  std::optional<Instant> earliest = network_.next_due();
  for (const auto& deadline : deadlines_)
    if (deadline && (!earliest || *deadline < *earliest)) earliest = deadline;
  return earliest;
}

void Pair::step(Instant at) {
  now_ = std::max(now_, at);
  for (std::size_t round = 0; round < rounds_max; ++round) {
    if (const auto packet = network_.take(now_)) {
      deliver(*packet);
      settle();
      continue;
    }
    bool was_due = false;
    for (const auto side : {Side::A, Side::B}) {
      const auto deadline = deadlines_[index(side)];
      if (!deadline || *deadline > now_) continue;
      was_due = true;
      agents_[index(side)].handle(agent::TimePassed{}, now_);
      settle();
    }
    if (!was_due) return;
  }
  assert(false && "an agent spins without time passing");
}

bool Pair::run_until(const std::function<bool()>& is_met, Duration limit) {
  const auto end = now_ + limit;
  while (!is_met()) {
    const auto due = next();
    if (!due || *due > end) {
      now_ = std::max(now_, due ? end : now_);
      return is_met();
    }
    step(*due);
  }
  return true;
}

void Pair::run_for(Duration span) {
  const auto end = now_ + span;
  while (const auto due = next()) {
    if (*due > end) break;
    step(*due);
  }
  now_ = end;
}

bool Pair::run_until_quiet(Duration limit) {
  return run_until([this] { return is_quiet(); }, limit);
}

bool Pair::is_quiet() const {
  return !next();
}

bool Pair::is_empty() const {
  return std::ranges::all_of(agents_, [](const agent::Agent& agent) {
    return agent.live_calls() == 0 && agent.live_transactions() == 0;
  });
}

// --- looking at what was sent

std::vector<std::string> Pair::ladder(bool has_all) const {
  std::vector<std::string> lines;
  std::set<std::string> seen;
  for (const auto& line : transcript_) {
    const auto message = line.message();
    if (!has_all && (message.status() == 100 || !seen.insert(line.octets).second)) continue;
    lines.push_back((line.from == Side::A ? "a " : "b ") + describe(message));
  }
  return lines;
}

std::string Pair::dump() const {
  std::string text;
  for (const auto& line : transcript_) {
    text += std::to_string(line.at.time_since_epoch().count());
    text += line.from == Side::A ? " a->b" : " b->a";
    if (line.was_lost) text += " LOST";
    text += '\n' + line.octets + '\n';
  }
  return text;
}

Message Pair::sent(Side side, std::string_view what, std::size_t nth) const {
  for (const auto& line : transcript_) {
    if (line.from != side || line.was_injected) continue;
    auto message = line.message();
    if (describe(message) == what && nth-- == 0) return message;
  }
  return {};
}

std::size_t Pair::count(Side side, std::string_view what) const {
  return static_cast<std::size_t>(std::ranges::count_if(transcript_, [&](const Line& line) {
    return line.from == side && !line.was_injected && describe(line.message()) == what;
  }));
}

}  // namespace sipassay::testing
