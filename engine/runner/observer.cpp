#include "engine/runner/observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/message/lint.h"
#include "engine/runner/match.h"
#include "engine/runner/values.h"
#include "engine/sdp/negotiate.h"

namespace sipassay::runner {
namespace {

const std::vector<ObserverRule> rules{
    {"response-to-tag-stable",
     {3261, "8.2.6.2", Level::Must},
     "one To tag in all responses to one request"},
    {"response-record-route-copied",
     {3261, "12.1.1", Level::Must},
     "all Record-Route values of the request, in order"},
    {"response-rseq-increments",
     {3262, "3", Level::Must},
     "RSeq one higher than in the reliable provisional before"},
    {"retransmission-identical", {3261, "17.2.1", Level::Must}, "a retransmission octet for octet"},
    {"request-cseq-increases",
     {3261, "12.2.1.1", Level::Must},
     "CSeq one higher with every new request in a dialog"},
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
      look_at_form(record);
      if (record.message.is_response())
        look_at_response(record);
      else
        look_at_request(record);
    }
    std::ranges::sort(findings_, {}, [](const ReportedFinding& finding) {
      return std::pair(finding.message, std::string_view(finding.rule));
    });
    return std::move(findings_);
  }

 private:
  void report(Finding finding, std::size_t entry) {
    for (auto& known : findings_) {
      if (known.rule != finding.rule) continue;
      ++known.count;
      return;
    }
    findings_.push_back({std::string(finding.rule), to_string(finding.clause),
                         std::move(finding.expected), std::move(finding.observed), 1, entry});
  }

  void report(std::string_view rule, std::string observed, std::size_t entry) {
    const auto row = std::ranges::find(rules, rule, &ObserverRule::name);
    report({row->name, row->clause, std::string(row->expected), std::move(observed)}, entry);
  }

  // A response repeats what its request had, faults that a case put there too.
  void look_at_form(const Record& record) {
    std::vector<Finding> excused;
    if (record.request) excused = lint(peers_.record(*record.request).message);
    for (auto& finding : lint(record.message))
      if (std::ranges::find(excused, finding.rule, &Finding::rule) == excused.end())
        report(std::move(finding), record.entry);
  }

  void look_at_response(const Record& record) {
    const auto& response = record.message;
    if (!record.request) return;
    const auto& request = peers_.record(*record.request).message;
    // What a case broke on purpose is not the SUT's to copy.
    if (lint(request).empty())
      for (auto& finding : lint_answer(request, response)) report(std::move(finding), record.entry);
    look_at_tag(record);
    if (request.method() != Method::Invite || response.status() == 100 || response.status() >= 300)
      return;
    const auto tag = message_value(response, "to.tag").value_or("");
    if (response.status() < 200 && !response.has(HeaderId::RSeq) && tag.empty()) return;
    const auto routes = header_values(request, "Record-Route");
    if (!routes.empty() && message_value(request, "to.tag").value_or("").empty() &&
        header_values(response, "Record-Route") != routes)
      report("response-record-route-copied",
             message_value(response, "record-route").value_or("absent"), record.entry);
    look_at_reliability(record);
    look_at_answer(record, request);
  }

  void look_at_tag(const Record& record) {
    const auto tag = message_value(record.message, "to.tag").value_or("");
    // A proxy gives the responses of several user agents.
    if (record.message.status() == 100 || tag.empty() || role_ == SutRole::Proxy) return;
    const auto [first, is_new] = tags_.try_emplace(*record.request, tag);
    if (!is_new && first->second != tag)
      report("response-to-tag-stable", tag + " after " + first->second, record.entry);
  }

  void look_at_reliability(const Record& record) {
    const auto& response = record.message;
    const auto rseq = ascii::number<std::uint32_t>(message_value(response, "rseq").value_or(""));
    if (!rseq || response.status() >= 200) return;
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
