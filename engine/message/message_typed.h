// Message's typed access. Included by message.h.
#pragma once

#include <cstddef>
#include <iterator>
#include <string>
#include <utility>

#include "engine/message/message.h"  // IWYU pragma: keep
#include "engine/message/reader.h"

namespace sipassay {

// Every value of header H in a message, in order: over its lines and, for lists, over their commas
// (RFC 3261 7.3.1). Each is a Parsed<H>; an offset of an error counts from the start of its line's
// value. A list field with an empty value has no values. Lives no longer than the message.
template <class H>
class Values {
 public:
  class Iterator {
   public:
    using value_type = Parsed<H>;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using pointer = const Parsed<H>*;
    using reference = const Parsed<H>&;

    Iterator() = default;
    // From that line on; `only_that` ends behind it.
    Iterator(const Message& message, std::size_t line, bool only_that)
        : message_(&message), line_(static_cast<std::uint16_t>(line)), only_line_(only_that) {
      enter_line();
      ++*this;
    }
    const Parsed<H>& operator*() const { return value_; }
    const Parsed<H>* operator->() const { return &value_; }
    Iterator& operator++() {
      while (line_ != Message::none) {
        if (is_line_open_) {
          value_.emplace();
          is_line_open_ = read_value(reader_, value_);
          return *this;
        }
        line_ = only_line_ ? Message::none : message_->fields_[line_].next;
        enter_line();
      }
      is_end_ = true;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool is_end() const { return is_end_; }
    // Position of the line that the value stands on.
    std::size_t position() const { return line_; }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.is_end_ == b.is_end_; }

   private:
    void enter_line() {
      if (line_ == Message::none) return;
      reader_ = reader_of_line(*message_, line_);
      is_line_open_ = has_values(reader_);
    }

    const Message* message_ = nullptr;
    std::uint16_t line_ = Message::none;
    Reader reader_{std::string_view()};
    Parsed<H> value_;
    bool only_line_ = false;
    bool is_line_open_ = false;
    bool is_end_ = false;
    friend class Values;
  };

  explicit Values(const Message& message) : message_(&message) {}
  // The values of one line.
  static Iterator of_line(const Message& message, std::size_t position) {
    return Iterator(message, position, true);
  }
  // The same, calling visitor(const Parsed<H>&) for each.
  template <class F>
  static void visit_line(const Message& message, std::size_t position, F& visitor) {
    Reader reader = reader_of_line(message, position);
    for (bool has_more = has_values(reader); has_more;) {
      Parsed<H> value(std::in_place);
      has_more = read_value(reader, value);
      visitor(std::as_const(value));
    }
  }
  Iterator begin() const {
    return Iterator(*message_, message_->first_[static_cast<std::size_t>(H::id)], false);
  }
  Iterator end() const {
    Iterator it;
    it.is_end_ = true;
    return it;
  }
  bool is_empty() const { return begin() == end(); }
  std::size_t count() const {
    std::size_t count = 0;
    for (auto it = begin(); it != end(); ++it) ++count;
    return count;
  }

 private:
  static Reader reader_of_line(const Message& message, std::size_t position) {
    const Message::Span span = message.fields_[position].value;
    return Reader(message.view(span), message.slack(span));
  }
  static bool has_values(Reader& reader) {
    if (!is_list(H::id) || !may_be_empty(H::id)) return true;
    reader.skip_space();
    return !reader.is_done();
  }
  // Reads the next value of a line; true when one more follows its comma.
  static bool read_value(Reader& reader, Parsed<H>& value) {
    reader.skip_space();
    const std::size_t start = reader.offset();
    bool is_good = H::read(reader, *value);
    if (is_good) {
      reader.skip_space();
      is_good = reader.is_done() || (is_list(H::id) && reader.peek() == ',') ||
                reader.fail(ErrorCode::HeaderValue);
    }
    if (!is_good) {
      value = std::unexpected(reader.error());
      reader.seek(start);
      reader.skip_list_element();
    }
    return is_list(H::id) && reader.take(',');
  }

  const Message* message_;
};

template <class H>
Values<H> Message::all() const {
  return Values<H>(*this);
}

template <class H>
Parsed<H> Message::get() const {
  const std::uint16_t line = first_[static_cast<std::size_t>(H::id)];
  if (line == none) return std::unexpected(Error{ErrorCode::HeaderMissing, 0});
  if (is_list(H::id)) {
    auto it = all<H>().begin();
    if (it == all<H>().end()) return std::unexpected(Error{ErrorCode::HeaderMissing, 0});
    return *it;
  }
  if (fields_[line].next != none && !may_repeat(H::id))
    return std::unexpected(Error{ErrorCode::HeaderRepeated, 0});
  return parse_whole<H>(view(fields_[line].value), slack(fields_[line].value));
}

template <class H>
Message& Message::add(const H& value) {
  Octets text;
  value.write(text);
  return add(H::id, text.view());
}

template <class H>
Message& Message::set(const H& value) {
  Octets text;
  value.write(text);
  return set(H::id, text.view());
}

}  // namespace sipassay
