// The one response of several branches that goes back (RFC 3261 16.7 steps 6 and 7).
#pragma once

#include <optional>
#include <vector>

#include "engine/message/message.h"

namespace sipassay::proxy {

// Of final responses other than 2xx, in the order of their branches: a 6xx, else one of the lowest
// class, there rather one that tells how to try again; with all challenges of all 401 and 407 if it
// is one of these. Null pointers are branches without a response.
std::optional<Message> best_response(const std::vector<const Message*>& finals);

}  // namespace sipassay::proxy
