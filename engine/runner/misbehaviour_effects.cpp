// Rows about UPDATE (RFC 3311), 199 (RFC 6228), slow requests (RFC 4320) and what a response ends
// (RFC 5057).
#include <string>

#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

bool is_inside(const Message& message) {
  return !tag_of(message, HeaderId::To).empty();
}

constexpr Misbehaviour rows[] = {
    // --- UPDATE
    {"changes-by-update",
     {3311, "5.1", Level::Should},
     "changes a confirmed session by UPDATE",
     [](Wire& w) {
       if (!w.sends(Method::Invite) || !is_inside(w.message())) return;
       auto update = w.make_request("UPDATE");
       if (!update) return;
       update->add(HeaderId::Contact, w.message().raw(HeaderId::Contact));
       update->set_body("application/sdp", w.message().body());
       w.drop();
       w.send(std::move(*update));
     }},
    {"another-contact-in-2xx",
     {3311, "5.1", Level::Must},
     "answers INVITE with another Contact than UPDATE",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299))
         w.edit().set(HeaderId::Contact, "<sip:another@192.0.2.77>");
     }},
    {"answers-update-with-sdp",
     {6337, "2.2", Level::Stated},
     "puts SDP into the 2xx to an UPDATE that has none",
     [](Wire& w) {
       const Message* ok = w.last_response(true, Method::Invite, 200, 299);
       if (w.sends(Method::Update, 200, 299) && ok != nullptr)
         w.edit().set_body("application/sdp", ok->body());
     }},
    {"asks-the-user-about-update",
     {3311, "5.2", Level::Must},
     "answers UPDATE five seconds late",
     [](Wire& w) {
       if (w.sends(Method::Update, 200, 699)) w.delay(5s);
     }},
    {"replaces-504-by-488",
     {3311, "5.2", Level::Should},
     "answers 488 where 504 is due",
     [](Wire& w) {
       if (w.sends(Method::Update, 504, 504)) set_status(w.edit(), 488);
     }},
    {"retries-update-at-once",
     {3311, "5.3", Level::Should},
     "tries an UPDATE again at once after 491",
     [](Wire& w) {
       const Message* update = w.last_request(true, Method::Update);
       if (!w.gets(Method::Update, 491, 491) || update == nullptr) return;
       Message again = *update;
       set_branch(again, branch_of(again) + "x");
       set_cseq(again, cseq_number(again) + 1);
       w.send(std::move(again), 10ms);
     }},
    {"never-retries-update",
     {3311, "5.3", Level::Should},
     "does not try an UPDATE again after 491",
     [](Wire& w) {
       if (w.sends(Method::Update) && w.last_response(false, Method::Update, 491, 491) != nullptr)
         w.drop();
     }},
    // --- 199
    {"omits-199",
     {6228, "4", Level::Must},
     "does not list 199 in Supported",
     [](Wire& w) {
       if (w.sends(Method::Invite)) w.edit().set(HeaderId::Supported, "100rel");
     }},
    {"requires-199",
     {6228, "4", Level::ShouldNot},
     "requires 199 of everybody on the way",
     [](Wire& w) {
       if (w.sends(Method::Invite)) w.edit().add(HeaderId::Require, "199");
     }},
    {"hangs-up-after-199",
     {6228, "4", Level::Stated},
     "sends BYE for an early dialog that a 199 has ended",
     [](Wire& w) {
       if (!w.gets(Method::Invite, 199, 199)) return;
       if (auto bye = w.make_request("BYE")) w.send(std::move(*bye), 10ms);
     }},
    {"goes-on-after-199",
     {6228, "7", Level::MustNot},
     "sends INFO in an early dialog that a 199 has ended",
     [](Wire& w) {
       if (!w.gets(Method::Invite, 199, 199)) return;
       if (auto info = w.make_request("INFO")) w.send(std::move(*info), 10ms);
     }},
    {"sends-199",
     {6228, "5", Level::MustNot},
     "sends 199 with its final response",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 300, 699)) return;
       Message early = w.message();
       set_status(early, 199);
       w.send(std::move(early));
     }},
    // --- slow requests
    {"rings-for-message",
     {4320, "4.1", Level::MustNot},
     "sends 183 to requests other than INVITE",
     [](Wire& w) {
       const bool is_other = w.gets(Method::Message) || w.gets(Method::Options) ||
                             w.gets(Method::Info) || w.gets(Method::Bye);
       if (is_other) w.send(w.make_response(183));
     }},
    {"100-at-once",
     {4320, "4.1", Level::MustNot},
     "sends 100 to requests other than INVITE at once",
     [](Wire& w) {
       const bool is_other = w.gets(Method::Message) || w.gets(Method::Options) ||
                             w.gets(Method::Info) || w.gets(Method::Bye);
       if (is_other && !w.is_repeated()) w.send(w.make_response(100));
     }},
    {"408-to-message",
     {4320, "4.2", Level::MustNot},
     "answers 408 to a MESSAGE that nobody has read for half a minute",
     [](Wire& w) {
       if (w.gets(Method::Message) && !w.is_repeated()) w.send(w.make_response(408), 31s);
     }},
    // --- what a response ends
    {"ends-call-at-any-error",
     {5057, "5.1", Level::Stated},
     "ends the call at any error to one of its requests",
     [](Wire& w) {
       if (w.is_sent() || !w.message().is_response() || w.message().status() < 400) return;
       if (auto bye = w.make_request("BYE")) w.send(std::move(*bye), 10ms);
     }},
    {"survives-every-error",
     {5057, "5.1", Level::Stated},
     "goes on with the call after every error",
     [](Wire& w) {
       if (w.sends(Method::Bye)) w.drop();
       if (w.is_sent() && w.message().is_response() && w.message().status() == 481)
         set_status(w.edit(), 200);
     }},
    {"repeats-bye-after-error",
     {5057, "5.1", Level::Stated},
     "sends BYE again as long as it gets errors",
     [](Wire& w) {
       if (!w.gets(Method::Bye, 500, 699)) return;
       if (auto bye = w.make_request("BYE")) w.send(std::move(*bye), 100ms);
     }},
    {"refuses-copies-of-invite",
     {5407, "3.1.1", Level::Must},
     "answers 482 to a copy of an INVITE that it has accepted",
     [](Wire& w) {
       if (w.gets(Method::Invite) && w.is_repeated()) w.send(w.make_response(482));
     }},
    {"requests-after-their-bye",
     {5407, "2", Level::MustNot},
     "sends a re-INVITE after the peer's BYE",
     [](Wire& w) {
       if (!w.gets(Method::Bye)) return;
       if (auto invite = w.make_request("INVITE")) w.send(std::move(*invite), 500ms);
     }},
    {"hangs-up-after-refusing",
     {5057, "5.3", Level::Stated},
     "ends the call after a MESSAGE that it cannot read",
     [](Wire& w) {
       if (!w.sends(Method::Message, 200, 699)) return;
       if (auto bye = w.make_request("BYE")) w.send(std::move(*bye));
     }},
    {"hangs-up-after-timeout",
     {5057, "5.2", Level::Stated},
     "ends the call when nobody answers its MESSAGE",
     [](Wire& w) {
       if (!w.sends(Method::Message) || w.is_repeated()) return;
       if (auto bye = w.make_request("BYE")) w.send(std::move(*bye), 33500ms);
     }},
    {"hangs-up-after-last-notify",
     {5057, "5.5", Level::Stated},
     "ends the call when the subscription of its REFER ends",
     [](Wire& w) {
       if (!w.sends(Method::Notify, 200, 299)) return;
       if (auto bye = w.make_request("BYE")) w.send(std::move(*bye));
     }},
    {"refuses-with-404",
     {5057, "5.6", Level::Stated},
     "answers 404 to a SUBSCRIBE in a call that it does not want",
     [](Wire& w) {
       if (w.sends(Method::Subscribe, 300, 699)) set_status(w.edit(), 404);
     }},
    {"ends-call-at-refused-notify",
     {5057, "5.1", Level::Stated},
     "ends the call when one of its NOTIFYs is refused",
     [](Wire& w) {
       if (!w.gets(Method::Notify, 300, 699)) return;
       if (auto bye = w.make_request("BYE")) w.send(std::move(*bye));
     }},
    {"481-to-unknown-target-dialog",
     {4538, "4", Level::Must},
     "answers 481 to a Target-Dialog that it does not know",
     [](Wire& w) {
       if (w.gets_request_with("Target-Dialog")) w.answer(481);
     }},
};

}  // namespace

std::span<const Misbehaviour> effects_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
