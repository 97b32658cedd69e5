#include "engine/message/header/token.h"

#include "engine/base/ascii.h"

namespace sipassay {

bool ContentLanguage::read(Reader& reader, ContentLanguage& out) {
  const std::size_t start = reader.offset();
  bool is_primary = true;
  do {
    const std::string_view tag = reader.span_of(chars::Alnum);
    if (tag.empty() || tag.size() > 8) return reader.fail(ErrorCode::HeaderValue);
    if (is_primary && tag.find_first_of("0123456789") != std::string_view::npos)
      return reader.fail(ErrorCode::HeaderValue, start);
    is_primary = false;
  } while (reader.take('-'));
  out.token = reader.since(start);
  return true;
}

}  // namespace sipassay
