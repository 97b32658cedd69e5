// Which rows of the catalogue have a case, and why the others have none (uncovered.tsv).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/runner/case.h"
#include "scenarios/catalogue.h"

namespace sipassay::scenarios {

struct Coverage {
  const Requirement* row = nullptr;  // of the catalogue, which must outlive this
  std::vector<std::string> cases;    // ids, in the order given
  std::string reason;                // for having none; empty: there is a case, or nobody said why
};

// Reasons by id: tab-separated with a heading line, every id once and a row of the catalogue.
std::map<std::string, std::string> read_reasons(const std::string& path, const Catalogue& catalogue,
                                                Problems& problems);

// Every row of the catalogue, in its order.
std::vector<Coverage> coverage_of(const Catalogue& catalogue,
                                  const std::vector<runner::Case>& cases,
                                  const std::map<std::string, std::string>& reasons);

}  // namespace sipassay::scenarios
