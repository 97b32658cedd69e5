#include "engine/runner/embedded.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/message/parse.h"
#include "engine/runner/values.h"
#include "engine/session/session_dialog.h"

namespace sipassay::runner {

Endpoint embedded_sut(Transport transport) {
  return {.transport = transport, .host = "192.0.2.1", .port = 5060};
}

Endpoint embedded_peer(Transport transport, std::size_t index) {
  return {
      .transport = transport, .host = fmt::format("192.0.2.{}", 101 + index % 100), .port = 5060};
}

// --- triggers

std::optional<agent::Command> command_for(const SutCommand& command) {
  const auto argument = [&](std::string_view name) -> std::string {
    const auto found = command.arguments.find(std::string(name));
    return found == command.arguments.end() ? std::string() : found->second;
  };
  const auto status = [&](int otherwise) {
    return ascii::number<int>(argument("status")).value_or(otherwise);
  };
  const auto body = [&](std::string_view type) {
    auto given = argument("type");
    return agent::Body{.type = given.empty() ? std::string(type) : given,
                       .octets = argument("body"),
                       .disposition = {}};
  };
  const auto& action = command.action;
  if (action == "call") {
    agent::Call call;
    call.target = argument("target");
    call.follows_redirects = argument("redirects") == "follow";
    call.has_offer = argument("offer") != "no";
    if (argument("reliable") == "always") call.reliable = agent::Reliability::Always;
    if (argument("reliable") == "never") call.reliable = agent::Reliability::Never;
    call.follows_redirects = argument("redirects") == "follow";
    call.offers_in_prack = argument("prack") == "offer";
    return call;
  }
  if (action == "ring") {
    agent::Ring ring;
    ring.status = status(180);
    if (argument("reliable") == "yes") ring.reliable = agent::Reliability::Always;
    ring.has_sdp = argument("sdp") == "yes";
    return ring;
  }
  if (action == "answer") return agent::Answer{};
  if (action == "cancel") return agent::Cancel{};
  if (action == "hang-up") return agent::HangUp{};
  if (action == "reject")
    return agent::Reject{.call = 0,
                         .status = status(argument("next").empty() ? 486 : 488),
                         .next = !argument("next").empty()};
  if (action == "redirect") return agent::Redirect{.call = 0, .contact = argument("contact")};
  if (action == "hold") return agent::Reinvite{.call = 0, .kind = agent::Reinvite::Kind::Hold};
  if (action == "resume") return agent::Reinvite{.call = 0, .kind = agent::Reinvite::Kind::Resume};
  if (action == "reinvite") {
    using Kind = agent::Reinvite::Kind;
    const auto kind = argument("kind");
    return agent::Reinvite{.call = 0,
                           .kind = kind == "hold"        ? Kind::Hold
                                   : kind == "resume"    ? Kind::Resume
                                   : kind == "offerless" ? Kind::Offerless
                                   : kind == "add-media" ? Kind::AddMedia
                                                         : Kind::Same};
  }
  if (action == "update") return agent::Update{.call = 0, .has_offer = argument("offer") != "no"};
  if (action == "info")
    return agent::SendInfo{
        .call = 0, .package = argument("package"), .body = body("application/x-sipassay")};
  if (action == "message")
    return agent::SendMessage{.target = argument("target"), .call = 0, .body = body("text/plain")};
  if (action == "refer")
    return agent::SendRefer{.call = 0,
                            .refer_to = argument("to"),
                            .target = argument("target"),
                            .has_subscription = argument("subscription") != "no"};
  if (action == "subscribe") {
    const auto event = argument("event");
    return agent::Subscribe{
        .target = argument("dialog") == "call" ? std::string() : argument("target"),
        .event = event.empty() ? "presence" : event,
        .expires = ascii::number<std::uint32_t>(argument("expires")).value_or(600)};
  }
  if (action == "unsubscribe") return agent::Unsubscribe{};
  if (action == "options") return agent::SendOptions{.target = argument("target")};
  if (action == "register")
    return agent::Register{
        .registrar = argument("registrar"),
        .expires = ascii::number<std::uint32_t>(argument("expires")).value_or(3600),
        .kind = argument("bindings") == "none"  ? agent::Register::Kind::Fetch
                : argument("bindings") == "all" ? agent::Register::Kind::RemoveAll
                                                : agent::Register::Kind::Bind};
  return std::nullopt;
}

// --- the agent behind its wire

EmbeddedSut::EmbeddedSut(Core core, std::unique_ptr<Tap> tap)
    : core_(std::move(core)), tap_(std::move(tap)) {}

void EmbeddedSut::handle(agent::Input input, Instant now) {
  std::visit([&](auto& core) { core.handle(std::move(input), now); }, core_);
}

void EmbeddedSut::receive(std::string octets, const Flow& flow, Instant now) {
  const auto give = [&](Message message) {
    flows_.insert_or_assign(message_value(message, "call-id").value_or(""), flow);
    if (tap_) {
      const auto back = destination_of(message, flow);
      return cross({.from_sut = false, .message = std::move(message), .after = {}}, flow, back,
                   now);
    }
    handle(agent::MessageReceived{std::move(message), flow}, now);
    drain(now);
  };
  const auto garbage = [&](std::string text, Error error) {
    handle(agent::GarbageReceived{std::move(text), error, flow}, now);
    drain(now);
  };
  if (!is_reliable(flow.local.transport)) {
    auto parsed = parse_message(octets);
    if (parsed)
      give(std::move(*parsed));
    else
      garbage(std::move(octets), parsed.error());
    return;
  }
  auto& framer = framers_[flow.id];
  framer.feed(octets);
  while (auto frame = framer.next()) {
    if (auto* message = std::get_if<Message>(&*frame)) {
      give(std::move(*message));
    } else if (auto* bad = std::get_if<Framer::Garbage>(&*frame)) {
      garbage(std::move(bad->octets), bad->error);
    } else if (auto* broken = std::get_if<Framer::Broken>(&*frame)) {
      garbage(std::move(broken->octets), broken->error);
      framers_.erase(flow.id);
      handle(agent::FlowClosed{flow.id}, now);
      drain(now);
      return;
    }
  }
}

// Where a message that a tap makes up in place of one that arrived goes.
transaction::Destination EmbeddedSut::destination_of(const Message& message,
                                                     const Flow& flow) const {
  const auto found = destinations_.find(message_value(message, "call-id").value_or(""));
  if (found != destinations_.end()) return found->second;
  return {.endpoint = flow.remote, .flow = flow.id};
}

void EmbeddedSut::failed(const transaction::Destination& to, Instant now) {
  handle(agent::DeliveryFailed{to}, now);
  drain(now);
}

void EmbeddedSut::closed(FlowId flow, Instant now) {
  framers_.erase(flow);
  handle(agent::FlowClosed{flow}, now);
  drain(now);
}

void EmbeddedSut::command(agent::Command command, Instant now) {
  handle(std::move(command), now);
  drain(now);
}

void EmbeddedSut::advance(Instant now) {
  handle(agent::TimePassed{}, now);
  drain(now);
  while (true) {
    const auto due = std::ranges::min_element(
        late_, {}, [](const Late& late) { return std::pair(late.due, late.order); });
    if (due == late_.end() || due->due > now) return;
    auto late = std::move(*due);
    late_.erase(due);
    late.crossing.after = {};
    pass(std::move(late.crossing), late.flow, late.to, now);
  }
}

std::optional<Instant> EmbeddedSut::next_deadline() const {
  auto next = deadline_;
  for (const auto& late : late_)
    if (!next || late.due < *next) next = late.due;
  return next;
}

std::optional<EmbeddedSut::Outgoing> EmbeddedSut::poll() {
  if (outgoing_.empty()) return std::nullopt;
  auto out = std::move(outgoing_.front());
  outgoing_.pop_front();
  return out;
}

void EmbeddedSut::drain(Instant now) {
  while (true) {
    auto output = std::visit([](auto& core) { return core.poll(); }, core_);
    if (auto* send = std::get_if<agent::Send>(&output)) {
      destinations_.insert_or_assign(message_value(send->message, "call-id").value_or(""),
                                     send->to);
      if (tap_) {
        const auto flow = flows_.find(message_value(send->message, "call-id").value_or(""));
        cross({.from_sut = true, .message = std::move(send->message), .after = {}},
              flow == flows_.end() ? Flow{} : flow->second, send->to, now);
      } else {
        outgoing_.push_back({send->message.to_string(), send->to});
      }
    } else if (const auto* wait = std::get_if<agent::Wait>(&output)) {
      deadline_ = wait->deadline;
      return;
    }
  }
}

void EmbeddedSut::cross(Crossing crossing, const Flow& flow, const transaction::Destination& to,
                        Instant now) {
  for (auto& next : tap_->cross(std::move(crossing), now)) pass(std::move(next), flow, to, now);
}

// What a tap made up goes where the last message of that call went, or came from.
void EmbeddedSut::pass(Crossing crossing, const Flow& flow, const transaction::Destination& to,
                       Instant now) {
  if (crossing.after > 0us) {
    late_.push_back({now + crossing.after, order_++, std::move(crossing), flow, to});
    return;
  }
  if (crossing.from_sut) {
    // A response finds its own way: to who sent the request, whoever the last message went to.
    auto where = to;
    if (crossing.message.is_response() && !is_reliable(to.endpoint.transport))
      where = transaction::response_destination(crossing.message,
                                                {.local = {}, .remote = to.endpoint, .id = 0});
    outgoing_.push_back({crossing.message.to_string(), std::move(where)});
    return;
  }
  handle(agent::MessageReceived{std::move(crossing.message), flow}, now);
  drain(now);
}

// --- the run

namespace {

constexpr std::string_view test_user = "alice";
constexpr std::string_view test_password = "open sesame";

std::string kebab(std::string_view camel) {
  std::string out;
  for (const char c : camel) {
    if (c >= 'A' && c <= 'Z' && !out.empty()) out.push_back('-');
    out.push_back(ascii::lower(c));
  }
  return out;
}

// White box: the newest call of that Call-ID, or the newest of all.
std::optional<std::string> state_of(const agent::Agent& agent, std::string_view sip_call_id,
                                    std::string_view field) {
  constexpr agent::CallId looked_at_max = 64;
  const session::SessionDialog* found = nullptr;
  const auto newest = agent.newest_call();
  for (agent::CallId call = newest; call > 0 && newest - call < looked_at_max; --call) {
    const auto* session = agent.session(call);
    if (session == nullptr || (!sip_call_id.empty() && session->id().call_id != sip_call_id))
      continue;
    found = session;
    break;
  }
  if (found == nullptr)
    return field == "session" ? std::optional<std::string>("terminated") : std::nullopt;
  const auto number = [](std::optional<std::uint32_t> value) {
    return value ? std::optional(std::to_string(*value)) : std::nullopt;
  };
  const auto octets = [](const std::optional<session::Description>& description) {
    return description ? std::optional(description->octets) : std::nullopt;
  };
  if (field == "session") return kebab(session::to_string(found->session_state()));
  if (field == "signaling") return kebab(session::to_string(found->signaling_state()));
  if (field == "offer") return octets(found->offer());
  if (field == "answer") return octets(found->answer());
  if (field == "remote-target") return found->dialog().remote_target();
  if (field == "local-cseq") return number(found->dialog().local_cseq());
  if (field == "remote-cseq") return number(found->dialog().remote_cseq());
  if (field == "route-set") {
    std::string out;
    for (const auto& route : found->dialog().route_set()) out += (out.empty() ? "" : ", ") + route;
    return out;
  }
  return std::nullopt;
}

// The case, the SUT and the network between them; one node of the virtual clock.
class World : public simulation::Node {
 public:
  World(const Case& the_case, const EmbeddedOptions& options, Transport transport,
        std::unique_ptr<Tap> tap)
      : seed_(derive_seed(options.run_seed, the_case.id)),
        sut_(core(the_case.role, options, transport, Rng(seed_).fork("sut")), std::move(tap)),
        network_(options.network, Rng(seed_).fork("network")),
        run_(the_case, case_options(options, transport), Instant{}) {}

