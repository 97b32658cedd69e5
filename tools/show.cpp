// sipassay show: one case, for people.
#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/totals.h"
#include "tools/commands.h"
#include "tools/selection.h"
#include "tools/steps_text.h"

namespace sipassay::tools {
namespace {

using runner::Case;

void field(std::string_view name, std::string_view value) {
  if (!value.empty()) fmt::print("  {:<12}{}\n", name, reports::printable(value));
}

void print_case(const Case& one) {
  std::string transports;
  for (const Transport transport : one.transports)
    transports += (transports.empty() ? "" : " ") + std::string(to_string(transport));
  fmt::print("{}  {}\n", one.id, reports::printable(one.title));
  field("clause", to_string(one.clause()));
  field("requirement", one.clause_text);
  field("our reading", one.note);
  field("text", fmt::format("https://www.rfc-editor.org/rfc/rfc{}#section-{}", one.clause_rfc,
                            one.clause_section));
  field("covers", fmt::format("{}", fmt::join(one.rows, " ")));
  field("SUT is", fmt::format("{}, called as {}", runner::to_string(one.role), one.user));
  field("transport", transports);
  field("needs", fmt::format("{}", fmt::join(one.needs, " ")));
  field("tags", fmt::format("{}", fmt::join(one.tags, " ")));
  field("fails with", fmt::format("{}", fmt::join(one.breaks, " ")));
  field("file", one.file);
  fmt::print("\n{}\n", describe(one.steps));
}

}  // namespace

int show(const Arguments& arguments) {
  po::options_description options;
  add_selection_options(options);
  const auto values = parse({"show", selection_positional,
                             "Prints requirement, reading and steps of the selected cases. "
                             "\"send\" and \"reply\" are done by\n"
                             "the scripted peer, \"expect\" is about what the SUT sends."},
                            arguments, options);
  if (!values) return reports::exit_as_expected;
  if (values->count("argument") == 0) throw UsageError{"show takes an id (sipassay show --help)"};
  for (const Case& one : select(*values)) print_case(one);
  return reports::exit_as_expected;
}

}  // namespace sipassay::tools
