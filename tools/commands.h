// The subcommands of the program: one file each, one row each in main.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sipassay::tools {

// What stands behind the subcommand's name on the command line.
using Arguments = std::vector<std::string>;

// Exit statuses: reports/totals.h.
int run(const Arguments& arguments);
int list(const Arguments& arguments);
int show(const Arguments& arguments);
int doctor(const Arguments& arguments);
int ua(const Arguments& arguments);
int tables(const Arguments& arguments);
int soak(const Arguments& arguments);
int report(const Arguments& arguments);
int lint(const Arguments& arguments);

}  // namespace sipassay::tools
