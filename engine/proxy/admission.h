// Whether a proxy takes a request: the checks of RFC 3261 16.3 that need no state.
#pragma once

#include <optional>

#include "engine/agent/response.h"
#include "engine/message/message.h"

namespace sipassay::proxy {

// 16.3, steps 1 to 3 and 5: form (only of what a proxy needs), scheme, Max-Forwards, Proxy-Require.
// 400, 416, 420, 483, 505. Unknown methods and header fields are no reason.
std::optional<agent::Refusal> check(const Message& request);

}  // namespace sipassay::proxy
