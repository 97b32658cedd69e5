// The inside of Proxy: proxy.cpp has what comes in, forwarding.cpp the branches and their
// responses.
#pragma once

#include <algorithm>
#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "engine/agent/digest.h"
#include "engine/agent/registrar.h"
#include "engine/agent/response.h"
#include "engine/proxy/branch.h"
#include "engine/proxy/proxy.h"
#include "engine/proxy/route.h"
#include "engine/transaction/layer.h"

namespace sipassay::proxy {

using Target = agent::Registrar::Target;

// A request on its way, and what has come of it (16.2, 16.7 step 1).
struct ResponseContext {
  transaction::Id server = 0;
  Message request;  // as it was taken: preprocessed
  Flow flow;
  std::string mark;            // RFC 5393 4.2.1
  std::deque<Target> targets;  // not tried yet, best first
  std::deque<Branch> branches;
  bool is_answered = false;  // a final response was sent back

  bool is_invite() const { return request.method() == Method::Invite; }
  bool has_pending() const { return !std::ranges::all_of(branches, &Branch::is_over); }
};

struct Proxy::Impl {
  Impl(Settings the_settings, Rng the_rng)
      : settings(std::move(the_settings)),
        place{settings.domain, settings.local},
        rng(the_rng.fork("proxy")),
        secret(the_rng.fork("marks").next()),
        tag_secret(the_rng.fork("tags").next()),
        layer({.timings = settings.timings, .takes_forwarded_responses = true},
              the_rng.fork("transactions")),
        registrar(settings.registrar),
        digest(digest_options(settings), the_rng.fork("digest")) {}

  // --- inputs
  void on(agent::MessageReceived input);
  void on(agent::GarbageReceived input);
  void on(const agent::DeliveryFailed& input) { layer.transport_failed(input.to, now); }
  void on(const agent::FlowClosed&) {}
  void on(const agent::TimePassed&);
  void on(const agent::Command&) {}

  void drain();
  void route(transaction::Transmit output) { send(std::move(output.message), output.to); }
  void route(transaction::RequestReceived output);
  void route(transaction::CancelReceived output);
  void route(transaction::ResponseReceived output);
  // RFC 6026 7.3 MUST NOT: not forwarded.
  void route(const transaction::StrayResponse&) {}
  void route(const transaction::TimedOut& output) {
    client_failed(output.transaction, Branch::Input::TimedOut);
  }
  void route(const transaction::TransportFailed& output) {
    client_failed(output.transaction, Branch::Input::Unreachable);
  }
  void route(const transaction::Terminated& output);
  void route(const transaction::Unexpected&) {}

  // --- requests
  void receive_request(transaction::Id id, Message request, const Flow& flow);
  void receive_register(transaction::Id id, const Message& request, const Flow& flow);
  std::expected<std::deque<Target>, agent::Refusal> targets_of(const Message& request) const;
  bool challenge(transaction::Id id, const Message& request, const Flow& flow);
  void forward_statelessly(Message request, const Flow& flow);

  // --- branches
  void start(transaction::Id id, ResponseContext context);
  void try_targets(ResponseContext& context);
  void forward(ResponseContext& context, const Target& target, unsigned breadth);
  std::optional<transaction::Destination> prepare(Message& copy, std::string_view branch) const;
  void act(ResponseContext& context, Branch& branch, Branch::Input input, const Message* response);
  void cancel_branch(Branch& branch);
  void cancel_pending(ResponseContext& context);
  void client_failed(transaction::Id id, Branch::Input input);
  std::pair<ResponseContext*, Branch*> owner_of(transaction::Id client);

  // --- responses
  void pass_up(ResponseContext& context, Message response);
  void look_for_end(ResponseContext& context);
  void respond(transaction::Id id, const Message& request, const agent::Refusal& refusal,
               const Flow& flow);
  void respond(transaction::Id id, Message response, const Flow& flow);
  void send(Message message, const transaction::Destination& to) {
    outputs.emplace_back(agent::Send{std::move(message), to});
  }

  // Of our own making, with a To tag and Server.
  Message own_response(const Message& request, const agent::Refusal& refusal) const;
  static agent::digest::Server::Options digest_options(const Settings& settings);

  Settings settings;
  Place place;
  Rng rng;
  std::uint64_t secret, tag_secret;
  transaction::Layer layer;
  agent::Registrar registrar;
  agent::digest::Server digest;
  std::map<transaction::Id, ResponseContext> contexts;  // by server transaction
  std::map<transaction::Id, std::pair<transaction::Id, std::size_t>> clients;
  std::string cancel_reason;  // Reason of the CANCEL that is being processed (RFC 3326 2)
  std::deque<agent::Output> outputs;
  Instant now{};
};

}  // namespace sipassay::proxy
