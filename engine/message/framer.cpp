#include "engine/message/framer.h"

#include <algorithm>

#include "engine/base/ascii.h"
#include "engine/message/chars.h"
#include "engine/message/parse.h"

namespace sipassay {

namespace {

// The value of Content-Length in a header section (from the start line to the empty line, whose
// last octets are CRLF CRLF): RFC 3261 18.3.
std::expected<std::uint32_t, Error> content_length(std::string_view section) {
  std::optional<std::uint32_t> length;
  std::size_t at = section.find("\r\n") + 2;
  while (at < section.size()) {
    std::size_t end = section.find("\r\n", at);
    while (end + 2 < section.size() && end != at &&
           (section[end + 2] == ' ' || section[end + 2] == '\t'))
      end = section.find("\r\n", end + 2);
    if (end == std::string_view::npos) break;
    const std::string_view line = section.substr(at, end - at);
    std::size_t name_end = 0;
    while (name_end < line.size() && chars::is(line[name_end], chars::Token)) ++name_end;
    std::size_t colon = name_end;
    while (colon < line.size() && (line[colon] == ' ' || line[colon] == '\t')) ++colon;
    if (colon < line.size() && line[colon] == ':' &&
        header_id_from(line.substr(0, name_end)) == HeaderId::ContentLength) {
      if (length) return std::unexpected(Error{ErrorCode::HeaderRepeated, at});
      length = ascii::number<std::uint32_t>(ascii::trim(line.substr(colon + 1)));
      if (!length) return std::unexpected(Error{ErrorCode::Number, at + colon + 1});
    }
    at = end + 2;
  }
  if (!length) return std::unexpected(Error{ErrorCode::HeaderMissing, section.size()});
  return *length;
}

}  // namespace

void Framer::feed(std::string_view octets) {
  if (is_broken_) return;
  if (read_ != 0 && (read_ == buffer_.size() || read_ > message_octets_max)) {
    buffer_.erase(0, read_);
    read_ = 0;
  }
  buffer_ += octets;
}

std::optional<Framer::Frame> Framer::next() {
  if (is_broken_) return std::nullopt;
  const std::string_view rest = std::string_view(buffer_).substr(read_);
  if (rest.starts_with("\r\n")) {
    if (rest.size() < 4 && std::string_view("\r\n\r\n").starts_with(rest)) return std::nullopt;
    const bool is_ping = rest.starts_with("\r\n\r\n");
    read_ += is_ping ? 4 : 2;
    return is_ping ? Frame(Ping{}) : Frame(Pong{});
  }
  const auto length = message_length();
  if (!length) return break_with(length.error());
  if (!*length) return std::nullopt;
  const std::string_view octets = rest.substr(0, **length);
  read_ += octets.size();
  scanned_ = 0;
  auto message = parse_message(octets);
  if (!message) return Garbage{message.error(), std::string(octets)};
  return *std::move(message);
}

std::expected<std::optional<std::size_t>, Error> Framer::message_length() {
  const std::string_view rest = std::string_view(buffer_).substr(read_);
  constexpr std::string_view end_mark = "\r\n\r\n";
  const std::size_t end = rest.find(end_mark, scanned_);
  if (std::min(end, rest.size()) > message_octets_max)
    return std::unexpected(Error{ErrorCode::LimitExceeded, message_octets_max});
  if (end == std::string_view::npos) {
    scanned_ = rest.size() < end_mark.size() ? 0 : rest.size() - end_mark.size() + 1;
    return std::nullopt;
  }
  scanned_ = end;
  const std::size_t section = end + end_mark.size();
  const auto body = content_length(rest.substr(0, section));
  if (!body) return std::unexpected(body.error());
  if (section + *body > message_octets_max)
    return std::unexpected(Error{ErrorCode::LimitExceeded, message_octets_max});
  if (section + *body > rest.size()) return std::nullopt;
  return section + *body;
}

Framer::Frame Framer::break_with(Error error) {
  is_broken_ = true;
  Broken broken{error, buffer_.substr(read_, message_octets_max)};
  buffer_.clear();
  read_ = 0;
  return broken;
}

}  // namespace sipassay
