// Lists of cases for list and for run --dry-run.
#pragma once

#include <vector>

#include "engine/runner/case.h"
#include "tools/options.h"

namespace sipassay::tools {

enum class ListFormat : std::uint8_t { Tsv, Json };

// Of --list-format. Throws UsageError.
ListFormat list_format(const po::variables_map& values);
// On standard output.
void print_cases(const std::vector<runner::Case>& cases, ListFormat format);

}  // namespace sipassay::tools
