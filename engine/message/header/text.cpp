#include "engine/message/header/text.h"

namespace sipassay::detail {

bool read_text(Reader& reader, std::string_view& out) {
  const std::size_t start = reader.offset();
  std::size_t end = start;
  for (;;) {
    if (!reader.span(chars::Text).empty()) end = reader.offset();
    if (!reader.skip_space()) break;
  }
  if (!reader.is_done()) return reader.fail(ErrorCode::HeaderValue);
  reader.seek(end);
  out = reader.since(start);
  return true;
}

// RFC 3261 25.1: server-val *(LWS server-val); server-val = product / comment
bool read_products(Reader& reader, std::string_view& out) {
  const std::size_t start = reader.offset();
  for (;;) {
    std::string_view part;
    if (reader.peek() == '(') {
      if (!reader.comment(part)) return false;
    } else {
      if (!reader.token(part)) return false;
      if (reader.take_separator('/') && !reader.token(part)) return false;
    }
    out = reader.since(start);
    // LPAREN begins with optional white space, two products need some.
    if (!reader.skip_space() && reader.peek() != '(') return true;
    if (reader.is_done()) return true;
  }
}

}  // namespace sipassay::detail
