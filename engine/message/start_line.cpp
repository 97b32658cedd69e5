#include "engine/message/start_line.h"

#include "engine/base/ascii.h"
#include "engine/message/message.h"

namespace sipassay {

namespace {

void wrong(StartLine& out, ErrorCode code, std::size_t offset) {
  if (!out.error) out.error = Error{code, offset};
}

// SIP-Version = "SIP" "/" 1*DIGIT "." 1*DIGIT (RFC 3261 25.1), any case (7.1).
bool is_version(std::string_view text) {
  if (!ascii::istarts_with(text, "SIP/")) return false;
  text.remove_prefix(4);
  const std::size_t dot = text.find('.');
  if (dot == 0 || dot == std::string_view::npos || dot + 1 == text.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (i != dot && !ascii::is_digit(text[i])) return false;
  return true;
}

void check_version(StartLine& out, std::string_view text, std::size_t offset) {
  if (ascii::iequals(text, "SIP/2.0")) return;
  wrong(out, is_version(text) ? ErrorCode::Version : ErrorCode::StartLine, offset);
}

// SIP-Version SP Status-Code SP Reason-Phrase
void read_status_line(StartLine& out, std::string_view line) {
  out.is_request = false;
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return wrong(out, ErrorCode::StartLine, line.size());
  check_version(out, line.substr(0, space), 0);
  const std::size_t code_at = space + 1;
  std::size_t end = code_at;
  while (end < line.size() && ascii::is_digit(line[end])) ++end;
  const auto status = ascii::number<int>(line.substr(code_at, end - code_at));
  if (end - code_at != 3 || !status || *status < 100 || *status > 699)
    wrong(out, ErrorCode::StatusCode, code_at);
  else
    out.status = *status;
  if (end == line.size() || line[end] != ' ') return wrong(out, ErrorCode::StartLine, end);
  out.reason = line.substr(end + 1);
}

// Method SP Request-URI SP SIP-Version
void read_request_line(StartLine& out, std::string_view line) {
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos) return wrong(out, ErrorCode::StartLine, line.size());
  out.method = line.substr(0, first);
  if (!ascii::is_token(out.method)) wrong(out, ErrorCode::Method, 0);
  std::string_view trimmed = line;
  while (trimmed.ends_with(' ')) trimmed.remove_suffix(1);
  const std::size_t last = trimmed.rfind(' ');
  if (last == std::string_view::npos || last == first)
    return wrong(out, ErrorCode::StartLine, trimmed.size());
  const std::string_view between = line.substr(first + 1, last - first - 1);
  out.uri = ascii::trim(between);
  if (out.uri.empty()) return wrong(out, ErrorCode::RequestUri, first + 1);
  // RFC 4475 3.1.2.9: single SP between the elements.
  if (out.uri.size() != between.size()) wrong(out, ErrorCode::StartLine, first + 1);
  const std::size_t bad = out.uri.find_first_of(" \t\r\n<>");
  if (bad != std::string_view::npos)
    wrong(out, ErrorCode::RequestUri, static_cast<std::size_t>(out.uri.data() - line.data()) + bad);
  check_version(out, trimmed.substr(last + 1), last + 1);
  if (trimmed.size() != line.size()) wrong(out, ErrorCode::StartLine, trimmed.size());
}

}  // namespace

StartLine read_start_line(std::string_view line) {
  StartLine out;
  if (ascii::istarts_with(line, "SIP/"))
    read_status_line(out, line);
  else
    read_request_line(out, line);
  return out;
}

}  // namespace sipassay
