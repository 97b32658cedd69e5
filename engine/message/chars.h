// Character classes of the grammar of RFC 3261 section 25.1, one table look-up each.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sipassay::chars {

enum Class : std::uint16_t {
  Token = 1U << 0U,      // token
  Alnum = 1U << 1U,      // alphanum
  User = 1U << 2U,       // unreserved / user-unreserved; "%" apart
  Password = 1U << 3U,   // characters of a password; "%" apart
  UriParam = 1U << 4U,   // paramchar of a URI parameter; "%" apart
  UriHeader = 1U << 5U,  // hnv-unreserved / unreserved / "&" / "="; "%" apart
  Word = 1U << 6U,       // word of a Call-ID
  Space = 1U << 7U,      // SP, HTAB, CR, LF: white space once a value has been cut out
  Quoted = 1U << 8U,     // qdtext with LWS: inside a quoted string without escape
  GenValue = 1U << 9U,   // token, or the characters of an IPv6 address or reference
  Host = 1U << 10U,      // hostname and IPv4address
  Uric = 1U << 11U,      // reserved / unreserved, "[" and "]" of RFC 3986; "%" apart
  Text = 1U << 12U,      // TEXT-UTF8char / UTF8-CONT
  Hex = 1U << 13U,       // HEXDIG
  Digit = 1U << 14U,     // DIGIT
  Comment = 1U << 15U,   // ctext
};

namespace detail {

consteval std::array<std::uint16_t, 256> make_table() {
  std::array<std::uint16_t, 256> out{};
  const auto add = [&out](std::string_view set, unsigned classes) {
    for (const char c : set) {
      auto& cell = out[static_cast<unsigned char>(c)];
      cell = static_cast<std::uint16_t>(cell | classes);
    }
  };
  const auto add_range = [&out](unsigned first, unsigned last, unsigned classes) {
    for (unsigned c = first; c <= last; ++c) out[c] = static_cast<std::uint16_t>(out[c] | classes);
  };
  const unsigned unreserved = User | Password | UriParam | UriHeader | Uric;
  const unsigned alnum = Token | Alnum | unreserved | Word | GenValue | Host;
  add_range('a', 'z', alnum);
  add_range('A', 'Z', alnum);
  add_range('0', '9', alnum | Hex | Digit);
  add("abcdefABCDEF", Hex);
  add("-.!%*_+`'~", Token | Word | GenValue);
  add("[]:", GenValue);
  add("()<>:\\\"/[]?{}", Word);
  add("-_.!~*'()", unreserved);
  add("&=+$,;?/", User);
  add("&=+$,", Password);
  add("[]/:&+$", UriParam);
  add("[]/?:+$&=", UriHeader);
  add(";/?:@&=+$,[]", Uric);
  add("-.", Host);
  add(" \t\r\n", Space | Quoted | Comment);
  add_range(0x21, 0x7e, Text);
  add_range(0x80, 0xff, Text | Quoted | Comment);
  add_range(0x21, 0x7e, Quoted | Comment);
  const auto drop = [&out](std::string_view set, unsigned classes) {
    for (const char c : set) {
      auto& cell = out[static_cast<unsigned char>(c)];
      cell = static_cast<std::uint16_t>(cell & ~classes);
    }
  };
  drop("\"\\", Quoted);
  drop("()\\", Comment);
  return out;
}

inline constexpr std::array<std::uint16_t, 256> table = make_table();

}  // namespace detail

constexpr bool is(char c, unsigned classes) {
  return (detail::table[static_cast<unsigned char>(c)] & classes) != 0;
}

}  // namespace sipassay::chars
