#include "engine/message/message.h"

#include <algorithm>
#include <functional>

#include "engine/base/ascii.h"
#include "engine/message/start_line.h"

namespace sipassay {

namespace {

std::uint32_t narrow(std::size_t size) {
  return static_cast<std::uint32_t>(size);
}

}  // namespace

// --- start line

Message Message::request(std::string_view method, std::string_view uri) {
  Message out;
  out.arena_.reserve(1024);
  out.arena_ += method;
  out.arena_ += ' ';
  out.arena_ += uri;
  out.arena_ += " SIP/2.0";
  out.start_line_ = {0, narrow(out.arena_.size())};
  out.method_text_ = {0, narrow(method.size())};
  out.uri_ = {narrow(method.size() + 1), narrow(uri.size())};
  out.method_ = method_from(method);
  return out;
}

Message Message::response(int status, std::string_view reason) {
  Message out;
  out.arena_.reserve(1024);
  out.arena_ = "SIP/2.0 ";
  out.arena_ += std::to_string(status);
  out.arena_ += ' ';
  const std::string_view phrase = reason.empty() ? default_reason(status) : reason;
  out.reason_ = {narrow(out.arena_.size()), narrow(phrase.size())};
  out.arena_ += phrase;
  out.start_line_ = {0, narrow(out.arena_.size())};
  out.is_request_ = false;
  out.status_ = status;
  return out;
}

std::string_view Message::start_line() const {
  return view(start_line_);
}

std::string_view Message::method_text() const {
  return view(method_text_);
}

std::string_view Message::request_uri() const {
  return view(uri_);
}

std::string_view Message::reason() const {
  return view(reason_);
}

Message& Message::set_request_uri(std::string_view uri) {
  std::string line(method_text());
  line += ' ';
  const std::size_t uri_offset = line.size();
  line += uri;
  const std::size_t behind = uri_.offset + uri_.length - start_line_.offset;
  line += is_request_ && uri_.length != 0 ? start_line().substr(behind) : " SIP/2.0";
  const std::uint32_t method_length = method_text_.length;
  const std::uint32_t uri_length = narrow(uri.size());
  start_line_ = store(line);
  method_text_ = {start_line_.offset, method_length};
  uri_ = {start_line_.offset + narrow(uri_offset), uri_length};
  is_request_ = true;
  status_ = 0;
  reason_ = {};
  edited();
  return *this;
}

Message& Message::set_start_line(std::string_view line) {
  start_line_ = store(line);
  const StartLine parts = read_start_line(start_line());
  const auto span = [this](std::string_view part) {
    return part.empty() ? Span{}
                        : Span{narrow(static_cast<std::size_t>(part.data() - arena_.data())),
                               narrow(part.size())};
  };
  is_request_ = parts.is_request;
  method_text_ = span(parts.method);
  method_ = method_from(parts.method);
  uri_ = span(parts.uri);
  status_ = parts.status;
  reason_ = span(parts.reason);
  edited();
  return *this;
}

// --- header fields

HeaderField Message::field(std::size_t position) const {
  const Field& field = fields_.at(position);
  return {field.id, view(field.name), view(field.value)};
}

std::size_t Message::line_count(HeaderId id) const {
  std::size_t count = 0;
  for (auto at = first_[static_cast<std::size_t>(id)]; at != none; at = fields_[at].next) ++count;
  return count;
}

std::string_view Message::raw(HeaderId id) const {
  const auto at = first_[static_cast<std::size_t>(id)];
  return at == none ? std::string_view() : view(fields_[at].value);
}

std::string_view Message::raw(std::string_view name) const {
  const auto at = find(name);
  return at ? view(fields_[*at].value) : std::string_view();
}

std::optional<std::size_t> Message::find(HeaderId id, std::size_t nth) const {
  auto at = first_[static_cast<std::size_t>(id)];
  for (; at != none && nth != 0; --nth) at = fields_[at].next;
  return at == none ? std::nullopt : std::optional<std::size_t>(at);
}

std::optional<std::size_t> Message::find(std::string_view name, std::size_t nth) const {
  const HeaderId id = header_id_from(name);
  if (id != HeaderId::Other) return find(id, nth);
  auto at = first_[static_cast<std::size_t>(HeaderId::Other)];
  for (; at != none; at = fields_[at].next)
    if (ascii::iequals(view(fields_[at].name), name) && nth-- == 0) return at;
  return std::nullopt;
}

// --- edits

Message& Message::add(std::string_view name, std::string_view value) {
  return insert(fields_.size(), name, value);
}

Message& Message::insert(std::size_t position, std::string_view name, std::string_view value) {
  if (fields_.size() >= edited_lines_max) return *this;
  const Field field = make_field(name, value);
  const auto at = static_cast<std::ptrdiff_t>(std::min(position, fields_.size()));
  fields_.insert(fields_.begin() + at, field);
  edited();
  return *this;
}

Message& Message::set(std::string_view name, std::string_view value) {
  const auto first = find(name);
  if (!first) return add(name, value);
  const HeaderId id = header_id_from(name);
  const Field field = make_field(name, value);
  std::size_t position = 0;
  std::erase_if(fields_, [&](const Field& one) {
    const bool is_first = position++ == *first;
    return !is_first && is_named(one, id, view(field.name));
  });
  fields_[*first] = field;
  edited();
  return *this;
}

Message& Message::set_value(std::size_t position, std::string_view value) {
  const Field& old = fields_.at(position);
  set_field(position, old.is_raw ? make_raw_field(value) : make_field(view(old.name), value));
  return *this;
}

Message& Message::remove(std::string_view name) {
  const std::string wanted(name);
  const HeaderId id = header_id_from(wanted);
  if (std::erase_if(fields_, [&](const Field& one) { return is_named(one, id, wanted); }) != 0)
    edited();
  return *this;
}

Message& Message::remove(std::size_t position) {
  if (position >= fields_.size()) return *this;
  fields_.erase(fields_.begin() + static_cast<std::ptrdiff_t>(position));
  edited();
  return *this;
}

Message& Message::rename(std::size_t position, std::string_view name) {
  set_field(position, make_field(name, view(fields_.at(position).value)));
  return *this;
}

Message& Message::add_raw_line(std::string_view line) {
  if (fields_.size() >= edited_lines_max) return *this;
  fields_.push_back(make_raw_field(line));
  edited();
  return *this;
}

// --- body

std::string_view Message::body() const {
  return view(body_);
}

Message& Message::set_body(std::string_view content_type, std::string_view body) {
  const std::string type(content_type);
  body_ = store(body);
  if (type.empty())
    remove(HeaderId::ContentType);
  else
    set(HeaderId::ContentType, type);
  set(HeaderId::ContentLength, std::to_string(body_.length));
  return *this;
}

Message& Message::set_raw_body(std::string_view body) {
  body_ = store(body);
  edited();
  return *this;
}

// --- octets

std::string Message::to_string() const {
  std::string out;
  append_to(out);
  return out;
}

void Message::append_to(std::string& out) const {
  if (is_received_) {
    out += view(received_);
    return;
  }
  if (arena_.empty()) return;
  out += view(start_line_);
  out += "\r\n";
  for (const Field& field : fields_) {
    out += view(field.line);
    if (!view(field.line).ends_with('\n')) out += "\r\n";
  }
  out += "\r\n";
  out += view(body_);
}

// --- parts

bool Message::is_alias(std::string_view text) const {
  const std::less_equal<> before;
  return !text.empty() && before(arena_.data(), text.data()) &&
         before(text.data(), arena_.data() + arena_.size());
}

Message::Span Message::store(std::string_view text) {
  const Span span{narrow(arena_.size()), narrow(text.size())};
  if (is_alias(text))
    arena_ += std::string(text);
  else
    arena_ += text;
  return span;
}

Message::Field Message::make_field(std::string_view name, std::string_view value) {
  if (is_alias(name) || is_alias(value)) {
    const std::string a_name(name), a_value(value);
    return make_field(a_name, a_value);
  }
  Field field;
  field.id = header_id_from(name);
  const std::uint32_t start = narrow(arena_.size());
  field.name = store(name);
  arena_ += ": ";
  field.value = store(value);
  arena_ += "\r\n";
  field.line = {start, narrow(arena_.size()) - start};
  return field;
}

Message::Field Message::make_raw_field(std::string_view line) {
  Field field;
  field.is_raw = true;
  field.value = store(line);
  arena_ += "\r\n";
  field.line = {field.value.offset, field.value.length + 2};
  return field;
}

void Message::set_field(std::size_t position, const Field& field) {
  fields_.at(position) = field;
  edited();
}

bool Message::is_named(const Field& field, HeaderId id, std::string_view name) const {
  if (field.is_raw || field.id != id) return false;
  return id != HeaderId::Other || ascii::iequals(view(field.name), name);
}

void Message::index_fields() {
  first_ = filled();
  for (std::size_t i = fields_.size(); i-- != 0;) {
    Field& field = fields_[i];
    if (field.is_raw) continue;
    std::uint16_t& first = first_[static_cast<std::size_t>(field.id)];
    field.next = first;
    first = static_cast<std::uint16_t>(i);
  }
}

void Message::edited() {
  is_received_ = false;
  index_fields();
  if (arena_.size() > compact_at_) compact();
}

// Copies what is still in use; the dead text of earlier edits goes.
void Message::compact() {
  std::string old;
  old.swap(arena_);
  const auto move = [&](Span& span) {
    const Span from = span;
    span.offset = narrow(arena_.size());
    arena_.append(old, from.offset, from.length);
    return from.offset;
  };
  const auto shift = [](Span& part, std::uint32_t from, std::uint32_t to) {
    if (part.length != 0) part.offset = part.offset - from + to;
  };
  const std::uint32_t start = move(start_line_);
  for (Span* part : {&method_text_, &uri_, &reason_}) shift(*part, start, start_line_.offset);
  for (Field& field : fields_) {
    const std::uint32_t from = move(field.line);
    shift(field.name, from, field.line.offset);
    shift(field.value, from, field.line.offset);
    if (field.name.length == 0) field.name.offset = field.line.offset;
    if (field.value.length == 0) field.value.offset = field.line.offset;
  }
  move(body_);
  for (Span* part : {&method_text_, &uri_, &reason_})
    if (part->length == 0) *part = {};
  compact_at_ = std::max(arena_compact_min, 2 * arena_.size());
}

// All but the octets and the lines.
void Message::forget_parts() {
  first_ = filled();
  start_line_ = method_text_ = uri_ = reason_ = body_ = received_ = {};
  is_received_ = false;
  is_request_ = true;
  method_ = Method::Other;
  status_ = 0;
  surplus_ = 0;
  compact_at_ = arena_compact_min;
}

bool has_token(const Message& message, HeaderId list, std::string_view token) {
  for (std::size_t nth = 0;; ++nth) {
    const auto line = message.find(list, nth);
    if (!line) return false;
    Reader reader(message.field(*line).value);
    do {
      reader.skip_space();
      if (ascii::iequals(reader.span(chars::Token), token) && !token.empty()) {
        reader.skip_space();
        if (reader.is_done() || reader.peek() == ',' || reader.peek() == ';') return true;
      }
      reader.skip_list_element();
    } while (reader.take(','));
  }
}

}  // namespace sipassay
