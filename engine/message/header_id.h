// Names of header fields: long and compact form, and which of them are lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sipassay {

// Every header field of RFC 3261, 3262, 3265/6665, 3311, 3515, 3891, 3892, 4028, 4488, 6086 and the
// few more that the suite looks at. Other is any name not listed.
enum class HeaderId : std::uint8_t {
  Other,
  Accept,
  AcceptEncoding,
  AcceptLanguage,
  AlertInfo,
  Allow,
  AllowEvents,
  AuthenticationInfo,
  Authorization,
  CallId,
  CallInfo,
  Contact,
  ContentDisposition,
  ContentEncoding,
  ContentLanguage,
  ContentLength,
  ContentType,
  CSeq,
  Date,
  ErrorInfo,
  Event,
  Expires,
  From,
  InReplyTo,
  InfoPackage,
  Join,
  MaxForwards,
  MimeVersion,
  MinExpires,
  MinSe,
  Organization,
  Path,
  Priority,
  ProxyAuthenticate,
  ProxyAuthorization,
  ProxyRequire,
  RAck,
  RSeq,
  Reason,
  RecordRoute,
  RecvInfo,
  ReferSub,
  ReferTo,
  ReferredBy,
  Replaces,
  ReplyTo,
  Require,
  RetryAfter,
  Route,
  Server,
  ServiceRoute,
  SessionExpires,
  SipEtag,
  SipIfMatch,
  Subject,
  SubscriptionState,
  Supported,
  TargetDialog,
  Timestamp,
  To,
  Unsupported,
  UserAgent,
  Via,
  Warning,
  WwwAuthenticate,
  Count
};

inline constexpr std::size_t header_id_count = static_cast<std::size_t>(HeaderId::Count);

// Long or compact form, any case (RFC 3261 7.3.1, 7.3.3); Other when unknown.
HeaderId header_id_from(std::string_view name);
// The same for a name of up to header_name_max octets, none of them CR, from whose first octet on
// eight may be read.
inline constexpr std::size_t header_name_max = 31;  // no name is longer
HeaderId header_id_from_padded(std::string_view name);
// The name as its RFC spells it: "Call-ID". Empty for Other.
std::string_view header_name(HeaderId id);
// How a field begins, "Call-ID: ", in memory that may be copied whole.
struct FieldStart {
  char octets[24];
  std::size_t size;
};
const FieldStart& field_start(HeaderId id);
// "i" for Call-ID; empty when there is none.
std::string_view compact_name(HeaderId id);
// Several values may stand on one line with commas, or on several lines (RFC 3261 7.3.1).
constexpr bool is_list(HeaderId id) {
  switch (id) {
    case HeaderId::Accept:
    case HeaderId::AcceptEncoding:
    case HeaderId::AcceptLanguage:
    case HeaderId::AlertInfo:
    case HeaderId::Allow:
    case HeaderId::AllowEvents:
    case HeaderId::CallInfo:
    case HeaderId::Contact:
    case HeaderId::ContentEncoding:
    case HeaderId::ContentLanguage:
    case HeaderId::ErrorInfo:
    case HeaderId::InReplyTo:
    case HeaderId::Path:
    case HeaderId::ProxyRequire:
    case HeaderId::Reason:
    case HeaderId::RecordRoute:
    case HeaderId::RecvInfo:
    case HeaderId::Require:
    case HeaderId::Route:
    case HeaderId::ServiceRoute:
    case HeaderId::Supported:
    case HeaderId::Unsupported:
    case HeaderId::Via:
    case HeaderId::Warning:
      return true;
    default:
      return false;
  }
}
// Lists, and the authentication header fields of RFC 3261 7.3.1, which never share a line.
constexpr bool may_repeat(HeaderId id) {
  return is_list(id) || id == HeaderId::Authorization || id == HeaderId::ProxyAuthenticate ||
         id == HeaderId::ProxyAuthorization || id == HeaderId::WwwAuthenticate;
}
// Lists whose grammar has a field without any value ("Supported:").
constexpr bool may_be_empty(HeaderId id) {
  return id == HeaderId::Accept || id == HeaderId::AcceptEncoding ||
         id == HeaderId::AcceptLanguage || id == HeaderId::Allow || id == HeaderId::RecvInfo ||
         id == HeaderId::Supported;
}

}  // namespace sipassay
