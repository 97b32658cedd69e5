// Typed values → octets of a message, into memory that may be used again: no allocation in the
// steady state. Message (message.h) builds on the same rules when it must also be read and edited.
#pragma once

#include <string_view>

#include "engine/message/header_id.h"
#include "engine/message/octets.h"
#include "engine/message/uri.h"

namespace sipassay {

// "METHOD uri SIP/2.0" with its line end.
void write_request_line(Octets& out, std::string_view method, const Uri& uri);
// "SIP/2.0 status reason" with its line end.
void write_status_line(Octets& out, int status, std::string_view reason);
// "Name: value" with its line end.
void write_field(Octets& out, std::string_view name, std::string_view value);
template <class H>
void write_field(Octets& out, const H& value) {
  const FieldStart& start = field_start(H::id);
  out.add_first(start.octets, start.size);
  value.write(out);
  out += "\r\n";
}
// The empty line and the body.
void write_body(Octets& out, std::string_view body);

}  // namespace sipassay
