// Who is to blame for what went wrong in a live run: from results alone.
#pragma once

#include <vector>

#include "engine/base/time.h"
#include "engine/runner/result.h"

namespace sipassay::tools {

// The case sent something and the SUT nothing.
bool has_met_silence(const runner::CaseResult& result);

// What went wrong is that its INVITE met 486, 503 or 600.
bool has_met_busy(const runner::CaseResult& result);

// It went on asking to the end: its port was open, and nobody answered.
bool was_ignored(const runner::CaseResult& result, Duration t1);

// Of cases that ended in CRASH while they ran side by side: the one that sent the message after
// which the SUT said nothing more to anybody. `begun` is when each began, on one clock. Not empty.
std::size_t most_suspect(const std::vector<runner::CaseResult*>& crashed,
                         const std::vector<Instant>& begun);

// Returns the most suspect one; the others become ERROR.
const runner::CaseResult* blame_one(const std::vector<runner::CaseResult*>& crashed,
                                    const std::vector<Instant>& begun);

}  // namespace sipassay::tools
