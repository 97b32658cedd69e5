// Rows about REFER and INFO.
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

constexpr Misbehaviour rows[] = {
    {"drops-recv-info-later",
     {6086, "5.2.3", Level::Must},
     "sends Recv-Info in its first 2xx only",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().has(HeaderId::RecvInfo)) return;
       const Message* before =
           w.first(true, [](const Message& m) { return m.has(HeaderId::RecvInfo); });
       if (before != nullptr && !w.is_repeated()) w.edit().remove(HeaderId::RecvInfo);
     }},
    {"notifies-always-trying",
     {3515, "2.4.5", Level::Stated},
     "says 100 Trying in every NOTIFY",
     [](Wire& w) {
       if (w.sends(Method::Notify)) w.edit().set_body("message/sipfrag", "SIP/2.0 100 Trying");
     }},
    {"469-without-recv-info",
     {6086, "4.2.2", Level::Must},
     "sends 469 without Recv-Info",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 469) w.edit().remove(HeaderId::RecvInfo);
     }},
    {"legacy-info-469",
     {6086, "4.2.2", Level::Stated},
     "answers 469 to INFO without a package",
     [](Wire& w) {
       if (w.sends(Method::Info, 200, 415)) set_status(w.edit(), 469);
     }},
    {"never-follows-refer",
     {3515, "2.4.2", Level::Must},
     "does not contact the target of a REFER",
     [](Wire& w) {
       if (w.sends(Method::Invite) && w.last_request(false, Method::Refer) != nullptr) w.drop();
     }},
    {"never-notifies-refer",
     {3515, "2.4.4", Level::Must},
     "sends no NOTIFY",
     [](Wire& w) {
       if (w.sends(Method::Notify)) w.drop();
     }},
    {"late-first-notify",
     {3515, "2.4.4", Level::Stated},
     "sends the first NOTIFY late",
     [](Wire& w) {
       if (w.sends(Method::Notify)) w.delay(40s);
     }},
    {"refer-subscription-never-ends",
     {3515, "2.4.7", Level::Must},
     "never sends the last NOTIFY",
     [](Wire& w) {
       if (w.sends(Method::Notify) &&
           w.message().raw(HeaderId::SubscriptionState).starts_with("terminated"))
         w.drop();
     }},
    {"notify-always-active",
     {3515, "2.4.7", Level::Must},
     "says active in the last NOTIFY too",
     [](Wire& w) {
       if (w.sends(Method::Notify)) w.edit().set(HeaderId::SubscriptionState, "active;expires=60");
     }},
    {"notify-without-body",
     {3515, "2.4.4", Level::Must},
     "sends NOTIFY without a body",
     [](Wire& w) {
       if (w.sends(Method::Notify)) drop_body(w.edit());
     }},
    {"notify-without-event",
     {3515, "2.4.4", Level::Must},
     "sends NOTIFY without Event",
     [](Wire& w) {
       if (w.sends(Method::Notify)) w.edit().remove(HeaderId::Event);
     }},
    {"notify-without-expires",
     {3515, "2.4.7", Level::Stated},
     "does not say for how long the subscription is active",
     [](Wire& w) {
       if (w.sends(Method::Notify)) w.edit().set(HeaderId::SubscriptionState, "active");
     }},
    {"notifies-without-sipfrag",
     {3515, "2.4.4", Level::Must},
     "sends plain text in NOTIFY",
     [](Wire& w) {
       if (w.sends(Method::Notify)) w.edit().set(HeaderId::ContentType, "text/plain");
     }},
    {"refer-notify-without-id",
     {3515, "2.4.6", Level::Must},
     "leaves the id out of the Event of a second REFER",
     [](Wire& w) {
       if (w.sends(Method::Notify)) w.edit().set(HeaderId::Event, "refer");
     }},
    {"sends-info-unasked",
     {6086, "4.2.1", Level::MustNot},
     "sends INFO of a package that the peer has not listed",
     [](Wire& w) {
       if (!w.sends(Method::Ack) || w.is_repeated()) return;
       auto info = w.make_request("INFO");
       if (!info) return;
       info->add(HeaderId::InfoPackage, "g.sipassay.test");
       w.send(std::move(*info), 300ms);
     }},
    {"sends-unlisted-package",
     {6086, "4.2.1", Level::MustNot},
     "sends INFO of a package that the peer has not listed",
     [](Wire& w) {
       if (!w.sends(Method::Ack) || w.is_repeated()) return;
       auto info = w.make_request("INFO");
       if (!info) return;
       info->add(HeaderId::InfoPackage, "g.sipassay.test");
       w.send(std::move(*info), 300ms);
     }},
    {"2xx-with-unasked-recv-info",
     {6086, "5.2.3", Level::MustNot},
     "sends Recv-Info to a peer that has sent none",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299)) w.edit().set(HeaderId::RecvInfo, "g.sipassay.test");
     }},
    {"info-with-recv-info",
     {6086, "4.2.1", Level::MustNot},
     "sends Recv-Info in INFO",
     [](Wire& w) {
       if (w.sends(Method::Info)) w.edit().set(HeaderId::RecvInfo, "g.sipassay.test");
     }},
    {"info-package-payload-in-response",
     {6086, "4.3.2", Level::MustNot},
     "sends a payload of the package in the response to INFO",
     [](Wire& w) {
       if (w.sends(Method::Info, 200, 299))
         w.edit().set(HeaderId::ContentDisposition, "Info-Package").set_body("text/plain", "x");
     }},
    {"answers-no-refer",
     {3515, "2.4.2", Level::Must},
     "sends no final response to REFER",
     [](Wire& w) {
       if (w.sends(Method::Refer, 200, 699)) w.drop();
     }},
    {"doubles-referred-by",
     {3892, "2.1", Level::MustNot},
     "sends REFER with two Referred-By",
     [](Wire& w) {
       if (!w.sends(Method::Refer)) return;
       w.edit().remove(HeaderId::ReferredBy);
       for (const auto* uri : {"<sip:one@example.com>", "<sip:two@example.com>"})
         w.edit().add(HeaderId::ReferredBy, uri);
     }},
    {"hangs-up-after-multipart-answer",
     {5621, "4.2", Level::Must},
     "ends a call whose answer came in a multipart body",
     [](Wire& w) {
       const bool is_multipart = w.first(false, [](const Message& m) {
         return m.is_response() && m.raw(HeaderId::ContentType).starts_with("multipart/");
       });
       if (!w.sends(Method::Ack) || !is_multipart) return;
       if (auto bye = w.make_request("BYE")) w.send(std::move(*bye));
     }},
    {"481-in-second-fork",
     {6086, "4.2.1", Level::Must},
     "takes INFO of one callee only",
     [](Wire& w) {
       if (w.sends(Method::Info, 200, 699) && w.memory()++ > 0) set_status(w.edit(), 481);
     }},
    {"info-of-refused-package",
     {6086, "5.2.4", Level::Must},
     "sends INFO of a package that stood in a request that it has refused",
     [](Wire& w) {
       if (w.sends(Method::Info)) w.edit().set(HeaderId::InfoPackage, "foo");
     }},
    {"forgets-packages-after-refusal",
     {6086, "5.2.4", Level::Must},
     "takes no INFO once its re-INVITE was refused",
     [](Wire& w) {
       if (w.sends(Method::Info, 200, 299) && w.last_response(false, Method::Invite, 300, 699))
         set_status(w.edit(), 469);
     }},
    {"fragments-without-version",
     {3420, "2", Level::Stated},
     "begins its fragments with the status code",
     [](Wire& w) {
       if (w.sends(Method::Notify)) w.edit().set_body("message/sipfrag", "486 Busy Here\r\n");
     }},
    {"refuses-fragments",
     {3420, "3.1", Level::Stated},
     "answers 415 to message/sipfrag",
     [](Wire& w) {
       if (w.sends(Method::Notify, 200, 299)) set_status(w.edit(), 415);
     }},
    {"requires-norefersub",
     {4488, "4", Level::ShouldNot},
     "requires norefersub of everybody",
     [](Wire& w) {
       if (w.sends(Method::Refer)) w.edit().add(HeaderId::Require, "norefersub");
     }},
    {"minds-disposition",
     {6086, "11.5", Level::Stated},
     "answers 415 to INFO whose disposition is written in lower case",
     [](Wire& w) {
       if (w.sends(Method::Info, 200, 299)) set_status(w.edit(), 415);
     }},
    {"another-recv-info-in-2xx",
     {6086, "5.2.3", Level::Must},
     "lists another package in the 2xx than before",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299)) w.edit().set(HeaderId::RecvInfo, "another");
     }},
    {"swaps-target-dialog-tags",
     {4538, "3", Level::Must},
     "names the tags of Target-Dialog as it sees them itself",
     [](Wire& w) {
       if (!w.sends(Method::Refer)) return;
       std::string value(w.message().raw(HeaderId::TargetDialog));
       if (const auto at = value.find("local-tag="); at != std::string::npos)
         value.insert(at + 10, "not-");
       w.edit().set(HeaderId::TargetDialog, value);
     }},
    {"refers-in-the-dialog",
     {7647, "4", Level::Must},
     "sends REFER in the dialog whatever the Contact of its peer",
     [](Wire& w) {
       const Message* invite = w.last_request(true, Method::Invite);
       if (w.sends(Method::Refer) && invite != nullptr)
         w.edit().set(HeaderId::CallId, invite->raw(HeaderId::CallId));
     }},
    {"420-without-norefersub",
     {4488, "4", Level::Stated},
     "refuses norefersub and does not say that it was that",
     [](Wire& w) {
       if (w.sends(Method::Refer, 200, 299)) set_status(w.edit(), 420);
     }},
    {"suppresses-outside",
     {4488, "5", Level::ShouldNot},
     "sends Refer-Sub: false with a REFER that might fork",
     [](Wire& w) {
       if (w.sends(Method::Refer)) w.edit().set(HeaderId::ReferSub, "false");
     }},
    {"refers-nowhere",
     {7647, "4", Level::Must},
     "sends REFER in a dialog of its own that says nothing of the call",
     [](Wire& w) {
       if (!w.sends(Method::Refer)) return;
       w.edit().set(HeaderId::CallId, "of-its-own");
       set_tag(w.edit(), HeaderId::To, "");
       w.edit().remove(HeaderId::TargetDialog);
     }},
    {"bare-referred-by",
     {3892, "3", Level::Must},
     "writes a URI with parameters into Referred-By without brackets",
     [](Wire& w) {
       if (w.sends(Method::Refer))
         w.edit().set(HeaderId::ReferredBy, "sip:alice@192.0.2.1;transport=udp");
     }},
    {"another-identity-to-target",
     {3892, "2.2", Level::Should},
     "calls the target of a REFER as somebody else",
     [](Wire& w) {
       if (!w.sends(Method::Invite) || w.last_request(false, Method::Refer) == nullptr) return;
       const auto tag = tag_of(w.message(), HeaderId::From);
       w.edit().set(HeaderId::From, "<sip:somebody-else@192.0.2.1>");
       set_tag(w.edit(), HeaderId::From, tag);
     }},
    {"doubles-replaces-tags",
     {3891, "6.1", Level::Must},
     "writes two to-tags into Replaces",
     [](Wire& w) {
       if (w.sends(Method::Invite) && w.message().has(HeaderId::Replaces))
         w.edit().set(HeaderId::Replaces,
                      std::string(w.message().raw(HeaderId::Replaces)) + ";to-tag=again");
     }},
    {"zero-is-a-tag",
     {3891, "6.1", Level::Stated},
     "finds no dialog without tag for a tag of 0",
     [](Wire& w) {
       const Message* invite = w.last_request(false, Method::Invite);
       if (w.sends(Method::Invite, 200, 299) && invite != nullptr &&
           invite->raw(HeaderId::Replaces).contains("from-tag=0"))
         set_status(w.edit(), 481), drop_body(w.edit());
     }},
    {"sends-info-twice",
     {6086, "3", Level::MustNot},
     "sends the same as legacy INFO, too",
     [](Wire& w) {
       if (!w.sends(Method::Info) || w.is_repeated() || w.memory()++ > 0) return;
       Message again = w.message();
       again.remove(HeaderId::InfoPackage);
       set_branch(again, branch_of(again) + "x");
       set_cseq(again, cseq_number(again) + 1);
       w.send(std::move(again), 200ms);
     }},
    {"prefers-legacy-info",
     {6086, "3", Level::Must},
     "sends legacy INFO although the peer receives its package",
     [](Wire& w) {
       if (w.sends(Method::Info)) w.edit().remove(HeaderId::InfoPackage);
     }},
    {"info-without-call",
     {6086, "4.2.1", Level::MustNot},
     "sends INFO to whoever has asked for its options",
     [](Wire& w) {
       if (!w.gets(Method::Options) || w.is_repeated()) return;
       Message info = Message::request("INFO", "sip:peer@192.0.2.101:5060");
       info.add(HeaderId::Via, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKinfo-without-call");
       info.add(HeaderId::MaxForwards, "70");
       info.add(HeaderId::From, "<sip:sipassay@192.0.2.1>;tag=info");
       info.add(HeaderId::To, "<sip:peer@192.0.2.101:5060>");
       info.add(HeaderId::CallId, w.message().raw(HeaderId::CallId));
       info.add(HeaderId::CSeq, "1 INFO");
       info.set_body("text/plain", "hello");
       w.send(std::move(info), 500ms);
     }},
};

}  // namespace

std::span<const Misbehaviour> usages_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
