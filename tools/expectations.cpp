#include "tools/expectations.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "reports/escape.h"
#include "scenarios/load.h"
#include "tools/selection.h"

namespace sipassay::tools {
namespace {

namespace fs = std::filesystem;
using runner::Case;
using runner::CaseResult;
using runner::Outcome;
using scenarios::KnownCase;

template <class One>  // a Case or a CaseResult
bool selects(const KnownCase& known, const One& one) {
  return matches(known.pattern, std::string_view(one.id)) ||
         std::ranges::any_of(one.rows, [&](const std::string& row) {
           return matches(known.pattern, std::string_view(row));
         });
}

bool selects_any(const KnownCase& known, const std::vector<Case>& cases) {
  return std::ranges::any_of(cases, [&](const Case& one) { return selects(known, one); });
}

// A path, or the name of a file in known/ of the scenarios.
std::string path_of(const std::string& written, const po::variables_map& values) {
  std::error_code ignored;
  if (fs::exists(written, ignored) || written.find('/') != std::string::npos) return written;
  const fs::path named = fs::path(scenarios_folder(values)) / "known" / (written + ".xml");
  return fs::exists(named, ignored) ? named.string() : written;
}

void report(const std::vector<scenarios::LoadError>& errors) {
  if (errors.empty()) return;
  for (const scenarios::LoadError& error : errors)
    fmt::print(stderr, "{}\n", reports::printable(scenarios::to_string(error)));
  throw UsageError{
      fmt::format("{} error{} in expectation files", errors.size(), errors.size() == 1 ? "" : "s")};
}

// An entry that matches nothing any more hides nothing either: it is a mistake.
void check_patterns(const Expectations& all, const po::variables_map& values,
                    const std::vector<Case>& cases) {
  if (std::ranges::all_of(all, [&](const KnownCase& one) { return selects_any(one, cases); }))
    return;
  const std::vector<Case> suite = scenarios::load_tree(scenarios_folder(values)).cases;
  std::vector<scenarios::LoadError> errors;
  for (const KnownCase& one : all)
    if (!selects_any(one, cases) && !selects_any(one, suite))
      errors.push_back({one.file, one.line, one.column, "a pattern that a case has",
                        fmt::format("\"{}\"", one.pattern)});
  report(errors);
}

template <class One>
const KnownCase* known_of(const Expectations& expectations, const One& one) {
  const auto found = std::ranges::find_if(
      expectations, [&](const KnownCase& known) { return selects(known, one); });
  return found == expectations.end() ? nullptr : &*found;
}

std::string words(const std::vector<Outcome>& outcomes) {
  std::vector<std::string_view> out;
  for (const Outcome outcome : outcomes) out.push_back(runner::to_string(outcome));
  return fmt::format("{}", fmt::join(out, " "));
}

bool is_as_known(const KnownCase& known, const CaseResult& result) {
  return std::ranges::find(known.outcomes, result.outcome) != known.outcomes.end() &&
         (known.observed.empty() || result.outcome == Outcome::Pass ||
          fnmatch(known.observed.c_str(), result.observed.c_str(), 0) == 0);
}

// PASS, INFO or NON-STRICT where worse was known.
bool is_better(const KnownCase& known, Outcome outcome) {
  const bool is_verdict =
      outcome == Outcome::Pass || outcome == Outcome::Info || outcome == Outcome::NonStrict;
  return is_verdict && outcome < *std::ranges::min_element(known.outcomes);
}

}  // namespace

void add_expectation_options(po::options_description& options) {
  options.add_options()(
      "expect", po::value<std::vector<std::string>>()->composing()->value_name("FILE"),
      "what is known of the SUT (scenarios/known/FILE.xml, or a path): a case that ends as it says "
      "is XFAIL and fails no run, one that ends better is XPASS and does. May be repeated");
}

Expectations expectations(const po::variables_map& values, const std::vector<Case>& cases) {
  Expectations out;
  std::vector<scenarios::LoadError> errors;
  for (const std::string& written : texts(values, "expect")) {
    auto loaded = scenarios::load_known_file(path_of(written, values));
    std::ranges::move(loaded.cases, std::back_inserter(out));
    std::ranges::move(loaded.errors, std::back_inserter(errors));
  }
  report(errors);
  check_patterns(out, values, cases);
  return out;
}

bool expects(const Expectations& expectations, const Case& one, Outcome outcome) {
  const KnownCase* known = known_of(expectations, one);
  return known != nullptr && std::ranges::find(known->outcomes, outcome) != known->outcomes.end();
}

void hold_against(const Expectations& expectations, CaseResult& result) {
  const KnownCase* known = known_of(expectations, result);
  if (known == nullptr) return;
  result.expectation = {
      .outcomes = words(known->outcomes),
      .actual = result.outcome,
      .clause = known->clause,
      .reason = known->reason,
      .where = fmt::format("{}:{}", fs::path(known->file).filename().string(), known->line)};
  if (is_as_known(*known, result)) {
    if (result.outcome != Outcome::Pass) result.outcome = Outcome::Xfail;
  } else if (is_better(*known, result.outcome)) {
    result.reason =
        fmt::format("{} came where {} is expected{}{}", runner::to_string(result.outcome),
                    result.expectation->outcomes, result.reason.empty() ? "" : ": ", result.reason);
    result.outcome = Outcome::Xpass;
  }
}

}  // namespace sipassay::tools
