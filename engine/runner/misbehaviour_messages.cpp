// Rows about header fields and their parts.
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

constexpr Misbehaviour rows[] = {
    {"omits-accept",
     {3261, "8.2.3", Level::Must},
     "sends no accept header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::Accept);
     }},
    {"omits-accept-encoding",
     {3261, "8.2.3", Level::Must},
     "sends no accept-encoding header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::AcceptEncoding);
     }},
    {"omits-accept-language",
     {3261, "11.2", Level::Should},
     "sends no accept-language header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::AcceptLanguage);
     }},
    {"omits-allow",
     {3261, "8.2.1", Level::Must},
     "sends no allow header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::Allow);
     }},
    {"omits-contact",
     {3261, "12.1.1", Level::Must},
     "sends no contact header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::Contact);
     }},
    {"omits-content-type",
     {3261, "7.4.1", Level::Must},
     "sends no content-type header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::ContentType);
     }},
    {"omits-info-package",
     {6086, "4.2.1", Level::Must},
     "sends no info-package header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::InfoPackage);
     }},
    {"omits-max-forwards",
     {3261, "8.1.1.6", Level::Must},
     "sends no max-forwards header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::MaxForwards);
     }},
    {"omits-rack",
     {3262, "4", Level::Must},
     "sends no rack header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::RAck);
     }},
    {"omits-record-route",
     {3261, "12.1.1", Level::Must},
     "sends no record-route header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::RecordRoute);
     }},
    {"omits-recv-info",
     {6086, "5.2.3", Level::Must},
     "sends no recv-info header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::RecvInfo);
     }},
    {"omits-refer-to",
     {3515, "2.4.1", Level::Must},
     "sends no refer-to header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::ReferTo);
     }},
    {"omits-retry-after",
     {3261, "14.2", Level::Must},
     "sends no retry-after header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::RetryAfter);
     }},
    {"omits-route",
     {3261, "12.2.1.1", Level::Must},
     "sends no route header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::Route);
     }},
    {"omits-rseq",
     {3262, "3", Level::Must},
     "sends no rseq header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::RSeq);
     }},
    {"omits-supported",
     {3261, "13.2.1", Level::Should},
     "sends no supported header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::Supported);
     }},
    {"omits-unsupported",
     {3261, "8.2.2.3", Level::Must},
     "sends no unsupported header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::Unsupported);
     }},
    {"omits-warning",
     {3261, "13.3.1.3", Level::Should},
     "sends no warning header field at all",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::Warning);
     }},
    {"ack-without-credentials",
     {3261, "22.1", Level::Must},
     "leaves the credentials of the INVITE out of the ACK",
     [](Wire& w) {
       if (w.sends(Method::Ack)) w.edit().remove(HeaderId::Authorization);
     }},
    {"omits-require-100rel",
     {3262, "3", Level::Must},
     "leaves Require out of reliable provisional responses",
     [](Wire& w) {
       if (w.is_sent() && w.is_reliable_provisional()) w.edit().remove(HeaderId::Require);
     }},
    {"omits-to-tag",
     {3261, "8.2.6.2", Level::Must},
     "sends no tag in To",
     [](Wire& w) {
       if (w.is_sent()) set_tag(w.edit(), HeaderId::To, "");
     }},
    {"omits-from-tag",
     {3261, "8.1.1.3", Level::Must},
     "sends no tag in the From of requests",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_request()) set_tag(w.edit(), HeaderId::From, "");
     }},
    {"branch-without-cookie",
     {3261, "8.1.1.7", Level::Must},
     "branches of requests lack z9hG4bK",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_request() && branch_of(w.message()).size() > 7)
         set_branch(w.edit(), branch_of(w.message()).substr(7));
     }},
    {"loses-from-parameters",
     {3261, "8.2.6.2", Level::Must},
     "copies only the tag of the request's From into responses",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().is_response()) return;
       const std::string tag = tag_of(w.message(), HeaderId::From);
       const std::string value(w.message().raw(HeaderId::From));
       w.edit().set(HeaderId::From, value.substr(0, value.find('>') + 1));
       set_tag(w.edit(), HeaderId::From, tag);
     }},
    {"lower-cases-call-id",
     {3261, "8.2.6.2", Level::Must},
     "changes the case of the Call-ID in responses",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_response())
         w.edit().set(HeaderId::CallId, ascii::to_lower(w.message().raw(HeaderId::CallId)));
     }},
    {"cseq-off-by-one-in-responses",
     {3261, "8.2.6.2", Level::Must},
     "answers with a CSeq number one too low",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_response())
         set_cseq(w.edit(), cseq_number(w.message()) - 1);
     }},
    {"tag-in-100",
     {3261, "17.2.1", Level::ShouldNot},
     "adds a To tag to 100",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 100) set_tag(w.edit(), HeaderId::To, "trying");
     }},
    {"new-tag-in-180",
     {3261, "8.2.6.2", Level::Must},
     "uses another To tag in 180 than before",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_response() && w.message().status() == 180)
         set_tag(w.edit(), HeaderId::To, "another");
     }},
    {"new-tag-in-2xx",
     {3261, "8.2.6.2", Level::Must},
     "uses another To tag in 2xx than before",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_response() && w.message().status() / 100 == 2)
         set_tag(w.edit(), HeaderId::To, "another");
     }},
    {"new-tag-in-cancel-response",
     {3261, "8.2.6.2", Level::Must},
     "uses another To tag in the response to CANCEL than before",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_response() && cseq_method(w.message()) == Method::Cancel)
         set_tag(w.edit(), HeaderId::To, "another");
     }},
    {"ignores-compact-forms",
     {3261, "7.3.3", Level::Must},
     "drops requests with compact header names",
     [](Wire& w) {
       if (w.is_sent()) return;
       for (std::size_t i = 0; i < w.message().field_count(); ++i)
         if (w.message().field(i).name.size() == 1) return w.drop();
     }},
    {"ignores-folded-lines",
     {3261, "7.3.1", Level::Must},
     "drops requests with folded header fields",
     [](Wire& w) {
       if (w.is_sent()) return;
       for (std::size_t i = 0; i < w.message().field_count(); ++i)
         if (w.message().field(i).value.find('\n') != std::string_view::npos) return w.drop();
     }},
    {"ignores-requests-with-unknown-headers",
     {3261, "8.2.2", Level::Must},
     "drops requests with a header field that it does not know",
     [](Wire& w) {
       if (w.is_sent()) return;
       for (std::size_t i = 0; i < w.message().field_count(); ++i)
         if (w.message().field(i).id == HeaderId::Other) return w.drop();
     }},
    {"ignores-requests-without-from-tag",
     {3261, "12.1.1", Level::Must},
     "drops requests that have no From tag",
     [](Wire& w) {
       if (!w.is_sent() && w.message().is_request() && tag_of(w.message(), HeaderId::From).empty())
         w.drop();
     }},
    {"ignores-surplus-octets",
     {3261, "18.3", Level::Must},
     "drops datagrams with octets behind the body",
     [](Wire& w) {
       if (!w.is_sent() && w.message().surplus_octets() > 0) w.drop();
     }},
    {"ignores-require",
     {3261, "8.2.2.3", Level::Must},
     "does as if requests had no Require",
     [](Wire& w) {
       if (!w.is_sent()) w.edit().remove(HeaderId::Require);
     }},
    {"unsupported-lists-all",
     {3261, "8.2.2.3", Level::Must},
     "names every option tag of Require in the 420",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 420)
         w.edit().set(HeaderId::Unsupported, "100rel, nosuchext");
     }},
    {"answers-once-per-branch",
     {3261, "17.2.3", Level::Must},
     "matches requests by branch alone and drops a second one",
     [](Wire& w) {
       if (w.is_sent() || !w.message().is_request()) return;
       const std::string branch = branch_of(w.message());
       if (!w.is_repeated() && w.first(false, [&](const Message& m) {
             return m.is_request() && branch_of(m) == branch;
           }) != nullptr)
         w.drop();
     }},
};

}  // namespace

std::span<const Misbehaviour> messages_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
