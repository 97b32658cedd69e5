// The ways of nearly every value: hosts, URIs and parameter lists as real stacks write them, read
// in blocks with few branches. Each accepts a part of the grammar and nothing outside it, and gives
// what the exact way (reader.cpp, uri.cpp) gives; what it does not accept, that one reads or
// judges. All of them read slack_octets behind the text. usual_test.cpp holds both ways together.
#include <algorithm>
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

// How many octets of the text that begins at `at` have their bit set: zero when the two blocks that
// the mask tells of do not show where they end.
std::size_t run_inside(scan::Mask octets, const char* at, const char* end) {
  const std::size_t size = std::min(scan::run(octets), static_cast<std::size_t>(end - at));
  return size == 2 * scan::block ? 0 : size;
}

// The bits of a text of that size, at least one octet.
struct Bounds {
  explicit Bounds(std::size_t size)
      : last(scan::Mask{1} << (size - 1)), all(last | (last - 1)), outer(last | 1U) {}
  scan::Mask last, all, outer;
};

// Functions behind_…: where what they read ends, or null when it is not usual.

// An IPv4 address is judged by where its dots and digits are: three dots, no empty part (its caller
// knows), no part of more than three digits, none above 255.
bool is_usual_ipv4(const char* at, scan::Mask inside, scan::Mask dots) {
  const scan::Mask digits = scan::digits(at) & inside;
  if ((digits | dots) != inside) return false;
  const scan::Mask two_dots = dots & (dots - 1);
  const scan::Mask one_dot = two_dots & (two_dots - 1);
  if (one_dot == 0 || (one_dot & (one_dot - 1)) != 0) return false;
  scan::Mask three_digits = digits & digits >> 1U & digits >> 2U;
  if ((three_digits & three_digits >> 1U) != 0) return false;
  for (; three_digits != 0; three_digits &= three_digits - 1) {
    const char* const part = at + std::countr_zero(three_digits);
    if (part[0] > '2' || (part[0] == '2' && (part[1] > '5' || (part[1] == '5' && part[2] > '5'))))
      return false;
  }
  return true;
}

// A host name or an IPv4 address shorter than two blocks, judged by where its dots and hyphens are:
// no label is empty, none begins or ends with a hyphen, the name does not end with a dot.
[[gnu::always_inline]] inline const char* behind_name(const char* at, const char* end) {
  using scan::both;
  const char* const second = at + scan::block;
  scan::Mask dots = both(scan::equal(at, '.'), scan::equal(second, '.'));
  const scan::Mask hyphens = both(scan::equal(at, '-'), scan::equal(second, '-'));
  const scan::Mask separators = dots | hyphens;
  const std::size_t size =
      run_inside(both(scan::alnum(at), scan::alnum(second)) | separators, at, end);
  if (size == 0) return nullptr;
  const Bounds bounds(size);
  const scan::Mask meeting = (dots & separators >> 1U) | (hyphens & dots >> 1U);
  if (((separators & bounds.outer) | (meeting & bounds.all)) != 0) return nullptr;
  dots &= bounds.all;
  // A last label that begins with a digit makes it an IPv4 address.
  const auto label = static_cast<std::size_t>(std::bit_width(dots));
  if (ascii::is_digit(at[label]) && !is_usual_ipv4(at, bounds.all, dots)) return nullptr;
  return at + size;
}

// An IPv6 reference shorter than two blocks, without an IPv4 address in it, judged by where its
// colons are: at most one "::", no other colon at an end; eight groups, fewer when there is a "::",
// none of more than four digits.
const char* behind_ipv6(const char* at, const char* end, std::string_view& host) {
  using scan::both;
  const char* const begin = at + 1;
  const char* const second = begin + scan::block;
  scan::Mask digits = both(scan::hex(begin), scan::hex(second));
  scan::Mask colons = both(scan::equal(begin, ':'), scan::equal(second, ':'));
  const std::size_t size = run_inside(digits | colons, begin, end);
  const char* const close = begin + size;
  if (size == 0 || close == end || *close != ']') return nullptr;
  const Bounds bounds(size);
  digits &= bounds.all;
  colons &= bounds.all;
  const scan::Mask gap = colons & colons >> 1U;
  const scan::Mask single = colons & ~(gap | gap << 1U);
  const scan::Mask four_digits = digits & digits >> 1U & digits >> 2U & digits >> 3U;
  if (((gap & (gap - 1)) | (single & bounds.outer) | (four_digits & four_digits >> 1U)) != 0)
    return nullptr;
  const int groups = std::popcount(digits & ~(digits << 1U));
  if (gap == 0 ? groups != 8 : groups > 7) return nullptr;
  host = between(begin, close);
  return close + 1;
}

