#include "engine/sdp/description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace sipassay::sdp {
namespace {

using testing::ElementsAre;

constexpr std::string_view session =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

// RFC 8866 5, its example, with line kinds added that it lacks.
constexpr std::string_view every_line =
    "v=0\r\n"
    "o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"
    "s=Call to John Smith\r\n"
    "i=SDP Offer #1\r\n"
    "u=http://www.jdoe.example.com/home.html\r\n"
    "e=Jane Doe <jane@jdoe.example.com>\r\n"
    "e=jane@jdoe.example.com (Jane Doe)\r\n"
    "p=+1 617 555-6011\r\n"
    "p=Jane <+1 617 555-6011>\r\n"
    "c=IN IP4 198.51.100.1\r\n"
    "b=AS:128\r\n"
    "b=X-YZ:128\r\n"
    "t=3724394400 3724398000\r\n"
    "r=604800 3600 0 90000\r\n"
    "r=7d 1h 0 25h\r\n"
    "z=3730928400 -1h 3749680800 0\r\n"
    "t=0 0\r\n"
    "k=prompt\r\n"
    "a=recvonly\r\n"
    "a=tool:x y\r\n"
    "m=audio 49170 RTP/AVP 0\r\n"
    "m=audio 49180/2 RTP/AVP 0 8\r\n"
    "i=second\r\n"
    "c=IN IP4 233.252.0.1/127/3\r\n"
    "c=IN IP4 233.252.0.2/127\r\n"
    "b=AS:64\r\n"
    "k=base64:AAA=\r\n"
    "a=ptime:20\r\n"
    "m=video 51372 RTP/AVP 99\r\n"
    "c=IN IP6 2001:db8::2\r\n"
    "a=rtpmap:99 h263-1998/90000\r\n"
    "a=fmtp:99 x=1;y=2\r\n";

Parsed<Description> parse_exact(std::string_view text) {
  const auto block = std::make_unique<char[]>(text.size());
  std::ranges::copy(text, block.get());
  return parse({block.get(), text.size()});
}

TEST(Description, ReadsEveryLineKindIntoItsValue) {
  const auto d = parse_exact(every_line);
  ASSERT_TRUE(d) << to_string(d.error());
  EXPECT_EQ(d->origin.username, "jdoe");
  EXPECT_EQ(d->origin.session_id, 3724394400U);
  EXPECT_EQ(d->origin.session_version, 3724394405U);
  EXPECT_EQ(d->origin.address, "198.51.100.1");
  EXPECT_EQ(d->emails.size(), 2U);
  EXPECT_EQ(d->phones.size(), 2U);
  EXPECT_EQ(d->bandwidths.at(1), (Bandwidth{"X-YZ", 128}));
  ASSERT_EQ(d->times.size(), 2U);
  EXPECT_THAT(d->times[0].repeats, ElementsAre("604800 3600 0 90000", "7d 1h 0 25h"));
  EXPECT_EQ(d->times[0].zone, "3730928400 -1h 3749680800 0");
  ASSERT_EQ(d->media.size(), 3U);
  EXPECT_EQ(d->media[1].port_count, 2U);
  EXPECT_THAT(d->media[1].formats, ElementsAre("0", "8"));
  EXPECT_EQ(d->media[1].connections.size(), 2U);
  EXPECT_TRUE(d->connection_of(d->media[1])->is_multicast());
  EXPECT_EQ(d->connection_of(d->media[0])->address, "198.51.100.1");
  EXPECT_EQ(d->direction(d->media[0]), Direction::RecvOnly);
  EXPECT_EQ(d->media[2].rtpmap("99")->encoding, "h263-1998");
  EXPECT_EQ(d->media[2].fmtp("99"), "x=1;y=2");
  EXPECT_EQ(d->media[0].rtpmap("0")->encoding, "PCMU");
}

TEST(Description, PrintsWhatItReadOctetByOctet) {
  EXPECT_EQ(to_string(parse(every_line).value()), every_line);
  EXPECT_EQ(to_string(parse(session).value()), session);
}

TEST(Description, DirectionOfTheMediumWinsOverTheSession) {
  const auto d =
      parse(std::string(session) + "a=sendonly\r\nm=audio 1 RTP/AVP 0\r\na=inactive\r\n" +
            "m=audio 1 RTP/AVP 0\r\n");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->direction(d->media[0]), Direction::Inactive);
  EXPECT_EQ(d->direction(d->media[1]), Direction::SendOnly);
}

