// Which rows of the catalogue of requirements have a case.
#pragma once

#include <vector>

#include "engine/runner/case.h"
#include "tools/options.h"

namespace sipassay::tools {

// On standard output: counts by RFC and role, or, if --list-format is given, a line or object for
// every row. Throws UsageError when the catalogue or the list of reasons cannot be read.
void print_coverage(const std::vector<runner::Case>& cases, const po::variables_map& values);

}  // namespace sipassay::tools
