#include "scenarios/known.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/base/ascii.h"

namespace sipassay::scenarios {
namespace {

using runner::Outcome;

const std::string folder = std::string(SIPASSAY_SOURCE_DIR) + "/scenarios";

std::string known(std::string_view cases) {
  return fmt::format(R"(<known xmlns="urn:sipassay:known:1" stack="s" version="1">
{}
</known>)",
                     cases);
}

std::string error_of(const std::string& xml) {
  const auto loaded = load_known_text(xml, "k.xml");
  EXPECT_TRUE(loaded.cases.empty() || loaded.errors.empty());
  return loaded.errors.empty() ? "" : to_string(loaded.errors[0]);
}

TEST(Known, ReadsPatternsOutcomesClausesAndReasons) {
  const auto loaded = load_known_file(folder + "/testdata/known.xml");
  ASSERT_TRUE(loaded.errors.empty()) << to_string(loaded.errors[0]);
  ASSERT_EQ(loaded.cases.size(), 3U);
  const KnownCase& first = loaded.cases[0];
  EXPECT_EQ(first.pattern, "RFC3515-2.4.2-2");
  EXPECT_EQ(first.outcomes, std::vector{Outcome::Fail});
  EXPECT_EQ(first.observed, "no NOTIFY*");
  EXPECT_EQ(first.clause, "RFC 3515 section 2.4.2");
  EXPECT_EQ(first.reason, "No NOTIFY follows the 202.");
  EXPECT_EQ(first.line, 2U);
  EXPECT_EQ(loaded.cases[1].clause, "");
  EXPECT_EQ(loaded.cases[1].outcomes, (std::vector{Outcome::NonStrict, Outcome::Error}));
  EXPECT_EQ(loaded.cases[2].outcomes, (std::vector{Outcome::Pass, Outcome::Fail, Outcome::Crash}));
}

TEST(Known, SaysWhereAndWhatIsWrong) {
  struct Row {
    std::string xml;
    const char* error;
  };
  const Row rows[] = {
      {"<scenario/>", "k.xml:1:1: expected <known>; found <scenario>"},
      {"<known/>", "k.xml:1:1: expected \"urn:sipassay:known:1\"; found \"\""},
      {R"(<known xmlns="urn:sipassay:known:1" version="1"/>)",
       "k.xml:1:1: expected attribute stack; found <known> without it"},
      {R"(<known xmlns="urn:sipassay:known:1" stack="s" version="1" os="x"/>)",
       "k.xml:1:59: expected one of xmlns, stack, version; found attribute os"},
      {known("<kase/>"), "k.xml:2:1: expected one of case; found <kase>"},
      {known(R"(<case outcome="FAIL">r</case>)"),
       "k.xml:2:1: expected attribute match; found <case> without it"},
      {known(R"(<case match="" outcome="FAIL">r</case>)"),
       "k.xml:2:7: expected a pattern; found none"},
      {known(R"(<case match="a">r</case>)"),
       "k.xml:2:1: expected attribute outcome; found <case> without it"},
      {known(R"(<case match="a" outcome="XFAIL">r</case>)"),
       "k.xml:2:17: expected PASS, NON-STRICT, FLAKY, ERROR, FAIL or CRASH; found \"XFAIL\""},
      {known(R"(<case match="a" outcome="FAIL UNSUPPORTED">r</case>)"),
       "k.xml:2:17: expected PASS, NON-STRICT, FLAKY, ERROR, FAIL or CRASH; found \"UNSUPPORTED\""},
      {known(R"(<case match="a" outcome="PASS">r</case>)"),
       "k.xml:2:17: expected an outcome besides PASS; found none"},
      {known(R"(<case match="a" outcome="">r</case>)"),
       "k.xml:2:17: expected an outcome besides PASS; found none"},
      {known(R"(<case match="a" outcome="FAIL"> </case>)"),
       "k.xml:2:1: expected the reason in a sentence; found an empty <case>"},
      {known(R"(<case match="a" outcome="FAIL" rfc="3261">r</case>)"),
       "k.xml:2:1: expected both rfc and section, or neither; found one of them"},
      {known(R"(<case match="a" outcome="FAIL" rfc="0" section="1">r</case>)"),
       "k.xml:2:32: expected a number from 1 to 65535; found \"0\""},
      {known("<case match=\"a\" outcome=\"FAIL\">r</case>\n<case match=\"a\" "
             "outcome=\"FAIL\">r</case>"),
       "k.xml:3:7: expected a pattern that no other <case> has; found \"a\""},
      {known(R"(<case match="a" outcome="FAIL">r<b/></case>)"),
       "k.xml:2:33: expected text in <case>; found <b>"},
      {known(R"(<!DOCTYPE x>)"), ""},
  };
  for (const Row& row : rows) {
    const std::string error = error_of(row.xml);
    if (*row.error == 0)
      EXPECT_NE(error, "") << row.xml;
    else
      EXPECT_EQ(error, row.error) << row.xml;
  }
}

TEST(Known, HasALimitOfCasesAndOfOctets) {
  std::string cases;
  for (std::size_t i = 0; i < known_cases_max; ++i)
    cases += fmt::format("<case match='{}' outcome='FAIL'>r</case>\n", i);
  EXPECT_EQ(load_known_text(known(cases), "k.xml").cases.size(), known_cases_max);
  EXPECT_EQ(error_of(known(cases + "<case match='more' outcome='FAIL'>r</case>")),
            fmt::format("k.xml:{}:1: expected at most {} cases; found more", known_cases_max + 2,
                        known_cases_max));
  const std::string empty = known("");
  EXPECT_EQ(error_of(empty + std::string(file_octets_max - empty.size(), ' ')), "");
  EXPECT_NE(error_of(empty + std::string(file_octets_max - empty.size() + 1, ' ')), "");
}

TEST(Known, AFileThatIsNotThereIsAnError) {
  EXPECT_EQ(load_known_file(folder + "/testdata/nowhere.xml").errors.size(), 1U);
}

}  // namespace
}  // namespace sipassay::scenarios
