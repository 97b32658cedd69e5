// Responses as a UAS core makes them (RFC 3261 8.2.6), for requests outside a dialog or without
// state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/agent/command.h"
#include "engine/base/clause.h"
#include "engine/message/message.h"

namespace sipassay::agent {

// Server and User-Agent (RFC 3261 20.35, 20.41).
inline constexpr std::string_view product = "sipassay/0.1.0";

// The To tag of our responses to a request. RFC 3261 8.2.7, 9.2: the same request always gets the
// same tag, without state, and a CANCEL that of its INVITE: derived from Call-ID, From tag, CSeq
// number and topmost branch, none of which the CANCEL changes.
std::string to_tag_for(const Message& request, std::uint64_t secret);

// Via, From, To, Call-ID and CSeq of the request as they came (8.2.6.2); the To tag is added when
// it has none and the status is not 100; a 100 copies Timestamp (8.2.6.1).
Message make_response(const Message& request, int status, std::string_view to_tag,
                      std::string_view reason = {});

// Why a request is not processed, and what its response must say.
struct Refusal {
  int status = 0;
  Clause clause;
  std::string reason{};  // reason phrase; empty: the default one
  std::vector<ExtraHeader> headers{};
};
Message make_response(const Message& request, const Refusal& refusal, std::string_view to_tag);

}  // namespace sipassay::agent