struct BadLine {
  std::string_view line;
  ErrorCode code;
  std::size_t offset;  // from the start of the line
};
// Each stands behind `session` and is wrong there.
constexpr std::array bad_lines{
    BadLine{"x=1", ErrorCode::SdpLine, 0},
    BadLine{"A=1", ErrorCode::SdpLine, 0},
    BadLine{"a", ErrorCode::SdpLine, 0},
    BadLine{"a =sendrecv", ErrorCode::SdpLine, 0},
    BadLine{"a= sendrecv", ErrorCode::SdpLine, 2},
    BadLine{"v=0", ErrorCode::SdpLine, 0},
    BadLine{"o=- 1 1 IN IP4 192.0.2.1", ErrorCode::SdpLine, 0},
    BadLine{"s=again", ErrorCode::SdpLine, 0},
    BadLine{"z=3730928400 0", ErrorCode::SdpLine, 0},
    BadLine{"t=0", ErrorCode::SdpLine, 0},
    BadLine{"t=0 0 0", ErrorCode::SdpLine, 0},
    BadLine{"t=0 123", ErrorCode::SdpLine, 4},
    BadLine{"t=0 x", ErrorCode::Number, 4},
    BadLine{"r=0 1 2", ErrorCode::SdpLine, 2},
    BadLine{"r=7d 1h", ErrorCode::SdpLine, 2},
    BadLine{"k=secret", ErrorCode::SdpLine, 2},
    BadLine{"k=base64:AAA", ErrorCode::SdpLine, 2},
    BadLine{"a=", ErrorCode::SdpLine, 2},
    BadLine{"a=x:", ErrorCode::SdpLine, 4},
    BadLine{"a=x y", ErrorCode::SdpLine, 2},
    BadLine{"b=AS:1", ErrorCode::SdpLine, 0},
    BadLine{"c=IN IP4 192.0.2.1", ErrorCode::SdpLine, 0},
    BadLine{"m=audio 1 RTP/AVP", ErrorCode::SdpLine, 0},
    BadLine{"m=audio  1 RTP/AVP 0", ErrorCode::SdpLine, 8},
    BadLine{"m=audio 1 RTP/AVP 0 ", ErrorCode::SdpLine, 20},
    BadLine{"m=audio 65536 RTP/AVP 0", ErrorCode::Port, 8},
    BadLine{"m=audio -1 RTP/AVP 0", ErrorCode::Port, 8},
    BadLine{"m=audio 4294967297 RTP/AVP 0", ErrorCode::Port, 8},
    BadLine{"m=audio 1/0 RTP/AVP 0", ErrorCode::Number, 10},
    BadLine{"m=audio 1/ RTP/AVP 0", ErrorCode::Number, 10},
    BadLine{"m=audio 1 RTP//AVP 0", ErrorCode::SdpLine, 10},
    BadLine{"m=au;dio 1 RTP/AVP 0", ErrorCode::SdpLine, 2},
    BadLine{"m=audio 1 RTP/AVP 0;", ErrorCode::SdpLine, 18},
    BadLine{std::string_view("a=x:\0", 5), ErrorCode::SdpLine, 0},
    BadLine{"a=x:\ry", ErrorCode::SdpLine, 0},
};

TEST(Description, RefusesBadLinesAtTheirOffset) {
  std::size_t count = 0;
  for (const auto& bad : bad_lines) {
    const auto d = parse_exact(std::string(session) + std::string(bad.line) + "\r\n");
    ASSERT_FALSE(d) << bad.line;
    EXPECT_EQ(d.error().code, bad.code) << bad.line << ": " << to_string(d.error());
    EXPECT_EQ(d.error().offset, session.size() + bad.offset) << bad.line;
    ++count;
  }
  EXPECT_EQ(count, 35U);
}

TEST(Description, RefusesEveryTruncationThatCutsALineOrALineThatMustBeThere) {
  std::size_t accepted = 0;
  for (std::size_t length = 0; length < every_line.size(); ++length) {
    const auto d = parse_exact(every_line.substr(0, length));
    const bool ends_a_line = every_line.substr(0, length).ends_with("\r\n");
    const bool has_time =
        every_line.substr(0, length).find("t=3724394400 3724398000\r\n") != std::string_view::npos;
    EXPECT_EQ(d.has_value(), ends_a_line && has_time) << length;
    accepted += d.has_value() ? 1U : 0U;
  }
  EXPECT_EQ(accepted, 19U);
}

