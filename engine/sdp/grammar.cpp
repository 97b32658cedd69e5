#include "engine/sdp/grammar.h"

#include <cstdint>

namespace sipassay::sdp::grammar {

namespace {

// The text before the first space, taken off the rest.
std::string_view take_word(std::string_view& rest) {
  const auto space = rest.find(' ');
  const auto word = rest.substr(0, space);
  rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  return word;
}

bool is_base64(std::string_view text) {
  if (text.size() % 4 != 0) return false;
  std::size_t padding = 0;
  for (const char c : text) {
    if (c == '=') {
      ++padding;
      continue;
    }
    if (padding != 0 || !(ascii::is_alnum(c) || c == '+' || c == '/')) return false;
  }
  return padding <= 2;
}

bool is_plain_phone(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  if (text.size() < 2 || !ascii::is_digit(text.front())) return false;
  for (const char c : text)
    if (!ascii::is_digit(c) && c != ' ' && c != '-') return false;
  return true;
}

// addr-spec of RFC 5322 as far as SDP needs it: something, @, something, no white space.
bool is_mail_address(std::string_view text) {
  const auto at = text.rfind('@');
  return at != std::string_view::npos && is_visible(text.substr(0, at)) &&
         is_visible(text.substr(at + 1));
}

bool is_email_safe(std::string_view text) {
  return !text.empty() && text.find_first_of("()<>") == std::string_view::npos;
}

// "name <inner>" or "inner (comment)" or inner alone; `inner` is checked by `check`.
bool is_named(std::string_view value, bool (*check)(std::string_view)) {
  if (value.ends_with('>')) {
    const auto open = value.rfind('<');
    if (open == std::string_view::npos) return false;
    return is_email_safe(value.substr(0, open)) &&
           check(value.substr(open + 1, value.size() - open - 2));
  }
  if (value.ends_with(')')) {
    const auto open = value.find('(');
    if (open == std::string_view::npos) return false;
    auto inner = value.substr(0, open);
    while (inner.ends_with(' ')) inner.remove_suffix(1);
    return is_email_safe(value.substr(open + 1, value.size() - open - 2)) && check(inner);
  }
  return check(value);
}

}  // namespace

bool is_ipv4(std::string_view text) {
  for (int part = 0; part < 4; ++part) {
    const auto dot = part < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return false;
    const auto digits = text.substr(0, dot);
    if (digits.size() > 3 || (digits.size() > 1 && digits.front() == '0')) return false;
    if (!ascii::number<std::uint8_t>(digits)) return false;
    text.remove_prefix(part < 3 ? dot + 1 : dot);
  }
  return true;
}

bool is_ipv6(std::string_view text) {
  int groups = 0;
  bool has_gap = false;
  if (text.starts_with("::")) {
    has_gap = true;
    text.remove_prefix(2);
  } else if (text.empty() || text.front() == ':') {
    return false;
  }
  while (!text.empty()) {
    const auto colon = text.find(':');
    const auto group = text.substr(0, colon);
    if (colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
      if (!is_ipv4(group)) return false;
      groups += 2;
      break;
    }
    if (group.empty() || group.size() > 4) return false;
    for (const char c : group)
      if (!ascii::is_hex(c)) return false;
    if (++groups > 8) return false;
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;
    if (text.front() != ':') continue;
    if (has_gap) return false;
    has_gap = true;
    text.remove_prefix(1);
  }
  return has_gap ? groups <= 7 : groups == 8;
}

bool is_host_name(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (!ascii::is_alnum(c) && c != '-' && c != '.') return false;
  return true;
}

bool is_time(std::string_view text) {
  return text == "0" || (is_digits(text) && text.size() >= 10 && text.front() != '0');
}

bool is_typed_time(std::string_view text, bool may_begin_with_zero) {
  if (!text.empty() && std::string_view("dhms").find(text.back()) != std::string_view::npos)
    text.remove_suffix(1);
  return is_digits(text) && (may_begin_with_zero || text.front() != '0');
}

bool is_repeat(std::string_view value) {
  if (value.empty() || value.ends_with(' ')) return false;
  int words = 0;
  while (!value.empty())
    if (!is_typed_time(take_word(value), words++ > 0)) return false;
  return words >= 3;
}

bool is_zone(std::string_view value) {
  if (value.empty() || value.ends_with(' ')) return false;
  while (!value.empty()) {
    const auto time = take_word(value);
    auto offset = take_word(value);
    if (offset.starts_with('-')) offset.remove_prefix(1);
    if (!is_time(time) || time == "0" || !is_typed_time(offset, true)) return false;
  }
  return true;
}

bool is_key(std::string_view value) {
  if (value == "prompt") return true;
  if (value.starts_with("clear:")) return value.size() > 6;
  if (value.starts_with("base64:")) return is_base64(value.substr(7));
  return value.starts_with("uri:") && is_visible(value.substr(4));
}

bool is_email(std::string_view value) {
  return is_named(value, is_mail_address);
}
bool is_phone(std::string_view value) {
  return is_named(value, is_plain_phone);
}

}  // namespace sipassay::sdp::grammar
