// What every report format is: a function from a run's result to octets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/runner/result.h"

namespace sipassay::reports {

struct RenderOptions {
  bool colours = false;      // ANSI colours: only for a terminal, and never with NO_COLOR
  bool every_case = true;    // text: a line also for the cases that passed
  bool is_strict = false;    // NON-STRICT counts as a failure
  bool flaky_fails = false;  // FLAKY counts as a failure
};

// Appends the whole report. Pure: equal results give equal octets. Everything that a SUT may have
// sent is made harmless for the format (no control characters, no markup, valid UTF-8).
using Render = void (*)(const runner::RunResult& result, const RenderOptions& options,
                        std::string& out);

// One row of the registry.
struct Format {
  std::string_view name;       // as in --report NAME
  std::string_view what;       // for --help
  std::string_view extension;  // of a file that holds it
  Render render = nullptr;
};

}  // namespace sipassay::reports
