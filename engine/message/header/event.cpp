#include "engine/message/header/event.h"

#include "engine/base/ascii.h"

namespace sipassay {

namespace {

bool read(Reader& reader, std::string_view& token, Params& params) {
  return reader.token(token) && reader.params(params);
}

void write(Octets& out, std::string_view token, const Params& params) {
  out.add(token, params.text());
}

}  // namespace

// RFC 6665 8.4: event-package is token-nodot, templates follow after dots: one token together.
bool Event::read(Reader& reader, Event& out) {
  return sipassay::read(reader, out.package, out.params);
}

void Event::write(Octets& out) const {
  sipassay::write(out, package, params);
}

std::optional<std::uint32_t> SubscriptionState::expires() const {
  return ascii::number<std::uint32_t>(params.value("expires"));
}

std::optional<std::uint32_t> SubscriptionState::retry_after() const {
  return ascii::number<std::uint32_t>(params.value("retry-after"));
}

std::optional<std::string_view> SubscriptionState::reason() const {
  const auto param = params.find("reason");
  return param ? std::optional(param->value) : std::nullopt;
}

bool SubscriptionState::read(Reader& reader, SubscriptionState& out) {
  return sipassay::read(reader, out.state, out.params);
}

void SubscriptionState::write(Octets& out) const {
  sipassay::write(out, state, params);
}

bool InfoPackage::read(Reader& reader, InfoPackage& out) {
  return sipassay::read(reader, out.package, out.params);
}

void InfoPackage::write(Octets& out) const {
  sipassay::write(out, package, params);
}

bool ReferSub::read(Reader& reader, ReferSub& out) {
  const std::size_t start = reader.offset();
  std::string_view token;
  if (!sipassay::read(reader, token, out.params)) return false;
  out.value = ascii::iequals(token, "true");
  return out.value || ascii::iequals(token, "false") || reader.fail(ErrorCode::HeaderValue, start);
}

void ReferSub::write(Octets& out) const {
  sipassay::write(out, value ? "true" : "false", params);
}

}  // namespace sipassay
