// Date (RFC 3261 20.17) and Timestamp (20.38).
#pragma once

#include <cstdint>

#include "engine/message/header_id.h"
#include "engine/message/reader.h"

namespace sipassay {

// rfc1123-date, always GMT.
struct Date {
  static constexpr HeaderId id = HeaderId::Date;
  std::uint8_t weekday = 0;  // 0 is Monday
  std::uint8_t day = 1;      // 1 to 31
  std::uint8_t month = 1;    // 1 to 12
  std::uint16_t year = 1970;
  std::uint8_t hour = 0;
  std::uint8_t minute = 0;
  std::uint8_t second = 0;  // up to 60, a leap second

  static bool read(Reader& reader, Date& out);
  static Parsed<Date> parse(std::string_view value) { return parse_whole<Date>(value); }
  void write(Octets& out) const;
};

struct Timestamp {
  static constexpr HeaderId id = HeaderId::Timestamp;
  std::string_view value;  // "54.2", as written: seconds of the sender's own clock
  std::string_view delay;  // "0.3"; empty when absent

  static bool read(Reader& reader, Timestamp& out);
  static Parsed<Timestamp> parse(std::string_view value) { return parse_whole<Timestamp>(value); }
  void write(Octets& out) const;
};

}  // namespace sipassay
