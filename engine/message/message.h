// A SIP message: raw lines in order, typed values on demand, edits that leave the rest untouched.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/message/header_id.h"
#include "engine/message/method.h"
#include "engine/message/slack.h"
#include "engine/message/uri.h"

namespace sipassay {

// Limits of this implementation; one more is Error{LimitExceeded}.
inline constexpr std::size_t message_octets_max = 1U << 18U;  // 256 KiB, start line to end of body
inline constexpr std::size_t header_lines_max = 4096;
// Edits may go beyond header_lines_max (a tester must be able to send too many); lines beyond this
// are not added.
inline constexpr std::size_t edited_lines_max = 65'000;

// One header field of a message, by position.
struct HeaderField {
  HeaderId id = HeaderId::Other;
  std::string_view name;   // as written
  std::string_view value;  // as written, without the LWS around it; folds inside are kept
};

// Every value of a header; message_typed.h.
template <class H>
class Values;

// Owns its octets. A received message serialises to exactly the octets received; after an edit only
// the edited lines differ. Views returned by it live until the next edit, move or destruction.
// Not thread-safe. Drivers and the agent pass it by value or const reference.
class Message {
 public:
  Message() = default;
  // A request "METHOD uri SIP/2.0" or a response "SIP/2.0 status reason" with no header fields.
  static Message request(std::string_view method, std::string_view uri);
  static Message response(int status, std::string_view reason = {});  // reason: default phrase

  // --- start line
  bool is_request() const { return is_request_; }
  bool is_response() const { return !is_request_; }
  std::string_view start_line() const;  // without its line end
  Method method() const { return method_; }
  std::string_view method_text() const;
  std::string_view request_uri() const;
  // The Request-URI as a value.
  Parsed<Uri> target() const { return parse_uri(request_uri(), slack(uri_)); }
  int status() const { return status_; }  // 0 for a request
  std::string_view reason() const;
  Message& set_request_uri(std::string_view uri);
  Message& set_start_line(std::string_view line);  // any octets; kept as they are

  // --- header fields
  std::size_t field_count() const { return fields_.size(); }
  HeaderField field(std::size_t position) const;
  HeaderId field_id(std::size_t position) const { return fields_[position].id; }
  bool has(HeaderId id) const { return first_[static_cast<std::size_t>(id)] != none; }
  // Lines, not values of a comma list.
  std::size_t line_count(HeaderId id) const;
  // First line's raw value; empty when absent. `name` finds fields that have no id, without case.
  std::string_view raw(HeaderId id) const;
  std::string_view raw(std::string_view name) const;
  // Position of the nth line with that id (0 = first).
  std::optional<std::size_t> find(HeaderId id, std::size_t nth = 0) const;
  std::optional<std::size_t> find(std::string_view name, std::size_t nth = 0) const;

  // --- typed values; H is a type of engine/message/header/all.h
  // The one value of a header: absent is HeaderMissing, several is HeaderRepeated for single-valued
  // headers; for lists the first value.
  template <class H>
  Parsed<H> get() const;
  // The value if it is present and well-formed.
  template <class H>
  std::optional<H> maybe() const {
    auto value = get<H>();
    return value ? std::optional<H>(*value) : std::nullopt;
  }
  // Every value of a list header in order, over lines and commas; each is a Parsed<H>.
  template <class H>
  Values<H> all() const;

  // --- edits (raw: any octets, nothing is checked)
  Message& add(std::string_view name, std::string_view value);  // at the end
  Message& insert(std::size_t position, std::string_view name, std::string_view value);
  Message& set(std::string_view name,
               std::string_view value);  // replaces all lines of that name, or adds
  Message& set_value(std::size_t position, std::string_view value);
  Message& remove(std::string_view name);  // long, compact or unknown name
  Message& remove(std::size_t position);
  Message& rename(std::size_t position, std::string_view name);  // compact forms, odd case
  // A line without any interpretation, without its line end.
  Message& add_raw_line(std::string_view line);
  Message& add(HeaderId id, std::string_view value) { return add(header_name(id), value); }
  Message& set(HeaderId id, std::string_view value) { return set(header_name(id), value); }
  Message& remove(HeaderId id) { return remove(header_name(id)); }
  template <class H>
  Message& add(const H& value);
  template <class H>
  Message& set(const H& value);

  // --- body
  std::string_view body() const;
  // Replaces the body, Content-Type and Content-Length; an empty type removes Content-Type.
  Message& set_body(std::string_view content_type, std::string_view body);
  // Only the octets after the empty line; Content-Length stays as it is.
  Message& set_raw_body(std::string_view body);

  // --- octets
  std::string to_string() const;
  void append_to(std::string& out) const;
  // Octets received behind a Content-Length shorter than the datagram (RFC 3261 18.3: ignored).
  std::size_t surplus_octets() const { return surplus_; }

 private:
  friend class MessageParser;
  template <class H>
  friend class Values;
  static constexpr std::uint16_t none = 0xffff;
  struct Span {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
  };
  struct Field {
    HeaderId id = HeaderId::Other;
    bool is_raw = false;        // no name: add_raw_line, or a received line without a colon
    std::uint16_t next = none;  // next line with the same id; raw lines are in no chain
    Span line;                  // the whole line with its line end
    Span name;
    Span value;
  };

  std::string_view view(Span span) const { return {arena_.data() + span.offset, span.length}; }
  Slack slack(Span span) const {
    return Slack{span.offset + span.length + slack_octets <= arena_.size()};
  }
  bool is_alias(std::string_view text) const;
  Span store(std::string_view text);
  Field make_field(std::string_view name, std::string_view value);
  Field make_raw_field(std::string_view line);
  void set_field(std::size_t position, const Field& field);
  bool is_named(const Field& field, HeaderId id, std::string_view name) const;
  void index_fields();
  void edited();
  void compact();
  void forget_parts();

  // Received octets and slack_octets zeros, then the text of edits: spans stay valid.
  std::string arena_;
  std::vector<Field> fields_;
  std::array<std::uint16_t, header_id_count> first_ = filled();  // first line of each id
  Span start_line_, method_text_, uri_, reason_, body_;
  Span received_;             // start line to end of body
  bool is_received_ = false;  // nothing was edited: received_ is what to_string gives
  bool is_request_ = true;
  Method method_ = Method::Other;
  int status_ = 0;
  std::size_t surplus_ = 0;
  std::size_t compact_at_ = arena_compact_min;

  // An arena that edits have made this large is looked at for dead text.
  static constexpr std::size_t arena_compact_min = 1U << 16U;

  static constexpr std::array<std::uint16_t, header_id_count> filled() {
    std::array<std::uint16_t, header_id_count> out{};
    out.fill(none);
    return out;
  }
};

using Request = Message;
using Response = Message;

// "OK" for 200; "" for a code without a registered phrase.
std::string_view default_reason(int status);

// That option tag, method or package is a value of that token list, compared without case
// (RFC 3261 7.3.1); methods of Allow are compared with case.
bool has_token(const Message& message, HeaderId list, std::string_view token);

}  // namespace sipassay

#include "engine/message/message_typed.h"
