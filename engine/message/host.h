// Hosts as the grammar and the wire spell them (RFC 3261 25.1, RFC 5954).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/message/octets.h"

namespace sipassay {

using Ipv6 = std::array<std::uint16_t, 8>;

// The eight groups of an IPv6 address without brackets.
std::optional<Ipv6> ipv6_from(std::string_view text);
// The text is a host: brackets of an IPv6 reference are taken off. Nothing if it is none.
std::optional<std::string_view> host_from(std::string_view text);
// With brackets around IPv6.
void write_host(Octets& out, std::string_view host, bool is_ipv6);

}  // namespace sipassay
