#include "fuzz/counters.h"

#include <cstdint>

#include "fuzz/support.h"

// Names that the linker gives to the ends of the section.
extern "C" const std::uint8_t __start___libfuzzer_extra_counters[];
extern "C" const std::uint8_t __stop___libfuzzer_extra_counters[];

namespace sipassay::fuzz {

namespace {

// volatile and used: written only, an optimiser would drop it and libFuzzer would say nothing.
[[gnu::section("__libfuzzer_extra_counters"),
  gnu::used]] volatile std::uint8_t counters[state_counters];

}  // namespace

void count_state(std::string_view machine, std::string_view state, std::string_view event) {
  std::uint64_t hash = hash_of(machine);
  hash = hash * 31 + hash_of(state);
  hash = hash * 31 + hash_of(event);
  volatile std::uint8_t& counter = counters[(hash ^ (hash >> 32U)) % state_counters];
  if (counter != UINT8_MAX) counter = static_cast<std::uint8_t>(counter + 1);
}

std::size_t counted_octets() {
  return static_cast<std::size_t>(__stop___libfuzzer_extra_counters -
                                  __start___libfuzzer_extra_counters);
}

}  // namespace sipassay::fuzz
