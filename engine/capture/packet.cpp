#include "engine/capture/packet.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sipassay::capture {
namespace {

constexpr std::uint16_t ethertype_ipv4 = 0x0800, ethertype_ipv6 = 0x86DD;
constexpr std::uint8_t protocol_tcp = 6, protocol_udp = 17, ipv6_fragment = 44;

std::uint8_t octet(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}
std::uint16_t word(std::string_view text, std::size_t at) {
  return static_cast<std::uint16_t>(octet(text, at) << 8U | octet(text, at + 1));
}
std::uint32_t double_word(std::string_view text, std::size_t at) {
  return static_cast<std::uint32_t>(word(text, at)) << 16U | word(text, at + 2);
}

std::string ipv4_text(std::string_view octets) {
  return fmt::format("{}.{}.{}.{}", octet(octets, 0), octet(octets, 1), octet(octets, 2),
                     octet(octets, 3));
}

// RFC 5952 4: lower case, no leading zeros, the longest run of zero groups as "::".
std::string ipv6_text(std::string_view octets) {
  std::array<std::uint16_t, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = word(octets, 2 * i);
  std::size_t best = groups.size(), best_length = 1;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto end = std::find_if(groups.begin() + static_cast<std::ptrdiff_t>(i), groups.end(),
                                  [](std::uint16_t group) { return group != 0; });
    const auto length = static_cast<std::size_t>(end - groups.begin()) - i;
    if (length > best_length) best = i, best_length = length;
  }
  std::string out;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    out += fmt::format("{:x}", groups[i]);
  }
  return out;
}

// Where the network layer begins, by link type (the values that files carry, and DLT_RAW as libpcap
// gives it).
std::optional<std::string_view> without_link(int link_type, std::string_view frame) {
  const auto after = [&](std::size_t header) -> std::optional<std::string_view> {
    if (frame.size() < header) return std::nullopt;
    return frame.substr(header);
  };
  const auto tagged = [&](std::size_t type_at) -> std::optional<std::string_view> {
    for (std::size_t tags = 0; tags <= vlan_tags_max; ++tags, type_at += 4) {
      if (frame.size() < type_at + 2) return std::nullopt;
      const auto type = word(frame, type_at);
      if (type == ethertype_ipv4 || type == ethertype_ipv6) return frame.substr(type_at + 2);
      constexpr std::uint16_t vlan = 0x8100, provider_vlan = 0x88A8;
      if (type != vlan && type != provider_vlan) return std::nullopt;
    }
    return std::nullopt;
  };
  switch (link_type) {
    case 0:    // BSD loopback: address family in host order
    case 108:  // the same in network order
      return after(4);
    case 1:  // Ethernet
      return tagged(12);
    case 12:   // raw IP
    case 14:   // raw IP, as some systems number it
    case 101:  // raw IP
    case 228:  // raw IPv4
    case 229:  // raw IPv6
      return after(0);
    case 113:  // Linux cooked
      return tagged(14);
    case 276:  // Linux cooked, version 2: the protocol stands first
      if (frame.size() < 20) return std::nullopt;
      return word(frame, 0) == ethertype_ipv4 || word(frame, 0) == ethertype_ipv6 ? after(20)
                                                                                  : std::nullopt;
    default:
      return std::nullopt;
  }
}

bool is_known_link(int link_type) {
  constexpr std::array known{0, 108, 1, 12, 14, 101, 228, 229, 113, 276};
  return std::ranges::find(known, link_type) != known.end();
}

}  // namespace

std::string_view to_string(Skip skip) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(Skip::Count)> texts{
      "link layer not known", "not IP", "neither UDP nor TCP", "cut short by the capture",
      "fragments that were never whole"};
  return texts[static_cast<std::size_t>(skip)];
}

std::optional<Payload> PacketReader::give_up(Skip why) {
  skipped_ = why;
  return std::nullopt;
}

std::optional<Payload> PacketReader::read(int link_type, std::string_view frame, bool is_cut) {
  if (!is_known_link(link_type)) return give_up(Skip::Link);
  const auto packet = without_link(link_type, frame);
  if (!packet) return give_up(Skip::Network);
  auto network = read_network(*packet);
  if (!network) return give_up(is_cut ? Skip::Cut : Skip::Network);
  if (network->protocol != protocol_tcp && network->protocol != protocol_udp)
    return give_up(Skip::Transport);
  if (network->is_fragment) {
    if (!collect(*network, is_cut)) return give_up(Skip::Fragment);
    network->octets = whole_;
    is_cut = false;
  }
  return read_transport(*network, is_cut);
}

std::optional<PacketReader::Network> PacketReader::read_network(std::string_view packet) {
  if (packet.empty()) return std::nullopt;
  switch (octet(packet, 0) >> 4U) {
    case 4:
      return read_ipv4(packet);
    case 6:
      return read_ipv6(packet);
    default:
      return std::nullopt;
  }
}

