// Allocations so far in this process; operator new counts too, it calls malloc.
#pragma once

#include <cstdint>

namespace sipassay::bench {

std::uint64_t allocation_count();

}  // namespace sipassay::bench
