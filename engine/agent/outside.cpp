// Requests of ours outside a dialog (RFC 3261 8.1): OPTIONS, MESSAGE.
#include <algorithm>

#include "engine/agent/core.h"
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/multipart.h"

namespace sipassay::agent {
namespace {

// RFC 3428 8 MUST NOT: above 1300 octets outside a media session, whatever the path can carry
// (policy).
bool is_too_long(const Message& message) {
  constexpr std::size_t message_max = 1300;
  constexpr std::size_t via_max = 120;  // that is not on it yet
  return message.to_string().size() + via_max > message_max;
}

}  // namespace

// 8.1.1: what every request has; no Via, no Contact, no body.
Message Core::make_outside(std::string_view method, std::string_view target, const Flow& flow,
                           std::string_view user) {
  std::string uri(ascii::trim(target));
  if (uri.size() > 2 && uri.front() == '<' && uri.back() == '>')
    uri = uri.substr(1, uri.size() - 2);
  const auto parsed = parse_uri(uri);
  // 19.1.5: headers of the URI are no part of the Request-URI.
  if (parsed && !parsed->headers.empty()) uri.resize(uri.find('?'));
  const std::string host = local_host(flow);
  Endpoint own = flow.local;
  own.host = settings_.domain.empty() ? host : settings_.domain;
  std::string from = "<sip:" + escape_user(user.empty() ? settings_.user : user) + '@';
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
  const std::string target(request.request_uri());
  if (request.method() == Method::Message) pending_messages_.insert(target);
  if (send(request, nullptr, {.what = ClientTransaction::What::Outside, .challenges = challenges}))
    return;
  pending_messages_.erase(target);
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
  outside_ended(owner.request);
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
  if (!wish.target.empty()) return send_message(wish);
  auto* call = live_or_newest(wish.call);
  auto* dialog = call == nullptr ? nullptr : call->primary();
  if (dialog == nullptr || dialog->is_over) return;
  session::RequestOptions options;
  options.body = {wish.body.type, wish.body.octets, wish.body.disposition};
  auto request = dialog->session.message(options);
  if (!request || is_too_long(*request)) return emit(RequestAnswered{call->id, "MESSAGE", 0});
  send_in_dialog(*call, *dialog, std::move(request));
  pump(*call, *dialog);
}

void Core::send_message(const SendMessage& wish) {
  // RFC 3428 4 MUST NOT: no Contact.
  auto request = make_outside("MESSAGE", wish.target, default_flow(wish.target));
  if (!wish.body.disposition.empty())
    request.add(HeaderId::ContentDisposition, wish.body.disposition);
  request.set_body(wish.body.type, wish.body.octets);
  if (is_too_long(request)) return emit(RequestAnswered{0, "MESSAGE", 0});
  // RFC 3428 8 MUST NOT: none while one to that URI is pending.
  if (const std::string target(request.request_uri()); pending_messages_.contains(target)) {
    if (waiting_messages_.size() >= waiting_messages_max)
      return emit(RequestAnswered{0, "MESSAGE", 503});
    waiting_messages_.emplace_back(target, wish);
    return;
  }
  digest_client_.authorize(request);
  send_outside(std::move(request), 0);
}

// The request of that URI is over: the next one may go.
void Core::outside_ended(const Message& request) {
  if (request.method() != Method::Message) return;
  const std::string target(request.request_uri());
  pending_messages_.erase(target);
  const auto next =
      std::ranges::find(waiting_messages_, target, &std::pair<std::string, SendMessage>::first);
  if (next == waiting_messages_.end()) return;
  const auto wish = std::move(next->second);
  waiting_messages_.erase(next);
  send_message(wish);
}

}  // namespace sipassay::agent
