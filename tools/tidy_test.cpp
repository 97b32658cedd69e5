// Reads the tree and holds it to the rules of ARCHITECTURE.md: who includes whom, words that are
// banned and where, names of files, unique scenario ids. Each rule proves on itself that it can
// fail.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tools/source_tree.h"

namespace sipassay {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;
using Faults = Strings;  // "path:line: what, and what to do instead"

bool is_source(std::string_view path) {
  return path.ends_with(".cpp") || path.ends_with(".h");
}
bool is_test(std::string_view path) {
  return path.ends_with("_test.cpp") || path.ends_with("_bench.cpp") ||
         path.find("/testdata/") != std::string_view::npos;
}

// "engine/base" of "engine/base/rng.h", "tools" of "tools/main.cpp"; empty at the top.
std::string folder(std::string_view path) {
  const std::size_t first = path.find('/');
  if (first == std::string_view::npos) return {};
  if (!path.starts_with("engine/")) return std::string(path.substr(0, first));
  return std::string(path.substr(0, path.find('/', first + 1)));
}

void each_line(const File& file, const std::function<void(std::size_t, std::string_view)>& look) {
  std::string_view rest = file.text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    look(number, rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
}

std::string_view without_comment(std::string_view line) {
  return line.substr(0, line.find("//"));
}

// --- who may include whom

struct Layer {
  std::string_view name;
  Strings uses;      // folders besides itself
  Strings packages;  // prefixes of angle-bracket includes that others may not have
};

const std::vector<Layer>& layers() {
  static const Strings below_agent = {"engine/base",   "engine/message", "engine/sdp",
                                      "engine/dialog", "engine/session", "engine/transaction"};
  static const auto with = [](Strings list, const Strings& more) {
    list.insert(list.end(), more.begin(), more.end());
    return list;
  };
  static const Strings agent = with(below_agent, {"engine/agent"});
  static const Strings drivers = {"engine/base", "engine/message", "engine/transaction",
                                  "engine/agent"};
  static const std::vector<Layer> rows = {
      {"engine/base", {}, {}},
      {"engine/message", {"engine/base"}, {}},
      {"engine/capture", {"engine/base", "engine/message"}, {"pcap"}},
      {"engine/sdp", {"engine/base"}, {}},
      {"engine/transaction", {"engine/base", "engine/message"}, {}},
      {"engine/dialog", {"engine/base", "engine/message"}, {}},
      {"engine/session", {"engine/base", "engine/message", "engine/sdp", "engine/dialog"}, {}},
      {"engine/agent", below_agent, {"openssl/"}},
      {"engine/proxy", drivers, {}},
      {"engine/transport", drivers, {"openssl/", "boost/"}},
      {"engine/simulation", drivers, {}},
      {"engine/soak", with(drivers, {"engine/dialog", "engine/session", "engine/simulation"}), {}},
      {"engine/runner", with(agent, {"engine/proxy", "engine/simulation"}), {}},
      {"engine/testing", with(agent, {"engine/proxy", "engine/simulation", "engine/runner"}), {}},
      {"scenarios", {"engine/base", "engine/message", "engine/runner"}, {"pugixml"}},
      {"reports", {"engine/base", "engine/message", "engine/runner"}, {"nlohmann/"}},
      {"fuzz",
       with(agent, {"engine/capture", "engine/proxy", "engine/simulation", "engine/runner",
                    "engine/testing", "scenarios", "reports"}),
       {}},
      {"tools",
       with(agent, {"engine/capture", "engine/proxy", "engine/transport", "engine/simulation",
                    "engine/soak", "engine/runner", "engine/testing", "scenarios", "reports"}),
       {"boost/", "nlohmann/", "openssl/", "pugixml"}},
  };
  return rows;
}

constexpr std::array owned_packages{"openssl/", "boost/", "pugixml", "nlohmann/", "pcap", "ares.h"};

bool contains(const Strings& list, std::string_view value) {
  return std::ranges::find(list, value) != list.end();
}

std::string quoted_include_fault(const File& file, const Layer& layer, const std::string& name) {
  const std::string target = folder(name);
  if (target.empty()) return fmt::format("include \"{}\" from the root of the tree", name);
  if (target == layer.name || contains(layer.uses, target)) return {};
  if (is_test(file.path) && target == "engine/testing") return {};
  return fmt::format("{} may not include {}", layer.name, target);
}

std::string package_include_fault(const File& file, const Layer& layer, std::string_view name) {
  if (name.starts_with("boost/asio") || name.starts_with("boost/beast"))
    if (layer.name != "engine/transport" || !file.path.ends_with(".cpp"))
      return fmt::format("{} belongs into a .cpp of engine/transport", name);
  for (const std::string_view package : owned_packages)
    if (name.starts_with(package) && !contains(layer.packages, package) && !is_test(file.path))
      return fmt::format("{} may not use <{}>", layer.name, name);
  return {};
}

Faults include_faults(const File& file) {
  static const std::regex include(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  Faults out;
  if (!is_source(file.path)) return out;
  const std::string home = folder(file.path);
  const auto layer = std::ranges::find(layers(), home, &Layer::name);
  if (layer == layers().end()) {
    out.push_back(fmt::format("{}: source file in a folder without a layer", file.path));
    return out;
  }
  each_line(file, [&](std::size_t number, std::string_view line) {
    std::match_results<std::string_view::const_iterator> found;
    if (!std::regex_search(line.begin(), line.end(), found, include)) return;
    const std::string name = found[2].str();
    const std::string fault = found[1].str() == "\"" ? quoted_include_fault(file, *layer, name)
                                                     : package_include_fault(file, *layer, name);
    if (!fault.empty()) out.push_back(fmt::format("{}:{}: {}", file.path, number, fault));
  });
  return out;
}

// --- banned words

struct Banned {
  std::string pattern;  // a regular expression
  std::string_view instead;
  Strings allowed_in;  // prefixes of paths
  bool allowed_in_tests = false;
  std::string_view example;  // a line that must be caught
};

const std::vector<Banned>& banned() {
  static const std::vector<Banned> rows = {
      {R"(steady_clock\s*::\s*now)",
       "take the Instant that the driver hands in",
       {"engine/transport/", "tools/"},
       false,
       "auto now = std::chrono::steady_clock::now();"},
      {R"(system_clock|\bgettimeofday|\bclock_gettime|\btime\(\s*(0|NULL|nullptr)\s*\))",
       "take the Instant that the driver hands in; calendar time belongs into tools",
       {"tools/"},
       false,
       "auto t = time(nullptr);"},
      {R"(random_device|\bs?rand\(|\barc4random|mt19937)",
       "draw from the Rng& that you were given",
       {"tools/"},
       false,
       "int x = rand();"},
      {R"(std\s*::\s*(cout|cerr|clog)\b|<iostream>)",
       "return text, or use fmt::print in tools",
       {},
       false,
       "std::cout << 1;"},
      {R"(<thread>|<mutex>|<condition_variable>|<future>|std\s*::\s*j?thread\b)",
       "the engine has no threads; drivers poll",
       {"engine/transport/", "tools/"},
       false,
       "#include <thread>"},
      {R"(<regex>)",
       "write a small parser or use ascii.h",
       {"tools/tidy_test.cpp"},
       true,
       "#include <regex>"},
      {R"(sleep_for|sleep_until|\busleep\(|\bnanosleep\(|\bsleep\()",
       "use virtual time",
       {"tools/"},
       false,
       "std::this_thread::sleep_for(1s);"},
      {R"(\b(strcasecmp|strncasecmp|tolower|toupper|isalpha|isdigit|isspace|atoi|atol|strtol|strtoul)\()",
       "use engine/base/ascii.h, which knows no locale",
       {},
       false,
       "if (isdigit(c)) return;"},
      {R"(\busing\s+namespace\s+std\s*;)", "name what you use", {}, false, "using namespace std;"},
      {R"(^\s*#\s*define\b)",
       "use a constant, a function or a template",
       {"engine/transport/"},
       false,
       "#define TWO 2"},
      {R"(\bNDEBUG\b)", "asserts stay on in every preset", {}, false, "#ifdef NDEBUG"},
      {R"(\bunordered_(multi)?(map|set)\b)",
       "hash order must not reach a report; use std::map, a sorted vector or a table",
       {"engine/transport/", "tools/"},
       true,
       "std::unordered_map<int, int> m;"},
      {R"(\bsystem\(|\bpopen\()",
       "the program runs nothing by a shell",
       {},
       true,
       "system(\"ls\");"},
  };
  return rows;
}

Faults banned_word_faults(const File& file) {
  Faults out;
  if (!is_source(file.path) || file.path == "tools/tidy_test.cpp") return out;
  for (const Banned& row : banned()) {
    if (row.allowed_in_tests && is_test(file.path)) continue;
    if (std::ranges::any_of(row.allowed_in, [&](const std::string& prefix) {
          return file.path.starts_with(prefix);
        }))
      continue;
    const std::regex pattern(row.pattern);
    each_line(file, [&](std::size_t number, std::string_view line) {
      const std::string_view code = without_comment(line);
      if (std::regex_search(code.begin(), code.end(), pattern))
        out.push_back(fmt::format("{}:{}: \"{}\": {}", file.path, number, code, row.instead));
    });
  }
  return out;
}

// --- files

Faults unfinished_faults(const File& file) {
  static const std::regex unfinished(R"(\b(TODO|FIXME|XXX|HACK)\b)");
  Faults out;
  if (file.path == "tools/tidy_test.cpp" || file.path.find("/testdata/") != std::string::npos ||
      file.path.starts_with("fuzz/corpus/") || file.path.starts_with("fuzz/regressions/"))
    return out;
  each_line(file, [&](std::size_t number, std::string_view line) {
    if (std::regex_search(line.begin(), line.end(), unfinished))
      out.push_back(fmt::format("{}:{}: finish it, or file an issue", file.path, number));
  });
  return out;
}

Faults path_faults(const File& file, const std::string& root) {
  Faults out;
  if (file.path == "tools/tidy_test.cpp") return out;
  Strings places = {"/home/", "/root/", "/Users/"};
  if (std::ranges::count(root, '/') >= 2) places.push_back(root);
  each_line(file, [&](std::size_t number, std::string_view line) {
    for (const std::string& place : places)
      if (line.find(place) != std::string_view::npos)
        out.push_back(fmt::format("{}:{}: path of one machine: {}", file.path, number, place));
  });
  return out;
}

Faults name_faults(const File& file) {
  static const std::regex good(R"([a-z0-9_]+\.(cpp|h))");
  Faults out;
  const std::string name = file.path.substr(file.path.rfind('/') + 1);
  if (is_source(file.path) && !std::regex_match(name, good))
    out.push_back(fmt::format("{}: C++ files are named in snake_case", file.path));
  if (file.path.ends_with(".h") && file.text.find("#pragma once\n") == std::string::npos)
    out.push_back(fmt::format("{}: a header begins with #pragma once", file.path));
  if (file.path.find(' ') != std::string::npos)
    out.push_back(fmt::format("{}: no blanks in names", file.path));
  return out;
}

// --- scenarios

std::string attribute(const std::string& text, const std::string& name) {
  const std::regex pattern("<scenario\\b[^>]*\\s" + name + "\\s*=\\s*\"([^\"]*)\"");
  std::smatch found;
  return std::regex_search(text, found, pattern) ? found[1].str() : std::string();
}

Faults scenario_faults(const std::vector<File>& tree) {
  Faults out;
  std::map<std::string, std::string> seen;
  for (const File& file : tree) {
    if (!file.path.starts_with("scenarios/") || !file.path.ends_with(".xml")) continue;
    if (file.path.find("/flows/") != std::string::npos ||
        file.path.find("/known/") != std::string::npos ||
        file.path.find("/testdata/") != std::string::npos)
      continue;
    const std::string id = attribute(file.text, "id");
    if (id.empty()) {
      out.push_back(fmt::format("{}: a scenario needs an id", file.path));
      continue;
    }
    const auto [first, is_new] = seen.emplace(id, file.path);
    // What the ids of a table are is seen once it is read: the loader minds them.
    if (!is_new && id.find("${") == std::string::npos)
      out.push_back(fmt::format("{}: id {} is also in {}", file.path, id, first->second));
    if (attribute(file.text, "breaks").empty())
      out.push_back(fmt::format("{}: name the misbehaviour that must fail it (breaks)", file.path));
    // A table of rows has many ids; its file is named by what they have in common.
    const std::string common = id.substr(0, id.find("-${"));
    const std::string stem = fs::path(file.path).stem().string();
    if (stem != id && !stem.starts_with(common + "@"))
      out.push_back(fmt::format("{}: the file of {} is named {}.xml", file.path, id, common));
  }
  return out;
}

// --- the tree

std::string joined(const Faults& faults) {
  return fmt::format("{}", fmt::join(faults, "\n"));
}

template <class Check>
void expect_clean(Check check) {
  std::size_t looked_at = 0;
  for (const File& file : tree()) {
    ++looked_at;
    const Faults faults = check(file);
    EXPECT_TRUE(faults.empty()) << joined(faults);
  }
  EXPECT_GT(looked_at, 100U) << "the tree was not found";
}

TEST(Tidy, IncludesKeepTheLayers) {
  expect_clean(include_faults);
}
TEST(Tidy, NoBannedWords) {
  expect_clean(banned_word_faults);
}
TEST(Tidy, NothingUnfinished) {
  expect_clean(unfinished_faults);
}
TEST(Tidy, NoPathsOfOneMachine) {
  expect_clean([](const File& file) { return path_faults(file, SIPASSAY_SOURCE_DIR); });
}
TEST(Tidy, FilesAreWellNamed) {
  expect_clean(name_faults);
}
TEST(Tidy, ScenariosAreWellNamed) {
  const Faults faults = scenario_faults(tree());
  EXPECT_TRUE(faults.empty()) << joined(faults);
}
// The layers of CMake and of this file are the same.
TEST(Tidy, TheLinkerKnowsTheSameLayers) {
  const auto file = std::ranges::find(tree(), "engine/CMakeLists.txt", &File::path);
  ASSERT_NE(file, tree().end());
  const std::regex row(
      R"(sipassay_layer\((\w+)\s+FOLDER\s+\w+\s*(?:USES\s+([\w ]*?))?\s*(?:PACKAGES[^)]*)?\))");
  std::size_t count = 0;
  for (std::sregex_iterator at(file->text.begin(), file->text.end(), row), end; at != end;
       ++at, ++count) {
    const auto layer = std::ranges::find(layers(), "engine/" + (*at)[1].str(), &Layer::name);
    ASSERT_NE(layer, layers().end()) << (*at)[1];
    std::set<std::string> linked;
    std::istringstream words((*at)[2].str());
    for (std::string word; words >> word;) linked.insert("engine/" + word);
    EXPECT_EQ(linked, std::set<std::string>(layer->uses.begin(), layer->uses.end())) << layer->name;
  }
  EXPECT_EQ(count, 14U);
}

// --- the rules can fail

TEST(TidySelf, EveryBannedWordIsCaught) {
  for (const Banned& row : banned()) {
    const File file{"engine/base/x.cpp", fmt::format("int a;\n{}\n", row.example)};
    EXPECT_FALSE(banned_word_faults(file).empty()) << row.pattern;
    for (const std::string& place : row.allowed_in) {
      const File there{place.ends_with('/') ? place + "x.cpp" : place, file.text};
      EXPECT_TRUE(std::ranges::none_of(
          banned_word_faults(there),
          [&](const std::string& fault) { return fault.ends_with(row.instead); }))
          << row.pattern << " in " << place;
    }
  }
  EXPECT_TRUE(banned_word_faults({"engine/base/x.cpp", "// never std::cout\nint a;\n"}).empty());
}

TEST(TidySelf, EveryLayerRefusesTheToolsAndItsOwnPackages) {
  for (const Layer& layer : layers()) {
    const std::string path = std::string(layer.name) + "/x.cpp";
    EXPECT_EQ(include_faults({path, "#include \"tools/main.h\"\n"}).empty(), layer.name == "tools");
    EXPECT_TRUE(include_faults({path, fmt::format("#include \"{}/y.h\"\n", layer.name)}).empty());
    EXPECT_FALSE(include_faults({path, "#include \"y.h\"\n"}).empty());
    for (const std::string_view package : owned_packages)
      EXPECT_EQ(include_faults({path, fmt::format("#include <{}y>\n", package)}).empty(),
                contains(layer.packages, package))
          << layer.name << " " << package;
  }
  EXPECT_FALSE(include_faults({"engine/base/x.h", "#include \"engine/message/uri.h\"\n"}).empty());
  EXPECT_FALSE(include_faults({"engine/transport/x.h", "#include <boost/asio.hpp>\n"}).empty());
  EXPECT_TRUE(include_faults({"engine/transport/x.cpp", "#include <boost/asio.hpp>\n"}).empty());
  EXPECT_FALSE(include_faults({"nowhere/x.cpp", ""}).empty());
}

TEST(TidySelf, TheOtherRulesCanFail) {
  EXPECT_FALSE(unfinished_faults({"engine/base/x.cpp", "// TODO: later\n"}).empty());
  EXPECT_FALSE(path_faults({"README.md", "see /home/me/x\n"}, "/a/b").empty());
  EXPECT_FALSE(path_faults({"README.md", "see /a/b/c\n"}, "/a/b").empty());
  EXPECT_TRUE(path_faults({"README.md", "see /usr/bin\n"}, "/a/b").empty());
  EXPECT_FALSE(name_faults({"engine/base/BadName.cpp", ""}).empty());
  EXPECT_FALSE(name_faults({"engine/base/x.h", "int a;\n"}).empty());
  EXPECT_TRUE(name_faults({"engine/base/x.h", "// x\n#pragma once\n"}).empty());

  const File good{"scenarios/rfc1/A-1.xml", "<scenario id=\"A-1\" breaks=\"x\">"};
  EXPECT_TRUE(scenario_faults({good}).empty());
  EXPECT_FALSE(scenario_faults({good, {"scenarios/rfc1/b/A-1.xml", good.text}}).empty());
  EXPECT_FALSE(scenario_faults({{"scenarios/rfc1/B.xml", good.text}}).empty());
  const File table{"scenarios/rfc1/RFC1@all.xml", "<scenario id=\"RFC1-${s}-1\" breaks=\"x\">"};
  EXPECT_TRUE(scenario_faults({table}).empty());
  EXPECT_FALSE(scenario_faults({{"scenarios/rfc1/RFC2@all.xml", table.text}}).empty());
  EXPECT_FALSE(scenario_faults({{"scenarios/rfc1/A-1.xml", "<scenario id=\"A-1\">"}}).empty());
  EXPECT_FALSE(scenario_faults({{"scenarios/rfc1/A-1.xml", "<scenario breaks=\"x\">"}}).empty());
}

}  // namespace
}  // namespace sipassay
