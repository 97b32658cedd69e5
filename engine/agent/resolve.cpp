#include "engine/agent/resolve.h"

#include <algorithm>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"

namespace sipassay::agent {
namespace {

bool is_ipv4(std::string_view host) {
  int dots = 0;
  int digits = 0;
  for (const char c : host) {
    if (c == '.') {
      if (digits == 0) return false;
      ++dots;
      digits = 0;
    } else if (c >= '0' && c <= '9' && digits < 3) {
      ++digits;
    } else {
      return false;
    }
  }
  return dots == 3 && digits > 0;
}

bool is_ipv6(std::string_view host) {
  return host.find(':') != std::string_view::npos;
}

}  // namespace

std::string_view to_string(Unresolved reason) {
  switch (reason) {
    case Unresolved::BadUri:
      return "malformed URI";
    case Unresolved::Scheme:
      return "URI scheme without SIP routing";
    case Unresolved::Name:
      return "host name cannot be looked up";
    case Unresolved::Transport:
      return "transport not available";
  }
  return {};
}

std::expected<Endpoint, Unresolved> resolve(const Uri& uri) {
  if (!uri.is_sip()) return std::unexpected(Unresolved::Scheme);
  const bool is_secure = uri.scheme == Uri::Scheme::Sips;
  Endpoint endpoint;
  endpoint.transport = is_secure ? Transport::Tls : Transport::Udp;
  if (const auto param = uri.params.find("transport")) {
    const auto transport = transport_from(param->value);
    if (!transport) return std::unexpected(Unresolved::Transport);
    endpoint.transport = *transport;
    // 26.2.2: sips asks for TLS below the named transport.
    if (is_secure && *transport == Transport::Tcp) endpoint.transport = Transport::Tls;
    if (is_secure && *transport == Transport::Ws) endpoint.transport = Transport::Wss;
    if (is_secure && *transport == Transport::Udp) return std::unexpected(Unresolved::Transport);
  }
  if (ascii::iequals(uri.host, "localhost"))
    endpoint.host = "127.0.0.1";
  else if (uri.is_ipv6 || is_ipv4(uri.host) || is_ipv6(uri.host))
    endpoint.host = std::string(uri.host);
  else
    return std::unexpected(Unresolved::Name);
  endpoint.port = uri.port.value_or(is_over_tls(endpoint.transport) ? 5061 : 5060);
  if (endpoint.port == 0) return std::unexpected(Unresolved::BadUri);
  return endpoint;
}

std::expected<transaction::Destination, Unresolved> destination_of(const Message& request) {
  Parsed<Uri> uri = std::unexpected(Error{});
  if (request.has(HeaderId::Route)) {
    const auto route = request.get<Route>();
    if (!route) return std::unexpected(Unresolved::BadUri);
    const auto endpoint = resolve(route->addr.uri);
    if (!endpoint) return std::unexpected(endpoint.error());
    return transaction::Destination{*endpoint, 0};
  }
  uri = parse_uri(request.request_uri());
  if (!uri) return std::unexpected(Unresolved::BadUri);
  const auto endpoint = resolve(*uri);
  if (!endpoint) return std::unexpected(endpoint.error());
  return transaction::Destination{*endpoint, 0};
}

const Endpoint* local_for(const std::vector<Endpoint>& local, const Endpoint& remote) {
  const auto fits = [&](const Endpoint& endpoint) {
    return endpoint.transport == remote.transport && is_ipv6(endpoint.host) == is_ipv6(remote.host);
  };
  if (const auto it = std::ranges::find_if(local, fits); it != local.end())
    return std::to_address(it);
  const auto it = std::ranges::find(local, remote.transport, &Endpoint::transport);
  return it == local.end() ? nullptr : std::to_address(it);
}

}  // namespace sipassay::agent
