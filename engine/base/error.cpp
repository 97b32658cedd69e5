#include "engine/base/error.h"

#include <array>
#include <fmt/format.h>

namespace sipassay {

namespace {

struct Row {
  ErrorCode code;
  std::string_view text;
  Clause clause;
};

constexpr std::array rows{
    Row{ErrorCode::Empty, "a message, but there are no octets", {3261, "7"}},
    Row{ErrorCode::StartLine, "a Request-Line or a Status-Line", {3261, "7.1"}},
    Row{ErrorCode::Version, "SIP-Version SIP/2.0", {3261, "7.1"}},
    Row{ErrorCode::Method, "a method that is a token", {3261, "25.1"}},
    Row{ErrorCode::StatusCode, "a status code of three digits between 100 and 699", {3261, "7.2"}},
    Row{ErrorCode::RequestUri, "a Request-URI without white space or angle brackets", {3261, "7.1"}},
    Row{ErrorCode::HeaderName, "a field name that is a token, and a colon", {3261, "7.3.1"}},
    Row{ErrorCode::HeaderEnd, "an empty line after the header section", {3261, "7"}},
    Row{ErrorCode::HeaderMissing, "a mandatory header field", {3261, "8.1.1"}},
    Row{ErrorCode::HeaderRepeated, "a header field that occurs once", {3261, "7.3.1"}},
    Row{ErrorCode::HeaderValue, "a header field value that follows its grammar", {3261, "25.1"}},
    Row{ErrorCode::Number, "a decimal number in range", {3261, "25.1"}},
    Row{ErrorCode::Uri, "a URI", {3261, "25.1"}},
    Row{ErrorCode::Host, "a host name, an IPv4 address or an IPv6 reference", {3261, "25.1"}},
    Row{ErrorCode::Port, "a port between 0 and 65535", {3261, "25.1"}},
    Row{ErrorCode::Escape, "two hexadecimal digits after %", {3261, "25.1"}},
    Row{ErrorCode::QuotedString, "a quoted string that ends", {3261, "25.1"}},
    Row{ErrorCode::Parameter, "a parameter that follows its grammar and occurs once", {3261, "7.3.1"}},
    Row{ErrorCode::ContentLength, "a Content-Length equal to the octets of the body", {3261, "18.3"}},
    Row{ErrorCode::Body, "a body that follows its media type", {2046, "5.1"}},
    Row{ErrorCode::SdpLine, "a line that SDP allows here", {8866, "9"}},
    Row{ErrorCode::LimitExceeded, "no more than a limit of this program allows", {3261, "7"}},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].code != static_cast<ErrorCode>(i)) return false;
  return rows.size() == static_cast<std::size_t>(ErrorCode::Count);
}
static_assert(in_order(), "one row a code, in the order of the enumeration");

}  // namespace

std::string_view text(ErrorCode code) { return rows.at(static_cast<std::size_t>(code)).text; }

Clause clause(ErrorCode code) { return rows.at(static_cast<std::size_t>(code)).clause; }

std::string to_string(const Error& error) {
  return fmt::format("offset {}: expected {} ({})", error.offset, text(error.code),
                     to_string(clause(error.code)));
}

}  // namespace sipassay
