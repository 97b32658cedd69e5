// Several runs of one case as one verdict.
#pragma once

#include <vector>

#include "engine/runner/result.h"

namespace sipassay::tools {

// One outcome in all runs: the first run. Different outcomes: FLAKY, with the worst run's messages
// and how often each outcome came. `runs` is not empty.
runner::CaseResult verdict_of(std::vector<runner::CaseResult> runs);

}  // namespace sipassay::tools
