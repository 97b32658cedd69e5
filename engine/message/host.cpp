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

// Groups of a side of "::"; the last one may be an IPv4 address. False when malformed.
bool read_groups(std::string_view text, bool may_end_in_ipv4, Ipv6& out, std::size_t& count) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view group = text.substr(0, end);
    if (end == text.size() && group.find('.') != std::string_view::npos) {
      const auto v4 = ipv4_from(group);
      if (!may_end_in_ipv4 || !v4 || count + 2 > out.size()) return false;
      out[count++] = static_cast<std::uint16_t>(*v4 / 65536);
      out[count++] = static_cast<std::uint16_t>(*v4 % 65536);
      return true;
    }
    if (group.empty() || group.size() > 4 || count == out.size()) return false;
    std::uint32_t value = 0;
    for (const char c : group) {
      if (!ascii::is_hex(c)) return false;
      value = value * 16 +
              static_cast<std::uint32_t>(ascii::is_digit(c) ? c - '0' : ascii::lower(c) - 'a' + 10);
    }
    out[count++] = static_cast<std::uint16_t>(value);
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
    if (text.empty()) return false;
  }
  return true;
}

// domainlabel: letters, digits and inner hyphens.
bool is_label(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-';
}

}  // namespace

std::optional<Ipv6> ipv6_from(std::string_view text) {
  Ipv6 left{}, right{};
  std::size_t left_count = 0, right_count = 0;
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (!read_groups(text, true, left, left_count) || left_count != left.size())
      return std::nullopt;
    return left;
  }
  std::string_view behind = text.substr(gap + 2);
  // RFC 5118 4.10: the grammar of RFC 3261 wrote a third colon before an IPv4 address.
  if (behind.starts_with(':') && behind.find('.') != std::string_view::npos)
    behind.remove_prefix(1);
  if (!read_groups(text.substr(0, gap), false, left, left_count) ||
      !read_groups(behind, true, right, right_count) || left_count + right_count > 7)
    return std::nullopt;
  std::copy_n(right.begin(), right_count, left.end() - static_cast<std::ptrdiff_t>(right_count));
  return left;
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
