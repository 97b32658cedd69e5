#include "engine/message/reader.h"

#include <array>
#include <bit>

#include "engine/base/ascii.h"
#include "engine/message/scan.h"

namespace sipassay {

bool Reader::take_pair() {
  // RFC 3261 25.1 quoted-pair: "\" and any octet up to 0x7F but CR and LF.
  ++at_;
  if (at_ == end_ || *at_ == '\r' || *at_ == '\n' || static_cast<unsigned char>(*at_) > 0x7fU)
    return false;
  ++at_;
  return true;
}

bool Reader::quoted_string(std::string_view& out) {
  const std::size_t start = offset();
  if (!take('"')) return fail(ErrorCode::QuotedString);
  for (;;) {
    while (has_block()) {
      const std::size_t run = scan::run(scan::plain_quoted(at_));
      at_ += run;
      if (run != scan::block || at_ >= end_) break;
    }
    if (at_ > end_) at_ = end_;
    while (at_ != end_ && chars::is(*at_, chars::Quoted)) ++at_;
    if (at_ == end_) return fail(ErrorCode::QuotedString, start);
    if (*at_ == '"') break;
    if (*at_ != '\\' || !take_pair()) return fail(ErrorCode::QuotedString);
  }
  ++at_;
  out = since(start);
  return true;
}

bool Reader::comment(std::string_view& out) {
  const std::size_t start = offset();
  if (!take('(')) return fail(ErrorCode::HeaderValue);
  for (std::size_t depth = 1; depth != 0;) {
    while (at_ != end_ && chars::is(*at_, chars::Comment)) ++at_;
    if (at_ == end_) return fail(ErrorCode::HeaderValue, start);
    if (*at_ == '(') {
      ++depth;
      ++at_;
    } else if (*at_ == ')') {
      --depth;
      ++at_;
    } else if (*at_ != '\\' || !take_pair()) {
      return fail(ErrorCode::HeaderValue);
    }
  }
  out = since(start);
  return true;
}

bool Reader::number(std::uint32_t& out, std::uint32_t max) {
  const std::size_t start = offset();
  std::uint64_t value = 0;
  const char* const first = at_;
  while (at_ != end_ && ascii::is_digit(*at_)) {
    value = value * 10 + static_cast<std::uint64_t>(*at_ - '0');
    if (value > max) return fail(ErrorCode::Number, start);
    ++at_;
  }
  if (at_ == first) return fail(ErrorCode::Number, start);
  out = static_cast<std::uint32_t>(value);
  return true;
}

bool Reader::host(std::string_view& out, bool& is_v6) {
  is_v6 = false;
  if (usual_host(out)) return true;
  const std::size_t start = offset();
  is_v6 = take('[');
  if (is_v6) {
    out = span(chars::Hex | chars::GenValue);
    const std::size_t close = out.find(']');
    if (close == std::string_view::npos) return fail(ErrorCode::Host, start);
    out = out.substr(0, close);
    seek(start + 1 + close + 1);
    return is_ipv6(out) || fail(ErrorCode::Host, start);
  }
  out = span(chars::Host);
  return (!out.empty() && is_host(out)) || fail(ErrorCode::Host, start);
}

// A host name or an IPv4 address shorter than two blocks, judged by where its dots and hyphens are.
bool Reader::usual_host(std::string_view& out) {
  if (static_cast<std::size_t>(readable_ - at_) < 2 * scan::block) return false;
  const char* const second = at_ + scan::block;
  const auto left = static_cast<std::size_t>(end_ - at_);
  std::size_t size = scan::run(scan::common(at_) | scan::common(second) << scan::block);
  if (size > left) size = left;
  if (size == 0 || size >= 2 * scan::block) return false;
  const scan::Mask inside = (scan::Mask{1} << size) - 1;
  const scan::Mask dots =
      (scan::equal(at_, '.') | scan::equal(second, '.') << scan::block) & inside;
  const scan::Mask hyphens =
      (scan::equal(at_, '-') | scan::equal(second, '-') << scan::block) & inside;
  const scan::Mask separators = dots | hyphens;
  const scan::Mask last = scan::Mask{1} << (size - 1);
  // No label is empty, none begins or ends with a hyphen, the name does not end with a dot.
  if (((separators & 1U) | (separators & last) | (dots & separators >> 1U) |
       (hyphens & dots >> 1U)) != 0)
    return false;
  const auto label = static_cast<std::size_t>(std::bit_width(dots));
  const std::string_view text(at_, size);
  if (ascii::is_digit(at_[label]) && !is_ipv4(text)) return false;
  out = text;
  at_ += size;
  return true;
}

bool Reader::port(std::optional<std::uint16_t>& out) {
  std::uint32_t value = 0;
  const std::size_t start = offset();
  if (!number(value, 65535)) return fail(ErrorCode::Port, start);
  out = static_cast<std::uint16_t>(value);
  return true;
}

namespace {

// The names seen so far in one parameter list: finds a repeated one without allocating.
class Names {
 public:
  // False when the name was there already.
  bool add(std::string_view name) {
    for (std::size_t i = 0; i < count_; ++i)
      if (names_[i].size == name.size() && ascii::iequals({names_[i].data, name.size()}, name))
        return false;
    names_[count_++] = Name{name.data(), name.size()};
    return true;
  }
  bool is_full() const { return count_ == params_max; }

