// Methods: a known one is an enumerator, any other token is Other and keeps its text in the
// message.
#pragma once

#include <cstdint>
#include <string_view>

namespace sipassay {

enum class Method : std::uint8_t {
  Invite,
  Ack,
  Bye,
  Cancel,
  Options,
  Register,
  Prack,
  Subscribe,
  Notify,
  Publish,
  Info,
  Refer,
  Message,
  Update,
  Other
};

// Methods compare with case (RFC 3261 7.1).
Method method_from(std::string_view token);
// "INVITE"; empty for Other.
std::string_view to_string(Method method);

}  // namespace sipassay
