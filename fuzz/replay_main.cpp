// Runs a target over every file of the directories given, without libFuzzer: forward and in reverse
// order (does one input's state leak into the next?), comparing the trace of each file (is it
// deterministic?). The first directory, the corpus, must exist and have files; others that do not
// exist are skipped. Files may be named as well. -v: what happens goes to standard error.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/support.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Sorted: a run never depends on the order of a directory.
std::vector<fs::path> files_of(const fs::path& directory) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.is_regular_file() && entry.path().filename() != "README.md")
      out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

std::uint64_t run(const fs::path& path) {
  const auto octets = read(path);
  std::fprintf(stderr, "%s\r", path.c_str());  // names the culprit if the next line never comes
  sipassay::fuzz::trace().begin();
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size());
  return sipassay::fuzz::trace().hash();
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<fs::path> files;
  int named = 1;  // the first argument that is no option
  if (argc > 1 && std::string_view(argv[1]) == "-v") {
    sipassay::fuzz::trace().be_loud();
    named = 2;
  }
  for (int i = named; i < argc; ++i) {
    const fs::path path = argv[i];
    if (fs::is_regular_file(path)) {
      files.push_back(path);
      continue;
    }
    const auto found = fs::is_directory(path) ? files_of(path) : std::vector<fs::path>{};
    if (found.empty() && i == named) {
      std::fprintf(stderr, "%s: no files: nothing would be tested\n", path.c_str());
      return 1;
    }
    files.insert(files.end(), found.begin(), found.end());
  }
  if (files.empty()) {
    std::fprintf(stderr, "usage: %s [-v] DIRECTORY|FILE...\n", argv[0]);
    return 1;
  }
  std::map<fs::path, std::uint64_t> first;
  for (const auto& file : files) first[file] = run(file);
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (run(*file) == first[*file]) continue;
    std::fprintf(stderr, "\n%s: the second run has another trace\n", file->c_str());
    return 1;
  }
  std::printf("%zu files, each twice, forward and in reverse\n", files.size());
  return 0;
}
