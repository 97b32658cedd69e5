// Where a request goes: from its topmost Route or Request-URI to an endpoint (RFC
// 3261 8.1.2, 18.1.1). Numeric hosts and "localhost" only; names need the procedures of RFC 3263,
// which need a resolver.
#pragma once

#include <expected>
#include <string_view>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/message/message.h"
#include "engine/message/uri.h"
#include "engine/transaction/layer.h"

namespace sipassay::agent {

enum class Unresolved : std::uint8_t {
  BadUri,     // does not parse
  Scheme,     // neither sip nor sips
  Name,       // a host name that we cannot look up
  Transport,  // a transport that we do not have
};

std::string_view to_string(Unresolved reason);

// maddr is ignored: RFC 3261 19.1.1 allows it only as a hint that RFC 3263 consults.
std::expected<Endpoint, Unresolved> resolve(const Uri& uri);
// The first Route value decides, else the Request-URI (8.1.2; strict routers were swapped into the
// Request-URI by the dialog).
std::expected<transaction::Destination, Unresolved> destination_of(const Message& request);
// RFC 3261 12.1.1: what makes a dialog of a sips URI secure. WSS is WebSocket over TLS (RFC 7118).
constexpr bool is_over_tls(Transport transport) {
  return transport == Transport::Tls || transport == Transport::Wss;
}
// The local endpoint to send from: same transport, and same address family when there is one.
const Endpoint* local_for(const std::vector<Endpoint>& local, const Endpoint& remote);

}  // namespace sipassay::agent
