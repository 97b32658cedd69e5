// Feedback on states: libFuzzer adds these bytes to its features. Machines that are tables look
// alike to edge coverage, so (machine, state, event) is told by hand.
#pragma once

#include <cstddef>
#include <string_view>

namespace sipassay::fuzz {

inline constexpr std::size_t state_counters = 4096;

void count_state(std::string_view machine, std::string_view state, std::string_view event);

// Octets of the section that libFuzzer reads; must be state_counters.
std::size_t counted_octets();

}  // namespace sipassay::fuzz
