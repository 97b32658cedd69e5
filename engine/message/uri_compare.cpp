// RFC 3261 19.1.4: when two URIs are the same.
#include <algorithm>
#include <vector>

#include "engine/base/ascii.h"
#include "engine/message/chars.h"
#include "engine/message/host.h"
#include "engine/message/uri.h"

namespace sipassay {

namespace {

// Reserved characters of RFC 2396 2.2: they differ from their %HH form; all others equal it.
constexpr std::string_view reserved = ";/?:@&=+$,";

struct Unit {
  char c = 0;
  bool is_escaped = false;  // a reserved character, or "%", in its %HH form
};

int hex_value(char c) {
  return ascii::is_digit(c) ? c - '0' : ascii::lower(c) - 'a' + 10;
}

// Takes one character, or one %HH, off the front.
Unit take(std::string_view& text) {
  if (text[0] == '%' && text.size() >= 3 && ascii::is_hex(text[1]) && ascii::is_hex(text[2])) {
    const char c = static_cast<char>(hex_value(text[1]) * 16 + hex_value(text[2]));
    text.remove_prefix(3);
    return {c, c == '%' || reserved.find(c) != std::string_view::npos};
  }
  const char c = text[0];
  text.remove_prefix(1);
  return {c, false};
}

bool same_text(std::string_view a, std::string_view b, bool with_case) {
  while (!a.empty() && !b.empty()) {
    const Unit x = take(a);
    const Unit y = take(b);
    if (x.is_escaped != y.is_escaped) return false;
    if (with_case ? x.c != y.c : ascii::lower(x.c) != ascii::lower(y.c)) return false;
  }
  return a.empty() && b.empty();
}

std::optional<Param> find_param(const Params& params, std::string_view name) {
  for (const Param& param : params)
    if (same_text(param.name, name, false)) return param;
  return std::nullopt;
}

// RFC 3261 19.1.4: alone on one side they never match. transport: "the same is true for the
// transport-parameter", and the examples.
bool must_be_in_both(std::string_view name) {
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"user", "ttl", "method", "maddr", "transport"},
      [name](std::string_view one) { return same_text(one, name, false); });
}

bool match_params(const Params& a, const Params& b) {
  for (const Param& param : a) {
    const auto other = find_param(b, param.name);
    if (!other) {
      if (must_be_in_both(param.name)) return false;
      continue;
    }
    if (param.has_value != other->has_value) return false;
    const bool is_host = ascii::iequals(param.name, "maddr");
    if (!same_text(param.value, other->value, false) &&
        !(is_host && same_host(param.value, other->value)))
      return false;
  }
  return true;
}

struct UriHeader {
  std::string_view name, value;
};

std::vector<UriHeader> split_headers(std::string_view text) {
  std::vector<UriHeader> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view one = text.substr(0, end);
    const std::size_t equal = std::min(one.find('='), one.size());
    out.push_back({one.substr(0, equal), one.substr(std::min(equal + 1, one.size()))});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// Any order; a name may occur more than once, each value needs its partner.
bool same_headers(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.empty() && b.empty();
  auto left = split_headers(a);
  auto right = split_headers(b);
  if (left.size() != right.size()) return false;
  for (const UriHeader& one : left) {
    const auto partner = std::ranges::find_if(right, [&one](const UriHeader& other) {
      return same_text(one.name, other.name, false) && same_text(one.value, other.value, false);
    });
    if (partner == right.end()) return false;
    right.erase(partner);
  }
  return true;
}

}  // namespace

bool equivalent(const Uri& a, const Uri& b) {
  if (a.scheme != b.scheme) return false;
  if (!a.is_sip())
    return ascii::iequals(a.scheme_text, b.scheme_text) &&
           a.text.substr(a.scheme_text.size()) == b.text.substr(b.scheme_text.size());
  if (a.has_user != b.has_user || !same_text(a.user, b.user, true)) return false;
  if ((a.password.data() == nullptr) != (b.password.data() == nullptr) ||
      !same_text(a.password, b.password, true))
    return false;
  return same_host(a.host, b.host) && a.port == b.port && match_params(a.params, b.params) &&
         match_params(b.params, a.params) && same_headers(a.headers, b.headers);
}

}  // namespace sipassay
