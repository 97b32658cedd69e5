// What is known of a stack, held against what came: --expect FILE.
#pragma once

#include <vector>

#include "engine/runner/case.h"
#include "engine/runner/result.h"
#include "scenarios/known.h"
#include "tools/options.h"

namespace sipassay::tools {

using Expectations = std::vector<scenarios::KnownCase>;

void add_expectation_options(po::options_description& options);
// All entries of all --expect files. Throws UsageError: broken files, a pattern that no case of the
// selection or of the suite has.
Expectations expectations(const po::variables_map& values, const std::vector<runner::Case>& cases);

// The first entry that selects the case says so.
bool expects(const Expectations& expectations, const runner::Case& one, runner::Outcome outcome);

// The first entry that selects the case decides. As it says: XFAIL (PASS stays PASS); better:
// XPASS; anything else stays as it came, and so does a case that did not concern the SUT.
void hold_against(const Expectations& expectations, runner::CaseResult& result);

}  // namespace sipassay::tools
