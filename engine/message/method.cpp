#include "engine/message/method.h"

#include <array>

namespace sipassay {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Method::Other)> names{
    "INVITE",    "ACK",    "BYE",     "CANCEL", "OPTIONS", "REGISTER", "PRACK",
    "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO",   "REFER",   "MESSAGE",  "UPDATE"};

}  // namespace

Method method_from(std::string_view token) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == token) return static_cast<Method>(i);
  return Method::Other;
}

std::string_view to_string(Method method) {
  return method == Method::Other ? std::string_view() : names[static_cast<std::size_t>(method)];
}

}  // namespace sipassay
