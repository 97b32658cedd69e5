// Headers that name a dialog: Replaces (RFC 3891 6.1), Join (RFC 3911 7.1), Target-Dialog (RFC 4538
// 7).
#pragma once

#include "engine/message/header_id.h"
#include "engine/message/params.h"
#include "engine/message/reader.h"

namespace sipassay {

namespace detail {
struct DialogRef {
  std::string_view call_id;
  Params params;
};
// Call-ID, then parameters of which `first` and `second` occur once each with a token.
bool read_dialog_ref(Reader& reader, DialogRef& out, std::string_view first,
                     std::string_view second);
void write_dialog_ref(Octets& out, const DialogRef& ref, std::string_view first,
                      std::string_view first_value, std::string_view second,
                      std::string_view second_value);
}  // namespace detail

struct Replaces {
  static constexpr HeaderId id = HeaderId::Replaces;
  std::string_view call_id;
  std::string_view from_tag;
  std::string_view to_tag;
  bool early_only = false;
  Params params;  // all of them, when parsed

  static bool read(Reader& reader, Replaces& out);
  static Parsed<Replaces> parse(std::string_view value) { return parse_whole<Replaces>(value); }
  void write(Octets& out) const;
};

struct Join {
  static constexpr HeaderId id = HeaderId::Join;
  std::string_view call_id;
  std::string_view from_tag;
  std::string_view to_tag;
  Params params;

  static bool read(Reader& reader, Join& out);
  static Parsed<Join> parse(std::string_view value) { return parse_whole<Join>(value); }
  void write(Octets& out) const;
};

struct TargetDialog {
  static constexpr HeaderId id = HeaderId::TargetDialog;
  std::string_view call_id;
  std::string_view local_tag;   // empty: none
  std::string_view remote_tag;  // empty: none
  Params params;

  static bool read(Reader& reader, TargetDialog& out);
  static Parsed<TargetDialog> parse(std::string_view value) {
    return parse_whole<TargetDialog>(value);
  }
  void write(Octets& out) const;
};

}  // namespace sipassay
