// sipassay run: the cases, their verdicts, the reports.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "engine/base/ascii.h"
#include "reports/ladder.h"
#include "reports/totals.h"
#include "tools/catalogue.h"
#include "tools/commands.h"
#include "tools/embedded.h"
#include "tools/expectations.h"
#include "tools/interrupt.h"
#include "tools/live.h"
#include "tools/outputs.h"
#include "tools/run_options.h"
#include "tools/selection.h"
#include "tools/teeth.h"

namespace sipassay::tools {
namespace {

using runner::Case;
using runner::RunResult;

std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts = {};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

// A line that a peer has sent: a proxy does not speak of itself.
bool is_passed_on(const runner::CaseResult& result, std::string_view line) {
  return std::ranges::any_of(result.messages, [&](const runner::TranscriptEntry& entry) {
    return entry.from != "sut" && entry.octets.find(line) != std::string::npos;
  });
}

// What the SUT calls itself: the first Server or User-Agent that it sent.
std::string sut_name(const RunResult& result) {
  for (const runner::CaseResult& one : result.cases)
    for (const runner::TranscriptEntry& entry : one.messages) {
      if (entry.from != "sut") continue;
      for (const char* header : {"Server", "User-Agent"})
        for (const reports::MessageLine& line : reports::lines(entry.octets, header))
          if (line.is_marked && !is_passed_on(one, line.text))
            return std::string(ascii::trim(line.text.substr(line.text.find(':') + 1)));
    }
  return {};
}

runner::RunInfo run_info(const RunOptions& options) {
  runner::RunInfo out;
  out.version = SIPASSAY_VERSION;
  out.seed = options.seed;
  for (const Endpoint& address : options.sut)
    out.sut += (out.sut.empty() ? "" : " ") + to_string(address);
  if (!options.is_live()) out.sut = "embedded";
  out.options = options.named;
  if (options.is_live()) out.started = utc_now();
  return out;
}

RunResult run_all(const std::vector<Case>& cases, const RunOptions& options) {
  RunResult out;
  out.run = run_info(options);
  Progress progress(cases.size(), isatty(STDERR_FILENO) == 1);
  out.cases = options.is_live() ? run_live_cases(cases, options, progress)
                                : run_embedded_cases(cases, options, progress);
  if (options.is_live()) out.run.sut_name = sut_name(out);
  for (runner::CaseResult& one : out.cases) hold_against(options.expectations, one);
  if (out.cases.size() < cases.size() || is_interrupted()) {
    out.run.partial = true;
    out.run.partial_reason =
        fmt::format("interrupted after {} of {} cases", out.cases.size(), cases.size());
  }
  return out;
}

}  // namespace

int run(const Arguments& arguments) {
  po::options_description options;
  add_selection_options(options);
  add_run_options(options);
  add_expectation_options(options);
  add_report_options(options);
  const auto values =
      parse({"run", selection_positional,
             "Runs the selected cases, all when nothing is selected, and writes reports."},
            arguments, options);
  if (!values) return reports::exit_as_expected;
  catch_interrupts();

  RunOptions wanted = run_options(*values);
  const ListFormat format = list_format(*values);
  const auto where = destinations(*values);
  const std::vector<Case> cases = select(*values);
  wanted.expectations = expectations(*values, cases);
  if (values->count("dry-run") != 0) {
    print_cases(cases, format);
    return reports::exit_as_expected;
  }
  if (values->count("teeth") != 0) return report_teeth(cases, wanted);

  const RunResult result = run_all(cases, wanted);
  write_reports(result, wanted.style, where);
  const int status = reports::exit_status(result, wanted.style);
  return status == reports::exit_as_expected && result.run.partial ? reports::exit_error : status;
}

}  // namespace sipassay::tools
