// Requests of ours outside a dialog (RFC 3261 8.1): OPTIONS, MESSAGE.
#include "engine/agent/core.h"
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/multipart.h"

namespace sipassay::agent {

// 8.1.1: what every request has; no Via, no Contact, no body.
Message Core::make_outside(std::string_view method, std::string_view target, const Flow& flow) {
  std::string uri(ascii::trim(target));
  if (uri.size() > 2 && uri.front() == '<' && uri.back() == '>')
    uri = uri.substr(1, uri.size() - 2);
  const auto parsed = parse_uri(uri);
  // 19.1.5: headers of the URI are no part of the Request-URI.
  if (parsed && !parsed->headers.empty()) uri.resize(uri.find('?'));
  const std::string host = local_host(flow);
  Endpoint own = flow.local;
  own.host = settings_.domain.empty() ? host : settings_.domain;
  std::string from = "<sip:" + escape_user(settings_.user) + '@';
  from += settings_.domain.empty() ? host_port(own) : settings_.domain;
  from += ">;tag=" + rng_.token(12);
  auto request = Message::request(method, uri);
  request.add(HeaderId::MaxForwards, "70");
  request.add(HeaderId::From, from);
  request.add(HeaderId::To, "<" + uri + ">");
  request.add(
      HeaderId::CallId,
      rng_.token(20) + "@" + (host.find(':') == std::string::npos ? host : "[" + host + "]"));
  request.add(HeaderId::CSeq, std::to_string(rng_.between(1, 9999)) + " " + std::string(method));
  request.add(HeaderId::UserAgent, product);
  // RFC 4028 7.1 MUST: Supported: timer in every request but ACK.
  request.add(HeaderId::Supported, ascii::comma_list(capabilities(nullptr).supported));
  return request;
}

void Core::send_outside(Message request, unsigned challenges) {
  const std::string method(request.method_text());
  if (send(request, nullptr,
           {.what = ClientTransaction::What::Outside, .challenges = challenges}) == 0)
    emit(RequestAnswered{0, method, 503});  // 8.1.3.1
}

void Core::receive_outside_response(const ClientTransaction& owner, const Message& response) {
  const int status = response.status();
  if (status < 200) return;
  if ((status == 401 || status == 407) && owner.challenges < challenges_answered_max) {
    auto request = owner.request;
    const auto cseq = request.get<CSeq>();
    if (cseq && digest_client_.answer_challenge(response, request) == digest::Verdict::Retry) {
      request.set(HeaderId::CSeq, std::to_string(cseq->number + 1) + " " +
                                      std::string(owner.request.method_text()));
      request.remove(HeaderId::Via);
      return send_outside(std::move(request), owner.challenges + 1);
    }
  }
  if (status < 300) digest_client_.learn(response);
  emit(RequestAnswered{0, std::string(owner.request.method_text()), status});
}

void Core::command(const SendOptions& wish) {
  const auto flow = default_flow(wish.target);
  auto request = make_outside("OPTIONS", wish.target, flow);
  request.add(HeaderId::Accept, accepted_media_types());
  request.add(HeaderId::Contact, contact_for(settings_.user, flow));
  request.set_body({}, {});
  digest_client_.authorize(request);
  send_outside(std::move(request), 0);
}

void Core::command(const SendMessage& wish) {
  if (wish.target.empty()) {
    auto* call = live_or_newest(wish.call);
    auto* dialog = call == nullptr ? nullptr : call->primary();
    if (dialog == nullptr || dialog->is_over) return;
    session::RequestOptions options;
    options.body = {wish.body.type, wish.body.octets, wish.body.disposition};
    send_in_dialog(*call, *dialog, dialog->session.message(options));
    return pump(*call, *dialog);
  }
  // RFC 3428 4 MUST NOT: no Contact.
  auto request = make_outside("MESSAGE", wish.target, default_flow(wish.target));
  if (!wish.body.disposition.empty())
    request.add(HeaderId::ContentDisposition, wish.body.disposition);
  request.set_body(wish.body.type, wish.body.octets);
  digest_client_.authorize(request);
  send_outside(std::move(request), 0);
}

}  // namespace sipassay::agent
