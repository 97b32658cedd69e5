#include "engine/message/reader.h"

#include <array>

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
    while (has_slack_) {
      const std::size_t run =
          scan::run(scan::both(scan::plain_quoted(at_), scan::plain_quoted(at_ + scan::block)));
      at_ += run;
      if (run != 2 * scan::block || at_ >= end_) break;
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

bool Reader::exact_number(std::uint32_t& out, std::uint32_t max) {
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
  if (has_slack_ && usual_host(out, is_v6)) return true;
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

bool Reader::exact_params(Params& out) {
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
  if (usual_uri(out, UriEnd::Bracket)) {
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
  if (long_span(chars::Word).empty()) return fail(ErrorCode::HeaderValue);
  if (take('@') && long_span(chars::Word).empty()) return fail(ErrorCode::HeaderValue);
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
