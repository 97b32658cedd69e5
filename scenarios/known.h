// Expectation files (README.md, known.xsd): how cases end against a stack whose faults are known.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runner/outcome.h"
#include "scenarios/load.h"

namespace sipassay::scenarios {

inline constexpr std::size_t known_cases_max = 2000;  // of one file

// One <case>: those that the pattern selects end so.
struct KnownCase {
  std::string pattern;                    // an id, a part of it or a glob, as on a command line
  std::vector<runner::Outcome> outcomes;  // never empty; PASS only beside others
  std::string observed;                   // glob that what came must match; empty: anything
  std::string clause;                     // "RFC 3515 section 2.4.2"; empty: nobody breaks one
  std::string reason;
  std::string file;
  std::size_t line = 0, column = 0;
};

// A file with an error gives no cases.
struct LoadedKnown {
  std::vector<KnownCase> cases;
  std::vector<LoadError> errors;
};

// From memory; name stands in errors and in KnownCase::file.
LoadedKnown load_known_text(std::string_view xml, const std::string& name);
LoadedKnown load_known_file(const std::string& path);

}  // namespace sipassay::scenarios
