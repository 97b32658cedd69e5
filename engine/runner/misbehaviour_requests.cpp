// Rows about requests of the SUT: what they are made of, and when they are sent.
#include <string>

#include "engine/base/time.h"
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

bool is_initial_invite(const Wire& w) {
  return w.sends(Method::Invite) && tag_of(w.message(), HeaderId::To).empty();
}

bool is_reinvite(const Wire& w) {
  return w.sends(Method::Invite) && !tag_of(w.message(), HeaderId::To).empty();
}

void replace_in_via(Message& message, std::string_view old, std::string_view by) {
  std::string via(message.raw(HeaderId::Via));
  if (const auto at = via.find(old); at != std::string::npos) via.replace(at, old.size(), by);
  message.set(HeaderId::Via, via);
}

constexpr Misbehaviour rows[] = {
    {"other-uri-in-to",
     {3261, "8.1.1.1", Level::Should},
     "calls somebody other than To says",
     [](Wire& w) {
       if (is_initial_invite(w)) w.edit().set(HeaderId::To, "<sip:other@example.com>");
     }},
    {"adds-content-encoding",
     {3261, "7.4.1", Level::Must},
     "says that a plain body is encoded",
     [](Wire& w) {
       if (w.is_sent() && !w.message().body().empty())
         w.edit().set(HeaderId::ContentEncoding, "identity");
     }},
    {"via-names-another-transport",
     {3261, "8.1.1.7", Level::Must},
     "writes SCTP into Via",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_request()) return;
       replace_in_via(w.edit(), "/UDP ", "/SCTP ");
       replace_in_via(w.edit(), "/TCP ", "/SCTP ");
     }},
    {"via-with-another-host",
     {3261, "18.1.1", Level::Must},
     "writes a host into Via that it is not",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_request())
         replace_in_via(w.edit(), "192.0.2.1", "192.0.2.250");
     }},
    {"same-call-id-always",
     {3261, "8.1.1.4", Level::Must},
     "has one Call-ID for all calls",
     [](Wire& w) {
       if (is_initial_invite(w)) w.edit().set(HeaderId::CallId, "always-the-same");
     }},
    {"same-from-tag-always",
     {3261, "19.3", Level::Must},
     "has one From tag for all calls",
     [](Wire& w) {
       if (is_initial_invite(w)) set_tag(w.edit(), HeaderId::From, "always");
     }},
    {"reuses-branch",
     {3261, "8.1.1.7", Level::Must},
     "gives a re-INVITE the branch of the first INVITE",
     [](Wire& w) {
       const Message* first = w.first(
           true, [](const Message& m) { return m.is_request() && m.method() == Method::Invite; });
       if (is_reinvite(w) && first != nullptr) set_branch(w.edit(), branch_of(*first));
     }},
    {"acks-everything",
     {3261, "8.1.3.3", Level::Should},
     "acknowledges responses that it ought to drop",
     [](Wire& w) {
       const Message* invite = w.last_request(true, Method::Invite);
       if (!w.gets(Method::Invite, 300, 699) || invite == nullptr) return;
       Message ack = Message::request("ACK", invite->request_uri());
       for (const auto field : {HeaderId::Via, HeaderId::From, HeaderId::CallId})
         ack.add(header_name(field), invite->raw(field));
       ack.add("To", w.message().raw(HeaderId::To));
       ack.add("CSeq", std::to_string(cseq_number(*invite)) + " ACK");
       ack.add("Max-Forwards", "70");
       w.send(std::move(ack));
     }},
    {"calls-again-after-failure",
     {3261, "13.2.2.3", Level::Must},
     "sends the INVITE again after each final response",
     [](Wire& w) {
       const Message* invite = w.last_request(true, Method::Invite);
       if (!w.gets(Method::Invite, 300, 699) || invite == nullptr) return;
       Message again = *invite;
       set_cseq(again, cseq_number(*invite) + 1);
       set_branch(again, branch_of(*invite) + "again");
       w.send(std::move(again), 100ms);
     }},
    {"remembers-302",
     {3261, "21.3.3", Level::MustNot},
     "calls where a 302 of another call pointed to",
     [](Wire& w) {
       if (is_initial_invite(w) && w.last_response(false, Method::Invite, 302, 302) != nullptr)
         w.edit().set_request_uri("sip:moved@192.0.2.101:5060");
     }},
    {"byes-instead-of-cancel",
     {3261, "15", Level::MustNot},
     "sends BYE where CANCEL is due",
     [](Wire& w) {
       if (!w.sends(Method::Cancel)) return;
       w.edit().set_start_line("BYE " + std::string(w.message().request_uri()) + " SIP/2.0");
       w.edit().set(HeaderId::CSeq, std::to_string(cseq_number(w.message()) + 1) + " BYE");
     }},
    {"requests-at-copies",
     {3261, "17.1.2.2", Level::Stated},
     "sends a request when a final response comes again",
     [](Wire& w) {
       if (w.is_sent() || !w.message().is_response() || !w.is_repeated()) return;
       if (auto request = w.make_request("OPTIONS")) w.send(std::move(*request));
     }},
    {"repeats-answered-requests",
     {3261, "17.1.2.2", Level::Must},
     "repeats OPTIONS although it was answered",
     [](Wire& w) {
       if (w.gets(Method::Options, 200, 699))
         w.send_again(w.last_request(true, Method::Options), 600ms);
     }},
    {"rport-with-value",
     {3581, "3", Level::Must},
     "writes a value into the rport of its requests",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_request()) return;
       replace_in_via(w.edit(), ";rport", "");
       w.edit().set(HeaderId::Via, std::string(w.message().raw(HeaderId::Via)) + ";rport=5060");
     }},
    {"cseq-too-large",
     {3261, "8.1.1.5", Level::Must},
     "uses CSeq numbers from 2**31 on in BYE",
     [](Wire& w) {
       if (w.sends(Method::Bye)) set_cseq(w.edit(), 2147483648U);
     }},
    {"changes-sdp-of-same-version",
     {3264, "8", Level::Must},
     "offers another port in a re-INVITE and leaves the version as it was",
     [](Wire& w) {
       if (!is_reinvite(w)) return;
       edit_sdp(w.edit(), [](std::vector<std::string>& lines) {
         for (auto& line : lines)
           if (line.starts_with("m=audio ")) line.replace(8, line.find(' ', 8) - 8, "4000");
       });
     }},
    {"method-in-request-uri",
     {3261, "19.1.5", Level::MustNot},
     "leaves the method parameter of a URI in the Request-URI",
     [](Wire& w) {
       const bool is_led = is_initial_invite(w) && w.first(false, [](const Message& m) {
         return m.raw(HeaderId::ReferTo).contains(";method=") ||
                m.raw(HeaderId::Contact).contains(";method=");
       });
       if (is_led)
         w.edit().set_request_uri(std::string(w.message().request_uri()) + ";method=INVITE");
     }},
    {"loses-uri-parameters",
     {3261, "19.1.5", Level::Must},
     "leaves the parameters of a URI out of the Request-URI",
     [](Wire& w) {
       const std::string_view uri = w.message().request_uri();
       if (is_initial_invite(w))
         w.edit().set_request_uri(std::string(uri.substr(0, uri.find(';'))));
     }},
    {"redirects-in-old-branch",
     {3261, "8.1.3.4", Level::Must},
     "gives a redirected INVITE the branch of the first one",
     [](Wire& w) {
       const Message* before = w.last_request(true, Method::Invite);
       if (is_initial_invite(w) && before != nullptr) set_branch(w.edit(), branch_of(*before));
     }},
    {"redirects-in-another-call",
     {3261, "8.1.3.4", Level::Should},
     "gives a redirected INVITE another Call-ID",
     [](Wire& w) {
       if (is_initial_invite(w) && w.last_request(true, Method::Invite) != nullptr)
         w.edit().set(HeaderId::CallId, "another-call");
     }},
    {"tries-one-contact",
     {3261, "8.1.3.4", Level::Should},
     "gives up when the first contact of a redirection fails",
     [](Wire& w) {
       if (w.sends(Method::Invite) && w.last_response(false, Method::Invite, 400, 699) != nullptr)
         w.drop();
     }},
    {"takes-headers-of-uris",
     {3261, "19.1.5", Level::ShouldNot},
     "puts whatever a URI says into the request formed from it",
     [](Wire& w) {
       if (!is_initial_invite(w)) return;
       w.edit().set(HeaderId::CallId, "evil-1");
       w.edit().insert(0, "Route", "<sip:evil@example.com;lr>");
     }},
    {"omits-subject",
     {3261, "19.1.5", Level::Should},
     "sends no Subject",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove("Subject");
     }},
    {"omits-replaces",
     {3891, "4", Level::Should},
     "sends no Replaces",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::Replaces);
     }},
    {"routes-by-path",
     {3327, "5.1", Level::Stated},
     "makes a route set of the Path in a 200 to REGISTER",
     [](Wire& w) {
       const Message* registered = w.last_response(false, Method::Register, 200, 299);
       if (is_initial_invite(w) && registered != nullptr)
         w.edit().insert(0, "Route", registered->raw("Path"));
     }},
};

}  // namespace

std::span<const Misbehaviour> requests_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
