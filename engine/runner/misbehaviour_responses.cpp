// Rows about status codes.
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

constexpr Misbehaviour rows[] = {
    {"replaces-481-by-500",
     {3261, "12.2.2", Level::Must},
     "answers 500 where 481 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 481) set_status(w.edit(), 500);
     }},
    {"replaces-403-by-200",
     {3515, "2.4.4", Level::Must},
     "answers 200 where 403 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 403) set_status(w.edit(), 200);
     }},
    {"replaces-400-by-200",
     {3261, "21.4.1", Level::Stated},
     "answers 200 where 400 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 400) set_status(w.edit(), 200);
     }},
    {"replaces-404-by-500",
     {3261, "8.2.2.1", Level::Should},
     "answers 500 where 404 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 404) set_status(w.edit(), 500);
     }},
    {"replaces-405-by-200",
     {3261, "8.2.1", Level::Must},
     "answers 200 where 405 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 405) set_status(w.edit(), 200);
     }},
    {"replaces-415-by-200",
     {3261, "8.2.3", Level::Must},
     "answers 200 where 415 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 415) set_status(w.edit(), 200);
     }},
    {"replaces-416-by-200",
     {3261, "8.2.2.1", Level::Should},
     "answers 200 where 416 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 416) set_status(w.edit(), 200);
     }},
    {"replaces-469-by-200",
     {6086, "4.2.2", Level::Must},
     "answers 200 where 469 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 469) set_status(w.edit(), 200);
     }},
    {"replaces-481-by-200",
     {3261, "12.2.2", Level::Must},
     "answers 200 where 481 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 481) set_status(w.edit(), 200);
     }},
    {"replaces-482-by-486",
     {3261, "8.2.2.2", Level::Should},
     "answers 486 where 482 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 482) set_status(w.edit(), 486);
     }},
    {"replaces-486-by-500",
     {3261, "13.3.1.3", Level::Should},
     "answers 500 where 486 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 486) set_status(w.edit(), 500);
     }},
    {"replaces-488-by-500",
     {3261, "13.3.1.3", Level::Should},
     "answers 500 where 488 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 488) set_status(w.edit(), 500);
     }},
    {"replaces-491-by-500",
     {3261, "14.2", Level::Must},
     "answers 500 where 491 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 491) set_status(w.edit(), 500);
     }},
    {"replaces-500-by-200",
     {3261, "12.2.2", Level::Must},
     "answers 200 where 500 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 500) set_status(w.edit(), 200);
     }},
    {"replaces-500-by-491",
     {3261, "14.2", Level::Must},
     "answers 491 where 500 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 500) set_status(w.edit(), 491);
     }},
    {"replaces-501-by-200",
     {3261, "21.5.2", Level::Stated},
     "answers 200 where 501 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 501) set_status(w.edit(), 200);
     }},
    {"replaces-505-by-400",
     {3261, "21.5.6", Level::Stated},
     "answers 400 where 505 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 505) set_status(w.edit(), 400);
     }},
    {"replaces-200-to-options-by-405",
     {3261, "11", Level::Must},
     "answers 405 where 200 is due to OPTIONS",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 200 &&
           cseq_method(w.message()) == Method::Options)
         set_status(w.edit(), 405);
     }},
    {"replaces-200-to-info-by-469",
     {6086, "4.2.2", Level::Must},
     "answers 469 where 200 is due to INFO",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 200 && cseq_method(w.message()) == Method::Info)
         set_status(w.edit(), 469);
     }},
    {"replaces-200-to-notify-by-481",
     {3515, "2.4.4", Level::Must},
     "answers 481 where 200 is due to NOTIFY",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 200 && cseq_method(w.message()) == Method::Notify)
         set_status(w.edit(), 481);
     }},
    {"replaces-200-to-update-by-500",
     {3311, "5.2", Level::Must},
     "answers 500 where 200 is due to UPDATE",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 200 && cseq_method(w.message()) == Method::Update)
         set_status(w.edit(), 500);
     }},
    {"answers-refer-202",
     {7647, "5", Level::MustNot},
     "answers 202 where 200 is due to REFER",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 200 && cseq_method(w.message()) == Method::Refer)
         set_status(w.edit(), 202);
     }},
    {"refuses-bye",
     {3261, "15.1.2", Level::Must},
     "answers 403 where 200 is due to BYE",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 200 && cseq_method(w.message()) == Method::Bye)
         set_status(w.edit(), 403);
     }},
    {"refuses-cancel",
     {3261, "9.2", Level::Stated},
     "answers 481 where 200 is due to CANCEL",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 200 && cseq_method(w.message()) == Method::Cancel)
         set_status(w.edit(), 481);
     }},
    {"refuses-prack",
     {3262, "3", Level::Must},
     "answers 481 where 200 is due to PRACK",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 200 && cseq_method(w.message()) == Method::Prack)
         set_status(w.edit(), 481);
     }},
    {"replaces-200-to-reinvite-by-481",
     {3261, "12.2.2", Level::Must},
     "refuses re-INVITEs with 481",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299) && w.memory() > 0)
         set_status(w.edit(), 481), drop_body(w.edit());
       if (w.gets(Method::Ack)) ++w.memory();
     }},
    {"refuses-reinvite",
     {3261, "14.2", Level::Stated},
     "refuses every re-INVITE with 488",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299) && w.memory() > 0)
         set_status(w.edit(), 488), drop_body(w.edit());
       if (w.gets(Method::Ack)) ++w.memory();
     }},
    {"replaces-4xx-to-info-by-200",
     {6086, "4.2.2", Level::Must},
     "accepts every INFO",
     [](Wire& w) {
       if (w.sends(Method::Info, 400, 499)) set_status(w.edit(), 200);
     }},
    {"prack-always-200",
     {3262, "3", Level::Must},
     "accepts every PRACK",
     [](Wire& w) {
       if (w.sends(Method::Prack, 400, 599)) set_status(w.edit(), 200);
     }},
    {"accepts-crossing-reinvite",
     {3261, "14.2", Level::Must},
     "answers 200 to a re-INVITE that crosses its own",
     [](Wire& w) {
       if (w.sends(Method::Invite, 491, 491)) set_status(w.edit(), 200);
     }},
    {"accepts-overlapping-invite",
     {3261, "14.2", Level::Must},
     "answers 200 to an INVITE while another is open",
     [](Wire& w) {
       if (w.sends(Method::Invite, 491, 500)) set_status(w.edit(), 200);
     }},
    {"accepts-overlapping-update",
     {3311, "5.2", Level::Must},
     "answers 200 to an UPDATE while an offer is open",
     [](Wire& w) {
       if (w.sends(Method::Update, 491, 500)) set_status(w.edit(), 200);
     }},
    {"accepts-unknown-codec",
     {3264, "6.1", Level::Must},
     "takes an offer that has no codec in common",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 488, 488)) return;
       const Message* invite = w.last_request(false, Method::Invite);
       set_status(w.edit(), 200);
       if (invite != nullptr) w.edit().set_body("application/sdp", std::string(invite->body()));
     }},
    {"drops-100",
     {3261, "17.2.1", Level::Must},
     "never sends 100",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_response() && w.message().status() >= 100 &&
           w.message().status() <= 100)
         w.drop();
     }},
    {"drops-400",
     {3261, "18.3", Level::Should},
     "never sends 400",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_response() && w.message().status() >= 400 &&
           w.message().status() <= 400)
         w.drop();
     }},
    {"drops-487",
     {3261, "9.2", Level::Should},
     "never sends 487",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_response() && w.message().status() >= 487 &&
           w.message().status() <= 487)
         w.drop();
     }},
    {"drops-5xx",
     {3262, "3", Level::Should},
     "never sends 5xx",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_response() && w.message().status() >= 500 &&
           w.message().status() <= 599)
         w.drop();
     }},
    {"answers-ack",
     {3261, "17.2.1", Level::Stated},
     "answers an ACK",
     [](Wire& w) {
       if (w.gets(Method::Ack)) w.send(w.make_response(200));
     }},
    {"new-call-id",
     {3261, "12.2.1.1", Level::Must},
     "requests in a dialog have a Call-ID of their own",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_request() && !tag_of(w.message(), HeaderId::To).empty())
         w.edit().set(HeaderId::CallId, std::string(w.message().raw(HeaderId::CallId)) + "x");
     }},
    {"refuses-what-it-allows",
     {3261, "8.2.1", Level::Must},
     "answers 501 to every request in a call but those of the call itself",
     [](Wire& w) {
       if (!w.is_sent() || w.message().status() < 200) return;
       const Method method = cseq_method(w.message());
       if (method != Method::Invite && method != Method::Bye && method != Method::Cancel)
         set_status(w.edit(), 501);
     }},
    {"replaces-400-by-486",
     {3891, "3", Level::Must},
     "answers 486 where 400 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 400) set_status(w.edit(), 486);
     }},
    {"challenges-ack",
     {3261, "22.1", Level::MustNot},
     "answers an ACK without credentials by 401",
     [](Wire& w) {
       if (!w.gets(Method::Ack) || w.message().has(HeaderId::Authorization)) return;
       Message challenge = w.make_response(401);
       challenge.add(HeaderId::WwwAuthenticate, "Digest realm=\"r\", nonce=\"n\"");
       w.send(std::move(challenge));
     }},
    {"refuses-credentials-in-ack",
     {3261, "22.1", Level::Must},
     "takes no ACK with credentials that it has seen before",
     [](Wire& w) {
       if (w.gets(Method::Ack) && w.message().has(HeaderId::Authorization)) w.drop();
     }},
    {"415-before-420",
     {3261, "8.2", Level::Should},
     "looks at the body before the header fields",
     [](Wire& w) {
       if (!w.is_sent() || w.message().status() != 420) return;
       set_status(w.edit(), 415);
       w.edit().remove(HeaderId::Unsupported);
       w.edit().add(HeaderId::Accept, "application/sdp");
     }},
    {"420-before-401",
     {3261, "8.2", Level::Should},
     "looks at the header fields before it asks for credentials",
     [](Wire& w) {
       if (!w.is_sent() || w.message().status() != 401) return;
       set_status(w.edit(), 420);
       w.edit().remove(HeaderId::WwwAuthenticate);
       w.edit().add(HeaderId::Unsupported, "nosuch");
     }},
};

}  // namespace

std::span<const Misbehaviour> responses_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
