// The text report: what a developer reads on a terminal.
#pragma once

#include <string>

#include "reports/report.h"

namespace sipassay::reports {

void render_text(const runner::RunResult& result, const RenderOptions& options, std::string& out);

// One case as the failures section shows it: requirement, expected, actual, message, ladder, seed.
void render_failure(const runner::CaseResult& result, const RenderOptions& options,
                    std::string& out);

}  // namespace sipassay::reports
