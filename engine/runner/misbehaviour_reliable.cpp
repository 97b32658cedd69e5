// Rows about reliable provisional responses (RFC 3262).
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

constexpr Misbehaviour rows[] = {
    {"reliable-100",
     {3262, "3", Level::MustNot},
     "sends 100 reliably",
     [](Wire& w) {
       if (w.sends(Method::Invite, 100, 100))
         w.edit().set(HeaderId::Require, "100rel").set(HeaderId::RSeq, "1");
     }},
    {"reliable-unasked",
     {3262, "3", Level::MustNot},
     "sends provisional responses reliably to callers that do not know 100rel",
     [](Wire& w) {
       if (w.sends(Method::Invite, 101, 199))
         w.edit().set(HeaderId::Require, "100rel").set(HeaderId::RSeq, "1");
     }},
    {"rseq-zero",
     {3262, "3", Level::Must},
     "begins RSeq at 0",
     [](Wire& w) {
       if (w.is_sent() && w.is_reliable_provisional()) w.edit().set(HeaderId::RSeq, "0");
     }},
    {"rseq-too-large",
     {3262, "3", Level::Must},
     "begins RSeq above 2**31 - 1",
     [](Wire& w) {
       if (w.is_sent() && w.is_reliable_provisional()) w.edit().set(HeaderId::RSeq, "4294967295");
     }},
    {"rseq-always-one",
     {3262, "3", Level::Should},
     "begins RSeq at 1 in every call",
     [](Wire& w) {
       if (w.is_sent() && w.is_reliable_provisional()) w.edit().set(HeaderId::RSeq, "1");
     }},
    {"rseq-skips",
     {3262, "3", Level::Must},
     "skips a number in RSeq",
     [](Wire& w) {
       if (!w.is_sent() || !w.is_reliable_provisional()) return;
       const auto rseq = w.message().maybe<RSeq>();
       const Message* before = w.last(true, [](const Message& m) { return m.has(HeaderId::RSeq); });
       if (rseq && before != nullptr &&
           before->raw(HeaderId::RSeq) != w.message().raw(HeaderId::RSeq))
         w.edit().set(HeaderId::RSeq, std::to_string(rseq->value + 1));
     }},
    {"drops-later-provisionals",
     {3262, "3", Level::Should},
     "sends one provisional response and no more",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 101, 199)) return;
       const Message* first = w.first(
           true, [](const Message& m) { return is_response_to(m, Method::Invite, 101, 199); });
       if (first != nullptr && first->to_string() != w.message().to_string()) w.drop();
     }},
    {"second-provisional-at-once",
     {3262, "3", Level::MustNot},
     "sends a second reliable provisional response before the first PRACK",
     [](Wire& w) {
       if (!w.is_sent() || !w.is_reliable_provisional() || w.is_repeated() || w.memory()++ > 0)
         return;
       const auto rseq = w.message().maybe<RSeq>();
       Message second = w.message();
       set_status(second, 180);
       drop_body(second);
       second.set(HeaderId::RSeq, std::to_string(rseq ? rseq->value + 1 : 2));
       w.send(std::move(second), 100ms);
     }},
    {"answers-before-prack",
     {3262, "3", Level::MustNot},
     "sends the 2xx while a provisional response with SDP is unacknowledged",
     [](Wire& w) {
       if (!w.is_sent() || !w.is_reliable_provisional() || w.is_repeated() || w.memory()++ > 0)
         return;
       Message ok = w.message();
       set_status(ok, 200);
       ok.remove(HeaderId::RSeq).remove(HeaderId::Require);
       w.send(std::move(ok), 100ms);
     }},
    {"repeats-provisional-after-prack",
     {3262, "3", Level::Should},
     "goes on with a provisional response after its PRACK",
     [](Wire& w) {
       if (w.sends(Method::Prack, 200, 299))
         w.send_again(w.last_response(true, Method::Invite, 101, 199), 1s);
     }},
    {"repeats-provisional-after-final",
     {3262, "3", Level::ShouldNot},
     "goes on with a provisional response after the final one",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 699))
         w.send_again(w.last_response(true, Method::Invite, 101, 199), 1s);
     }},
    {"provisional-after-final",
     {3262, "3", Level::MustNot},
     "sends a new reliable provisional response after the final one",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 200, 699) || w.memory()++ > 0) return;
       const Message* before = w.last_response(true, Method::Invite, 101, 199);
       if (before == nullptr) return;
       const auto rseq = before->maybe<RSeq>();
       Message late = *before;
       set_status(late, 180);
       late.set(HeaderId::RSeq, std::to_string(rseq ? rseq->value + 1 : 1));
       w.send(std::move(late), 1s);
     }},
    {"never-pracks",
     {3262, "4", Level::Must},
     "sends no PRACK",
     [](Wire& w) {
       if (w.sends(Method::Prack)) w.drop();
     }},
    {"rack-off-by-one",
     {3262, "4", Level::Must},
     "names the wrong response in RAck",
     [](Wire& w) {
       if (!w.sends(Method::Prack)) return;
       if (auto rack = w.message().maybe<RAck>()) {
         const std::string method(rack->method_text);
         w.edit().set(HeaderId::RAck, std::to_string(rack->rseq + 1) + " " +
                                          std::to_string(rack->cseq) + " " + method);
       }
     }},
    {"prack-keeps-cseq",
     {3262, "4", Level::Stated},
     "the PRACK has the CSeq number of the INVITE",
     [](Wire& w) {
       if (!w.sends(Method::Prack)) return;
       const Message* invite = w.last_request(true, Method::Invite);
       if (invite != nullptr) set_cseq(w.edit(), cseq_number(*invite));
     }},
    {"requires-100rel-everywhere",
     {3262, "4", Level::MustNot},
     "puts Require: 100rel into every request",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_request()) w.edit().set(HeaderId::Require, "100rel");
     }},
    {"pracks-unreliable",
     {3262, "4", Level::Must},
     "acknowledges every provisional response with PRACK",
     [](Wire& w) {
       if (!w.gets(Method::Invite, 100, 199)) return;
       auto prack = w.make_request("PRACK");
       if (!prack) return;
       const std::string rseq(w.message().raw(HeaderId::RSeq));
       prack->add(HeaderId::RAck, (rseq.empty() ? "1" : rseq) + " " +
                                      std::to_string(cseq_number(w.message())) + " INVITE");
       w.send(std::move(*prack), 10ms);
     }},
    {"pracks-again",
     {3262, "4", Level::ShouldNot},
     "acknowledges copies of a provisional response again",
     [](Wire& w) {
       if (w.is_sent() || !w.is_reliable_provisional() || !w.is_repeated()) return;
       auto prack = w.make_request("PRACK");
       if (!prack) return;
       const std::string rseq(w.message().raw(HeaderId::RSeq));
       prack->add(HeaderId::RAck, (rseq.empty() ? "1" : rseq) + " " +
                                      std::to_string(cseq_number(w.message())) + " INVITE");
       w.send(std::move(*prack), 10ms);
     }},
    {"pracks-out-of-order",
     {3262, "4", Level::MustNot},
     "acknowledges provisional responses in any order",
     [](Wire& w) {
       if (w.is_sent() || !w.is_reliable_provisional() || w.is_repeated()) return;
       const std::string tag = tag_of(w.message(), HeaderId::To);
       const Message* before = w.last(false, [&](const Message& m) {
         return m.has(HeaderId::RSeq) && tag_of(m, HeaderId::To) == tag;
       });
       const auto now = w.message().maybe<RSeq>();
       const auto then = before != nullptr ? before->maybe<RSeq>() : std::nullopt;
       if (!now || !then || now->value == then->value + 1) return;
       auto prack = w.make_request("PRACK");
       if (!prack) return;
       const std::string rseq(w.message().raw(HeaderId::RSeq));
       prack->add(HeaderId::RAck, (rseq.empty() ? "1" : rseq) + " " +
                                      std::to_string(cseq_number(w.message())) + " INVITE");
       w.send(std::move(*prack), 10ms);
     }},
};

}  // namespace

std::span<const Misbehaviour> reliable_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
