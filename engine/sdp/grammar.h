// Character classes and small rules of RFC 8866 9.
#pragma once

#include <string_view>

#include "engine/base/ascii.h"

namespace sipassay::sdp::grammar {

// token-char: not the token of SIP.
constexpr bool is_token_char(char c) {
  return ascii::is_alnum(c) ||
         std::string_view("!#$%&'*+-.^_`{|}~").find(c) != std::string_view::npos;
}
constexpr bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (!is_token_char(c)) return false;
  return true;
}
// proto: tokens with slashes between them.
constexpr bool is_proto(std::string_view text) {
  while (true) {
    const auto slash = text.find('/');
    if (!is_token(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}
constexpr bool is_digits(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (!ascii::is_digit(c)) return false;
  return true;
}
// non-ws-string
constexpr bool is_visible(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return false;
  return true;
}
// byte-string, or empty
constexpr bool has_line_octets_only(std::string_view text) {
  for (const char c : text)
    if (c == '\0' || c == '\r' || c == '\n') return false;
  return true;
}

bool is_ipv4(std::string_view text);
bool is_ipv6(std::string_view text);
// FQDN: letters, digits, hyphens, dots; shorter names than the grammar's four octets are real.
bool is_host_name(std::string_view text);
// "0", or ten digits and more that do not begin with 0.
bool is_time(std::string_view text);
// 7d, 1h, 3600; the first of an r= line is not zero-led.
bool is_typed_time(std::string_view text, bool may_begin_with_zero);
// Values of whole lines.
bool is_repeat(std::string_view value);
bool is_zone(std::string_view value);
bool is_key(std::string_view value);
bool is_email(std::string_view value);
bool is_phone(std::string_view value);

}  // namespace sipassay::sdp::grammar
