// The suite against the embedded engine, in virtual time.
#pragma once

#include <vector>

#include "engine/runner/case.h"
#include "tools/progress.h"
#include "tools/run_options.h"

namespace sipassay::tools {

runner::EmbeddedOptions embedded_options(const RunOptions& options, std::uint64_t seed);

// Results of the cases in their order; fewer when interrupted.
std::vector<runner::CaseResult> run_embedded_cases(const std::vector<runner::Case>& cases,
                                                   const RunOptions& options, Progress& progress);

}  // namespace sipassay::tools
