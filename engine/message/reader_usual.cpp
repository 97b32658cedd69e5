// The ways of nearly every value: hosts, URIs and parameter lists as real stacks write them, read
// in blocks with few branches. Each accepts a part of the grammar and nothing outside it, and gives
// what the exact way (reader.cpp, uri.cpp) gives; what it does not accept, that one reads or
// judges. All of them read slack_octets behind the text. usual_test.cpp holds both ways together.
#include <array>
#include <bit>
#include <cstring>

#include "engine/base/ascii.h"
#include "engine/message/host.h"
#include "engine/message/reader.h"
#include "engine/message/scan.h"

namespace sipassay {

namespace {

using scan::behind;

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

// The functions below return where what they read ends, or null.

// A host name or an IPv4 address shorter than two blocks, judged by where its dots and hyphens are:
// no label is empty, none begins or ends with a hyphen, the name does not end with a dot.
const char* usual_name(const char* at, const char* end) {
  using scan::both;
  const char* const second = at + scan::block;
  const scan::Mask dots = both(scan::equal(at, '.'), scan::equal(second, '.'));
  const scan::Mask hyphens = both(scan::equal(at, '-'), scan::equal(second, '-'));
  const scan::Mask separators = dots | hyphens;
  std::size_t size = scan::run(both(scan::alnum(at), scan::alnum(second)) | separators);
  const auto left = static_cast<std::size_t>(end - at);
  if (size > left) size = left;
  if (size == 0 || size == 2 * scan::block) return nullptr;
  const scan::Mask last = scan::Mask{1} << (size - 1);
  const scan::Mask inside = last | (last - 1);
  const scan::Mask outer = separators & (last | 1U);
  const scan::Mask meeting = (dots & separators >> 1U) | (hyphens & dots >> 1U);
  if ((outer | (meeting & inside)) != 0) return nullptr;
  // A last label that begins with a digit makes it an IPv4 address.
  const auto label = static_cast<std::size_t>(std::bit_width(dots & inside));
  if (ascii::is_digit(at[label]) && !is_ipv4({at, size})) return nullptr;
  return at + size;
}

// An IPv6 reference.
const char* usual_ipv6(const char* at, const char* end, std::string_view& host) {
  const char* close = at + 1;
  while (close != end && (chars::is(*close, chars::Hex) || *close == ':' || *close == '.')) ++close;
  host = between(at + 1, close);
  return close != end && *close == ']' && is_ipv6(host) ? close + 1 : nullptr;
}

const char* usual_host(const char* at, const char* end, std::string_view& host, bool& is_v6) {
  is_v6 = at != end && *at == '[';
  if (is_v6) return usual_ipv6(at, end, host);
  const char* const behind_host = usual_name(at, end);
  if (behind_host != nullptr) host = between(at, behind_host);
  return behind_host;
}

// 1*( unreserved / escaped / user-unreserved )
const char* user_end(const char* at, const char* end) {
  for (;;) {
    at = behind(at, end, chars::User);
    if (end - at < 3 || *at != '%' || !chars::is(at[1], chars::Hex) ||
        !chars::is(at[2], chars::Hex))
      return at;
    at += 3;
  }
}

// Whether a name may have occurred before in its list, by one bit of a word: "no" is certain.
class NameFilter {
 public:
  bool may_repeat(const char* name, const char* end) {
    const auto size = static_cast<unsigned>(end - name);
    const unsigned first = static_cast<unsigned char>(*name) & 7U;  // the same for both cases
    const std::uint64_t bit = std::uint64_t{1} << ((size << 3U | first) & 63U);
    const bool out = (seen_ & bit) != 0;
    seen_ |= bit;
    return out;
  }

