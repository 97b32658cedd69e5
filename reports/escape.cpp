#include "reports/escape.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <iterator>

namespace sipassay::reports {
namespace {

struct Character {
  std::size_t length = 0;  // 0: not UTF-8
  std::uint32_t code = 0;
};

std::uint8_t octet(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

// RFC 3629 4: shortest forms only, no surrogates, nothing above U+10FFFF.
Character decode(std::string_view text, std::size_t at) {
  const std::uint8_t first = octet(text, at);
  if (first < 0x80) return {1, first};
  std::size_t length = 0;
  std::uint32_t code = 0;
  std::uint32_t least = 0;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2, code = first & 0x1fU, least = 0x80;
  } else if ((first & 0xf0U) == 0xe0U) {
    length = 3, code = first & 0x0fU, least = 0x800;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4, code = first & 0x07U, least = 0x10000;
  }
  if (length == 0 || at + length > text.size()) return {};
  for (std::size_t i = 1; i < length; ++i) {
    const std::uint8_t next = octet(text, at + i);
    if ((next & 0xc0U) != 0x80U) return {};
    code = (code << 6U) | (next & 0x3fU);
  }
  if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {length, code};
}

// Characters that reorder or hide their neighbours, and those that XML 1.0 forbids.
bool is_treacherous(std::uint32_t code) {
  return (code >= 0x80 && code <= 0x9f) || code == 0x061c || (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
         code == 0xfeff || (code & 0xfffeU) == 0xfffeU;
}

void append_printable(std::string_view octets, bool keep_lines, std::string& out) {
  auto sink = std::back_inserter(out);
  for (std::size_t at = 0; at < octets.size();) {
    const Character c = decode(octets, at);
    if (c.length == 0) {
      fmt::format_to(sink, "\\x{:02x}", octet(octets, at));
      ++at;
      continue;
    }
    const bool is_crlf = c.code == '\r' && at + 1 < octets.size() && octets[at + 1] == '\n';
    if (keep_lines && is_crlf) {
      // The LF that follows is the line end.
    } else if (keep_lines && (c.code == '\n' || c.code == '\t')) {
      out += static_cast<char>(c.code);
    } else if (c.code == '\r') {
      out += "\\r";
    } else if (c.code == '\n') {
      out += "\\n";
    } else if (c.code == '\t') {
      out += "\\t";
    } else if (c.code < 0x20 || c.code == 0x7f) {
      fmt::format_to(sink, "\\x{:02x}", c.code);
    } else if (is_treacherous(c.code)) {
      fmt::format_to(sink, "\\u{{{:04x}}}", c.code);
    } else {
      out += octets.substr(at, c.length);
    }
    at += c.length;
  }
}

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string printable(std::string_view octets) {
  std::string out;
  out.reserve(octets.size());
  append_printable(octets, false, out);
  return out;
}

std::string printable_lines(std::string_view octets) {
  std::string out;
  out.reserve(octets.size());
  append_printable(octets, true, out);
  return out;
}

std::string markup(std::string_view octets) {
  std::string out;
  out.reserve(octets.size());
  for (const char c : printable_lines(octets)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string base64(std::string_view octets) {
  std::string out;
  out.reserve((octets.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < octets.size(); at += 3) {
    const std::size_t left = octets.size() - at;
    std::uint32_t bits = static_cast<std::uint32_t>(octet(octets, at)) << 16U;
    if (left > 1) bits |= static_cast<std::uint32_t>(octet(octets, at + 1)) << 8U;
    if (left > 2) bits |= octet(octets, at + 2);
    out += alphabet[bits >> 18U];
    out += alphabet[(bits >> 12U) & 63U];
    out += left > 1 ? alphabet[(bits >> 6U) & 63U] : '=';
    out += left > 2 ? alphabet[bits & 63U] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    const bool is_last = at + 4 == text.size();
    const std::size_t digits = is_last ? 4 - padding : 4;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t value = i < digits ? alphabet.find(text[at + i]) : 0;
      if (value == std::string_view::npos) return std::nullopt;
      bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    }
    for (std::size_t i = 0; i + 1 < digits; ++i)
      out += static_cast<char>((bits >> (16U - 8U * i)) & 0xffU);
  }
  return out;
}

}  // namespace sipassay::reports
