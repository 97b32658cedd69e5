// sipassay tables: the state machines that run, as documentation.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/base/ascii.h"
#include "reports/escape.h"
#include "reports/totals.h"
#include "tools/commands.h"
#include "tools/machines.h"
#include "tools/options.h"

namespace sipassay::tools {
namespace {

void print_markdown(const Machine& machine) {
  fmt::print("## {}\n\n| state | input | action | next state | clause |\n|---|---|---|---|---|\n",
             machine.name);
  for (const MachineRow& row : machine.rows)
    fmt::print("| {} | {} | {} | {} | {} |\n", row.from, row.on, row.action,
               row.from == row.to ? "" : row.to, row.clause);
  fmt::print("\n");
}

void print_dot(const Machine& machine) {
  fmt::print("digraph \"{}\" {{\n  label=\"{}\"; node [shape=box, style=rounded];\n", machine.name,
             machine.name);
  for (const MachineRow& row : machine.rows)
    fmt::print("  \"{}\" -> \"{}\" [label=\"{} / {}\", tooltip=\"{}\"];\n", row.from, row.to,
               row.on, row.action, row.clause);
  fmt::print("}}\n");
}

}  // namespace

int tables(const Arguments& arguments) {
  po::options_description options;
  options.add_options()("format", po::value<std::string>()->value_name("markdown|dot"),
                        "markdown (default) or dot (Graphviz)");
  const auto values =
      parse({"tables", "[MACHINE]...",
             "Prints the state tables that the engine runs; all, or those whose name "
             "contains\na given word."},
            arguments, options);
  if (!values) return reports::exit_as_expected;
  const std::string format = text(*values, "format");
  if (!format.empty() && format != "markdown" && format != "dot")
    throw UsageError{
        fmt::format("--format takes markdown or dot, not \"{}\"", reports::printable(format))};

  const std::vector<std::string> words = texts(*values, "argument");
  bool any = false;
  for (const Machine& machine : machines()) {
    const bool is_wanted =
        words.empty() || std::ranges::any_of(words, [&](const std::string& word) {
          return ascii::to_lower(machine.name).find(ascii::to_lower(word)) != std::string::npos;
        });
    if (!is_wanted) continue;
    any = true;
    format == "dot" ? print_dot(machine) : print_markdown(machine);
  }
  if (any) return reports::exit_as_expected;
  std::vector<std::string> names;
  for (const Machine& machine : machines()) names.push_back(machine.name);
  throw UsageError{fmt::format("no machine matches; there are: {}", fmt::join(names, ", "))};
}

}  // namespace sipassay::tools
