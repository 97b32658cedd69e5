#include "engine/message/serialise.h"

namespace sipassay {

void write_request_line(Octets& out, std::string_view method, const Uri& uri) {
  out.add(method, ' ');
  uri.write(out);
  out += " SIP/2.0\r\n";
}

void write_status_line(Octets& out, int status, std::string_view reason) {
  out += "SIP/2.0 ";
  out.add_number(static_cast<std::uint32_t>(status));
  out.add(' ', reason, "\r\n");
}

void write_field(Octets& out, std::string_view name, std::string_view value) {
  out.add(name, ": ", value, "\r\n");
}

void write_body(Octets& out, std::string_view body) {
  out.add("\r\n", body);
}

}  // namespace sipassay
