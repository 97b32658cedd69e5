#include "engine/message/parse.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/base/ascii.h"
#include "engine/message/chars.h"
#include "engine/message/line_index.h"
#include "engine/message/scan.h"
#include "engine/message/start_line.h"

namespace sipassay {

// Reads one message's octets into a Message; goes on after an error and keeps the first.
class MessageParser {
 public:
  MessageParser(std::string_view octets, Message& into) : into_(into) {
    into_.forget_parts();
    is_too_large_ = octets.size() > message_octets_max;
    if (is_too_large_) octets = {};
    const auto fill = [octets](char* at, std::size_t size) {
      std::fill_n(std::copy_n(octets.data(), octets.size(), at), slack_octets, '\0');
      return size;
    };
    into_.arena_.resize_and_overwrite(octets.size() + slack_octets, fill);
    text_ = std::string_view(into_.arena_).substr(0, octets.size());
  }

  // The way of nearly every message: false when something is unusual; then run() looks closer.
  bool run_fast() {
    if (text_.empty() || !index_lines(text_.data(), text_.size(), index_)) return false;
    if (!read_usual_start_line()) return false;
    if (index_.count - 2 > header_lines_max || !read_usual_fields()) return false;
    at_ = index_.ends[index_.count - 1] + 1;
    into_.index_fields();
    read_body();
    if (error_) return false;
    into_.received_ = span(0, at_);
    into_.is_received_ = true;
    return true;
  }

  void restart() {
    const std::string_view octets = text_;
    into_.forget_parts();
    text_ = octets;
    at_ = 0;
    error_.reset();
  }

  [[gnu::noinline]] std::optional<Error> run() {
    into_.fields_.clear();
    if (is_too_large_) return Error{ErrorCode::LimitExceeded, message_octets_max};
    if (text_.empty()) return Error{ErrorCode::Empty, 0};
    // RFC 3261 7.5: empty lines before the start line are ignored.
    while (text_.substr(at_).starts_with("\r\n")) at_ += 2;
    if (at_ == text_.size()) return Error{ErrorCode::Empty, at_};
    into_.received_ = span(at_, at_);
    const bool has_lines = read_start_line_of_message();
    if (has_lines) read_fields();
    into_.index_fields();
    read_body();
    into_.received_ = span(into_.received_.offset, at_);
    into_.is_received_ = true;
    return error_;
  }

 private:
  using Span = Message::Span;

