// Endpoints as the system's socket addresses.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>
#include <string>

#include "engine/base/endpoint.h"

namespace sipassay::transport {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  bool is_ipv6() const { return storage.ss_family == AF_INET6; }
};

// Nothing if the host is a name and not an address.
std::optional<SocketAddress> socket_address(const Endpoint& endpoint);
Endpoint endpoint_of(const SocketAddress& address, Transport transport);

}  // namespace sipassay::transport
