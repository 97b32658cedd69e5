#include "scenarios/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "engine/base/ascii.h"
#include "scenarios/catalogue.h"
#include "scenarios/reader.h"
#include "scenarios/source.h"

namespace sipassay::scenarios {

namespace {

namespace fs = std::filesystem;

// Flows and catalogue of one root folder.
struct Root {
  std::unique_ptr<FlowLibrary> flows;
  std::optional<Catalogue> catalogue;
};

bool is_root(const fs::path& folder) {
  std::error_code error;
  return fs::is_directory(folder / "flows", error) ||
         fs::is_regular_file(folder / "requirements.tsv", error);
}

// The nearest folder above that has flows/ or requirements.tsv; empty if there is none.
std::string root_above(const std::string& file) {
  std::error_code error;
  fs::path folder = fs::absolute(file, error).lexically_normal().parent_path();
  while (!is_root(folder)) {
    if (folder == folder.parent_path()) return {};
    folder = folder.parent_path();
  }
  return folder.string();
}

// * and ? over one path part.
bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

class Loader {
 public:
  explicit Loader(const LoadOptions& options) : options_(options) {}

  void text(std::string_view xml, const std::string& name) {
    Problems problems;
    if (xml.size() > file_octets_max)
      problems.add({name, 0, 0, fmt::format("at most {} octets", file_octets_max),
                    fmt::format("{}", xml.size())});
    else
      read(std::string(xml), name, problems);
    finish(problems);
  }

  void file(const std::string& path) {
    Problems problems;
    if (auto text = read_file(path, problems)) read(std::move(*text), path, problems);
    finish(problems);
  }

  void tree(const std::string& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) return folder(path);
    if (!fs::exists(path, error) && path.find_first_of("*?") != std::string::npos)
      return glob(path);
    file(path);
  }

  Loaded take() { return std::move(loaded_); }

 private:
  void read(std::string xml, const std::string& name, Problems& problems) {
    Source source(name, std::move(xml));
    const auto document = source.parse(problems);
    if (!document) return;
    Root* root = root_of(name, problems);
    Library library;
    if (root != nullptr) {
      library.flows = root->flows.get();
      library.catalogue = root->catalogue ? &*root->catalogue : nullptr;
    }
    for (auto& one : read_scenario(source, *document, library, problems))
      keep(std::move(one), problems);
  }

  void keep(runner::Case one, Problems& problems) {
    const auto [it, is_new] = files_by_id_.emplace(one.id, one.file);
    if (is_new)
      loaded_.cases.push_back(std::move(one));
    else
      problems.add({one.file, one.line, 1, "an id that no other case has",
                    fmt::format("\"{}\", also in {}", one.id, it->second)});
  }

  void finish(Problems& problems) {
    for (auto& error : problems.take()) loaded_.errors.push_back(std::move(error));
  }

  void folder(const std::string& path) {
    std::vector<std::string> files;
    std::error_code error;
    fs::recursive_directory_iterator it(path, error), end;
    for (; !error && it != end && files.size() <= files_max; it.increment(error)) {
      const auto name = it->path().filename();
      if (it->is_directory() && (name == "flows" || name == "known" || name == "testdata"))
        it.disable_recursion_pending();
      if (it->is_regular_file() && it->path().extension() == ".xml")
        files.push_back(it->path().string());
    }
    if (error) loaded_.errors.push_back({path, 0, 0, "a readable folder", error.message()});
    all(path, std::move(files));
  }

  void glob(const std::string& path) {
    const fs::path pattern(path);
    const fs::path parent = pattern.has_parent_path() ? pattern.parent_path() : fs::path(".");
    std::vector<std::string> files;
    std::error_code error;
    for (fs::directory_iterator it(parent, error), end;
         !error && it != end && files.size() <= files_max; it.increment(error))
      if (it->is_regular_file() &&
          glob_matches(pattern.filename().string(), it->path().filename().string()))
        files.push_back((pattern.has_parent_path() ? it->path() : it->path().filename()).string());
    all(path, std::move(files));
  }

  void all(const std::string& path, std::vector<std::string> files) {
    if (files.empty()) loaded_.errors.push_back({path, 0, 0, "scenario files", "none"});
    if (files.size() > files_max) {
      loaded_.errors.push_back({path, 0, 0, fmt::format("at most {} files", files_max), "more"});
      return;
    }
    std::ranges::sort(files);
    for (const auto& name : files) file(name);
  }

  Root* root_of(const std::string& file, Problems& problems) {
    const std::string path = options_.root.empty() ? root_above(file) : options_.root;
    if (path.empty()) return nullptr;
    const auto [it, is_new] = roots_.try_emplace(path);
    if (is_new) {
      std::error_code error;
      if (fs::is_directory(path + "/flows", error))
        it->second.flows = std::make_unique<FlowLibrary>(path + "/flows");
      if (fs::is_regular_file(path + "/requirements.tsv", error))
        it->second.catalogue = Catalogue::read(path + "/requirements.tsv", problems);
    }
    return &it->second;
  }

  LoadOptions options_;
  std::map<std::string, Root> roots_;
  std::map<std::string, std::string> files_by_id_;
  Loaded loaded_;
};

}  // namespace

std::string to_string(const LoadError& error) {
  std::string place = error.file;
  if (error.line > 0) place += fmt::format(":{}:{}", error.line, error.column);
  return fmt::format("{}: expected {}; found {}", place, error.expected, error.found);
}

Loaded load_text(std::string_view xml, const std::string& name, const LoadOptions& options) {
  Loader loader(options);
  loader.text(xml, name);
  return loader.take();
}

Loaded load_file(const std::string& path, const LoadOptions& options) {
  Loader loader(options);
  loader.file(path);
  return loader.take();
}

Loaded load_tree(const std::vector<std::string>& paths, const LoadOptions& options) {
  Loader loader(options);
  for (const auto& path : paths) loader.tree(path);
  return loader.take();
}

}  // namespace sipassay::scenarios
