#include "engine/proxy/admission.h"

#include "engine/base/ascii.h"
#include "engine/message/classify.h"
#include "engine/message/header/all.h"

namespace sipassay::proxy {
namespace {

using agent::Refusal;

// 16.3 step 1: what is malformed elsewhere is sent on as it is.
bool is_needed(HeaderId header) {
  switch (header) {
    case HeaderId::Other:  // the start line, or a line that is no header field
    case HeaderId::Via:
    case HeaderId::From:
    case HeaderId::To:
    case HeaderId::CallId:
    case HeaderId::CSeq:
    case HeaderId::MaxForwards:
    case HeaderId::ProxyRequire:
    case HeaderId::Route:
    case HeaderId::ContentLength:
      return true;
    default:
      return false;
  }
}

Refusal malformed(HeaderId header, Clause clause) {
  return {400, clause, "Malformed " + std::string(header_name(header)), {}};
}

std::optional<Refusal> check_form(const Message& request) {
  if (const auto owed = owed_rejection(request); owed && is_needed(owed->header)) {
    if (owed->status != 400) return Refusal{owed->status, {3261, "16.3", Level::Should}};
    return owed->header == HeaderId::Other ? Refusal{400, {3261, "16.3", Level::Must}}
                                           : malformed(owed->header, {3261, "16.3", Level::Must});
  }
  // Another fault may have been the first one.
  for (const auto& route : request.all<Route>())
    if (!route) return malformed(HeaderId::Route, {3261, "16.3", Level::Must});
  for (const auto& tag : request.all<ProxyRequire>())
    if (!tag) return malformed(HeaderId::ProxyRequire, {3261, "16.3", Level::Must});
  if (request.has(HeaderId::MaxForwards) && !request.maybe<MaxForwards>())
    return malformed(HeaderId::MaxForwards, {3261, "16.3", Level::Must});
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> check(const Message& request) {
  if (auto refusal = check_form(request)) return refusal;
  const auto target = request.target();
  if (!target || !target->is_sip()) return Refusal{416, {3261, "16.3", Level::Should}};
  const auto hops = request.maybe<MaxForwards>();
  if (hops && hops->value == 0) return Refusal{483, {3261, "16.3", Level::Must}};
  // 20.29: no option tag that a proxy could be asked for is known here. 9.1, 17.1.1.3: CANCEL and
  // ACK go where their INVITE went.
  if (request.method() == Method::Cancel || request.method() == Method::Ack) return std::nullopt;
  std::vector<std::string> unknown;
  for (const auto& tag : request.all<ProxyRequire>()) unknown.emplace_back(tag->token);
  if (unknown.empty()) return std::nullopt;
  return Refusal{
      420, {3261, "16.3", Level::Must}, {}, {{"Unsupported", ascii::comma_list(unknown)}}};
}

}  // namespace sipassay::proxy
