// Multipart bodies (RFC 2046 5.1) and finding the session description in them (RFC 5621).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/message/message.h"

namespace sipassay {

inline constexpr std::size_t parts_max = 64;  // of one multipart, and of a whole body
inline constexpr std::size_t multipart_depth_max = 4;
inline constexpr std::size_t part_fields_max = 32;

// A part, as views into the body. Fields that are absent are empty.
struct Part {
  std::string_view headers;       // the lines, as written
  std::string_view content_type;  // value; absent is text/plain (RFC 2046 5.1)
  std::string_view content_disposition;
  std::string_view content_id;
  std::string_view content_transfer_encoding;
  std::string_view body;
};

struct Multipart {
  std::string_view preamble, epilogue;
  std::vector<Part> parts;
};

// boundary: without quotes, 1 to 70 characters. Offsets count from the start of the body.
Parsed<Multipart> parse_multipart(std::string_view body, std::string_view boundary);
// The boundary parameter of a Content-Type value if that is multipart/*, unquoted; empty otherwise.
std::string multipart_boundary(std::string_view content_type);

// A body with these parts; headers of each part as given, or made of content_type and
// content_disposition when headers is empty.
std::string make_multipart(const std::vector<Part>& parts, std::string_view boundary);

// A body part that carries a meaning: its type, disposition and octets.
struct BodyPart {
  std::string_view content_type;  // value as written
  std::string_view disposition;   // disp-type as written; "session" or "render" when inferred
  bool is_optional = false;       // handling=optional (RFC 3261 20.11)
  std::string_view octets;
};

// What a UA finds in a body (RFC 3261 13.2.1, 20.11; RFC 5621).
struct BodyContents {
  std::optional<BodyPart> session;  // application/sdp with disposition session, given or by default
  std::optional<BodyPart> early_session;  // RFC 3959
  std::vector<BodyPart> others;           // all other leaves, in order
  // RFC 5621 8.1, 8.4: the first with handling=required whose type, disposition or transfer
  // encoding is not supported: answer 415 with Accept, or with Accept-Encoding if the whole body is
  // encoded.
  std::optional<BodyPart> unsupported;
  bool is_encoded = false;  // Content-Encoding other than identity: nothing was looked at
};

// What the reader of a body understands, without case. An empty list stands for any.
struct BodySupport {
  std::vector<std::string_view> types{"application/sdp", "message/sipfrag", "text/plain"};
  std::vector<std::string_view> dispositions{"session", "render"};
};

// An empty body has no contents. Views live as long as the message. Error: malformed Content-Type
// or Content-Disposition; a required multipart that is malformed, too deep or has too many parts.
// Offsets of errors in the body count from its start.
Parsed<BodyContents> body_contents(const Message& message, const BodySupport& support = {});

// The octets of the session description, if the message carries one.
std::optional<std::string_view> session_description(const Message& message);

// Media types that we understand, the value of Accept in a 415 (RFC 3261 8.2.3).
std::string_view accepted_media_types();

}  // namespace sipassay
