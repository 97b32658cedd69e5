#include "engine/proxy/proxy.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "engine/agent/admission.h"
#include "engine/agent/behaviour.h"
#include "engine/agent/digest.h"
#include "engine/agent/resolve.h"
#include "engine/agent/response.h"
#include "engine/message/classify.h"
#include "engine/message/header/all.h"
#include "engine/message/parse.h"
#include "engine/proxy/admission.h"
#include "engine/proxy/best_response.h"
#include "engine/proxy/branch.h"
#include "engine/proxy/route.h"

namespace sipassay::proxy {
namespace {

using agent::make_response;
using agent::Refusal;
using Target = agent::Registrar::Target;

agent::digest::Server::Options digest_options(const Settings& settings) {
  agent::digest::Server::Options options;
  if (!settings.accepts.realm.empty()) options.realm = settings.accepts.realm;
  options.users.push_back({{}, settings.accepts.user, settings.accepts.password});
  options.is_proxy = true;  // 22.1 MUST NOT: a proxy has no 401
  return options;
}

Branch::Input input_of(const Message& response) {
  const int status = response.status();
  if (status == 100) return Branch::Input::Trying;
  if (status < 200) return Branch::Input::Provisional;
  return status < 300 ? Branch::Input::Success : Branch::Input::Failure;
}

// 16.7 step 3. Another Via is there to go by: what we make ourselves has the request's.
void remove_top_via(Message& response) {
  const auto line = response.find(HeaderId::Via);
  if (!line) return;
  std::vector<std::string> rest;
  bool is_first = true;
  for (auto it = response.all<Via>().begin(); !it.is_end() && it.position() == *line; ++it) {
    if (!std::exchange(is_first, false) && *it) rest.push_back(text_of(**it));
  }
  if (rest.empty()) {
    response.remove(*line);
    return;
  }
  std::string value;
  for (const auto& via : rest) value += (value.empty() ? "" : ", ") + via;
  response.set_value(*line, value);
}

}  // namespace

// A request on its way, and what has come of it (16.2, 16.7 step 1).
struct ResponseContext {
  transaction::Id server = 0;
  Message request;              // as it was taken: preprocessed
  Flow flow;
  std::string mark;             // RFC 5393 4.2.1
  std::deque<Target> targets;   // not tried yet, best first
  std::deque<Branch> branches;
  bool is_answered = false;     // a final response was sent back

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
  std::expected<std::deque<Target>, Refusal> targets_of(const Message& request) const;
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
  void respond(transaction::Id id, const Message& request, const Refusal& refusal,
               const Flow& flow);
  void respond(transaction::Id id, Message response, const Flow& flow);
  void send(Message message, const transaction::Destination& to) {
    outputs.emplace_back(agent::Send{std::move(message), to});
  }

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

Proxy::Proxy(Settings settings, Rng rng)
    : impl_(std::make_unique<Impl>(std::move(settings), rng)) {}
Proxy::~Proxy() = default;
Proxy::Proxy(Proxy&&) noexcept = default;
Proxy& Proxy::operator=(Proxy&&) noexcept = default;

void Proxy::handle(agent::Input input, Instant now) {
  impl_->now = std::max(impl_->now, now);
  std::visit([this](auto&& what) { impl_->on(std::forward<decltype(what)>(what)); },
             std::move(input));
  impl_->drain();
}

agent::Output Proxy::poll() {
  if (!impl_->outputs.empty()) {
    auto output = std::move(impl_->outputs.front());
    impl_->outputs.pop_front();
    return output;
  }
  auto deadline = impl_->layer.next_deadline();
  for (const auto& [id, context] : impl_->contexts)
    for (const auto& branch : context.branches)
      if (const auto due = branch.next_deadline(); due && (!deadline || *due < *deadline))
        deadline = due;
  return agent::Wait{deadline};
}

std::size_t Proxy::live_contexts() const {
  return impl_->contexts.size();
}
std::size_t Proxy::live_transactions() const {
  return impl_->layer.size();
}

// --- inputs

void Proxy::Impl::on(agent::MessageReceived input) {
  auto& message = input.message;
  if (message.is_response()) {
    // 16.7 step 3 MUST NOT: one that has no Via but ours ends here; 16.11: nor one that is not ours.
    const auto via = message.maybe<Via>();
    if (message.status() == 0 || !via || !place.is_here(via->host, via->port.value_or(5060)))
      return;
    return layer.receive(std::move(message), input.flow, now);
  }
  if (!message.get<Via>()) return;
  layer.receive(std::move(message), input.flow, now);
}

void Proxy::Impl::on(agent::GarbageReceived input) {
  Message request;
  if (parse_message(input.octets, request))
    return on(agent::MessageReceived{request, input.flow});
  if (!request.is_request() || request.method() == Method::Ack || !can_be_answered(request) ||
      input.octets.starts_with("SIP/"))
    return;
  transaction::stamp_via(request, input.flow);
  const int status = input.error.code == ErrorCode::Version ? 505 : 400;
  send(make_response(request, status, agent::to_tag_for(request, tag_secret)),
       transaction::response_destination(request, input.flow));
}

void Proxy::Impl::on(const agent::TimePassed&) {
  layer.advance(now);
  drain();
  std::vector<std::pair<transaction::Id, std::size_t>> due;
  for (const auto& [id, context] : contexts)
    for (std::size_t i = 0; i < context.branches.size(); ++i)
      if (const auto at = context.branches[i].next_deadline(); at && *at <= now)
        due.emplace_back(id, i);
  for (const auto& [id, index] : due) {
    const auto context = contexts.find(id);
    if (context == contexts.end()) continue;
    auto& branch = context->second.branches[index];
    if (const auto timer = branch.take_due(now)) act(context->second, branch, *timer, nullptr);
    drain();
  }
}

void Proxy::Impl::drain() {
  while (auto output = layer.poll())
    std::visit([this](auto&& what) { route(std::forward<decltype(what)>(what)); },
               std::move(*output));
}

// --- requests

void Proxy::Impl::route(transaction::RequestReceived output) {
  receive_request(output.transaction, std::move(output.request), output.flow);
}

// 16.10
void Proxy::Impl::route(transaction::CancelReceived output) {
  const auto found = contexts.find(output.cancelled);
  if (output.cancelled == 0 || found == contexts.end()) {
    return receive_request(output.transaction, std::move(output.request), output.flow);
  }
  respond(output.transaction, output.request, {200, {3261, "16.10", Level::Must}}, output.flow);
  auto& context = found->second;
  context.targets.clear();
  cancel_reason = std::string(output.request.raw(HeaderId::Reason));
  cancel_pending(context);
  cancel_reason.clear();
}

void Proxy::Impl::receive_request(transaction::Id id, Message request, const Flow& flow) {
  const bool is_ack = request.method() == Method::Ack;
  auto refusal = check(request);
  const auto mark = loop_mark(request, secret);
  if (!refusal && has_looped(request, mark, place))
    refusal = Refusal{482, {5393, "4.2.2", Level::Must}};
  if (refusal) {
    if (!is_ack) respond(id, request, *refusal, flow);
    return;
  }
  preprocess(request, place, flow);
  // 16.10 MUST: a CANCEL that belongs to nothing as well.
  if (is_ack || request.method() == Method::Cancel)
    return forward_statelessly(std::move(request), flow);
  const auto target = request.target();
  const bool is_ours = target && place.serves(*target) && !request.has(HeaderId::Route);
  if (is_ours && request.method() == Method::Register) return receive_register(id, request, flow);
  if (is_ours && request.method() == Method::Options && !target->has_user)
    return respond(id, request, {200, {3261, "11.2", Level::Should}}, flow);  // and no Allow
  if (is_ours && challenge(id, request, flow)) return;
  if (contexts.size() >= settings.contexts_limit)
    return respond(id, request, {503, {3261, "21.5.4", Level::Stated}}, flow);
  auto targets = targets_of(request);
  if (!targets) return respond(id, request, targets.error(), flow);
  start(id, {.server = id,
             .request = std::move(request),
             .flow = flow,
             .mark = mark,
             .targets = *std::move(targets),
             .branches = {}});
}

// 10.3, with Path (RFC 3327 5.3).
void Proxy::Impl::receive_register(transaction::Id id, const Message& request, const Flow& flow) {
  if (const auto refusal = agent::check_form(request)) return respond(id, request, *refusal, flow);
  if (const auto refusal = registrar.check_address(request))
    return respond(id, request, *refusal, flow);
  const auto contacts = registrar.update(request, now);
  if (!contacts) return respond(id, request, contacts.error(), flow);
  auto response = make_response(request, 200, agent::to_tag_for(request, tag_secret));
  for (const auto& contact : *contacts) response.add(HeaderId::Contact, contact);
  response.add(HeaderId::Date, registrar.date(now));
  for (std::size_t nth = 0; const auto line = request.find(HeaderId::Path, nth); ++nth)
    response.add(HeaderId::Path, request.field(*line).value);
  respond(id, std::move(response), flow);
}

// 16.5
std::expected<std::deque<Target>, Refusal> Proxy::Impl::targets_of(const Message& request) const {
  const auto uri = request.target();
  const std::string text(request.request_uri());
  // A strict router's or somebody else's: the only target.
  if (!uri || uri->params.has("maddr") || !place.serves(*uri))
    return std::deque<Target>{{.uri = text, .q = 1000, .path = {}}};
  std::deque<Target> out;
  bool has_other_scheme = false;
  for (auto& target : registrar.targets(text, now)) {
    // RFC 5630 5.3 MUST NOT: neither from sips to sip nor, as we have no TLS, the other way.
    const auto contact = parse_uri(target.uri);
    const bool is_other = contact && contact->is_sip() && contact->scheme != uri->scheme;
    has_other_scheme |= is_other;
    if (!is_other) out.push_back(std::move(target));
  }
  if (!out.empty()) return out;
  if (has_other_scheme) {
    const std::string warning = uri->scheme == Uri::Scheme::Sips ? "380 sipassay \"SIPS Not Allowed\""
                                                                 : "381 sipassay \"SIPS Required\"";
    return std::unexpected(
        Refusal{480, {5630, "5.3", Level::Must}, {}, {{"Warning", warning}}});
  }
  const auto* row = agent::behaviour_of(unescape(uri->user));
  if (row != nullptr && row->is_unknown)
    return std::unexpected(Refusal{404, {3261, "16.5", Level::Must}});
  return std::unexpected(Refusal{480, {3261, "16.5", Level::Should}});
}

// 22.3; true: it was answered 407.
bool Proxy::Impl::challenge(transaction::Id id, const Message& request, const Flow& flow) {
  const auto uri = request.target();
  const auto* row = uri ? agent::behaviour_of(unescape(uri->user)) : nullptr;
  if (row == nullptr || row->authentication != agent::Authentication::Proxy) return false;
  using agent::digest::Judgement;
  const auto judgement = digest.verify(request, now);
  if (judgement == Judgement::Accepted) return false;
  const auto tag = agent::to_tag_for(request, tag_secret);
  auto response = make_response(request, digest.status(), tag);
  digest.challenge(response, judgement == Judgement::Stale || judgement == Judgement::Replayed,
                   now);
  respond(id, std::move(response), flow);
  return true;
}

// 16.11: the ACK for a 2xx, and what else has no transaction. The same message has the same branch,
// and a CANCEL that of its INVITE.
void Proxy::Impl::forward_statelessly(Message request, const Flow& flow) {
  auto targets = targets_of(request);
  if (!targets) return;
  const auto& target = targets->front();
  const auto via = request.maybe<Via>();
  const auto cseq = request.maybe<CSeq>();
  Rng branch(derive_seed(secret, std::string(via ? via->branch() : "") + '\n' +
                                     std::string(request.raw(HeaderId::CallId)) + '\n' +
                                     std::to_string(cseq ? cseq->number : 0)));
  transaction::stamp_via(request, flow);
  auto copy = copy_for(request, {.target = target.uri,
                                 .path = target.path,
                                 .local = flow.local,
                                 .breadth = breadth_of(request)});
  if (const auto to = prepare(copy, transaction::make_branch(branch))) send(std::move(copy), *to);
}

// --- branches

void Proxy::Impl::start(transaction::Id id, ResponseContext made) {
  auto& context = contexts.emplace(id, std::move(made)).first->second;
  try_targets(context);
  look_for_end(context);
}

// 16.6: targets of equal q in parallel, the others when these have failed.
void Proxy::Impl::try_targets(ResponseContext& context) {
  if (context.targets.empty()) return;
  std::vector<Target> group;
  const int q = context.targets.front().q;
  while (!context.targets.empty() && context.targets.front().q == q) {
    group.push_back(std::move(context.targets.front()));
    context.targets.pop_front();
  }
  const auto breadth = breadth_of(context.request);
  const auto count = static_cast<unsigned>(group.size());
  if (count > breadth) {
    // RFC 5393 5.3.3 MUST
    context.targets.clear();
    context.is_answered = true;
    return respond(context.server, context.request, {440, {5393, "5.3.3", Level::Must}},
                   context.flow);
  }
  for (unsigned i = 0; i < count; ++i)
    forward(context, group[i], breadth / count + (i < breadth % count ? 1 : 0));
}

void Proxy::Impl::forward(ResponseContext& context, const Target& target, unsigned breadth) {
  auto copy = copy_for(context.request, {.target = target.uri,
                                         .path = target.path,
                                         .local = context.flow.local,
                                         .breadth = breadth});
  const auto to = prepare(copy, transaction::make_branch(rng) + context.mark);
  const auto index = context.branches.size();
  auto& branch = context.branches.emplace_back(copy, settings.timer_c, settings.timings.timeout());
  (void)branch.step(Branch::Input::Forwarded, now);
  const auto sent = to ? layer.send_request(std::move(copy), *to, now)
                       : std::unexpected(transaction::SendError::NoVia);
  if (!sent) {
    (void)branch.step(Branch::Input::Unreachable, now);
    branch.final = make_response(context.request, 503,
                                 agent::to_tag_for(context.request, tag_secret));
    return;
  }
  branch.transaction = *sent;
  clients.insert_or_assign(*sent, std::pair(context.server, index));
}

// 16.6 steps 6 to 9. Nothing: there is no way to that place.
std::optional<transaction::Destination> Proxy::Impl::prepare(Message& copy,
                                                             std::string_view branch) const {
  std::expected<transaction::Destination, agent::Unresolved> to =
      std::unexpected(agent::Unresolved::BadUri);
  if (rewrite_for_strict_router(copy)) {
    const auto uri = copy.target();
    if (const auto endpoint = uri ? agent::resolve(*uri) : std::unexpected(to.error()))
      to = transaction::Destination{*endpoint, 0};
  } else {
    to = agent::destination_of(copy);
  }
  if (!to) return std::nullopt;
  const auto* local = agent::local_for(settings.local, to->endpoint);
  if (local == nullptr) return std::nullopt;
  transaction::add_via(copy, *local, branch);
  if (is_reliable(local->transport) && !copy.has(HeaderId::ContentLength))
    copy.add(HeaderId::ContentLength, std::to_string(copy.body().size()));
  return *to;
}

void Proxy::Impl::act(ResponseContext& context, Branch& branch, Branch::Input input,
                      const Message* response) {
  const auto take = [&](int status) {
    branch.final = make_response(context.request, status,
                                 agent::to_tag_for(context.request, tag_secret));
  };
  switch (branch.step(input, now)) {
    case Branch::Action::None:
      return;
    case Branch::Action::PassUp:
      return pass_up(context, *response);
    case Branch::Action::PassUpAndCancel:
      pass_up(context, *response);
      return cancel_branch(branch);
    case Branch::Action::Keep:
      branch.final = *response;
      break;
    case Branch::Action::SendCancel:
      return cancel_branch(branch);
    case Branch::Action::TakeTimeout:
      take(408);
      if (branch.transaction != 0) layer.abandon(branch.transaction, now);
      break;
    case Branch::Action::TakeFailure:
      take(503);
      break;
  }
  // 16.7 step 5: after a 6xx nobody else is tried, but it waits for the branches that there are.
  if (branch.final->status() >= 600) {
    context.targets.clear();
    cancel_pending(context);
  }
  look_for_end(context);
}

void Proxy::Impl::cancel_branch(Branch& branch) {
  const auto* sent = layer.request(branch.transaction);
  if (sent == nullptr) return;
  auto cancel = transaction::cancel_for(*sent);
  if (!cancel_reason.empty()) cancel.add(HeaderId::Reason, cancel_reason);  // RFC 3326 2 SHOULD
  if (!cancel.has(HeaderId::ContentLength)) cancel.add(HeaderId::ContentLength, "0");
  auto to = agent::destination_of(cancel);
  if (to) (void)layer.send_request(std::move(cancel), *to, now);
}

// 16.7 step 10, 16.10.
void Proxy::Impl::cancel_pending(ResponseContext& context) {
  if (!context.is_invite()) return;  // 9.1 SHOULD NOT
  for (auto& branch : context.branches)
    if (branch.step(Branch::Input::Cancel, now) == Branch::Action::SendCancel)
      cancel_branch(branch);
}

void Proxy::Impl::client_failed(transaction::Id id, Branch::Input input) {
  const auto [context, branch] = owner_of(id);
  if (context != nullptr) act(*context, *branch, input, nullptr);
}

std::pair<ResponseContext*, Branch*> Proxy::Impl::owner_of(transaction::Id client) {
  const auto known = clients.find(client);
  if (known == clients.end()) return {nullptr, nullptr};
  const auto context = contexts.find(known->second.first);
  if (context == contexts.end()) return {nullptr, nullptr};
  return {&context->second, &context->second.branches[known->second.second]};
}

void Proxy::Impl::route(const transaction::Terminated& output) {
  clients.erase(output.transaction);
  const auto context = contexts.find(output.transaction);
  if (context != contexts.end() && !context->second.has_pending()) contexts.erase(context);
}

// --- responses

// 16.7
void Proxy::Impl::route(transaction::ResponseReceived output) {
  const auto [context, branch] = owner_of(output.transaction);
  if (context == nullptr) return;
  auto& response = output.response;
  remove_top_via(response);
  if (!response.has(HeaderId::Via)) return;
  act(*context, *branch, input_of(response), &response);
}

// Step 9, of what does not wait for the other branches.
void Proxy::Impl::pass_up(ResponseContext& context, Message response) {
  const bool is_success = response.status() >= 200;
  if (!is_success && context.is_answered) return;
  // Step 5: after a final response nothing but a 2xx to INVITE.
  if (is_success && context.is_answered && !context.is_invite()) return;
  respond(context.server, std::move(response), context.flow);
  if (!is_success) return;
  context.is_answered = true;
  context.targets.clear();
  cancel_pending(context);
}

// Step 6, when no branch is pending any more.
void Proxy::Impl::look_for_end(ResponseContext& context) {
  if (context.has_pending()) return;
  while (!context.is_answered && !context.targets.empty()) {
    try_targets(context);
    if (context.has_pending()) return;
  }
  const auto id = context.server;
  if (!context.is_answered) {
    std::vector<const Message*> finals;
    for (const auto& branch : context.branches)
      finals.push_back(branch.final ? &*branch.final : nullptr);
    auto best = best_response(finals);
    context.is_answered = true;
    if (best && best->status() == 503) {
      // Step 6 SHOULD NOT: 503 would speak of this proxy.
      respond(id, context.request, {500, {3261, "16.7", Level::Should}}, context.flow);
    } else if (best) {
      respond(id, *std::move(best), context.flow);
    } else {
      respond(id, context.request, {408, {3261, "16.7", Level::Must}}, context.flow);
    }
  }
  if (layer.state(id).empty()) contexts.erase(id);
}

void Proxy::Impl::respond(transaction::Id id, const Message& request, const Refusal& refusal,
                          const Flow& flow) {
  respond(id, make_response(request, refusal, agent::to_tag_for(request, tag_secret)), flow);
}

void Proxy::Impl::respond(transaction::Id id, Message response, const Flow& flow) {
  const auto sent = layer.respond(id, response, now);
  if (sent || sent.error() == transaction::SendError::Forbidden) return;
  // Step 9: a 2xx to INVITE whose server transaction is gone, or has another final response.
  if (response.status() < 200 || response.status() >= 300) return;
  const auto to = transaction::response_destination(response, flow);
  send(std::move(response), to);
}

}  // namespace sipassay::proxy
