// The base values of all timers (RFC 3261 17.1.1.1, Table 4).
#pragma once

#include "engine/base/time.h"

namespace sipassay::transaction {

struct Timings {
  Duration t1 = 500ms;  // round-trip estimate
  Duration t2 = 4s;  // longest retransmission interval of non-INVITE requests and INVITE responses
  Duration t4 = 5s;  // longest life of a message in the network
  Duration d = 32s;  // Timer D on unreliable transports: at least 32 s
  // 64*T1: Timers B, F, H, J, L, M.
  constexpr Duration timeout() const { return 64 * t1; }
};

}  // namespace sipassay::transaction
