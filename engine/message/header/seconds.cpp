#include "engine/message/header/seconds.h"

#include "engine/base/ascii.h"

namespace sipassay {

bool SessionExpires::read(Reader& reader, SessionExpires& out) {
  if (!reader.number(out.seconds) || !reader.params(out.params)) return false;
  const auto refresher = out.params.find("refresher");
  out.refresher = {};
  if (!refresher) return true;
  out.refresher = refresher->value;
  // RFC 4028 9: refresher-param = "refresher" EQUAL ("uas" / "uac")
  return ascii::iequals(out.refresher, "uac") || ascii::iequals(out.refresher, "uas") ||
         reader.fail(ErrorCode::Parameter);
}

void SessionExpires::write(Octets& out) const {
  out.add_number(seconds);
  out += params.text();
  if (!refresher.empty() && !params.has("refresher")) out.add(";refresher=", refresher);
}

bool MinSe::read(Reader& reader, MinSe& out) {
  return reader.number(out.seconds) && reader.params(out.params);
}

void MinSe::write(Octets& out) const {
  out.add_number(seconds);
  out += params.text();
}

std::optional<std::uint32_t> RetryAfter::duration() const {
  return ascii::number<std::uint32_t>(params.value("duration"));
}

bool RetryAfter::read(Reader& reader, RetryAfter& out) {
  if (!reader.number(out.seconds)) return false;
  out.comment = {};
  const std::size_t behind = reader.offset();
  reader.skip_space();
  if (reader.peek() == '(') {
    if (!reader.comment(out.comment)) return false;
  } else {
    reader.seek(behind);
  }
  return reader.params(out.params);
}

void RetryAfter::write(Octets& out) const {
  out.add_number(seconds);
  if (!comment.empty()) out.add(' ', comment);
  out += params.text();
}

}  // namespace sipassay
