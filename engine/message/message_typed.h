// Message's typed access. Included by message.h.
#pragma once

#include <cstddef>
#include <iterator>
#include <string>

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
          read_value();
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
      reader_ = Reader(message_->view(message_->fields_[line_].value), message_->readable_end());
      reader_.skip_space();
      is_line_open_ = !is_list(H::id) || !reader_.is_done() || !may_be_empty(H::id);
    }
    void read_value() {
      reader_.skip_space();
      const std::size_t start = reader_.offset();
      value_.emplace();
      bool is_good = H::read(reader_, *value_);
      if (is_good) {
        reader_.skip_space();
        is_good = reader_.is_done() || (is_list(H::id) && reader_.peek() == ',') ||
                  reader_.fail(ErrorCode::HeaderValue);
      }
      if (!is_good) {
        value_ = std::unexpected(reader_.error());
        reader_.seek(start);
        reader_.skip_list_element();
      }
      is_line_open_ = is_list(H::id) && reader_.take(',');
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
  return parse_whole<H>(view(fields_[line].value), readable_end());
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
