// Requests as they arrive (RFC 3261 8.2): who they are for, and whether they are processed at all.
#include <algorithm>

#include "engine/agent/core.h"
#include "engine/agent/resolve.h"
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/multipart.h"

namespace sipassay::agent {
namespace {

bool has_to_tag(const Message& request) {
  const auto to = request.get<To>();
  return to && !to->tag().empty();
}

}  // namespace

// A REGISTER is about the user in To (10.2).
const Behaviour* Core::called(const Message& request) const {
  const auto uri = request.target();
  const auto to = request.get<To>();
  const bool is_register = request.method() == Method::Register && to;
  if (settings_.answers_by_user && uri)
    if (const auto* row = behaviour_of(unescape(is_register ? to->addr.uri.user : uri->user)))
      return row;
  const auto* row = behaviour_of(settings_.default_behaviour);
  return row != nullptr ? row : behaviour_of("auto");
}

Capabilities Core::capabilities(const Behaviour* behaviour) const {
  Capabilities capabilities;
  capabilities.is_registrar = registrar_.has_value();
  const bool has_100rel =
      settings_.supports_100rel && (behaviour == nullptr || behaviour->supports_100rel);
  if (has_100rel) capabilities.supported.emplace_back("100rel");
  capabilities.supported.emplace_back("replaces");
  capabilities.supported.emplace_back("norefersub");
  if (settings_.supports_timer && (behaviour == nullptr || behaviour->supports_timer))
    capabilities.supported.emplace_back("timer");
  capabilities.supported.emplace_back("199");
  capabilities.supported.emplace_back("nosub");    // RFC 7614 5
  capabilities.supported.emplace_back("tdialog");  // RFC 4538
  capabilities.recv_info = settings_.recv_info;
  return capabilities;
}

// Everything that needs no state but whether there is a dialog; in the order of 8.2.
std::optional<Refusal> Core::admit(const Message& request, bool has_dialog,
                                   const Behaviour* behaviour) const {
  auto known = capabilities(behaviour);
  known.is_registrar &= !has_dialog;
  if (auto refusal = check_method(request, known)) return refusal;
  if (auto refusal = check_request_uri(request)) return refusal;
  // 12.2.2: a To tag of no dialog of ours.
  if (!has_dialog && has_to_tag(request)) return Refusal{481, {3261, "12.2.2", Level::Should}};
  if (!has_dialog && behaviour->is_unknown) return Refusal{404, {3261, "8.2.2.1", Level::Should}};
  if (auto refusal = check_require(request, known)) return refusal;
  // RFC 6086 4.2.2: the package is judged first, by the session; then its body.
  const bool has_package = request.method() == Method::Info && request.has(HeaderId::InfoPackage);
  if (has_package && has_dialog) return std::nullopt;
  return check_content(request);
}

void Core::receive_request(transaction::Id transaction, const Message& request, const Flow& flow) {
  const bool is_ack = request.method() == Method::Ack;
  const auto key = dialog::id_of_request_received(request);
  LiveCall* call = nullptr;
  auto* dialog = key && has_to_tag(request) ? find_dialog(*key, &call) : nullptr;
  if (auto refusal = check_form(request)) {
    if (is_ack) return;
    if (dialog != nullptr) dialog->session.request_refused(request);
    return respond(transaction, request, *refusal, flow);
  }
  if (is_ack) {
    // 17: an ACK is never answered.
    if (dialog == nullptr) return;
    dialog->flow = flow;
    dialog->session.receive_request(request, 0, now_);
    pump(*call, *dialog);
    return;
  }
  const auto* behaviour = dialog == nullptr ? called(request)
                          : call->server    ? call->server->behaviour
                                            : nullptr;
  // 8.3 MUST: a redirect server ignores what it does not understand, methods and Require too.
  const auto* row = method_row(request.method());
  const bool may_redirect =
      row == nullptr || (row->outside != Outside::NoDialog && row->outside != Outside::Register);
  if (dialog == nullptr && may_redirect && !has_to_tag(request) &&
      behaviour->authentication == Authentication::None &&
      redirect_to_bindings(transaction, request, flow, *behaviour))
    return;
  // 8.2.2.2 SHOULD: the same request over another path; its credentials are as good as before.
  if (!has_to_tag(request) && layer_.is_merged(request, transaction)) {
    respond(transaction, request, {482, {3261, "8.2.2.2", Level::Should}}, flow);
    return;
  }
  // 8.2 SHOULD: authentication comes before method, header fields and content; but not at a
  // registrar, which looks at Require first (10.3).
  if (dialog == nullptr && !has_to_tag(request) && row != nullptr &&
      row->outside != Outside::Register &&
      is_challenged(*row, transaction, request, flow, *behaviour))
    return;
  // RFC 6665 4.4.1: a NOTIFY may make its dialog; its To tag is ours.
  const bool may_make_dialog = request.method() == Method::Notify && dialog == nullptr;
  if (auto refusal = admit(request, dialog != nullptr || may_make_dialog, behaviour)) {
    if (dialog != nullptr) dialog->session.request_refused(request);
    respond(transaction, request, *refusal, flow);
    return;
  }
  if (may_make_dialog && notify_makes_dialog(transaction, request, flow)) return;
  if (dialog == nullptr) {
    receive_outside(*method_row(request.method()), transaction, request, flow);
    return;
  }
  dialog->flow = flow;
  servers_.insert_or_assign(transaction, ServerTransaction{call->id, dialog->key});
  dialog->session.receive_request(request, transaction, now_);
  pump(*call, *dialog);
}

// 22.1: whatever the user wants protected.
bool Core::is_challenged(const MethodRow& row, transaction::Id transaction, const Message& request,
                         const Flow& flow, const Behaviour& behaviour) {
  if (row.outside == Outside::NoDialog) return false;
  const bool is_guarded = row.outside == Outside::Register && behaviour.refuses_registration;
  Message challenge;
  if (!authenticate(is_guarded ? Authentication::Server : behaviour.authentication, request,
                    challenge))
    return false;
  respond(transaction, std::move(challenge), flow);
  return true;
}

void Core::receive_outside(const MethodRow& row, transaction::Id transaction,
                           const Message& request, const Flow& flow) {
  const auto& behaviour = *called(request);
  if (row.outside == Outside::NoDialog) {
    respond(transaction, request, {481, row.clause}, flow);
    return;
  }
  if (row.outside == Outside::Register && is_challenged(row, transaction, request, flow, behaviour))
    return;
  if (row.outside != Outside::Register &&
      redirect_to_bindings(transaction, request, flow, behaviour))
    return;
  switch (row.outside) {
    case Outside::Invite:
      return receive_invite(transaction, request, flow, behaviour);
    case Outside::Options:
      return receive_options(transaction, request, flow);
    case Outside::Message:
      return receive_message(transaction, request, flow);
    case Outside::Refer:
      return receive_refer_outside(transaction, request, flow, behaviour);
    case Outside::Subscribe:
      if (auto refusal = check_subscribe(request, &behaviour, false))
        return respond(transaction, request, *refusal, flow);
      return receive_usage(transaction, request, flow, behaviour);
    case Outside::Register:
      return receive_register(transaction, request, flow, behaviour);
    case Outside::Ignored:
    case Outside::NoDialog:
    case Outside::NotOurs:
    case Outside::Cancel:
      return;
  }
}

digest::Server* Core::authenticator(Authentication authentication) {
  switch (authentication) {
    case Authentication::None:
      return nullptr;
    case Authentication::Server:
      return &digest_server_;
    case Authentication::Proxy:
      return &digest_proxy_;
  }
  return nullptr;
}

std::optional<Refusal> Core::authenticate(Authentication authentication, const Message& request,
                                          Message& challenge) {
  auto* asked = authenticator(authentication);
  if (asked == nullptr) return std::nullopt;
  auto& server = *asked;
  const auto judgement = server.verify(request, now_);
  if (judgement == digest::Judgement::Accepted) return std::nullopt;
  const auto tag = to_tag_for(request, tag_secret_);
  if (judgement == digest::Judgement::Malformed) {
    const Refusal refusal{400, {7616, "3.4.6", Level::Should}, "Malformed credentials", {}};
    challenge = make_response(request, refusal, tag);
    return refusal;
  }
  const Refusal refusal{server.status(), {3261, "22.1", Level::Stated}};
  challenge = make_response(request, refusal, tag);
  server.challenge(
      challenge, judgement == digest::Judgement::Stale || judgement == digest::Judgement::Replayed,
      now_);
  return refusal;
}

// 11.2: the status that an INVITE would get, and what we can do.
Message Core::options_response(const Message& request, int status) {
  auto response = make_response(request, status, to_tag_for(request, tag_secret_));
  const auto known = capabilities(called(request));
  response.add(HeaderId::Allow, ascii::comma_list(allowed_methods(known.is_registrar)));
  response.add(HeaderId::Accept, accepted_media_types());
  response.add(HeaderId::AcceptEncoding, "identity");
  response.add(HeaderId::AcceptLanguage, "en");
  response.add(HeaderId::Supported, ascii::comma_list(known.supported));
  response.add(HeaderId::RecvInfo, ascii::comma_list(known.recv_info));
  response.add(HeaderId::AllowEvents, allow_events());  // RFC 6665 4.4.4 SHOULD
  if (status == 503) response.add(HeaderId::RetryAfter, "5");
  if (status == 488) response.add(HeaderId::Warning, "399 sipassay \"no session wanted\"");
  return response;
}

void Core::receive_options(transaction::Id transaction, const Message& request, const Flow& flow) {
  auto response = options_response(request, options_status(*called(request)));
  response.add(HeaderId::Contact, contact_for(settings_.user, flow));
  respond(transaction, std::move(response), flow);
}

// 10.3, after the steps that every request goes through.
void Core::receive_register(transaction::Id transaction, const Message& request, const Flow& flow,
                            const Behaviour& behaviour) {
  if (behaviour.refuses_registration)
    return respond(transaction, request, {403, {3261, "10.3", Level::Must}}, flow);
  if (const auto refusal = registrar_->check_address(request))
    return respond(transaction, request, *refusal, flow);
  const auto contacts = registrar_->update(request, now_);
  if (!contacts) return respond(transaction, request, contacts.error(), flow);
  auto response = make_response(request, 200, to_tag_for(request, tag_secret_));
  for (const auto& contact : *contacts) response.add(HeaderId::Contact, contact);
  response.add(HeaderId::Date, registrar_->date(now_));
  if (const auto* server = authenticator(behaviour.authentication))
    server->confirm(request, response);
  respond(transaction, std::move(response), flow);
}

// A user agent is no proxy: it tells where the user is (8.3). Users that a row names keep their
// behaviour, whatever is registered for them.
bool Core::redirect_to_bindings(transaction::Id transaction, const Message& request,
                                const Flow& flow, const Behaviour& behaviour) {
  if (!registrar_) return false;
  const auto uri = request.target();
  const bool is_named = uri && behaviour_of(unescape(uri->user)) == &behaviour;
  if (is_named && !behaviour.is_registered) return false;
  const auto contacts = registrar_->contacts(request.request_uri(), now_);
  if (contacts.empty()) return false;
  auto response = make_response(request, 302, to_tag_for(request, tag_secret_));
  for (const auto& contact : contacts) response.add(HeaderId::Contact, contact);
  respond(transaction, std::move(response), flow);
  return true;
}

// RFC 3428 7: 200 without Contact and without body.
void Core::receive_message(transaction::Id transaction, const Message& request, const Flow& flow) {
  const auto type = std::string(request.raw(HeaderId::ContentType));
  respond(transaction, request, {200, {3428, "7", Level::Must}}, flow);
  emit(MessageArrived{0, Body{type, std::string(request.body()), {}}});
}

// --- our own addresses

std::string Core::local_host(const Flow& flow) const {
  if (!flow.local.host.empty()) return flow.local.host;
  return settings_.local.empty() ? std::string("127.0.0.1") : settings_.local.front().host;
}

std::string Core::contact_for(std::string_view user, const Flow& flow, bool is_sips) const {
  Endpoint endpoint = flow.local;
  if (const auto* local = local_for(settings_.local, flow.local)) endpoint = *local;
  if (endpoint.host.empty()) endpoint.host = local_host(flow);
  std::string contact = is_sips ? "<sips:" : "<sip:";
  contact += escape_user(user);
  contact += '@';
  contact += host_port(endpoint);
  if (endpoint.transport != Transport::Udp) {
    contact += ";transport=";
    contact += to_string(endpoint.transport);
  }
  contact += '>';
  return contact;
}

session::Settings Core::session_settings(std::string_view user, const Flow& flow,
                                         const Behaviour* behaviour, bool is_sips) const {
  const auto known = capabilities(behaviour);
  session::Settings settings;
  settings.contact = contact_for(user, flow, is_sips);
  settings.allow = allowed_methods();
  settings.supported = known.supported;
  settings.recv_info = known.recv_info;
  settings.timer = timer_settings(behaviour);
  settings.event_packages.clear();
  for (const auto& package : event_packages()) settings.event_packages.emplace_back(package.name);
  settings.t1 = settings_.timings.t1;
  settings.t2 = settings_.timings.t2;
  settings.is_over_tls = is_over_tls(flow.local.transport);
  return settings;
}

const session::TimerSettings& Core::timer_settings(const Behaviour* behaviour) const {
  return behaviour != nullptr && behaviour->timer ? *behaviour->timer : settings_.timer;
}

sdp::LocalMedia Core::make_media(const Flow& flow, bool has_video) {
  sdp::LocalMedia::Options options;
  options.address = local_host(flow);
  options.has_video = has_video;
  return {options, Rng(rng_.next())};
}

}  // namespace sipassay::agent
