// What becomes of a request that was taken: its branches (RFC 3261 16.6, 16.8 to 16.11) and their
// responses (16.7).
#include <algorithm>
#include <utility>

#include "engine/agent/resolve.h"
#include "engine/message/header/all.h"
#include "engine/proxy/best_response.h"
#include "engine/proxy/proxy_impl.h"

namespace sipassay::proxy {
namespace {

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

using agent::Refusal;

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
  auto copy = copy_for(
      context.request,
      {.target = target.uri, .path = target.path, .local = context.flow.local, .breadth = breadth});
  const auto to = prepare(copy, transaction::make_branch(rng) + context.mark);
  const auto index = context.branches.size();
  auto& branch = context.branches.emplace_back(copy, settings.timer_c, settings.timings.timeout());
  (void)branch.step(Branch::Input::Forwarded, now);
  const auto sent = to ? layer.send_request(std::move(copy), *to, now)
                       : std::unexpected(transaction::SendError::NoVia);
  if (!sent) {
    (void)branch.step(Branch::Input::Unreachable, now);
    branch.final = own_response(context.request, {503, {3261, "16.9", Level::Must}});
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
  const auto take = [&](int status, std::string_view section) {
    branch.final = own_response(context.request, {status, {3261, section, Level::Must}});
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
      take(408, "16.8");
      if (branch.transaction != 0) layer.abandon(branch.transaction, now);
      break;
    case Branch::Action::TakeFailure:
      take(503, "16.9");
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
  respond(id, own_response(request, refusal), flow);
}

Message Proxy::Impl::own_response(const Message& request, const Refusal& refusal) const {
  auto response = agent::make_response(request, refusal, agent::to_tag_for(request, tag_secret));
  response.add(HeaderId::Server, agent::product);
  return response;
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
