#include "engine/base/endpoint.h"

#include <array>
#include <fmt/format.h>

#include "engine/base/ascii.h"

namespace sipassay {

namespace {

struct Row {
  Transport transport;
  std::string_view via;
  std::string_view name;
  std::uint16_t port;
};
constexpr std::array rows{
    Row{Transport::Udp, "UDP", "udp", 5060}, Row{Transport::Tcp, "TCP", "tcp", 5060},
    Row{Transport::Tls, "TLS", "tls", 5061}, Row{Transport::Ws, "WS", "ws", 80},
    Row{Transport::Wss, "WSS", "wss", 443},
};

}  // namespace

std::string_view via_token(Transport transport) {
  return rows.at(static_cast<std::size_t>(transport)).via;
}

std::string_view to_string(Transport transport) {
  return rows.at(static_cast<std::size_t>(transport)).name;
}

std::optional<Transport> transport_from(std::string_view token) {
  for (const Row& row : rows)
    if (ascii::iequals(row.name, token)) return row.transport;
  return std::nullopt;
}

std::optional<Endpoint> endpoint_from(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto transport = transport_from(text.substr(0, colon));
  if (!transport) return std::nullopt;
  std::string_view rest = text.substr(colon + 1);

  Endpoint endpoint{*transport, {}, rows.at(static_cast<std::size_t>(*transport)).port};
  std::string_view port;
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    endpoint.host = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    port = rest;
  } else {
    const auto split = rest.find(':');
    endpoint.host = rest.substr(0, split);
    port = split == std::string_view::npos ? std::string_view() : rest.substr(split);
  }
  if (endpoint.host.empty()) return std::nullopt;
  if (port.empty()) return endpoint;
  const auto value = ascii::number<std::uint16_t>(port.substr(1));
  if (!value) return std::nullopt;
  endpoint.port = *value;
  return endpoint;
}

std::string to_string(const Endpoint& endpoint) {
  return fmt::format("{}:{}", to_string(endpoint.transport), host_port(endpoint));
}

std::string host_port(const Endpoint& endpoint) {
  const bool is_ipv6 = endpoint.host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", endpoint.host, endpoint.port)
                 : fmt::format("{}:{}", endpoint.host, endpoint.port);
}

}  // namespace sipassay
