#include "engine/runner/values.h"

#include <algorithm>
#include <array>

#include "engine/base/ascii.h"
#include "engine/message/header_id.h"
#include "engine/message/params.h"
#include "engine/message/uri.h"

namespace sipassay::runner {
namespace {

// Line ends and the blanks around them become one space (RFC 3261 7.3.1).
std::string unfold(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' && text[i] != '\n') {
      out.push_back(text[i]);
      continue;
    }
    while (!out.empty() && ascii::is_space(out.back())) out.pop_back();
    while (i + 1 < text.size() && ascii::is_space(text[i + 1])) ++i;
    out.push_back(' ');
  }
  return out;
}

// Pieces between separators that stand outside quotes and angle brackets.
std::vector<std::string_view> split_outside(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  bool in_quotes = false;
  bool in_brackets = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_quotes) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_quotes = false;
    } else if (c == '"') {
      in_quotes = true;
    } else if (c == '<') {
      in_brackets = true;
    } else if (c == '>') {
      in_brackets = false;
    } else if (c == separator && !in_brackets) {
      out.push_back(ascii::trim(text.substr(start, i - start)));
      start = i + 1;
    }
  }
  out.push_back(ascii::trim(text.substr(std::min(start, text.size()))));
  return out;
}

bool is_challenge(HeaderId id) {
  return id == HeaderId::WwwAuthenticate || id == HeaderId::ProxyAuthenticate ||
         id == HeaderId::Authorization || id == HeaderId::ProxyAuthorization ||
         id == HeaderId::AuthenticationInfo;
}

std::optional<std::string> find_param(const std::vector<std::string_view>& pieces,
                                      std::size_t first, std::string_view param) {
  for (std::size_t i = first; i < pieces.size(); ++i) {
    const auto equals = pieces[i].find('=');
    const auto name = ascii::trim(pieces[i].substr(0, equals));
    if (!ascii::iequals(name, param)) continue;
    if (equals == std::string_view::npos) return std::string();
    return unquote(ascii::trim(pieces[i].substr(equals + 1)));
  }
  return std::nullopt;
}

std::optional<std::string> uri_part(std::string_view text, std::string_view part) {
  const auto uri = parse_uri(text);
  if (!uri) return std::nullopt;
  if (part == "user") return uri->has_user ? std::optional(std::string(uri->user)) : std::nullopt;
  if (part == "host") return std::string(uri->host);
  if (part == "scheme") return std::string(uri->scheme_text);
  if (part == "port") return uri->port ? std::optional(std::to_string(*uri->port)) : std::nullopt;
  if (const auto param = uri->params.find(part)) return std::string(param->value);
  return std::nullopt;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t i = 0;
  while (i < text.size()) {
    while (i < text.size() && ascii::is_space(text[i])) ++i;
    const auto start = i;
    while (i < text.size() && !ascii::is_space(text[i])) ++i;
    if (i > start) out.push_back(text.substr(start, i - start));
  }
  return out;
}

std::optional<std::string> via_part(std::string_view value, std::string_view part) {
  const auto pieces = split_outside(value, ';');
  const auto parts = words(pieces.front());
  if (parts.size() < 2) return std::nullopt;
  const auto protocol = parts.front();
  const auto sent_by = parts.back();
  if (part == "transport") return std::string(protocol.substr(protocol.rfind('/') + 1));
  if (part == "sent-by") return std::string(sent_by);
  const auto bracket = sent_by.find(']');
  const auto colon = sent_by.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (part == "host") return std::string(sent_by.substr(0, colon));
  if (part == "port" && colon != std::string_view::npos)
    return std::string(sent_by.substr(colon + 1));
  return std::nullopt;
}

std::optional<std::string> word_at(const std::vector<std::string_view>& list,
                                   std::size_t position) {
  if (position >= list.size()) return std::nullopt;
  return std::string(list[position]);
}

bool has_sdp_type(std::string_view content_type) {
  return ascii::iequals(value_token(content_type), "application/sdp");
}

// The first application/sdp part of a multipart body (RFC 2046 5.1).
std::optional<std::string> sdp_part(std::string_view body, std::string_view boundary) {
  const std::string delimiter = "--" + std::string(boundary);
  std::size_t at = body.find(delimiter);
  while (at != std::string_view::npos) {
    const auto line_end = body.find("\r\n", at);
    const auto next = body.find("\r\n" + delimiter, at + delimiter.size());
    if (line_end == std::string_view::npos || next == std::string_view::npos) return std::nullopt;
    const auto part = body.substr(line_end + 2, next - line_end - 2);
    const auto header_end = part.find("\r\n\r\n");
    if (header_end != std::string_view::npos) {
      const auto header = part.substr(0, header_end);
      std::size_t line = 0;
      while (line < header.size()) {
        const auto end = std::min(header.find("\r\n", line), header.size());
        const auto text = header.substr(line, end - line);
        if (ascii::istarts_with(text, "content-type:") &&
            has_sdp_type(ascii::trim(text.substr(13))))
          return std::string(part.substr(header_end + 4));
        line = end + 2;
      }
    }
    at = next + 2;
  }
  return std::nullopt;
}

}  // namespace

std::size_t header_lines(const Message& message, std::string_view name) {
  std::size_t count = 0;
  const auto id = header_id_from(name);
  for (std::size_t i = 0; i < message.field_count(); ++i) {
    const auto field = message.field(i);
    if (id != HeaderId::Other ? field.id == id
                              : field.id == HeaderId::Other && ascii::iequals(field.name, name))
      ++count;
  }
  return count;
}

