// The report formats, one row each.
#pragma once

#include <span>
#include <string_view>

#include "reports/report.h"

namespace sipassay::reports {

std::span<const Format> formats();
// Null when there is no such format.
const Format* find_format(std::string_view name);

}  // namespace sipassay::reports