  std::optional<Instant> next_deadline() const override {
    std::optional<Instant> next = wake_;
    const auto consider = [&](std::optional<Instant> due) {
      if (due && (!next || *due < *next)) next = due;
    };
    consider(sut_.next_deadline());
    consider(network_.next_due());
    return next;
  }

  void run(Instant now) override {
    if (wake_ && *wake_ <= now) run_.handle(Elapsed{}, now);
    if (const auto due = sut_.next_deadline(); due && *due <= now) sut_.advance(now);
    // All that happens at this instant; bounded, because a zero delay and two busy ends never end.
    for (std::size_t rounds = 0; rounds < rounds_max; ++rounds) {
      bool is_quiet = true;
      while (auto out = sut_.poll()) {
        is_quiet = false;
        from_sut(std::move(*out), now);
      }
      is_quiet = drain_run(now) && is_quiet;
      while (auto packet = network_.take(now)) {
        is_quiet = false;
        arrive(std::move(*packet), now);
        drain_run(now);
      }
      if (is_quiet || run_.is_done()) return;
    }
    run_.handle(Abort{"the embedded SUT and the peers talk without end at one instant"}, now);
  }

  bool is_done() const { return run_.is_done(); }
  CaseRun& case_run() { return run_; }

 private:
  static constexpr std::size_t rounds_max = 20'000;

