// CSeq (RFC 3261 20.16), RAck and RSeq (RFC 3262 7).
#pragma once

#include <cstdint>

#include "engine/message/header_id.h"
#include "engine/message/method.h"
#include "engine/message/reader.h"

namespace sipassay {

struct CSeq {
  static constexpr HeaderId id = HeaderId::CSeq;
  static constexpr std::uint32_t number_max = 0x7fffffffU;  // RFC 3261 8.1.1.5: less than 2**31
  std::uint32_t number = 0;
  Method method = Method::Other;
  std::string_view method_text;  // may be left empty when method is known

  static bool read(Reader& reader, CSeq& out);
  static Parsed<CSeq> parse(std::string_view value) { return parse_whole<CSeq>(value); }
  void write(Octets& out) const;
};

struct RAck {
  static constexpr HeaderId id = HeaderId::RAck;
  std::uint32_t rseq = 0;
  std::uint32_t cseq = 0;
  Method method = Method::Other;
  std::string_view method_text;  // may be left empty when method is known

  static bool read(Reader& reader, RAck& out);
  static Parsed<RAck> parse(std::string_view value) { return parse_whole<RAck>(value); }
  void write(Octets& out) const;
};

struct RSeq {
  static constexpr HeaderId id = HeaderId::RSeq;
  std::uint32_t value = 0;  // RFC 3262 7.1: 1 to 2**32 - 1

  static bool read(Reader& reader, RSeq& out);
  static Parsed<RSeq> parse(std::string_view value) { return parse_whole<RSeq>(value); }
  void write(Octets& out) const { out.add_number(value); }
};

}  // namespace sipassay
