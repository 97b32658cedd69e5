// What a malformed message calls for, before any state is looked at: a rejection or a shrug.
#pragma once

#include <optional>

#include "engine/base/error.h"
#include "engine/message/message.h"

namespace sipassay {

struct Rejection {
  int status = 400;                   // 400, 416 or 505
  Error error;                        // offset from the start of the element at fault
  HeaderId header = HeaderId::Other;  // the header field at fault; Other: the start line, or a line
};

// The final response that a UAS owes a request for its form alone: 505 (RFC 3261 21.5.6), 400
// (21.4.1, 18.3), 416 (8.2.2.1). Header fields that are not needed to process the request may be
// malformed (8.2.2: they are ignored). Methods (405, 501) and extensions (420) are the user's.
// Works on messages for which parse_message gave an error, too.
std::optional<Rejection> owed_rejection(const Message& request);

// Via, From, To, Call-ID and CSeq can be copied into a response (RFC 3261 8.2.6.2).
bool can_be_answered(const Message& request);

// A UAC drops this response: malformed where it matters, or more than one Via value (RFC 3261
// 8.1.3.3, 18.3), or no status code.
bool must_discard(const Message& response);

}  // namespace sipassay
