// The suite against the engine that it came with: every case holds, and every case can fail.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "engine/runner/misbehaviour.h"
#include "engine/runner/run.h"
#include "scenarios/coverage.h"
#include "scenarios/load.h"

namespace sipassay::scenarios {
namespace {

using runner::Case;
using runner::Outcome;

runner::EmbeddedOptions options(std::optional<Transport> transport = {}) {
  runner::EmbeddedOptions out;
  out.run_seed = 7;
  out.transport = transport;
  return out;
}

const std::vector<Case>& suite() {
  static const std::vector<Case> cases =
      load_tree(std::string(SIPASSAY_SOURCE_DIR) + "/scenarios").cases;
  return cases;
}

std::string describe(const runner::CaseResult& result) {
  std::string out = fmt::format("{} {}: {}", to_string(result.outcome), result.id, result.reason);
  if (!result.expected.empty()) out += "\n  expected " + result.expected;
  if (!result.observed.empty()) out += "\n  observed " + result.observed;
  return out + fmt::format("\n  {}:{}", result.file, result.line);
}

TEST(Suite, HasEnoughCases) {
  std::set<std::string> rows;
  for (const auto& one : suite()) rows.insert(one.rows.begin(), one.rows.end());
  RecordProperty("cases", static_cast<int>(suite().size()));
  RecordProperty("rows", static_cast<int>(rows.size()));
  EXPECT_GE(suite().size(), 1200U);
  EXPECT_GE(rows.size(), 800U);
}

// A row that no case is about says why.
TEST(Suite, CoversEachRowOrSaysWhyNot) {
  const std::string root = std::string(SIPASSAY_SOURCE_DIR) + "/scenarios";
  Problems problems;
  const auto catalogue = Catalogue::read(root + "/requirements.tsv", problems);
  ASSERT_TRUE(catalogue);
  const auto reasons = read_reasons(root + "/uncovered.tsv", *catalogue, problems);
  for (const auto& error : problems.take()) ADD_FAILURE() << to_string(error);

  std::size_t rows = 0, covered = 0, musts = 0, covered_musts = 0;
  for (const auto& one : coverage_of(*catalogue, suite(), reasons)) {
    EXPECT_TRUE(!one.cases.empty() || !one.reason.empty()) << one.row->id;
    EXPECT_FALSE(!one.cases.empty() && reasons.contains(one.row->id))
        << one.row->id << " has a case";
    const bool is_must = one.row->level == Level::Must || one.row->level == Level::MustNot;
    ++rows;
    covered += !one.cases.empty();
    musts += is_must;
    covered_musts += is_must && !one.cases.empty();
  }
  RecordProperty("covered", static_cast<int>(covered));
  EXPECT_GE(covered * 100, rows * 70);
  EXPECT_GE(covered_musts * 100, musts * 70);
}

TEST(Suite, HoldsAgainstTheEmbeddedEngine) {
  for (const auto& one : suite())
    for (const auto transport : one.transports) {
      if (transport != Transport::Udp && transport != Transport::Tcp) continue;
      const auto result = run_embedded(one, options(transport));
      EXPECT_TRUE(result.outcome == Outcome::Pass || result.outcome == Outcome::Info)
          << describe(result);
    }
}

TEST(Suite, GivesTheSameTranscriptForTheSameSeed) {
  for (const auto& one : suite()) {
    const auto first = run_embedded(one, options());
    const auto second = run_embedded(one, options());
    ASSERT_EQ(first.messages.size(), second.messages.size()) << one.id;
    for (std::size_t i = 0; i < first.messages.size(); ++i) {
      EXPECT_EQ(first.messages[i].octets, second.messages[i].octets) << one.id;
      EXPECT_EQ(first.messages[i].at, second.messages[i].at) << one.id;
    }
  }
}

TEST(Suite, EveryCaseHasTeeth) {
  for (const auto& one : suite()) {
    EXPECT_FALSE(one.breaks.empty()) << one.id << " names no misbehaviour";
    for (const auto& bite : teeth(one, options())) {
      EXPECT_TRUE(bite.is_known) << one.id << ": no misbehaviour " << bite.misbehaviour;
      EXPECT_TRUE(bite.has_bitten)
          << one.id << " does not notice " << bite.misbehaviour << ": " << describe(bite.result);
    }
  }
}

TEST(Suite, EveryMisbehaviourIsCaught) {
  std::set<std::string, std::less<>> named;
  for (const auto& one : suite()) named.insert(one.breaks.begin(), one.breaks.end());
  for (const auto& row : runner::misbehaviours())
    EXPECT_TRUE(named.contains(row.name)) << row.name << " is named by no case";
}

}  // namespace
}  // namespace sipassay::scenarios
