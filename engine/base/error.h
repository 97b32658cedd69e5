// What was wrong with bytes that somebody sent us: code, where, and which sentence says so.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "engine/base/clause.h"

namespace sipassay {

// Each code's text and clause stand in one table, error.cpp.
enum class ErrorCode : std::uint8_t {
  Empty,              // no octets at all
  StartLine,          // neither a Request-Line nor a Status-Line
  Version,            // SIP-Version is not SIP/2.0
  Method,             // method is not a token
  StatusCode,         // status code is not three digits, or outside 100..699
  RequestUri,         // Request-URI is empty, in angle brackets, or has white space
  HeaderName,         // field name is not a token or is not followed by a colon
  HeaderEnd,          // the header section is not closed by an empty line
  HeaderMissing,      // a mandatory header field is absent
  HeaderRepeated,     // a single-valued header field occurs more than once
  HeaderValue,        // the value does not match its grammar
  Number,             // not a number, or out of range
  Uri,                // not a URI
  Host,               // not a host
  Port,               // not a port
  Escape,             // % not followed by two hexadecimal digits
  QuotedString,       // quoted string does not end
  Parameter,          // malformed or repeated parameter
  ContentLength,      // Content-Length is not the length of the body
  Body,               // malformed body (multipart, sipfrag)
  SdpLine,            // malformed or misplaced SDP line
  LimitExceeded,      // one of our named limits; the message may be legal
  Count
};

struct Error {
  ErrorCode code{};
  std::size_t offset = 0;  // octets from the start of what was parsed

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Parsed = std::expected<T, Error>;

// What was expected, in our words.
std::string_view text(ErrorCode code);
Clause clause(ErrorCode code);
// "offset 17: status code is not three digits (RFC 3261 section 7.2)"
std::string to_string(const Error& error);

}  // namespace sipassay
