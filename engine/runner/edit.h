// What a case wants different in a message that the peer made.
#pragma once

#include <expected>
#include <string>

#include "engine/message/message.h"
#include "engine/runner/case.h"
#include "engine/runner/match.h"

namespace sipassay::runner {

// All edits but sdp, raw and segments, in the order: names and numbers (cseq, tags, Call-ID,
// contact, branch), header fields as listed, body, Content-Length, start line last. Values may be
// any octets.
std::expected<void, UnknownReference> apply_edit(const MessageEdit& edit, Message& message,
                                                 const CheckContext& context);

// Nothing that the transaction layer needs in order to keep the message as its own is touched.
bool keeps_transaction(const MessageEdit& edit);

}  // namespace sipassay::runner
