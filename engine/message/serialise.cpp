#include "engine/message/serialise.h"

#include "engine/message/reader.h"

namespace sipassay {

void write_request_line(std::string& out, std::string_view method, const Uri& uri) {
  out += method;
  out += ' ';
  uri.write(out);
  out += " SIP/2.0\r\n";
}

void write_status_line(std::string& out, int status, std::string_view reason) {
  out += "SIP/2.0 ";
  write_number(out, static_cast<std::uint32_t>(status));
  out += ' ';
  out += reason;
  out += "\r\n";
}

void write_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

void write_body(std::string& out, std::string_view body) {
  out += "\r\n";
  out += body;
}

}  // namespace sipassay
