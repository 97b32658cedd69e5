// sipassay lint: holds the messages of a capture against the always-on rules.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/capture/exchange.h"
#include "engine/capture/file.h"
#include "engine/message/lint.h"
#include "engine/runner/observer.h"
#include "reports/escape.h"
#include "reports/lint_report.h"
#include "reports/totals.h"
#include "tools/commands.h"
#include "tools/options.h"
#include "tools/outputs.h"

namespace sipassay::tools {
namespace {

using capture::Captured;
using reports::LintResult;

// Senders as numbers, in the order of appearance.
class Senders {
 public:
  std::size_t number(const Endpoint& endpoint) {
    const auto [found, is_new] = numbers_.try_emplace(endpoint, names_.size());
    if (is_new) names_.push_back(to_string(endpoint));
    return found->second;
  }
  const std::string& name(std::size_t number) const { return names_[number]; }

 private:
  std::map<Endpoint, std::size_t> numbers_;
  std::vector<std::string> names_;
};

std::string first_line(const Captured& captured) {
  return captured.error ? captured.octets.substr(0, captured.octets.find('\n'))
                        : std::string(captured.message.start_line());
}

std::vector<reports::LintEntry> judge(const std::vector<Captured>& messages) {
  Senders senders;
  std::vector<runner::Seen> log;
  std::vector<runner::Malformed> malformed;
  const auto places = capture::places(messages);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Captured& one = messages[i];
    const capture::Place& place = places[i];
    const std::size_t sender = senders.number(one.from);
    runner::Seen seen{.message = &one.message,
                      .entry = i,
                      .sender = sender,
                      .is_judged = !one.error && !place.copy_of,
                      .request = place.request,
                      .original = place.original,
                      .changed_copies = {}};
    if (one.error) malformed.push_back({i, sender, *one.error});
    if (place.copy_of && one.message.to_string() != messages[*place.copy_of].message.to_string())
      log[*place.copy_of].changed_copies.push_back(i);
    log.push_back(std::move(seen));
  }
  std::vector<reports::LintEntry> out;
  for (auto& found : runner::observe(log, malformed, {.may_be_proxy = true, .may_lack = true})) {
    const Captured& first = messages[found.entry];
    out.push_back({std::string(found.finding.rule), found.finding.clause,
                   senders.name(found.sender), std::move(found.finding.expected),
                   std::move(found.finding.observed), first_line(first), first.frame, first.at,
                   found.count});
  }
  std::ranges::stable_sort(out, std::greater(), [](const reports::LintEntry& entry) {
    return reports::severity(entry.clause.level);
  });
  return out;
}

LintResult examine(const std::string& path) {
  capture::Decoder decoder;
  if (const auto done = capture::read_file(path, decoder); !done)
    throw UsageError{
        fmt::format("{}: {}", reports::printable(path), reports::printable(done.error()))};
  const capture::Counts& counts = decoder.counts();
  LintResult out{.version = SIPASSAY_VERSION,
                 .file = path,
                 .frames = counts.frames,
                 .messages = decoder.messages().size(),
                 .unread = {},
                 .findings = judge(decoder.messages())};
  const auto unread = [&out](std::string_view why, std::size_t count) {
    if (count != 0) out.unread.emplace_back(why, count);
  };
  for (std::size_t i = 0; i < counts.skipped.size(); ++i)
    unread(to_string(static_cast<capture::Skip>(i)), counts.skipped[i]);
  unread("not SIP", counts.other);
  unread("TLS connections", counts.tls);
  unread("gaps in TCP streams", counts.gaps);
  unread("beyond our limits", counts.too_many);
  return out;
}

void print_rules() {
  const auto print = [](std::string_view name, const Clause& clause) {
    fmt::print("{:<30} {}\n", name, to_string(clause));
  };
  for (const LintRule& rule : lint_rules()) print(rule.name, rule.clause);
  for (const AnswerRule& rule : answer_rules()) print(rule.name, rule.clause);
  for (const runner::ObserverRule& rule : runner::observer_rules()) print(rule.name, rule.clause);
}

}  // namespace

int lint(const Arguments& arguments) {
  po::options_description options;
  options.add_options()(
      "report", po::value<std::vector<std::string>>()->composing()->value_name("NAME[=FILE]"),
      "text (default), json or sarif, any number of times; without FILE it goes "
      "to standard output")("strict", "warnings fail too")("rules",
                                                           "print all rules with their clauses");
  const auto values = parse({"lint", "FILE.pcap",
                             "Holds every SIP message of a capture (pcap or pcapng; UDP, and TCP "
                             "put together again)\nagainst the rules that hold for all messages. "
                             "Exit status 1: a MUST was broken."},
                            arguments, options);
  if (!values) return reports::exit_as_expected;
  if (values->count("rules") != 0) {
    print_rules();
    return reports::exit_as_expected;
  }
  const auto files = texts(*values, "argument");
  if (files.size() != 1) throw UsageError{"lint takes one capture file (sipassay lint --help)"};
  std::vector<std::string_view> names;
  for (const reports::LintFormat& format : reports::lint_formats()) names.push_back(format.name);
  const auto where = report_wishes(*values, names);
  const LintResult result = examine(files[0]);
  for (const ReportWish& wish : where)
    write_report(wish.file, reports::find_lint_format(wish.name)->render(result));
  const bool is_bad =
      result.count(reports::Severity::Error) != 0 ||
      (values->count("strict") != 0 && result.count(reports::Severity::Warning) != 0);
  return is_bad ? reports::exit_failed : reports::exit_as_expected;
}

}  // namespace sipassay::tools
