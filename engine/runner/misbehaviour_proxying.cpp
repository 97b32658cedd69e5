// Rows about requests and responses that a proxy sends on, and those that it should not.
#include <fmt/format.h>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

// A request that the SUT sends on: it has the Via of who sent it as well.
bool forwards(const Wire& w) {
  return w.is_sent() && w.message().is_request() && w.message().all<Via>().count() > 1;
}
bool forwards(const Wire& w, Method method) {
  return forwards(w) && w.message().method() == method;
}
bool sends_response(const Wire& w, int low, int high) {
  return w.is_sent() && w.message().is_response() && w.message().status() >= low &&
         w.message().status() <= high;
}
bool gets_response(const Wire& w, int low, int high) {
  return !w.is_sent() && w.message().is_response() && w.message().status() >= low &&
         w.message().status() <= high;
}

bool is_same_request(const Message& a, const Message& b) {
  return a.is_request() && b.is_request() && a.method() == b.method() &&
         a.raw(HeaderId::CallId) == b.raw(HeaderId::CallId) && cseq_number(a) == cseq_number(b);
}
// The request that is sent on, as it came.
const Message* original(const Wire& w) {
  return w.last(false, [&](const Message& other) { return is_same_request(other, w.message()); });
}
// Some branch of it has gone before.
const Message* earlier_branch(const Wire& w) {
  return w.first(true, [&](const Message& other) { return is_same_request(other, w.message()); });
}

// What was sent to the SUT goes one hop on.
Message without_top_via(const Message& response) {
  Message out = response;
  if (const auto via = out.find(HeaderId::Via)) out.remove(*via);
  return out;
}

std::string record_route(const Message& message) {
  return std::string(message.raw(HeaderId::RecordRoute));
}

