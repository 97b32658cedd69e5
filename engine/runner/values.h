// Named parts of a message, as scenarios name them: "cseq.number", "from.tag", "via.branch".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/message/message.h"

namespace sipassay::runner {

// Each value of that header field in order, over lines and commas; folds are one space. Empty:
// absent.
std::vector<std::string> header_values(const Message& message, std::string_view name);
// Lines with that name.
std::size_t header_lines(const Message& message, std::string_view name);

// A parameter of one value, quotes off; an empty text for one without "=". Nothing: absent.
std::optional<std::string> value_param(std::string_view name, std::string_view value,
                                       std::string_view param);
// uri display user host port scheme number rseq cseq method token tag transport sent-by type
// subtype.
std::optional<std::string> value_part(std::string_view name, std::string_view value,
                                      std::string_view part);
// The value up to its parameters, without a comment (RFC 3261 20.33).
std::string value_token(std::string_view value);

// start-line method request-uri status reason body branch, HEADER, HEADER.PART, HEADER.PARAMETER.
std::optional<std::string> message_value(const Message& message, std::string_view path);

// Content-Type says application/sdp, or a part of a multipart body does: that text.
std::optional<std::string> sdp_of(const Message& message);

// A URI that a value names: in brackets, or bare up to its parameters.
std::string uri_of(std::string_view value);

}  // namespace sipassay::runner
