#include "tools/selection.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>

#include "engine/base/ascii.h"
#include "reports/escape.h"
#include "reports/json.h"
#include "scenarios/load.h"
#include "tools/files.h"

namespace sipassay::tools {
namespace {

namespace fs = std::filesystem;
using runner::Case;
using Patterns = std::vector<std::string>;

bool is_boundary(char c) {
  return c == '-' || c == '.' || c == '@';
}

bool is_path(const std::string& argument) {
  std::error_code ignored;
  return argument.find('/') != std::string::npos || argument.ends_with(".xml") ||
         fs::is_directory(argument, ignored);
}

void check_names(const po::variables_map& values, const char* option, const Patterns& known) {
  for (const std::string& value : texts(values, option))
    if (std::ranges::find(known, ascii::to_lower(value)) == known.end())
      throw UsageError{fmt::format("--{} takes one of {}; not \"{}\"", option,
                                   fmt::join(known, ", "), reports::printable(value))};
}

// Levels may be written as one word on a command line: must-not.
std::string level_name(std::string_view level) {
  std::string out = ascii::to_lower(level);
  std::ranges::replace(out, ' ', '-');
  return out;
}

bool is_wanted(const Patterns& wanted, std::string_view value) {
  return wanted.empty() || std::ranges::any_of(wanted, [&](const std::string& one) {
           return ascii::iequals(one, value);
         });
}

bool passes_filters(const Case& one, const po::variables_map& values) {
  if (!is_wanted(texts(values, "role"), runner::to_string(one.role))) return false;
  if (!is_wanted(texts(values, "level"), level_name(to_string(one.level)))) return false;
  const Patterns tags = texts(values, "tag");
  if (!tags.empty() &&
      std::ranges::none_of(one.tags, [&](const std::string& tag) { return is_wanted(tags, tag); }))
    return false;
  const Patterns transports = texts(values, "transport");
  return transports.empty() || std::ranges::any_of(one.transports, [&](Transport transport) {
           return is_wanted(transports, to_string(transport));
         });
}

std::set<std::string> failed_ids(const std::string& path) {
  const auto loaded = reports::load_json(read_file(path));
  if (!loaded) throw UsageError{fmt::format("{}: {}", reports::printable(path), loaded.error())};
  std::set<std::string> out;
  for (const runner::CaseResult& one : loaded->cases)
    if (one.outcome >= runner::Outcome::Xpass) out.insert(one.id);
  return out;
}

scenarios::Loaded load(const Patterns& paths, const po::variables_map& values) {
  scenarios::LoadOptions options;
  options.root = scenarios_folder(values);
  scenarios::Loaded loaded = scenarios::load_tree(paths, options);
  if (loaded.errors.empty()) return loaded;
  for (const scenarios::LoadError& error : loaded.errors)
    fmt::print(stderr, "{}\n", reports::printable(scenarios::to_string(error)));
  throw UsageError{fmt::format("{} error{} in scenario files", loaded.errors.size(),
                               loaded.errors.size() == 1 ? "" : "s")};
}

// "scenarios/rfc3262/x.xml" wherever the folder stands.
void shorten_file(Case& one, const fs::path& root) {
  std::error_code ignored;
  const fs::path file = fs::weakly_canonical(one.file, ignored);
  const fs::path relative = file.lexically_relative(root);
  if (relative.empty() || relative.native().starts_with("..")) return;
  one.file = (fs::path("scenarios") / relative).generic_string();
}

}  // namespace

void add_selection_options(po::options_description& options) {
  const auto list = [] { return po::value<Patterns>()->composing(); };
  auto add = options.add_options();
  add("scenarios", po::value<std::string>()->value_name("DIR"), "folder that holds the scenarios");
  add("exclude", list()->value_name("PATTERN"), "leave out cases with this id, prefix or glob");
  add("role", list()->value_name("ROLE"), "role of the SUT: uas, uac, proxy, registrar, redirect");
  add("level", list()->value_name("LEVEL"), "must, must-not, should, should-not, may or stated");
  add("tag", list()->value_name("TAG"), "cases with this tag");
  add("transport", list()->value_name("NAME"), "cases that can run over udp, tcp, tls, ws, wss");
  add("failed-from", po::value<std::string>()->value_name("FILE"),
      "cases that failed in this json report");
}

bool matches(std::string_view pattern, std::string_view id) {
  if (pattern.find_first_of("*?[") != std::string_view::npos)
    return fnmatch(std::string(pattern).c_str(), std::string(id).c_str(), 0) == 0;
  if (pattern.empty() || !id.starts_with(pattern)) return false;
  return id.size() == pattern.size() || is_boundary(id[pattern.size()]) ||
         is_boundary(pattern.back());
}

bool matches(std::string_view pattern, const Case& one) {
  return matches(pattern, std::string_view(one.id)) ||
         std::ranges::any_of(one.rows, [&](const std::string& row) {
           return matches(pattern, std::string_view(row));
         });
}

std::string scenarios_folder(const po::variables_map& values) {
  std::error_code ignored;
  if (const std::string given = text(values, "scenarios"); !given.empty()) {
    if (!fs::is_directory(given, ignored))
      throw UsageError{fmt::format("no folder \"{}\"", reports::printable(given))};
    return given;
  }
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  const fs::path places[] = {fs::path(SIPASSAY_SOURCE_DIR) / "scenarios",
                             program.parent_path().parent_path() / "share/sipassay/scenarios"};
  for (const fs::path& place : places)
    if (fs::is_directory(place, ignored)) return place.string();
  throw UsageError{"the scenarios are not where they were installed; use --scenarios DIR"};
}

std::vector<Case> select(const po::variables_map& values) {
  check_names(values, "role", {"uas", "uac", "proxy", "registrar", "redirect"});
  check_names(values, "level", {"must", "must-not", "should", "should-not", "may", "stated"});
  check_names(values, "transport", {"udp", "tcp", "tls", "ws", "wss"});

  Patterns patterns;
  Patterns paths;
  for (const std::string& argument : texts(values, "argument"))
    (is_path(argument) ? paths : patterns).push_back(argument);
  const std::string root = scenarios_folder(values);
  if (!patterns.empty() || paths.empty()) paths.push_back(root);

  std::optional<std::set<std::string>> failed;
  if (values.count("failed-from") != 0) failed = failed_ids(text(values, "failed-from"));

  scenarios::Loaded loaded = load(paths, values);
  std::vector<bool> has_match(patterns.size(), false);
  const bool whole_tree = patterns.empty();
  std::error_code ignored;
  const fs::path canonical_root = fs::weakly_canonical(root, ignored);
  std::vector<Case> out;
  for (Case& one : loaded.cases) {
    bool is_named = whole_tree;
    for (std::size_t i = 0; i < patterns.size(); ++i)
      if (matches(patterns[i], one)) is_named = has_match[i] = true;
    if (!is_named || !passes_filters(one, values)) continue;
    if (failed && !failed->contains(one.id)) continue;
    if (std::ranges::any_of(texts(values, "exclude"),
                            [&](const std::string& pattern) { return matches(pattern, one); }))
      continue;
    shorten_file(one, canonical_root);
    out.push_back(std::move(one));
  }
  for (std::size_t i = 0; i < patterns.size(); ++i)
    if (!has_match[i])
      throw UsageError{fmt::format("no case matches \"{}\"", reports::printable(patterns[i]))};
  if (out.empty()) throw UsageError{"nothing selected"};
  return out;
}

}  // namespace sipassay::tools
