// Headers whose values are single tokens: option tags, methods, event packages, entity tags.
#pragma once

#include "engine/message/header_id.h"
#include "engine/message/reader.h"

namespace sipassay {

template <HeaderId Id>
struct TokenHeader {
  static constexpr HeaderId id = Id;
  std::string_view token;

  static bool read(Reader& reader, TokenHeader& out) { return reader.token(out.token); }
  static Parsed<TokenHeader> parse(std::string_view value) {
    return parse_whole<TokenHeader>(value);
  }
  void write(Octets& out) const { out += token; }
};

// Lists: one value each from Message::all.
using Allow = TokenHeader<HeaderId::Allow>;
using AllowEvents = TokenHeader<HeaderId::AllowEvents>;
using ContentEncoding = TokenHeader<HeaderId::ContentEncoding>;
using ProxyRequire = TokenHeader<HeaderId::ProxyRequire>;
using Require = TokenHeader<HeaderId::Require>;
using Supported = TokenHeader<HeaderId::Supported>;
using Unsupported = TokenHeader<HeaderId::Unsupported>;
// One value.
using Priority = TokenHeader<HeaderId::Priority>;
using SipEtag = TokenHeader<HeaderId::SipEtag>;        // RFC 3903 11.3.1
using SipIfMatch = TokenHeader<HeaderId::SipIfMatch>;  // RFC 3903 11.3.2

// RFC 3261 20.13: 1*8ALPHA *( "-" 1*8ALPHA ); RFC 5646 adds digits to subtags.
struct ContentLanguage {
  static constexpr HeaderId id = HeaderId::ContentLanguage;
  std::string_view token;

  static bool read(Reader& reader, ContentLanguage& out);
  static Parsed<ContentLanguage> parse(std::string_view value) {
    return parse_whole<ContentLanguage>(value);
  }
  void write(Octets& out) const { out += token; }
};

// RFC 3261 20.21: Call-IDs.
struct InReplyTo {
  static constexpr HeaderId id = HeaderId::InReplyTo;
  std::string_view token;

  static bool read(Reader& reader, InReplyTo& out) { return reader.call_id(out.token); }
  static Parsed<InReplyTo> parse(std::string_view value) { return parse_whole<InReplyTo>(value); }
  void write(Octets& out) const { out += token; }
};

}  // namespace sipassay
