// Scenario files (README.md, scenario.xsd) → cases. Reads files, runs nothing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runner/case.h"

namespace sipassay::scenarios {

// Limits; one more is an error.
inline constexpr std::size_t file_octets_max = 256 * 1024;
inline constexpr std::size_t files_max = 10'000;
inline constexpr std::size_t depth_max = 16;               // elements inside elements
inline constexpr std::size_t steps_max = 1000;             // of one case, flows expanded
inline constexpr std::size_t flow_depth_max = 8;           // flows inside flows
inline constexpr std::size_t family_members_max = 256;     // cases of one file
inline constexpr std::size_t text_octets_max = 64 * 1024;  // of one attribute or text, expanded
inline constexpr std::size_t errors_max = 20;              // reported of one file

// What is wrong with a scenario file, and where.
struct LoadError {
  std::string file;
  std::size_t line = 0;    // from 1; 0: the file as a whole
  std::size_t column = 0;  // from 1, in octets
  std::string expected;
  std::string found;

  friend bool operator==(const LoadError&, const LoadError&) = default;
};
// "rfc3262/x.xml:12:7: expected one of uas, uac; found \"both\""
std::string to_string(const LoadError& error);

struct LoadOptions {
  // Folder with flows/ and requirements.tsv; empty: the nearest one above each file that has them.
  std::string root;
};

// The cases in the order of their files; a file with an error gives none.
struct Loaded {
  std::vector<runner::Case> cases;
  std::vector<LoadError> errors;
};

// One scenario from memory; name stands in errors and in Case::file.
Loaded load_text(std::string_view xml, const std::string& name, const LoadOptions& options = {});
Loaded load_file(const std::string& path, const LoadOptions& options = {});
// Files, folders (every .xml below, but for flows/, known/ and testdata/; sorted) and globs with * and ? in
// the last part. Ids must be unique over all of them.
Loaded load_tree(const std::vector<std::string>& paths, const LoadOptions& options = {});
inline Loaded load_tree(const std::string& path, const LoadOptions& options = {}) {
  return load_tree(std::vector<std::string>{path}, options);
}

}  // namespace sipassay::scenarios
