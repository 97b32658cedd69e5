#include "engine/runner/misbehaviour.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/parse.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {
namespace {

constexpr std::string_view invite_text =
    "INVITE sip:auto@192.0.2.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKone\r\n"
    "From: \"A;tag=no\" <sip:a@192.0.2.2;tag=no>;tag=a\r\n"
    "To: <sip:auto@192.0.2.1>\r\n"
    "Call-ID: Call@192.0.2.2\r\n"
    "CSeq: 7 INVITE\r\n"
    "Contact: <sip:a@192.0.2.2>\r\n"
    "Content-Length: 0\r\n\r\n";

constexpr std::string_view ok_text =
    "SIP/2.0 200 OK\r\n"
    "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKone\r\n"
    "From: <sip:a@192.0.2.2>;tag=a\r\n"
    "To: <sip:auto@192.0.2.1>;tag=b\r\n"
    "Call-ID: Call@192.0.2.2\r\n"
    "CSeq: 7 INVITE\r\n"
    "Contact: <sip:auto@192.0.2.1:5060>\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 113\r\n\r\n"
    "v=0\r\no=- 1 5 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"
    "m=video 0 RTP/AVP 97\r\n";

Message message(std::string_view text) {
  std::string fitting(text);
  if (const auto body = fitting.find("\r\n\r\n"); body != std::string::npos) {
    const auto at = fitting.find("Content-Length: ");
    const auto end = fitting.find("\r\n", at);
    fitting.replace(at + 16, end - at - 16, std::to_string(fitting.size() - body - 4));
  }
  auto parsed = parse_message(fitting);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed ? *parsed : Message();
}

std::vector<Crossing> cross(Tap& tap, bool from_sut, std::string_view text, Duration at = {}) {
  return tap.cross({from_sut, message(text), {}}, Instant(at));
}

std::unique_ptr<Tap> tap(std::string_view name) {
  const auto* row = find_misbehaviour(name);
  EXPECT_NE(row, nullptr) << name;
  return row->make();
}

TEST(Misbehaviour, RowsHaveNamesOfTheirOwnAndClauses) {
  std::set<std::string_view> names;
  for (const auto& row : misbehaviours()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(std::ranges::all_of(row.name, [](char c) {
      return ascii::is_alnum(c) || c == '-';
    })) << row.name;
    EXPECT_GT(row.clause.rfc, 2000) << row.name;
    EXPECT_FALSE(row.clause.section.empty()) << row.name;
    EXPECT_FALSE(row.summary.empty()) << row.name;
    EXPECT_EQ(find_misbehaviour(row.name), &row);
  }
  EXPECT_GT(names.size(), 100U);
  EXPECT_EQ(find_misbehaviour(""), nullptr);
  EXPECT_EQ(find_misbehaviour("zzz"), nullptr);
}

TEST(Misbehaviour, LosesAndChangesMessages) {
  EXPECT_TRUE(cross(*tap("drops-487"), true,
                    "SIP/2.0 487 Gone\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n")
                  .empty());
  EXPECT_EQ(cross(*tap("omits-contact"), true, ok_text).at(0).message.raw(HeaderId::Contact), "");
  EXPECT_EQ(cross(*tap("omits-to-tag"), true, ok_text).at(0).message.raw(HeaderId::To),
            "<sip:auto@192.0.2.1>");
  EXPECT_EQ(
      cross(*tap("cseq-off-by-one-in-responses"), true, ok_text).at(0).message.raw(HeaderId::CSeq),
      "6 INVITE");
  EXPECT_EQ(cross(*tap("omits-answer"), true, ok_text).at(0).message.body(), "");
}

TEST(Misbehaviour, LeavesTheOtherDirectionAlone) {
  const auto out = cross(*tap("omits-contact"), false, ok_text);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_FALSE(out[0].from_sut);
  EXPECT_EQ(out[0].message.to_string(), message(ok_text).to_string());
}

TEST(Misbehaviour, LosesRepetitionsOnly) {
  auto once = tap("never-retransmits");
  EXPECT_EQ(cross(*once, true, ok_text).size(), 1U);
  EXPECT_EQ(cross(*once, false, ok_text).size(), 1U);
  EXPECT_EQ(cross(*once, true, ok_text).size(), 0U);
}

TEST(Misbehaviour, MakesUpRequestsInsideTheDialog) {
  auto hasty = tap("hangs-up-before-ack");
  cross(*hasty, false, invite_text);
  const auto out = cross(*hasty, true, ok_text);
  ASSERT_EQ(out.size(), 2U);
  const auto& bye = out[1].message;
  EXPECT_EQ(out[1].after, 500ms);
  EXPECT_EQ(bye.start_line(), "BYE sip:a@192.0.2.2 SIP/2.0");
  EXPECT_EQ(bye.raw(HeaderId::From), "<sip:auto@192.0.2.1>;tag=b");
  EXPECT_EQ(bye.raw(HeaderId::To), "<sip:a@192.0.2.2>;tag=a");
  EXPECT_EQ(bye.raw(HeaderId::CallId), "Call@192.0.2.2");
  EXPECT_TRUE(parse_message(bye.to_string()).has_value());
}

TEST(Misbehaviour, ChangesDescriptions) {
  const auto body = [](std::string_view name) {
    auto out = cross(*tap(name), true, ok_text);
    return std::string(out.at(0).message.body());
  };
  EXPECT_NE(body("answers-sendrecv").find("a=sendrecv\r\n"), std::string::npos);
  EXPECT_EQ(body("answers-sendrecv").find("a=sendonly"), std::string::npos);
  EXPECT_EQ(body("answers-with-fewer-streams").find("m=video"), std::string::npos);
  EXPECT_NE(body("answers-refused-stream-with-port").find("m=video 4000 RTP/AVP 97"),
            std::string::npos);
  EXPECT_NE(body("changes-sdp-in-2xx").find("o=- 1 6 IN IP4"), std::string::npos);
}

TEST(Misbehaviour, ShowsAnotherState) {
  auto stubborn = tap("keeps-rejected-offer");
  EXPECT_EQ(stubborn->state("offer", "true one"), "true one");
  std::string offering(invite_text);
  offering.replace(offering.find("Content-Length: 0\r\n\r\n"), 21,
                   "Content-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0");
  cross(*stubborn, false, offering);
  EXPECT_EQ(stubborn->state("offer", "true one"), "v=0");
  EXPECT_EQ(tap("never-acks")->state("offer", "true one"), "true one");
}

TEST(Misbehaviour, NoneStumblesOverAnyMessage) {
  const std::string_view odd[] = {
      invite_text,
      ok_text,
      "OPTIONS x SIP/2.0\r\nContent-Length: 0\r\n\r\n",
      "SIP/2.0 180 Ringing\r\nRSeq: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
      "SIP/2.0 183 Progress\r\nRSeq: 4294967295\r\nRequire: 100rel\r\nTo: ;tag=\r\nCSeq: 1 "
      "INVITE\r\nContent-Length: 0\r\n\r\n",
      "INVITE x SIP/2.0\r\nVia: ;branch=\r\nFrom: ;;;tag\r\nTo: >\r\nCSeq: x\r\nRoute: "
      ",,\r\nContact: *\r\nContent-Length: 0\r\n\r\n",
      "PRACK x SIP/2.0\r\nCSeq: 4294967295 PRACK\r\nRAck: 1\r\nContent-Length: 0\r\n\r\n",
      "ACK x SIP/2.0\r\nCSeq: 1 ACK\r\nContent-Type: application/sdp\r\nContent-Length: "
      "9\r\n\r\no=\r\nm=\r\nm",
      "BYE x SIP/2.0\r\nCSeq: 1 BYE\r\nTo: x;tag=1\r\nContent-Length: 0\r\n\r\n",
      "SIP/2.0 491 Pending\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
      "SIP/2.0 469 Bad\r\nCSeq: 1 INFO\r\nContent-Length: 0\r\n\r\n",
      "CANCEL x SIP/2.0\r\nCSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n",
  };
  std::size_t crossed = 0;
  for (const auto& row : misbehaviours()) {
    auto one = row.make();
    for (int round = 0; round < 2; ++round)
      for (const auto text : odd)
        for (const bool from_sut : {false, true})
          for (const auto& out : cross(*one, from_sut, text)) {
            EXPECT_GE(out.after, 0s);
            EXPECT_FALSE(out.message.to_string().empty()) << row.name;
            ++crossed;
          }
    one->state("offer", "x");
  }
  EXPECT_GT(crossed, misbehaviours().size());
}

TEST(Misbehaviour, ForgetsOldMessages) {
  auto one = tap("answers-once-per-branch");
  std::string text(invite_text);
  for (std::size_t i = 0; i <= tap_history_max; ++i) {
    std::string other = text;
    other.replace(other.find("z9hG4bKone"), 10, "z9hG4bK" + std::to_string(i));
    EXPECT_EQ(cross(*one, false, other).size(), 1U);
  }
}

}  // namespace
}  // namespace sipassay::runner