TEST(Description, RefusesAddressesThatAreNotOfTheirType) {
  struct Row {
    std::string_view text;
    bool is_legal;
  };
  constexpr std::array rows{
      Row{"IN IP4 192.0.2.1", true},
      Row{"IN IP4 host.example.com", true},
      Row{"IN IP4 ::1", false},
      Row{"IN IP4 256.0.0.1", false},
      Row{"IN IP4 1.2.3", false},
      Row{"IN IP4 192.0.2.1/127", false},
      Row{"IN IP4 224.0.0.1/127", true},
      Row{"IN IP4 224.0.0.1/127/3", true},
      Row{"IN IP4 224.0.0.1/1/2/3", false},
      Row{"IN IP6 ::", true},
      Row{"IN IP6 2001:db8::1", true},
      Row{"IN IP6 ::ffff:192.0.2.1", true},
      Row{"IN IP6 2001:db8::1::2", false},
      Row{"IN IP6 1:2:3:4:5:6:7:8:9", false},
      Row{"IN IP6 ff02::1/3", true},
      Row{"IN IP6 ff02::1/3/4", false},
      Row{"IN IP6 192.0.2.1", false},
      Row{"IN IP6 [::1]", false},
      Row{"ATM NSAP 47.0091", true},
      Row{"IN IP4 0.0.0.0", true},
  };
  for (const auto& row : rows) {
    const auto d = parse_exact(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=" + std::string(row.text) + "\r\nt=0 0\r\n");
    EXPECT_EQ(d.has_value(), row.is_legal) << row.text;
  }
}

TEST(Description, LenientReadingReportsEachDepartureAndNothingElse) {
  struct Row {
    std::string_view text;
    std::vector<std::string_view> rules;
  };
  const std::vector<Row> rows{
      {"v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=0 0\n", {"sdp-line-end"}},
      {"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0", {"sdp-last-line-end"}},
      {"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n\r\n\r\n", {"sdp-empty-line"}},
      {"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=\r\nt=0 0\r\n", {"sdp-empty-value"}},
      {"v=0\r\no=- 1 1  IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n", {"sdp-white-space"}},
      {"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nb=AS:1\r\n", {"sdp-line-order"}},
      {"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n", {"sdp-no-time"}},
      {"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 1 RTP/AVP 0\r\n",
       {"sdp-no-connection"}},
      {"v=0\r\no=- 1 1 IN IP6 192.0.2.1\r\ns=-\r\nt=0 0\r\n", {"sdp-address"}},
      {"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 17\r\n", {"sdp-time-value"}},
      {every_line, {}},
  };
  for (const auto& row : rows) {
    std::vector<Finding> departures;
    const auto d = parse_lenient(row.text, departures);
    ASSERT_TRUE(d) << row.text << to_string(d.error());
    std::vector<std::string_view> names;
    for (const auto& departure : departures) names.push_back(departure.rule);
    EXPECT_EQ(names, row.rules) << row.text;
    EXPECT_EQ(parse(row.text).has_value(), row.rules.empty()) << row.text;
    std::vector<Finding> again;
    EXPECT_EQ(parse_lenient(to_string(*d), again).value(), *d);
  }
  EXPECT_EQ(departure_rules().size(), 10U);
}

// --- limits: at the limit, and one past it

std::string repeat(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

void expect_limit(const std::string& at, const std::string& past) {
  EXPECT_TRUE(parse(at));
  const auto refused = parse(past);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
}

TEST(DescriptionLimits, Media) {
  constexpr std::string_view line = "m=audio 1 RTP/AVP 0\r\n";
  expect_limit(std::string(session) + repeat(line, media_max),
               std::string(session) + repeat(line, media_max + 1));
}

TEST(DescriptionLimits, Formats) {
  const auto with = [](std::size_t count) {
    return std::string(session) + "m=audio 1 RTP/AVP" + repeat(" 0", count) + "\r\n";
  };
  expect_limit(with(formats_max), with(formats_max + 1));
}

TEST(DescriptionLimits, Attributes) {
  expect_limit(std::string(session) + repeat("a=x\r\n", attributes_max),
               std::string(session) + repeat("a=x\r\n", attributes_max + 1));
  const auto medium = std::string(session) + "m=audio 1 RTP/AVP 0\r\n";
  expect_limit(medium + repeat("a=x\r\n", attributes_max),
               medium + repeat("a=x\r\n", attributes_max + 1));
}

TEST(DescriptionLimits, Repeated) {
  for (const std::string_view line : {"t=0 0\r\n", "r=1 1 1\r\n"}) {
    const auto first =
        line.starts_with('t') ? repeated_max - 1 : repeated_max;  // session has one t=
    expect_limit(std::string(session) + repeat(line, first),
                 std::string(session) + repeat(line, first + 1));
  }
  const auto medium = std::string(session) + "m=audio 1 RTP/AVP 0\r\n";
  for (const std::string_view line : {"c=IN IP4 192.0.2.1\r\n", "b=AS:1\r\n"})
    expect_limit(medium + repeat(line, repeated_max), medium + repeat(line, repeated_max + 1));
  const std::string head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n";
  for (const std::string_view line : {"e=a@b\r\n", "p=+12\r\n", "b=AS:1\r\n"})
    expect_limit(head + repeat(line, repeated_max) + "t=0 0\r\n",
                 head + repeat(line, repeated_max + 1) + "t=0 0\r\n");
}

TEST(DescriptionLimits, Lines) {
  // 5 lines of the session, then media of 64 lines each, then single ones.
  const auto with = [](std::size_t lines) {
    std::string text(session);
    std::size_t left = lines - 5;
    while (left > 0) {
      const auto attributes = std::min<std::size_t>(left - 1, attributes_max);
      text += "m=a 1 b 0\r\n" + repeat("a=x\r\n", attributes);
      left -= attributes + 1;
    }
    return text;
  };
  expect_limit(with(lines_max), with(lines_max + 1));
}

TEST(DescriptionLimits, Octets) {
  const auto with = [](std::size_t octets) {
    std::string text = std::string(session) + "a=x:";
    return text + std::string(octets - text.size() - 2, 'y') + "\r\n";
  };
  expect_limit(with(octets_max), with(octets_max + 1));
}

}  // namespace
}  // namespace sipassay::sdp
