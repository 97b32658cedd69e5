// Rows about the REGISTERs that the SUT sends, and the credentials that they carry.
#include <fmt/format.h>
#include <functional>

#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

// A REGISTER of the SUT's that is not its first one, nor a copy of it.
const Message* first_register(const Wire& w) {
  const auto* first =
      w.first(true, [](const Message& m) { return m.method() == Method::Register; });
  return w.sends(Method::Register) && first != nullptr &&
                 cseq_number(*first) != cseq_number(w.message())
             ? first
             : nullptr;
}

// The REGISTER once more, as another transaction.
Message next_register(const Message& message) {
  Message next = message;
  set_cseq(next, cseq_number(message) + 1);
  set_branch(next, branch_of(message) + "x");
  return next;
}

void edit_credentials(Wire& w, const std::function<void(std::string&)>& edit) {
  if (!w.sends(Method::Register) || !w.message().has(HeaderId::Authorization)) return;
  std::string value(w.message().raw(HeaderId::Authorization));
  edit(value);
  w.edit().set(HeaderId::Authorization, value);
}

void replace(std::string& text, std::string_view from, std::string_view to) {
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
}

constexpr Misbehaviour rows[] = {
    {"register-uri-with-user",
     {3261, "10.2", Level::MustNot},
     "puts a user into the Request-URI of REGISTER",
     [](Wire& w) {
       if (!w.sends(Method::Register)) return;
       std::string uri(w.message().request_uri());
       w.edit().set_request_uri(uri.insert(uri.find(':') + 1, "me@"));
     }},
    {"register-to-tel",
     {3261, "10.2", Level::Must},
     "registers a telephone number",
     [](Wire& w) {
       if (w.sends(Method::Register)) w.edit().set(HeaderId::To, "<tel:+12025550100>");
     }},
    {"register-cseq-stays",
     {3261, "10.2", Level::Must},
     "gives every REGISTER the CSeq number of the first",
     [](Wire& w) {
       if (const auto* first = first_register(w)) set_cseq(w.edit(), cseq_number(*first));
     }},
    {"registers-while-pending",
     {3261, "10.2", Level::MustNot},
     "sends another REGISTER before the first is answered",
     [](Wire& w) {
       if (w.sends(Method::Register) && w.memory()++ == 0)
         w.send(next_register(w.message()), 100ms);
     }},
    {"registers-with-action",
     {3261, "10.2", Level::ShouldNot},
     "sends the action parameter of RFC 2543",
     [](Wire& w) {
       if (!w.sends(Method::Register)) return;
       w.edit().set(HeaderId::Contact,
                    std::string(w.message().raw(HeaderId::Contact)) + ";action=proxy");
     }},
    {"routes-by-register-response",
     {3261, "10.2", Level::MustNot},
     "makes a route set of the Record-Route in a 200 to REGISTER",
     [](Wire& w) {
       const auto* ok = w.last_response(false, Method::Register, 200, 299);
       if (w.sends(Method::Invite) && ok != nullptr)
         w.edit().add(HeaderId::Route, ok->raw(HeaderId::RecordRoute));
     }},
    {"never-unregisters",
     {3261, "10.2.2", Level::Should},
     "does not remove its binding",
     [](Wire& w) {
       if (w.sends(Method::Register) && w.message().raw(HeaderId::Expires) == "0") w.drop();
     }},
    {"removes-all-with-time",
     {3261, "10.2.2", Level::MustNot},
     "sends Contact * with an Expires that is not 0",
     [](Wire& w) {
       if (w.sends(Method::Register) && w.message().raw(HeaderId::Contact) == "*")
         w.edit().set(HeaderId::Expires, "3600");
     }},
    {"ignores-nextnonce",
     {7616, "3.5", Level::Should},
     "uses the nonce of the challenge again, whatever Authentication-Info says",
     [](Wire& w) {
       if (w.gets(Method::Register, 200, 299)) w.edit().remove(HeaderId::AuthenticationInfo);
     }},
    {"never-registers-again",
     {3261, "10.2.4", Level::Stated},
     "sends one REGISTER and no other",
     [](Wire& w) {
       if (first_register(w) != nullptr) w.drop();
     }},
    {"refreshes-foreign-bindings",
     {3261, "10.2.4", Level::ShouldNot},
     "refreshes whatever contact the registrar lists",
     [](Wire& w) {
       const auto* ok = w.last_response(false, Method::Register, 200, 299);
       if (first_register(w) == nullptr || ok == nullptr) return;
       for (std::size_t nth = 0; const auto at = ok->find(HeaderId::Contact, nth); ++nth)
         w.edit().add(HeaderId::Contact, ok->field(*at).value);
     }},
    {"registers-again-at-once",
     {3261, "10.2.7", Level::ShouldNot},
     "tries again as soon as a REGISTER has timed out",
     [](Wire& w) {
       if (w.sends(Method::Register) && w.memory()++ == 0) w.send(next_register(w.message()), 33s);
     }},
    {"asks-as-briefly-again",
     {3261, "10.2.8", Level::May},
     "asks for the interval that was too brief once more",
     [](Wire& w) {
       if (const auto* first = first_register(w))
         w.edit().set(HeaderId::Expires, first->raw(HeaderId::Expires));
     }},
    {"forgets-credentials",
     {3261, "22.2", Level::Should},
     "sends no credentials before it is challenged again",
     [](Wire& w) {
       const auto* answer = w.last_response(false, Method::Register, 200, 699);
       if (w.sends(Method::Register) && answer != nullptr && answer->status() < 300)
         w.edit().remove(HeaderId::Authorization);
     }},
    {"insists-on-credentials",
     {3261, "22.1", Level::MustNot},
     "sends rejected credentials again and again",
     [](Wire& w) {
       const auto* last = w.last_request(true, Method::Register);
       if (w.gets(Method::Register, 401, 401) && last != nullptr &&
           last->has(HeaderId::Authorization))
         w.send(next_register(*last), 50ms);
     }},
    {"answers-qop-without",
     {3261, "22.4", Level::Must},
     "leaves qop, cnonce and nc out of its credentials",
     [](Wire& w) {
       edit_credentials(w, [](std::string& value) {
         if (const auto at = value.find(", qop="); at != std::string::npos) value.resize(at);
       });
     }},
    {"cnonce-without-qop",
     {3261, "22.4", Level::MustNot},
     "sends cnonce and nc though no qop was offered",
     [](Wire& w) {
       edit_credentials(w, [](std::string& value) { value += ", cnonce=\"x\", nc=00000001"; });
     }},
    {"digests-another-uri",
     {3261, "22.4", Level::Must},
     "puts another URI than the Request-URI into its credentials",
     [](Wire& w) {
       edit_credentials(w,
                        [](std::string& value) { replace(value, "uri=\"sip:", "uri=\"sip:x@"); });
     }},
    {"stays-with-first-nc",
     {7616, "3.4", Level::Stated},
     "says nc=00000001 whenever it uses a nonce",
     [](Wire& w) {
       edit_credentials(w,
                        [](std::string& value) { replace(value, "nc=00000002", "nc=00000001"); });
     }},
    {"loses-opaque",
     {7616, "3.3", Level::Should},
     "does not return opaque",
     [](Wire& w) {
       edit_credentials(w, [](std::string& value) { replace(value, "opaque=", "x-opaque="); });
     }},
    {"picks-a-qop-of-its-own",
     {7616, "3.4", Level::Must},
     "says qop=auth whatever was offered",
     [](Wire& w) {
       edit_credentials(w, [](std::string& value) { replace(value, "qop=auth-int", "qop=auth"); });
     }},
    {"digests-with-md5",
     {8760, "2.4", Level::Should},
     "answers with MD5 whatever was asked for",
     [](Wire& w) {
       edit_credentials(
           w, [](std::string& value) { replace(value, "algorithm=SHA-256", "algorithm=MD5"); });
     }},
    {"guesses-an-algorithm",
     {8760, "2.4", Level::Should},
     "answers a challenge that it cannot read",
     [](Wire& w) {
       const auto* last = w.last_request(true, Method::Register);
       if (!w.gets(Method::Register, 401, 401) || last == nullptr ||
           last->has(HeaderId::Authorization))
         return;
       auto next = next_register(*last);
       next.add(HeaderId::Authorization, "Digest username=\"alice\", realm=\"r\", nonce=\"n\"");
       w.send(std::move(next), 50ms);
     }},
    {"picks-the-first-qop",
     {7616, "3.3", Level::Must},
     "takes the first qop that is offered, known or not",
     [](Wire& w) {
       edit_credentials(w, [](std::string& value) { replace(value, "qop=auth", "qop=x-none"); });
     }},
    {"quotes-qop",
     {7616, "3.4", Level::MustNot},
     "writes qop as a quoted string",
     [](Wire& w) {
       edit_credentials(w, [](std::string& value) { replace(value, "qop=auth", "qop=\"auth\""); });
     }},
    {"unquotes-nonce",
     {7616, "3.4", Level::Must},
     "writes nonce as a token",
     [](Wire& w) {
       edit_credentials(w, [](std::string& value) { replace(value, "nonce=\"n1\"", "nonce=n1"); });
     }},
    {"registers-in-another-call",
     {3261, "8.1.1.4", Level::Should},
     "gives each REGISTER a Call-ID of its own",
     [](Wire& w) {
       if (first_register(w) != nullptr)
         w.edit().set(HeaderId::CallId, fmt::format("call-{}", cseq_number(w.message())));
     }},
    {"digests-with-another-algorithm",
     {7616, "3.3", Level::Stated},
     "answers with SHA-256 where no algorithm was named",
     [](Wire& w) {
       edit_credentials(w, [](std::string& value) {
         replace(value, "response=\"", "response=\"0123456789abcdef0123456789abcdef");
       });
     }},
    {"digests-with-md5-length",
     {8760, "2.2", Level::Stated},
     "sends 32 digits whatever the algorithm",
     [](Wire& w) {
       edit_credentials(w, [](std::string& value) {
         if (const auto at = value.find("response=\""); at != std::string::npos)
           value.erase(at + 10, 32);
       });
     }},
    {"miscounts-in-digest",
     {7616, "3.4.1", Level::Stated},
     "digests another nc than it sends",
     [](Wire& w) {
       edit_credentials(w,
                        [](std::string& value) { replace(value, "nc=00000001", "nc=00000002"); });
     }},
    {"changes-body-after-digest",
     {7616, "3.4.3", Level::Stated},
     "digests another body than it sends",
     [](Wire& w) {
       if (w.sends(Method::Invite) && w.message().has(HeaderId::ProxyAuthorization))
         edit_sdp(w.edit(), [](std::vector<std::string>& lines) { lines.emplace_back("a=x"); });
     }},
    {"names-the-user",
     {7616, "3.4.4", Level::Must},
     "says that it has hashed the name of its user, and has not",
     [](Wire& w) {
       edit_credentials(w, [](std::string& value) {
         const auto start = value.find("username=\"") + 10;
         value.replace(start, value.find('"', start) - start, "alice");
       });
     }},
    {"gives-up-at-several-realms",
     {8760, "2.4", Level::Should},
     "answers no challenge when there are several",
     [](Wire& w) {
       const auto* refused = w.last_response(false, Method::Register, 401, 401);
       if (w.sends(Method::Register) && refused != nullptr &&
           refused->line_count(HeaderId::WwwAuthenticate) > 1)
         w.drop();
     }},
    {"joins-credentials",
     {3261, "7.3.1", Level::MustNot},
     "joins credentials of several realms by commas",
     [](Wire& w) {
       if (w.message().line_count(HeaderId::ProxyAuthorization) < 2 || !w.is_sent()) return;
       std::string all;
       for (std::size_t i = 0; i < w.message().field_count(); ++i)
         if (const auto field = w.message().field(i); field.id == HeaderId::ProxyAuthorization)
           all += (all.empty() ? "" : ", ") + std::string(field.value);
       w.edit().set(HeaderId::ProxyAuthorization, all);
     }},
    {"proxy-credentials-for-all",
     {3261, "22.3", Level::MustNot},
     "sends the credentials that a proxy has asked for in every call",
     [](Wire& w) {
       const auto* asked = w.last(true, [](const Message& m) {
         return m.is_request() && m.has(HeaderId::ProxyAuthorization);
       });
       if (w.sends(Method::Invite) && asked != nullptr)
         w.edit().set(HeaderId::ProxyAuthorization, asked->raw(HeaderId::ProxyAuthorization));
     }},
};

}  // namespace

std::span<const Misbehaviour> registering_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
