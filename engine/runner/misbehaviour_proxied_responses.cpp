// Rows about the responses of a proxy (RFC 3261 16.7) and of a redirect server (8.3).
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

constexpr Misbehaviour rows[] = {
    // --- responses (16.7)
    {"forwards-trying",
     {3261, "16.7", Level::MustNot},
     "sends a 100 of the callee on",
     [](Wire& w) {
       const auto* trying = w.last_response(false, Method::Invite, 100, 100);
       if (w.sends(Method::Invite, 100, 100) && trying != nullptr)
         w.edit() = without_top_via(*trying);
     }},
    {"holds-provisionals",
     {3261, "16.7", Level::Must},
     "sends no provisional response on",
     [](Wire& w) {
       if (w.sends(101, 199)) w.drop();
     }},
    {"holds-success",
     {3261, "16.7", Level::Must},
     "sends a 2xx on after ten seconds",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299)) w.delay(10s);
     }},
    {"forwards-one-success",
     {3261, "16.7", Level::Must},
     "sends the first 2xx on and no other one",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299) &&
           w.last_response(true, Method::Invite, 200, 299) != nullptr)
         w.drop();
     }},
    {"keeps-own-via-in-responses",
     {3261, "16.7", Level::Must},
     "leaves its own Via on a response",
     [](Wire& w) {
       if (w.sends(101, 699) && w.message().line_count(HeaderId::Via) == 1)
         w.edit().insert(*w.message().find(HeaderId::Via), "Via",
                         "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKown");
     }},
    {"forwards-own-responses",
     {3261, "16.7", Level::MustNot},
     "sends a response back that has no Via but its own",
     [](Wire& w) {
       const auto* invite = w.last_request(false, Method::Invite);
       if (!w.gets(101, 699) || w.message().all<Via>().count() != 1 || invite == nullptr) return;
       w.edit().add(HeaderId::Via, invite->raw(HeaderId::Via));
     }},
    {"thinks-little-of-6xx",
     {3261, "16.7", Level::Must},
     "sends a 486 back where a 6xx has come",
     [](Wire& w) {
       if (w.sends(600, 699)) set_status(w.edit(), 486);
     }},
    {"prefers-the-highest-class",
     {3261, "16.7", Level::Should},
     "sends a 500 back where a 404 has come",
     [](Wire& w) {
       if (w.sends(404, 404)) set_status(w.edit(), 500);
     }},
    {"forwards-503",
     {3261, "16.7", Level::ShouldNot},
     "sends 503 back, as if it spoke of itself",
     [](Wire& w) {
       if (w.sends(500, 500)) set_status(w.edit(), 503);
     }},
    {"never-answers-408",
     {3261, "16.7", Level::Must},
     "says nothing when no final response came",
     [](Wire& w) {
       if (w.sends(408, 408)) w.drop();
     }},
    {"forwards-first-failure",
     {3261, "16.7", Level::MustNot},
     "does not wait for the other branches with a failure",
     [](Wire& w) {
       if (w.gets(300, 699)) w.send(without_top_via(w.message()));
     }},
    {"forgets-other-challenges",
     {3261, "16.7", Level::Must},
     "has the challenges of one branch in its response",
     [](Wire& w) {
       if (w.sends(401, 401)) w.edit().remove(HeaderId::ProxyAuthenticate);
       if (w.sends(407, 407)) w.edit().remove(HeaderId::WwwAuthenticate);
     }},
    {"reverses-challenges",
     {8760, "2.5", Level::Must},
     "turns the order of challenges round",
     [](Wire& w) {
       const auto first = w.message().find(HeaderId::WwwAuthenticate);
       if (!w.sends(401, 407) || !first) return;
       const std::string value(w.message().field(*first).value);
       w.edit().remove(*first);
       w.edit().add(HeaderId::WwwAuthenticate, value);
     }},
    {"rewrites-challenges",
     {7616, "3.6", Level::Must},
     "changes challenges and credentials that are not its own",
     [](Wire& w) {
       for (const auto id : {HeaderId::WwwAuthenticate, HeaderId::Authorization})
         if (w.is_sent() && w.message().has(id))
           w.edit().set(id, std::string(w.message().raw(id)) + ", seen=\"yes\"");
     }},
    {"rewrites-to-tags",
     {3261, "16.7", Level::MustNot},
     "puts its own To tag on responses",
     [](Wire& w) {
       if (w.sends(101, 699)) set_tag(w.edit(), HeaderId::To, "proxy");
     }},
    {"rewrites-to-tags-in-dialogs",
     {3261, "16.7", Level::MustNot},
     "puts its own To tag on responses to requests inside a dialog",
     [](Wire& w) {
       if (w.sends(101, 699) && cseq_method(w.message()) == Method::Info)
         set_tag(w.edit(), HeaderId::To, "proxy");
     }},
    {"never-cancels-branches",
     {3261, "16.7", Level::Must},
     "leaves the other branches ringing",
     [](Wire& w) {
       if (w.sends(Method::Cancel)) w.drop();
     }},
    {"goes-on-after-6xx",
     {3261, "16.7", Level::MustNot},
     "tries the next target after a 6xx",
     [](Wire& w) {
       if (w.gets(600, 699)) set_status(w.edit(), 486);
     }},
    {"waits-for-unreachable-targets",
     {3261, "16.9", Level::Must},
     "takes half a minute to notice that a target cannot be reached",
     [](Wire& w) {
       if (w.sends(500, 599)) w.delay(30s);
     }},
    {"holds-487",
     {3261, "16.10", Level::Stated},
     "does not tell that a request was cancelled",
     [](Wire& w) {
       if (w.sends(487, 487)) w.drop();
     }},
    {"answers-stray-cancel-with-200",
     {3261, "16.10", Level::Must},
     "answers 200 to a CANCEL of nothing, and keeps it",
     [](Wire& w) {
       if (w.gets(Method::Cancel)) w.answer(200);
     }},
    {"drops-reason",
     {3326, "2", Level::Should},
     "leaves the Reason of a CANCEL out",
     [](Wire& w) {
       if (w.sends(Method::Cancel)) w.edit().remove(HeaderId::Reason);
     }},
    {"forwards-success-once",
     {6026, "7.1", Level::Must},
     "does not send on what the callee repeats of its 2xx",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299) && w.is_repeated()) w.drop();
     }},
    {"forwards-late-invites",
     {6026, "7.1", Level::Must},
     "takes a repeated INVITE that was answered for a new one",
     [](Wire& w) {
       if (w.gets(Method::Invite) && w.is_repeated() &&
           w.last_response(true, Method::Invite, 200, 299) != nullptr)
         set_branch(w.edit(), branch_of(w.message()) + "late");
     }},
    {"forwards-strays",
     {6026, "7.3", Level::MustNot},
     "sends a response on that answers nothing",
     [](Wire& w) {
       if (w.is_sent() || !w.message().is_response()) return;
       const auto branch = branch_of(w.message());
       const auto* sent = w.first(
           true, [&](const Message& m) { return m.is_request() && branch_of(m) == branch; });
       if (sent == nullptr) w.send(without_top_via(w.message()));
     }},
    {"forwards-every-answer",
     {3261, "16.7", Level::MustNot},
     "sends every final response to a request that is no INVITE on",
     [](Wire& w) {
       if (w.gets(200, 699) && cseq_method(w.message()) != Method::Invite &&
           cseq_method(w.message()) != Method::Cancel)
         w.send(without_top_via(w.message()), 500ms);
     }},
    {"never-says-100-late",
     {4320, "4.1", Level::Must},
     "sends no 100 to a request other than INVITE",
     [](Wire& w) {
       if (w.sends(100, 100) && cseq_method(w.message()) != Method::Invite) w.drop();
     }},
    {"says-100-to-message",
     {4320, "4.1", Level::MustNot},
     "sends a 100 to every request as soon as it comes",
     [](Wire& w) {
       if (w.gets_request() && w.message().method() != Method::Ack) w.send(w.make_response(100));
     }},
    {"says-408-to-options",
     {4320, "4.2", Level::MustNot},
     "answers 408 to a request other than INVITE that is not answered",
     [](Wire& w) {
       if (w.gets(Method::Options) && !w.is_repeated()) w.send(w.make_response(408), 32s);
     }},

    {"forwards-late-answers",
     {4320, "4.2", Level::MustNot},
     "answers a request other than INVITE when its client has given up",
     [](Wire& w) {
       if (w.gets(Method::Options) && !w.is_repeated()) w.send(w.make_response(200), 36s);
     }},

    // --- a redirect server (8.3)
    {"redirects-to-itself",
     {3261, "8.3", Level::MustNot},
     "names the URI that was asked for among the contacts",
     [](Wire& w) {
       const auto* invite = w.last_request(false, Method::Invite);
       if (invite == nullptr || !w.is_sent() || !w.message().is_response() ||
           cseq_method(w.message()) != Method::Invite || w.message().status() < 300)
         return;
       set_status(w.edit(), 302);
       w.edit().add(HeaderId::Contact, "<" + std::string(invite->request_uri()) + ">");
     }},
    {"redirects-only-what-it-knows",
     {3261, "8.3", Level::Must},
     "answers 420 and 501 where it should redirect",
     [](Wire& w) {
       if (w.gets_request_with("Require")) w.answer(420);
       if (w.gets(Method::Other)) w.answer(501);
     }},
    {"makes-contacts-secure",
     {5630, "5.4", Level::Must},
     "writes sips where a sip contact was registered",
     [](Wire& w) {
       std::string contact(w.message().raw(HeaderId::Contact));
       const auto at = contact.find("sip:");
       if (!w.sends(300, 399) || at == std::string::npos) return;
       w.edit().set(HeaderId::Contact, contact.insert(at + 3, "s"));
     }},
};

}  // namespace

std::span<const Misbehaviour> proxied_responses_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
