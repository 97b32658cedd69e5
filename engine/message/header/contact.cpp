#include "engine/message/header/contact.h"

#include "engine/base/ascii.h"

namespace sipassay {

std::optional<std::uint32_t> Contact::expires() const {
  return ascii::number<std::uint32_t>(addr.params.value("expires"));
}

std::optional<std::uint16_t> Contact::q() const {
  return qvalue(addr.params.value("q"));
}

bool Contact::read(Reader& reader, Contact& out) {
  const std::size_t start = reader.offset();
  out.is_star = reader.take('*');
  if (out.is_star) {
    // STAR stands alone; "*" may also begin a display name that is a token.
    if (!reader.is_done() && !chars::is(reader.peek(), chars::Token)) {
      reader.skip_space();
      if (reader.peek() != '<') {
        out.addr.text = "*";
        return reader.is_done() || reader.fail(ErrorCode::HeaderValue);
      }
    } else if (reader.is_done()) {
      out.addr.text = reader.since(start);
      return true;
    }
    out.is_star = false;
    reader.seek(start);
  }
  return reader.name_addr(out.addr);
}

void Contact::write(Octets& out) const {
  if (is_star)
    out += '*';
  else
    addr.write(out);
}

std::optional<std::uint16_t> qvalue(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  unsigned value = text[0] == '1' ? 1000 : 0;
  unsigned unit = 100;
  for (const char c : text.substr(text.size() > 1 ? 2 : 1)) {
    if (!ascii::is_digit(c)) return std::nullopt;
    value += static_cast<unsigned>(c - '0') * unit;
    unit /= 10;
  }
  return value <= 1000 ? std::optional(static_cast<std::uint16_t>(value)) : std::nullopt;
}

}  // namespace sipassay
