// sipassay report: a stored result in another format.
#include "tools/commands.h"

#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/json.h"
#include "reports/totals.h"
#include "tools/files.h"
#include "tools/outputs.h"

namespace sipassay::tools {

int report(const Arguments& arguments) {
  po::options_description options;
  add_report_options(options);
  options.add_options()("strict", "count NON-STRICT as a failure")("fail-on-flaky",
                                                                   "count FLAKY as a failure");
  const auto values = parse({"report", "FILE.json", "Renders the json report of an earlier run."},
                            arguments, options);
  if (!values) return reports::exit_as_expected;
  const std::vector<std::string> files = texts(*values, "argument");
  if (files.size() != 1) throw UsageError{"report takes one json file (sipassay report --help)"};
  const auto where = destinations(*values);
  const auto result = reports::load_json(read_file(files[0]));
  if (!result)
    throw UsageError{fmt::format("{}: {}", reports::printable(files[0]), result.error())};
  reports::RenderOptions style;
  style.is_strict = values->count("strict") != 0;
  style.flaky_fails = values->count("fail-on-flaky") != 0;
  write_reports(*result, style, where);
  return reports::exit_as_expected;
}

}  // namespace sipassay::tools
