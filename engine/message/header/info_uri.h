// Alert-Info, Call-Info, Error-Info (RFC 3261 20.4, 20.9, 20.18): a URI in brackets with
// parameters.
#pragma once

#include "engine/message/header_id.h"
#include "engine/message/params.h"
#include "engine/message/reader.h"
#include "engine/message/uri.h"

namespace sipassay {

template <HeaderId Id>
struct InfoUriHeader {
  static constexpr HeaderId id = Id;
  Uri uri;
  Params params;

  static bool read(Reader& reader, InfoUriHeader& out) {
    return reader.bracketed_uri(out.uri) && reader.params(out.params);
  }
  static Parsed<InfoUriHeader> parse(std::string_view value) {
    return parse_whole<InfoUriHeader>(value);
  }
  void write(Octets& out) const {
    out += '<';
    uri.write(out);
    out.add('>', params.text());
  }
};

using AlertInfo = InfoUriHeader<HeaderId::AlertInfo>;
using CallInfo = InfoUriHeader<HeaderId::CallInfo>;
using ErrorInfo = InfoUriHeader<HeaderId::ErrorInfo>;

}  // namespace sipassay
