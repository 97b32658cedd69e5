#include "engine/message/sipfrag.h"

#include <gtest/gtest.h>

#include <array>

namespace sipassay {
namespace {

// RFC 3420 3.1.
TEST(SipFragment, ReadsTheValidExamplesOfTheRfc) {
  constexpr std::array examples{
      std::string_view("INVITE sip:alice@atlanta.com SIP/2.0\r\n"),
      std::string_view("SIP/2.0 603 Declined\r\n"),
      std::string_view("REGISTER sip:atlanta.com SIP/2.0\r\nTo: sip:alice@atlanta.com\r\n"
                       "Contact: <sip:alicepc@atlanta.com>;q=0.9,\r\n         "
                       "<sip:alicemobile@atlanta.com>;q=0.1\r\n"),
      std::string_view("SIP/2.0 400 Bad Request\r\nWarning: 399 atlanta.com \"Your Event header "
                       "field was malformed\"\r\n"),
      std::string_view(
          "From: Alice <sip:alice@atlanta.com>\r\nTo: Bob <sip:bob@biloxi.com>\r\n"
          "Contact: <sip:alice@pc33.atlanta.com>\r\nDate: Thu, 21 Feb 2002 13:02:03 GMT\r\n"
          "Call-ID: a84b4c76e66710\r\nCseq: 314159 INVITE\r\n"),
      std::string_view("Content-Type: text/plain\r\nContent-Length: 9\r\n\r\nHi There!"),
      std::string_view(
          "SIP/2.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"),
  };
  std::size_t count = 0;
  for (const auto example : examples) {
    const auto fragment = parse_sipfrag(example);
    EXPECT_TRUE(fragment) << example << to_string(fragment.error());
    count += fragment.has_value() ? 1U : 0U;
  }
  EXPECT_EQ(count, 7U);
}

// RFC 3420 3.2.
TEST(SipFragment, RefusesTheInvalidExamplesOfTheRfc) {
  constexpr std::array examples{
      std::string_view("INVITE\r\n"),
      std::string_view("INVITE sip:alice@atlanta.com SIP/1.09\r\n"),
      std::string_view("SIP/2.0\r\n"),
      std::string_view("404 Not Found\r\n"),
      std::string_view(
          "INVITE sip:alice@atlanta.com SIP/2.0\r\nVia: SIP/2.0/UDP ;branch=z9hG4bK29342a\r\n"),
      std::string_view("To: <>;tag=39234\r\n"),
      std::string_view("Call-ID: this is invalid\r\n"),
      std::string_view("INVITE sip:alice@atlanta.com SIP/2.0\r\nFrom: "
                       "<sip:bob@biloxi.com>;tag=z9hG4bK2912;tag=z9hG4bK99234\r\n"),
      std::string_view("MESSAGE sip:alice@atlanta.com SIP/2.0\r\nHi There!\r\n"),
      std::string_view("SIP/2.0 200 OK\r\n\r\nbody without a type"),
      std::string_view(""),
      std::string_view("SIP/2.0 200 OK"),
  };
  for (const auto example : examples) {
    const auto fragment = parse_sipfrag(example);
    ASSERT_FALSE(fragment) << example;
    EXPECT_LE(fragment.error().offset, example.size()) << example;
  }
}

TEST(SipFragment, AnErrorCountsFromItsStart) {
  const auto fragment = parse_sipfrag("To: sip:a@b\r\nCall-ID: this is invalid\r\n");
  ASSERT_FALSE(fragment);
  EXPECT_EQ(fragment.error().offset, 13 + 9 + 5);
}

TEST(SipFragment, KnowsWhetherItHasAStartLine) {
  EXPECT_TRUE(parse_sipfrag("SIP/2.0 180 Ringing\r\n")->has_start_line);
  EXPECT_EQ(parse_sipfrag("SIP/2.0 180 Ringing\r\n")->message.status(), 180);
  const auto fields = parse_sipfrag("To: sip:a@b\r\n");
  ASSERT_TRUE(fields);
  EXPECT_FALSE(fields->has_start_line);
  EXPECT_EQ(fields->message.raw(HeaderId::To), "sip:a@b");
}

TEST(SipFragment, StatusIsThatOfAStatusLineOnly) {
  EXPECT_EQ(sipfrag_status("SIP/2.0 200 OK\r\n"), 200);
  EXPECT_EQ(sipfrag_status("SIP/2.0 100"), 100);
  EXPECT_EQ(sipfrag_status("SIP/2.0 603 Declined\r\nTo: sip:a@b\r\n"), 603);
  for (const std::string_view text :
       {"", "SIP/2.0 20", "SIP/2.0 2000", "SIP/2.0 099 x", "SIP/2.0 700 x",
        "INVITE sip:a SIP/2.0\r\n", "To: sip:a@b\r\n"})
    EXPECT_EQ(sipfrag_status(text), 0) << text;
}

TEST(SipFragment, ReadsWhatItMakes) {
  EXPECT_EQ(make_sipfrag(200), "SIP/2.0 200 OK\r\n");
  EXPECT_EQ(sipfrag_status(make_sipfrag(503, "Busy now")), 503);
  EXPECT_TRUE(parse_sipfrag(make_sipfrag(100)));
}

}  // namespace
}  // namespace sipassay