std::vector<std::string> header_values(const Message& message, std::string_view name) {
  std::vector<std::string> out;
  const auto id = header_id_from(name);
  for (std::size_t i = 0; i < message.field_count(); ++i) {
    const auto field = message.field(i);
    if (id != HeaderId::Other ? field.id != id
                              : field.id != HeaderId::Other || !ascii::iequals(field.name, name))
      continue;
    const std::string value = unfold(field.value);
    if (id == HeaderId::Other || !is_list(id) || is_challenge(id)) {
      out.push_back(value);
      continue;
    }
    for (const auto piece : split_outside(value, ','))
      if (!piece.empty()) out.emplace_back(piece);
  }
  return out;
}

std::string value_token(std::string_view value) {
  const std::string_view token = split_outside(value, ';').front();
  return std::string(ascii::trim(split_outside(token, '(').front()));
}

std::string uri_of(std::string_view value) {
  const auto pieces = split_outside(value, ';');
  const auto head = pieces.front();
  bool in_quotes = false;
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (in_quotes && head[i] == '\\')
      ++i;
    else if (head[i] == '"')
      in_quotes = !in_quotes;
    else if (head[i] == '<' && !in_quotes) {
      const auto end = value.find('>', i);
      return std::string(value.substr(i + 1, end == std::string_view::npos ? end : end - i - 1));
    }
  }
  return std::string(head);
}

std::optional<std::string> value_param(std::string_view name, std::string_view value,
                                       std::string_view param) {
  if (is_challenge(header_id_from(name))) {
    const auto blank = header_id_from(name) == HeaderId::AuthenticationInfo ? 0 : value.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    return find_param(split_outside(value.substr(blank), ','), 0, param);
  }
  return find_param(split_outside(value, ';'), 1, param);
}

std::optional<std::string> value_part(std::string_view name, std::string_view value,
                                      std::string_view part) {
  const auto id = header_id_from(name);
  if (part.empty()) return std::string(value);
  if (id == HeaderId::Via)
    if (auto found = via_part(value, part)) return found;
  if (part == "uri") return uri_of(value);
  if (part == "token") return value_token(value);
  if (part == "display") {
    const auto bracket = value.find('<');
    if (bracket == std::string_view::npos) return std::nullopt;
    const auto text = ascii::trim(value.substr(0, value.rfind('<')));
    if (text.empty()) return std::nullopt;
    return unquote(text);
  }
  if (id == HeaderId::CSeq || id == HeaderId::RAck) {
    const auto parts = words(value);
    if (part == "method") return word_at(parts, id == HeaderId::CSeq ? 1 : 2);
    if (part == "number" || part == "rseq") return word_at(parts, 0);
    if (part == "cseq") return word_at(parts, 1);
  }
  if (part == "number") {
    std::size_t digits = 0;
    while (digits < value.size() && ascii::is_digit(value[digits])) ++digits;
    return digits == 0 ? std::nullopt : std::optional(std::string(value.substr(0, digits)));
  }
  if (part == "scheme" && is_challenge(id)) return std::string(value.substr(0, value.find(' ')));
  if (part == "type" || part == "subtype") {
    const auto token = value_token(value);
    const auto slash = token.find('/');
    if (slash == std::string::npos) return std::nullopt;
    return std::string(ascii::trim(part == "type" ? std::string_view(token).substr(0, slash)
                                                  : std::string_view(token).substr(slash + 1)));
  }
  constexpr std::array<std::string_view, 4> of_uri{"user", "host", "port", "scheme"};
  if (std::ranges::find(of_uri, part) != of_uri.end())
    if (auto found = uri_part(uri_of(value), part)) return found;
  if (part.starts_with("uri.")) return uri_part(uri_of(value), part.substr(4));
  return value_param(name, value, part);
}

std::optional<std::string> message_value(const Message& message, std::string_view path) {
  if (path == "start-line") return std::string(message.start_line());
  if (path == "method") {
    if (message.is_request()) return std::string(message.method_text());
    return message_value(message, "cseq.method");
  }
  if (path == "request-uri")
    return message.is_request() ? std::optional(std::string(message.request_uri())) : std::nullopt;
  if (path.starts_with("request-uri.")) return uri_part(message.request_uri(), path.substr(12));
  if (path == "status")
    return message.is_response() ? std::optional(std::to_string(message.status())) : std::nullopt;
  if (path == "reason" && message.is_response()) return std::string(message.reason());
  if (path == "body") return std::string(message.body());
  if (path == "sdp") return sdp_of(message);
  if (path == "branch") return message_value(message, "via.branch");
  const auto dot = path.find('.');
  const auto name = path.substr(0, dot);
  const auto values = header_values(message, name);
  if (values.empty()) return std::nullopt;
  if (dot == std::string_view::npos) return values.front();
  return value_part(name, values.front(), path.substr(dot + 1));
}

std::optional<std::string> sdp_of(const Message& message) {
  const auto types = header_values(message, "Content-Type");
  if (types.empty() || message.body().empty()) return std::nullopt;
  if (has_sdp_type(types.front())) return std::string(message.body());
  if (!ascii::istarts_with(types.front(), "multipart/")) return std::nullopt;
  const auto boundary = value_param("Content-Type", types.front(), "boundary");
  if (!boundary || boundary->empty()) return std::nullopt;
  return sdp_part(message.body(), *boundary);
}

}  // namespace sipassay::runner