// RFC 791 3.1.
std::optional<PacketReader::Network> PacketReader::read_ipv4(std::string_view packet) {
  constexpr std::size_t fixed = 20;
  if (packet.size() < fixed) return std::nullopt;
  const std::size_t header = (octet(packet, 0) & 0x0FU) * std::size_t{4};
  // Zero is what a network card that segments by itself leaves there.
  const std::size_t total = word(packet, 2) == 0 ? packet.size() : word(packet, 2);
  if (header < fixed || header > packet.size() || total < header) return std::nullopt;
  Network out;
  out.from = ipv4_text(packet.substr(12, 4));
  out.to = ipv4_text(packet.substr(16, 4));
  out.protocol = octet(packet, 9);
  out.id = word(packet, 4);
  out.has_more = (word(packet, 6) & 0x2000U) != 0;
  out.offset = (word(packet, 6) & 0x1FFFU) * std::size_t{8};
  out.is_fragment = out.has_more || out.offset != 0;
  out.octets = packet.substr(header, total - header);
  return out;
}

// RFC 8200 3, 4: the extension headers that may stand before UDP and TCP.
std::optional<PacketReader::Network> PacketReader::read_ipv6(std::string_view packet) {
  constexpr std::size_t fixed = 40;
  if (packet.size() < fixed) return std::nullopt;
  Network out;
  out.from = ipv6_text(packet.substr(8, 16));
  out.to = ipv6_text(packet.substr(24, 16));
  out.protocol = octet(packet, 6);
  const std::size_t length = word(packet, 4);
  out.octets = packet.substr(fixed, length == 0 ? std::string_view::npos : length);
  for (std::size_t count = 0; count < extension_headers_max; ++count) {
    constexpr std::array<std::uint8_t, 3> skippable{0, 43, 60};  // hop by hop, routing, destination
    const bool is_fragment = out.protocol == ipv6_fragment;
    if (!is_fragment && std::ranges::find(skippable, out.protocol) == skippable.end()) return out;
    if (out.octets.size() < 8) return std::nullopt;
    const std::size_t size = is_fragment ? 8 : (octet(out.octets, 1) + std::size_t{1}) * 8;
    if (out.octets.size() < size) return std::nullopt;
    if (is_fragment) {
      out.is_fragment = true;
      out.offset = word(out.octets, 2) & 0xFFF8U;
      out.has_more = (word(out.octets, 2) & 1U) != 0;
      out.id = double_word(out.octets, 4);
    }
    out.protocol = octet(out.octets, 0);
    out.octets.remove_prefix(size);
    if (is_fragment && out.offset != 0) return out;  // the rest is the middle of the datagram
  }
  return std::nullopt;
}

bool PacketReader::collect(const Network& part, bool is_cut) {
  if (part.offset + part.octets.size() > datagram_octets_max) return false;
  const Key key{part.from, part.to, part.id, part.protocol};
  auto found = fragments_.find(key);
  if (found == fragments_.end()) {
    if (order_.size() == fragmented_datagrams_max) {
      fragments_.erase(order_.front());
      order_.pop_front();
    }
    found = fragments_.try_emplace(key).first;
    order_.push_back(key);
  }
  Fragments& all = found->second;
  all.is_cut = all.is_cut || is_cut;
  all.parts.try_emplace(part.offset, part.octets);
  if (!part.has_more) all.length = part.offset + part.octets.size();
  if (!all.length) return false;
  std::string whole;
  for (const auto& [offset, octets] : all.parts) {
    if (offset > whole.size()) return false;  // a hole
    // RFC 5722: who overlaps means to deceive; what came first stays.
    if (offset + octets.size() > whole.size()) whole += octets.substr(whole.size() - offset);
  }
  if (whole.size() < *all.length) return false;
  whole.resize(*all.length);
  const bool is_good = !all.is_cut;
  whole_ = std::move(whole);
  fragments_.erase(found);
  std::erase(order_, key);
  return is_good;
}

std::optional<Payload> PacketReader::read_transport(const Network& packet, bool is_cut) {
  const bool is_udp = packet.protocol == protocol_udp;
  const std::size_t fixed = is_udp ? 8 : 20;
  if (packet.octets.size() < fixed) return give_up(is_cut ? Skip::Cut : Skip::Transport);
  const auto transport = is_udp ? Transport::Udp : Transport::Tcp;
  Payload out;
  out.from = {transport, packet.from, word(packet.octets, 0)};
  out.to = {transport, packet.to, word(packet.octets, 2)};
  if (is_cut) return give_up(Skip::Cut);
  if (is_udp) {  // RFC 768
    const std::size_t length = word(packet.octets, 4);
    if (length < fixed || length > packet.octets.size()) return give_up(Skip::Transport);
    out.octets = packet.octets.substr(fixed, length - fixed);
    return out;
  }
  const std::size_t header = (octet(packet.octets, 12) >> 4U) * std::size_t{4};  // RFC 9293 3.1
  if (header < fixed || header > packet.octets.size()) return give_up(Skip::Transport);
  const auto flags = octet(packet.octets, 13);
  out.sequence = double_word(packet.octets, 4);
  out.begins = (flags & 0x02U) != 0;
  out.ends = (flags & 0x05U) != 0;
  out.octets = packet.octets.substr(header);
  return out;
}

}  // namespace sipassay::capture
