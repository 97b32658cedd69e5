// The suite against a live stack: cases side by side over real sockets, in one thread.
#pragma once

#include <vector>

#include "engine/runner/case.h"
#include "engine/runner/result.h"
#include "tools/live_sut.h"
#include "tools/progress.h"
#include "tools/run_options.h"

namespace sipassay::tools {

// What a real network and a busy machine may shift, and how long a peer waits for what must come.
inline constexpr Duration live_tolerance = 250ms;
inline constexpr Duration live_timeout = 5min;  // of one case, unless the options say otherwise

// Results of the cases in their order; fewer when interrupted. A SUT that cannot be reached at the
// start, or that stays away after it died, makes the cases that are left ERROR.
std::vector<runner::CaseResult> run_live_cases(const std::vector<runner::Case>& cases,
                                               const RunOptions& options, Progress& progress);
// The same with a SUT that was looked for already, and that is not stopped.
std::vector<runner::CaseResult> run_live_cases(transport::Hub& hub, LiveSut& sut,
                                               const std::vector<runner::Case>& cases,
                                               const RunOptions& options, Progress& progress);

}  // namespace sipassay::tools
