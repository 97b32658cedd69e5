// Session-Expires, Min-SE (RFC 4028 4, 5) and Retry-After (RFC 3261 20.33): seconds with
// parameters.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/message/header_id.h"
#include "engine/message/params.h"
#include "engine/message/reader.h"

namespace sipassay {

struct SessionExpires {
  static constexpr HeaderId id = HeaderId::SessionExpires;
  std::uint32_t seconds = 0;
  std::string_view refresher;  // "uac", "uas" or empty
  Params params;               // refresher included, when parsed

  static bool read(Reader& reader, SessionExpires& out);
  static Parsed<SessionExpires> parse(std::string_view value) {
    return parse_whole<SessionExpires>(value);
  }
  void write(Octets& out) const;
};

struct MinSe {
  static constexpr HeaderId id = HeaderId::MinSe;
  std::uint32_t seconds = 0;
  Params params;

  static bool read(Reader& reader, MinSe& out);
  static Parsed<MinSe> parse(std::string_view value) { return parse_whole<MinSe>(value); }
  void write(Octets& out) const;
};

struct RetryAfter {
  static constexpr HeaderId id = HeaderId::RetryAfter;
  std::uint32_t seconds = 0;
  std::string_view comment;  // with its parentheses; empty when absent
  Params params;

  std::optional<std::uint32_t> duration() const;

  static bool read(Reader& reader, RetryAfter& out);
  static Parsed<RetryAfter> parse(std::string_view value) { return parse_whole<RetryAfter>(value); }
  void write(Octets& out) const;
};

}  // namespace sipassay
