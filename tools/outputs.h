// Where reports go: --report NAME[=FILE], any number at once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/registry.h"
#include "tools/options.h"

namespace sipassay::tools {

// One --report NAME[=FILE].
struct ReportWish {
  std::string name;
  std::string file;  // empty: standard output
};
// Checks names and files before any work. Without a report that goes to standard output, text does.
// Throws UsageError.
std::vector<ReportWish> report_wishes(const po::variables_map& values,
                                      const std::vector<std::string_view>& names);
// To that file, or to standard output. Throws UsageError.
void write_report(const std::string& file, std::string_view rendered);

struct Destination {
  const reports::Format* format = nullptr;
  std::string file;  // empty: standard output
};

void add_report_options(po::options_description& options);
// The reports of a run that are wished for. Throws UsageError.
std::vector<Destination> destinations(const po::variables_map& values);

// Renders and writes all of them; a file that cannot be written does not keep the others from being
// written. Throws UsageError in the end.
void write_reports(const runner::RunResult& result, reports::RenderOptions options,
                   const std::vector<Destination>& destinations);

// The stream is a terminal that shows colours, and NO_COLOR is not set.
bool has_colours(int descriptor);

}  // namespace sipassay::tools
