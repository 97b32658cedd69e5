#include "reports/escape.h"

#include <gtest/gtest.h>

#include "reports/testdata/sample.h"

namespace sipassay::reports {
namespace {

using namespace std::string_literals;

TEST(Printable, KeepsText) {
  EXPECT_EQ(printable("Grüße 📞"), "Grüße 📞");
}

TEST(Printable, ShowsWhatCannotBeShown) {
  struct Row {
    std::string octets, shown;
  };
  const Row rows[] = {
      {"a\0b"s, "a\\x00b"},
      {"\x1b[31m", "\\x1b[31m"},
      {"\x7f", "\\x7f"},
      {"a\r\nb\tc", "a\\r\\nb\\tc"},
      {"\xff", "\\xff"},
      {"\xc3", "\\xc3"},                             // cut short
      {"\xc0\x80", "\\xc0\\x80"},                    // overlong NUL
      {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},           // overlong
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // above U+10FFFF
      {"\xc2\x85", "\\u{0085}"},                     // C1
      {"\xe2\x80\xae", "\\u{202e}"},                 // right-to-left override
      {"\xef\xbf\xbf", "\\u{ffff}"},                 // no character of XML
  };
  for (const Row& row : rows) EXPECT_EQ(printable(row.octets), row.shown);
}

TEST(Printable, LeavesItsOwnOutputAlone) {
  const std::string once = printable(testdata::hostile());
  EXPECT_EQ(printable(once), once);
}

TEST(PrintableLines, KeepsLinesOnly) {
  EXPECT_EQ(printable_lines("a\r\nb\nc\rd\te"), "a\nb\nc\\rd\te");
}

TEST(Markup, IsInert) {
  EXPECT_EQ(markup("<a href='x' b=\"y\">&\0"s),
            "&lt;a href=&#39;x&#39; b=&quot;y&quot;&gt;&amp;\\x00");
}

TEST(Base64, RoundTripsEveryLength) {
  std::string octets;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(from_base64(base64(octets)), octets);
    octets += static_cast<char>(i * 7);
  }
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");  // RFC 4648 10
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
}

TEST(Base64, RefusesWhatIsNot) {
  for (const char* text : {"a", "abc", "ab=c", "====", "a===", "ab!d", "Zm9v\n"})
    EXPECT_FALSE(from_base64(text)) << text;
}

}  // namespace
}  // namespace sipassay::reports
