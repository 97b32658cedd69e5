#include "tools/embedded.h"

#include "tools/interrupt.h"
#include "tools/repeat.h"

namespace sipassay::tools {

runner::EmbeddedOptions embedded_options(const RunOptions& options, std::uint64_t seed) {
  runner::EmbeddedOptions out;
  out.run_seed = seed;
  out.transport = options.transport;
  out.timings = options.timings;
  return out;
}

std::vector<runner::CaseResult> run_embedded_cases(const std::vector<runner::Case>& cases,
                                                   const RunOptions& options, Progress& progress) {
  std::vector<runner::CaseResult> out;
  for (const runner::Case& one : cases) {
    if (is_interrupted()) break;
    progress.started();
    std::vector<runner::CaseResult> runs;
    // The same seed would give the same run: each repetition has its own.
    for (unsigned i = 0; i < options.repeat && !(is_interrupted() && i > 0); ++i)
      runs.push_back(runner::run_embedded(one, embedded_options(options, options.seed + i)));
    out.push_back(verdict_of(std::move(runs)));
    progress.done(out.back().outcome);
  }
  return out;
}

}  // namespace sipassay::tools
