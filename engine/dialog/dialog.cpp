#include "engine/dialog/dialog.h"

#include <algorithm>
#include <utility>

#include "engine/message/header/all.h"

namespace sipassay::dialog {
namespace {

// A header value on one line: folds become one space (RFC 3261 7.3.1).
std::string unfolded(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\r' && value[i] != '\n') {
      out += value[i];
      continue;
    }
    while (i + 1 < value.size() && ascii::is_space(value[i + 1])) ++i;
    while (!out.empty() && ascii::is_space(out.back())) out.pop_back();
    out += ' ';
  }
  return out;
}

// RFC 3261 19.1.1: the method parameter and headers have no place in a Request-URI.
std::string as_request_uri(std::string_view text) {
  const auto uri = parse_uri(text);
  if (!uri || !uri->is_sip()) return std::string(text);
  if (uri->headers.empty() && !uri->params.has("method")) return std::string(text);
  std::string_view head = text.substr(0, text.find('?'));
  const std::string_view params = uri->params.text();
  if (params.empty()) return std::string(head);
  const auto start = static_cast<std::size_t>(params.data() - text.data());
  std::string out(text.substr(0, start));
  for (const Param& param : uri->params) {
    if (ascii::iequals(param.name, "method")) continue;
    out += ';';
    out += param.name;
    if (param.has_value) out.append("=").append(param.value);
  }
  return out;
}

std::optional<std::string> contact_uri(const Message& message) {
  const auto contact = message.maybe<Contact>();
  if (!contact || contact->is_star || contact->addr.uri.text.empty()) return std::nullopt;
  return std::string(contact->addr.uri.text);
}

Parsed<std::vector<std::string>> record_routes(const Message& message) {
  std::vector<std::string> out;
  for (const auto& route : message.all<RecordRoute>()) {
    if (!route) return std::unexpected(route.error());
    if (out.size() == route_set_max) return std::unexpected(Error{ErrorCode::LimitExceeded, 0});
    out.push_back(unfolded(route->addr.text));
  }
  return out;
}

Parsed<std::string> call_id_of(const Message& message) {
  const auto call_id = message.get<CallId>();
  if (!call_id) return std::unexpected(call_id.error());
  return std::string(call_id->value);
}

bool is_sips(std::string_view text) {
  const auto uri = parse_uri(text);
  return uri && uri->scheme == Uri::Scheme::Sips;
}

}  // namespace

Parsed<DialogId> id_of_request_received(const Message& request) {
  const auto call_id = call_id_of(request);
  if (!call_id) return std::unexpected(call_id.error());
  const auto from = request.get<From>();
  if (!from) return std::unexpected(from.error());
  const auto to = request.get<To>();
  if (!to) return std::unexpected(to.error());
  return DialogId{*call_id, std::string(to->tag()), std::string(from->tag())};
}

Parsed<DialogId> id_of_response_received(const Message& response) {
  auto id = id_of_request_received(response);
  if (id) std::swap(id->local_tag, id->remote_tag);
  return id;
}

Parsed<Dialog> Dialog::from_request(const Message& request, std::string_view local_tag,
                                    bool is_over_tls) {
  Dialog dialog;
  dialog.role_ = Role::Uas;
  auto id = id_of_request_received(request);
  if (!id) return std::unexpected(id.error());
  const bool has_tag = !id->local_tag.empty();
  dialog.id_ = std::move(*id);
  if (!has_tag) dialog.id_.local_tag = local_tag;
  auto routes = record_routes(request);
  if (!routes) return std::unexpected(routes.error());
  dialog.route_set_ = std::move(*routes);
  const auto cseq = request.get<CSeq>();
  if (!cseq) return std::unexpected(cseq.error());
  dialog.remote_cseq_ = cseq->number;
  dialog.remote_value_ = unfolded(request.raw(HeaderId::From));
  dialog.local_value_ = unfolded(request.raw(HeaderId::To));
  if (!has_tag) dialog.local_value_.append(";tag=").append(local_tag);
  dialog.remote_uri_ = request.get<From>()->addr.uri.text;
  dialog.local_uri_ = request.get<To>()->addr.uri.text;
  const auto contact = contact_uri(request);
  dialog.has_contact_ = contact.has_value();
  dialog.remote_target_ = contact.value_or(dialog.remote_uri_);
  dialog.is_secure_ = is_over_tls && is_sips(request.request_uri());
  return dialog;
}

Parsed<Dialog> Dialog::from_response(const Message& request, const Message& response,
                                     bool is_over_tls) {
  Dialog dialog;
  dialog.role_ = Role::Uac;
  auto id = id_of_response_received(response);
  if (!id) return std::unexpected(id.error());
  // RFC 3261 12.1.2: Call-ID and From are those of the request; the tag of To may be missing.
  const auto sent = id_of_request_received(request);
  if (!sent) return std::unexpected(sent.error());
  dialog.id_ = {sent->call_id, sent->remote_tag, id->remote_tag};
  dialog.is_early_ = response.status() < 200;
  const auto cseq = request.get<CSeq>();
  if (!cseq) return std::unexpected(cseq.error());
  dialog.local_cseq_ = cseq->number;
  auto routes = record_routes(response);
  if (!routes) return std::unexpected(routes.error());
  std::ranges::reverse(*routes);
  dialog.route_set_ = std::move(*routes);
  dialog.local_value_ = unfolded(request.raw(HeaderId::From));
  dialog.remote_value_ = unfolded(response.raw(HeaderId::To));
  dialog.local_uri_ = request.get<From>()->addr.uri.text;
  dialog.remote_uri_ = response.get<To>()->addr.uri.text;
  const auto contact = contact_uri(response);
  dialog.has_contact_ = contact.has_value();
  dialog.remote_target_ = contact ? *contact : std::string(request.request_uri());
  dialog.is_secure_ = is_over_tls && is_sips(request.request_uri());
  return dialog;
}

