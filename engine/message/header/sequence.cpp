#include "engine/message/header/sequence.h"

namespace sipassay {

namespace {

bool read_method(Reader& reader, Method& method, std::string_view& text) {
  if (!reader.skip_space()) return reader.fail(ErrorCode::HeaderValue);
  if (!reader.token(text, ErrorCode::Method)) return false;
  method = method_from(text);
  return true;
}

void write_method(Octets& out, Method method, std::string_view text) {
  out.add(' ', text.empty() ? to_string(method) : text);
}

}  // namespace

bool CSeq::read(Reader& reader, CSeq& out) {
  return reader.number(out.number, number_max) && read_method(reader, out.method, out.method_text);
}

void CSeq::write(Octets& out) const {
  out.add_number(number);
  write_method(out, method, method_text);
}

bool RAck::read(Reader& reader, RAck& out) {
  if (!reader.number(out.rseq)) return false;
  if (!reader.skip_space()) return reader.fail(ErrorCode::HeaderValue);
  return reader.number(out.cseq, CSeq::number_max) &&
         read_method(reader, out.method, out.method_text);
}

void RAck::write(Octets& out) const {
  out.add_number(rseq);
  out += ' ';
  out.add_number(cseq);
  write_method(out, method, method_text);
}

bool RSeq::read(Reader& reader, RSeq& out) {
  const std::size_t start = reader.offset();
  if (!reader.number(out.value)) return false;
  return out.value != 0 || reader.fail(ErrorCode::Number, start);
}

}  // namespace sipassay
