// Every typed header; tests and fuzz targets iterate AllHeaders.
#pragma once

#include "engine/message/header/address.h"
#include "engine/message/header/authentication.h"
#include "engine/message/header/contact.h"
#include "engine/message/header/date.h"
#include "engine/message/header/dialog_ref.h"
#include "engine/message/header/event.h"
#include "engine/message/header/info_uri.h"
#include "engine/message/header/media.h"
#include "engine/message/header/number.h"
#include "engine/message/header/seconds.h"
#include "engine/message/header/sequence.h"
#include "engine/message/header/text.h"
#include "engine/message/header/token.h"
#include "engine/message/header/token_params.h"
#include "engine/message/header/via.h"
#include "engine/message/header/warning.h"

namespace sipassay {

template <class... Types>
struct TypeList {
  static constexpr std::size_t size = sizeof...(Types);
  // Calls f.template operator()<H>() for each.
  template <class F>
  static constexpr void for_each(F&& f) {
    (f.template operator()<Types>(), ...);
  }
};

// In the order of HeaderId.
using AllHeaders =
    TypeList<Accept, AcceptEncoding, AcceptLanguage, AlertInfo, Allow, AllowEvents,
             AuthenticationInfo, Authorization, CallId, CallInfo, Contact, ContentDisposition,
             ContentEncoding, ContentLanguage, ContentLength, ContentType, CSeq, Date, ErrorInfo,
             Event, Expires, From, InReplyTo, InfoPackage, Join, MaxForwards, MimeVersion,
             MinExpires, MinSe, Organization, Path, Priority, ProxyAuthenticate, ProxyAuthorization,
             ProxyRequire, RAck, RSeq, Reason, RecordRoute, RecvInfo, ReferSub, ReferTo, ReferredBy,
             Replaces, ReplyTo, Require, RetryAfter, Route, Server, ServiceRoute, SessionExpires,
             SipEtag, SipIfMatch, Subject, SubscriptionState, Supported, TargetDialog, Timestamp,
             To, Unsupported, UserAgent, Via, Warning, WwwAuthenticate>;
static_assert(AllHeaders::size + 1 == header_id_count, "one type for every HeaderId but Other");

}  // namespace sipassay