Parsed<Dialog> Dialog::from_notify(const Message& request, const Message& notify,
                                   bool is_over_tls) {
  const auto cseq = request.get<CSeq>();
  if (!cseq) return std::unexpected(cseq.error());
  auto dialog = from_request(notify, {}, is_over_tls);
  if (!dialog) return dialog;
  dialog->role_ = Role::Uac;
  dialog->is_early_ = false;
  dialog->local_cseq_ = cseq->number;
  dialog->remote_cseq_.reset();
  dialog->is_secure_ = is_over_tls && is_sips(request.request_uri());
  return dialog;
}

void Dialog::recompute_route_set(const Message& response) {
  auto routes = record_routes(response);
  if (!routes) return;  // the one of the early dialog stays: the ACK must go somewhere
  std::ranges::reverse(*routes);
  route_set_ = std::move(*routes);
}

Sequence Dialog::sequence(const Message& request) const {
  const auto cseq = request.get<CSeq>();
  if (!cseq || cseq->number > cseq_max) return Sequence::NoCSeq;
  if (!remote_cseq_ || cseq->number > *remote_cseq_) return Sequence::InOrder;
  return cseq->number == *remote_cseq_ ? Sequence::Equal : Sequence::Lower;
}

std::optional<std::uint32_t> Dialog::next_cseq() const {
  if (!local_cseq_) return 1;
  if (*local_cseq_ >= cseq_max) return std::nullopt;
  return *local_cseq_ + 1;
}

void Dialog::stage_target(std::uint32_t cseq, const Message& request) {
  auto target = contact_uri(request);
  if (!target) return;
  if (staged_.size() == staged_targets_max) staged_.erase(staged_.begin());
  staged_.push_back({cseq, std::move(*target)});
}

bool Dialog::commit_target(std::uint32_t cseq) {
  const auto staged = std::ranges::find(staged_, cseq, &Staged::cseq);
  if (staged == staged_.end()) return false;
  const std::string target = std::move(staged->target);
  staged_.erase(staged);
  // Targets count in the order in which the requests arrived, not in that of their answers.
  if (target_cseq_ && cseq < *target_cseq_) return false;
  target_cseq_ = cseq;
  has_contact_ = true;
  return std::exchange(remote_target_, target) != target;
}

void Dialog::discard_target(std::uint32_t cseq) {
  std::erase_if(staged_, [cseq](const Staged& staged) { return staged.cseq == cseq; });
}

bool Dialog::refresh_target(const Message& response) {
  auto target = contact_uri(response);
  if (!target) return false;
  has_contact_ = true;
  return std::exchange(remote_target_, *target) != *target;
}

std::optional<Message> Dialog::make_request(std::string_view method) {
  const auto cseq = next_cseq();
  if (!cseq) return std::nullopt;
  local_cseq_ = cseq;
  return skeleton(method, *cseq);
}

Message Dialog::make_ack(const Message& invite) const {
  const auto cseq = invite.maybe<CSeq>();
  Message ack = skeleton("ACK", cseq ? cseq->number : local_cseq_.value_or(1));
  // RFC 3261 13.2.2.4, 22.1: the credentials of the INVITE.
  for (const HeaderId id : {HeaderId::Authorization, HeaderId::ProxyAuthorization})
    for (std::size_t i = 0; i < invite.line_count(id); ++i)
      ack.add(id, unfolded(invite.field(*invite.find(id, i)).value));
  return ack;
}

std::optional<Message> Dialog::make_again(const Message& request) {
  const auto cseq = next_cseq();
  if (!cseq) return std::nullopt;
  local_cseq_ = cseq;
  Message again = request;
  again.remove(HeaderId::Via).remove(HeaderId::Route);
  again.set(HeaderId::CSeq, std::to_string(*cseq) + " " + std::string(request.method_text()));
  apply_routing(again);
  return again;
}

// RFC 3261 12.2.1.1: loose routers stay in Route; a strict one takes the place of the target.
void Dialog::apply_routing(Message& request) const {
  std::vector<std::string> routes = route_set_;
  std::string uri = as_request_uri(remote_target_);
  if (!routes.empty()) {
    const auto first = parse_name_addr(routes.front());
    if (first && !first->uri.is_loose_route()) {
      uri = as_request_uri(first->uri.text);
      routes.erase(routes.begin());
      routes.push_back("<" + remote_target_ + ">");
    }
  }
  request.set_request_uri(uri);
  for (std::size_t i = 0; i < routes.size(); ++i)
    request.insert(i, header_name(HeaderId::Route), routes[i]);
}

Message Dialog::skeleton(std::string_view method, std::uint32_t cseq) const {
  Message request = Message::request(method, remote_target_);
  apply_routing(request);
  request.add(HeaderId::MaxForwards, "70");
  request.add(HeaderId::From, local_value_);
  request.add(HeaderId::To, remote_value_);
  request.add(HeaderId::CallId, id_.call_id);
  request.add(HeaderId::CSeq, std::to_string(cseq) + " " + std::string(method));
  return request;
}

}  // namespace sipassay::dialog
