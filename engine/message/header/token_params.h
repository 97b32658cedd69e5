// A token with parameters: Recv-Info, Reason, Accept-Encoding, Accept-Language.
#pragma once

#include "engine/message/header_id.h"
#include "engine/message/params.h"
#include "engine/message/reader.h"

namespace sipassay {

template <HeaderId Id>
struct TokenParamsHeader {
  static constexpr HeaderId id = Id;
  std::string_view token;
  Params params;

  static bool read(Reader& reader, TokenParamsHeader& out) {
    return reader.token(out.token) && reader.params(out.params);
  }
  static Parsed<TokenParamsHeader> parse(std::string_view value) {
    return parse_whole<TokenParamsHeader>(value);
  }
  void write(Octets& out) const {
    out.add(token, params.text());
  }
};

using AcceptEncoding = TokenParamsHeader<HeaderId::AcceptEncoding>;
using AcceptLanguage = TokenParamsHeader<HeaderId::AcceptLanguage>;
using Reason = TokenParamsHeader<HeaderId::Reason>;      // RFC 3326 2: protocol, ;cause, ;text
using RecvInfo = TokenParamsHeader<HeaderId::RecvInfo>;  // RFC 6086 4.2.3

}  // namespace sipassay
