// The verdict on one case (scenarios/README.md, "Outcomes").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sipassay::runner {

// From best to worst: of several, the last in this order counts.
enum class Outcome : std::uint8_t {
  Pass,
  Info,
  NotApplicable,
  Unsupported,
  NonStrict,
  Xfail,
  Xpass,
  Flaky,
  Error,
  Fail,
  Crash
};

std::string_view to_string(Outcome outcome);  // "NON-STRICT"
std::optional<Outcome> outcome_from(std::string_view text);
constexpr Outcome worst(Outcome a, Outcome b) {
  return a < b ? b : a;
}

}  // namespace sipassay::runner
