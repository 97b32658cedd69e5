// Rows about dialogs: tags, CSeq, routes, targets, hanging up, glare.
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

constexpr Misbehaviour rows[] = {
    {"never-hangs-up",
     {3261, "13.3.1.4", Level::Should},
     "sends no BYE",
     [](Wire& w) {
       if (w.sends(Method::Bye)) w.drop();
     }},
    {"hangs-up-after-cancel",
     {3261, "9.2", Level::Stated},
     "ends an answered call when a CANCEL comes",
     [](Wire& w) {
       if (!w.gets(Method::Cancel)) return;
       if (auto bye = w.make_request("BYE")) w.send(std::move(*bye), 100ms);
     }},
    {"cancel-ends-answered-call",
     {3261, "9.2", Level::Stated},
     "ends an answered call when a CANCEL comes",
     [](Wire& w) {
       if (!w.gets(Method::Cancel)) return;
       if (auto bye = w.make_request("BYE")) w.send(std::move(*bye), 100ms);
     }},
    {"hangs-up-before-ack",
     {3261, "15", Level::MustNot},
     "sends BYE before the ACK has come",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 200, 299) || w.is_repeated()) return;
       if (auto bye = w.make_request("BYE")) w.send(std::move(*bye), 500ms);
     }},
    {"hangs-up-after-469",
     {6086, "4.2.1", Level::MustNot},
     "ends the call at a 469",
     [](Wire& w) {
       if (w.memory() > 0 && w.is_sent() && w.message().status() == 200 &&
           cseq_method(w.message()) != Method::Bye)
         set_status(w.edit(), 481);
       if (w.message().status() != 469) return;
       ++w.memory();
       if (auto bye = w.make_request("BYE")) w.send(std::move(*bye), 100ms);
     }},
    {"ends-call-after-469",
     {6086, "4.2.1", Level::MustNot},
     "ends the call at a 469",
     [](Wire& w) {
       if (w.memory() > 0 && w.is_sent() && w.message().status() == 200 &&
           cseq_method(w.message()) != Method::Bye)
         set_status(w.edit(), 481);
       if (w.message().status() != 469) return;
       ++w.memory();
       if (auto bye = w.make_request("BYE")) w.send(std::move(*bye), 100ms);
     }},
    {"requests-after-bye",
     {5407, "2", Level::MustNot},
     "sends another request in the dialog after its BYE",
     [](Wire& w) {
       if (!w.sends(Method::Bye) || w.is_repeated()) return;
       if (auto info = w.make_request("INFO")) w.send(std::move(*info), 200ms);
     }},
    {"invites-while-invite-open",
     {3261, "14.1", Level::MustNot},
     "sends another INVITE in the dialog while its last one is open",
     [](Wire& w) {
       if (!w.sends(Method::Invite) || w.is_repeated() ||
           w.last_request(true, Method::Invite) == nullptr)
         return;
       if (auto invite = w.make_request("INVITE")) w.send(std::move(*invite), 500ms);
     }},
    {"keeps-cseq",
     {3261, "12.2.1.1", Level::Must},
     "uses the CSeq number of the INVITE for further requests",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_request() || w.message().method() == Method::Ack) return;
       const Message* invite = w.last_request(true, Method::Invite);
       if (invite != nullptr) set_cseq(w.edit(), cseq_number(*invite));
     }},
    {"wrong-request-uri",
     {3261, "12.2.1.1", Level::Must},
     "sends requests in a dialog to a URI that is not the remote target",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_request() && !tag_of(w.message(), HeaderId::To).empty())
         w.edit().set_request_uri("sip:wrong@target.invalid");
       if (w.sends(Method::Ack)) w.edit().set_request_uri("sip:wrong@target.invalid");
     }},
    {"reverses-route",
     {3261, "12.1.1", Level::Must},
     "has the route set in the wrong order",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_request() || !w.message().has(HeaderId::Route)) return;
       std::string value;
       for (const auto& route : w.message().all<Route>())
         if (route) value = std::string(route->addr.text) + (value.empty() ? "" : ", ") + value;
       w.edit().set(HeaderId::Route, value);
     }},
    {"ignores-new-target",
     {3261, "12.2.2", Level::Must},
     "keeps to the first remote target of the dialog",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_request() || tag_of(w.message(), HeaderId::To).empty())
         return;
       const Message* first =
           w.first(false, [](const Message& m) { return m.has(HeaderId::Contact); });
       if (first != nullptr) w.edit().set_request_uri(contact_uri(*first));
     }},
    {"commits-target-of-refused-request",
     {6141, "4.6", Level::MustNot},
     "takes the last Contact that came for the remote target",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_request() || tag_of(w.message(), HeaderId::To).empty())
         return;
       const Message* newest =
           w.last(false, [](const Message& m) { return m.has(HeaderId::Contact); });
       if (newest != nullptr) w.edit().set_request_uri(contact_uri(*newest));
     }},
    {"commits-target-of-provisional",
     {6141, "4.7", Level::MustNot},
     "takes the last Contact that came for the remote target",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_request() || tag_of(w.message(), HeaderId::To).empty())
         return;
       const Message* newest =
           w.last(false, [](const Message& m) { return m.has(HeaderId::Contact); });
       if (newest != nullptr) w.edit().set_request_uri(contact_uri(*newest));
     }},
    {"ignores-second-fork",
     {3261, "13.2.2.4", Level::Must},
     "sends nothing to any fork but the first",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_request() || tag_of(w.message(), HeaderId::To).empty())
         return;
       const Message* first = w.first(false, [](const Message& m) {
         return m.is_response() && !tag_of(m, HeaderId::To).empty();
       });
       if (first != nullptr && tag_of(*first, HeaderId::To) != tag_of(w.message(), HeaderId::To))
         w.drop();
     }},
    {"acks-first-fork-only",
     {3261, "13.2.2.4", Level::Must},
     "sends nothing to any fork but the first",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_request() || tag_of(w.message(), HeaderId::To).empty())
         return;
       const Message* first = w.first(false, [](const Message& m) {
         return m.is_response() && !tag_of(m, HeaderId::To).empty();
       });
       if (first != nullptr && tag_of(*first, HeaderId::To) != tag_of(w.message(), HeaderId::To))
         w.drop();
     }},
    {"pracks-first-fork-only",
     {3261, "13.2.2.4", Level::Must},
     "sends nothing to any fork but the first",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_request() || tag_of(w.message(), HeaderId::To).empty())
         return;
       const Message* first = w.first(false, [](const Message& m) {
         return m.is_response() && !tag_of(m, HeaderId::To).empty();
       });
       if (first != nullptr && tag_of(*first, HeaderId::To) != tag_of(w.message(), HeaderId::To))
         w.drop();
     }},
    {"retries-glare-at-once",
     {3261, "14.1", Level::Should},
     "tries the re-INVITE again at once after 491",
     [](Wire& w) {
       if (!w.gets(Method::Invite, 491, 491)) return;
       const Message* invite = w.last_request(true, Method::Invite);
       if (invite == nullptr) return;
       Message again = *invite;
       set_branch(again, branch_of(again) + "x");
       set_cseq(again, cseq_number(again) + 1);
       w.send(std::move(again), 10ms);
     }},
    {"never-retries-glare",
     {3261, "14.1", Level::Should},
     "does not try the re-INVITE again after 491",
     [](Wire& w) {
       if (w.sends(Method::Invite) && w.last_response(false, Method::Invite, 491, 491) != nullptr)
         w.drop();
     }},
    {"target-of-unreliable-provisional",
     {6141, "4.9", Level::Stated},
     "takes the Contact of an unreliable provisional response for the target of its early dialog",
     [](Wire& w) {
       const Message* ringing = w.last_response(false, Method::Invite, 180, 180);
       if (w.sends(Method::Prack) && ringing != nullptr)
         w.edit().set_request_uri(contact_uri(*ringing));
     }},
};

}  // namespace

std::span<const Misbehaviour> dialogs_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
