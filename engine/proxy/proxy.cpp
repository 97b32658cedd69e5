#include "engine/proxy/proxy.h"

#include <algorithm>
#include <utility>

#include "engine/agent/admission.h"
#include "engine/agent/behaviour.h"
#include "engine/message/classify.h"
#include "engine/message/header/all.h"
#include "engine/message/parse.h"
#include "engine/proxy/admission.h"
#include "engine/proxy/proxy_impl.h"

namespace sipassay::proxy {

using agent::Refusal;

agent::digest::Server::Options Proxy::Impl::digest_options(const Settings& settings) {
  agent::digest::Server::Options options;
  if (!settings.accepts.realm.empty()) options.realm = settings.accepts.realm;
  options.users.push_back({{}, settings.accepts.user, settings.accepts.password});
  options.is_proxy = true;  // 22.1 MUST NOT: a proxy has no 401
  return options;
}

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
    // 16.7 step 3 MUST NOT: one that has no Via but ours ends here; 16.11: nor one that is not
    // ours.
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
  if (parse_message(input.octets, request)) return on(agent::MessageReceived{request, input.flow});
  if (!request.is_request() || request.method() == Method::Ack || !can_be_answered(request) ||
      input.octets.starts_with("SIP/"))
    return;
  transaction::stamp_via(request, input.flow);
  const int status = input.error.code == ErrorCode::Version ? 505 : 400;
  send(own_response(request, {status, {3261, "16.3", Level::Must}}),
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
  auto response = own_response(request, {200, {3261, "10.3", Level::Must}});
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
    const std::string warning = uri->scheme == Uri::Scheme::Sips
                                    ? "380 sipassay \"SIPS Not Allowed\""
                                    : "381 sipassay \"SIPS Required\"";
    return std::unexpected(Refusal{480, {5630, "5.3", Level::Must}, {}, {{"Warning", warning}}});
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
  auto response = own_response(request, {digest.status(), {3261, "22.3", Level::Must}});
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

}  // namespace sipassay::proxy
