// sipassay list: what a selection means, as data.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "reports/escape.h"
#include "reports/totals.h"
#include "tools/catalogue.h"
#include "tools/commands.h"
#include "tools/coverage.h"
#include "tools/selection.h"

namespace sipassay::tools {

int list(const Arguments& arguments) {
  po::options_description options;
  add_selection_options(options);
  options.add_options()("list-format", po::value<std::string>()->value_name("tsv|json"),
                        "tab-separated (default) or json")(
      "coverage",
      "which rows of the catalogue have a case among them, by RFC and role; with "
      "--list-format: each row, its cases, or why it has none");
  const auto values =
      parse({"list", selection_positional, "Prints the cases that a selection means, one a line."},
            arguments, options);
  if (!values) return reports::exit_as_expected;
  const ListFormat format = list_format(*values);
  if (values->contains("coverage")) {
    print_coverage(select(*values), *values);
    return reports::exit_as_expected;
  }
  print_cases(select(*values), format);
  return reports::exit_as_expected;
}

}  // namespace sipassay::tools
