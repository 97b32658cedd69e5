// Warning (RFC 3261 20.43).
#pragma once

#include <cstdint>

#include "engine/message/header_id.h"
#include "engine/message/reader.h"

namespace sipassay {

struct Warning {
  static constexpr HeaderId id = HeaderId::Warning;
  std::uint16_t code = 399;  // three digits
  std::string_view agent;    // hostport or pseudonym, as written
  std::string_view text;     // with its quotes

  static bool read(Reader& reader, Warning& out);
  static Parsed<Warning> parse(std::string_view value) { return parse_whole<Warning>(value); }
  void write(Octets& out) const;
};

}  // namespace sipassay
