#include "engine/message/sipfrag.h"

#include <algorithm>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/parse.h"

namespace sipassay {

namespace {

constexpr std::string_view stand_in = "FRAGMENT sip:none SIP/2.0\r\n";

// A header field begins with a token and a colon; no start line does.
bool begins_with_field(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && ascii::is_token_char(text[at])) ++at;
  const bool has_name = at != 0;
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  return has_name && at < text.size() && text[at] == ':';
}

// The offset of the first value that its type refuses.
template <class H>
void check(const Message& message, const char* begin, std::optional<Error>& first) {
  const auto values = message.all<H>();
  for (auto value = values.begin(); value != values.end(); ++value) {
    if (*value) continue;
    const auto field = message.field(value.position());
    const auto offset =
        static_cast<std::size_t>(field.value.data() - begin) + (*value).error().offset;
    if (!first || offset < first->offset) first = Error{(*value).error().code, offset};
  }
}

std::optional<Error> bad_value(const Message& message) {
  std::optional<Error> first;
  const char* const begin = message.start_line().data();
  AllHeaders::for_each([&]<class H>() { check<H>(message, begin, first); });
  return first;
}

}  // namespace

Parsed<SipFragment> parse_sipfrag(std::string_view text) {
  if (text.empty()) return std::unexpected(Error{ErrorCode::Empty, 0});
  SipFragment out;
  out.has_start_line = !begins_with_field(text);
  const std::size_t shift = out.has_start_line ? 0 : stand_in.size();
  std::string whole(out.has_start_line ? std::string_view{} : stand_in);
  whole += text;
  // RFC 3420 2: without a body the empty line may be left out.
  if (whole.find("\r\n\r\n") == std::string::npos) {
    if (!whole.ends_with("\r\n")) return std::unexpected(Error{ErrorCode::HeaderEnd, text.size()});
    whole += "\r\n";
  }
  const auto at = [&](const Error& error) {
    return Error{error.code, std::min(error.offset - std::min(error.offset, shift), text.size())};
  };
  auto message = parse_message(whole);
  if (!message) return std::unexpected(at(message.error()));
  out.message = std::move(*message);
  if (const auto error = bad_value(out.message)) return std::unexpected(at(*error));
  // RFC 3420 2, RFC 3261 7.4.
  if (!out.message.body().empty() && !out.message.has(HeaderId::ContentType))
    return std::unexpected(Error{ErrorCode::HeaderMissing, text.size()});
  return out;
}

int sipfrag_status(std::string_view text) {
  constexpr std::string_view version = "SIP/2.0 ";
  if (!ascii::istarts_with(text, version) || text.size() < version.size() + 3) return 0;
  const auto code = text.substr(version.size(), 3);
  const auto rest = text.substr(version.size() + 3);
  if (!rest.empty() && rest.front() != ' ' && rest.front() != '\r' && rest.front() != '\n')
    return 0;
  const auto status = ascii::number<int>(code);
  return status && *status >= 100 && *status <= 699 ? *status : 0;
}

std::string make_sipfrag(int status, std::string_view reason) {
  return std::string(Message::response(status, reason).start_line()) + "\r\n";
}

}  // namespace sipassay
