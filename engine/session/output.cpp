#include "engine/session/output.h"

#include <array>
#include <cstddef>

namespace sipassay::session {

std::string_view to_string(Deliver::What what) {
  constexpr std::array<std::string_view, 12> names{"ACK",       "BYE",     "INFO",    "INVITE",
                                                   "UPDATE",    "PRACK",   "REFER",   "NOTIFY",
                                                   "SUBSCRIBE", "MESSAGE", "OPTIONS", "other"};
  return names[static_cast<std::size_t>(what)];
}

std::string_view to_string(EndReason reason) {
  constexpr std::array<std::string_view, 9> names{
      "BYE sent",    "BYE received", "cancelled", "rejected by us", "rejected by peer",
      "dialog gone", "ACK missing",  "expired",   "disposed"};
  return names[static_cast<std::size_t>(reason)];
}

std::string_view to_string(SessionState state) {
  constexpr std::array<std::string_view, 5> names{"Initial", "Early", "AckWait", "Confirmed",
                                                  "Terminated"};
  return names[static_cast<std::size_t>(state)];
}

}  // namespace sipassay::session
