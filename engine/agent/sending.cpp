// How messages leave: where to, with which Via, by TCP when they are long, and not at all to a
// server that is spared.
#include <algorithm>

#include "engine/agent/core.h"
#include "engine/agent/resolve.h"
#include "engine/message/header/all.h"

namespace sipassay::agent {

// --- requests

std::expected<transaction::Destination, Unresolved> Core::destination(const Message& request,
                                                                      const Flow* flow) {
  const auto resolved = destination_of(request);
  if (!resolved) {
    // A name in Contact or Route: the peer was heard there last.
    if (flow != nullptr && !flow->remote.host.empty())
      return transaction::Destination{flow->remote, flow->id};
    return resolved;
  }
  if (flow != nullptr && flow->remote == resolved->endpoint)
    return transaction::Destination{flow->remote, flow->id};
  return resolved;
}

bool Core::add_via(Message& request, const transaction::Destination& to) {
  const auto* local = local_for(settings_.local, to.endpoint);
  if (local == nullptr) return false;
  transaction::add_via(request, *local, transaction::make_branch(rng_));
  return true;
}

// RFC 3261 18.1.1 MUST: a request of more than 1300 octets goes by TCP, and its Via says so.
bool Core::address(Message& request, transaction::Destination& to) {
  if (!add_via(request, to)) return false;
  if (to.endpoint.transport != Transport::Udp || is_without_tcp(to.endpoint) ||
      request.to_string().size() <= datagram_octets_max)
    return true;
  auto stream = to.endpoint;
  stream.transport = Transport::Tcp;
  const auto* local = local_for(settings_.local, stream);
  if (local == nullptr) return true;  // we have nothing else
  to = {stream, 0};
  request.remove(HeaderId::Via);
  return add_via(request, to);
}

std::expected<transaction::Id, std::string_view> Core::send(Message& request, const Flow* flow,
                                                            ClientTransaction owner) {
  auto to = destination(request, flow);
  if (!to) return std::unexpected(to_string(to.error()));
  if (owner.what != ClientTransaction::What::InDialog && is_spared(to->endpoint))
    return std::unexpected("server is overloaded and spared");
  const bool is_datagram = to->endpoint.transport == Transport::Udp;
  if (!address(request, *to)) return std::unexpected(to_string(Unresolved::Transport));
  const auto id = layer_.send_request(request, *to, now_);
  if (!id) return std::unexpected("too many transactions");
  owner.request = request;
  owner.to = *to;
  owner.was_too_long = is_datagram && to->endpoint.transport != Transport::Udp;
  clients_.emplace(*id, std::move(owner));
  drain();
  return *id;
}

// RFC 3261 18.1.1 SHOULD: an element of RFC 2543 may know UDP only. It has not seen the request, so
// that is the same again but for the Via.
bool Core::send_by_datagram(transaction::Id failed) {
  auto owner = clients_.at(failed);
  auto* call = find_call(owner.call);
  auto* dialog = call == nullptr ? nullptr : call->find(owner.dialog);
  const bool is_initial = owner.what == ClientTransaction::What::Invite;
  const bool has_owner =
      is_initial ? call != nullptr && call->client && call->client->transaction == failed
      : owner.what == ClientTransaction::What::InDialog ? dialog != nullptr
                                                        : true;
  if (!owner.was_too_long || !has_owner) return false;
  auto request = owner.request;
  request.remove(HeaderId::Via);
  const auto id = send(request, dialog == nullptr ? nullptr : &dialog->flow, std::move(owner));
  if (!id) return false;
  if (is_initial) {
    call->client->transaction = *id;
    call->client->request = std::move(request);
  } else if (dialog != nullptr) {
    ++dialog->own_requests;
    if (dialog->reinvite && dialog->reinvite->transaction == failed)
      dialog->reinvite->transaction = *id;
  }
  return true;
}

void Core::note_without_tcp(const Endpoint& host) {
  std::erase_if(without_tcp_, [this](const auto& known) { return known.second <= now_; });
  if (without_tcp_.size() < without_tcp_max)
    without_tcp_.insert_or_assign(host_port(host), now_ + without_tcp_for);
}

bool Core::is_without_tcp(const Endpoint& host) const {
  const auto known = without_tcp_.find(host_port(host));
  return known != without_tcp_.end() && known->second > now_;
}

// 21.5.4: only what says how long it is overloaded is spared.
void Core::spare(const Endpoint& server, const Message& response) {
  const auto after = response.maybe<RetryAfter>();
  if (!settings_.spares_overloaded_servers || !after) return;
  std::erase_if(overloaded_, [this](const auto& entry) { return entry.second <= now_; });
  if (overloaded_.size() >= overloaded_max) return;
  overloaded_[host_port(server)] =
      now_ + std::min<Duration>(std::chrono::seconds(after->seconds), overload_max);
}

bool Core::is_spared(const Endpoint& server) const {
  const auto entry = overloaded_.find(host_port(server));
  return entry != overloaded_.end() && now_ < entry->second;
}

// --- responses

void Core::respond(transaction::Id transaction, Message response, const Flow& flow) {
  add_server_fields(response);
  if (transaction == 0)
    respond_statelessly(std::move(response), flow);
  else
    (void)layer_.respond(transaction, std::move(response), now_);
}

void Core::respond(transaction::Id transaction, const Message& request, const Refusal& refusal,
                   const Flow& flow) {
  respond(transaction, make_response(request, refusal, to_tag_for(request, tag_secret_)), flow);
}

void Core::respond_statelessly(Message response, const Flow& flow) {
  const auto to = response.get<Via>() ? transaction::response_destination(response, flow)
                                      : transaction::Destination{flow.remote, flow.id};
  outputs_.emplace_back(Send{std::move(response), to});
}

void Core::add_server_fields(Message& response) const {
  if (response.status() >= 200 && !response.has(HeaderId::Server))
    response.add(HeaderId::Server, product);
}

}  // namespace sipassay::agent
