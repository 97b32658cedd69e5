#include "engine/transaction/layer.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/ascii.h"
#include "engine/message/header/address.h"
#include "engine/message/header/via.h"
#include "engine/transaction/invite_client.h"
#include "engine/transaction/invite_server.h"
#include "engine/transaction/key.h"
#include "engine/transaction/non_invite_client.h"
#include "engine/transaction/non_invite_server.h"
#include "engine/transaction/timer_queue.h"

namespace sipassay::transaction {
namespace {

using Machine = std::variant<InviteClient, NonInviteClient, InviteServer, NonInviteServer>;

struct Entry {
  Machine machine;
  std::string client_key;  // empty: a server transaction
  ServerKey server_key;
  std::string merge_key;
};

bool is_client(const Machine& machine) {
  return std::holds_alternative<InviteClient>(machine) ||
         std::holds_alternative<NonInviteClient>(machine);
}

const Context& context(const Machine& machine) {
  return std::visit([](const auto& m) -> const Context& { return m.context(); }, machine);
}

bool is_terminated(const Machine& machine) {
  return std::visit([](const auto& m) { return m.is_terminated(); }, machine);
}

std::optional<Instant> next_deadline(const Machine& machine) {
  return std::visit([](const auto& m) { return m.next_deadline(); }, machine);
}

std::string_view to_tag(const Message& message) {
  const auto to = message.maybe<To>();
  return to ? to->tag() : std::string_view();
}

// A connection is itself; on datagrams the address counts.
bool is_same_way(const Destination& a, const Destination& b) {
  if (!is_reliable(a.endpoint.transport)) return a.endpoint == b.endpoint;
  return a.flow == b.flow && (a.flow != 0 || a.endpoint == b.endpoint);
}

// RFC 4320 4.1, 4.2: what may not be sent to a request other than INVITE.
bool is_forbidden(const NonInviteServer& machine, const Message& response, Instant now) {
  if (response.status() == 408) return true;
  if (response.status() >= 200) return false;
  return response.status() != 100 ||
         (!machine.context().is_reliable() && now < machine.trying_from());
}

// RFC 3261 8.2.7: a stateless answer has the same tag whenever it is made again.
Message overload_answer(const Message& request, const ServerKey& key, std::uint64_t seed) {
  Message out = Message::response(503);
  for (const HeaderId id :
       {HeaderId::Via, HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq})
    for (std::size_t nth = 0; const auto position = request.find(id, nth); ++nth)
      out.add(request.field(*position).name, request.field(*position).value);
  if (const auto to = out.find(HeaderId::To); to && to_tag(request).empty()) {
    Rng rng(derive_seed(seed, key.branch));
    out.set_value(*to, std::string(out.field(*to).value) + ";tag=" + rng.token(8));
  }
  out.add(HeaderId::RetryAfter, "5").add(HeaderId::ContentLength, "0");
  return out;
}

}  // namespace

struct Layer::Impl {
  Impl(Options the_options, Rng rng) : options(the_options), seed(rng.next()) {}

  void receive_response(Message response, const Flow& flow, Instant now);
  void receive_request(Message request, const Flow& flow, Instant now);
  void receive_ack(Message ack, const ServerKey& key, const Flow& flow, Instant now);
  void create_server(Message request, ServerKey key, const Flow& flow, Instant now);
  Id transaction_for_ack(const ServerKey& key, const Message& ack) const;
  Id transaction_for_cancel(const ServerKey& key) const;
  Entry* find(Id id);
  const Entry* find(Id id) const;
  Entry& insert(Id id, Entry entry);
  void settle(Id id, Entry& entry, Instant now);
  void erase(Id id, const Entry& entry);

