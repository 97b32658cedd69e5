#include "engine/message/params.h"

#include "engine/base/ascii.h"
#include "engine/message/reader.h"

namespace sipassay {

Parsed<Params> Params::parse(std::string_view text) {
  Reader reader(text);
  Parsed<Params> out(std::in_place);
  if (!reader.params(*out)) return std::unexpected(reader.error());
  reader.skip_space();
  if (!reader.is_done()) return std::unexpected(Error{ErrorCode::Parameter, reader.offset()});
  return out;
}

// The text was checked: quoted strings end, and ";" stands before every parameter.
Params::Iterator& Params::Iterator::operator++() {
  const char* at = rest_.data();
  const char* const end = at + rest_.size();
  while (at != end && (*at == ';' || chars::is(*at, chars::Space))) ++at;
  if (at == end) {
    is_end_ = true;
    return *this;
  }
  const char* const name = at;
  while (at != end && *at != '=' && *at != ';' && !chars::is(*at, chars::Space)) ++at;
  param_ = Param{{name, static_cast<std::size_t>(at - name)}, {}, false};
  const char* after = at;
  while (after != end && chars::is(*after, chars::Space)) ++after;
  if (after != end && *after == '=') {
    at = after + 1;
    while (at != end && chars::is(*at, chars::Space)) ++at;
    const char* const value = at;
    if (at != end && *at == '"') {
      ++at;
      while (at != end && *at != '"') at += *at == '\\' && at + 1 != end ? 2 : 1;
      if (at != end) ++at;
    } else {
      while (at != end && *at != ';' && !chars::is(*at, chars::Space)) ++at;
    }
    param_.value = {value, static_cast<std::size_t>(at - value)};
    param_.has_value = true;
  }
  rest_ = {at, static_cast<std::size_t>(end - at)};
  return *this;
}

std::optional<Param> Params::find(std::string_view name) const {
  for (const Param& param : *this)
    if (ascii::iequals(param.name, name)) return param;
  return std::nullopt;
}

std::string_view Params::value(std::string_view name) const {
  const auto param = find(name);
  if (!param) return {};
  const std::string_view value = param->value;
  if (value.size() >= 2 && value.front() == '"' && value.find('\\') == std::string_view::npos)
    return value.substr(1, value.size() - 2);
  return value;
}

std::string unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  text = text.substr(1, text.size() - 2);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
  return out;
}

}  // namespace sipassay
