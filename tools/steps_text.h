// A case's steps as lines that a person reads: "sut  → peer  183, reliable".
#pragma once

#include <string>

#include "engine/runner/case.h"

namespace sipassay::tools {

// One line a step, indented under alternatives and groups; ends in a line end.
std::string describe(const runner::Steps& steps, std::size_t indent = 2);

}  // namespace sipassay::tools