const char* behind_host(const char* at, const char* end, std::string_view& host, bool& is_v6) {
  is_v6 = at != end && *at == '[';
  if (is_v6) return behind_ipv6(at, end, host);
  const char* const name_end = behind_name(at, end);
  if (name_end != nullptr) host = between(at, name_end);
  return name_end;
}

// 1*( unreserved / escaped / user-unreserved ) without ";", "?" and "/", which end a host, too.
const char* behind_user(const char* at, const char* end) {
  for (;;) {
    at = behind(at, end, chars::Password);
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
const char* behind_uri_params(const char* at, const char* end) {
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

// Four octets as they lie in memory.
consteval std::uint32_t word_of(std::string_view octets) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < octets.size(); ++i)
    out |= std::uint32_t{static_cast<unsigned char>(octets[i])} << (8U * i);
  return out;
}

// "sip:" or "sips:" in any case: the octets behind it.
const char* behind_scheme(const char* at, const char* end, Uri::Scheme& scheme) {
  constexpr std::uint32_t sip = word_of("sip:"), sips = word_of("sips");
  constexpr std::uint32_t lower_three = word_of("   "), lower_all = word_of("    ");  // bits 0x20
  std::uint32_t start = 0;
  std::memcpy(&start, at, sizeof start);
  const bool is_secure = (start | lower_all) == sips && at[4] == ':';
  if (!is_secure && (start | lower_three) != sip) return nullptr;
  scheme = is_secure ? Uri::Scheme::Sips : Uri::Scheme::Sip;
  at += is_secure ? 5 : 4;
  return at < end ? at : nullptr;
}

}  // namespace

bool Reader::usual_host(std::string_view& out, bool& is_ipv6) {
  const char* const end = behind_host(at_, end_, out, is_ipv6);
  if (end == nullptr) return false;
  at_ = end;
  return true;
}

// Writes each part as soon as it is known: parts kept for the end would be stored and loaded again.
bool Reader::usual_uri(Uri& out, UriEnd kind) {
  if (!has_slack_) return false;
  const char* const end = end_;
  const char* at = behind_scheme(at_, end, out.scheme);
  if (at == nullptr) return false;
  out.scheme_text = between(at_, at - 1);
  const char* const user_end = behind_user(at, end);
  out.has_user = user_end != at && user_end != end && *user_end == '@';
  out.user = {};
  out.password = {};
  if (out.has_user) {
    out.user = between(at, user_end);
    at = user_end + 1;
  }
  at = behind_host(at, end, out.host, out.is_ipv6);
  if (at == nullptr) return false;
  out.port.reset();
  if (at != end && *at == ':') {
    const scan::Number number = scan::number(at + 1, end);
    if (number.size == 0 || number.value > 65535) return false;
    out.port = static_cast<std::uint16_t>(number.value);
    at += 1 + number.size;
  }
  const char* const params = at;
  at = behind_uri_params(at, end);
  if (at == nullptr) return false;
  // What ends a usual URI says that there was no "@" behind the host, and no "?".
  if (kind == UriEnd::Bracket ? at == end || *at != '>' : at != end) return false;
  out.params = params == at ? Params() : Params::from_checked(between(params, at));
  out.headers = {};
  out.text = between(at_, at);
  at_ = at;
  return true;
}

bool Reader::usual_protocol(std::string_view& protocol, std::string_view& version,
                            std::string_view& transport) {
  constexpr std::string_view start = "SIP/2.0/";
  if (!has_slack_ || std::memcmp(at_, start.data(), start.size()) != 0) return false;
  if (end_ - at_ < static_cast<std::ptrdiff_t>(start.size())) return false;
  const char* const begin = at_ + start.size();
  const char* const at = behind(begin, end_, chars::Token);
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
    at = scan::behind_long(at, end_, chars::Token);
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
