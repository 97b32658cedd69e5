#include "tools/selection.h"

#include <gtest/gtest.h>

namespace sipassay::tools {
namespace {

TEST(Matches, AnIdItsPrefixesAndGlobs) {
  struct Row {
    const char* pattern;
    const char* id;
    bool fits;
  };
  const Row rows[] = {
      {"RFC3262-4-8", "RFC3262-4-8", true},
      {"RFC3262", "RFC3262-4-8", true},
      {"RFC3262-4", "RFC3262-4-8", true},
      {"RFC3262-4-", "RFC3262-4-8", true},
      {"RFC326", "RFC3262-4-8", false},
      {"RFC3261-1", "RFC3261-17.1.1-2", false},
      {"RFC3261-17", "RFC3261-17.1.1-2", true},
      {"RFC3261-17.1", "RFC3261-17.1.1-2", true},
      {"RFC3261-8.1.1-4", "RFC3261-8.1.1-4@cseq-missing", true},
      {"RFC3262-4-8", "RFC3262-4-81", false},
      {"RFC326?-4-8", "RFC3262-4-8", true},
      {"*-4-8", "RFC3262-4-8", true},
      {"*-4", "RFC3262-4-8", false},
      {"[!x]*", "RFC3262-4-8", true},
      {"", "RFC3262-4-8", false},
      {"RFC3262-4-8-9", "RFC3262-4-8", false},
  };
  for (const Row& row : rows)
    EXPECT_EQ(matches(row.pattern, std::string_view(row.id)), row.fits)
        << row.pattern << " " << row.id;
}

TEST(Matches, ACaseByTheRowsThatItCovers) {
  runner::Case one;
  one.id = "LOCAL-x-1";
  one.rows = {"RFC3261-7-1", "RFC3262-4-8"};
  EXPECT_TRUE(matches("RFC3262", one));
  EXPECT_TRUE(matches("LOCAL", one));
  EXPECT_FALSE(matches("RFC3515", one));
}

}  // namespace
}  // namespace sipassay::tools
