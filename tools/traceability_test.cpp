// Holds the tables that say which requirement has which test to the tree: every test and scenario
// that they name exists, ids leave no gap, and a status says what it must.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tools/source_tree.h"

namespace sipassay {
namespace {

using Strings = std::vector<std::string>;

struct Table {
  std::string_view path;
  char letter;        // of its ids: G001
  std::size_t last;   // number of the last row, so that none is lost unseen
  std::size_t cells;  // of a row: the id first; then text; held by, status last
};
constexpr std::array tables{Table{"engine/session/GAPS.md", 'G', 137, 5},
                            Table{"engine/session/BEHAVIOURS.md", 'B', 132, 4}};

// What may be named in a table.
struct Names {
  std::set<std::string, std::less<>> tests;  // "Suite.Name" and "Suite.*"
  std::set<std::string, std::less<>> scenarios;
};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = text.find(at);
    out.push_back(trimmed(text.substr(0, end)));
    if (end != std::string_view::npos) text.remove_prefix(end + 1);
  }
  return out;
}

void add_tests(std::string_view text, Names& names) {
  for (std::string_view line : split(text, '\n')) {
    for (const std::string_view macro : {"TEST(", "TEST_F(", "TEST_P(", "TYPED_TEST("}) {
      if (!line.starts_with(macro)) continue;
      line = line.substr(macro.size(), line.find(')') - macro.size());
      const auto parts = split(line, ',');
      if (parts.size() != 2) break;
      names.tests.insert(fmt::format("{}.{}", parts[0], parts[1]));
      names.tests.insert(fmt::format("{}.*", parts[0]));
      break;
    }
  }
}

Names names_of(const std::vector<File>& files) {
  Names names;
  for (const File& file : files) {
    const std::string_view path = file.path;
    if (path.ends_with("_test.cpp")) add_tests(file.text, names);
    const bool is_part = path.find("/flows/") != path.npos || path.find("/testdata/") != path.npos;
    if (!path.starts_with("scenarios/") || !path.ends_with(".xml") || is_part) continue;
    const std::size_t name = path.rfind('/') + 1;
    names.scenarios.emplace(
        path.substr(name, path.size() - name - std::string_view(".xml").size()));
  }
  return names;
}

// The names of a "held by" cell: each in backquotes, commas between; {} and a fault if it is not
// so.
Strings held_by(std::string_view cell, std::string& fault) {
  Strings out;
  if (cell.empty()) return out;
  for (const std::string_view name : split(cell, ',')) {
    const bool is_quoted = name.size() > 2 && name.starts_with('`') && name.ends_with('`');
    if (is_quoted)
      out.emplace_back(name.substr(1, name.size() - 2));
    else
      fault = fmt::format("\"{}\": names stand in backquotes with commas between", name);
  }
  return out;
}

std::string status_fault(std::string_view status, bool has_names) {
  const std::size_t colon = status.find(':');
  const std::string_view word = status.substr(0, colon);
  const bool has_reason =
      colon != std::string_view::npos && !trimmed(status.substr(colon + 1)).empty();
  if (word != "held" && word != "part" && word != "open" && word != "not applicable")
    return fmt::format("\"{}\" is no status: held, part, open, not applicable", word);
  if ((word == "held") == has_reason) return fmt::format("\"{}\": a reason, but for held", status);
  if ((word == "held" || word == "part") && !has_names)
    return fmt::format("{} by nothing: name a test or a scenario", word);
  if (word == "not applicable" && has_names) return "not applicable, but held by something";
  return {};
}

// "G075a" follows "G075" and "G076" follows both.
bool follows(std::string_view id, const std::string& previous, char letter) {
  std::size_t number = 0;
  for (std::size_t at = 1; at < 4 && at < previous.size(); ++at)
    number = number * 10 + static_cast<std::size_t>(previous[at] - '0');
  return id == fmt::format("{}{:03}", letter, number + 1) ||
         (previous.size() == 4 && id == previous + "a");
}

Strings row_faults(const std::vector<std::string_view>& cells, const Names& names) {
  Strings out;
  for (std::size_t i = 0; i + 2 < cells.size(); ++i)
    if (cells[i].empty()) out.push_back("an empty cell");
  std::string fault;
  const Strings named = held_by(cells[cells.size() - 2], fault);
  if (!fault.empty()) out.push_back(fault);
  for (const std::string& name : named)
    if (!names.tests.contains(name) && !names.scenarios.contains(name))
      out.push_back(fmt::format("there is no test and no scenario {}", name));
  fault = status_fault(cells.back(), !named.empty());
  if (!fault.empty()) out.push_back(fault);
  return out;
}

