#include "engine/message/header/media.h"

namespace sipassay {

namespace {

bool read_type(Reader& reader, std::string_view& type, std::string_view& subtype, Params& params) {
  if (!reader.token(type)) return false;
  if (!reader.take_separator('/')) return reader.fail(ErrorCode::HeaderValue);
  return reader.token(subtype) && reader.params(params);
}

}  // namespace

bool ContentType::read(Reader& reader, ContentType& out) {
  if (!read_type(reader, out.type, out.subtype, out.params)) return false;
  // m-parameter = m-attribute EQUAL m-value: never without a value.
  for (const Param& param : out.params)
    if (!param.has_value) return reader.fail(ErrorCode::Parameter);
  return true;
}

void ContentType::write(Octets& out) const {
  out.add(type, '/', subtype, params.text());
}

bool Accept::read(Reader& reader, Accept& out) {
  const std::size_t start = reader.offset();
  if (!read_type(reader, out.type, out.subtype, out.params)) return false;
  return out.type != "*" || out.subtype == "*" || reader.fail(ErrorCode::HeaderValue, start);
}

void Accept::write(Octets& out) const {
  out.add(type, '/', subtype, params.text());
}

bool ContentDisposition::read(Reader& reader, ContentDisposition& out) {
  return reader.token(out.type) && reader.params(out.params);
}

void ContentDisposition::write(Octets& out) const {
  out.add(type, params.text());
}

bool MimeVersion::read(Reader& reader, MimeVersion& out) {
  if (!reader.number(out.major_number)) return false;
  if (!reader.take('.')) return reader.fail(ErrorCode::HeaderValue);
  return reader.number(out.minor_number);
}

void MimeVersion::write(Octets& out) const {
  out.add_number(major_number);
  out += '.';
  out.add_number(minor_number);
}

}  // namespace sipassay
