// What typed values are written into: octets that grow and whose memory is used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace sipassay {

// Append-only; no allocation once it has been as large as it must be. Nothing appended may look
// into it. Not thread-safe.
class Octets {
 public:
  std::string_view view() const { return {begin_.get(), size()}; }
  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_.get()); }
  void clear() { at_ = begin_.get(); }

  [[gnu::always_inline]] Octets& operator+=(std::string_view text) { return add(text); }
  [[gnu::always_inline]] Octets& operator+=(char c) { return add(c); }
  // Texts and single octets, one behind the other.
  template <class... Parts>
  [[gnu::always_inline]] Octets& add(const Parts&... parts) {
    char* at = room((size_of(parts) + ...));
    ((at = put(at, parts)), ...);
    at_ = at;
    return *this;
  }
  // The first `size` of `Size` octets.
  template <std::size_t Size>
  [[gnu::always_inline]] Octets& add_first(const char (&octets)[Size], std::size_t size) {
    char* const at = room(Size);
    std::memcpy(at, octets, Size);
    at_ = at + size;
    return *this;
  }
  // A decimal number.
  Octets& add_number(std::uint32_t value);

 private:
  static constexpr std::size_t size_of(char) { return 1; }
  static constexpr std::size_t size_of(std::string_view text) { return text.size(); }
  static char* put(char* at, char c) {
    *at = c;
    return at + 1;
  }
  // Most texts are shorter than a call of memcpy is worth: two copies that may overlap, each of a
  // size that the compiler knows.
  [[gnu::always_inline]] static char* put(char* at, std::string_view text) {
    const char* const from = text.data();
    const std::size_t size = text.size();
    if (__builtin_constant_p(size)) {
      std::memcpy(at, from, size);
    } else if (size > 32) {
      std::memcpy(at, from, size);
    } else if (size >= 16) {
      put_ends<16>(at, from, size);
    } else if (size >= 8) {
      put_ends<8>(at, from, size);
    } else if (size >= 4) {
      put_ends<4>(at, from, size);
    } else if (size != 0) {
      at[0] = from[0];
      at[size / 2] = from[size / 2];
      at[size - 1] = from[size - 1];
    }
    return at + size;
  }
  template <std::size_t Size>
  static void put_ends(char* at, const char* from, std::size_t size) {
    struct Block {
      char octets[Size];
    } first, last;
    std::memcpy(&first, from, Size);
    std::memcpy(&last, from + size - Size, Size);
    std::memcpy(at, &first, Size);
    std::memcpy(at + size - Size, &last, Size);
  }
  // Where the next octet goes; that many have room.
  char* room(std::size_t size) {
    if (static_cast<std::size_t>(end_ - at_) < size) [[unlikely]]
      grow(size);
    return at_;
  }
  void grow(std::size_t size);

  std::unique_ptr<char[]> begin_;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

// The text of a value that has a `write`.
template <class Value>
std::string text_of(const Value& value) {
  Octets out;
  value.write(out);
  return std::string(out.view());
}

}  // namespace sipassay
