// message/sipfrag (RFC 3420): a start line, some header fields, maybe a body; or parts of that.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/error.h"
#include "engine/message/message.h"

namespace sipassay {

// A fragment as a message. Without a start line the message has a stand-in, "FRAGMENT sip:none
// SIP/2.0". Every known header field has been checked (RFC 3420 3.2), a body has a Content-Type.
struct SipFragment {
  Message message;
  bool has_start_line = false;
};
Parsed<SipFragment> parse_sipfrag(std::string_view text);

// The status of a fragment that is or begins with a Status-Line (RFC 3515 2.4.5); 0 otherwise.
int sipfrag_status(std::string_view text);
// "SIP/2.0 200 OK\r\n", the body of a NOTIFY for a REFER (RFC 3515 2.4.5).
std::string make_sipfrag(int status, std::string_view reason = {});

}  // namespace sipassay