 private:
  struct Name {
    const char* data;
    std::size_t size;
  };
  std::array<Name, params_max>
      names_;  // on purpose not initialised: only the first count_ are read
  std::size_t count_ = 0;
};

}  // namespace

namespace {

// Whether a name may have occurred before, by one bit of a word a name: "no" is certain.
class NameFilter {
 public:
  bool may_repeat(std::string_view name) {
    const auto first = static_cast<unsigned char>(name.front() | 0x20);
    const auto last = static_cast<unsigned char>(name.back() | 0x20);
    const std::uint64_t bit = std::uint64_t{1} << ((first + last * 5U + name.size() * 11U) & 63U);
    const bool out = (seen_ & bit) != 0;
    seen_ |= bit;
    return out;
  }

 private:
  std::uint64_t seen_ = 0;
};

}  // namespace

// No white space, no name that might be there twice.
bool Reader::usual_params(Params& out) {
  const char* const start = at_;
  const auto give_up = [&] {
    at_ = start;
    return false;
  };
  NameFilter names;
  bool are_tokens = true;
  while (take(';')) {
    const std::string_view name = span(chars::Token);
    if (name.empty() || names.may_repeat(name)) return give_up();
    if (!take('=')) {
      are_tokens = false;
      continue;
    }
    std::string_view value = span(chars::Token);
    if (!value.empty() && !(at_ != end_ && chars::is(*at_, chars::GenValue))) continue;
    are_tokens = false;
    if (value.empty() && peek() == '"') {
      if (!quoted_string(value)) return give_up();
    } else if (span(chars::GenValue).empty() && value.empty()) {
      return give_up();
    }
  }
  if (at_ != end_ && chars::is(*at_, chars::Space)) return give_up();
  out = Params::from_checked({start, static_cast<std::size_t>(at_ - start)});
  were_token_params_ = are_tokens;
  return true;
}

bool Reader::params(Params& out) {
  if (at_ == end_ || *at_ == ',') {
    out = Params();
    were_token_params_ = true;
    return true;
  }
  if (*at_ == ';' && usual_params(out)) return true;
  were_token_params_ = false;
  const std::size_t start = offset();
  if (!take_separator(';')) {
    out = Params();
    return true;
  }
  Names names;
  do {
    const std::size_t name_start = offset();
    std::string_view name;
    if (!token(name, ErrorCode::Parameter)) return false;
    if (names.is_full()) return fail(ErrorCode::LimitExceeded, name_start);
    if (!names.add(name)) return fail(ErrorCode::Parameter, name_start);
    if (!take_separator('=')) continue;
    std::string_view value;
    if (peek() == '"') {
      if (!quoted_string(value)) return false;
    } else if (span(chars::GenValue).empty()) {
      return fail(ErrorCode::Parameter);
    }
  } while (take_separator(';'));
  std::string_view text = since(start);
  while (chars::is(text.front(), chars::Space)) text.remove_prefix(1);
  out = Params::from_checked(text);
  return true;
}

bool Reader::bracketed_uri(Uri& out) {
  if (!take('<')) return fail(ErrorCode::HeaderValue);
  const std::size_t start = offset();
  if (usual_uri(out, true)) {
    ++at_;
    return true;
  }
  const std::size_t close = rest().find('>');
  if (close == std::string_view::npos) return fail(ErrorCode::HeaderValue, start - 1);
  auto uri = parse_uri(rest().substr(0, close));
  if (!uri) return fail(uri.error().code, start + uri.error().offset);
  out = *uri;
  seek(start + close + 1);
  return true;
}

bool Reader::has_at_sign(char stop) const {
  for (const char* at = at_; at < end_ && *at != stop; ++at)
    if (*at == '@') return true;
  return false;
}

bool Reader::usual_uri_params(Params& out) {
  const char* const start = at_;
  NameFilter names;
  while (take(';')) {
    const std::string_view name = span(chars::UriParam);
    if (name.empty() || names.may_repeat(name)) return false;
    // maddr and ttl have rules of their own.
    if ((name.size() == 5 && (name[0] | 0x20) == 'm') ||
        (name.size() == 3 && (name[0] | 0x20) == 't'))
      return false;
    if (take('=') && span(chars::UriParam).empty()) return false;
  }
  out = Params::from_checked({start, static_cast<std::size_t>(at_ - start)});
  return true;
}

bool Reader::usual_uri(Uri& out, bool in_brackets) {
  const char* const start = at_;
  const auto give_up = [&] {
    at_ = start;
    return false;
  };
  if (end_ - at_ < 5 || (at_[0] | 0x20) != 's' || (at_[1] | 0x20) != 'i' || (at_[2] | 0x20) != 'p')
    return false;
  const bool is_secure = (at_[3] | 0x20) == 's' && at_[4] == ':';
  if (!is_secure && at_[3] != ':') return false;
  const std::size_t scheme_size = is_secure ? 4 : 3;
  at_ += scheme_size + 1;
  const char stop = in_brackets ? '>' : '\0';
  const char* const authority = at_;
  std::string_view user = span(chars::User);
  bool has_user = !user.empty() && take('@');
  if (!has_user) {
    at_ = authority;
    user = {};
    if (has_at_sign(stop)) return give_up();
  }
  std::string_view host;
  if (!usual_host(host)) return give_up();
  std::optional<std::uint16_t> port;
  if (take(':')) {
    std::uint32_t value = 0;
    const char* const first = at_;
    while (at_ != end_ && at_ - first < 5 && ascii::is_digit(*at_))
      value = value * 10 + static_cast<std::uint32_t>(*at_++ - '0');
    if (at_ == first || value > 65535) return give_up();
    port = static_cast<std::uint16_t>(value);
  }
  Params params;
  if (peek() == ';' && !usual_uri_params(params)) return give_up();
  if (in_brackets ? peek() != '>' : !is_done()) return give_up();
  out.text = {start, static_cast<std::size_t>(at_ - start)};
  out.scheme = is_secure ? Uri::Scheme::Sips : Uri::Scheme::Sip;
  out.scheme_text = {start, scheme_size};
  out.user = user;
  out.password = {};
  out.has_user = has_user;
  out.host = host;
  out.is_ipv6 = false;
  out.port = port;
  out.params = params;
  out.headers = {};
  return true;
}

bool Reader::name_addr(NameAddr& out) {
  const std::size_t start = offset();
  out.display = {};
  if (peek() == '"') {
    if (!quoted_string(out.display)) return false;
    skip_space();
    if (peek() != '<') return fail(ErrorCode::HeaderValue);
  } else if (peek() != '<') {
    // *(token LWS) before "<", or an addr-spec: only that has a ":" before any "<".
    while (!span(chars::Token).empty()) skip_space();
    if (peek() == '<') {
      // RFC 4475 3.1.1.6: the grammar's LWS before "<" was meant to be optional.
      std::string_view text = since(start);
      while (chars::is(text.back(), chars::Space)) text.remove_suffix(1);
      out.display = text;
    } else {
      seek(start);
    }
  }
  out.has_brackets = peek() == '<';
  if (out.has_brackets) {
    if (!bracketed_uri(out.uri)) return false;
  } else {
    // RFC 3261 20: a URI with a comma, question mark or semicolon stands in brackets.
    const std::size_t uri_start = offset();
    while (at_ != end_ && !chars::is(*at_, chars::Space) && *at_ != ';' && *at_ != '?' &&
           *at_ != ',' && *at_ != '<' && *at_ != '>' && *at_ != '"')
      ++at_;
    auto uri = parse_uri(since(uri_start));
    if (!uri) return fail(uri.error().code, uri_start + uri.error().offset);
    out.uri = *uri;
  }
  if (!params(out.params)) return false;
  out.text = since(start);
  return true;
}

bool Reader::call_id(std::string_view& out) {
  const std::size_t start = offset();
  if (span(chars::Word).empty()) return fail(ErrorCode::HeaderValue);
  if (take('@') && span(chars::Word).empty()) return fail(ErrorCode::HeaderValue);
  out = since(start);
  return true;
}

void Reader::skip_list_element() {
  bool in_brackets = false;
  while (at_ != end_) {
    if (*at_ == '"') {
      ++at_;
      while (at_ != end_ && *at_ != '"') at_ += *at_ == '\\' && at_ + 1 != end_ ? 2 : 1;
      if (at_ == end_) return;
    } else if (*at_ == '<') {
      in_brackets = true;
    } else if (*at_ == '>') {
      in_brackets = false;
    } else if (*at_ == ',' && !in_brackets) {
      return;
    }
    ++at_;
  }
}

}  // namespace sipassay