Strings table_faults(const Table& table, std::string_view text, const Names& names) {
  Strings out;
  std::string previous;
  std::size_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    if (!line.starts_with('|') || line.starts_with("|---") || line.starts_with("| id |")) continue;
    std::vector<std::string_view> cells = split(line, '|');
    const auto say = [&](std::string_view fault) {
      out.push_back(fmt::format("{}:{}: {}", table.path, number, fault));
    };
    if (cells.size() != table.cells + 2 || !cells.back().empty()) {
      say(fmt::format("{} cells a row", table.cells));
      continue;
    }
    cells = {cells.begin() + 1, cells.end() - 1};
    if (!follows(cells.front(), previous, table.letter))
      say(fmt::format("\"{}\" does not follow \"{}\"", cells.front(), previous));
    previous = cells.front();
    for (const std::string& fault : row_faults(cells, names)) say(fault);
  }
  if (!previous.starts_with(fmt::format("{}{:03}", table.letter, table.last)))
    out.push_back(fmt::format("{} ends with \"{}\"", table.path, previous));
  return out;
}

TEST(Traceability, EveryNameInTheTablesExists) {
  const Names names = names_of(tree());
  ASSERT_GT(names.tests.size(), 700U);
  ASSERT_GT(names.scenarios.size(), 200U);
  for (const Table& table : tables) {
    const auto file = std::ranges::find(tree(), table.path, &File::path);
    ASSERT_NE(file, tree().end()) << table.path;
    const Strings faults = table_faults(table, file->text, names);
    EXPECT_TRUE(faults.empty()) << fmt::format("{}", fmt::join(faults, "\n"));
  }
}

// --- the check can fail

constexpr Table sample_table{"T.md", 'G', 2, 5};

Strings faults_of(std::string_view second_row) {
  const Names names = names_of({
      {"engine/a_test.cpp",
       "TEST(Suite, Name) {\n}\nTYPED_TEST(Typed, OfEach) {\nTEST_P(P, Q) {\n"},
      {"scenarios/rfc1/RFC1-1-1@x.xml", ""},
      {"scenarios/flows/ring.xml", ""},
  });
  const std::string text = fmt::format(
      "# Title\n\n| id | clause | what | held by | status |\n|---|---|---|---|---|\n"
      "| G001 | 1 | what | `Suite.Name`, `RFC1-1-1@x` | held |\n{}\n",
      second_row);
  return table_faults(sample_table, text, names);
}

TEST(TraceabilitySelf, GoodRowsPass) {
  for (const std::string_view row : {
           "| G002 | 1 | what | `Suite.*`, `Typed.OfEach`, `P.Q` | part: the rest |",
           "| G002 | 1 | what | | open: why |",
           "| G002 | 1 | what | | not applicable: why |",
           "| G001a | 1 | what | `Suite.Name` | held |\n| G002 | 1 | what | `Suite.*` | held |",
       })
    EXPECT_TRUE(faults_of(row).empty()) << row << "\n"
                                        << fmt::format("{}", fmt::join(faults_of(row), "\n"));
}

TEST(TraceabilitySelf, EachBrokenRowIsCaught) {
  for (const std::string_view row : {
           "| G002 | 1 | what | `Suite.Other` | held |",
           "| G002 | 1 | what | `Other.*` | held |",
           "| G002 | 1 | what | `RFC1-1-1` | held |",
           "| G002 | 1 | what | `ring` | held |",
           "| G002 | 1 | what | Suite.Name | held |",
           "| G002 | 1 | what | `Suite.Name` `P.Q` | held |",
           "| G002 | 1 | what | `Suite.Name` | held: why |",
           "| G002 | 1 | what | | held |",
           "| G002 | 1 | what | | part: why |",
           "| G002 | 1 | what | `Suite.Name` | part |",
           "| G002 | 1 | what | | open |",
           "| G002 | 1 | what | | open: |",
           "| G002 | 1 | what | `Suite.Name` | not applicable: why |",
           "| G002 | 1 | what | `Suite.Name` | kept |",
           "| G002 | | what | `Suite.Name` | held |",
           "| G002 | 1 | `Suite.Name` | held |",
           "| G003 | 1 | what | `Suite.Name` | held |",
           "| B002 | 1 | what | `Suite.Name` | held |",
           "| G001 | 1 | what | `Suite.Name` | held |",
           "| G001a | 1 | what | `Suite.Name` | held |",
           "",
       })
    EXPECT_FALSE(faults_of(row).empty()) << row;
}

}  // namespace
}  // namespace sipassay
