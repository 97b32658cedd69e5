#include "fuzz/support.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>
#include <string>

#include "engine/message/header_id.h"
#include "fuzz/counters.h"
#include "fuzz/sequence.h"

namespace sipassay::fuzz {
namespace {

TEST(Trace, TellsInputsApartAndNothingElse) {
  const auto of = [](std::string_view a, std::string_view b) {
    Trace trace;
    trace.begin();
    trace.add(a);
    trace.add(b);
    return trace.hash();
  };
  EXPECT_EQ(of("ab", "c"), of("ab", "c"));
  EXPECT_NE(of("ab", "c"), of("a", "bc"));
  EXPECT_NE(of("", ""), of("", "a"));
}

TEST(Counters, StandInTheSectionThatTheFuzzerReads) {
  EXPECT_EQ(counted_octets(), state_counters);
}

TEST(Fuzz, ABrokenPropertyAborts) {
  EXPECT_DEATH(check(false, "a property", "detail"), "broken property: a property");
  check(true, "a property");
}

constexpr std::array<std::string_view, 3> some_verbs{"send", "tick", "drop"};

TEST(Script, ReadsVerbsAndNumbers) {
  Script script("# comment\n\nsend 1 22 x3 4y\ntick 500\n", some_verbs);
  const auto send = script.next();
  ASSERT_TRUE(send);
  EXPECT_EQ(send->verb, 0U);
  EXPECT_EQ(send->number, (std::array<std::uint64_t, 4>{1, 22, 0, 4}));
  EXPECT_EQ(send->text, "1 22 x3 4y");
  EXPECT_EQ(send->word(2), "x3");
  EXPECT_EQ(send->word(4), "");
  const auto tick = script.next();
  ASSERT_TRUE(tick);
  EXPECT_EQ(tick->verb, 1U);
  EXPECT_EQ(tick->number[0], 500U);
  EXPECT_FALSE(script.next());
}

TEST(Script, IsTotal) {
  std::size_t count = 0;
  for (unsigned octet = 0; octet < 256; ++octet) {
    const std::string text(3, static_cast<char>(octet));
    Script script(text, some_verbs);
    while (const auto operation = script.next()) {
      EXPECT_LT(operation->verb, some_verbs.size());
      ++count;
    }
  }
  EXPECT_EQ(count, 254U);  // all but "#" and line feed
  EXPECT_EQ(Script("send 99999999999999999999999", some_verbs).next()->number[1], 0U);
}

TEST(Script, EndsAtItsLimit) {
  std::string text;
  for (std::size_t i = 0; i < operations_max + 1; ++i) text += "tick\n";
  Script script(text, some_verbs);
  std::size_t count = 0;
  while (script.next()) ++count;
  EXPECT_EQ(count, operations_max);
}

TEST(Dictionary, NamesEveryHeaderField) {
  std::ifstream in(std::string(SIPASSAY_SOURCE_DIR) + "/fuzz/sip.dict");
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  std::size_t count = 0;
  for (std::size_t i = 1; i < header_id_count; ++i) {
    const auto id = static_cast<HeaderId>(i);
    EXPECT_NE(text.find("\"\\x0d\\x0a" + std::string(header_name(id)) + ": \""), std::string::npos)
        << header_name(id);
    if (!compact_name(id).empty()) {
      EXPECT_NE(text.find("\"\\x0d\\x0a" + std::string(compact_name(id)) + ":\""),
                std::string::npos)
          << compact_name(id);
    }
    ++count;
  }
  EXPECT_GT(count, 60U);
}

}  // namespace
}  // namespace sipassay::fuzz
