#include "engine/message/multipart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>

namespace sipassay {
namespace {

constexpr std::string_view sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n";

Parsed<Multipart> parse_exact(std::string_view body, std::string_view boundary,
                              std::unique_ptr<char[]>& block) {
  block = std::make_unique<char[]>(body.size());
  std::ranges::copy(body, block.get());
  return parse_multipart({block.get(), body.size()}, boundary);
}

// The example of RFC 2046 5.1.1.
constexpr std::string_view rfc_example =
    "This is the preamble.\r\n"
    "\r\n--simple boundary\r\n"
    "\r\n"
    "This is implicitly typed.\r\n"
    "It does NOT end with a linebreak.\r\n"
    "--simple boundary \t\r\n"
    "Content-type: text/plain;\r\n charset=us-ascii\r\n"
    "content-disposition: render\r\n"
    "Content-ID: <a@b>\r\n"
    "X-Other: 1\r\n"
    "\r\n"
    "It DOES end with a linebreak.\r\n"
    "\r\n"
    "--simple boundary--  \r\n"
    "This is the epilogue.";

TEST(Multipart, ReadsPreamblePartsAndEpilogue) {
  std::unique_ptr<char[]> block;
  const auto body = parse_exact(rfc_example, "simple boundary", block);
  ASSERT_TRUE(body) << to_string(body.error());
  EXPECT_EQ(body->preamble, "This is the preamble.\r\n");
  EXPECT_EQ(body->epilogue, "This is the epilogue.");
  ASSERT_EQ(body->parts.size(), 2U);
  EXPECT_EQ(body->parts[0].headers, "");
  EXPECT_EQ(body->parts[0].body, "This is implicitly typed.\r\nIt does NOT end with a linebreak.");
  EXPECT_EQ(body->parts[1].content_type, "text/plain;\r\n charset=us-ascii");
  EXPECT_EQ(body->parts[1].content_disposition, "render");
  EXPECT_EQ(body->parts[1].content_id, "<a@b>");
  EXPECT_EQ(body->parts[1].body, "It DOES end with a linebreak.\r\n");
}

TEST(Multipart, ReadsEmptyPartsAndPartsOfHeadersOnly) {
  std::unique_ptr<char[]> block;
  const auto body =
      parse_exact("--b\r\n--b\r\n\r\n--b\r\nContent-Type: a/b\r\n--b\r\n\r\n\r\n--b--", "b", block);
  ASSERT_TRUE(body) << to_string(body.error());
  ASSERT_EQ(body->parts.size(), 4U);
  for (const auto& part : body->parts) EXPECT_EQ(part.body, "");
  EXPECT_EQ(body->parts[2].content_type, "a/b");
}

TEST(Multipart, ALongerBoundaryIsNotADelimiter) {
  std::unique_ptr<char[]> block;
  const auto body = parse_exact("--b\r\n\r\n--bc\r\n--b-\r\nx--b\r\n--b--", "b", block);
  ASSERT_TRUE(body);
  ASSERT_EQ(body->parts.size(), 1U);
  EXPECT_EQ(body->parts[0].body, "--bc\r\n--b-\r\nx--b");
}

struct BadBody {
  std::string_view body, boundary;
  ErrorCode code;
  std::size_t offset;
};
constexpr std::array bad_bodies{
    BadBody{"", "b", ErrorCode::Body, 0},
    BadBody{"--b--", "b", ErrorCode::Body, 0},
    BadBody{"--b\r\n\r\nx", "b", ErrorCode::Body, 8},
    BadBody{"--b\r\n\r\nx\r\n--b\r\n", "b", ErrorCode::Body, 15},
    BadBody{"--b\r\n\r\nx\n--b--", "b", ErrorCode::Body, 14},
    BadBody{"--b\r\nno colon\r\n\r\nx\r\n--b--", "b", ErrorCode::HeaderName, 5},
    BadBody{"--b\r\nA: 1\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\nx\r\n--b--", "b",
            ErrorCode::HeaderName, 30},
    BadBody{"--b\r\n\r\nx\r\n--b--", "", ErrorCode::Parameter, 0},
    BadBody{"--b \r\n\r\nx\r\n--b --", "b ", ErrorCode::Parameter, 0},
    BadBody{"--b\r\n\r\nx\r\n--b--", "b\"", ErrorCode::Parameter, 0},
};

TEST(Multipart, RefusesWhatItsGrammarDoesNotAllow) {
  std::size_t count = 0;
  for (const auto& bad : bad_bodies) {
    std::unique_ptr<char[]> block;
    const auto body = parse_exact(bad.body, bad.boundary, block);
    ASSERT_FALSE(body) << bad.body;
    EXPECT_EQ(body.error(), (Error{bad.code, bad.offset})) << bad.body << to_string(body.error());
    ++count;
  }
  EXPECT_EQ(count, 10U);
}

TEST(Multipart, BoundaryIsUnquotedAndAtMostSeventyOctets) {
  EXPECT_EQ(multipart_boundary("multipart/mixed; boundary=\"a:\\b c\""), "a:b c");
  EXPECT_EQ(multipart_boundary("Multipart/Mixed;BOUNDARY=x"), "x");
  EXPECT_EQ(multipart_boundary("multipart/mixed"), "");
  EXPECT_EQ(multipart_boundary("text/plain;boundary=x"), "");
  for (const std::size_t length : {70U, 71U}) {
    const std::string boundary(length, 'b');
    const auto body = "--" + boundary + "\r\n\r\nx\r\n--" + boundary + "--";
    EXPECT_EQ(parse_multipart(body, boundary).has_value(), length == 70);
  }
}

TEST(Multipart, ReadsWhatItMakes) {
  const std::vector<Part> parts{{.headers = {},
                                 .content_type = "application/sdp",
                                 .content_disposition = "session",
                                 .content_id = "<x>",
                                 .content_transfer_encoding = "binary",
                                 .body = sdp},
                                {.headers = {},
                                 .content_type = {},
                                 .content_disposition = {},
                                 .content_id = {},
                                 .content_transfer_encoding = {},
                                 .body = "hello"},
                                {.headers = "X: y\r\n",
                                 .content_type = {},
                                 .content_disposition = {},
                                 .content_id = {},
                                 .content_transfer_encoding = {},
                                 .body = ""}};
  const auto made = make_multipart(parts, "b");
  const auto read = parse_multipart(made, "b");
  ASSERT_TRUE(read);
  ASSERT_EQ(read->parts.size(), 3U);
  EXPECT_EQ(read->parts[0].body, sdp);
  EXPECT_EQ(read->parts[0].content_type, "application/sdp");
  EXPECT_EQ(read->parts[1].body, "hello");
  EXPECT_EQ(read->parts[2].headers, "X: y\r\n");
  EXPECT_EQ(make_multipart(read->parts, "b"), made);
}

TEST(MultipartLimits, Parts) {
  const auto with = [](std::size_t count) {
    std::string body;
    for (std::size_t i = 0; i < count; ++i) body += "--b\r\n\r\nx\r\n";
    return body + "--b--";
  };
  EXPECT_TRUE(parse_multipart(with(parts_max), "b"));
  EXPECT_EQ(parse_multipart(with(parts_max + 1), "b").error().code, ErrorCode::LimitExceeded);
}

TEST(MultipartLimits, Fields) {
  const auto with = [](std::size_t count) {
    std::string body = "--b\r\n";
    for (std::size_t i = 0; i < count; ++i) body += "X: y\r\n";
    return body + "\r\nx\r\n--b--";
  };
  EXPECT_TRUE(parse_multipart(with(part_fields_max), "b"));
  EXPECT_EQ(parse_multipart(with(part_fields_max + 1), "b").error().code, ErrorCode::LimitExceeded);
}

// --- which body is the session description

Message invite(std::string_view type, std::string_view disposition, std::string_view body) {
  auto message = Message::request("INVITE", "sip:b@example.com");
  message.set_body(type, body);
  if (!disposition.empty()) message.add(HeaderId::ContentDisposition, disposition);
  return message;
}

TEST(SessionDescription, IsSdpWithDispositionSessionGivenOrByDefault) {
  struct Row {
    std::string_view type, disposition;
    bool is_session;
  };
  constexpr std::array rows{
      Row{"application/sdp", "", true},
      Row{"Application/SDP", "", true},
      Row{"application/sdp;charset=utf-8", "", true},
      Row{"application/sdp ; q=1", "session", true},
      Row{"application/sdp", "Session;handling=optional", true},
      Row{"application/sdp", "render", false},
      Row{"application/sdp", "early-session", false},
      Row{"application/sdp", "session-x", false},
      Row{"text/plain", "session", false},
      Row{"text/plain", "", false},
      Row{"sdp", "", false},
      Row{"application/sdp", ";", false},
  };
  std::size_t count = 0;
  for (const auto& row : rows) {
    EXPECT_EQ(session_description(invite(row.type, row.disposition, sdp)).has_value(),
              row.is_session)
        << row.type << " " << row.disposition;
    ++count;
  }
  EXPECT_EQ(count, 12U);
  EXPECT_FALSE(session_description(invite("application/sdp", "", "")));
}

std::string mixed(std::vector<std::array<std::string_view, 3>> parts, std::string_view boundary) {
  std::vector<Part> all;
  for (const auto& [type, disposition, body] : parts) {
    Part part;
    part.content_type = type;
    part.content_disposition = disposition;
    part.body = body;
    all.push_back(part);
  }
  return make_multipart(all, boundary);
}

TEST(SessionDescription, IsFoundInMixedInAlternativeAndNested) {
  const auto plain = mixed({{"text/plain", "", "hi"}, {"application/sdp", "", sdp}}, "b");
  EXPECT_EQ(session_description(invite("multipart/mixed;boundary=b", "", plain)), sdp);
  EXPECT_EQ(session_description(invite("multipart/alternative;boundary=b", "", plain)), sdp);
  EXPECT_EQ(session_description(invite("multipart/related;boundary=b", "", plain)), sdp);
  const auto nested =
      mixed({{"multipart/alternative;boundary=b", "", plain}, {"text/plain", "", "x"}}, "c");
  EXPECT_EQ(session_description(invite("multipart/mixed; boundary=\"c\"", "", nested)), sdp);
}

TEST(SessionDescription, OfAlternativesTheLastUnderstoodOneCounts) {
  const auto body = mixed({{"application/sdp", "", "first"},
                           {"application/sdp", "", "second"},
                           {"application/x-other", "session", "z"}},
                          "b");
  const auto message = invite("multipart/alternative;boundary=b", "", body);
  const auto contents = body_contents(message);
  ASSERT_TRUE(contents);
  EXPECT_EQ(contents->session->octets, "second");
  EXPECT_FALSE(contents->unsupported);
  EXPECT_TRUE(contents->others.empty());
}

TEST(BodyContents, ReportsWhatNeeds415) {
  struct Row {
    std::string_view type, disposition;
    bool is_unsupported;
  };
  constexpr std::array rows{
      Row{"application/sdp", "", false},
      Row{"application/x-unknown", "", true},
      Row{"application/x-unknown", "render;handling=optional", false},
      Row{"application/x-unknown", "render;handling=required", true},
      Row{"application/sdp", "signal", true},
      Row{"application/sdp", "signal;handling=Optional", false},
      Row{"application/sdp", "early-session", true},
      Row{"text/plain", "session", true},
  };
  for (const auto& row : rows) {
    const auto message = invite(row.type, row.disposition, sdp);
    const auto contents = body_contents(message);
    ASSERT_TRUE(contents);
    EXPECT_EQ(contents->unsupported.has_value(), row.is_unsupported) << row.type << row.disposition;
    const auto body = mixed({{row.type, row.disposition, sdp}}, "b");
    const auto wrapped = invite("multipart/mixed;boundary=b", "", body);
    EXPECT_EQ(body_contents(wrapped)->unsupported.has_value(), row.is_unsupported) << row.type;
  }
  const auto none = mixed({{"application/x-a", "", "1"}, {"application/x-b", "", "2"}}, "b");
  EXPECT_TRUE(body_contents(invite("multipart/alternative;boundary=b", "", none))->unsupported);
  EXPECT_FALSE(
      body_contents(invite("multipart/alternative;boundary=b", "render;handling=optional", none))
          ->unsupported);
}

TEST(BodyContents, AContentEncodingHidesEverything) {
  auto message = invite("application/sdp", "", sdp);
  message.add(HeaderId::ContentEncoding, "gzip");
  const auto contents = body_contents(message);
  ASSERT_TRUE(contents);
  EXPECT_TRUE(contents->is_encoded);
  EXPECT_TRUE(contents->unsupported);
  EXPECT_FALSE(session_description(message));
  message.set(HeaderId::ContentEncoding, "identity");
  EXPECT_TRUE(session_description(message));
}

TEST(BodyContents, ABodyNeedsOneContentType) {
  auto message = Message::request("INVITE", "sip:b@example.com");
  message.set_body("", sdp);
  EXPECT_EQ(body_contents(message).error().code, ErrorCode::HeaderMissing);
  message.add(HeaderId::ContentType, "application/sdp")
      .add(HeaderId::ContentType, "application/sdp");
  EXPECT_EQ(body_contents(message).error().code, ErrorCode::HeaderRepeated);
}

TEST(BodyContents, AnErrorInsideCountsFromTheStartOfTheBody) {
  const std::string body =
      "--b\r\nContent-Type: multipart/mixed;boundary=c\r\n\r\nno delimiter\r\n--b--\r\n";
  const auto contents = body_contents(invite("multipart/mixed;boundary=b", "", body));
  ASSERT_FALSE(contents);
  EXPECT_EQ(contents.error(), (Error{ErrorCode::Body, body.find("\r\n--b--")}));
}

TEST(BodyContentsLimits, Depth) {
  const auto nested = [](std::size_t depth) {
    std::string body = mixed({{"application/sdp", "", sdp}}, "b0");
    std::string type = "multipart/mixed;boundary=b0";
    for (std::size_t i = 1; i < depth; ++i) {
      const auto boundary = "b" + std::to_string(i);
      body = mixed({{type, "", body}}, boundary);
      type = "multipart/mixed;boundary=" + boundary;
    }
    return invite(type, "", body);
  };
  EXPECT_EQ(session_description(nested(multipart_depth_max)), sdp);
  const auto past = nested(multipart_depth_max + 1);
  EXPECT_EQ(body_contents(past).error().code, ErrorCode::LimitExceeded);
}

TEST(BodyContentsLimits, LeavesOfTheWholeBody) {
  const auto with = [](std::size_t first, std::size_t second) {
    std::vector<std::array<std::string_view, 3>> a(first, {"text/plain", "", "x"}),
        b(second, {"text/plain", "", "x"});
    const auto body_a = mixed(a, "a");
    const auto body_b = mixed(b, "b");
    return invite("multipart/mixed;boundary=c", "",
                  mixed({{"multipart/mixed;boundary=a", "", body_a},
                         {"multipart/mixed;boundary=b", "", body_b}},
                        "c"));
  };
  EXPECT_TRUE(body_contents(with(parts_max / 2, parts_max / 2)));
  EXPECT_EQ(body_contents(with(parts_max / 2, parts_max / 2 + 1)).error().code,
            ErrorCode::LimitExceeded);
}

}  // namespace
}  // namespace sipassay
