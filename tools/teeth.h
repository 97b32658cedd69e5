// sipassay run --teeth: can every case fail?
#pragma once

#include <vector>

#include "engine/runner/case.h"
#include "tools/run_options.h"

namespace sipassay::tools {

// Runs each case against each misbehaviour that it names and prints what bit. Returns the exit
// status: failed when a case has no teeth.
int report_teeth(const std::vector<runner::Case>& cases, const RunOptions& options);

}  // namespace sipassay::tools
