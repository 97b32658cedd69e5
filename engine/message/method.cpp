#include "engine/message/method.h"

#include <array>
#include <cstring>
#include <utility>

namespace sipassay {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Method::Other)> names{
    "INVITE",    "ACK",    "BYE",     "CANCEL", "OPTIONS", "REGISTER", "PRACK",
    "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO",   "REFER",   "MESSAGE",  "UPDATE"};

// Each comparison has a size that the compiler knows.
template <std::size_t... I>
Method find(std::string_view token, std::index_sequence<I...>) {
  Method out = Method::Other;
  const auto is = [&](Method method, std::string_view name) {
    if (token.size() != name.size()) return false;
    if (std::memcmp(token.data(), name.data(), name.size()) != 0) return false;
    out = method;
    return true;
  };
  (void)(is(static_cast<Method>(I), names[I]) || ...);
  return out;
}

}  // namespace

Method method_from(std::string_view token) {
  return find(token, std::make_index_sequence<names.size()>());
}

std::string_view to_string(Method method) {
  return method == Method::Other ? std::string_view() : names[static_cast<std::size_t>(method)];
}

}  // namespace sipassay
