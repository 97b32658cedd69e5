// Frames of a capture → UDP datagrams and TCP segments. The capture is untrusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "engine/base/endpoint.h"

namespace sipassay::capture {

// Datagrams whose fragments are being collected; the oldest one gives way to one more.
inline constexpr std::size_t fragmented_datagrams_max = 256;
// Octets of an IP datagram (RFC 791 3.1); a fragment that ends behind it is dropped.
inline constexpr std::size_t datagram_octets_max = 65'535;
// Tags and extension headers in front of the payload; a frame with more is Skip::Network.
inline constexpr std::size_t vlan_tags_max = 4;
inline constexpr std::size_t extension_headers_max = 8;

// Why a frame gave no payload.
enum class Skip : std::uint8_t {
  Link,       // a link layer that we do not read
  Network,    // neither IPv4 nor IPv6, or malformed
  Transport,  // neither UDP nor TCP, or malformed
  Cut,        // the capture kept only a part of the frame
  Fragment,   // a part of a datagram that is not whole yet
  Count
};
std::string_view to_string(Skip skip);

// What one datagram or segment carries; the octets live until the next frame.
struct Payload {
  Endpoint from, to;           // transport is Udp or Tcp
  std::uint32_t sequence = 0;  // TCP: of the first octet
  bool begins = false;         // TCP: SYN
  bool ends = false;           // TCP: FIN or RST
  std::string_view octets;
};

class PacketReader {
 public:
  // One frame as libpcap gives it; the link type is a LINKTYPE_ or DLT_ value. `is_cut`: it was
  // longer on the wire.
  std::optional<Payload> read(int link_type, std::string_view frame, bool is_cut);
  // Why the last read() gave nothing.
  Skip skipped() const { return skipped_; }

 private:
  using Key = std::tuple<std::string, std::string, std::uint32_t, std::uint8_t>;
  struct Fragments {
    std::map<std::size_t, std::string> parts;  // by offset
    std::optional<std::size_t> length;         // known with the last fragment
    bool is_cut = false;
  };
  struct Network {
    std::string from, to;
    std::uint8_t protocol = 0;
    std::uint32_t id = 0;
    std::size_t offset = 0;
    bool is_fragment = false, has_more = false;
    std::string_view octets;
  };

  std::optional<Payload> give_up(Skip why);
  std::optional<Network> read_network(std::string_view packet);
  std::optional<Network> read_ipv4(std::string_view packet);
  std::optional<Network> read_ipv6(std::string_view packet);
  // The whole datagram once all of it is there.
  bool collect(const Network& part, bool is_cut);
  std::optional<Payload> read_transport(const Network& packet, bool is_cut);

  Skip skipped_ = Skip::Link;
  std::map<Key, Fragments> fragments_;
  std::deque<Key> order_;
  std::string whole_;  // the last datagram put together
};

}  // namespace sipassay::capture
