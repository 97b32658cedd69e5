// Octets of a stream → messages (RFC 3261 18.3; keep-alives RFC 5626 3.5.1).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "engine/base/error.h"
#include "engine/message/message.h"

namespace sipassay {

// Fed in any segmentation; gives the same frames. Limits: message_octets_max.
class Framer {
 public:
  struct Ping {};  // CRLF CRLF before a message: answer with CRLF
  struct Pong {};  // a single CRLF before a message
  // Framing is lost (no Content-Length, or a malformed one, or too large): close the connection.
  struct Broken {
    Error error;
    std::string octets;
  };
  // A message that frames but does not parse: octets and why, so that a 400 can be sent.
  struct Garbage {
    Error error;
    std::string octets;
  };
  using Frame = std::variant<Message, Ping, Pong, Garbage, Broken>;
  void feed(std::string_view octets);
  // Next complete frame, if there is one. A CRLF that is the last octet fed may still become a
  // Ping.
  std::optional<Frame> next();

 private:
  // Octets of the message that begins the buffer; nothing when more are needed to know.
  std::expected<std::optional<std::size_t>, Error> message_length();
  Frame break_with(Error error);

  std::string buffer_;
  std::size_t read_ = 0;     // octets given out
  std::size_t scanned_ = 0;  // octets behind read_ in which no header section ends
  bool is_broken_ = false;
};

}  // namespace sipassay
