#include "engine/message/header/authentication.h"

#include "engine/base/ascii.h"

namespace sipassay {

bool AuthParams::read(Reader& reader, AuthParams& out) {
  const std::size_t start = reader.offset();
  std::size_t count = 0;
  do {
    std::string_view name, value;
    if (++count > auth_params_max) return reader.fail(ErrorCode::LimitExceeded);
    if (!reader.token(name, ErrorCode::Parameter)) return false;
    if (!reader.take_separator('=')) return reader.fail(ErrorCode::Parameter);
    if (reader.peek() == '"') {
      if (!reader.quoted_string(value)) return false;
    } else if (!reader.token(value, ErrorCode::Parameter)) {
      return false;
    }
  } while (reader.take_separator(','));
  out.text_ = reader.since(start);
  return true;
}

Parsed<AuthParams> AuthParams::parse(std::string_view text) {
  return parse_whole<AuthParams>(text);
}

AuthParams AuthParams::from_checked(std::string_view text) {
  AuthParams out;
  out.text_ = text;
  return out;
}

// The text was checked: name, "=", value, and commas between.
bool AuthParams::next(std::string_view& rest, Param& out) {
  Reader reader(rest);
  while (reader.skip_space() || reader.take(',')) {
  }
  if (reader.is_done()) return false;
  out = Param{};
  if (!reader.token(out.name)) return false;
  out.has_value = reader.take_separator('=');
  if (reader.peek() == '"') {
    if (!reader.quoted_string(out.value)) return false;
  } else {
    out.value = reader.span(chars::Token);
  }
  rest = reader.rest();
  return true;
}

std::optional<Param> AuthParams::find(std::string_view name) const {
  std::string_view rest = text_;
  Param param;
  while (next(rest, param))
    if (ascii::iequals(param.name, name)) return param;
  return std::nullopt;
}

std::string_view AuthParams::value(std::string_view name) const {
  const auto param = find(name);
  if (!param) return {};
  const std::string_view value = param->value;
  if (value.size() >= 2 && value.front() == '"') return value.substr(1, value.size() - 2);
  return value;
}

bool detail::read_scheme_and_params(Reader& reader, std::string_view& scheme, AuthParams& params) {
  if (!reader.token(scheme)) return false;
  if (!reader.skip_space()) return reader.fail(ErrorCode::HeaderValue);
  return AuthParams::read(reader, params);
}

}  // namespace sipassay
