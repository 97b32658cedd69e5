// Requests formed from a URI that somebody else wrote: a Refer-To, the Contact of a redirection
// (RFC 3261 19.1.5, 8.1.3.4).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/agent/command.h"
#include "engine/message/uri.h"

namespace sipassay::agent {

struct FormedInvite {
  std::string request_uri;           // without method and header fields
  std::vector<ExtraHeader> headers;  // those of the URI that may be set
};

// Nothing for a URI that is neither sip nor sips or wants another method.
std::optional<FormedInvite> form_invite(const Uri& uri);

}  // namespace sipassay::agent
