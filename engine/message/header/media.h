// Accept, Content-Type, Content-Disposition, MIME-Version (RFC 3261 20.1, 20.11, 20.15, 20.24).
#pragma once

#include <cstdint>

#include "engine/base/ascii.h"
#include "engine/message/header_id.h"
#include "engine/message/params.h"
#include "engine/message/reader.h"

namespace sipassay {

struct ContentType {
  static constexpr HeaderId id = HeaderId::ContentType;
  std::string_view type;
  std::string_view subtype;
  Params params;

  bool is(std::string_view a_type, std::string_view a_subtype) const {
    return ascii::iequals(type, a_type) && ascii::iequals(subtype, a_subtype);
  }

  static bool read(Reader& reader, ContentType& out);
  static Parsed<ContentType> parse(std::string_view value) {
    return parse_whole<ContentType>(value);
  }
  void write(Octets& out) const;
};

// A list; an empty header field accepts nothing (RFC 3261 20.1).
struct Accept {
  static constexpr HeaderId id = HeaderId::Accept;
  std::string_view type;     // "*" for any
  std::string_view subtype;  // "*" for any
  Params params;

  bool accepts(std::string_view a_type, std::string_view a_subtype) const {
    return (type == "*" || ascii::iequals(type, a_type)) &&
           (subtype == "*" || ascii::iequals(subtype, a_subtype));
  }

  static bool read(Reader& reader, Accept& out);
  static Parsed<Accept> parse(std::string_view value) { return parse_whole<Accept>(value); }
  void write(Octets& out) const;
};

struct ContentDisposition {
  static constexpr HeaderId id = HeaderId::ContentDisposition;
  std::string_view type;  // "session", "render", …
  Params params;

  // handling=optional; the default is required (RFC 3261 20.11).
  bool is_optional() const { return ascii::iequals(params.value("handling"), "optional"); }

  static bool read(Reader& reader, ContentDisposition& out);
  static Parsed<ContentDisposition> parse(std::string_view value) {
    return parse_whole<ContentDisposition>(value);
  }
  void write(Octets& out) const;
};

struct MimeVersion {
  static constexpr HeaderId id = HeaderId::MimeVersion;
  std::uint32_t major_number = 1;
  std::uint32_t minor_number = 0;

  static bool read(Reader& reader, MimeVersion& out);
  static Parsed<MimeVersion> parse(std::string_view value) {
    return parse_whole<MimeVersion>(value);
  }
  void write(Octets& out) const;
};

}  // namespace sipassay
