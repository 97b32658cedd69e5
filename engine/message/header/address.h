// From, To, Route, … : one address with parameters (RFC 3261 20).
#pragma once

#include "engine/base/ascii.h"
#include "engine/message/header_id.h"
#include "engine/message/name_addr.h"
#include "engine/message/reader.h"

namespace sipassay {

template <HeaderId Id>
struct AddressHeader {
  static constexpr HeaderId id = Id;
  // RFC 3261 25.1: From and To take a tag parameter, a token.
  static constexpr bool has_tag_rule = Id == HeaderId::From || Id == HeaderId::To;
  // RFC 3261 20.30, 20.34, RFC 3327 4, RFC 3608 5: name-addr only.
  static constexpr bool needs_brackets = Id == HeaderId::Route || Id == HeaderId::RecordRoute ||
                                         Id == HeaderId::Path || Id == HeaderId::ServiceRoute;
  NameAddr addr;

  std::string_view tag() const { return addr.tag(); }

  static bool read(Reader& reader, AddressHeader& out) {
    const std::size_t start = reader.offset();
    if (!reader.name_addr(out.addr)) return false;
    if constexpr (needs_brackets) {
      if (!out.addr.has_brackets) return reader.fail(ErrorCode::HeaderValue, start);
    }
    if constexpr (has_tag_rule) {
      if (reader.were_token_params()) return true;
      const auto tag = out.addr.params.find("tag");
      if (tag && !ascii::is_token(tag->value)) return reader.fail(ErrorCode::Parameter);
    }
    return true;
  }
  static Parsed<AddressHeader> parse(std::string_view value) {
    return parse_whole<AddressHeader>(value);
  }
  void write(Octets& out) const { addr.write(out); }
};

using From = AddressHeader<HeaderId::From>;
using To = AddressHeader<HeaderId::To>;
using Route = AddressHeader<HeaderId::Route>;
using RecordRoute = AddressHeader<HeaderId::RecordRoute>;
using ReferTo = AddressHeader<HeaderId::ReferTo>;
using ReferredBy = AddressHeader<HeaderId::ReferredBy>;
using ReplyTo = AddressHeader<HeaderId::ReplyTo>;
using Path = AddressHeader<HeaderId::Path>;
using ServiceRoute = AddressHeader<HeaderId::ServiceRoute>;

}  // namespace sipassay
