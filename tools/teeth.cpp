#include "tools/teeth.h"

#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/totals.h"
#include "tools/embedded.h"
#include "tools/interrupt.h"

namespace sipassay::tools {
namespace {

void print_bite(const runner::Case& one, const runner::Bite& bite) {
  std::string_view verdict = "bites";
  if (!bite.is_known) verdict = "UNKNOWN";
  if (bite.is_known && !bite.has_bitten) verdict = "NO BITE";
  fmt::print("{:<9}{:<24} {:<32} {}{}{}\n", verdict, one.id, bite.misbehaviour,
             bite.is_known ? runner::to_string(bite.result.outcome) : "no such misbehaviour",
             bite.result.reason.empty() ? "" : ": ", reports::printable(bite.result.reason));
}

bool has_teeth(const runner::Case& one, const std::vector<runner::Bite>& bites) {
  bool all_bite = !bites.empty();
  for (const runner::Bite& bite : bites) {
    print_bite(one, bite);
    all_bite = all_bite && bite.is_known && bite.has_bitten;
  }
  if (bites.empty()) fmt::print("{:<9}{:<24} names no misbehaviour\n", "NO TEETH", one.id);
  return all_bite;
}

}  // namespace

int report_teeth(const std::vector<runner::Case>& cases, const RunOptions& options) {
  std::size_t done = 0;
  std::size_t tried = 0;
  std::size_t toothless = 0;
  for (const runner::Case& one : cases) {
    if (is_interrupted()) break;
    const std::vector<runner::Bite> bites =
        runner::teeth(one, embedded_options(options, options.seed));
    tried += bites.size();
    if (!has_teeth(one, bites)) ++toothless;
    ++done;
  }
  fmt::print("\n{} case{}, {} misbehaviour{}, {} without teeth\n", done, done == 1 ? "" : "s",
             tried, tried == 1 ? "" : "s", toothless);
  if (done < cases.size()) {
    fmt::print("PARTIAL: interrupted after {} of {} cases\n", done, cases.size());
    return toothless == 0 ? reports::exit_error : reports::exit_failed;
  }
  return toothless == 0 ? reports::exit_as_expected : reports::exit_failed;
}

}  // namespace sipassay::tools
