#include "engine/message/octets.h"

#include <algorithm>
#include <array>

namespace sipassay {

namespace {

// "00" to "99".
constexpr std::array<char, 200> pairs = [] {
  std::array<char, 200> out{};
  for (unsigned i = 0; i < 100; ++i) {
    out[2 * i] = static_cast<char>('0' + i / 10);
    out[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return out;
}();

}  // namespace

Octets& Octets::add_number(std::uint32_t value) {
  std::array<char, 10> digits;
  char* const end = digits.data() + digits.size();
  char* at = end;
  for (; value >= 100; value /= 100) std::memcpy(at -= 2, &pairs[2 * (value % 100)], 2);
  if (value >= 10)
    std::memcpy(at -= 2, &pairs[2 * value], 2);
  else
    *--at = static_cast<char>('0' + value);
  return add(std::string_view(at, static_cast<std::size_t>(end - at)));
}

void Octets::grow(std::size_t size) {
  constexpr std::size_t least = 256;
  const std::size_t used = this->size();
  const std::size_t capacity = std::max({least, 2 * used, used + size});
  auto grown = std::make_unique_for_overwrite<char[]>(capacity);
  if (used != 0) std::memcpy(grown.get(), begin_.get(), used);
  begin_ = std::move(grown);
  at_ = begin_.get() + used;
  end_ = begin_.get() + capacity;
}

}  // namespace sipassay
