#include "fuzz/mutate.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "engine/message/parse.h"

namespace sipassay::fuzz {
namespace {

constexpr std::string_view invite =
    "INVITE sip:bob@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport\r\n"
    "From: <sip:alice@example.com>;tag=1\r\n"
    "To: <sip:bob@example.com>\r\n"
    "Call-ID: 1@192.0.2.1\r\n"
    "CSeq: 1 INVITE\r\n"
    "Max-Forwards: 70\r\n"
    "Contact: <sip:alice@192.0.2.1>\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 5\r\n"
    "\r\n"
    "v=0\r\n";
constexpr std::array<std::string_view, 3> some_verbs{"send", "tick", "drop"};

TEST(MutateMessage, IsDeterministicBoundedAndVaried) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const auto once = mutate_message(invite, 700, Rng(seed));
    EXPECT_EQ(once, mutate_message(invite, 700, Rng(seed)));
    EXPECT_LE(once.size(), 700U);
    seen.insert(once);
  }
  EXPECT_GT(seen.size(), 1200U);
}

TEST(MutateMessage, KeepsMostMessagesParsable) {
  std::size_t parsed = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed)
    parsed += parse_message(mutate_message(invite, 100'000, Rng(seed))) ? 1U : 0U;
  EXPECT_GT(parsed, 400U);  // deep code is reached
  EXPECT_LT(parsed, 900U);  // and so are errors
}

TEST(MutateMessage, TakesAnything) {
  for (const std::string_view text : {std::string_view(), std::string_view("\0", 1),
                                      std::string_view("\r\n\r\n"), std::string_view("x")})
    for (std::uint64_t seed = 0; seed < 500; ++seed)
      EXPECT_LE(mutate_message(text, 64, Rng(seed)).size(), 64U);
}

TEST(RepairMessage, FitsContentLengthAndCSeq) {
  std::string broken(invite);
  broken.replace(0, 6, "BYE");
  broken += "more";
  const auto repaired = repair_message(broken);
  const auto message = parse_message(repaired);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->raw(HeaderId::ContentLength), "9");
  EXPECT_EQ(message->raw(HeaderId::CSeq), "1 BYE");
  EXPECT_EQ(repair_message(repaired), repaired);
  EXPECT_EQ(repair_message(broken, {.content_length = false, .cseq_method = false}), broken);
}

TEST(MutateScript, IsDeterministicBoundedAndStaysAScript) {
  constexpr std::string_view script = "send 1 2\ntick 500\ndrop 0";
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const auto once = mutate_script(script, some_verbs, 60, Rng(seed));
    EXPECT_EQ(once, mutate_script(script, some_verbs, 60, Rng(seed)));
    EXPECT_LE(once.size(), 60U);
    seen.insert(once);
  }
  EXPECT_GT(seen.size(), 300U);
  for (std::uint64_t seed = 0; seed < 200; ++seed)
    EXPECT_LE(mutate_script("", some_verbs, 60, Rng(seed)).size(), 60U);
}

TEST(CrossScripts, CutsBetweenOperations) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto crossed = cross_scripts("a 1\na 2", "b 1\nb 2\n", 100, Rng(seed));
    Script script(crossed, some_verbs);
    while (const auto operation = script.next())
      EXPECT_TRUE(operation->text == "1" || operation->text == "2") << crossed;
  }
}

TEST(Ladders, AreNotEmpty) {
  EXPECT_EQ(number_ladder().size(), 34U);
  EXPECT_EQ(length_ladder().size(), 12U);
}

}  // namespace
}  // namespace sipassay::fuzz
