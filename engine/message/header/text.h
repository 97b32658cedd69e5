// Free text: Subject, Organization; products: Server, User-Agent; one word: Call-ID.
#pragma once

#include "engine/message/header_id.h"
#include "engine/message/reader.h"

namespace sipassay {

namespace detail {
bool read_text(Reader& reader, std::string_view& out);
bool read_products(Reader& reader, std::string_view& out);
}  // namespace detail

template <HeaderId Id>
struct TextHeader {
  static constexpr HeaderId id = Id;
  std::string_view value;  // without the LWS around it; may be empty

  static bool read(Reader& reader, TextHeader& out) { return detail::read_text(reader, out.value); }
  static Parsed<TextHeader> parse(std::string_view value) { return parse_whole<TextHeader>(value); }
  void write(Octets& out) const { out += value; }
};

template <HeaderId Id>
struct ProductsHeader {
  static constexpr HeaderId id = Id;
  std::string_view value;  // server-val *(LWS server-val), as written

  static bool read(Reader& reader, ProductsHeader& out) {
    return detail::read_products(reader, out.value);
  }
  static Parsed<ProductsHeader> parse(std::string_view value) {
    return parse_whole<ProductsHeader>(value);
  }
  void write(Octets& out) const { out += value; }
};

struct CallId {
  static constexpr HeaderId id = HeaderId::CallId;
  std::string_view value;

  static bool read(Reader& reader, CallId& out) { return reader.call_id(out.value); }
  static Parsed<CallId> parse(std::string_view value) { return parse_whole<CallId>(value); }
  void write(Octets& out) const { out += value; }
};

using Organization = TextHeader<HeaderId::Organization>;
using Subject = TextHeader<HeaderId::Subject>;
using Server = ProductsHeader<HeaderId::Server>;
using UserAgent = ProductsHeader<HeaderId::UserAgent>;

}  // namespace sipassay
