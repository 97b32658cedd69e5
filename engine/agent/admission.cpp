#include "engine/agent/admission.h"

#include <algorithm>
#include <array>
#include <memory>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/multipart.h"
#include "engine/message/uri.h"

namespace sipassay::agent {
namespace {

constexpr std::array rows{
    MethodRow{Method::Invite, true, Outside::Invite, true, {3261, "8.1.1.8", Level::Must}},
    MethodRow{Method::Ack, true, Outside::Ignored, false, {3261, "17", Level::Stated}},
    MethodRow{Method::Bye, true, Outside::NoDialog, false, {3261, "15.1.2", Level::Should}},
    MethodRow{Method::Cancel, true, Outside::Cancel, false, {3261, "9.2", Level::Should}},
    MethodRow{Method::Options, true, Outside::Options, false, {3261, "11.2", Level::Must}},
    MethodRow{Method::Prack, true, Outside::NoDialog, false, {3262, "3", Level::Must}},
    MethodRow{Method::Update, true, Outside::NoDialog, true, {3311, "5.2", Level::Must}},
    MethodRow{Method::Info, true, Outside::NoDialog, false, {6086, "4.2.1", Level::MustNot}},
    MethodRow{Method::Message, true, Outside::Message, false, {3428, "7", Level::Must}},
    MethodRow{Method::Notify, true, Outside::NoDialog, false, {6665, "4.1.3", Level::Must}},
    MethodRow{Method::Refer, true, Outside::Refer, true, {3515, "2.4.2", Level::Must}},
    MethodRow{Method::Register, false, Outside::NotOurs, false, {3261, "8.2.1", Level::Must}},
    MethodRow{Method::Subscribe, false, Outside::NotOurs, false, {3261, "8.2.1", Level::Must}},
    MethodRow{Method::Publish, false, Outside::NotOurs, false, {3261, "8.2.1", Level::Must}},
};

Refusal malformed(std::string_view reason, Clause clause = {3261, "21.4.1", Level::Stated}) {
  return {400, clause, reason, {}};
}

ExtraHeader allow_header() {
  return {"Allow", join(allowed_methods())};
}

// 8.1.1, 20: present, once, and readable.
template <class H>
std::optional<Refusal> check_mandatory(const Message& request, std::string_view missing,
                                       std::string_view broken) {
  if (!request.has(H::id)) return malformed(missing, {3261, "8.1.1", Level::Must});
  if (!request.get<H>()) return malformed(broken);
  return std::nullopt;
}

// 8.1.1, 7.3.1: if it is there it is there once, and readable.
template <class H>
std::optional<Refusal> check_single(const Message& request, std::string_view broken) {
  if (request.has(H::id) && !request.get<H>()) return malformed(broken);
  return std::nullopt;
}

template <class H>
std::optional<Refusal> check_list(const Message& request, std::string_view broken) {
  for (const auto& value : request.all<H>())
    if (!value) return malformed(broken);
  return std::nullopt;
}

std::optional<Refusal> check_mandatory_fields(const Message& request) {
  if (!request.has(HeaderId::Via)) return malformed("Missing Via");
  if (auto refusal = check_list<Via>(request, "Malformed Via")) return refusal;
  if (auto refusal = check_mandatory<From>(request, "Missing From", "Malformed From"))
    return refusal;
  if (auto refusal = check_mandatory<To>(request, "Missing To", "Malformed To")) return refusal;
  if (auto refusal =
          check_mandatory<sipassay::CallId>(request, "Missing Call-ID", "Malformed Call-ID"))
    return refusal;
  return check_mandatory<CSeq>(request, "Missing CSeq", "Malformed CSeq");
}

std::optional<Refusal> check_optional_fields(const Message& request) {
  if (auto refusal = check_single<MaxForwards>(request, "Malformed Max-Forwards")) return refusal;
  if (auto refusal = check_single<Expires>(request, "Malformed Expires")) return refusal;
  if (auto refusal = check_single<ContentType>(request, "Malformed Content-Type")) return refusal;
  if (auto refusal = check_single<RAck>(request, "Malformed RAck")) return refusal;
  if (auto refusal = check_single<Event>(request, "Malformed Event")) return refusal;
  if (auto refusal = check_single<Replaces>(request, "Malformed Replaces")) return refusal;
  if (auto refusal = check_single<InfoPackage>(request, "Malformed Info-Package")) return refusal;
  if (auto refusal = check_list<Contact>(request, "Malformed Contact")) return refusal;
  if (auto refusal = check_list<Require>(request, "Malformed Require")) return refusal;
  if (auto refusal = check_list<RecordRoute>(request, "Malformed Record-Route")) return refusal;
  if (auto refusal = check_list<Route>(request, "Malformed Route")) return refusal;
  return std::nullopt;
}

// 8.1.1.5 MUST; RFC 4475 3.1.2.17.
std::optional<Refusal> check_cseq(const Message& request) {
  const auto cseq = request.get<CSeq>();
  if (cseq->method_text != request.method_text())
    return malformed("CSeq method differs from the request's", {3261, "8.1.1.5", Level::Must});
  return std::nullopt;
}

bool is_understood(const Capabilities& capabilities, std::string_view tag) {
  return std::ranges::any_of(capabilities.supported,
                             [&](const std::string& known) { return ascii::iequals(known, tag); });
}

}  // namespace

std::span<const MethodRow> method_rows() {
  return rows;
}

const MethodRow* method_row(Method method) {
  const auto row = std::ranges::find(rows, method, &MethodRow::method);
  return row == rows.end() ? nullptr : std::to_address(row);
}

std::vector<std::string> allowed_methods() {
  std::vector<std::string> names;
  for (const auto& row : rows)
    if (row.is_allowed) names.emplace_back(to_string(row.method));
  return names;
}

std::optional<Refusal> check_form(const Message& request) {
  if (auto refusal = check_mandatory_fields(request)) return refusal;
  if (auto refusal = check_cseq(request)) return refusal;
  if (auto refusal = check_optional_fields(request)) return refusal;
  // 7.4.1 MUST: the type of a body is told.
  if (!request.body().empty() && !request.has(HeaderId::ContentType))
    return malformed("Body without Content-Type", {3261, "20.15", Level::Must});
  const auto* row = method_row(request.method());
  if (row != nullptr && row->needs_contact && !request.has(HeaderId::Contact))
    return malformed("Missing Contact", row->clause);
  // RFC 3891 3 MUST; RFC 3911 4 MUST.
  if (request.has(HeaderId::Replaces) && request.method() != Method::Invite &&
      request.method() != Method::Ack)
    return malformed("Replaces in a request that is no INVITE", {3891, "3", Level::Must});
  if (request.has(HeaderId::Replaces) && request.has(HeaderId::Join))
    return malformed("Replaces and Join in one request", {3911, "4", Level::Must});
  return std::nullopt;
}

std::optional<Refusal> check_method(const Message& request) {
  const auto* row = method_row(request.method());
  if (row == nullptr) return Refusal{501, {3261, "21.5.2", Level::Stated}, {}, {allow_header()}};
  if (!row->is_allowed) return Refusal{405, {3261, "8.2.1", Level::Must}, {}, {allow_header()}};
  return std::nullopt;
}

std::optional<Refusal> check_request_uri(const Message& request) {
  const auto uri = parse_uri(request.request_uri());
  if (!uri) return malformed("Malformed Request-URI");
  if (!uri->is_sip()) return Refusal{416, {3261, "8.2.2.1", Level::Should}};
  return std::nullopt;
}

std::optional<Refusal> check_require(const Message& request, const Capabilities& capabilities) {
  // 8.2.2.3: MUST NOT be used in a CANCEL or in an ACK for a non-2xx; an ACK has no answer anyway.
  if (request.method() == Method::Ack || request.method() == Method::Cancel) return std::nullopt;
  std::vector<std::string> unknown;
  for (const auto& value : request.all<Require>())
    if (value && !is_understood(capabilities, value->token)) unknown.emplace_back(value->token);
  if (unknown.empty()) return std::nullopt;
  return Refusal{420, {3261, "8.2.2.3", Level::Must}, {}, {{"Unsupported", join(unknown)}}};
}

std::optional<Refusal> check_info_package(const Message& request,
                                          const Capabilities& capabilities) {
  if (request.method() != Method::Info) return std::nullopt;
  const auto package = request.maybe<InfoPackage>();
  if (!package) return std::nullopt;  // RFC 6086 4.2.2: legacy use
  for (const auto& known : capabilities.recv_info)
    if (ascii::iequals(known, package->package)) return std::nullopt;
  return Refusal{
      469, {6086, "4.2.2", Level::Must}, {}, {{"Recv-Info", join(capabilities.recv_info)}}};
}

std::optional<Refusal> check_content(const Message& request) {
  if (request.body().empty()) return std::nullopt;
  for (const auto& coding : request.all<ContentEncoding>())
    if (!coding || !ascii::iequals(coding->token, "identity"))
      return Refusal{415, {3261, "8.2.3", Level::Must}, {}, {{"Accept-Encoding", "identity"}}};
  const auto contents = body_contents(request);
  if (!contents) return malformed("Malformed body", {2046, "5.1", Level::Stated});
  if (contents->unsupported)
    return Refusal{
        415, {3261, "8.2.3", Level::Must}, {}, {{"Accept", std::string(accepted_media_types())}}};
  return std::nullopt;
}

}  // namespace sipassay::agent
