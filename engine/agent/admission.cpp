#include "engine/agent/admission.h"

#include <algorithm>
#include <array>
#include <memory>

#include "engine/agent/packages.h"
#include "engine/base/ascii.h"
#include "engine/message/classify.h"
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
    MethodRow{Method::Register, true, Outside::Register, false, {3261, "10.3", Level::Must}},
    MethodRow{Method::Subscribe, true, Outside::Subscribe, true, {6665, "4.1.2.1", Level::Stated}},
    MethodRow{Method::Publish, false, Outside::NotOurs, false, {3261, "8.2.1", Level::Must}},
};

Refusal malformed(std::string_view reason, Clause clause) {
  return {400, clause, std::string(reason), {}};
}

ExtraHeader allow_header(const Capabilities& capabilities) {
  return {"Allow", ascii::comma_list(allowed_methods(capabilities.is_registrar))};
}

bool is_allowed(const MethodRow& row, bool is_registrar) {
  return row.is_allowed && (is_registrar || row.method != Method::Register);
}

std::string reason_for(const Rejection& rejection) {
  const auto name = header_name(rejection.header);
  if (name.empty()) return std::string(text(rejection.error.code));
  std::string reason = rejection.error.code == ErrorCode::HeaderMissing    ? "Missing "
                       : rejection.error.code == ErrorCode::HeaderRepeated ? "Repeated "
                                                                           : "Malformed ";
  return reason += name;
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

std::vector<std::string> allowed_methods(bool is_registrar) {
  std::vector<std::string> names;
  for (const auto& row : rows)
    if (is_allowed(row, is_registrar)) names.emplace_back(to_string(row.method));
  return names;
}

std::optional<Refusal> check_form(const Message& request) {
  if (const auto owed = owed_rejection(request))
    return Refusal{owed->status,
                   clause(owed->error.code),
                   owed->status == 400 ? reason_for(*owed) : std::string(),
                   {}};
  // 7.4.1 MUST: the type of a body is told.
  if (!request.body().empty() && !request.has(HeaderId::ContentType))
    return malformed("Body without Content-Type", {3261, "20.15", Level::Must});
  const auto* row = method_row(request.method());
  if (row != nullptr && row->needs_contact && !request.has(HeaderId::Contact))
    return malformed("Missing Contact", row->clause);
  // RFC 6086 9.2: one value.
  if (request.method() == Method::Info && request.has(HeaderId::InfoPackage) &&
      !request.maybe<InfoPackage>())
    return malformed("Malformed Info-Package", {6086, "9.2", Level::Stated});
  // RFC 6665 8.2.1 MUST: exactly one event type.
  if (request.has(HeaderId::Event) && !request.maybe<sipassay::Event>())
    return malformed("Malformed Event", {6665, "8.2.1", Level::Must});
  // RFC 4538 7: one dialog.
  if (request.has(HeaderId::TargetDialog) && !request.maybe<TargetDialog>())
    return malformed("Malformed Target-Dialog", {4538, "7", Level::Stated});
  // RFC 3891 3 MUST; RFC 3911 4 MUST.
  if (request.has(HeaderId::Replaces) && request.method() != Method::Invite &&
      request.method() != Method::Ack)
    return malformed("Replaces in a request that is no INVITE", {3891, "3", Level::Must});
  if (request.has(HeaderId::Replaces) && request.has(HeaderId::Join))
    return malformed("Replaces and Join in one request", {3911, "4", Level::Must});
  return std::nullopt;
}

std::optional<Refusal> check_method(const Message& request, const Capabilities& capabilities) {
  const auto* row = method_row(request.method());
  const auto allow = allow_header(capabilities);
  if (row == nullptr) return Refusal{501, {3261, "21.5.2", Level::Stated}, {}, {allow}};
  if (!is_allowed(*row, capabilities.is_registrar))
    return Refusal{405, {3261, "8.2.1", Level::Must}, {}, {allow}};
  return std::nullopt;
}

std::optional<Refusal> check_request_uri(const Message& request) {
  const auto uri = parse_uri(request.request_uri());
  if (!uri) return malformed("Malformed Request-URI", {3261, "19.1.1", Level::Must});
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
  return Refusal{
      420, {3261, "8.2.2.3", Level::Must}, {}, {{"Unsupported", ascii::comma_list(unknown)}}};
}

bool accepts(const Message& request, std::string_view media_type) {
  if (!request.has(HeaderId::Accept)) return true;
  const auto slash = media_type.find('/');
  return std::ranges::any_of(request.all<Accept>(), [&](const auto& range) {
    return range && range->accepts(media_type.substr(0, slash), media_type.substr(slash + 1));
  });
}

std::optional<Refusal> check_content(const Message& request) {
  // With an Accept that leaves SDP out there is no answer that the caller would take (RFC 4475
  // 3.3.15).
  if (request.method() == Method::Invite && !accepts(request, "application/sdp"))
    return Refusal{406, {3261, "21.4.7", Level::Stated}};
  if (request.body().empty()) return std::nullopt;
  for (const auto& coding : request.all<ContentEncoding>())
    if (!coding || !ascii::iequals(coding->token, "identity"))
      return Refusal{415, {3261, "8.2.3", Level::Must}, {}, {{"Accept-Encoding", "identity"}}};
  BodySupport support;
  // RFC 5621 8.4 SHOULD: a message that nobody can show, be its type known elsewhere.
  if (request.method() == Method::Message) support.types = {"text/plain"};
  // RFC 6086 4.3.1: the body of an Info-Package, which was checked already, has its own
  // disposition; its type is the package's business.
  if (request.method() == Method::Info && request.has(HeaderId::InfoPackage)) {
    support.dispositions.emplace_back("Info-Package");
    std::erase(support.types, "application/sdp");  // RFC 6086 4.2.2: of no use to a package of ours
    support.types.emplace_back("application/octet-stream");
  }
  // RFC 6665 5.4.5: the package says what stands in its NOTIFYs.
  if (const auto event =
          request.method() == Method::Notify ? request.maybe<sipassay::Event>() : std::nullopt)
    if (const auto* package = event_package(event->package)) support.types.push_back(package->type);
  const auto contents = body_contents(request, support);
  if (!contents) return malformed("Malformed body", {2046, "5.1", Level::Stated});
  if (contents->unsupported)
    return Refusal{
        415, {3261, "8.2.3", Level::Must}, {}, {{"Accept", std::string(accepted_media_types())}}};
  return std::nullopt;
}

}  // namespace sipassay::agent
