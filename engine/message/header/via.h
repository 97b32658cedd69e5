// Via (RFC 3261 20.42): how the message travelled.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/message/header_id.h"
#include "engine/message/params.h"
#include "engine/message/reader.h"

namespace sipassay {

struct Via {
  static constexpr HeaderId id = HeaderId::Via;
  std::string_view protocol = "SIP";  // protocol-name
  std::string_view version = "2.0";   // protocol-version
  std::string_view transport;         // "UDP", as written
  std::string_view host;              // sent-by; IPv6 without brackets
  bool is_ipv6 = false;
  std::optional<std::uint16_t> port;
  Params params;

  std::string_view branch() const { return params.value("branch"); }
  std::string_view received() const { return params.value("received"); }
  // RFC 3581 3: present with or without a value.
  std::optional<Param> rport() const { return params.find("rport"); }

  static bool read(Reader& reader, Via& out);
  static Parsed<Via> parse(std::string_view value) { return parse_whole<Via>(value); }
  void write(Octets& out) const;
};

// RFC 3261 8.1.1.7.
inline constexpr std::string_view branch_cookie = "z9hG4bK";

}  // namespace sipassay
