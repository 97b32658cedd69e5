#include "engine/message/classify.h"

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/start_line.h"

namespace sipassay {

namespace {

using Fault = std::optional<Rejection>;

Fault bad(HeaderId header, Error error, int status = 400) {
  return Rejection{status, error, header};
}

Fault check_start_line(const Message& message) {
  const StartLine parts = read_start_line(message.start_line());
  if (!parts.error) return std::nullopt;
  const int status = parts.error->code == ErrorCode::Version ? 505 : 400;
  return bad(HeaderId::Other, *parts.error, status);
}

// RFC 3261 8.2.2.1; a sip or sips URI must also be well-formed and without headers (19.1.1, Table
// 1).
Fault check_request_uri(const Message& request) {
  const auto uri = parse_uri(request.request_uri());
  if (!uri) return bad(HeaderId::Other, uri.error());
  if (!uri->is_sip() && uri->scheme != Uri::Scheme::Tel)
    return bad(HeaderId::Other, {ErrorCode::RequestUri, 0}, 416);
  if (!uri->headers.empty())
    return bad(HeaderId::Other, {ErrorCode::RequestUri, uri->text.size() - uri->headers.size()});
  return std::nullopt;
}

Fault check_lines(const Message& message) {
  for (std::size_t i = 0; i < message.field_count(); ++i) {
    const HeaderField field = message.field(i);
    if (field.name.empty()) return bad(HeaderId::Other, {ErrorCode::HeaderName, 0});
  }
  return std::nullopt;
}

// Present, once and well-formed.
template <class H>
Fault require(const Message& message) {
  if constexpr (is_list(H::id)) {
    if (message.all<H>().is_empty()) return bad(H::id, {ErrorCode::HeaderMissing, 0});
    for (const auto& value : message.all<H>())
      if (!value) return bad(H::id, value.error());
  } else {
    const auto value = message.get<H>();
    if (!value) return bad(H::id, value.error());
  }
  return std::nullopt;
}

// Absent, or as require.
template <class H>
Fault permit(const Message& message) {
  return message.has(H::id) && !(may_be_empty(H::id) && message.raw(H::id).empty())
             ? require<H>(message)
             : std::nullopt;
}

template <class... Headers>
Fault require_all(const Message& message) {
  Fault fault;
  ((fault = fault ? fault : require<Headers>(message)), ...);
  return fault;
}

template <class... Headers>
Fault permit_all(const Message& message) {
  Fault fault;
  ((fault = fault ? fault : permit<Headers>(message)), ...);
  return fault;
}

Fault check_mandatory(const Message& message) {
  return require_all<Via, From, To, CallId, CSeq>(message);
}

// RFC 3261 18.3, 20.14
Fault check_content_length(const Message& message) {
  if (auto fault = permit<ContentLength>(message)) return fault;
  const auto length = message.maybe<ContentLength>();
  if (length && length->value > message.body().size())
    return bad(HeaderId::ContentLength, {ErrorCode::ContentLength, 0});
  return std::nullopt;
}

// RFC 3261 8.1.1.5
Fault check_cseq_method(const Message& request) {
  const auto cseq = request.get<CSeq>();
  if (cseq && cseq->method_text != request.method_text())
    return bad(HeaderId::CSeq, {ErrorCode::Method, 0});
  return std::nullopt;
}

// A single-valued header field that occurs twice cannot be obeyed (RFC 3261 7.3.1, RFC 4475 3.3.8).
Fault check_repeated(const Message& message) {
  Fault fault;
  AllHeaders::for_each([&]<class H>() {
    if (fault || may_repeat(H::id) || message.line_count(H::id) < 2) return;
    fault = bad(H::id, {ErrorCode::HeaderRepeated, 0});
  });
  return fault;
}

// What the method needs: RFC 3262 7.2, RFC 3515 2.4.1, RFC 6665 4.1.2 and 4.1.3.
Fault check_method_needs(const Message& request) {
  switch (request.method()) {
    case Method::Invite:
      return permit_all<Contact, Replaces, SessionExpires, MinSe>(request);
    case Method::Prack:
      return require<RAck>(request);
    case Method::Refer:
      return require<ReferTo>(request);
    case Method::Subscribe:
      return permit_all<Contact, Event, Expires>(request);
    case Method::Notify:
      return permit_all<Event, SubscriptionState>(request);
    case Method::Register:
      return permit_all<Contact>(request);  // RFC 3261 10.2 SHOULD: a malformed Expires is 3600
    case Method::Update:
      return permit_all<Contact, SessionExpires, MinSe>(request);
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<Rejection> owed_rejection(const Message& request) {
  for (const auto check : {check_start_line, check_lines, check_mandatory, check_repeated,
                           check_content_length, check_cseq_method, check_request_uri,
                           permit_all<MaxForwards, Require, ProxyRequire, Route, RecordRoute,
                                      ContentType, ContentDisposition>,
                           check_method_needs})
    if (auto fault = check(request)) return fault;
  return std::nullopt;
}

bool can_be_answered(const Message& request) {
  return !check_mandatory(request);
}

bool must_discard(const Message& response) {
  if (response.status() == 0) return true;
  for (const auto check : {check_start_line, check_mandatory, check_repeated, check_content_length})
    if (check(response)) return true;
  return response.all<Via>().count() != 1;
}

}  // namespace sipassay
