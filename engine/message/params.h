// ;name=value lists of header fields and URIs, as views into the message.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace sipassay {

struct Param {
  std::string_view name;
  std::string_view value;  // as written: a quoted string keeps its quotes; empty without "="
  bool has_value = false;
};

// One more is Error{LimitExceeded}.
inline constexpr std::size_t params_max = 256;

// A checked parameter list, the text behind the value it belongs to: ";tag=x;lr". Iterates without
// allocating. Names compare without case.
class Params {
 public:
  Params() = default;
  // Checks generic-param grammar (RFC 3261 25.1), LWS around ";" and "=", no name twice.
  static Parsed<Params> parse(std::string_view text);
  // A list that the caller knows to be well-formed: "" or ";name=value;…".
  static Params from_checked(std::string_view text) {
    Params out;
    out.text_ = text;
    return out;
  }

  class Iterator {
   public:
    using value_type = Param;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(std::string_view rest) : rest_(rest) { ++*this; }
    const Param& operator*() const { return param_; }
    const Param* operator->() const { return &param_; }
    Iterator& operator++();
    Iterator operator++(int) {
      auto old = *this;
      ++*this;
      return old;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.is_end_ == b.is_end_ && (a.is_end_ || a.param_.name.data() == b.param_.name.data());
    }

   private:
    std::string_view rest_;
    Param param_;
    bool is_end_ = false;
    friend class Params;
  };
  Iterator begin() const { return Iterator(text_); }
  Iterator end() const {
    Iterator it;
    it.is_end_ = true;
    return it;
  }

  bool is_empty() const { return text_.empty(); }
  bool has(std::string_view name) const { return find(name).has_value(); }
  std::optional<Param> find(std::string_view name) const;
  // The value without quotes and escapes undone only if it needed none; empty when absent.
  std::string_view value(std::string_view name) const;
  // As written.
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// Contents of a quoted string: outer quotes off, quoted-pairs undone. Other text as it is.
std::string unquote(std::string_view text);
// The text as a quoted string.
std::string quote(std::string_view text);

}  // namespace sipassay
