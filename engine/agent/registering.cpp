// Our registrations (RFC 3261 10.2): what Registration decides, made into REGISTERs.
#include <utility>

#include "engine/agent/core.h"
#include "engine/message/header/all.h"

namespace sipassay::agent {
namespace {

using Kind = Register::Kind;

// 10.2: the Request-URI names the domain, without userinfo.
std::string domain_of(const Uri& registrar) {
  std::string domain(registrar.scheme_text);
  domain += ':';
  domain +=
      registrar.is_ipv6 ? "[" + std::string(registrar.host) + "]" : std::string(registrar.host);
  if (registrar.port) domain += ':' + std::to_string(*registrar.port);
  return domain.append(registrar.params.text());
}

std::string address_of_record(const Uri& registrar, std::string_view default_user) {
  std::string address = "<" + std::string(registrar.scheme_text) + ":";
  address += registrar.has_user ? std::string(registrar.user) : escape_user(default_user);
  address += '@';
  address +=
      registrar.is_ipv6 ? "[" + std::string(registrar.host) + "]" : std::string(registrar.host);
  return address + ">";
}

}  // namespace

void Core::command(const Register& wish) {
  auto known = registrations_.find(wish.registrar);
  if (known == registrations_.end()) {
    if (registrations_.size() >= registrations_max)
      std::erase_if(registrations_, [](const auto& entry) {
        return entry.second.registration.state() == Registration::State::Idle;
      });
    if (registrations_.size() >= registrations_max)
      return emit(RequestAnswered{0, "REGISTER", 503});
    OwnRegistration made{.registration = Registration(settings_.timings.timeout())};
    known = registrations_.emplace(wish.registrar, std::move(made)).first;
  }
  if (known->second.registration.want(wish)) send_register(known->first);
}

// 10.2: one Call-ID and CSeq numbers that rise by one for each registrar.
void Core::send_register(const std::string& registrar) {
  auto& own = registrations_.at(registrar);
  const auto& wish = own.registration.request();
  const auto flow = default_flow(registrar);
  auto request = make_outside("REGISTER", registrar, flow);
  const std::string target(request.request_uri());
  const auto uri = parse_uri(target);
  if (!uri || !uri->is_sip()) return register_failed(registrar, 503);
  if (own.call_id.empty()) own.call_id = request.raw(HeaderId::CallId);
  const auto aor = address_of_record(*uri, settings_.user);
  own.contact = contact_for(uri->has_user ? unescape(uri->user) : settings_.user, flow);
  if (uri->scheme == Uri::Scheme::Sips) own.contact.replace(0, 5, "<sips:");  // 10.2.1 SHOULD
  request.set_request_uri(domain_of(*uri));
  request.set(HeaderId::To, aor);
  request.set(HeaderId::From, aor + ";tag=" + rng_.token(12));  // 10.2: as To
  request.set(HeaderId::CallId, own.call_id);
  request.set(HeaderId::CSeq, std::to_string(++own.cseq) + " REGISTER");
  if (wish.kind != Kind::Fetch) {
    request.add(HeaderId::Contact, wish.kind == Kind::RemoveAll ? "*" : own.contact);
    request.add(HeaderId::Expires,
                wish.kind == Kind::RemoveAll ? "0" : std::to_string(wish.expires));
  }
  request.set_body({}, {});
  digest_client_.authorize(request);
  send_register(registrar, std::move(request), 0);
}

void Core::send_register(const std::string& registrar, Message request, unsigned challenges) {
  if (!send(request, nullptr,
            {.what = ClientTransaction::What::Register,
             .challenges = challenges,
             .registrar = registrar}))
    register_failed(registrar, 503);  // 8.1.3.1
}

void Core::receive_register_response(const ClientTransaction& owner, const Message& response) {
  const int status = response.status();
  if (status < 200) return;
  auto& own = registrations_.at(owner.registrar);
  if ((status == 401 || status == 407) && owner.challenges < challenges_answered_max) {
    auto request = owner.request;
    if (digest_client_.answer_challenge(response, request) == digest::Verdict::Retry) {
      request.set(HeaderId::CSeq, std::to_string(++own.cseq) + " REGISTER");  // 22.2 MUST
      request.remove(HeaderId::Via);
      return send_register(owner.registrar, std::move(request), owner.challenges + 1);
    }
  }
  if (status < 300) digest_client_.learn(response);
  const auto wish = own.registration.request();
  emit(RequestAnswered{0, "REGISTER", status});
  const auto contact = own.contact.substr(1, own.contact.size() - 2);
  const bool goes_on = own.registration.answered(&response, contact, now_);
  if (status < 300 && wish.kind == Kind::Bind && wish.expires > 0 &&
      own.registration.granted() == 0)
    violate(0, "contact-in-register-response", {3261, "10.3", Level::Must},
            "the contact that was registered", "others or none");
  if (status < 300) emit(RegistrationChanged{owner.registrar, own.registration.granted()});
  if (goes_on) send_register(owner.registrar);
}

// No final response will come: 10.2.7.
void Core::register_failed(const std::string& registrar, int status) {
  emit(RequestAnswered{0, "REGISTER", status});
  emit(RegistrationChanged{registrar, 0});
  if (registrations_.at(registrar).registration.answered(nullptr, {}, now_))
    send_register(registrar);
}

void Core::advance_registrations() {
  for (auto& [registrar, own] : registrations_)
    if (own.registration.advance(now_)) send_register(registrar);
}

}  // namespace sipassay::agent