 private:
  std::uint64_t seen_ = 0;
};

// *( ";" pname [ "=" pvalue ] ) without escapes and without maddr and ttl, which have rules of
// their own.
const char* usual_uri_params(const char* at, const char* end) {
  NameFilter names;
  while (at != end && *at == ';') {
    const char* const name = ++at;
    at = behind(at, end, chars::UriParam);
    if (at == name || names.may_repeat(name, at)) return nullptr;
    const auto initial = *name | 0x20;
    if ((at - name == 5 && initial == 'm') || (at - name == 3 && initial == 't')) return nullptr;
    if (at == end || *at != '=') continue;
    const char* const value = ++at;
    at = behind(at, end, chars::UriParam);
    if (at == value) return nullptr;
  }
  return at;
}

// The scheme and its colon.
const char* sip_scheme(const char* at, const char* end, Uri::Scheme& scheme) {
  if (end - at < 5) return nullptr;
  std::array<char, 4> start;
  std::memcpy(start.data(), at, start.size());
  for (std::size_t i = 0; i < 3; ++i) start[i] = static_cast<char>(start[i] | 0x20);
  if (start == std::array{'s', 'i', 'p', ':'}) {
    scheme = Uri::Scheme::Sip;
    return at + 4;
  }
  if (start[0] != 's' || start[1] != 'i' || start[2] != 'p' || (start[3] | 0x20) != 's' ||
      at[4] != ':')
    return nullptr;
  scheme = Uri::Scheme::Sips;
  return at + 5;
}

}  // namespace

bool Reader::usual_host(std::string_view& out, bool& is_ipv6) {
  const char* const end = sipassay::usual_host(at_, end_, out, is_ipv6);
  if (end == nullptr) return false;
  at_ = end;
  return true;
}

bool Reader::usual_uri(Uri& out, UriEnd kind) {
  if (!has_slack_) return false;
  const char* const end = end_;
  Uri::Scheme scheme;
  const char* at = sip_scheme(at_, end, scheme);
  if (at == nullptr) return false;
  const auto scheme_text = between(at_, at - 1);
  std::string_view user;
  const char* const behind_user = user_end(at, end);
  const bool has_user = behind_user != at && behind_user != end && *behind_user == '@';
  if (has_user) {
    user = between(at, behind_user);
    at = behind_user + 1;
  }
  std::string_view host;
  bool is_ipv6 = false;
  at = sipassay::usual_host(at, end, host, is_ipv6);
  if (at == nullptr) return false;
  std::optional<std::uint16_t> port;
  if (at != end && *at == ':') {
    const scan::Number number = scan::number(at + 1, end);
    if (number.size == 0 || number.value > 65535) return false;
    port = static_cast<std::uint16_t>(number.value);
    at += 1 + number.size;
  }
  const char* const params = at;
  at = usual_uri_params(at, end);
  if (at == nullptr) return false;
  // What ends a usual URI says that there was no "@" behind the host, and no "?".
  if (kind == UriEnd::Bracket ? at == end || *at != '>' : at != end) return false;
  out.text = between(at_, at);
  out.scheme = scheme;
  out.scheme_text = scheme_text;
  out.user = user;
  out.password = {};
  out.has_user = has_user;
  out.host = host;
  out.is_ipv6 = is_ipv6;
  out.port = port;
  out.params = params == at ? Params() : Params::from_checked(between(params, at));
  out.headers = {};
  at_ = at;
  return true;
}

bool Reader::usual_protocol(std::string_view& protocol, std::string_view& version,
                            std::string_view& transport) {
  constexpr std::string_view start = "SIP/2.0/";
  if (!has_slack_ || std::memcmp(at_, start.data(), start.size()) != 0) return false;
  if (end_ - at_ < static_cast<std::ptrdiff_t>(start.size())) return false;
  const char* const begin = at_ + start.size();
  const char* at = begin;
  while (at != end_ && chars::is(*at, chars::Token)) ++at;
  if (at == begin || at == end_ || *at != ' ') return false;
  if (chars::is(at[1], chars::Space)) return false;
  protocol = {at_, 3};
  version = {at_ + 4, 3};
  transport = between(begin, at);
  at_ = at + 1;
  return true;
}

// No white space, no name that might be there twice.
bool Reader::usual_params(Params& out) {
  const char* const start = at_;
  const char* at = start;
  NameFilter names;
  bool are_tokens = true;
  while (at != end_ && *at == ';') {
    const char* const name = ++at;
    at = behind(at, end_, chars::Token);
    if (at == name || names.may_repeat(name, at)) return false;
    if (at == end_ || *at != '=') {
      are_tokens = false;
      continue;
    }
    const char* const value = ++at;
    at = behind(at, end_, chars::Token);
    if (at == end_ || !chars::is(*at, chars::GenValue)) {
      if (at != value) continue;
      if (at == end_ || *at != '"') return false;
      at_ = at;
      std::string_view quoted;
      const bool is_good = quoted_string(quoted);
      at = at_;
      at_ = start;
      if (!is_good) return false;
    } else {
      at = behind(at, end_, chars::GenValue);
    }
    are_tokens = false;
  }
  if (at == start || (at != end_ && chars::is(*at, chars::Space))) return false;
  out = Params::from_checked(between(start, at));
  were_token_params_ = are_tokens;
  at_ = at;
  return true;
}

}  // namespace sipassay
