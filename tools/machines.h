// The state machines of the engine as text, each with its rows.
#pragma once

#include <string>
#include <vector>

namespace sipassay::tools {

struct MachineRow {
  std::string from, on, to, action;
  std::string clause;  // "RFC 3261 17.1.1.2"
};
struct Machine {
  std::string name;
  std::vector<MachineRow> rows;
};

std::vector<Machine> machines();

}  // namespace sipassay::tools
