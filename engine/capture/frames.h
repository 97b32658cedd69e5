// Frames for tests: what a capture would hold of these octets.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sipassay::capture::frames {

inline std::string number(std::uint32_t value, int octets) {
  std::string out;
  for (int i = octets - 1; i >= 0; --i)
    out += static_cast<char>(value >> (8U * static_cast<unsigned>(i)) & 0xFFU);
  return out;
}

inline std::string udp(std::uint16_t from, std::uint16_t to, std::string_view octets) {
  return number(from, 2) + number(to, 2) +
         number(static_cast<std::uint32_t>(octets.size() + 8), 2) + number(0, 2) +
         std::string(octets);
}

struct Tcp {
  std::uint16_t from = 0, to = 0;
  std::uint32_t sequence = 0;
  std::uint8_t flags = 0x10;  // ACK
};
inline constexpr std::uint8_t tcp_fin = 1, tcp_syn = 2, tcp_rst = 4;

inline std::string tcp(const Tcp& header, std::string_view octets) {
  return number(header.from, 2) + number(header.to, 2) + number(header.sequence, 4) + number(0, 4) +
         number(0x50, 1) + number(header.flags, 1) + std::string(6, '\0') + std::string(octets);
}

// Where a fragment stands in its datagram.
struct Part {
  std::uint32_t id = 0;
  std::size_t offset = 0;
  bool has_more = false;
};

// From 192.0.2.1 to 192.0.2.2; the protocol is 17 (UDP) or 6 (TCP).
inline std::string ipv4(std::uint8_t protocol, std::string_view payload, const Part& part = {}) {
  const auto place = static_cast<std::uint32_t>(part.offset / 8) | (part.has_more ? 0x2000U : 0U);
  return number(0x4500, 2) + number(static_cast<std::uint32_t>(payload.size() + 20), 2) +
         number(part.id, 2) + number(place, 2) + number(64, 1) + number(protocol, 1) +
         number(0, 2) + number(0xC0000201, 4) + number(0xC0000202, 4) + std::string(payload);
}

// From 2001:db8::1 to 2001:db8::2.
inline std::string ipv6(std::uint8_t protocol, std::string_view payload) {
  const auto address = [](std::uint32_t last) {
    return number(0x20010DB8, 4) + number(0, 4) + number(0, 4) + number(last, 4);
  };
  return number(0x60000000, 4) + number(static_cast<std::uint32_t>(payload.size()), 2) +
         number(protocol, 1) + number(64, 1) + address(1) + address(2) + std::string(payload);
}

inline std::string ethernet(std::string_view packet, std::uint16_t type = 0x0800) {
  return std::string(12, '\x02') + number(type, 2) + std::string(packet);
}

}  // namespace sipassay::capture::frames
