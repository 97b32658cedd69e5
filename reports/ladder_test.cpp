#include "reports/ladder.h"

#include <gtest/gtest.h>

#include "reports/testdata/sample.h"

namespace sipassay::reports {
namespace {

TEST(Label, SaysWhatOneWantsToSee) {
  EXPECT_EQ(label("INVITE sip:a SIP/2.0\r\nc: application/sdp\r\n\r\n"), "INVITE (SDP)");
  EXPECT_EQ(label("SIP/2.0 183 Session Progress\r\nCSEQ : 1 INVITE\r\nrseq: 7\r\n\r\n"),
            "183 Session Progress (INVITE, RSeq 7)");
  EXPECT_EQ(label("PRACK sip:a SIP/2.0\r\nRAck: 7 1 INVITE\r\n\r\n"), "PRACK (RAck 7 1 INVITE)");
  EXPECT_EQ(label("\r\n\r\n"), "(keep-alive)");
  EXPECT_EQ(label(""), "(nothing)");
  EXPECT_EQ(label("SIP/2.0"), "SIP/2.0");
  EXPECT_EQ(label("BYE\r\n\r\nCSeq: 1 x\r\n"), "BYE");
}

std::vector<bool> marks(std::string_view octets, std::string_view header) {
  std::vector<bool> out;
  for (const MessageLine& line : lines(octets, header)) out.push_back(line.is_marked);
  return out;
}

TEST(Lines, MarkEveryFormOfTheHeader) {
  const char* message = "BYE a SIP/2.0\r\nVIA: x\r\n y\r\nTo: z\r\nv: w\r\n\r\nVia: body";
  EXPECT_EQ(marks(message, "Via"),
            (std::vector<bool>{false, true, true, false, true, false, false}));
  EXPECT_EQ(marks(message, "v"), (std::vector<bool>{false, true, true, false, true, false, false}));
  EXPECT_EQ(marks(message, ""), std::vector<bool>(7, false));
  EXPECT_EQ(marks(message, "start-line"),
            (std::vector<bool>{true, false, false, false, false, false, false}));
  EXPECT_EQ(marks(message, "body"),
            (std::vector<bool>{false, false, false, false, false, false, true}));
}

TEST(Lines, MarkAnUnknownHeaderByName) {
  EXPECT_EQ(marks("A b C\nX-Y: 1\nx-y: 2\n", "X-Y"), (std::vector<bool>{false, true, true}));
}

TEST(Ladder, PutsTheSutBetweenThePeers) {
  const Ladder drawn = ladder(testdata::hostile_case());
  ASSERT_EQ(drawn.parties.size(), 4U);
  EXPECT_EQ(drawn.parties[0], "peer");
  EXPECT_EQ(drawn.parties[1], "sut");
  EXPECT_EQ(drawn.parties[2], "peer2");
  ASSERT_EQ(drawn.arrows.size(), 4U);
  EXPECT_FALSE(drawn.arrows[0].is_offending);
  EXPECT_TRUE(drawn.arrows[3].is_offending);
}

TEST(Ladder, AnOffendingMessageThatDoesNotExistIsNoHarm) {
  runner::CaseResult result = testdata::failing_case();
  result.offending = 99;
  for (const Arrow& arrow : ladder(result).arrows) EXPECT_FALSE(arrow.is_offending);
}

TEST(Seconds, HaveThreeDecimals) {
  EXPECT_EQ(seconds(0us), "0.000");
  EXPECT_EQ(seconds(1234567us), "1.234");
  EXPECT_EQ(seconds(-1500ms), "-1.500");
}

}  // namespace
}  // namespace sipassay::reports
