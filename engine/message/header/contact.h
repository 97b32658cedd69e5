// Contact (RFC 3261 20.10): "*" or addresses with q and expires.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/message/header_id.h"
#include "engine/message/name_addr.h"
#include "engine/message/reader.h"

namespace sipassay {

struct Contact {
  static constexpr HeaderId id = HeaderId::Contact;
  NameAddr addr;
  bool is_star = false;

  // Seconds; nothing when absent or not a number.
  std::optional<std::uint32_t> expires() const;
  // In thousandths, 0 to 1000; nothing when absent or malformed.
  std::optional<std::uint16_t> q() const;

  static bool read(Reader& reader, Contact& out);
  static Parsed<Contact> parse(std::string_view value) { return parse_whole<Contact>(value); }
  void write(Octets& out) const;
};

// A qvalue (RFC 3261 25.1) in thousandths.
std::optional<std::uint16_t> qvalue(std::string_view text);

}  // namespace sipassay
