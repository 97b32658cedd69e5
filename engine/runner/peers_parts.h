// What the files of Peers share.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

#include "engine/base/ascii.h"
#include "engine/message/message.h"
#include "engine/runner/peers.h"
#include "engine/runner/template.h"
#include "engine/runner/values.h"

namespace sipassay::runner {

inline constexpr std::string_view allow =
    "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, MESSAGE, REFER, NOTIFY, SUBSCRIBE";

// RFC 3261 12.1, RFC 6665 4.4.1, RFC 3515 2.4.
inline bool makes_dialog(std::string_view method) {
  return method == "INVITE" || method == "SUBSCRIBE" || method == "REFER";
}

// 0: none that can be read.
inline std::uint32_t cseq_of(const Message& message) {
  return ascii::number<std::uint32_t>(message_value(message, "cseq.number").value_or(""))
      .value_or(0);
}

// What a step says of its SDP: "offer:audio+video".
struct SdpWish {
  std::string_view kind, traits;
};
inline SdpWish sdp_wish(std::string_view text) {
  const auto colon = text.find(':');
  return {text.substr(0, colon),
          colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1)};
}

inline SendProblem problem(const UnknownReference& unknown) {
  return {fmt::format("${{{}}} is not known at this point", unknown.reference)};
}

}  // namespace sipassay::runner
