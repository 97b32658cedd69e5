// Sixteen octets at a time: where a run of ordinary characters ends. SSE2, which every x86-64 has,
// or a portable loop; scan_test.cpp holds the two together, octet by octet.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/message/chars.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sipassay::scan {

// All functions here read this many octets from where they are told.
inline constexpr std::size_t block = 16;

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

inline Mask common(const char* at) {
  return mask_of(at, [](char c) { return chars::is(c, chars::Alnum) || c == '-' || c == '.'; });
}
inline Mask plain_quoted(const char* at) {
  return mask_of(at, [](char c) {
    return c != '"' && c != '\\' && c != '\x7f' && static_cast<unsigned char>(c) >= 0x20U;
  });
}
inline Mask equal(const char* at, char wanted) {
  return mask_of(at, [wanted](char c) { return c == wanted; });
}
inline Mask digits(const char* at) {
  return mask_of(at, [](char c) { return chars::is(c, chars::Digit); });
}

}  // namespace portable

#if defined(__SSE2__)

namespace detail {
inline __m128i load(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
inline __m128i all(char c) {
  return _mm_set1_epi8(c);
}
inline Mask to_mask(__m128i octets) {
  return static_cast<Mask>(_mm_movemask_epi8(octets));
}
// low < octet < high, as signed octets.
inline __m128i between(__m128i octets, char low, char high) {
  return _mm_and_si128(_mm_cmpgt_epi8(octets, all(low)), _mm_cmplt_epi8(octets, all(high)));
}
}  // namespace detail

// Letters, digits, "-" and ".": they belong to nearly every class of the grammar.
inline Mask common(const char* at) {
  using namespace detail;
  const __m128i octets = load(at);
  const __m128i letters = between(_mm_or_si128(octets, all(0x20)), 'a' - 1, 'z' + 1);
  const __m128i low = _mm_andnot_si128(_mm_cmpeq_epi8(octets, all('/')), between(octets, ',', ':'));
  return to_mask(_mm_or_si128(letters, low));
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
inline Mask digits(const char* at) {
  using namespace detail;
  return to_mask(between(load(at), '0' - 1, '9' + 1));
}

#else

using portable::common;
using portable::digits;
using portable::equal;
using portable::plain_quoted;

#endif

// How many octets from the first on have their bit set.
inline std::size_t run(Mask mask) {
  return static_cast<std::size_t>(std::countr_one(mask));
}

}  // namespace sipassay::scan
