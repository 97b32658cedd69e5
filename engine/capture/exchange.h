// Which message of a capture belongs to which: answers, copies, and what a proxy passed on.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "engine/capture/decode.h"

namespace sipassay::capture {

// All are indices of earlier messages.
struct Place {
  std::optional<std::size_t> request;   // a response: what it answers (RFC 3261 17.1.3)
  std::optional<std::size_t> copy_of;   // sent before: a retransmission
  std::optional<std::size_t> original;  // what this one passes on (RFC 3261 16)
};

// One for each message, in their order; malformed ones have none.
std::vector<Place> places(std::span<const Captured> messages);

}  // namespace sipassay::capture