  // What plays the SUT's role.
  static EmbeddedSut::Core core(SutRole role, const EmbeddedOptions& options, Transport transport,
                                Rng rng) {
    if (role != SutRole::Proxy) return agent::Agent(settings(options, transport), rng);
    return proxy::Proxy({.local = {embedded_sut(transport)},
                         .timings = options.timings,
                         .accepts = {.realm = {},
                                     .user = std::string(test_user),
                                     .password = std::string(test_password)}},
                        rng);
  }

  static agent::Settings settings(const EmbeddedOptions& options, Transport transport) {
    agent::Settings out;
    out.local = {embedded_sut(transport)};
    out.timings = options.timings;
    const agent::Credentials both{
        .realm = {}, .user = std::string(test_user), .password = std::string(test_password)};
    out.credentials = {both};
    out.accepts = both;
    out.registrar.emplace();
    return out;
  }

  CaseOptions case_options(const EmbeddedOptions& options, Transport transport) {
    CaseOptions out;
    out.sut = embedded_sut(transport);
    out.assume_users = true;
    out.has_trigger = true;
    out.login = Login{std::string(test_user), std::string(test_password)};
    out.run_seed = options.run_seed;
    out.timings = options.timings;
    out.sut_state = [this](std::string_view call_id, std::string_view field) {
      if (sut_.agent() == nullptr) return std::optional<std::string>();
      auto value = state_of(*sut_.agent(), call_id, field);
      const auto* tap = sut_.tap();
      return value && tap != nullptr ? std::optional(tap->state(field, *std::move(value))) : value;
    };
    return out;
  }

