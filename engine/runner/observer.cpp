#include "engine/runner/observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
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
  Observer(std::span<const Seen> log, const ObserverOptions& options)
      : log_(log), options_(options) {}

  std::vector<Observation> run(std::span<const Malformed> malformed) {
    for (const Malformed& one : malformed)
      report("message-well-formed", to_string(one.error), one.entry, one.sender);
    for (const Seen& seen : log_) {
      if (!seen.is_judged) continue;
      if (is_retransmitted_as_it_is(seen))
        for (const std::size_t entry : seen.changed_copies)
          report("retransmission-identical", describe(*seen.message) + " with other octets", entry,
                 seen.sender);
      look_at_form(seen);
      if (seen.message->is_response())
        look_at_response(seen);
      else
        look_at_request(seen);
    }
    std::ranges::sort(observations_, {}, [](const Observation& one) {
      return std::tuple(one.entry, one.finding.rule, one.sender);
    });
    return std::move(observations_);
  }

 private:
  // The ACK for a 2xx is no transaction's: its core hands it over for each copy of the 2xx
  // (13.2.2.4), and one that writes it anew each time does no harm. A request that a proxy sent on
  // changes as what comes in changes.
  static bool is_retransmitted_as_it_is(const Seen& seen) {
    const auto& message = *seen.message;
    const bool is_passed_on =
        seen.original || (message.is_request() && message.line_count(HeaderId::Via) > 1);
    return !is_passed_on && message.method() != Method::Ack;
  }

  void report(Finding finding, std::size_t entry, std::size_t sender) {
    const auto [known, is_new] =
        known_.try_emplace(std::pair(finding.rule, sender), observations_.size());
    if (is_new)
      observations_.push_back({std::move(finding), entry, sender, 1});
    else
      ++observations_[known->second].count;
  }

  void report(std::string_view rule, std::string observed, std::size_t entry, std::size_t sender) {
    const auto row = std::ranges::find(rules, rule, &ObserverRule::name);
    report({row->name, row->clause, std::string(row->expected), std::move(observed)}, entry,
           sender);
  }

  // A response repeats what its request had, and a proxy what came in: faults that others put there
  // too.
  void look_at_form(const Seen& seen) {
    std::vector<Finding> excused;
    for (const auto& source : {seen.request, seen.original})
      if (source) std::ranges::move(lint(*log_[*source].message), std::back_inserter(excused));
    for (auto& finding : lint(*seen.message))
      if (std::ranges::find(excused, finding.rule, &Finding::rule) == excused.end())
        report(std::move(finding), seen.entry, seen.sender);
  }

  void look_at_response(const Seen& seen) {
    const auto& response = *seen.message;
    if (!seen.request) return;
    const auto& request = *log_[*seen.request].message;
    // What a case broke on purpose is not the SUT's to copy.
    if (lint(request).empty()) {
      std::vector<Finding> excused;  // what a proxy passed on as it came
      if (seen.original) excused = lint_answer(request, *log_[*seen.original].message);
      for (auto& finding : lint_answer(request, response))
        if (std::ranges::find(excused, finding.rule, &Finding::rule) == excused.end())
          report(std::move(finding), seen.entry, seen.sender);
    }
    look_at_tag(seen);
    if (request.method() != Method::Invite || response.status() == 100 || response.status() >= 300)
      return;
    const auto tag = message_value(response, "to.tag").value_or("");
    if (response.status() < 200 && !response.has(HeaderId::RSeq) && tag.empty()) return;
    const auto due = header_values(request, "Record-Route");
    auto copied = header_values(response, "Record-Route");
    // Proxies between us and the user agent put theirs in front.
    if (options_.may_be_proxy && copied.size() > due.size())
      copied.erase(copied.begin(), copied.end() - static_cast<std::ptrdiff_t>(due.size()));
    if (!due.empty() && message_value(request, "to.tag").value_or("").empty() && copied != due)
      report("response-record-route-copied",
             message_value(response, "record-route").value_or("absent"), seen.entry, seen.sender);
    look_at_reliability(seen);
    look_at_answer(seen, request);
  }

  void look_at_tag(const Seen& seen) {
    const auto tag = message_value(*seen.message, "to.tag").value_or("");
    // A proxy gives the responses of several user agents.
    if (seen.message->status() == 100 || tag.empty() || options_.may_be_proxy) return;
    const auto [first, is_new] = tags_.try_emplace(*seen.request, tag);
    if (!is_new && first->second != tag)
      report("response-to-tag-stable", tag + " after " + first->second, seen.entry, seen.sender);
  }

  void look_at_reliability(const Seen& seen) {
    const auto& response = *seen.message;
    const auto rseq = ascii::number<std::uint32_t>(message_value(response, "rseq").value_or(""));
    if (!rseq || response.status() >= 200) return;
    const auto key = std::pair(*seen.request, message_value(response, "to.tag").value_or(""));
    const auto [last, is_first] = rseqs_.try_emplace(key, *rseq);
    if (!is_first && !is_next(*rseq, last->second))
      report("response-rseq-increments", fmt::format("RSeq {} after {}", *rseq, last->second),
             seen.entry, seen.sender);
    last->second = *rseq;
  }

  bool is_next(std::uint32_t number, std::uint32_t last) const {
    return options_.may_lack ? number > last : number == last + 1;
  }

  void look_at_answer(const Seen& seen, const Message& request) {
    // A body of another disposition is no offer (RFC 3261 13.2.1, RFC 5621 8.1).
    const auto disposition = request.maybe<ContentDisposition>();
    if (disposition && !ascii::iequals(disposition->type, "session")) return;
    const auto offer = sdp_of(request);
    const auto answer = sdp_of(*seen.message);
    if (!offer || !answer) return;
    std::vector<Finding> departures;
    const auto first = sdp::parse_lenient(*offer, departures);
    const auto second = sdp::parse_lenient(*answer, departures);
    if (!first) return;
    if (!second)
      return report("answer-fits-offer", "an SDP that cannot be read", seen.entry, seen.sender);
    const auto findings = sdp::check_answer(*first, *second);
    if (!findings.empty())
      report("answer-fits-offer",
             fmt::format("{}: {}", findings.front().rule, findings.front().observed), seen.entry,
             seen.sender);
  }

  void look_at_request(const Seen& seen) {
    const auto& request = *seen.message;
    if (request.method() == Method::Ack || request.method() == Method::Cancel) return;
    const auto branch = message_value(request, "via.branch").value_or("");
    if (!branch.empty() && !branches_.insert({seen.sender, branch}).second)
      report("request-branch-unique", branch + " again", seen.entry, seen.sender);
    const auto number =
        ascii::number<std::uint32_t>(message_value(request, "cseq.number").value_or(""));
    if (!number) return;
    const auto key = message_value(request, "call-id").value_or("") + " " +
                     message_value(request, "from.tag").value_or("") + " " +
                     message_value(request, "to.tag").value_or("");
    const auto [last, is_first] = cseqs_.try_emplace({seen.sender, key}, *number);
    // A proxy may send one request to several targets.
    const bool is_passed_on = options_.may_be_proxy && request.all<Via>().count() > 1;
    if (!is_first && !is_passed_on && !is_next(*number, last->second))
      report("request-cseq-increases", fmt::format("{} after {}", *number, last->second),
             seen.entry, seen.sender);
    last->second = std::max(last->second, *number);
  }

  using BySender = std::pair<std::size_t, std::string>;

  std::span<const Seen> log_;
  ObserverOptions options_;
  std::vector<Observation> observations_;
  std::map<std::pair<std::string_view, std::size_t>, std::size_t> known_;
  std::map<std::size_t, std::string> tags_;                             // by request
  std::map<std::pair<std::size_t, std::string>, std::uint32_t> rseqs_;  // by request and To tag
  std::map<BySender, std::uint32_t> cseqs_;                             // by dialog
  std::set<BySender> branches_;
};

}  // namespace

