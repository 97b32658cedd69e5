// Octets → message. Lenient in what it keeps, exact in what it reports.
#pragma once

#include <string_view>

#include "engine/base/error.h"
#include "engine/message/message.h"

namespace sipassay {

// One whole message: a datagram, or what the framer cut out of a stream. Checks the start line, the
// shape of the header lines and Content-Length; header values are checked when they are read
// (Message::get) and by lint(). RFC 3261 7, 18.3.
// A datagram's octets behind Content-Length are dropped and counted; fewer is
// ErrorCode::ContentLength.
Parsed<Message> parse_message(std::string_view octets);

// The same into an existing message whose memory is used again: no allocation in the steady state.
// On an error `into` holds as much as could be read (Via, From, To, Call-ID, CSeq may be usable for
// a 400), see error offset.
std::expected<void, Error> parse_message(std::string_view octets, Message& into);

// The same without the fast path for usual messages; tests hold the two together.
std::expected<void, Error> parse_message_closely(std::string_view octets, Message& into);

}  // namespace sipassay
