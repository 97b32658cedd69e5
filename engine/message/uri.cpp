#include "engine/message/uri.h"

#include <algorithm>
#include <array>

#include "engine/base/ascii.h"
#include "engine/message/chars.h"
#include "engine/message/host.h"
#include "engine/message/reader.h"

namespace sipassay {

namespace {

std::unexpected<Error> wrong(ErrorCode code, std::size_t offset) {
  return std::unexpected(Error{code, offset});
}

// Octets of the classes and %HH only; otherwise where the first other octet stands.
std::optional<Error> check(std::string_view text, unsigned classes, ErrorCode code,
                           std::size_t offset) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (chars::is(text[i], classes)) continue;
    if (text[i] != '%') return Error{code, offset + i};
    if (i + 2 >= text.size() || !chars::is(text[i + 1], chars::Hex) ||
        !chars::is(text[i + 2], chars::Hex))
      return Error{ErrorCode::Escape, offset + i};
    i += 2;
  }
  return std::nullopt;
}

std::optional<Error> check_known_param(const Param& param, std::size_t offset) {
  if (ascii::iequals(param.name, "maddr") && !host_from(param.value))
    return Error{ErrorCode::Host, offset};
  if (ascii::iequals(param.name, "ttl") && !ascii::number<std::uint8_t>(param.value))
    return Error{ErrorCode::Number, offset};
  return std::nullopt;
}

// *( ";" pname [ "=" pvalue ] ), no white space (RFC 3261 25.1).
std::optional<Error> check_params(std::string_view text, std::size_t offset) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = ++at;  // behind ";"
    at = std::min(text.find(';', start), text.size());
    const std::string_view one = text.substr(start, at - start);
    const std::size_t equal = std::min(one.find('='), one.size());
    const std::string_view name = one.substr(0, equal);
    if (name.empty()) return Error{ErrorCode::Parameter, offset + start};
    if (++count > params_max) return Error{ErrorCode::LimitExceeded, offset + start};
    if (auto error = check(name, chars::UriParam, ErrorCode::Parameter, offset + start))
      return error;
    Param param{name, {}, equal != one.size()};
    if (param.has_value) {
      param.value = one.substr(equal + 1);
      const std::size_t value_offset = offset + start + equal + 1;
      if (param.value.empty()) return Error{ErrorCode::Parameter, value_offset};
      if (auto error = check(param.value, chars::UriParam, ErrorCode::Parameter, value_offset))
        return error;
      if (auto error = check_known_param(param, value_offset)) return error;
    }
    for (const Param& earlier : Params::from_checked(text.substr(0, start - 1)))
      if (ascii::iequals(earlier.name, name)) return Error{ErrorCode::Parameter, offset + start};
  }
  return std::nullopt;
}

// header *( "&" header ); header = hname "=" hvalue
std::optional<Error> check_headers(std::string_view text, std::size_t offset) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('&', at), text.size());
    const std::string_view one = text.substr(at, end - at);
    const std::size_t equal = one.find('=');
    if (equal == 0 || equal == std::string_view::npos) return Error{ErrorCode::Uri, offset + at};
    if (auto error = check(one.substr(0, equal), chars::UriHeader, ErrorCode::Uri, offset + at))
      return error;
    if (one.find('=', equal + 1) != std::string_view::npos)
      return Error{ErrorCode::Uri, offset + at + equal + 1};
    if (auto error =
            check(one.substr(equal + 1), chars::UriHeader, ErrorCode::Uri, offset + at + equal + 1))
      return error;
    at = end + 1;
  }
  return std::nullopt;
}

std::optional<Error> read_userinfo(std::string_view text, std::size_t offset, Uri& out) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  out.user = text.substr(0, colon);
  out.has_user = true;
  if (out.user.empty()) return Error{ErrorCode::Uri, offset};
  if (auto error = check(out.user, chars::User, ErrorCode::Uri, offset)) return error;
  if (colon == text.size()) return std::nullopt;
  out.password = text.substr(colon + 1);
  return check(out.password, chars::Password, ErrorCode::Uri, offset + colon + 1);
}