const std::vector<ObserverRule>& observer_rules() {
  return rules;
}

std::vector<Observation> observe(std::span<const Seen> log, std::span<const Malformed> malformed,
                                 const ObserverOptions& options) {
  return Observer(log, options).run(malformed);
}

namespace {

// What a peer sent, and the SUT as a proxy sent on.
std::optional<std::size_t> passed_on(const Peers& peers, RecordId id) {
  const auto& message = peers.record(id).message;
  const auto same = [&](const Message& other, std::string_view path) {
    return message_value(message, path) == message_value(other, path);
  };
  for (RecordId before = id; before-- > 0;) {
    const auto& other = peers.record(before);
    if (!other.is_from_sut && other.message.is_request() == message.is_request() &&
        other.message.status() == message.status() && same(other.message, "call-id") &&
        same(other.message, "cseq"))
      return before;
  }
  return std::nullopt;
}

}  // namespace

std::vector<ReportedFinding> observe(const Peers& peers, SutRole role) {
  std::vector<Seen> log;
  for (RecordId id = 0; id < peers.records().size(); ++id) {
    const Record& record = peers.record(id);
    Seen seen{.message = &record.message,
              .entry = record.entry,
              .is_judged = record.is_from_sut,
              .request = record.request,
              .original = {},
              .changed_copies = {}};
    for (const Copy& copy : record.copies)
      if (!copy.is_identical) seen.changed_copies.push_back(copy.entry);
    if (role == SutRole::Proxy && record.is_from_sut) seen.original = passed_on(peers, id);
    log.push_back(std::move(seen));
  }
  std::vector<Malformed> malformed;
  for (const auto& one : peers.malformed()) malformed.push_back({one.entry, 0, one.error});
  std::vector<ReportedFinding> out;
  for (auto& [finding, entry, sender, count] :
       observe(log, malformed, {.may_be_proxy = role == SutRole::Proxy}))
    out.push_back({std::string(finding.rule), to_string(finding.clause),
                   std::move(finding.expected), std::move(finding.observed), count, entry});
  return out;
}

}  // namespace sipassay::runner
