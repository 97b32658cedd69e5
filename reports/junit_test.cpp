#include "reports/junit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "reports/testdata/sample.h"

namespace sipassay::reports {
namespace {

using testing::HasSubstr;

std::string rendered(const runner::RunResult& result, const RenderOptions& options = {}) {
  std::string out;
  render_junit(result, options, out);
  return out;
}

// True when xmllint finds that the document keeps reports/junit.xsd.
bool is_valid(const std::string& document) {
  const std::string path = testing::TempDir() + "junit_test." + std::to_string(getpid()) + ".xml";
  std::ofstream(path, std::ios::binary) << document;
  const std::string command = "xmllint --nonet --noout --schema '" +
                              std::string(SIPASSAY_SOURCE_DIR) + "/reports/junit.xsd' '" + path +
                              "' >/dev/null 2>&1";
  const int status = std::system(command.c_str());
  std::remove(path.c_str());
  return status == 0;
}

TEST(Junit, KeepsItsSchema) {
  EXPECT_TRUE(is_valid(rendered(testdata::sample())));
  EXPECT_TRUE(is_valid(rendered({})));
}

TEST(Junit, TheSchemaRefusesWhatItMust) {
  std::string document = rendered(testdata::sample());
  document.replace(document.find("<failure "), 9, "<problem ");
  EXPECT_FALSE(is_valid(document));
  EXPECT_FALSE(is_valid("<testsuites/>"));
}

TEST(Junit, FilesEveryOutcomeWhereCiLooksForIt) {
  const std::string document = rendered(testdata::sample());
  EXPECT_THAT(document, HasSubstr("tests=\"11\" failures=\"3\" errors=\"1\" skipped=\"3\""));
  EXPECT_THAT(document, HasSubstr("<failure type=\"FAIL\" message=\"a PRACK came"));
  EXPECT_THAT(document, HasSubstr("<failure type=\"CRASH\""));
  EXPECT_THAT(document, HasSubstr("<failure type=\"XPASS\""));
  EXPECT_THAT(document, HasSubstr("<error type=\"ERROR\" message=\"trigger exited 1\">"));
  EXPECT_THAT(document, HasSubstr("<skipped message=\"UNSUPPORTED: Allow has no PRACK\"/>"));
  EXPECT_THAT(document,
              HasSubstr("<skipped message=\"XFAIL: FAIL CRASH expected by stack.xml:12 (RFC "
                        "3515 section 2.4.2): no NOTIFY follows"));
  EXPECT_THAT(document, HasSubstr("<system-out>NON-STRICT: no Contact in the 180</system-out>"));
  EXPECT_THAT(document,
              HasSubstr("<testcase classname=\"RFC3262.4\" name=\"RFC3262-4-8 A reliable"));
}

TEST(Junit, StrictMakesNonStrictAFailure) {
  EXPECT_THAT(rendered(testdata::sample(), {.is_strict = true}),
              HasSubstr("<failure type=\"NON-STRICT\""));
}

}  // namespace
}  // namespace sipassay::reports
