#include "engine/agent/form.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/base/ascii.h"

namespace sipassay::agent {
namespace {

// Header fields that a URI may put into the INVITE it asks for; 19.1.5 warns of the others.
constexpr std::array<std::string_view, 8> referable{
    "Replaces", "Join", "Require", "Subject", "In-Reply-To", "Reason", "Priority", "Target-Dialog"};

std::optional<std::string_view> canonical(std::string_view name) {
  for (const auto known : referable)
    if (ascii::iequals(known, name)) return known;
  return std::nullopt;
}

// "a=b&c=d" of a URI; names that may not be set, and values with line ends, are left out.
std::vector<ExtraHeader> headers_of(std::string_view text) {
  std::vector<ExtraHeader> headers;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = canonical(unescape(pair.substr(0, equals)));
    auto value = unescape(pair.substr(equals + 1));
    if (name && value.find_first_of("\r\n") == std::string::npos)
      headers.push_back({std::string(*name), std::move(value)});
  }
  return headers;
}

// 19.1.5 MUST NOT: the method parameter is no part of the Request-URI; unknown ones are (MUST).
std::string request_uri_of(const Uri& uri) {
  std::string text(uri.text.substr(0, uri.text.find('?')));
  const auto method = uri.params.find("method");
  if (!method) return text;
  const auto begin = static_cast<std::size_t>(method->name.data() - uri.text.data()) - 1;  // ";"
  const auto behind = text.find(';', begin + 1);
  return text.erase(begin, behind == std::string::npos ? behind : behind - begin);
}

}  // namespace

std::optional<FormedInvite> form_invite(const Uri& uri) {
  if (!uri.is_sip()) return std::nullopt;
  if (const auto method = uri.params.find("method"); method && method->value != "INVITE")
    return std::nullopt;
  return FormedInvite{request_uri_of(uri), headers_of(uri.headers)};
}

}  // namespace sipassay::agent
