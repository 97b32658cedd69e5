#include "engine/soak/world.h"

#include <algorithm>
#include <cassert>

#include "engine/message/header/all.h"
#include "engine/message/parse.h"

namespace sipassay::soak {
namespace {

constexpr std::array<std::string_view, agent_count> hosts{"192.0.2.1", "192.0.2.2"};
constexpr std::array<std::string_view, agent_count> names{"alice", "bob"};

agent::Settings settings(std::size_t index) {
  agent::Settings out;
  const std::string host(hosts[index]);
  out.user = names[index];
  out.local = {{Transport::Udp, host, 5060}, {Transport::Tcp, host, 5060}};
  out.credentials = {{"", "alice", "secret"}};
  out.accepts = {"example.com", "alice", "secret"};
  out.timer.interval = session::session_interval_min;
  out.registrar.emplace();
  out.spares_overloaded_servers = false;  // no call is to know of another
  return out;
}

std::size_t agent_at(const Endpoint& endpoint) {
  return endpoint.host == hosts[0] ? 0 : 1;
}

bool is_registration(const Message& message) {
  if (message.is_request()) return message.method() == Method::Register;
  const auto cseq = message.maybe<CSeq>();
  return cseq && cseq->method == Method::Register;
}

bool changes_session(const Message& message) {
  const auto cseq = message.maybe<CSeq>();
  return !cseq || (cseq->method != Method::Subscribe && cseq->method != Method::Notify);
}

// What a subscription that was made anew after the end of another one says of itself.
std::optional<Number> number_in(const Message& request) {
  const auto uri = request.is_request() ? parse_uri(request.request_uri())
                                        : Parsed<Uri>(std::unexpected(Error{}));
  const auto number = uri ? uri->params.find(number_param) : std::nullopt;
  return number ? ascii::number<Number>(number->value) : std::nullopt;
}

// Zero: of no call.
agent::CallId call_of(const agent::Event& event) {
  return std::visit(
      [](const auto& what) -> agent::CallId {
        if constexpr (requires { what.call; }) return what.call;
        return 0;
      },
      event);
}

}  // namespace

World::World(std::uint64_t seed, Watcher& watcher)
    : watcher_(watcher),
      agents_{agent::Agent(settings(0), Rng(derive_seed(seed, names[0]))),
              agent::Agent(settings(1), Rng(derive_seed(seed, names[1])))},
      network_({}, Rng(derive_seed(seed, "network"))) {
  open(registrations, network_rows().back().conditions, Rng(derive_seed(seed, "registrations")));
}

Lane& World::open(Number call, const simulation::Conditions& conditions, Rng rng) {
  const auto [entry, is_new] = lanes_.emplace(call, Lane{.conditions = conditions, .rng = rng});
  assert(is_new);
  entry->second.last_crossing = entry->second.last_change = now_;
  return entry->second;
}

void World::close(Number call) {
  const auto entry = lanes_.find(call);
  for (const auto& id : entry->second.call_ids) call_ids_.erase(id);
  const auto& lane = entry->second;
  for (const auto* ends : {&lane.callers, &lane.callees, &lane.usages})
    for (const auto& end : *ends) owners_.erase({end.agent, end.id});
  lanes_.erase(entry);
}

Endpoint World::endpoint(std::size_t agent, Transport transport) const {
  return {transport, std::string(hosts[agent]), 5060};
}

void World::command(Number call, std::size_t agent, agent::Command command) {
  current_ = call;
  const bool is_call = std::holds_alternative<agent::Call>(command);
  agents_[agent].handle(std::move(command), now_);
  if (is_call) note_call(agent, call);
  drain(agent);
  current_.reset();
}

// Agents number what they have; what is newer than all before was just made.
void World::note_call(std::size_t agent, Number call) {
  const auto newest = agents_[agent].last_id();
  if (newest <= noted_[agent]) return;
  noted_[agent] = newest;
  lanes_.at(call).callers.push_back({agent, newest});
  owners_.emplace(std::pair(agent, newest), call);
}

void World::note_usage(std::size_t agent, Number call) {
  if (agents_[agent].last_id() <= noted_[agent]) return;
  const auto id = ++noted_[agent];
  lanes_.at(call).usages.push_back({agent, id});
  owners_.emplace(std::pair(agent, id), call);
}

void World::drain(std::size_t agent) {
  while (true) {
    const auto output = agents_[agent].poll();
    if (const auto* wait = std::get_if<agent::Wait>(&output)) {
      deadlines_[agent] = wait->deadline;
      if (current_) note_usage(agent, *current_);
      return;
    }
    std::visit(
        [&](const auto& what) {
          if constexpr (!std::is_same_v<decltype(what), const agent::Wait&>) on(agent, what);
        },
        output);
  }
}

void World::on(std::size_t agent, const agent::Event& event) {
  if (const auto* arrived = std::get_if<agent::CallArrived>(&event); arrived && current_) {
    noted_[agent] = std::max(noted_[agent], arrived->call);
    lanes_.at(*current_).callees.push_back({agent, arrived->call});
    owners_.emplace(std::pair(agent, arrived->call), *current_);
  }
  const auto owner = owners_.find({agent, call_of(event)});
  const auto call = owner != owners_.end() ? std::optional(owner->second) : current_;
  if (!call) return;
  watcher_.told(*call, agent, event);
  // The INVITE of a call that a REFER made follows behind this event.
  const bool has_called = agents_[agent].last_id() > noted_[agent];
  if (std::holds_alternative<agent::ReferArrived>(event) && has_called) {
    current_ = watcher_.referred(*call, agent);
    note_call(agent, *current_);
  }
}

// What begins while a call is handled belongs to that call.
std::optional<Number> World::owner_of(const Message& message) {
  const auto id = message.raw(HeaderId::CallId);
  if (const auto known = call_ids_.find(id); known != call_ids_.end()) return known->second;
  auto owner = is_registration(message) ? std::optional(registrations) : current_;
  if (!owner) owner = number_in(message);
  if (!owner || !lanes_.contains(*owner)) return std::nullopt;
  call_ids_.emplace(id, *owner);
  lanes_.at(*owner).call_ids.emplace_back(id);
  return owner;
}

void World::on(std::size_t agent, const agent::Send& send) {
  const auto call = owner_of(send.message);
  if (!call) return watcher_.strayed(agent, send.message);
  auto& lane = lanes_.at(*call);
  if (!current_ && send.message.method() == Method::Subscribe) note_usage(agent, *call);
  const auto& to = send.to.endpoint;
  simulation::Packet packet{.from = endpoint(agent, to.transport),
                            .to = to,
                            .flow = is_reliable(to.transport) ? FlowId{1} : FlowId{0},
                            .octets = send.message.to_string(),
                            .mark = *call};
  const std::string octets = packet.octets;
  const auto copies = network_.send(std::move(packet), now_, lane.conditions, lane.rng);
  lane.in_flight += copies;
  lane.last_crossing = now_;
  if (changes_session(send.message)) lane.last_change = now_;
  watcher_.crossed(*call, {now_, agent, send.message, octets, copies});
}

std::optional<Instant> World::next_due() const {
  auto next = network_.next_due();
  for (const auto& deadline : deadlines_)
    if (deadline && (!next || *deadline < *next)) next = deadline;
  return next;
}

void World::step() {
  now_ = std::max(now_, next_due().value_or(now_));
  if (auto packet = network_.take(now_)) return arrive(std::move(*packet));
  for (std::size_t agent = 0; agent < agent_count; ++agent) {
    if (!deadlines_[agent] || *deadlines_[agent] > now_) continue;
    agents_[agent].handle(agent::TimePassed{}, now_);
    return drain(agent);
  }
}

void World::arrive(simulation::Packet packet) {
  const std::size_t agent = agent_at(packet.to);
  current_ = packet.mark;
  auto& lane = lanes_.at(packet.mark);
  --lane.in_flight;
  lane.last_crossing = now_;
  const Flow flow{packet.to, packet.from, packet.flow};
  auto message = parse_message(packet.octets);
  if (message) {
    if (changes_session(*message)) lane.last_change = now_;
    agents_[agent].handle(agent::MessageReceived{std::move(*message), flow}, now_);
  } else {
    agents_[agent].handle(agent::GarbageReceived{std::move(packet.octets), message.error(), flow},
                          now_);
  }
  drain(agent);
  current_.reset();
}

}  // namespace sipassay::soak
