#include "reports/junit.h"

#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/ladder.h"
#include "reports/text.h"
#include "reports/totals.h"

namespace sipassay::reports {
namespace {

using runner::CaseResult;
using runner::Outcome;

bool is_skipped(Outcome outcome) {
  return outcome == Outcome::Unsupported || outcome == Outcome::NotApplicable ||
         outcome == Outcome::Xfail;
}

// "RFC 3262 section 4, MUST NOT" -> "RFC3262.4": CI servers group at dots.
std::string class_name(const CaseResult& one) {
  constexpr std::string_view between = " section ";
  const std::string clause = one.clause.substr(0, one.clause.find(','));
  const std::size_t at = clause.find(between);
  if (!clause.starts_with("RFC ") || at == std::string::npos) return "sipassay";
  const std::string rfc = clause.substr(4, at - 4);
  const std::string section = clause.substr(at + between.size());
  return fmt::format("RFC{}.{}", rfc, section);
}

std::string details(const CaseResult& one) {
  std::string out;
  render_failure(one, RenderOptions{}, out);
  return out;
}

void append_verdict(const CaseResult& one, const RenderOptions& options, std::string& out) {
  const std::string outcome(runner::to_string(one.outcome));
  if (is_failure(one.outcome, options)) {
    out += fmt::format("      <failure type=\"{}\" message=\"{}\">{}</failure>\n", outcome,
                       markup(printable(one.reason)), markup(details(one)));
  } else if (one.outcome == Outcome::Error) {
    out += fmt::format("      <error type=\"ERROR\" message=\"{}\">{}</error>\n",
                       markup(printable(one.reason)), markup(details(one)));
  } else if (is_skipped(one.outcome)) {
    const std::string why = one.outcome == Outcome::Xfail ? known_text(one) : one.reason;
    out += fmt::format("      <skipped message=\"{}: {}\"/>\n", outcome, markup(printable(why)));
  } else if (one.outcome != Outcome::Pass) {
    out += fmt::format("      <system-out>{}: {}</system-out>\n", outcome, markup(one.reason));
  }
}

struct Counts {
  std::size_t failures = 0, errors = 0, skipped = 0;
  Duration took{};
};

Counts count(const runner::RunResult& result, const RenderOptions& options) {
  Counts out;
  for (const CaseResult& one : result.cases) {
    if (is_failure(one.outcome, options)) ++out.failures;
    if (one.outcome == Outcome::Error) ++out.errors;
    if (is_skipped(one.outcome)) ++out.skipped;
    out.took += one.took;
  }
  return out;
}

void append_properties(const runner::RunInfo& run, std::string& out) {
  const auto property = [&](std::string_view name, std::string_view value) {
    if (!value.empty())
      out += fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name,
                         markup(printable(value)));
  };
  out += "    <properties>\n";
  property("version", run.version);
  property("seed", std::to_string(run.seed));
  property("sut", run.sut);
  property("sut_name", run.sut_name);
  property("partial", run.partial ? run.partial_reason : "");
  out += "    </properties>\n";
}

}  // namespace

void render_junit(const runner::RunResult& result, const RenderOptions& options, std::string& out) {
  const Counts sums = count(result, options);
  const std::string attributes = fmt::format(
      "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\"", result.cases.size(),
      sums.failures, sums.errors, sums.skipped, seconds(sums.took));
  out += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  out += fmt::format("<testsuites name=\"sipassay\" {}>\n", attributes);
  out += fmt::format("  <testsuite name=\"{}\" {}", markup(printable(result.run.sut)), attributes);
  if (!result.run.started.empty())
    out += fmt::format(" timestamp=\"{}\"", markup(printable(result.run.started)));
  out += ">\n";
  append_properties(result.run, out);
  for (const CaseResult& one : result.cases) {
    std::string verdict;
    append_verdict(one, options, verdict);
    out += fmt::format("    <testcase classname=\"{}\" name=\"{} {}\" time=\"{}\"",
                       markup(printable(class_name(one))), markup(printable(one.id)),
                       markup(printable(one.title)), seconds(one.took));
    out += verdict.empty() ? "/>\n" : ">\n" + verdict + "    </testcase>\n";
  }
  out += "  </testsuite>\n</testsuites>\n";
}

}  // namespace sipassay::reports
