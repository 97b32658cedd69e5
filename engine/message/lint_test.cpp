#include "engine/message/lint.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/message/parse.h"

namespace sipassay {
namespace {

bool breaks(const std::string& octets, std::string_view rule) {
  const auto message = parse_message(octets);
  EXPECT_TRUE(message) << octets;
  return message && std::ranges::any_of(lint(*message), [&](const Finding& finding) {
           return finding.rule == rule;
         });
}

std::string message(std::string_view start_line, std::string_view protocol) {
  return std::string(start_line) + "\r\nVia: " + std::string(protocol) +
         "/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\n"
         "To: <sip:c@d>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
}

// 8.2.6.2 MUST: a response repeats the Via of its request, whatever that says.
TEST(Lint, AVersionInViaIsTheFaultOfWhoMadeTheRequest) {
  EXPECT_TRUE(breaks(message("OPTIONS sip:c@d SIP/2.0", "SIP/7.0"), "via-protocol"));
  EXPECT_FALSE(breaks(message("OPTIONS sip:c@d SIP/2.0", "SIP/2.0"), "via-protocol"));
  EXPECT_FALSE(breaks(message("SIP/2.0 505 Version Not Supported", "SIP/7.0"), "via-protocol"));
}

}  // namespace
}  // namespace sipassay
