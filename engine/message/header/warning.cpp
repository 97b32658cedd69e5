#include "engine/message/header/warning.h"

namespace sipassay {

// warn-code SP warn-agent SP warn-text
bool Warning::read(Reader& reader, Warning& out) {
  const std::size_t start = reader.offset();
  std::uint32_t code = 0;
  if (!reader.number(code, 999)) return false;
  if (reader.offset() - start != 3) return reader.fail(ErrorCode::Number, start);
  out.code = static_cast<std::uint16_t>(code);
  if (!reader.skip_space()) return reader.fail(ErrorCode::HeaderValue);
  const std::size_t agent = reader.offset();
  if (reader.peek() == '[') {
    std::string_view host;
    bool is_ipv6 = false;
    if (!reader.host(host, is_ipv6)) return false;
  } else if (reader.span(chars::Token).empty()) {
    return reader.fail(ErrorCode::HeaderValue);
  }
  std::optional<std::uint16_t> port;
  if (reader.take(':') && !reader.port(port)) return false;
  out.agent = reader.since(agent);
  if (!reader.skip_space()) return reader.fail(ErrorCode::HeaderValue);
  return reader.quoted_string(out.text);
}

void Warning::write(Octets& out) const {
  out += static_cast<char>('0' + code / 100 % 10);
  out += static_cast<char>('0' + code / 10 % 10);
  out += static_cast<char>('0' + code % 10);
  out.add(' ', agent, ' ', text);
}

}  // namespace sipassay
