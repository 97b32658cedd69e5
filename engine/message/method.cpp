#include "engine/message/method.h"

#include <array>

namespace sipassay {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Method::Other)> names{
    "INVITE",    "ACK",    "BYE",     "CANCEL", "OPTIONS", "REGISTER", "PRACK",
    "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO",   "REFER",   "MESSAGE",  "UPDATE"};

// A perfect hash over first letter and length: one comparison finds a method.
constexpr std::size_t slot_count = 32;
constexpr std::size_t slot(std::string_view token) {
  return (static_cast<unsigned char>(token[0]) + 11 * token.size()) % slot_count;
}

using Slots = std::array<Method, slot_count>;

consteval Slots make_slots() {
  Slots out{};
  out.fill(Method::Other);
  for (std::size_t i = 0; i < names.size(); ++i) out[slot(names[i])] = static_cast<Method>(i);
  return out;
}
constexpr Slots slots = make_slots();

consteval bool is_perfect() {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (slots[slot(names[i])] != static_cast<Method>(i)) return false;
  return true;
}
static_assert(is_perfect(), "no two methods share a slot");

}  // namespace

Method method_from(std::string_view token) {
  if (token.empty()) return Method::Other;
  const Method method = slots[slot(token)];
  return to_string(method) == token ? method : Method::Other;
}

std::string_view to_string(Method method) {
  return method == Method::Other ? std::string_view() : names[static_cast<std::size_t>(method)];
}

}  // namespace sipassay
