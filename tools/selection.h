// Which cases are meant: ids, prefixes, globs, files, folders, and filters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/runner/case.h"
#include "tools/options.h"

namespace sipassay::tools {

inline constexpr std::string_view selection_positional = "[ID | PREFIX | GLOB | FILE | FOLDER]...";

// --scenarios --exclude --role --level --tag --transport --failed-from
void add_selection_options(po::options_description& options);

// The selected cases, in the order of their files, each once. Case::file is made independent of
// where the scenarios are installed. Throws UsageError: broken files, a pattern without a case,
// nothing selected.
std::vector<runner::Case> select(const po::variables_map& values);

// True when the pattern is the id, a part of it that ends before "-", "." or "@", or a glob.
bool matches(std::string_view pattern, std::string_view id);
// The same for the id or any catalogue row that the case covers.
bool matches(std::string_view pattern, const runner::Case& one);

// The folder with the scenarios: as given, that of the source tree, or the installed one.
std::string scenarios_folder(const po::variables_map& values);

}  // namespace sipassay::tools
