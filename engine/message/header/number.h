// Headers that are one number: Max-Forwards, Expires, Min-Expires, Content-Length.
#pragma once

#include <cstdint>

#include "engine/message/header_id.h"
#include "engine/message/reader.h"

namespace sipassay {

template <HeaderId Id, std::uint32_t Max>
struct NumberHeader {
  static constexpr HeaderId id = Id;
  static constexpr std::uint32_t value_max = Max;
  std::uint32_t value = 0;

  static bool read(Reader& reader, NumberHeader& out) { return reader.number(out.value, Max); }
  static Parsed<NumberHeader> parse(std::string_view value) {
    return parse_whole<NumberHeader>(value);
  }
  void write(Octets& out) const { out.add_number(value); }
};

using MaxForwards = NumberHeader<HeaderId::MaxForwards, 255>;  // RFC 3261 20.22
using Expires = NumberHeader<HeaderId::Expires, UINT32_MAX>;   // RFC 3261 20.19
using MinExpires = NumberHeader<HeaderId::MinExpires, UINT32_MAX>;
using ContentLength = NumberHeader<HeaderId::ContentLength, UINT32_MAX>;

}  // namespace sipassay
