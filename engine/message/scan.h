// Blocks of octets at once: where a run of ordinary characters ends, what a short number is. SSE2,
// which every x86-64 has, or a portable loop; scan_test.cpp holds the two together, octet by octet.
//
// All functions here read a block from where they are told, or from octets up to `end`, and
// behind_long() two: more than the text has. That is what slack_octets are for.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/message/chars.h"
#include "engine/message/slack.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sipassay::scan {

inline constexpr std::size_t block = 16;
static_assert(2 * block <= slack_octets);

// Bit i tells of octet i.
using Mask = std::uint32_t;

namespace portable {

template <class Predicate>
Mask mask_of(const char* at, Predicate is_wanted) {
  Mask out = 0;
  for (std::size_t i = 0; i < block; ++i)
    if (is_wanted(at[i])) out |= Mask{1} << i;
  return out;
}

inline Mask alnum(const char* at) {
  return mask_of(at, [](char c) { return chars::is(c, chars::Alnum); });
}
inline Mask common(const char* at) {
  return mask_of(at, [](char c) { return chars::is(c, chars::Alnum) || c == '-' || c == '.'; });
}
inline Mask plain_quoted(const char* at) {
  return mask_of(at, [](char c) {
    return c != '"' && c != '\\' && c != '\x7f' && static_cast<unsigned char>(c) >= 0x20U;
  });
}
inline Mask no_delimiter(const char* at) {
  return mask_of(at, [](char c) { return c != ' ' && c != '\t' && c != '<' && c != '>'; });
}
inline Mask digits(const char* at) {
  return mask_of(at, [](char c) { return chars::is(c, chars::Digit); });
}
inline Mask hex(const char* at) {
  return mask_of(at, [](char c) { return chars::is(c, chars::Hex); });
}
inline Mask equal(const char* at, char wanted) {
  return mask_of(at, [wanted](char c) { return c == wanted; });
}

}  // namespace portable

#if defined(__SSE2__)

namespace detail {
inline __m128i load(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
inline __m128i all(int c) {
  return _mm_set1_epi8(static_cast<char>(c));
}
inline Mask to_mask(__m128i octets) {
  return static_cast<Mask>(_mm_movemask_epi8(octets));
}
// first <= octet <= last: moved so that `last` is the greatest signed octet, what is greater wraps.
inline __m128i in_range(__m128i octets, char first, char last) {
  return _mm_cmpgt_epi8(_mm_add_epi8(octets, all(0x7f - last)), all(0x7f - last + first - 1));
}
inline __m128i letters(__m128i octets) {
  return in_range(_mm_or_si128(octets, all(0x20)), 'a', 'z');
}
}  // namespace detail

inline Mask alnum(const char* at) {
  using namespace detail;
  const __m128i octets = load(at);
  return to_mask(_mm_or_si128(letters(octets), in_range(octets, '0', '9')));
}
inline Mask digits(const char* at) {
  using namespace detail;
  return to_mask(in_range(load(at), '0', '9'));
}
inline Mask hex(const char* at) {
  using namespace detail;
  const __m128i octets = load(at);
  const __m128i letters = in_range(_mm_or_si128(octets, all(0x20)), 'a', 'f');
  return to_mask(_mm_or_si128(letters, in_range(octets, '0', '9')));
}
// Letters, digits, "-" and ".": they belong to nearly every class of the grammar.
inline Mask common(const char* at) {
  using namespace detail;
  const __m128i octets = load(at);
  const __m128i low =
      _mm_andnot_si128(_mm_cmpeq_epi8(octets, all('/')), in_range(octets, '-', '9'));
  return to_mask(_mm_or_si128(letters(octets), low));
}
// Nothing that may not stand in a Request-URI whatever its scheme.
inline Mask no_delimiter(const char* at) {
  using namespace detail;
  const __m128i octets = load(at);
  const __m128i spaces =
      _mm_or_si128(_mm_cmpeq_epi8(octets, all(' ')), _mm_cmpeq_epi8(octets, all('\t')));
  const __m128i brackets =
      _mm_or_si128(_mm_cmpeq_epi8(octets, all('<')), _mm_cmpeq_epi8(octets, all('>')));
  return ~to_mask(_mm_or_si128(spaces, brackets)) & 0xffffU;
}
// Neither a quote, a backslash nor a control character.
inline Mask plain_quoted(const char* at) {
  using namespace detail;
  const __m128i octets = load(at);
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(octets, all(0x1f)), octets);
  const __m128i special = _mm_or_si128(
      _mm_cmpeq_epi8(octets, all('"')),
      _mm_or_si128(_mm_cmpeq_epi8(octets, all('\\')), _mm_cmpeq_epi8(octets, all('\x7f'))));
  return ~to_mask(_mm_or_si128(control, special)) & 0xffffU;
}
inline Mask equal(const char* at, char wanted) {
  using namespace detail;
  return to_mask(_mm_cmpeq_epi8(load(at), all(wanted)));
}

#else

using portable::alnum;
using portable::common;
using portable::digits;
using portable::equal;
using portable::hex;
using portable::no_delimiter;
using portable::plain_quoted;

#endif

// How many octets from the first on have their bit set.
inline std::size_t run(Mask mask) {
  return static_cast<std::size_t>(std::countr_one(mask));
}

// Two blocks' masks in one.
inline Mask both(Mask first, Mask second) {
  return first | second << block;
}

// Behind the octets of the classes from `at` on, at most `end`. The common ones must be among them.
[[gnu::always_inline]] inline const char* behind(const char* at, const char* end,
                                                 unsigned classes) {
  for (;;) {
    const std::size_t size = run(common(at));
    at += size;
    if (at >= end) return end;
    if (size == block) continue;
    if (!chars::is(*at, classes)) return at;
    ++at;
  }
}

// The same for texts that are often longer than one block: two at once, as where a run ends that is
// about as long as a block is hard to predict.
[[gnu::always_inline]] inline const char* behind_long(const char* at, const char* end,
                                                      unsigned classes) {
  const std::size_t size = run(both(common(at), common(at + block)));
  if (size == 2 * block || chars::is(at[size], classes)) return behind(at, end, classes);
  return end - at < static_cast<std::ptrdiff_t>(size) ? end : at + size;
}

// A decimal number of fewer than eight digits.
struct Number {
  std::uint32_t value = 0;
  std::size_t size = 0;  // digits; zero: none there, or too many
};
inline Number number(const char* at, const char* end) {
  static_assert(std::endian::native == std::endian::little, "octets are loaded as words");
  std::uint64_t digits = 0;
  std::memcpy(&digits, at, sizeof digits);
  digits ^= 0x3030303030303030U;
  // The lowest octet above 9 gets its high bit; what its carry does to later ones does not matter.
  const std::uint64_t others = ((digits + 0x7676767676767676U) | digits) & 0x8080808080808080U;
  const auto found = static_cast<std::size_t>(std::countr_zero(others)) / 8;
  const auto left = static_cast<std::size_t>(end - at);
  const std::size_t size = found < left ? found : left;
  if (size - 1 >= 7) return {};
  // Digits to the end, zeros before them; then pairs, fours and all eight are joined.
  digits <<= 64 - 8 * size;
  digits = (digits * 10 + (digits >> 8U)) & 0x00ff00ff00ff00ffU;
  digits = (digits * 100 + (digits >> 16U)) & 0x0000ffff0000ffffU;
  return {static_cast<std::uint32_t>(digits * 10000 + (digits >> 32U)), size};
}

}  // namespace sipassay::scan
