// Rows about what authentication and the extensions ask of a proxy, and what it is to leave alone.
#include <fmt/format.h>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

constexpr Misbehaviour rows[] = {
    {"challenges-as-a-server",
     {3261, "22.1", Level::MustNot},
     "asks for credentials with 401",
     [](Wire& w) {
       if (w.sends(407, 407)) set_status(w.edit(), 401);
     }},
    {"407-without-challenge",
     {3261, "22.3", Level::Must},
     "sends a 407 without Proxy-Authenticate",
     [](Wire& w) {
       if (w.sends(407, 407)) w.edit().remove(HeaderId::ProxyAuthenticate);
     }},
    {"drops-foreign-credentials",
     {3261, "22.3", Level::MustNot},
     "takes credentials for other proxies off",
     [](Wire& w) {
       if (w.forwards()) w.edit().remove(HeaderId::ProxyAuthorization);
     }},
    {"keeps-prack",
     {3262, "3", Level::Must},
     "answers a PRACK that is not for it",
     [](Wire& w) {
       if (w.gets(Method::Prack)) w.answer(200);
     }},
    {"makes-reliable-provisionals",
     {3262, "3", Level::MustNot},
     "rings by itself, reliably, in a dialog of others",
     [](Wire& w) {
       if (!w.gets(Method::Invite) || tag_of(w.message(), HeaderId::To).empty()) return;
       auto ringing = w.make_response(183);
       ringing.add(HeaderId::RSeq, "1").add(HeaderId::Require, "100rel");
       w.send(ringing, 500ms);
     }},
    {"makes-199",
     {6228, "6", Level::MustNot},
     "tells that a branch has ended, whatever is required",
     [](Wire& w) {
       if (!w.gets(300, 699) || cseq_method(w.message()) != Method::Invite) return;
       auto ended = without_top_via(w.message());
       set_status(ended, 199);
       w.send(ended);
     }},
    {"hangs-up-expired-sessions",
     {4028, "8.3", Level::MustNot},
     "ends a session that nobody has refreshed",
     [](Wire& w) {
       if (!w.forwards(Method::Ack)) return;
       Message bye = w.message();
       bye.set_start_line(fmt::format("BYE {} SIP/2.0", w.message().request_uri()));
       bye.set(HeaderId::CSeq, fmt::format("{} BYE", cseq_number(w.message()) + 1));
       set_branch(bye, branch_of(w.message()) + "bye");
       w.send(bye, 90s);
     }},
    {"leaves-rport-empty",
     {3581, "4", Level::Must},
     "sends requests on with the Via that they came with",
     [](Wire& w) {
       const auto* came = w.forwards() ? w.original() : nullptr;
       const auto below = w.message().find(HeaderId::Via, 1);
       if (came != nullptr && below) w.edit().set_value(*below, came->raw(HeaderId::Via));
     }},
    {"changes-what-is-not-its-own",
     {3261, "16.6", Level::MustNot},
     "rewrites Referred-By, Content-ID and Info-Package on the way",
     [](Wire& w) {
       for (const std::string_view name : {"Referred-By", "Content-ID", "Info-Package"})
         if (w.forwards() && w.message().find(name)) w.edit().set(name, "<sip:proxy@192.0.2.1>");
     }},
    {"raises-session-expires-on-the-way",
     {4028, "8.1", Level::MustNot},
     "makes sessions longer, and refreshes by the callee",
     [](Wire& w) {
       if (w.is_sent() && w.message().has(HeaderId::SessionExpires))
         w.edit().set(HeaderId::SessionExpires, "7200;refresher=uas");
     }},
    {"lowers-session-expires-on-the-way",
     {4028, "8.1", Level::MustNot},
     "makes sessions shorter than Min-SE allows",
     [](Wire& w) {
       if (w.forwards() && w.message().has(HeaderId::SessionExpires))
         w.edit().set(HeaderId::SessionExpires, "120");
     }},
    {"changes-min-se",
     {4028, "8.1", Level::MustNot},
     "sets Min-SE of every INVITE to 90",
     [](Wire& w) {
       if (w.forwards(Method::Invite)) w.edit().set(HeaderId::MinSe, "90");
     }},
    {"adds-session-expires-to-answers",
     {4028, "8.2", Level::Stated},
     "adds Session-Expires to a 2xx whatever the ends support",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299))
         w.edit().set(HeaderId::SessionExpires, "1800;refresher=uac");
     }},
    {"answers-info-for-others",
     {6086, "4.2.3", Level::Stated},
     "answers 469 to a package that it does not know",
     [](Wire& w) {
       if (w.gets(Method::Info)) w.answer(469);
     }},
    {"adds-allow-events",
     {6665, "4.4.4", Level::MustNot},
     "says which events it serves on the way",
     [](Wire& w) {
       if (w.forwards()) w.edit().set(HeaderId::AllowEvents, "presence");
     }},
    {"adds-no-max-breadth",
     {5393, "5.3.3", Level::Must},
     "sends requests on without Max-Breadth",
     [](Wire& w) {
       if (w.forwards()) w.edit().remove("Max-Breadth");
     }},
    {"keeps-max-breadth",
     {5393, "5.3.3", Level::Must},
     "gives every branch the Max-Breadth that came",
     [](Wire& w) {
       const auto* came = w.forwards() ? w.original() : nullptr;
       if (came != nullptr && came->find("Max-Breadth"))
         w.edit().set("Max-Breadth", came->raw("Max-Breadth"));
     }},
    {"counts-max-breadth-down",
     {5393, "5.3.3", Level::MustNot},
     "takes one off Max-Breadth at every hop",
     [](Wire& w) {
       const auto value = ascii::number<unsigned>(w.message().raw("Max-Breadth"));
       if (w.forwards() && value && *value > 0)
         w.edit().set("Max-Breadth", std::to_string(*value - 1));
     }},
    {"ignores-max-breadth",
     {5393, "5.3.3", Level::Must},
     "forks without limit",
     [](Wire& w) {
       if (w.gets_request()) w.edit().remove("Max-Breadth");
     }},
    {"forgets-path",
     {3327, "5.4", Level::Stated},
     "sends requests to a contact without the Path of its registration",
     [](Wire& w) {
       if (w.forwards(Method::Invite)) w.edit().remove(HeaderId::Route);
     }},
};

}  // namespace

std::span<const Misbehaviour> proxied_extensions_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
