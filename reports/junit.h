// The JUnit report, as CI servers read it (reports/junit.xsd).
#pragma once

#include <string>

#include "reports/report.h"

namespace sipassay::reports {

// FAIL, CRASH and XPASS are <failure type="…">, ERROR is <error>, UNSUPPORTED and NOT-APPLICABLE
// are <skipped>; NON-STRICT and FLAKY are failures only when the options say so.
void render_junit(const runner::RunResult& result, const RenderOptions& options, std::string& out);

}  // namespace sipassay::reports
