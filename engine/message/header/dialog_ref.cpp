#include "engine/message/header/dialog_ref.h"

#include "engine/base/ascii.h"

namespace sipassay {

namespace detail {

bool read_dialog_ref(Reader& reader, DialogRef& out, std::string_view first,
                     std::string_view second) {
  if (!reader.call_id(out.call_id) || !reader.params(out.params)) return false;
  for (const std::string_view name : {first, second}) {
    const auto param = out.params.find(name);
    if (!param || !ascii::is_token(param->value)) return reader.fail(ErrorCode::Parameter);
  }
  return true;
}

void write_dialog_ref(Octets& out, const DialogRef& ref, std::string_view first,
                      std::string_view first_value, std::string_view second,
                      std::string_view second_value) {
  out.add(ref.call_id, ref.params.text());
  if (!ref.params.has(first)) out.add(';', first, '=', first_value);
  if (!ref.params.has(second)) out.add(';', second, '=', second_value);
}

}  // namespace detail

bool Replaces::read(Reader& reader, Replaces& out) {
  detail::DialogRef ref;
  if (!detail::read_dialog_ref(reader, ref, "to-tag", "from-tag")) return false;
  out = {ref.call_id, ref.params.value("from-tag"), ref.params.value("to-tag"),
         ref.params.has("early-only"), ref.params};
  return true;
}

void Replaces::write(Octets& out) const {
  detail::write_dialog_ref(out, {call_id, params}, "to-tag", to_tag, "from-tag", from_tag);
  if (early_only && !params.has("early-only")) out += ";early-only";
}

bool Join::read(Reader& reader, Join& out) {
  detail::DialogRef ref;
  if (!detail::read_dialog_ref(reader, ref, "to-tag", "from-tag")) return false;
  out = {ref.call_id, ref.params.value("from-tag"), ref.params.value("to-tag"), ref.params};
  return true;
}

void Join::write(Octets& out) const {
  detail::write_dialog_ref(out, {call_id, params}, "to-tag", to_tag, "from-tag", from_tag);
}

// RFC 4538 7: either tag may be missing; such a value names no dialog (4).
bool TargetDialog::read(Reader& reader, TargetDialog& out) {
  if (!reader.call_id(out.call_id) || !reader.params(out.params)) return false;
  out.local_tag = out.params.value("local-tag");
  out.remote_tag = out.params.value("remote-tag");
  for (const std::string_view tag : {out.local_tag, out.remote_tag})
    if (!tag.empty() && !ascii::is_token(tag)) return reader.fail(ErrorCode::Parameter);
  return true;
}

void TargetDialog::write(Octets& out) const {
  out.add(call_id, params.text());
  if (!remote_tag.empty() && !params.has("remote-tag")) out.add(";remote-tag=", remote_tag);
  if (!local_tag.empty() && !params.has("local-tag")) out.add(";local-tag=", local_tag);
}

}  // namespace sipassay
