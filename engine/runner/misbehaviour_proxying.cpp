// Rows about requests that a proxy sends on (RFC 3261 16.3 to 16.6), and those that it should not.
#include <fmt/format.h>

#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

// Some branch of it has gone before.
const Message* earlier_branch(const Wire& w) {
  return w.first(true, [&](const Message& other) { return is_same_request(other, w.message()); });
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
       if (w.forwards() && !w.message().maybe<Date>()) w.edit().remove(HeaderId::Date);
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
       const auto* before = w.gets_request() ? w.original() : nullptr;
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
       if (!w.sends(483, 483) || cseq_method(w.message()) != Method::Options) return;
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
       const auto* came = w.forwards() ? w.original() : nullptr;
       if (came != nullptr && came->has(HeaderId::Route))
         w.edit().set(HeaderId::Route, came->raw(HeaderId::Route));
     }},
    {"rewrites-foreign-uris",
     {3261, "16.5", Level::Must},
     "changes the Request-URI of another domain",
     [](Wire& w) {
       const auto* came = w.forwards() ? w.original() : nullptr;
       if (came != nullptr && came->request_uri() == w.message().request_uri())
         w.edit().set_request_uri(std::string(came->request_uri()).insert(4, "not-"));
     }},
    {"hides-what-is-not-found",
     {3261, "16.5", Level::Must},
     "answers 500 where there is no such user, or no target",
     [](Wire& w) {
       if (w.sends(404, 404) || w.sends(480, 480)) set_status(w.edit(), 500);
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
       if (!w.forwards() || w.is_repeated()) return;
       Message again = w.message();
       set_branch(again, branch_of(again) + "again");
       w.send(again);
     }},

    // --- the copy (16.6)
    {"keeps-request-uri",
     {3261, "16.6", Level::Must},
     "sends a request on with the Request-URI that it came with",
     [](Wire& w) {
       const auto* came = w.forwards() ? w.original() : nullptr;
       if (came != nullptr) w.edit().set_request_uri(std::string(came->request_uri()));
     }},
    {"keeps-uri-headers",
     {3261, "16.6", Level::Must},
     "puts a contact into the Request-URI with all that may not stand there",
     [](Wire& w) {
       if (w.forwards(Method::Invite))
         w.edit().set_request_uri(std::string(w.message().request_uri()) +
                                  ";method=INVITE?Subject=a");
     }},
    {"reorders-values",
     {3261, "16.6", Level::MustNot},
     "turns the order of values of one header field round",
     [](Wire& w) {
       const auto first = w.message().find("X-Multi");
       const auto second = w.message().find("X-Multi", 1);
       if (!w.forwards() || !first || !second) return;
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
       const auto* came = w.forwards() ? w.original() : nullptr;
       if (came != nullptr && came->has(HeaderId::MaxForwards))
         w.edit().set(HeaderId::MaxForwards, came->raw(HeaderId::MaxForwards));
     }},
    {"record-routes-below",
     {3261, "16.6", Level::Must},
     "puts its Record-Route under those that are there",
     [](Wire& w) {
       if (!w.forwards() || w.message().line_count(HeaderId::RecordRoute) < 2) return;
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
       if (!w.forwards() || at == std::string::npos) return;
       w.edit().set_value(*w.message().find(HeaderId::RecordRoute), own.erase(at, 3));
     }},
    {"record-routes-with-transport",
     {3261, "16.6", Level::ShouldNot},
     "names a transport in its Record-Route",
     [](Wire& w) {
       std::string own = record_route(w.message());
       const auto at = own.find(";lr");
       if (!w.forwards() || at == std::string::npos) return;
       w.edit().set_value(*w.message().find(HeaderId::RecordRoute),
                          own.insert(at, ";transport=udp"));
     }},
    {"record-routes-no-notify",
     {6665, "4.3", Level::Must},
     "is in the path of a subscription, and leaves Record-Route out of NOTIFY",
     [](Wire& w) {
       if (w.forwards(Method::Notify)) w.edit().remove(HeaderId::RecordRoute);
     }},
    {"strict-route-by-route",
     {3261, "16.6", Level::Must},
     "leaves a strict router in Route",
     [](Wire& w) {
       const auto* came = w.forwards() ? w.original() : nullptr;
       if (came == nullptr || !w.message().has(HeaderId::Route)) return;
       w.edit().set(HeaderId::Route, "<" + std::string(w.message().request_uri()) + ">");
       w.edit().set_request_uri(std::string(came->request_uri()));
     }},
    {"forwards-without-cookie",
     {3261, "16.6", Level::Must},
     "makes a branch without the magic cookie",
     [](Wire& w) {
       if (w.forwards()) set_branch(w.edit(), "1" + branch_of(w.message()).substr(7));
     }},
    {"forwards-without-via",
     {3261, "16.6", Level::Must},
     "leaves its own Via out",
     [](Wire& w) {
       if (w.forwards()) w.edit() = without_top_via(w.message());
     }},
    {"one-branch-for-all",
     {3261, "16.6", Level::Must},
     "gives every target of a request the same branch",
     [](Wire& w) {
       const auto* before = w.forwards() ? earlier_branch(w) : nullptr;
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
       if (!w.forwards(Method::Invite) || w.is_repeated()) return;
       Message cancel = Message::request("CANCEL", w.message().request_uri());
       cancel.add(HeaderId::Via, w.message().raw(HeaderId::Via));
       for (const auto id : {HeaderId::From, HeaderId::To, HeaderId::CallId})
         cancel.add(id, w.message().raw(id));
       cancel.add(HeaderId::CSeq, fmt::format("{} CANCEL", cseq_number(w.message())));
       cancel.add(HeaderId::MaxForwards, "70").add(HeaderId::ContentLength, "0");
       w.send(cancel, 120s);
     }},
};

}  // namespace

std::span<const Misbehaviour> proxying_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