constexpr Misbehaviour rows[] = {
    // --- which requests are taken (16.3, 16.4, 16.5)
    {"forwards-malformed-requests",
     {3261, "16.3", Level::Must},
     "takes a request whose From or CSeq cannot be read, and guesses",
     [](Wire& w) {
       if (!w.gets_request()) return;
       if (!w.message().get<From>())
         w.edit().set(HeaderId::From, "<sip:anybody@192.0.2.101>;tag=guess");
       if (!w.message().get<CSeq>())
         w.edit().set(HeaderId::CSeq, "1 " + std::string(w.message().method_text()));
     }},
    {"drops-malformed-headers",
     {3261, "16.3", Level::Should},
     "leaves out a Date that cannot be read",
     [](Wire& w) {
       if (forwards(w) && !w.message().maybe<Date>()) w.edit().remove(HeaderId::Date);
     }},
    {"refuses-unknown-methods",
     {3261, "16.3", Level::MustNot},
     "answers 501 to a method that it does not know",
     [](Wire& w) {
       if (w.gets(Method::Other)) w.answer(501);
     }},
    {"drops-unknown-headers",
     {3261, "16.6", Level::MustNot},
     "leaves out header fields that it does not know",
     [](Wire& w) {
       if (!w.is_sent()) return;
       for (std::size_t i = w.message().field_count(); i-- > 0;)
         if (w.message().field(i).name.starts_with("X-")) w.edit().remove(i);
     }},
    {"forwards-without-hops-left",
     {3261, "16.3", Level::MustNot},
     "sends a request on though Max-Forwards is 0",
     [](Wire& w) {
       if (w.gets_request() && w.message().raw(HeaderId::MaxForwards) == "0")
         w.edit().set(HeaderId::MaxForwards, "1");
     }},
    {"ignores-proxy-require",
     {3261, "16.3", Level::Must},
     "sends a request on whatever Proxy-Require says",
     [](Wire& w) {
       if (w.gets_request()) w.edit().remove(HeaderId::ProxyRequire);
     }},
    {"minds-require",
     {3261, "16.3", Level::Stated},
     "refuses what Require asks of the user agent server",
     [](Wire& w) {
       if (w.gets_request_with("Require")) w.answer(420);
     }},
    {"refuses-merged-requests",
     {3261, "16.3", Level::MustNot},
     "answers 482 to a request that came over another path before",
     [](Wire& w) {
       const auto* before = w.gets_request() ? original(w) : nullptr;
       if (before != nullptr && branch_of(*before) != branch_of(w.message())) w.answer(482);
     }},
    {"finds-no-loops",
     {5393, "4.2.2", Level::Must},
     "sends a request on that it has sent on before",
     [](Wire& w) {
       if (!w.gets_request() || w.message().all<Via>().count() < 2) return;
       w.edit().set(HeaderId::Via, "SIP/2.0/UDP 192.0.2.1:5060;branch=" + branch_of(w.message()));
     }},
    {"takes-spirals-for-loops",
     {5393, "4.2.2", Level::Stated},
     "answers 482 to whatever has its Via",
     [](Wire& w) {
       if (w.gets_request() && w.message().all<Via>().count() > 1 &&
           w.message().method() != Method::Ack)
         w.answer(482);
     }},
    {"sends-sips-to-sip",
     {5630, "5.3", Level::MustNot},
     "takes a sips URI for a sip one",
     [](Wire& w) {
       std::string uri(w.message().request_uri());
       if (w.gets_request() && uri.starts_with("sips:")) w.edit().set_request_uri(uri.erase(3, 1));
     }},
    {"answers-options-with-allow",
     {3261, "11.2", Level::Should},
     "answers an OPTIONS for others with what it allows itself",
     [](Wire& w) {
       if (!sends_response(w, 483, 483) || cseq_method(w.message()) != Method::Options) return;
       set_status(w.edit(), 200);
       w.edit().add(HeaderId::Allow, "INVITE, ACK, BYE, CANCEL, OPTIONS");
     }},
    {"ignores-own-maddr",
     {3261, "16.4", Level::Must},
     "takes every maddr for somebody else's",
     [](Wire& w) {
       if (w.gets_request() && w.message().request_uri().find("maddr=") != std::string_view::npos)
         w.answer(480);
     }},
    {"keeps-own-route",
     {3261, "16.4", Level::Must},
     "leaves the Route value that names it",
     [](Wire& w) {
       const auto* came = forwards(w) ? original(w) : nullptr;
       if (came != nullptr && came->has(HeaderId::Route))
         w.edit().set(HeaderId::Route, came->raw(HeaderId::Route));
     }},
    {"rewrites-foreign-uris",
     {3261, "16.5", Level::Must},
     "changes the Request-URI of another domain",
     [](Wire& w) {
       const auto* came = forwards(w) ? original(w) : nullptr;
       if (came != nullptr && came->request_uri() == w.message().request_uri())
         w.edit().set_request_uri(std::string(came->request_uri()).insert(4, "not-"));
     }},
    {"hides-what-is-not-found",
     {3261, "16.5", Level::Must},
     "answers 500 where there is no such user, or no target",
     [](Wire& w) {
       if (sends_response(w, 404, 404) || sends_response(w, 480, 480)) set_status(w.edit(), 500);
     }},
    {"knows-no-escapes",
     {3261, "16.5", Level::Must},
     "does not find a user whose name is written with escapes",
     [](Wire& w) {
       if (w.gets_request() && w.message().request_uri().find('%') != std::string_view::npos)
         w.answer(404);
     }},
    {"forks-to-duplicates",
     {3261, "16.5", Level::MustNot},
     "sends a request on twice to the same target",
     [](Wire& w) {
       if (!forwards(w) || w.is_repeated()) return;
       Message again = w.message();
       set_branch(again, branch_of(again) + "again");
       w.send(again);
     }},

    // --- the copy (16.6)
    {"keeps-request-uri",
     {3261, "16.6", Level::Must},
     "sends a request on with the Request-URI that it came with",
     [](Wire& w) {
       const auto* came = forwards(w) ? original(w) : nullptr;
       if (came != nullptr) w.edit().set_request_uri(std::string(came->request_uri()));
     }},
    {"keeps-uri-headers",
     {3261, "16.6", Level::Must},
     "puts a contact into the Request-URI with all that may not stand there",
     [](Wire& w) {
       if (forwards(w, Method::Invite))
         w.edit().set_request_uri(std::string(w.message().request_uri()) +
                                  ";method=INVITE?Subject=a");
     }},
    {"reorders-values",
     {3261, "16.6", Level::MustNot},
     "turns the order of values of one header field round",
     [](Wire& w) {
       const auto first = w.message().find("X-Multi");
       const auto second = w.message().find("X-Multi", 1);
       if (!forwards(w) || !first || !second) return;
       const std::string a(w.message().field(*first).value), b(w.message().field(*second).value);
       w.edit().set_value(*first, b);
       w.edit().set_value(*second, a);
     }},
    {"rewrites-bodies",
     {3261, "16.6", Level::MustNot},
     "adds a line to what it sends on",
     [](Wire& w) {
       if (!w.is_sent() || w.message().body().empty()) return;
       const std::string type(w.message().raw(HeaderId::ContentType));
       w.edit().set_body(type, std::string(w.message().body()) + "a=seen\r\n");
     }},
    {"keeps-max-forwards",
     {3261, "16.6", Level::Must},
     "does not count Max-Forwards down",
     [](Wire& w) {
       const auto* came = forwards(w) ? original(w) : nullptr;
       if (came != nullptr && came->has(HeaderId::MaxForwards))
         w.edit().set(HeaderId::MaxForwards, came->raw(HeaderId::MaxForwards));
     }},
    {"record-routes-below",
     {3261, "16.6", Level::Must},
     "puts its Record-Route under those that are there",
     [](Wire& w) {
       if (!forwards(w) || w.message().line_count(HeaderId::RecordRoute) < 2) return;
       const std::string own = record_route(w.message());
       w.edit().remove(*w.message().find(HeaderId::RecordRoute));
       w.edit().add(HeaderId::RecordRoute, own);
     }},
    {"record-routes-strictly",
     {3261, "16.6", Level::Must},
     "has no lr in its Record-Route",
     [](Wire& w) {
       std::string own = record_route(w.message());
       const auto at = own.find(";lr");
       if (!forwards(w) || at == std::string::npos) return;
       w.edit().set_value(*w.message().find(HeaderId::RecordRoute), own.erase(at, 3));
     }},
    {"record-routes-with-transport",
     {3261, "16.6", Level::ShouldNot},
     "names a transport in its Record-Route",
     [](Wire& w) {
       std::string own = record_route(w.message());
       const auto at = own.find(";lr");
       if (!forwards(w) || at == std::string::npos) return;
       w.edit().set_value(*w.message().find(HeaderId::RecordRoute),
                          own.insert(at, ";transport=udp"));
     }},
    {"record-routes-no-notify",
     {6665, "4.3", Level::Must},
     "is in the path of a subscription, and leaves Record-Route out of NOTIFY",
     [](Wire& w) {
       if (forwards(w, Method::Notify)) w.edit().remove(HeaderId::RecordRoute);
     }},
    {"strict-route-by-route",
     {3261, "16.6", Level::Must},
     "leaves a strict router in Route",
     [](Wire& w) {
       const auto* came = forwards(w) ? original(w) : nullptr;
       if (came == nullptr || !w.message().has(HeaderId::Route)) return;
       w.edit().set(HeaderId::Route, "<" + std::string(w.message().request_uri()) + ">");
       w.edit().set_request_uri(std::string(came->request_uri()));
     }},
    {"forwards-without-cookie",
     {3261, "16.6", Level::Must},
     "makes a branch without the magic cookie",
     [](Wire& w) {
       if (forwards(w)) set_branch(w.edit(), "1" + branch_of(w.message()).substr(7));
     }},
    {"forwards-without-via",
     {3261, "16.6", Level::Must},
     "leaves its own Via out",
     [](Wire& w) {
       if (forwards(w)) w.edit() = without_top_via(w.message());
     }},
    {"one-branch-for-all",
     {3261, "16.6", Level::Must},
     "gives every target of a request the same branch",
     [](Wire& w) {
       const auto* before = forwards(w) ? earlier_branch(w) : nullptr;
       if (before != nullptr) set_branch(w.edit(), branch_of(*before));
     }},
    {"hop-by-hop-with-new-branch",
     {3261, "16.6", Level::Must},
     "gives a CANCEL, and the ACK for a 300-699, a branch of their own",
     [](Wire& w) {
       if (w.sends(Method::Cancel) || w.sends(Method::Ack))
         set_branch(w.edit(), branch_of(w.message()) + "x");
     }},
    {"cancels-after-two-minutes",
     {3261, "16.6", Level::Must},
     "has a timer C of two minutes",
     [](Wire& w) {
       if (!forwards(w, Method::Invite) || w.is_repeated()) return;
       Message cancel = Message::request("CANCEL", w.message().request_uri());
       cancel.add(HeaderId::Via, w.message().raw(HeaderId::Via));
       for (const auto id : {HeaderId::From, HeaderId::To, HeaderId::CallId})
         cancel.add(id, w.message().raw(id));
       cancel.add(HeaderId::CSeq, fmt::format("{} CANCEL", cseq_number(w.message())));
       cancel.add(HeaderId::MaxForwards, "70").add(HeaderId::ContentLength, "0");
       w.send(cancel, 120s);
     }},

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
       if (sends_response(w, 101, 199)) w.drop();
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
       if (sends_response(w, 101, 699) && w.message().line_count(HeaderId::Via) == 1)
         w.edit().insert(*w.message().find(HeaderId::Via), "Via",
                         "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKown");
     }},
    {"forwards-own-responses",
     {3261, "16.7", Level::MustNot},
     "sends a response back that has no Via but its own",
     [](Wire& w) {
       const auto* invite = w.last_request(false, Method::Invite);
       if (!gets_response(w, 101, 699) || w.message().all<Via>().count() != 1 || invite == nullptr)
         return;
       w.edit().add(HeaderId::Via, invite->raw(HeaderId::Via));
     }},
    {"thinks-little-of-6xx",
     {3261, "16.7", Level::Must},
     "sends a 486 back where a 6xx has come",
     [](Wire& w) {
       if (sends_response(w, 600, 699)) set_status(w.edit(), 486);
     }},
    {"prefers-the-highest-class",
     {3261, "16.7", Level::Should},
     "sends a 500 back where a 404 has come",
     [](Wire& w) {
       if (sends_response(w, 404, 404)) set_status(w.edit(), 500);
     }},
    {"forwards-503",
     {3261, "16.7", Level::ShouldNot},
     "sends 503 back, as if it spoke of itself",
     [](Wire& w) {
       if (sends_response(w, 500, 500)) set_status(w.edit(), 503);
     }},
    {"never-answers-408",
     {3261, "16.7", Level::Must},
     "says nothing when no final response came",
     [](Wire& w) {
       if (sends_response(w, 408, 408)) w.drop();
     }},
    {"forwards-first-failure",
     {3261, "16.7", Level::MustNot},
     "does not wait for the other branches with a failure",
     [](Wire& w) {
       if (gets_response(w, 300, 699)) w.send(without_top_via(w.message()));
     }},
    {"forgets-other-challenges",
     {3261, "16.7", Level::Must},
     "has the challenges of one branch in its response",
     [](Wire& w) {
       if (sends_response(w, 401, 401)) w.edit().remove(HeaderId::ProxyAuthenticate);
       if (sends_response(w, 407, 407)) w.edit().remove(HeaderId::WwwAuthenticate);
     }},
    {"reverses-challenges",
     {8760, "2.5", Level::Must},
     "turns the order of challenges round",
     [](Wire& w) {
       const auto first = w.message().find(HeaderId::WwwAuthenticate);
       if (!sends_response(w, 401, 407) || !first) return;
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
       if (sends_response(w, 101, 699)) set_tag(w.edit(), HeaderId::To, "proxy");
     }},
    {"rewrites-to-tags-in-dialogs",
     {3261, "16.7", Level::MustNot},
     "puts its own To tag on responses to requests inside a dialog",
     [](Wire& w) {
       if (sends_response(w, 101, 699) && cseq_method(w.message()) == Method::Info)
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
       if (gets_response(w, 600, 699)) set_status(w.edit(), 486);
     }},
    {"waits-for-unreachable-targets",
     {3261, "16.9", Level::Must},
     "takes half a minute to notice that a target cannot be reached",
     [](Wire& w) {
       if (sends_response(w, 500, 599)) w.delay(30s);
     }},
    {"holds-487",
     {3261, "16.10", Level::Stated},
     "does not tell that a request was cancelled",
     [](Wire& w) {
       if (sends_response(w, 487, 487)) w.drop();
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
       if (gets_response(w, 200, 699) && cseq_method(w.message()) != Method::Invite &&
           cseq_method(w.message()) != Method::Cancel)
         w.send(without_top_via(w.message()), 500ms);
     }},
    {"never-says-100-late",
     {4320, "4.1", Level::Must},
     "sends no 100 to a request other than INVITE",
     [](Wire& w) {
       if (sends_response(w, 100, 100) && cseq_method(w.message()) != Method::Invite) w.drop();
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

    // --- header fields that a proxy leaves alone
    {"challenges-as-a-server",
     {3261, "22.1", Level::MustNot},
     "asks for credentials with 401",
     [](Wire& w) {
       if (sends_response(w, 407, 407)) set_status(w.edit(), 401);
     }},
    {"407-without-challenge",
     {3261, "22.3", Level::Must},
     "sends a 407 without Proxy-Authenticate",
     [](Wire& w) {
       if (sends_response(w, 407, 407)) w.edit().remove(HeaderId::ProxyAuthenticate);
     }},
    {"drops-foreign-credentials",
     {3261, "22.3", Level::MustNot},
     "takes credentials for other proxies off",
     [](Wire& w) {
       if (forwards(w)) w.edit().remove(HeaderId::ProxyAuthorization);
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
       if (!gets_response(w, 300, 699) || cseq_method(w.message()) != Method::Invite) return;
       auto ended = without_top_via(w.message());
       set_status(ended, 199);
       w.send(ended);
     }},
    {"hangs-up-expired-sessions",
     {4028, "8.3", Level::MustNot},
     "ends a session that nobody has refreshed",
     [](Wire& w) {
       if (!forwards(w, Method::Ack)) return;
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
       const auto* came = forwards(w) ? original(w) : nullptr;
       const auto below = w.message().find(HeaderId::Via, 1);
       if (came != nullptr && below) w.edit().set_value(*below, came->raw(HeaderId::Via));
     }},
    {"changes-what-is-not-its-own",
     {3261, "16.6", Level::MustNot},
     "rewrites Referred-By, Content-ID and Info-Package on the way",
     [](Wire& w) {
       for (const std::string_view name : {"Referred-By", "Content-ID", "Info-Package"})
         if (forwards(w) && w.message().find(name)) w.edit().set(name, "<sip:proxy@192.0.2.1>");
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
       if (forwards(w) && w.message().has(HeaderId::SessionExpires))
         w.edit().set(HeaderId::SessionExpires, "120");
     }},
    {"changes-min-se",
     {4028, "8.1", Level::MustNot},
     "sets Min-SE of every INVITE to 90",
     [](Wire& w) {
       if (forwards(w, Method::Invite)) w.edit().set(HeaderId::MinSe, "90");
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
       if (forwards(w)) w.edit().set(HeaderId::AllowEvents, "presence");
     }},
    {"adds-no-max-breadth",
     {5393, "5.3.3", Level::Must},
     "sends requests on without Max-Breadth",
     [](Wire& w) {
       if (forwards(w)) w.edit().remove("Max-Breadth");
     }},
    {"keeps-max-breadth",
     {5393, "5.3.3", Level::Must},
     "gives every branch the Max-Breadth that came",
     [](Wire& w) {
       const auto* came = forwards(w) ? original(w) : nullptr;
       if (came != nullptr && came->find("Max-Breadth"))
         w.edit().set("Max-Breadth", came->raw("Max-Breadth"));
     }},
    {"counts-max-breadth-down",
     {5393, "5.3.3", Level::MustNot},
     "takes one off Max-Breadth at every hop",
     [](Wire& w) {
       const auto value = ascii::number<unsigned>(w.message().raw("Max-Breadth"));
       if (forwards(w) && value && *value > 0)
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
       if (forwards(w, Method::Invite)) w.edit().remove(HeaderId::Route);
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
       if (!sends_response(w, 300, 399) || at == std::string::npos) return;
       w.edit().set(HeaderId::Contact, contact.insert(at + 3, "s"));
     }},
};

}  // namespace

std::span<const Misbehaviour> proxying_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
