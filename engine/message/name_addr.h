// name-addr / addr-spec with header parameters: From, To, Contact, Route, Refer-To, …
#pragma once

#include <string_view>

#include "engine/base/error.h"
#include "engine/message/octets.h"
#include "engine/message/params.h"
#include "engine/message/uri.h"

namespace sipassay {

struct NameAddr {
  std::string_view text;     // the whole value, as written
  std::string_view display;  // as written, quotes included; empty if none
  Uri uri;
  bool has_brackets = false;
  Params params;  // header parameters, never URI parameters

  std::string_view tag() const { return params.value("tag"); }
  // display, <uri>, params; in brackets always.
  void write(Octets& out) const;
};

// One value. Without brackets the URI ends at ; ? or , (RFC 3261 20).
Parsed<NameAddr> parse_name_addr(std::string_view text);

}  // namespace sipassay
