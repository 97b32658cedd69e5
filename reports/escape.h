// Makes octets from anywhere harmless in a report.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sipassay::reports {

// Valid UTF-8 on one line: control characters (C0, DEL, C1), line ends, invalid octets and
// characters that reorder or hide text become \xNN or \u{NNNN}. Its own output stays as it is.
std::string printable(std::string_view octets);
// The same, but line ends (CRLF, LF) stay as LF and a tab stays.
std::string printable_lines(std::string_view octets);

// For XML and HTML text and attribute values; calls printable_lines first.
std::string markup(std::string_view octets);

std::string base64(std::string_view octets);
// Nothing for text that is not base64 with its padding.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace sipassay::reports
