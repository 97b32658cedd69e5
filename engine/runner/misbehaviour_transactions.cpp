// Rows about transactions: repetition, ACK, CANCEL.
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

constexpr Misbehaviour rows[] = {
    {"never-retransmits",
     {3261, "17", Level::Must},
     "sends every message once",
     [](Wire& w) {
       if (w.is_sent() && w.is_repeated()) w.drop();
     }},
    {"retransmits-over-tcp",
     {3261, "17.1.1.2", Level::ShouldNot},
     "sends each message again a second later, whatever the transport",
     [](Wire& w) {
       if (w.is_sent() && !w.is_repeated()) w.send(w.message(), 1s);
     }},
    {"retransmits-for-ever",
     {3261, "17.1.1.2", Level::Should},
     "still repeats messages after 64*T1",
     [](Wire& w) {
       if (w.is_sent() && !w.is_repeated()) w.send(w.message(), 35s);
     }},
    {"retransmits-invite-after-1xx",
     {3261, "17.1.1.2", Level::ShouldNot},
     "repeats the INVITE after a provisional response",
     [](Wire& w) {
       if (w.gets(Method::Invite, 100, 199)) w.send_again(w.last_request(true, Method::Invite), 1s);
     }},
    {"ignores-ack",
     {3261, "17.2.1", Level::Must},
     "does not see the ACK",
     [](Wire& w) {
       if (w.gets(Method::Ack)) w.drop();
     }},
    {"ignores-bye",
     {3261, "15.1.2", Level::Must},
     "does not see the BYE",
     [](Wire& w) {
       if (w.gets(Method::Bye)) w.drop();
     }},
    {"ignores-cancel",
     {3261, "9.2", Level::Stated},
     "does not see the CANCEL",
     [](Wire& w) {
       if (w.gets(Method::Cancel)) w.drop();
     }},
    {"ignores-reinvite",
     {3261, "14.2", Level::Must},
     "does not see re-INVITEs",
     [](Wire& w) {
       if (w.gets(Method::Invite) && !tag_of(w.message(), HeaderId::To).empty()) w.drop();
     }},
    {"late-ack-ignored",
     {5407, "3.1.4", Level::Stated},
     "takes an ACK below the highest CSeq for out of order",
     [](Wire& w) {
       if (!w.gets(Method::Ack)) return;
       const Message* invite = w.last_request(false, Method::Invite);
       if (invite != nullptr && cseq_number(w.message()) < cseq_number(*invite)) w.drop();
     }},
    {"2xx-goes-on-after-ack",
     {3261, "13.3.1.4", Level::Must},
     "repeats the 2xx after its ACK",
     [](Wire& w) {
       if (w.gets(Method::Ack)) w.send_again(w.last_response(true, Method::Invite, 200, 299), 1s);
     }},
    {"repeats-2xx-on-invite",
     {6026, "7.1", Level::MustNot},
     "sends the 2xx again when the INVITE comes again",
     [](Wire& w) {
       if (w.gets(Method::Invite) && w.is_repeated())
         w.send_again(w.last_response(true, Method::Invite, 200, 299));
     }},
    {"forgets-accepted-invite",
     {6026, "7.1", Level::Must},
     "has no transaction for an INVITE once it is accepted",
     [](Wire& w) {
       if (w.gets(Method::Invite) && w.is_repeated()) w.send(w.make_response(180));
     }},
    {"never-acks",
     {3261, "13.2.2.4", Level::Must},
     "sends no ACK",
     [](Wire& w) {
       if (w.sends(Method::Ack)) w.drop();
     }},
    {"never-acks-after-bye",
     {5407, "3.2.3", Level::Stated},
     "sends no ACK after its BYE",
     [](Wire& w) {
       if (w.sends(Method::Ack) && w.last_request(true, Method::Bye) != nullptr) w.drop();
     }},
    {"acks-once",
     {3261, "13.2.2.4", Level::Must},
     "acknowledges a final response once only",
     [](Wire& w) {
       if (w.sends(Method::Ack) && w.is_repeated()) w.drop();
     }},
    {"acks-any-2xx",
     {3261, "17.1.3", Level::Stated},
     "acknowledges every 2xx to an INVITE, whether it has a transaction or not",
     [](Wire& w) {
       if (!w.gets(Method::Invite, 200, 299)) return;
       if (auto ack = w.make_request("ACK")) w.send(std::move(*ack), 10ms);
     }},
    {"acks-for-ever",
     {6026, "7.2", Level::Stated},
     "acknowledges every 2xx to an INVITE, whether it has a transaction or not",
     [](Wire& w) {
       if (!w.gets(Method::Invite, 200, 299)) return;
       if (auto ack = w.make_request("ACK")) w.send(std::move(*ack), 10ms);
     }},
    {"acks-on-timeout",
     {3261, "17.1.1.2", Level::MustNot},
     "sends an ACK when the INVITE has timed out",
     [](Wire& w) {
       if (!w.sends(Method::Invite) || w.is_repeated()) return;
       if (auto ack = w.make_request("ACK")) w.send(std::move(*ack), 35s);
     }},
    {"ack-with-next-cseq",
     {3261, "13.2.2.4", Level::Must},
     "the ACK has a CSeq number one too high",
     [](Wire& w) {
       if (w.sends(Method::Ack)) set_cseq(w.edit(), cseq_number(w.message()) + 1);
     }},
    {"ack-with-branch-of-invite",
     {3261, "13.2.2.4", Level::Must},
     "the ACK for a 2xx has the branch of the INVITE",
     [](Wire& w) {
       if (!w.sends(Method::Ack)) return;
       const Message* invite = w.last_request(true, Method::Invite);
       if (invite != nullptr) set_branch(w.edit(), branch_of(*invite));
     }},
    {"acks-2xx-with-invite-branch",
     {3261, "13.2.2.4", Level::Must},
     "the ACK for a 2xx has the branch of the INVITE",
     [](Wire& w) {
       if (!w.sends(Method::Ack)) return;
       const Message* invite = w.last_request(true, Method::Invite);
       if (invite != nullptr) set_branch(w.edit(), branch_of(*invite));
     }},
    {"ack-with-own-branch",
     {3261, "17.1.1.3", Level::Must},
     "the ACK for a non-2xx has a branch of its own",
     [](Wire& w) {
       if (w.sends(Method::Ack)) set_branch(w.edit(), branch_of(w.message()) + "x");
     }},
    {"never-cancels",
     {3261, "9.1", Level::Should},
     "sends no CANCEL",
     [](Wire& w) {
       if (w.sends(Method::Cancel)) w.drop();
     }},
    {"cancel-with-own-branch",
     {3261, "9.1", Level::Must},
     "the CANCEL has a branch of its own",
     [](Wire& w) {
       if (w.sends(Method::Cancel)) set_branch(w.edit(), branch_of(w.message()) + "x");
     }},
    {"cancel-with-next-cseq",
     {3261, "9.1", Level::Must},
     "the CANCEL has a CSeq number one too high",
     [](Wire& w) {
       if (w.sends(Method::Cancel)) set_cseq(w.edit(), cseq_number(w.message()) + 1);
     }},
    {"cancels-at-once",
     {3261, "9.1", Level::MustNot},
     "sends CANCEL before any response",
     [](Wire& w) {
       if (!w.sends(Method::Invite) || w.is_repeated()) return;
       Message cancel = w.message();
       cancel.set_start_line("CANCEL " + std::string(w.message().request_uri()) + " SIP/2.0");
       cancel.set(HeaderId::CSeq, std::to_string(cseq_number(w.message())) + " CANCEL");
       drop_body(cancel);
       w.send(std::move(cancel), 300ms);
     }},
    {"cancels-instead-of-bye",
     {3261, "9.1", Level::ShouldNot},
     "ends an answered call with CANCEL",
     [](Wire& w) {
       if (!w.sends(Method::Bye)) return;
       w.edit().set_start_line("CANCEL " + std::string(w.message().request_uri()) + " SIP/2.0");
       w.edit().set(HeaderId::CSeq, std::to_string(cseq_number(w.message())) + " CANCEL");
     }},
    {"never-authenticates",
     {3261, "8.1.3.5", Level::Should},
     "does not try again with credentials",
     [](Wire& w) {
       if (w.is_sent() && (w.message().has(HeaderId::Authorization) ||
                           w.message().has(HeaderId::ProxyAuthorization)))
         w.drop();
     }},
    {"one-request-a-segment",
     {3261, "18.3", Level::Stated},
     "takes what follows a request in its segment for nothing",
     [](Wire& w) {
       if (w.gets(Method::Options) && w.message().raw(HeaderId::CallId).starts_with("second-"))
         w.drop();
     }},
    {"answers-on-old-connections",
     {3261, "18.2.2", Level::Should},
     "loses responses whose connection is gone",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299)) w.drop();
     }},
};

}  // namespace

std::span<const Misbehaviour> transactions_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