  static Span span(std::size_t begin, std::size_t end) {
    return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin)};
  }
  Span span(std::string_view part) const {
    if (part.data() == nullptr) return {};
    const auto begin = static_cast<std::size_t>(part.data() - text_.data());
    return span(begin, begin + part.size());
  }
  void wrong(ErrorCode code, std::size_t offset) {
    if (!error_) error_ = Error{code, offset};
  }
  static bool is_fold(char c) { return c == ' ' || c == '\t'; }

  // Method SP Request-URI SP "SIP/2.0", or "SIP/2.0" SP 3DIGIT SP Reason-Phrase, and nothing odd.
  bool read_usual_start_line() {
    constexpr std::string_view version = "SIP/2.0";
    const std::string_view line = text_.substr(0, index_.ends[0] - 1);
    into_.start_line_ = span(0, line.size());
    if (line.size() < 12) return false;
    if (std::memcmp(line.data(), version.data(), version.size()) == 0)
      return read_usual_status_line(line);
    const std::size_t method_end = behind(0, line.size(), chars::Token);
    const std::size_t uri_end = line.size() - version.size() - 1;
    if (method_end == 0 || method_end + 1 >= uri_end || line[method_end] != ' ' ||
        line[uri_end] != ' ' ||
        std::memcmp(&line[uri_end + 1], version.data(), version.size()) != 0)
      return false;
    for (std::size_t at = method_end + 1; at < uri_end; at += scan::block)
      if (at + scan::run(scan::no_delimiter(&text_[at])) < std::min(at + scan::block, uri_end))
        return false;
    into_.is_request_ = true;
    into_.method_text_ = span(0, method_end);
    into_.method_ = method_from(line.substr(0, method_end));
    into_.uri_ = span(method_end + 1, uri_end);
    return true;
  }

  bool read_usual_status_line(std::string_view line) {
    const auto digit = [line](std::size_t i) { return line[i] - '0'; };
    if (line[7] != ' ' || line[11] != ' ' || line[8] < '1' || line[8] > '6' ||
        !ascii::is_digit(line[9]) || !ascii::is_digit(line[10]))
      return false;
    into_.is_request_ = false;
    into_.status_ = digit(8) * 100 + digit(9) * 10 + digit(10);
    into_.reason_ = span(12, line.size());
    return true;
  }

  // The lines between the start line and the empty line; one that begins with white space goes on
  // with the one before.
  bool read_usual_fields() {
    // Only lines more than the message held before are made anew.
    into_.fields_.resize(index_.count - 2);
    Message::Field* field = into_.fields_.data();
    std::uint32_t start = index_.ends[0] + 1;
    for (std::size_t line = 1; line + 1 < index_.count; ++line) {
      const std::uint32_t behind_line = index_.ends[line] + 1;
      if (is_fold(text_[behind_line])) continue;
      if (!read_usual_field(start, behind_line, *field++)) return false;
      start = behind_line;
    }
    into_.fields_.resize(static_cast<std::size_t>(field - into_.fields_.data()));
    return true;
  }

  // A name directly followed by its colon.
  bool read_usual_field(std::uint32_t start, std::uint32_t behind_line, Message::Field& field) {
    const char* const text = text_.data();
    const char* const line = text + start;
    const std::uint32_t end = behind_line - 2;
    const auto size = static_cast<std::uint32_t>(
        std::countr_zero(scan::both(scan::equal(line, ':'), scan::equal(line + scan::block, ':'))));
    static_assert(2 * scan::block == header_name_max + 1);
    if (size == 0 || size > header_name_max || start + size >= end) return false;
    const HeaderId id = header_id_from_padded({line, size});
    if (id == HeaderId::Other && behind(start, start + size, chars::Token) != start + size)
      return false;
    std::uint32_t value = start + size + 1;
    while (value < end && chars::is(text[value], chars::Space)) ++value;
    std::uint32_t value_end = end;
    while (value_end > value && chars::is(text[value_end - 1], chars::Space)) --value_end;
    field.id = id;
    field.is_raw = false;
    field.line = {start, behind_line - start};
    field.name = {start, size};
    field.value = {value, value_end - value};
    return true;
  }

  std::size_t behind(std::size_t at, std::size_t end, unsigned classes) const {
    const char* const text = text_.data();
    return static_cast<std::size_t>(scan::behind(text + at, text + end, classes) - text);
  }

  // End of the line that begins at at_, without its line end; at_ moves behind it. Nothing at the
  // end of the octets. Folds belong to the line when `may_fold`.
  std::optional<std::size_t> take_line(bool may_fold) {
    if (at_ == text_.size()) return std::nullopt;
    std::size_t from = at_;
    for (;;) {
      const std::size_t lf = text_.find('\n', from);
      const std::size_t stop = std::min(lf, text_.size());
      const std::size_t cr = text_.substr(0, stop).find('\r', from);
      if (lf == std::string_view::npos) {
        wrong(ErrorCode::HeaderEnd, text_.size());
        at_ = text_.size();
        return at_;
      }
      const bool has_cr = lf > from && text_[lf - 1] == '\r';
      if (!has_cr) wrong(ErrorCode::HeaderValue, lf);  // LF without CR
      if (cr != std::string_view::npos && cr + 1 != lf) wrong(ErrorCode::HeaderValue, cr);
      const std::size_t end = has_cr ? lf - 1 : lf;
      const bool is_folded = may_fold && lf + 1 < text_.size() && end != at_ &&
                             (text_[lf + 1] == ' ' || text_[lf + 1] == '\t');
      from = lf + 1;
      if (is_folded) continue;
      at_ = from;
      return end;
    }
  }

  bool read_start_line_of_message() {
    const std::size_t start = at_;
    const auto end = take_line(false);
    const std::string_view line = text_.substr(start, end.value_or(start) - start);
    const bool is_closed = at_ > start && text_[at_ - 1] == '\n';
    if (!is_closed) error_.reset();  // that it is no start line says more
    const StartLine parts = read_start_line(line);
    into_.start_line_ = span(line);
    into_.is_request_ = parts.is_request;
    into_.method_text_ = span(parts.method);
    into_.method_ = method_from(parts.method);
    into_.uri_ = span(parts.uri);
    into_.status_ = parts.status;
    into_.reason_ = span(parts.reason);
    if (parts.error) wrong(parts.error->code, start + parts.error->offset);
    if (!is_closed) wrong(ErrorCode::HeaderEnd, text_.size());
    return is_closed;
  }

  void read_fields() {
    for (;;) {
      const std::size_t start = at_;
      const auto end = take_line(true);
      if (!end) return wrong(ErrorCode::HeaderEnd, text_.size());
      if (*end == start && at_ != start) return;  // the empty line
      if (into_.fields_.size() == header_lines_max) {
        wrong(ErrorCode::LimitExceeded, start);
        at_ = text_.size();
        return;
      }
      add_field(start, *end);
      if (text_[at_ - 1] != '\n') return;
    }
  }

  // header-name HCOLON header-value; a line of another shape is kept without a name.
  void add_field(std::size_t start, std::size_t end) {
    Message::Field field;
    field.line = span(start, at_);
    std::size_t at = start;
    while (at < end && chars::is(text_[at], chars::Token)) ++at;
    const std::size_t name_end = at;
    while (at < end && (text_[at] == ' ' || text_[at] == '\t')) ++at;
    if (name_end == start || at == end || text_[at] != ':') {
      wrong(ErrorCode::HeaderName, at);
      field.is_raw = true;
      field.value = span(start, end);
    } else {
      field.name = span(start, name_end);
      field.id = header_id_from(text_.substr(start, name_end - start));
      ++at;
      while (at < end && chars::is(text_[at], chars::Space)) ++at;
      while (end > at && chars::is(text_[end - 1], chars::Space)) --end;
      field.value = span(at, end);
    }
    into_.fields_.push_back(field);
  }

  // RFC 3261 18.3: Content-Length cuts a datagram; without one the body is the rest of it.
  void read_body() {
    const std::size_t available = text_.size() - at_;
    std::size_t length = available;
    const auto line = into_.first_[static_cast<std::size_t>(HeaderId::ContentLength)];
    if (line != Message::none) {
      const Message::Field& field = into_.fields_[line];
      const auto value = number(into_.view(field.value));
      if (field.next != Message::none)
        wrong(ErrorCode::HeaderRepeated, into_.fields_[field.next].line.offset);
      else if (!value)
        wrong(ErrorCode::Number, field.value.offset);
      else if (*value > available)
        wrong(ErrorCode::ContentLength, field.value.offset);
      else
        length = *value;
    }
    into_.body_ = span(at_, at_ + length);
    into_.surplus_ = available - length;
    at_ += length;
  }

  static std::optional<std::uint32_t> number(std::string_view text) {
    const scan::Number usual = scan::number(text.data(), text.data() + text.size());
    if (usual.size == text.size() && usual.size != 0) return usual.value;
    return ascii::number<std::uint32_t>(text);
  }

  Message& into_;
  std::string_view text_;
  bool is_too_large_ = false;
  std::size_t at_ = 0;
  std::optional<Error> error_;
  LineIndex index_;
};

std::expected<void, Error> parse_message(std::string_view octets, Message& into) {
  MessageParser parser(octets, into);
  if (parser.run_fast()) return {};
  parser.restart();
  if (const auto error = parser.run()) return std::unexpected(*error);
  return {};
}

std::expected<void, Error> parse_message_closely(std::string_view octets, Message& into) {
  if (const auto error = MessageParser(octets, into).run()) return std::unexpected(*error);
  return {};
}

Parsed<Message> parse_message(std::string_view octets) {
  Parsed<Message> out(std::in_place);
  if (const auto result = parse_message(octets, *out); !result)
    out = std::unexpected(result.error());
  return out;
}

}  // namespace sipassay
