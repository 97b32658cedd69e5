#include "engine/message/name_addr.h"

#include "engine/message/reader.h"

namespace sipassay {

Parsed<NameAddr> parse_name_addr(std::string_view text) {
  Reader reader(text);
  reader.skip_space();
  Parsed<NameAddr> out(std::in_place);
  if (!reader.name_addr(*out)) return std::unexpected(reader.error());
  reader.skip_space();
  if (!reader.is_done()) return std::unexpected(Error{ErrorCode::HeaderValue, reader.offset()});
  return out;
}

void NameAddr::write(Octets& out) const {
  if (!display.empty()) out.add(display, ' ');
  out += '<';
  uri.write(out);
  out.add('>', params.text());
}

}  // namespace sipassay
