// Where messages come from and go to. Only drivers turn these into sockets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sipassay {

enum class Transport : std::uint8_t { Udp, Tcp, Tls, Ws, Wss };

// The token of a Via's sent-protocol: "UDP".
std::string_view via_token(Transport transport);
// The value of a URI's transport parameter and of --sut: "udp".
std::string_view to_string(Transport transport);
std::optional<Transport> transport_from(std::string_view token);
// RFC 3261 17: retransmissions are the transport's business.
constexpr bool is_reliable(Transport transport) { return transport != Transport::Udp; }

struct Endpoint {
  Transport transport = Transport::Udp;
  std::string host;  // an IP address, or a name; IPv6 without brackets
  std::uint16_t port = 5060;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// "udp:127.0.0.1:5060", "tcp:[::1]:5070"; the port may be left out (5060, or 5061 for TLS).
std::optional<Endpoint> endpoint_from(std::string_view text);
std::string to_string(const Endpoint& endpoint);
// "127.0.0.1:5060", "[::1]:5070": host and port as a URI or a sent-by writes them.
std::string host_port(const Endpoint& endpoint);

// A connection of a stream transport, or the local socket of datagrams; zero: not known, or not yet.
// A destination with a flow leaves by it (RFC 3261 18.2.2, RFC 3581 4), else by any local endpoint
// of its transport.
using FlowId = std::uint32_t;

// How a message reached us; where its answer goes (RFC 3261 18.2.2).
struct Flow {
  Endpoint local;
  Endpoint remote;
  FlowId id = 0;

  friend bool operator==(const Flow&, const Flow&) = default;
};

}  // namespace sipassay
