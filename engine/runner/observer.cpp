#include "engine/runner/observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/base/ascii.h"
#include "engine/runner/match.h"
#include "engine/runner/values.h"
#include "engine/sdp/negotiate.h"

namespace sipassay::runner {
namespace {

const std::vector<ObserverRule> rules{
    {"response-via-echoed",
     {3261, "8.2.6.2", Level::Must},
     "Via of the response as in the request"},
    {"response-from-echoed",
     {3261, "8.2.6.2", Level::Must},
     "From of the response as in the request"},
    {"response-call-id-echoed",
     {3261, "8.2.6.2", Level::Must},
     "Call-ID of the response as in the request"},
    {"response-cseq-echoed",
     {3261, "8.2.6.2", Level::Must},
     "CSeq of the response as in the request"},
    {"response-to-echoed",
     {3261, "8.2.6.2", Level::Must},
     "To of the response as in the request, but for a tag"},
    {"response-to-tag-present",
     {3261, "8.2.6.2", Level::Must},
     "a To tag in every response but 100"},
    {"response-to-tag-stable",
     {3261, "8.2.6.2", Level::Must},
     "one To tag in all responses to one request"},
    {"response-record-route-copied",
     {3261, "12.1.1", Level::Must},
     "all Record-Route values of the request, in order"},
    {"response-contact-present",
     {3261, "12.1.1", Level::Must},
     "a Contact in a response that makes a dialog"},
    {"response-rseq-increments",
     {3262, "3", Level::Must},
     "RSeq one higher than in the reliable provisional before"},
    {"response-require-100rel", {3262, "3", Level::Must}, "Require: 100rel with RSeq"},
    {"retransmission-identical", {3261, "17.2.1", Level::Must}, "a retransmission octet for octet"},
    {"request-cseq-method",
     {3261, "8.1.1.5", Level::Must},
     "the method of CSeq is that of the request"},
    {"request-cseq-increases",
     {3261, "12.2.1.1", Level::Must},
     "CSeq one higher with every new request in a dialog"},
    {"request-contact-present",
     {3261, "8.1.1.8", Level::Must},
     "exactly one Contact in a request that makes a dialog"},
    {"request-tag-present", {3261, "8.1.1.3", Level::Must}, "a From tag"},
    {"request-max-forwards", {3261, "8.1.1.6", Level::Must}, "a Max-Forwards"},
    {"request-branch-unique",
     {3261, "8.1.1.7", Level::Must},
     "a branch of its own for every new transaction"},
    {"answer-fits-offer", {3264, "6", Level::Must}, "an answer that fits the offer"},
    {"message-well-formed", {3261, "7", Level::Must}, "a message of the grammar"},
};

class Observer {
 public:
  Observer(const Peers& peers, SutRole role) : peers_(peers), role_(role) {}

  std::vector<ReportedFinding> run() {
    for (const auto& malformed : peers_.malformed())
      report("message-well-formed", to_string(malformed.error), malformed.entry);
    for (const auto& record : peers_.records()) {
      if (!record.is_from_sut) continue;
      for (const auto& copy : record.copies)
        if (!copy.is_identical)
          report("retransmission-identical", describe(record.message) + " with other octets",
                 copy.entry);
      if (record.message.is_response())
        look_at_response(record);
      else
        look_at_request(record);
    }
    std::ranges::stable_sort(findings_, {}, &ReportedFinding::message);
    return std::move(findings_);
  }

 private:
  void report(std::string_view rule, std::string observed, std::size_t entry) {
    for (auto& finding : findings_) {
      if (finding.rule != rule) continue;
      ++finding.count;
      return;
    }
    const auto row = std::ranges::find(rules, rule, &ObserverRule::name);
    findings_.push_back({std::string(rule), to_string(row->clause), std::string(row->expected),
                         std::move(observed), 1, entry});
  }

  // The values of a response's field against those of its request.
  void compare(const Record& record, const Message& request, std::string_view header,
               std::string_view rule) {
    const auto wanted = message_value(request, header);
    const auto found = message_value(record.message, header);
    if (wanted && wanted != found)
      report(rule, fmt::format("{}: {}", header, found.value_or("absent")), record.entry);
  }

  void look_at_response(const Record& record) {
    const auto& response = record.message;
    if (!record.request) return;
    const auto& sent = peers_.record(*record.request);
    const auto& request = sent.message;
    look_at_via(record, request);
    compare(record, request, "call-id", "response-call-id-echoed");
    compare(record, request, "cseq", "response-cseq-echoed");
    compare(record, request, "from", "response-from-echoed");
    look_at_to(record, request);
    if (request.method() != Method::Invite || response.status() == 100 || response.status() >= 300)
      return;
    if (response.status() < 200 && !response.has(HeaderId::RSeq) &&
        message_value(response, "to.tag").value_or("").empty())
      return;
    const auto routes = header_values(request, "Record-Route");
    if (!routes.empty() && message_value(request, "to.tag").value_or("").empty() &&
        header_values(response, "Record-Route") != routes)
      report("response-record-route-copied",
             message_value(response, "record-route").value_or("absent"), record.entry);
    if (!response.has(HeaderId::Contact))
      report("response-contact-present", describe(response) + " without Contact", record.entry);
    look_at_reliability(record);
    look_at_answer(record, request);
  }

