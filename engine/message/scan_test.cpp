// The blocks that texts are read in: every variant gives what one octet at a time gives.
#include "engine/message/scan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/base/rng.h"
#include "engine/message/line_index.h"

namespace sipassay {
namespace {

using namespace std::string_view_literals;

void expect_same_masks(const char* at) {
  EXPECT_EQ(scan::alnum(at), scan::portable::alnum(at));
  EXPECT_EQ(scan::common(at), scan::portable::common(at));
  EXPECT_EQ(scan::digits(at), scan::portable::digits(at));
  EXPECT_EQ(scan::no_delimiter(at), scan::portable::no_delimiter(at));
  EXPECT_EQ(scan::hex(at), scan::portable::hex(at));
  EXPECT_EQ(scan::plain_quoted(at), scan::portable::plain_quoted(at));
  for (const char c : ":.-\0\xff"sv) EXPECT_EQ(scan::equal(at, c), scan::portable::equal(at, c));
}

TEST(Scan, TellsEveryOctetInEveryPlaceAsTheTablesDo) {
  for (std::size_t place = 0; place < scan::block; ++place)
    for (unsigned octet = 0; octet < 256; ++octet) {
      std::string octets(scan::block, 'a');
      octets[place] = static_cast<char>(octet);
      SCOPED_TRACE(octet);
      expect_same_masks(octets.data());
    }
}

TEST(Scan, TellsRandomBlocksAsTheTablesDo) {
  Rng rng(1);
  for (int i = 0; i < 2000; ++i) {
    std::string octets;
    for (std::size_t j = 0; j < scan::block; ++j)
      octets += static_cast<char>(rng.percent(50) ? rng.between(0x20, 0x7e) : rng.between(0, 255));
    SCOPED_TRACE(octets);
    expect_same_masks(octets.data());
  }
}

// The octets, and behind them slack that must make no difference.
std::string with_slack(std::string_view octets, char filler) {
  return std::string(octets) + std::string(slack_octets, filler);
}

TEST(Scan, EndsARunWhereTheClassOrTheTextEnds) {
  for (std::size_t size = 0; size <= 3 * scan::block; ++size)
    for (const std::string_view other : {"", ";", "%", " "})
      for (const char filler : {'a', '\0', ';'}) {
        const std::string text = std::string(size, 'a') + std::string(other);
        const std::string octets = with_slack(text, filler);
        const char* const end = octets.data() + text.size();
        const auto expected = static_cast<std::ptrdiff_t>(other == "%" ? size + 1 : size);
        EXPECT_EQ(scan::behind(octets.data(), end, chars::Token) - octets.data(), expected);
        EXPECT_EQ(scan::behind_long(octets.data(), end, chars::Token) - octets.data(), expected);
      }
}

TEST(Scan, ReadsNumbersOfOneToSevenDigits) {
  for (const std::string_view text : {"0", "7", "10", "255", "65535", "0068", "0000000", "9999999"})
    for (const std::string_view next : {"", " ", ";", ":", "/", "\xff", "a"})
      for (const char filler : {'9', '\0', ' '}) {
        const std::string whole = std::string(text) + std::string(next);
        const std::string octets = with_slack(whole, filler);
        const auto number = scan::number(octets.data(), octets.data() + whole.size());
        EXPECT_EQ(number.size, text.size()) << whole;
        EXPECT_EQ(number.value, std::stoul(std::string(text))) << whole;
      }
  for (const std::string_view text :
       {"", "a1", "/1", ":", "\xb1", "12345678", "4294967295", "000000001"}) {
    const std::string octets = with_slack(text, '1');
    EXPECT_EQ(scan::number(octets.data(), octets.data() + text.size()).size, 0U) << text;
  }
}

TEST(Scan, JudgesEveryOctetBesideANumber) {
  for (unsigned octet = 0; octet < 256; ++octet) {
    const std::string octets = with_slack("42" + std::string(1, static_cast<char>(octet)), '7');
    const bool is_digit = octet >= '0' && octet <= '9';
    const auto number = scan::number(octets.data(), octets.data() + 3);
    EXPECT_EQ(number.size, is_digit ? 3U : 2U) << octet;
    EXPECT_EQ(number.value, is_digit ? 420 + octet - '0' : 42U) << octet;
  }
}

// --- lines

void expect_same_lines(const std::string& text) {
  LineIndex expected, found;
  const std::string octets = with_slack(text, '\n');
  const bool is_usual = index_lines_portable(octets.data(), text.size(), expected);
  for (const LineIndexer& indexer : line_indexers()) {
    SCOPED_TRACE(std::string(indexer.name) + ": " + text);
    ASSERT_EQ(indexer.index(octets.data(), text.size(), found), is_usual);
    if (!is_usual) continue;
    ASSERT_EQ(found.count, expected.count);
    for (std::size_t i = 0; i < found.count; ++i) ASSERT_EQ(found.ends[i], expected.ends[i]);
  }
}

TEST(LineIndex, IsTheSameHoweverManyOctetsAreReadAtOnce) {
  EXPECT_FALSE(line_indexers().empty());
  Rng rng(2);
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (auto lines = rng.between(0, 8); lines != 0; --lines) {
      text += std::string(rng.between(0, 70), 'x');
      text += rng.percent(97) ? "\r\n" : rng.percent(50) ? "\n" : "\r";
    }
    if (rng.percent(90)) text += "\r\n";
    if (rng.percent(50)) text += "body\n\r\r\nbody";
    expect_same_lines(text);
  }
}

TEST(LineIndex, KeepsItsLimit) {
  std::string text;
  for (std::size_t i = 0; i + 1 < LineIndex::lines_max; ++i) text += "x\r\n";
  expect_same_lines(text + "\r\n");
  expect_same_lines(text + "x\r\n\r\n");
}

}  // namespace
}  // namespace sipassay
