#include "engine/runner/adapt.h"

#include <gtest/gtest.h>

namespace sipassay::runner {
namespace {

const AdaptTo udp{.peer = {.transport = Transport::Udp, .host = "192.0.2.101", .port = 5062},
                  .request_uri = "sip:auto@192.0.2.1",
                  .token = "T0k"};
constexpr RawAdaptation all{.via = true, .call_id = true, .request_uri = true, .end = true};

TEST(Adapt, LeavesEverythingAloneUnlessAsked) {
  const std::string octets = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKx\r\n";
  EXPECT_EQ(adapt_raw(octets, {}, udp), octets);
}

TEST(Adapt, ReplacesInTheTopViaCallIdAndRequestUriOnly) {
  EXPECT_EQ(
      adapt_raw("OPTIONS sip:a@b SIP/2.0\r\n"
                "To: <sip:a@b>\r\n"
                "v: SIP/2.0/TCP h.example:99;branch=z9hG4bKx;p, SIP/2.0/UDP i;branch=z9hG4bKy\r\n"
                "Via: SIP/2.0/UDP j\r\n"
                "i:x@y\r\n"
                "\r\n"
                "Via: SIP/2.0/UDP body\r\n",
                all, udp),
      "OPTIONS sip:auto@192.0.2.1 SIP/2.0\r\n"
      "To: <sip:a@b>\r\n"
      "v: SIP/2.0/UDP 192.0.2.101:5062;branch=z9hG4bKxT0k;p, SIP/2.0/UDP i;branch=z9hG4bKy\r\n"
      "Via: SIP/2.0/UDP j\r\n"
      "i:T0kx@y\r\n"
      "\r\n"
      "Via: SIP/2.0/UDP body\r\n");
}

TEST(Adapt, KeepsWhiteSpaceAndFoldsWhereTheyStand) {
  EXPECT_EQ(adapt_raw("INVITE sip:a@b SIP/2.0\r\n"
                      "v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n"
                      "  branch  =   z9hG4bK9ikj8  ,\r\n"
                      " SIP / 2.0 / UDP 192.168.255.111 ; branch=z9hG4bK30239\r\n\r\n",
                      {.via = true}, udp),
            "INVITE sip:a@b SIP/2.0\r\n"
            "v:  SIP  / 2.0  / UDP     192.0.2.101:5062   ;\r\n"
            "  branch  =   z9hG4bK9ikj8T0k  ,\r\n"
            " SIP / 2.0 / UDP 192.168.255.111 ; branch=z9hG4bK30239\r\n\r\n");
}

TEST(Adapt, KeepsTheDamage) {
  const auto via = [](std::string_view value) {
    const auto out = adapt_raw("X\r\nVia: " + std::string(value) + "\r\n\r\n", {.via = true}, udp);
    return out.substr(8, out.size() - 12);
  };
  EXPECT_EQ(via("SIP/2.0/UDP h;;,;,,"), "SIP/2.0/UDP 192.0.2.101:5062;;,;,,");
  EXPECT_EQ(via("SIP/2.0/UDP h;branch=z9hG4bK"), "SIP/2.0/UDP 192.0.2.101:5062;branch=z9hG4bK");
  EXPECT_EQ(via("SIP/2.0/UDP h"), "SIP/2.0/UDP 192.0.2.101:5062");
  EXPECT_EQ(via("SIP/2.0/UDP"), "SIP/2.0/UDP");
  EXPECT_EQ(via("SIP/2.0"), "SIP/2.0");
  EXPECT_EQ(via("SIP/2.0/UDP h;branch"), "SIP/2.0/UDP 192.0.2.101:5062;branch");
}

TEST(Adapt, WritesIpv6InBracketsAndClosesTheHeaderSectionOnce) {
  AdaptTo to = udp;
  to.peer = {.transport = Transport::Tcp, .host = "2001:db8::9", .port = 5070};
  EXPECT_EQ(adapt_raw("X\r\nVia: SIP/2.0/UDP [::1]:7;branch=z9hG4bKa\r\n", all, to),
            "X\r\nVia: SIP/2.0/TCP [2001:db8::9]:5070;branch=z9hG4bKaT0k\r\n\r\n");
  EXPECT_EQ(adapt_raw("X\r\n\r\n", all, to), "X\r\n\r\n");
}

TEST(Adapt, SurvivesEveryTruncation) {
  const std::string octets =
      "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h ;\r\n branch=z9hG4bKx\r\nCall-ID: \r\n "
      "y\r\n\r\n";
  for (std::size_t size = 0; size <= octets.size(); ++size)
    EXPECT_GE(adapt_raw(octets.substr(0, size), all, udp).size() + 20, size);
}

}  // namespace
}  // namespace sipassay::runner
