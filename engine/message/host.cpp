#include "engine/message/host.h"

#include <algorithm>

#include "engine/base/ascii.h"
#include "engine/message/chars.h"
#include "engine/message/uri.h"

namespace sipassay {

namespace {

// Four numbers up to 255, each of one to three digits.
std::optional<std::uint32_t> ipv4_from(std::string_view text) {
  std::uint32_t address = 0;
  for (int part = 0; part < 4; ++part) {
    std::size_t length = 0;
    std::uint32_t value = 0;
    while (length < text.size() && length < 3 && ascii::is_digit(text[length]))
      value = value * 10 + static_cast<std::uint32_t>(text[length++] - '0');
    if (length == 0 || value > 255) return std::nullopt;
    address = address * 256 + value;
    text.remove_prefix(length);
    if (part == 3) break;
    if (text.empty() || text[0] != '.') return std::nullopt;
    text.remove_prefix(1);
  }
  return text.empty() ? std::optional(address) : std::nullopt;
}

std::uint32_t hex_value(char c) {
  return static_cast<std::uint32_t>(ascii::is_digit(c) ? c - '0' : ascii::lower(c) - 'a' + 10);
}

// domainlabel: letters, digits and inner hyphens.
bool is_label(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-';
}

}  // namespace

std::optional<Ipv6> ipv6_from(std::string_view text) {
  Ipv6 out{};
  std::size_t count = 0;
  std::optional<std::size_t> gap;  // groups before "::"
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto take_gap = [&] {
    gap = count;
    at += 2;
    // RFC 5118 4.10: the grammar of RFC 3261 wrote a third colon before an IPv4 address.
    if (at != end && *at == ':' && text.find('.') != std::string_view::npos) ++at;
  };
  const auto is_at_gap = [&] { return end - at >= 2 && at[0] == ':' && at[1] == ':'; };
  if (is_at_gap()) take_gap();
  while (at != end) {
    const char* const start = at;
    std::uint32_t value = 0;
    for (; at != end && at - start < 5 && ascii::is_hex(*at); ++at)
      value = value * 16 + hex_value(*at);
    if (at != end && *at == '.') {
      const auto v4 = ipv4_from({start, static_cast<std::size_t>(end - start)});
      if (!v4 || count + 2 > out.size()) return std::nullopt;
      out[count++] = static_cast<std::uint16_t>(*v4 / 65536);
      out[count++] = static_cast<std::uint16_t>(*v4 % 65536);
      break;
    }
    if (at == start || at - start > 4 || count == out.size()) return std::nullopt;
    out[count++] = static_cast<std::uint16_t>(value);
    if (at == end) break;
    if (*at != ':') return std::nullopt;
    if (!is_at_gap()) {
      if (++at == end) return std::nullopt;
    } else if (gap) {
      return std::nullopt;
    } else {
      take_gap();
    }
  }
  if (!gap) return count == out.size() ? std::optional(out) : std::nullopt;
  if (count == out.size()) return std::nullopt;
  // What stands behind the gap moves to the end.
  std::copy_backward(out.begin() + *gap, out.begin() + count, out.end());
  std::fill(out.begin() + *gap, out.end() - (count - *gap), std::uint16_t{0});
  return out;
}

bool is_ipv4(std::string_view text) {
  return ipv4_from(text).has_value();
}

bool is_ipv6(std::string_view text) {
  return ipv6_from(text).has_value();
}

bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  if (ascii::is_digit(text.back())) {
    // hostname's toplabel begins with a letter: a last label of digits only makes an IPv4 address.
    const std::size_t dot = text.rfind('.');
    const std::string_view last = dot == std::string_view::npos ? text : text.substr(dot + 1);
    if (!last.empty() && ascii::is_digit(last[0])) return is_ipv4(text);
  }
  if (text.ends_with('.')) text.remove_suffix(1);
  std::string_view last;
  for (;;) {
    const std::size_t end = std::min(text.find('.'), text.size());
    last = text.substr(0, end);
    if (!is_label(last)) return false;
    for (const char c : last)
      if (!ascii::is_alnum(c) && c != '-') return false;
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  return ascii::is_alpha(last[0]);
}

std::optional<std::string_view> host_from(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    return is_ipv6(text) ? std::optional(text) : std::nullopt;
  }
  return is_host(text) ? std::optional(text) : std::nullopt;
}

bool same_host(std::string_view a, std::string_view b) {
  const auto bare = [](std::string_view text) {
    return text.size() >= 2 && text.front() == '[' && text.back() == ']'
               ? text.substr(1, text.size() - 2)
               : text;
  };
  a = bare(a);
  b = bare(b);
  if (ascii::iequals(a, b)) return true;
  if (a.find(':') == std::string_view::npos || b.find(':') == std::string_view::npos) return false;
  const auto x = ipv6_from(a);
  return x && x == ipv6_from(b);
}

void write_host(Octets& out, std::string_view host, bool is_ipv6) {
  if (is_ipv6)
    out.add('[', host, ']');
  else
    out += host;
}

}  // namespace sipassay
