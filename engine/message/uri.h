// URIs (RFC 3261 19.1, 25.1; tel: RFC 3966; any other scheme is kept as text).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/error.h"
#include "engine/message/octets.h"
#include "engine/message/params.h"
#include "engine/message/slack.h"

namespace sipassay {

// A parsed view of a URI; never outlives the text it was parsed from.
struct Uri {
  enum class Scheme : std::uint8_t { Sip, Sips, Tel, Other };

  std::string_view text;  // all of it, as written
  Scheme scheme = Scheme::Other;
  std::string_view scheme_text;
  std::string_view user;      // escapes as written; empty if none (sip, sips); tel: the number
  std::string_view password;  // after the first ":" of userinfo
  bool has_user = false;
  std::string_view host;  // IPv6 without brackets; sip and sips only
  bool is_ipv6 = false;   // host is an IPv6 address
  std::optional<std::uint16_t> port;
  Params params;             // uri-parameters (sip, sips), par (tel)
  std::string_view headers;  // after "?", as written

  bool is_sip() const { return scheme == Scheme::Sip || scheme == Scheme::Sips; }
  bool is_loose_route() const { return params.has("lr"); }
  // From the components (sip, sips, tel); from `text` for other schemes.
  void write(Octets& out) const;
  std::string to_string() const { return text_of(*this); }
};

// All of text must be one URI. Offsets of errors count from its start.
Parsed<Uri> parse_uri(std::string_view text, Slack slack = Slack::No);

// Equality of RFC 3261 19.1.4 for sip and sips; case-insensitive scheme and exact rest for others.
bool equivalent(const Uri& a, const Uri& b);

// A hostname, an IPv4 address, or an IPv6 address without brackets (RFC 3261 25.1, RFC 5954).
bool is_host(std::string_view text);
bool is_ipv4(std::string_view text);
bool is_ipv6(std::string_view text);
// The same host: names without case, IPv6 addresses by their value (RFC 5954 4).
bool same_host(std::string_view a, std::string_view b);

// %HH undone once; other octets as they are.
std::string unescape(std::string_view text);
// Octets that may not stand in a user part are escaped.
std::string escape_user(std::string_view text);

}  // namespace sipassay
