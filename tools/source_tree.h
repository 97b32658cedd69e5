// The text files of the source tree, for the tests that read it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sipassay {

struct File {
  std::string path;  // from the root of the tree, with slashes
  std::string text;
};

// Sorted by path; without what was built and what is not text.
inline std::vector<File> read_tree(const std::filesystem::path& root) {
  std::vector<File> out;
  const std::set<std::string> skipped = {"build", ".git", ".cache"};
  using Walk = std::filesystem::recursive_directory_iterator;
  for (Walk at(root); at != Walk(); ++at) {
    const std::string path = at->path().lexically_relative(root).generic_string();
    if (at->is_directory() && skipped.contains(path)) at.disable_recursion_pending();
    if (!at->is_regular_file() || path == "compile_commands.json" || path == ".git") continue;
    std::ifstream in(at->path(), std::ios::binary);
    File file{path, std::string(std::istreambuf_iterator<char>(in), {})};
    if (file.text.find('\0') == std::string::npos) out.push_back(std::move(file));
  }
  std::ranges::sort(out, {}, &File::path);
  return out;
}

inline const std::vector<File>& tree() {
  static const std::vector<File> files = read_tree(SIPASSAY_SOURCE_DIR);
  return files;
}

}  // namespace sipassay