  void look_at_via(const Record& record, const Message& request) {
    const auto wanted = header_values(request, "Via");
    const auto found = header_values(record.message, "Via");
    bool is_same = wanted.size() == found.size();
    for (std::size_t i = 0; is_same && i < wanted.size(); ++i) {
      // received and rport are the server's to write (18.2.1, RFC 3581 4).
      is_same = value_token(wanted[i]) == value_token(found[i]) &&
                value_param("Via", wanted[i], "branch") == value_param("Via", found[i], "branch");
    }
    if (!is_same)
      report("response-via-echoed", found.empty() ? "absent" : found.front(), record.entry);
  }

  void look_at_to(const Record& record, const Message& request) {
    const auto& response = record.message;
    const auto wanted_tag = message_value(request, "to.tag");
    const auto tag = message_value(response, "to.tag");
    if (message_value(request, "to.uri") != message_value(response, "to.uri") ||
        (wanted_tag && !wanted_tag->empty() && tag != wanted_tag))
      report("response-to-echoed", message_value(response, "to").value_or("absent"), record.entry);
    if (response.status() == 100) return;
    if (!tag || tag->empty())
      return report("response-to-tag-present", describe(response) + " without a To tag",
                    record.entry);
    // A proxy gives the responses of several user agents.
    if (role_ == SutRole::Proxy) return;
    const auto [first, is_new] = tags_.try_emplace(*record.request, *tag);
    if (!is_new && first->second != *tag)
      report("response-to-tag-stable", *tag + " after " + first->second, record.entry);
  }

  void look_at_reliability(const Record& record) {
    const auto& response = record.message;
    const auto rseq = ascii::number<std::uint32_t>(message_value(response, "rseq").value_or(""));
    if (!rseq || response.status() >= 200) return;
    const auto required = header_values(response, "Require");
    if (std::ranges::none_of(required,
                             [](const auto& tag) { return ascii::iequals(tag, "100rel"); }))
      report("response-require-100rel", describe(response) + " with RSeq and without it",
             record.entry);
    const auto key = std::pair(*record.request, message_value(response, "to.tag").value_or(""));
    const auto [last, is_first] = rseqs_.try_emplace(key, *rseq);
    if (!is_first && *rseq != last->second + 1)
      report("response-rseq-increments", fmt::format("RSeq {} after {}", *rseq, last->second),
             record.entry);
    last->second = *rseq;
  }

  void look_at_answer(const Record& record, const Message& request) {
    const auto offer = sdp_of(request);
    const auto answer = sdp_of(record.message);
    if (!offer || !answer) return;
    std::vector<Finding> departures;
    const auto first = sdp::parse_lenient(*offer, departures);
    const auto second = sdp::parse_lenient(*answer, departures);
    if (!first) return;
    if (!second) return report("answer-fits-offer", "an SDP that cannot be read", record.entry);
    const auto findings = sdp::check_answer(*first, *second);
    if (!findings.empty())
      report("answer-fits-offer",
             fmt::format("{}: {}", findings.front().rule, findings.front().observed), record.entry);
  }

  void look_at_request(const Record& record) {
    const auto& request = record.message;
    const auto method = std::string(request.method_text());
    if (message_value(request, "cseq.method") != method)
      report("request-cseq-method", message_value(request, "cseq").value_or("absent"),
             record.entry);
    if (message_value(request, "from.tag").value_or("").empty())
      report("request-tag-present", describe(request) + " without a From tag", record.entry);
    if (!request.has(HeaderId::MaxForwards))
      report("request-max-forwards", describe(request) + " without it", record.entry);
    if (request.method() == Method::Invite && header_values(request, "Contact").size() != 1)
      report("request-contact-present",
             fmt::format("{} values", header_values(request, "Contact").size()), record.entry);
    if (request.method() == Method::Ack || request.method() == Method::Cancel) return;
    const auto branch = message_value(request, "via.branch").value_or("");
    if (!branch.empty() && !branches_.insert({branch, record.entry}).second)
      report("request-branch-unique", branch + " again", record.entry);
    const auto number =
        ascii::number<std::uint32_t>(message_value(request, "cseq.number").value_or(""));
    if (!number) return;
    const auto key = message_value(request, "call-id").value_or("") + " " +
                     message_value(request, "from.tag").value_or("") + " " +
                     message_value(request, "to.tag").value_or("");
    const auto [last, is_first] = cseqs_.try_emplace(key, *number);
    if (!is_first && *number != last->second + 1)
      report("request-cseq-increases", fmt::format("{} after {}", *number, last->second),
             record.entry);
    last->second = std::max(last->second, *number);
  }

  const Peers& peers_;
  SutRole role_;
  std::vector<ReportedFinding> findings_;
  std::map<RecordId, std::string> tags_;
  std::map<std::pair<RecordId, std::string>, std::uint32_t> rseqs_;
  std::map<std::string, std::uint32_t> cseqs_;
  std::map<std::string, std::size_t> branches_;
};

}  // namespace

const std::vector<ObserverRule>& observer_rules() {
  return rules;
}

std::vector<ReportedFinding> observe(const Peers& peers, SutRole role) {
  return Observer(peers, role).run();
}

}  // namespace sipassay::runner
