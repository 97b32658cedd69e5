// Which transaction a message belongs to (RFC 3261 17.1.3, 17.2.3), as ordered text.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/message/header/via.h"
#include "engine/message/message.h"

namespace sipassay::transaction {

// A request's key: branch, sent-by and method; without the magic cookie the fields that RFC 2543
// compares. Ordered so that all keys of one branch, whatever the method, stand together.
struct ServerKey {
  std::string branch;  // all but the method and the To tag
  std::string method;  // an ACK keeps its own
  std::string to_tag;  // RFC 2543 only

  bool has_cookie() const { return branch.starts_with('b'); }

  friend auto operator<=>(const ServerKey& a, const ServerKey& b) = default;
};

// The key of a received request whose top Via is `via`.
ServerKey server_key(const Message& request, const Via& via);

// The key of a client transaction: branch and method; without a branch Call-ID, CSeq and From tag.
// A response has that of the request it answers; nothing if its CSeq cannot be read.
std::optional<std::string> client_key(const Message& message, const Via& via);

// From tag, Call-ID and CSeq: equal in copies of a request that came by different ways (8.2.2.2).
// Empty if they cannot be read.
std::string merge_key(const Message& request);

// RFC 3261 18.1.2: the same host and port; an absent port is the transport's default.
bool has_same_sent_by(const Via& a, const Via& b);

// RFC 3261 18.1.1, 18.2.2: 5061 for TLS, 5060 otherwise.
std::uint16_t sent_by_port(const Via& via);

}  // namespace sipassay::transaction
