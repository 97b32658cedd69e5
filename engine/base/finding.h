// A judgement on the peer: which rule it broke, what was expected, what came.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/clause.h"

namespace sipassay {

struct Finding {
  std::string_view rule;  // stable kebab-case name, a row of a table: "via-branch-cookie"
  Clause clause;
  std::string expected;
  std::string observed;
};

}  // namespace sipassay
