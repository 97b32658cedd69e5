// Rows about SUBSCRIBE, NOTIFY and MESSAGE, and what REFER and INFO share with them.
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

std::string without_tag(std::string_view address) {
  return std::string(address.substr(0, address.find(";tag=")));
}

bool has_to_tag(const Message& message) {
  const auto to = message.maybe<To>();
  return to && !to->tag().empty();
}

bool is_terminated(const Message& notify) {
  return notify.raw(HeaderId::SubscriptionState).starts_with("terminated");
}

// The same request as another one: other Call-ID, other branch.
Message as_another(const Message& request) {
  Message again = request;
  std::string via(request.raw(HeaderId::Via));
  if (const auto cookie = via.find("z9hG4bK"); cookie != std::string::npos)
    via.insert(cookie + 7, "again");
  again.set(HeaderId::Via, via);
  again.set(HeaderId::CallId, "again-" + std::string(request.raw(HeaderId::CallId)));
  return again;
}

void in_response(Wire& w, HeaderId id, std::string_view value) {
  if (w.sends(Method::Subscribe, 200, 299) || w.sends(Method::Notify, 200, 299))
    w.edit().set(id, value);
}

constexpr Misbehaviour rows[] = {
    {"omits-expires",
     {6665, "3.1.1", Level::Must},
     "sends SUBSCRIBE and its 2xx without Expires",
     [](Wire& w) {
       if (w.sends(Method::Subscribe) || w.sends(Method::Subscribe, 200, 299))
         w.edit().remove(HeaderId::Expires);
     }},
    {"omits-event",
     {6665, "3.1.2", Level::Must},
     "sends SUBSCRIBE without Event",
     [](Wire& w) {
       if (w.sends(Method::Subscribe)) w.edit().remove(HeaderId::Event);
     }},
    {"lengthens-subscription",
     {6665, "4.2.1.1", Level::MustNot},
     "grants more than the subscriber asked for",
     [](Wire& w) {
       if (w.sends(Method::Subscribe, 200, 299)) w.edit().set(HeaderId::Expires, "99999");
     }},
    {"replaces-489-by-200",
     {6665, "4.2.1.1", Level::Should},
     "answers 200 where 489 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 489) set_status(w.edit(), 200);
     }},
    {"replaces-420-by-200",
     {3261, "8.2.2.3", Level::Must},
     "answers 200 where 420 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 420) set_status(w.edit(), 200);
     }},
    {"replaces-603-by-500",
     {3891, "3", Level::Should},
     "answers 500 where 603 is due",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 603) set_status(w.edit(), 500);
     }},
    {"replaces-603-by-200",
     {3515, "2.4.2", Level::ShouldNot},
     "accepts a REFER to what it cannot reach",
     [](Wire& w) {
       if (w.sends(Method::Refer, 603, 603)) set_status(w.edit(), 200);
     }},
    {"notifies-once",
     {6665, "4.2.1.2", Level::Must},
     "sends no NOTIFY but the first",
     [](Wire& w) {
       if (!w.sends(Method::Notify)) return;
       const Message* first = w.first(
           true, [](const Message& m) { return m.is_request() && m.method() == Method::Notify; });
       if (first != nullptr && first->raw(HeaderId::CSeq) != w.message().raw(HeaderId::CSeq))
         w.drop();
     }},
    {"notify-without-subscription-state",
     {6665, "4.2.2", Level::Must},
     "sends NOTIFY without Subscription-State",
     [](Wire& w) {
       if (w.sends(Method::Notify)) w.edit().remove(HeaderId::SubscriptionState);
     }},
    {"notify-of-another-package",
     {6665, "3.2.1", Level::Must},
     "names another package in NOTIFY",
     [](Wire& w) {
       if (w.sends(Method::Notify)) w.edit().set(HeaderId::Event, "another");
     }},
    {"loses-event-id",
     {6665, "4.5.2", Level::Must},
     "leaves the id out of Event",
     [](Wire& w) {
       if (!w.sends(Method::Notify) && !w.sends(Method::Subscribe)) return;
       const std::string event(w.message().raw(HeaderId::Event));
       w.edit().set(HeaderId::Event, event.substr(0, event.find(';')));
     }},
    {"notify-with-own-tag",
     {6665, "4.4.1", Level::Stated},
     "sends NOTIFY with another From tag than that of its 2xx",
     [](Wire& w) {
       if (w.sends(Method::Notify))
         w.edit().set(HeaderId::From,
                      without_tag(w.message().raw(HeaderId::From)) + ";tag=another");
     }},
    {"answers-subscribe-202",
     {6665, "8.3.1", Level::MustNot},
     "answers SUBSCRIBE and NOTIFY with 202",
     [](Wire& w) {
       if (w.sends(Method::Subscribe, 200, 200) || w.sends(Method::Notify, 200, 200))
         set_status(w.edit(), 202);
     }},
    {"event-in-responses",
     {6665, "8.2.1", Level::MustNot},
     "sends Event in responses",
     [](Wire& w) { in_response(w, HeaderId::Event, "presence"); }},
    {"state-in-responses",
     {6665, "8.2.3", Level::MustNot},
     "sends Subscription-State in responses",
     [](Wire& w) { in_response(w, HeaderId::SubscriptionState, "active"); }},
    {"notifies-after-refusal",
     {6665, "4.2.2", Level::Must},
     "goes on with a subscription whose NOTIFY was refused",
     [](Wire& w) {
       const Message* last = w.last_request(true, Method::Notify);
       if (!w.gets(Method::Notify, 300, 699) || last == nullptr || w.memory()++ > 0) return;
       Message again = *last;
       std::string via(last->raw(HeaderId::Via));
       if (const auto cookie = via.find("z9hG4bK"); cookie != std::string::npos)
         via.insert(cookie + 7, "again");
       again.set(HeaderId::Via, via);
       const auto cseq = last->maybe<CSeq>();
       again.set(HeaderId::CSeq, std::to_string(cseq ? cseq->number + 1 : 2) + " NOTIFY");
       w.send(std::move(again), 1s);
     }},
    {"refuses-long-subscription",
     {6665, "4.2.1.1", Level::Stated},
     "answers SUBSCRIBE with 423 whatever its Expires",
     [](Wire& w) {
       if (w.sends(Method::Subscribe, 200, 299)) set_status(w.edit(), 423);
     }},
    {"omits-min-expires",
     {6665, "4.2.1.1", Level::Stated},
     "sends 423 without Min-Expires",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 423) w.edit().remove(HeaderId::MinExpires);
     }},
    {"terminated-with-expires",
     {6665, "4.1.3", Level::ShouldNot},
     "sends expires in the last NOTIFY",
     [](Wire& w) {
       if (w.sends(Method::Notify) && is_terminated(w.message()))
         w.edit().set(HeaderId::SubscriptionState,
                      std::string(w.message().raw(HeaderId::SubscriptionState)) + ";expires=60");
     }},
    {"terminated-without-reason",
     {6665, "4.2.2", Level::Should},
     "gives no reason in the last NOTIFY",
     [](Wire& w) {
       if (w.sends(Method::Notify) && is_terminated(w.message()))
         w.edit().set(HeaderId::SubscriptionState, "terminated");
     }},
    {"omits-allow-events",
     {6665, "4.4.4", Level::Should},
     "sends no Allow-Events",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::AllowEvents);
     }},
    {"bye-ends-subscription",
     {6665, "4.5.2", Level::Stated},
     "sends no NOTIFY after a BYE",
     [](Wire& w) {
       if (w.sends(Method::Notify) && w.last_request(false, Method::Bye) != nullptr) w.drop();
     }},
    {"never-refreshes-subscriptions",
     {6665, "4.1.2.2", Level::Stated},
     "does not refresh its subscription",
     [](Wire& w) {
       if (w.sends(Method::Subscribe) && has_to_tag(w.message())) w.drop();
     }},
    {"never-subscribes-again",
     {6665, "4.1.3", Level::Should},
     "makes no new subscription after the first",
     [](Wire& w) {
       const Message* first = w.first(true, [](const Message& m) {
         return m.is_request() && m.method() == Method::Subscribe;
       });
       if (w.sends(Method::Subscribe) && first != nullptr &&
           first->raw(HeaderId::CallId) != w.message().raw(HeaderId::CallId))
         w.drop();
     }},
    {"subscribes-again-always",
     {6665, "4.1.3", Level::ShouldNot},
     "makes a new subscription at once, whatever ended the old one",
     [](Wire& w) {
       if (!w.gets(Method::Notify) || !is_terminated(w.message()) || w.memory()++ > 0) return;
       const Message* first = w.first(true, [](const Message& m) {
         return m.is_request() && m.method() == Method::Subscribe;
       });
       if (first != nullptr) w.send(as_another(*first), 200ms);
     }},
    {"resubscribes-in-old-call-id",
     {6665, "4.4.2", Level::Should},
     "makes a new subscription with the Call-ID of the old one",
     [](Wire& w) {
       const Message* first = w.first(true, [](const Message& m) {
         return m.is_request() && m.method() == Method::Subscribe;
       });
       if (w.sends(Method::Subscribe) && first != nullptr)
         w.edit().set(HeaderId::CallId, first->raw(HeaderId::CallId));
     }},
    {"accepts-any-notify",
     {6665, "4.1.3", Level::Must},
     "answers 200 to every NOTIFY",
     [](Wire& w) {
       if (w.sends(Method::Notify, 400, 499)) set_status(w.edit(), 200);
     }},
    {"notifies-in-bursts",
     {3515, "3.10", Level::ShouldNot},
     "sends two NOTIFYs at once",
     [](Wire& w) {
       if (!w.sends(Method::Notify) || w.is_repeated()) return;
       Message again = w.message();
       std::string via(again.raw(HeaderId::Via));
       if (const auto cookie = via.find("z9hG4bK"); cookie != std::string::npos)
         via.insert(cookie + 7, "again");
       again.set(HeaderId::Via, via);
       const auto cseq = again.maybe<CSeq>();
       again.set(HeaderId::CSeq, std::to_string(cseq ? cseq->number + 1 : 2) + " NOTIFY");
       w.send(std::move(again), 100ms);
     }},
    {"omits-refer-sub",
     {4488, "4", Level::Must},
     "sends no Refer-Sub",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::ReferSub);
     }},
    {"refer-sub-in-refusals",
     {4488, "4", Level::Stated},
     "sends Refer-Sub in the refusal of a REFER",
     [](Wire& w) {
       if (w.sends(Method::Refer, 400, 699)) w.edit().set(HeaderId::ReferSub, "false");
     }},
    {"notifies-suppressed-refer",
     {4488, "4", Level::Stated},
     "sends NOTIFY for a REFER that makes no subscription",
     [](Wire& w) {
       const Message* refer = w.last_request(false, Method::Refer);
       if (!w.sends(Method::Refer, 200, 299) || refer == nullptr) return;
       Message notify = Message::request("NOTIFY", contact_uri(*refer));
       notify.add(HeaderId::Via, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKsuppressed");
       notify.add(HeaderId::MaxForwards, "70");
       notify.add(HeaderId::From, w.message().raw(HeaderId::To));
       notify.add(HeaderId::To, w.message().raw(HeaderId::From));
       notify.add(HeaderId::CallId, w.message().raw(HeaderId::CallId));
       notify.add(HeaderId::CSeq, "1000 NOTIFY").add(HeaderId::Event, "refer");
       notify.add(HeaderId::SubscriptionState, "active;expires=60").set_body({}, {});
       w.send(std::move(notify), 200ms);
     }},
    {"changes-referred-by",
     {3892, "2.2", Level::Must},
     "copies the URI of Referred-By only",
     [](Wire& w) {
       if (!w.sends(Method::Invite) || !w.message().has(HeaderId::ReferredBy)) return;
       const std::string value(w.message().raw(HeaderId::ReferredBy));
       w.edit().set(HeaderId::ReferredBy, value.substr(0, value.find('>') + 1));
     }},
    {"keeps-replaced-dialog",
     {3891, "3", Level::Stated},
     "does not end the call that was replaced",
     [](Wire& w) {
       if (w.sends(Method::Bye) || w.sends(Method::Cancel)) w.drop();
     }},
    {"ends-replaced-dialog-always",
     {3891, "3", Level::Must},
     "ends the call that an INVITE names even if it refuses that INVITE",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 400, 699) || w.memory()++ > 0) return;
       const Message* old = w.first(
           true, [](const Message& m) { return m.status() == 200 && m.has(HeaderId::Contact); });
       const Message* invite = w.first(
           false, [](const Message& m) { return m.is_request() && m.method() == Method::Invite; });
       if (old == nullptr || invite == nullptr) return;
       Message bye = Message::request("BYE", contact_uri(*invite));
       bye.add(HeaderId::Via, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKreplaced");
       bye.add(HeaderId::MaxForwards, "70");
       bye.add(HeaderId::From, old->raw(HeaderId::To)).add(HeaderId::To, old->raw(HeaderId::From));
       bye.add(HeaderId::CallId, old->raw(HeaderId::CallId)).add(HeaderId::CSeq, "1 BYE");
       bye.set_body({}, {});
       w.send(std::move(bye), 200ms);
     }},
    {"refuses-target-dialog",
     {7647, "4", Level::Must},
     "answers 420 to a REFER with Target-Dialog",
     [](Wire& w) {
       if (w.sends(Method::Refer, 200, 299)) set_status(w.edit(), 420);
     }},
    {"omits-target-dialog",
     {7647, "4", Level::Must},
     "sends REFER outside the dialog without Target-Dialog",
     [](Wire& w) {
       if (w.sends(Method::Refer)) w.edit().remove("Target-Dialog");
     }},
    {"message-with-contact",
     {3428, "4", Level::MustNot},
     "sends Contact in MESSAGE and in its 2xx",
     [](Wire& w) {
       if (w.sends(Method::Message) || w.sends(Method::Message, 200, 299))
         w.edit().set(HeaderId::Contact, "<sip:sut@192.0.2.1>");
     }},
    {"message-2xx-with-body",
     {3428, "7", Level::MustNot},
     "sends a body in the 2xx to MESSAGE",
     [](Wire& w) {
       if (w.sends(Method::Message, 200, 299)) w.edit().set_body("text/plain", "read");
     }},
    {"refuses-message",
     {3428, "7", Level::Must},
     "answers MESSAGE with 415",
     [](Wire& w) {
       if (w.sends(Method::Message, 200, 299)) set_status(w.edit(), 415);
     }},
    {"answers-message-late",
     {3428, "7", Level::Should},
     "answers MESSAGE after five seconds",
     [](Wire& w) {
       if (w.sends(Method::Message, 200, 299)) w.delay(5s);
     }},
    {"overlapping-messages",
     {3428, "8", Level::MustNot},
     "sends a second MESSAGE before the first is answered",
     [](Wire& w) {
       if (w.sends(Method::Message) && !w.is_repeated() && w.memory()++ == 0)
         w.send(as_another(w.message()), 100ms);
     }},
    {"legacy-info-with-package",
     {6086, "4.2.1", Level::MustNot},
     "sends Info-Package in every INFO",
     [](Wire& w) {
       if (w.sends(Method::Info)) w.edit().set(HeaderId::InfoPackage, "g.sipassay.test");
     }},
    {"info-without-disposition",
     {6086, "4.3.1", Level::Stated},
     "sends the payload of a package without its disposition",
     [](Wire& w) {
       if (w.sends(Method::Info)) w.edit().remove(HeaderId::ContentDisposition);
     }},
    {"refuses-multipart-info",
     {6086, "4.3.1", Level::Must},
     "answers 415 to an INFO with several body parts",
     [](Wire& w) {
       if (w.sends(Method::Info, 200, 299)) set_status(w.edit(), 415);
     }},
    {"never-sends-info",
     {6086, "5.2.2", Level::Stated},
     "sends no INFO",
     [](Wire& w) {
       if (w.sends(Method::Info)) w.drop();
     }},
    {"sends-withdrawn-package",
     {6086, "5.2.2", Level::MustNot},
     "sends INFO of a package after its last answer to a re-INVITE",
     [](Wire& w) {
       if (!w.gets(Method::Ack) || w.is_repeated()) return;
       auto info = w.make_request("INFO");
       if (!info) return;
       info->add(HeaderId::InfoPackage, "foo");
       w.send(std::move(*info), 300ms);
     }},
    {"register-with-recv-info",
     {6086, "5.3", Level::MustNot},
     "lists packages in the Recv-Info of REGISTER",
     [](Wire& w) {
       if (w.sends(Method::Register)) w.edit().set(HeaderId::RecvInfo, "g.sipassay.test");
     }},
    {"cancel-ends-any-request",
     {6665, "4.6", Level::MustNot},
     "answers 487 to the SUBSCRIBE or NOTIFY that a CANCEL names",
     [](Wire& w) {
       for (const Method method : {Method::Subscribe, Method::Notify}) {
         if (w.sends(method, 200, 299)) w.drop();
         const Message* accepted = w.last_response(true, method, 200, 299);
         if (!w.gets(Method::Cancel) || accepted == nullptr) continue;
         Message terminated = *accepted;
         set_status(terminated, 487);
         w.send(std::move(terminated));
       }
     }},
    {"refreshes-without-id",
     {6665, "4.5.2", Level::Must},
     "leaves the id of Event out of refreshes",
     [](Wire& w) {
       const std::string event(w.message().raw(HeaderId::Event));
       if (w.sends(Method::Subscribe) && !tag_of(w.message(), HeaderId::To).empty())
         w.edit().set(HeaderId::Event, event.substr(0, event.find(';')));
     }},
    {"notifies-in-plain-text",
     {6665, "4.2.2", Level::Must},
     "sends NOTIFY with plain text whatever Accept lists",
     [](Wire& w) {
       if (w.sends(Method::Notify)) w.edit().set_body("text/plain", "here");
     }},
    {"notify-lengthens-subscription",
     {6665, "4.2.2", Level::MustNot},
     "says in NOTIFY that ten more minutes are left",
     [](Wire& w) {
       if (w.sends(Method::Notify)) w.edit().set(HeaderId::SubscriptionState, "active;expires=600");
     }},
    {"481-after-500-to-refresh",
     {6665, "4.1.2.2", Level::Stated},
     "ends a subscription at any error to its refresh",
     [](Wire& w) {
       if (w.sends(Method::Notify, 200, 299) && w.last_response(false, Method::Subscribe, 500, 500))
         set_status(w.edit(), 481);
     }},
    {"answers-notify-late",
     {6665, "4.1.3", Level::Should},
     "answers NOTIFY after five seconds",
     [](Wire& w) {
       if (w.sends(Method::Notify, 200, 699)) w.delay(5s);
     }},
    {"answers-no-notify",
     {6665, "4.1.4", Level::Must},
     "drops a NOTIFY whose From tag it does not know",
     [](Wire& w) {
       if (w.gets(Method::Notify) && tag_of(w.message(), HeaderId::From) == "another") w.drop();
     }},
    {"minds-notify-parameters",
     {6665, "4.1.3", Level::Stated},
     "answers 400 to a NOTIFY that does not look as its own ones do",
     [](Wire& w) {
       if (w.sends(Method::Notify, 200, 299)) set_status(w.edit(), 400);
     }},
    {"grants-ten-seconds",
     {6665, "3.1.1", Level::Stated},
     "takes the expires of Contact for the length of the subscription",
     [](Wire& w) {
       if (w.sends(Method::Subscribe, 200, 299)) w.edit().set(HeaderId::Expires, "10");
     }},
    {"notifies-unasked",
     {6665, "4.2.1", Level::MustNot},
     "sends NOTIFY to everybody who calls",
     [](Wire& w) {
       if (!w.gets(Method::Ack)) return;
       if (auto notify = w.make_request("NOTIFY")) w.send(std::move(*notify));
     }},
    {"489-for-everything",
     {6665, "4.4.4", Level::Must},
     "answers 489 to packages that Allow-Events lists",
     [](Wire& w) {
       if (w.sends(Method::Subscribe, 200, 699)) set_status(w.edit(), 489);
     }},
};

}  // namespace

std::span<const Misbehaviour> events_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