  Options options;
  std::uint64_t seed;
  Id last_id = 0;
  std::map<Id, Entry> entries;
  std::map<ServerKey, Id> servers;
  std::map<std::string, Id> clients;
  std::set<std::pair<std::string, Id>> merges;
  TimerQueue timers;
  Outbox outputs;
};

Layer::Layer(Options options, Rng rng) : impl_(std::make_unique<Impl>(options, rng)) {}
Layer::~Layer() = default;
Layer::Layer(Layer&&) noexcept = default;
Layer& Layer::operator=(Layer&&) noexcept = default;

// --- from the network

void Layer::receive(Message message, const Flow& flow, Instant now) {
  if (message.is_response())
    impl_->receive_response(std::move(message), flow, now);
  else
    impl_->receive_request(std::move(message), flow, now);
}

void Layer::transport_failed(const Destination& to, Instant now) {
  std::vector<Id> ids;
  for (const auto& [id, entry] : impl_->entries)
    if (is_same_way(context(entry.machine).to(), to)) ids.push_back(id);
  for (const Id id : ids) {
    Entry* entry = impl_->find(id);
    std::visit([&](auto& m) { m.transport_failed(now, impl_->outputs); }, entry->machine);
    impl_->settle(id, *entry, now);
  }
}

void Layer::Impl::receive_response(Message response, const Flow& flow, Instant now) {
  // RFC 3261 8.1.3.3: it was not meant for us.
  if (!options.takes_forwarded_responses && response.all<Via>().count() > 1) return;
  const auto via = response.maybe<Via>();
  const auto key = via ? client_key(response, *via) : std::nullopt;
  const auto found = key ? clients.find(*key) : clients.end();
  if (found == clients.end()) {
    outputs.push_back(StrayResponse{std::move(response), flow});
    return;
  }
  const Id id = found->second;
  Entry& entry = *find(id);
  const auto sent = context(entry.machine).request.maybe<Via>();
  if (sent && !has_same_sent_by(*sent, *via)) return;  // RFC 3261 18.1.2: discarded silently
  if (auto* invite = std::get_if<InviteClient>(&entry.machine))
    invite->receive(std::move(response), flow, now, outputs);
  else
    std::get<NonInviteClient>(entry.machine).receive(std::move(response), flow, now, outputs);
  settle(id, entry, now);
}

void Layer::Impl::receive_request(Message request, const Flow& flow, Instant now) {
  const auto via = request.maybe<Via>();
  if (!via) return;  // nobody could be answered
  ServerKey key = server_key(request, *via);
  if (request.method() == Method::Ack) return receive_ack(std::move(request), key, flow, now);
  const auto found = servers.find(key);
  if (found == servers.end()) return create_server(std::move(request), std::move(key), flow, now);
  const Id id = found->second;
  Entry& entry = *find(id);
  if (auto* invite = std::get_if<InviteServer>(&entry.machine))
    invite->receive_again(now, outputs);
  else
    std::get<NonInviteServer>(entry.machine).receive_again(now, outputs);
  settle(id, entry, now);
}

void Layer::Impl::receive_ack(Message ack, const ServerKey& key, const Flow& flow, Instant now) {
  const Id id = transaction_for_ack(key, ack);
  if (id == 0) {
    outputs.push_back(RequestReceived{0, std::move(ack), flow});
    return;
  }
  Entry& entry = *find(id);
  std::get<InviteServer>(entry.machine).receive_ack(std::move(ack), flow, now, outputs);
  settle(id, entry, now);
}

void Layer::Impl::create_server(Message request, ServerKey key, const Flow& flow, Instant now) {
  stamp_via(request, flow);
  const Destination to = response_destination(request, flow);
  if (entries.size() >= options.limit) {
    outputs.push_back(Transmit{overload_answer(request, key, seed), to, false, 0});
    return;
  }
  const Id id = ++last_id;
  const Method method = request.method();
  std::string merge = merge_key(request);
  Context context(id, std::move(request), to, options.timings);
  context.flow = flow;
  context.arrived = now;
  if (method == Method::Cancel) context.cancelled = transaction_for_cancel(key);
  Machine machine = method == Method::Invite
                        ? Machine(InviteServer(std::move(context), options.sends_trying))
                        : Machine(NonInviteServer(std::move(context), options.sends_late_trying));
  Entry& entry = insert(id, {std::move(machine), {}, std::move(key), std::move(merge)});
  if (auto* invite = std::get_if<InviteServer>(&entry.machine))
    invite->start(now, outputs);
  else
    std::get<NonInviteServer>(entry.machine).start(now, outputs);
  settle(id, entry, now);
}

// RFC 3261 17.2.3: the method of the transaction is INVITE; RFC 2543: the To tag is the response's.
Id Layer::Impl::transaction_for_ack(const ServerKey& key, const Message& ack) const {
  const std::string_view invite = to_string(Method::Invite);
  for (auto it = servers.lower_bound({key.branch, std::string(invite), {}});
       it != servers.end() && it->first.branch == key.branch && it->first.method == invite; ++it) {
    if (key.has_cookie()) return it->second;
    const auto& response = context(find(it->second)->machine).response;
    if (response && to_tag(*response) == to_tag(ack)) return it->second;
  }
  return 0;
}

// RFC 3261 9.2: matched as if the method were anything but CANCEL or ACK.
Id Layer::Impl::transaction_for_cancel(const ServerKey& key) const {
  for (auto it = servers.lower_bound({key.branch, {}, {}});
       it != servers.end() && it->first.branch == key.branch; ++it)
    if (it->first.method != to_string(Method::Cancel) && it->first.to_tag == key.to_tag)
      return it->second;
  return 0;
}

// --- from the user

std::expected<Id, SendError> Layer::send_request(Message request, const Destination& to,
                                                 Instant now) {
  const auto via = request.maybe<Via>();
  if (!via) return std::unexpected(SendError::NoVia);
  if (impl_->entries.size() >= impl_->options.limit) return std::unexpected(SendError::TooMany);
  const Id id = ++impl_->last_id;
  std::string key = client_key(request, *via).value_or("");
  const bool is_invite = request.method() == Method::Invite;
  Context context(id, std::move(request), to, impl_->options.timings);
  Machine machine = is_invite ? Machine(InviteClient(std::move(context)))
                              : Machine(NonInviteClient(std::move(context)));
  Entry& entry = impl_->insert(id, {std::move(machine), std::move(key), {}, {}});
  if (auto* invite = std::get_if<InviteClient>(&entry.machine))
    invite->start(now, impl_->outputs);
  else
    std::get<NonInviteClient>(entry.machine).start(now, impl_->outputs);
  impl_->settle(id, entry, now);
  return id;
}

void Layer::send_ack(Message ack, const Destination& to) {
  impl_->outputs.push_back(Transmit{std::move(ack), to, false, 0});
}

std::expected<void, SendError> Layer::respond(Id transaction, Message response, Instant now) {
  Entry* entry = impl_->find(transaction);
  if (entry == nullptr || is_client(entry->machine))
    return std::unexpected(SendError::UnknownTransaction);
  bool is_taken = false;
  if (auto* invite = std::get_if<InviteServer>(&entry->machine)) {
    is_taken = invite->respond(std::move(response), now, impl_->outputs);
  } else {
    auto& machine = std::get<NonInviteServer>(entry->machine);
    if (impl_->options.keeps_rfc4320 && is_forbidden(machine, response, now))
      return std::unexpected(SendError::Forbidden);
    is_taken = machine.respond(std::move(response), now, impl_->outputs);
  }
  if (!is_taken) return std::unexpected(SendError::WrongState);
  impl_->settle(transaction, *entry, now);
  return {};
}

std::expected<void, SendError> Layer::repeat_response(Id transaction) {
  Entry* entry = impl_->find(transaction);
  if (entry == nullptr) return std::unexpected(SendError::UnknownTransaction);
  auto* invite = std::get_if<InviteServer>(&entry->machine);
  if (invite == nullptr || !invite->repeat_success(impl_->outputs))
    return std::unexpected(SendError::WrongState);
  return {};
}

void Layer::abandon(Id transaction, Instant now) {
  Entry* entry = impl_->find(transaction);
  if (entry == nullptr) return;
  if (auto* invite = std::get_if<InviteClient>(&entry->machine))
    invite->abandon(now, impl_->outputs);
  else if (auto* other = std::get_if<NonInviteClient>(&entry->machine))
    other->abandon(now, impl_->outputs);
  impl_->settle(transaction, *entry, now);
}

// --- time

void Layer::advance(Instant now) {
  while (const auto id = impl_->timers.take_due(now)) {
    Entry& entry = *impl_->find(*id);
    std::visit([&](auto& m) { m.fire(now, impl_->outputs); }, entry.machine);
    impl_->settle(*id, entry, now);
  }
}

std::optional<Instant> Layer::next_deadline() const {
  return impl_->timers.next();
}

std::optional<Output> Layer::poll() {
  if (impl_->outputs.empty()) return std::nullopt;
  Output output = std::move(impl_->outputs.front());
  impl_->outputs.pop_front();
  return output;
}

// --- looking in

std::size_t Layer::size() const {
  return impl_->entries.size();
}

std::string_view Layer::state(Id transaction) const {
  const Entry* entry = impl_->find(transaction);
  if (entry == nullptr) return {};
  return std::visit([](const auto& m) { return to_string(m.state()); }, entry->machine);
}

const Message* Layer::request(Id transaction) const {
  const Entry* entry = impl_->find(transaction);
  return entry == nullptr ? nullptr : &context(entry->machine).request;
}

const Message* Layer::last_response(Id transaction) const {
  const Entry* entry = impl_->find(transaction);
  if (entry == nullptr) return nullptr;
  const auto& response = context(entry->machine).response;
  return response ? &*response : nullptr;
}

bool Layer::is_merged(const Message& request, Id self) const {
  if (!to_tag(request).empty()) return false;  // RFC 3261 8.2.2.2: inside a dialog CSeq decides
  const std::string key = merge_key(request);
  if (key.empty()) return false;
  for (auto it = impl_->merges.lower_bound({key, 0}); it != impl_->merges.end() && it->first == key;
       ++it)
    if (it->second != self) return true;
  return false;
}

// --- bookkeeping

Entry* Layer::Impl::find(Id id) {
  const auto it = entries.find(id);
  return it == entries.end() ? nullptr : &it->second;
}

const Entry* Layer::Impl::find(Id id) const {
  const auto it = entries.find(id);
  return it == entries.end() ? nullptr : &it->second;
}

Entry& Layer::Impl::insert(Id id, Entry entry) {
  // Of two client transactions with one branch (a tester's doing) the younger gets the responses.
  if (!entry.client_key.empty())
    clients.insert_or_assign(entry.client_key, id);
  else
    servers.emplace(entry.server_key, id);
  if (!entry.merge_key.empty()) merges.emplace(entry.merge_key, id);
  return entries.emplace(id, std::move(entry)).first->second;
}

// After every input: timers of zero seconds fire, what is terminated goes, what is left waits.
void Layer::Impl::settle(Id id, Entry& entry, Instant now) {
  for (auto due = transaction::next_deadline(entry.machine); due && *due <= now;
       due = transaction::next_deadline(entry.machine))
    std::visit([&](auto& m) { m.fire(now, outputs); }, entry.machine);
  if (!is_terminated(entry.machine)) {
    timers.set(id, transaction::next_deadline(entry.machine));
    return;
  }
  timers.set(id, std::nullopt);
  outputs.push_back(Terminated{id});
  erase(id, entry);
}

void Layer::Impl::erase(Id id, const Entry& entry) {
  if (const auto it = clients.find(entry.client_key); it != clients.end() && it->second == id)
    clients.erase(it);
  if (entry.client_key.empty()) servers.erase(entry.server_key);
  merges.erase({entry.merge_key, id});
  entries.erase(id);
}

}  // namespace sipassay::transaction
