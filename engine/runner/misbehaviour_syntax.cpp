// Rows about what is taken for well formed, and about survival.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/base/ascii.h"
#include "engine/base/time.h"
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/values.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

std::vector<std::string> vias(const Message& message) {
  return header_values(message, "Via");
}

// Of the top Via.
void remove_via_param(Message& message, std::string_view name) {
  auto all = vias(message);
  if (all.empty()) return;
  std::string& top = all.front();
  const auto begin = top.find(";" + std::string(name));
  if (begin == std::string::npos) return;
  const auto end = std::min(top.find(';', begin + 1), top.size());
  top.erase(begin, end - begin);
  message.set(HeaderId::Via, ascii::comma_list(all));
}

constexpr Misbehaviour rows[] = {
    {"answers-400",
     {3261, "21.4.1", Level::Stated},
     "finds every request malformed",
     [](Wire& w) {
       if (!w.is_sent() || w.message().status() < 200) return;
       set_status(w.edit(), 400);
       drop_body(w.edit());
     }},
    {"answers-nothing",
     {3261, "8.2.6.2", Level::Must},
     "sends no final response",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() >= 200) w.drop();
     }},
    {"goes-deaf",
     {4475, "3", Level::Stated},
     "no longer hears anything",
     [](Wire& w) {
       if (!w.is_sent()) w.drop();
     }},
    {"answers-responses",
     {3261, "18.1.2", Level::Must},
     "sends a request whenever a response comes that it has not asked for",
     [](Wire& w) {
       if (w.is_sent() || !w.message().is_response()) return;
       Message request = Message::request("OPTIONS", "sip:nobody@192.0.2.101");
       for (const auto* field : {"Via", "From", "To", "Call-ID"})
         request.add(field, w.message().raw(header_id_from(field)));
       request.add("CSeq", "1 OPTIONS");
       request.add("Max-Forwards", "70");
       w.send(std::move(request));
     }},
    {"answers-420",
     {3261, "8.2.2.3", Level::Must},
     "minds a Proxy-Require that is not for it",
     [](Wire& w) {
       if (!w.is_sent() || w.message().status() < 200) return;
       set_status(w.edit(), 420);
       drop_body(w.edit());
     }},
    {"same-to-tag-always",
     {3261, "19.3", Level::Must},
     "has one To tag for all calls that it refuses",
     [](Wire& w) {
       if (w.sends(Method::Invite, 300, 699)) set_tag(w.edit(), HeaderId::To, "always");
     }},
    {"plain-400",
     {3261, "21.4.1", Level::Should},
     "does not say in a 400 what is wrong",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 400)
         w.edit().set_start_line("SIP/2.0 400 Bad Request");
     }},
    {"sdp-without-address",
     {8866, "5.7", Level::Must},
     "leaves c= out of its SDP",
     [](Wire& w) {
       if (w.is_sent() && w.has_sdp())
         edit_sdp(w.edit(), [](std::vector<std::string>& lines) {
           std::erase_if(lines, [](const std::string& line) { return line.starts_with("c="); });
         });
     }},
    {"replaces-406-by-200",
     {3261, "21.4.7", Level::Stated},
     "answers 200 where 406 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 406) set_status(w.edit(), 200);
     }},
    {"replaces-2xx-by-415",
     {3261, "8.2.3", Level::Must},
     "minds the type of an optional body",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 200, 299)) return;
       set_status(w.edit(), 415);
       drop_body(w.edit());
     }},
    {"drops-lower-vias",
     {3261, "8.2.6.2", Level::Must},
     "sends the top Via only in responses",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_response() || !w.message().has(HeaderId::Via)) return;
       const auto all = vias(w.message());
       w.edit().set(HeaderId::Via, all.front());
     }},
    {"reverses-vias",
     {3261, "8.2.6.2", Level::Must},
     "has the lower Via values in the wrong order in responses",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_response() || !w.message().has(HeaderId::Via)) return;
       auto all = vias(w.message());
       std::reverse(all.begin() + 1, all.end());
       w.edit().set(HeaderId::Via, ascii::comma_list(all));
     }},
    {"other-to-tag-in-dialog",
     {3261, "8.2.6.2", Level::Must},
     "changes the To tag that the request had",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_response() && w.message().status() > 100)
         set_tag(w.edit(), HeaderId::To, tag_of(w.message(), HeaderId::To) + "x");
     }},
    {"lower-case-version",
     {3261, "7.2", Level::Stated},
     "writes sip/2.0 in status lines",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_response())
         w.edit().set_start_line("sip/2.0 " + std::string(w.message().start_line().substr(8)));
     }},
    {"tries-everything",
     {3261, "8.2.6.1", Level::ShouldNot},
     "sends a provisional response to every request",
     [](Wire& w) {
       if (!w.is_sent() || w.message().status() < 200) return;
       Message provisional = w.message();
       set_status(provisional, 183);
       drop_body(provisional);
       w.send(std::move(provisional));
       w.delay(100ms);
     }},
    {"answers-late",
     {3261, "8.2.6.1", Level::Should},
     "takes its time with every final response",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() >= 200) w.delay(3s);
     }},
    {"wrong-content-length",
     {3261, "20.14", Level::Must},
     "counts one octet of the body too many",
     [](Wire& w) {
       if (w.is_sent())
         w.edit().set(HeaderId::ContentLength, std::to_string(w.message().body().size() + 1));
     }},
    {"allow-without-ack",
     {3261, "20.5", Level::Must},
     "does not name ACK in Allow",
     [](Wire& w) {
       if (w.is_sent() && w.message().has(HeaderId::Allow))
         w.edit().set(HeaderId::Allow, "INVITE, BYE, CANCEL, OPTIONS");
     }},
    {"requires-timer-unasked",
     {3261, "8.2.4", Level::MustNot},
     "uses session timers whether the client knows them or not",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299)) w.edit().set(HeaderId::Require, "timer");
     }},
    {"loses-timestamp",
     {3261, "8.2.6.1", Level::Must},
     "does not copy Timestamp",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::Timestamp);
     }},
    {"byes-after-failure",
     {3261, "15", Level::MustNot},
     "sends BYE for a call that it has refused",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 300, 699)) return;
       if (auto bye = w.make_request("BYE")) w.send(std::move(*bye));
     }},
    {"changes-copies",
     {3261, "17.2.2", Level::Must},
     "answers a request that comes again anew",
     [](Wire& w) {
       if (w.is_sent() && w.is_repeated()) set_tag(w.edit(), HeaderId::To, "another");
     }},
    {"omits-received",
     {3261, "18.2.1", Level::Must},
     "never adds received to Via",
     [](Wire& w) {
       if (w.is_sent()) remove_via_param(w.edit(), "received");
     }},
    {"omits-rport",
     {3581, "4", Level::Must},
     "never fills in rport",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_response()) remove_via_param(w.edit(), "rport");
     }},
    {"ignores-rport",
     {3581, "4", Level::Must},
     "does not see rport",
     [](Wire& w) {
       if (!w.is_sent()) remove_via_param(w.edit(), "rport");
     }},
    {"adds-rport",
     {3581, "4", Level::Stated},
     "adds rport unasked",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_response() && w.message().has(HeaderId::Via)) {
         auto all = vias(w.message());
         if (all.front().find(";rport") == std::string::npos) all.front() += ";rport=5060";
         w.edit().set(HeaderId::Via, ascii::comma_list(all));
       }
     }},
    {"minds-padded-boundaries",
     {2046, "5.1.1", Level::Must},
     "answers 400 to a body with blanks behind a boundary",
     [](Wire& w) {
       const bool is_padded = w.message().body().find("--b \t") != std::string_view::npos;
       if (w.gets_request() && is_padded) w.answer(400);
     }},
    {"lower-case-request-version",
     {3261, "7.1", Level::Must},
     "writes sip/2.0 in request lines",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_request()) return;
       w.edit().set_start_line(
           fmt::format("{} {} sip/2.0", w.message().method_text(), w.message().request_uri()));
     }},
    {"omits-content-length-of-nothing",
     {3261, "18.3", Level::Must},
     "sends requests without a body without Content-Length",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_request() && w.message().body().empty())
         w.edit().remove(HeaderId::ContentLength);
     }},
    {"loses-angle-brackets",
     {3261, "20", Level::Must},
     "writes To without angle brackets",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_request()) return;
       std::string to(w.message().raw(HeaderId::To));
       std::erase_if(to, [](char c) { return c == '<' || c == '>'; });
       w.edit().set(HeaderId::To, to);
     }},
    {"acks-broken-responses",
     {3261, "18.3", Level::Must},
     "acknowledges an INVITE before a response has come that can be read",
     [](Wire& w) {
       if (!w.sends(Method::Invite)) return;
       if (auto ack = w.make_request("ACK")) w.send(std::move(*ack), 50ms);
     }},
    {"minds-reason",
     {3326, "2", Level::Stated},
     "answers 400 to a Reason that it does not know",
     [](Wire& w) {
       if (w.gets_request() && w.message().raw("Reason").starts_with("X-none")) w.answer(400);
     }},
    {"minds-content-id",
     {8262, "3.3", Level::Stated},
     "answers 415 to a body with Content-ID",
     [](Wire& w) {
       if (w.gets_request_with("Content-ID")) w.answer(415);
     }},
    {"minds-max-breadth",
     {5393, "5.3.5", Level::Stated},
     "answers 440 to a request that must not fork any more",
     [](Wire& w) {
       if (w.gets_request_with("Max-Breadth")) w.answer(440);
     }},
    {"brackets-request-uri",
     {3261, "7.1", Level::MustNot},
     "puts the Request-URI into angle brackets",
     [](Wire& w) {
       if (w.sends(Method::Invite))
         w.edit().set_start_line(fmt::format("INVITE <{}> SIP/2.0", w.message().request_uri()));
     }},
};

}  // namespace

std::span<const Misbehaviour> syntax_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
