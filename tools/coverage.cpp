#include "tools/coverage.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "engine/base/ascii.h"
#include "reports/escape.h"
#include "scenarios/coverage.h"
#include "tools/catalogue.h"
#include "tools/selection.h"

namespace sipassay::tools {

namespace {

struct Count {
  std::size_t rows = 0, covered = 0, musts = 0, covered_musts = 0;

  void add(const scenarios::Coverage& one) {
    const bool is_covered = !one.cases.empty();
    const bool is_must = one.row->level == Level::Must || one.row->level == Level::MustNot;
    ++rows;
    covered += is_covered;
    musts += is_must;
    covered_musts += is_must && is_covered;
  }
};

std::string percent(std::size_t part, std::size_t whole) {
  return whole == 0 ? "-" : fmt::format("{}%", part * 100 / whole);
}

void print_line(std::string_view rfc, std::string_view role, const Count& count) {
  fmt::print("{:<9} {:<10} {:>5} {:>8} {:>5} {:>10} {:>8} {:>5}\n", rfc, role, count.rows,
             count.covered, percent(count.covered, count.rows), count.musts, count.covered_musts,
             percent(count.covered_musts, count.musts));
}

void print_counts(const std::vector<scenarios::Coverage>& all) {
  std::map<std::pair<std::uint16_t, std::string>, Count> by_rfc;
  std::map<std::string, Count> by_role;
  for (const auto& one : all) {
    by_rfc[{one.row->rfc, one.row->role}].add(one);
    by_role[one.row->role].add(one);
  }
  fmt::print("{:<9} {:<10} {:>5} {:>8} {:>5} {:>10} {:>8} {:>5}\n", "rfc", "role", "rows",
             "covered", "", "MUST (NOT)", "covered", "");
  for (const auto& [key, count] : by_rfc)
    print_line(fmt::format("RFC {}", key.first), key.second, count);
  for (const auto& [role, count] : by_role) print_line("all", role, count);
}

void print_tsv(const std::vector<scenarios::Coverage>& all) {
  fmt::print("row\trfc\tsection\tlevel\trole\tcases\treason\n");
  for (const auto& one : all)
    fmt::print("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", one.row->id, one.row->rfc, one.row->section,
               to_string(one.row->level), one.row->role, ascii::comma_list(one.cases), one.reason);
}

void print_json(const std::vector<scenarios::Coverage>& all) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& one : all)
    out.push_back({{"row", one.row->id},
                   {"rfc", one.row->rfc},
                   {"section", one.row->section},
                   {"level", to_string(one.row->level)},
                   {"role", one.row->role},
                   {"cases", one.cases},
                   {"reason", one.reason}});
  fmt::print("{}\n", out.dump(2));
}

}  // namespace

void print_coverage(const std::vector<runner::Case>& cases, const po::variables_map& values) {
  const std::string root = scenarios_folder(values);
  scenarios::Problems problems;
  const auto catalogue = scenarios::Catalogue::read(root + "/requirements.tsv", problems);
  std::map<std::string, std::string> reasons;
  if (catalogue) reasons = scenarios::read_reasons(root + "/uncovered.tsv", *catalogue, problems);
  for (const auto& error : problems.take())
    throw UsageError{reports::printable(scenarios::to_string(error))};

  const auto all = scenarios::coverage_of(*catalogue, cases, reasons);
  if (!values.contains("list-format")) return print_counts(all);
  list_format(values) == ListFormat::Json ? print_json(all) : print_tsv(all);
}

}  // namespace sipassay::tools