  // False if the case said anything.
  bool drain_run(Instant now) {
    bool is_quiet = true;
    while (true) {
      auto output = run_.poll();
      if (std::holds_alternative<Done>(output)) return is_quiet;
      if (const auto* wait = std::get_if<WaitUntil>(&output)) {
        wake_ = wait->deadline;
        return is_quiet;
      }
      is_quiet = false;
      if (const auto* open = std::get_if<OpenPeer>(&output))
        open_peer(*open, now);
      else if (auto* send = std::get_if<SendOctets>(&output))
        from_peer(std::move(*send), now);
      else if (const auto* command = std::get_if<SutCommand>(&output))
        tell(*command, now);
      else if (const auto* close = std::get_if<CloseFlow>(&output))
        sut_.closed(flow_of(close->peer), now);
      else if (const auto* reach = std::get_if<SetReachable>(&output)) {
        if (reach->is_reachable)
          unreachable_.erase(reach->peer);
        else
          unreachable_.insert(reach->peer);
      }
    }
  }

  void open_peer(const OpenPeer& open, Instant now) {
    const auto local = embedded_peer(open.transport, peers_.size());
    peers_.push_back({open.peer, local});
    run_.handle(PeerOpened{open.peer, local}, now);
  }

  FlowId flow_of(std::string_view peer) const {
    for (std::size_t i = 0; i < peers_.size(); ++i)
      if (peers_[i].name == peer)
        return is_reliable(peers_[i].local.transport) ? static_cast<FlowId>(i + 1) : 0;
    return 0;
  }

  const Endpoint* address_of(std::string_view peer) const {
    for (const auto& one : peers_)
      if (one.name == peer) return &one.local;
    return nullptr;
  }

  void from_peer(SendOctets send, Instant now) {
    const auto* local = address_of(send.peer);
    if (local == nullptr) return;
    // Nobody else lives on this network.
    if (send.to.endpoint.host != embedded_sut(local->transport).host ||
        send.to.endpoint.port != embedded_sut(local->transport).port)
      return;
    const auto flow = flow_of(send.peer);
    std::size_t start = 0;
    const auto piece = [&](std::size_t end) {
      if (end > start)
        network_.send({.due = now,
                       .from = *local,
                       .to = embedded_sut(local->transport),
                       .flow = flow,
                       .octets = send.octets.substr(start, end - start)},
                      now);
      start = end;
    };
    if (is_reliable(local->transport))
      for (const auto octets : send.segments) piece(std::min(start + octets, send.octets.size()));
    piece(send.octets.size());
  }

