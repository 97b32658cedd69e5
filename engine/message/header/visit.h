// Every value of every standard header field of a message, in the order of its lines.
#pragma once

#include <array>
#include <cstddef>

#include "engine/message/header/all.h"
#include "engine/message/message.h"

namespace sipassay {

namespace detail {

template <class F>
using LineVisitor = void (*)(const Message&, std::size_t, F&);

template <class F, class... Headers>
constexpr auto make_visitors(TypeList<Headers...>) {
  std::array<LineVisitor<F>, header_id_count> out{};
  ((out[static_cast<std::size_t>(Headers::id)] = &Values<Headers>::template visit_line<F>), ...);
  return out;
}

}  // namespace detail

// Calls visitor(const Parsed<H>&) for each value; lines without a HeaderId are left out.
template <class F>
void visit_values(const Message& message, F visitor) {
  static constexpr auto visitors = detail::make_visitors<F>(AllHeaders());
  for (std::size_t i = 0; i < message.field_count(); ++i) {
    const HeaderId id = message.field_id(i);
    if (id != HeaderId::Other) visitors[static_cast<std::size_t>(id)](message, i, visitor);
  }
}

}  // namespace sipassay