std::optional<Error> read_sip(std::string_view text, std::size_t at, Uri& out) {
  if (const std::size_t mark = text.find('@', at); mark != std::string_view::npos) {
    if (auto error = read_userinfo(text.substr(at, mark - at), at, out)) return error;
    at = mark + 1;
  }
  Reader reader(text);
  reader.seek(at);
  if (!reader.host(out.host, out.is_ipv6)) return reader.error();
  if (reader.take(':') && !reader.port(out.port)) return reader.error();
  at = reader.offset();
  if (reader.peek() == ';') {
    const std::size_t end = std::min(text.find('?', at), text.size());
    out.params = Params::from_checked(text.substr(at, end - at));
    if (auto error = check_params(out.params.text(), at)) return error;
    at = end;
  }
  if (at == text.size()) return std::nullopt;
  if (text[at] != '?') return Error{ErrorCode::Uri, at};
  out.headers = text.substr(at + 1);
  return check_headers(out.headers, at + 1);
}

// RFC 3966 3: global-number / local-number, then par.
std::optional<Error> read_tel(std::string_view text, std::size_t at, Uri& out) {
  const std::size_t end = std::min(text.find(';', at), text.size());
  out.user = text.substr(at, end - at);
  out.has_user = true;
  const bool is_global = out.user.starts_with('+');
  const std::string_view visual = "-.()";
  bool has_digit = false;
  for (std::size_t i = is_global ? 1 : 0; i < out.user.size(); ++i) {
    const char c = out.user[i];
    const bool is_digit = is_global ? ascii::is_digit(c) : ascii::is_hex(c) || c == '*' || c == '#';
    has_digit = has_digit || is_digit;
    if (!is_digit && visual.find(c) == std::string_view::npos) return Error{ErrorCode::Uri, at + i};
  }
  if (!has_digit) return Error{ErrorCode::Uri, at};
  out.params = Params::from_checked(text.substr(end));
  return check_params(out.params.text(), end);
}

// scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
bool is_scheme(std::string_view text) {
  return !text.empty() && ascii::is_alpha(text[0]) && std::ranges::all_of(text, [](char c) {
    return ascii::is_alnum(c) || c == '+' || c == '-' || c == '.';
  });
}

}  // namespace

Parsed<Uri> parse_uri(std::string_view text, Slack slack) {
  Parsed<Uri> result(std::in_place);
  Uri& uri = *result;
  if (Reader(text, slack).usual_uri(uri, Reader::UriEnd::EndOfText)) return result;
  uri = Uri();
  uri.text = text;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return wrong(ErrorCode::Uri, 0);
  uri.scheme_text = text.substr(0, colon);
  const std::size_t at = colon + 1;
  std::optional<Error> error;
  if (ascii::iequals(uri.scheme_text, "sip")) {
    uri.scheme = Uri::Scheme::Sip;
    error = read_sip(text, at, uri);
  } else if (ascii::iequals(uri.scheme_text, "sips")) {
    uri.scheme = Uri::Scheme::Sips;
    error = read_sip(text, at, uri);
  } else if (ascii::iequals(uri.scheme_text, "tel")) {
    uri.scheme = Uri::Scheme::Tel;
    error = read_tel(text, at, uri);
  } else if (!is_scheme(uri.scheme_text) || at == text.size()) {
    error = Error{ErrorCode::Uri, at == text.size() ? at : 0};
  } else {
    error = check(text.substr(at), chars::Uric, ErrorCode::Uri, at);
  }
  if (error) return std::unexpected(*error);
  return result;
}

void Uri::write(Octets& out) const {
  switch (scheme) {
    case Scheme::Sip:
      out += "sip:";
      break;
    case Scheme::Sips:
      out += "sips:";
      break;
    case Scheme::Tel:
      out.add("tel:", user, params.text());
      return;
    case Scheme::Other:
      out += text;
      return;
  }
  if (has_user) {
    out += user;
    if (password.data() != nullptr) out.add(':', password);
    out += '@';
  }
  write_host(out, host, is_ipv6);
  if (port) {
    out += ':';
    out.add_number(*port);
  }
  out += params.text();
  if (!headers.empty()) out.add('?', headers);
}

std::string unescape(std::string_view text) {
  const auto digit = [](char c) {
    return ascii::is_digit(c) ? c - '0' : ascii::lower(c) - 'a' + 10;
  };
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && ascii::is_hex(text[i + 1]) &&
        ascii::is_hex(text[i + 2])) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string escape_user(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (chars::is(c, chars::User)) {
      out += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += '%';
    out += hex[octet / 16U];
    out += hex[octet % 16U];
  }
  return out;
}

}  // namespace sipassay