  void from_sut(EmbeddedSut::Outgoing out, Instant now) {
    if (is_sut(out.to.endpoint)) {
      const auto& self = embedded_sut(out.to.endpoint.transport);
      network_.send({.due = now,
                     .from = self,
                     .to = self,
                     .flow = 0,
                     .octets = std::move(out.octets)},
                    now);
      return;
    }
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      const auto& peer = peers_[i];
      const bool is_for = out.to.flow != 0 ? out.to.flow == flow_of(peer.name)
                                           : peer.local.host == out.to.endpoint.host &&
                                                 peer.local.port == out.to.endpoint.port;
      if (!is_for) continue;
      if (unreachable_.contains(peer.name)) return sut_.failed(out.to, now);
      network_.send({.due = now,
                     .from = embedded_sut(peer.local.transport),
                     .to = peer.local,
                     .flow = flow_of(peer.name),
                     .octets = std::move(out.octets)},
                    now);
      return;
    }
  }

  static bool is_sut(const Endpoint& endpoint) {
    return endpoint == embedded_sut(endpoint.transport);
  }

  void arrive(simulation::Packet packet, Instant now) {
    if (packet.from == packet.to)
      return sut_.receive(std::move(packet.octets),
                          {.local = packet.to, .remote = packet.from, .id = 0}, now);
    for (const auto& peer : peers_) {
      const Flow at_sut{.local = embedded_sut(peer.local.transport),
                        .remote = peer.local,
                        .id = flow_of(peer.name)};
      const Flow at_peer{.local = peer.local, .remote = at_sut.local, .id = at_sut.id};
      if (packet.from == peer.local) return sut_.receive(std::move(packet.octets), at_sut, now);
      if (packet.to == peer.local)
        return run_.handle(OctetsReceived{peer.name, std::move(packet.octets), at_peer}, now);
    }
  }

  void tell(const SutCommand& command, Instant now) {
    // The command comes after what the peers sent before it.
    while (auto packet = network_.take(now)) arrive(std::move(*packet), now);
    auto what = command_for(command);
    if (what) sut_.command(std::move(*what), now);
    run_.handle(SutCommandDone{.number = command.number,
                               .ok = what.has_value(),
                               .is_unsupported = !what.has_value(),
                               .reason = what ? "" : "no such action: " + command.action},
                now);
  }

  struct PeerAddress {
    std::string name;
    Endpoint local;
  };

  std::uint64_t seed_;
  EmbeddedSut sut_;
  simulation::Network network_;
  std::vector<PeerAddress> peers_;
  std::set<std::string, std::less<>> unreachable_;
  std::optional<Instant> wake_{Instant{}};
  CaseRun run_;
};

}  // namespace

CaseResult run_embedded(const Case& the_case, const EmbeddedOptions& options) {
  const auto transport = options.transport.value_or(
      the_case.transports.empty() ? Transport::Udp : the_case.transports.front());
  std::unique_ptr<Tap> tap;
  if (!options.misbehaviour.empty()) {
    const auto* row = find_misbehaviour(options.misbehaviour);
    if (row != nullptr) tap = row->make();
  }
  World world(the_case, options, transport, std::move(tap));
  simulation::VirtualClock clock;
  clock.add(world);
  const auto stop =
      clock.run([&] { return world.is_done(); }, {.time = 7200s, .steps_max = 200'000});
  if (stop != simulation::Stop::Finished)
    world.case_run().handle(
        Abort{fmt::format("the run did not end: {}", simulation::to_string(stop))}, clock.now());
  auto result = world.case_run().result();
  if (!options.misbehaviour.empty() && find_misbehaviour(options.misbehaviour) == nullptr) {
    result.outcome = Outcome::Error;
    result.reason = fmt::format("there is no misbehaviour {}", options.misbehaviour);
  }
  return result;
}

std::vector<Bite> teeth(const Case& the_case, const EmbeddedOptions& options) {
  std::vector<Bite> out;
  const bool is_strict =
      !is_disputed(the_case) && (the_case.level == Level::Must || the_case.level == Level::MustNot);
  for (const auto& name : the_case.breaks) {
    Bite bite{.misbehaviour = name,
              .is_known = find_misbehaviour(name) != nullptr,
              .has_bitten = false,
              .result = {}};
    auto with = options;
    with.misbehaviour = name;
    bite.result = run_embedded(the_case, with);
    const auto outcome = bite.result.outcome;
    bite.has_bitten = bite.is_known && (outcome == Outcome::Fail || outcome == Outcome::Crash ||
                                        (!is_strict && outcome == Outcome::NonStrict));
    out.push_back(std::move(bite));
  }
  return out;
}

}  // namespace sipassay::runner
