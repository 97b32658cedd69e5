#include "scenarios/coverage.h"

#include <fstream>

namespace sipassay::scenarios {

std::map<std::string, std::string> read_reasons(const std::string& path, const Catalogue& catalogue,
                                                Problems& problems) {
  std::map<std::string, std::string> out;
  std::ifstream in(path, std::ios::binary);
  std::string line;
  if (!in || !std::getline(in, line)) {
    problems.add({path, 0, 0, "the reasons for rows without a case", "no readable file"});
    return out;
  }
  for (std::size_t number = 2; std::getline(in, line); ++number) {
    const auto tab = line.find('\t');
    const std::string id = line.substr(0, tab);
    const std::string reason = tab == std::string::npos ? "" : line.substr(tab + 1);
    if (catalogue.find(id) == nullptr)
      problems.add({path, number, 1, "a row of the catalogue", id});
    else if (reason.empty())
      problems.add({path, number, 1, "a tab and a reason", line});
    else if (!out.emplace(id, reason).second)
      problems.add({path, number, 1, "an id that no other line has", id});
  }
  return out;
}

std::vector<Coverage> coverage_of(const Catalogue& catalogue,
                                  const std::vector<runner::Case>& cases,
                                  const std::map<std::string, std::string>& reasons) {
  std::map<std::string, std::vector<std::string>> by_row;
  for (const auto& one : cases)
    for (const auto& row : one.rows) by_row[row].push_back(one.id);
  std::vector<Coverage> out;
  for (const auto& [id, row] : catalogue) {
    Coverage coverage{.row = &row, .cases = {}, .reason = {}};
    if (const auto found = by_row.find(id); found != by_row.end()) coverage.cases = found->second;
    if (const auto reason = reasons.find(id); reason != reasons.end() && coverage.cases.empty())
      coverage.reason = reason->second;
    out.push_back(std::move(coverage));
  }
  return out;
}

}  // namespace sipassay::scenarios
