#include "engine/runner/outcome.h"

#include <array>

namespace sipassay::runner {
namespace {

struct Name {
  Outcome outcome;
  std::string_view text;
};
constexpr std::array<Name, 11> names{{{Outcome::Pass, "PASS"},
                                      {Outcome::Info, "INFO"},
                                      {Outcome::NotApplicable, "NOT-APPLICABLE"},
                                      {Outcome::Unsupported, "UNSUPPORTED"},
                                      {Outcome::NonStrict, "NON-STRICT"},
                                      {Outcome::Xfail, "XFAIL"},
                                      {Outcome::Xpass, "XPASS"},
                                      {Outcome::Flaky, "FLAKY"},
                                      {Outcome::Error, "ERROR"},
                                      {Outcome::Fail, "FAIL"},
                                      {Outcome::Crash, "CRASH"}}};

}  // namespace

std::string_view to_string(Outcome outcome) {
  for (const auto& name : names)
    if (name.outcome == outcome) return name.text;
  return {};
}

std::optional<Outcome> outcome_from(std::string_view text) {
  for (const auto& name : names)
    if (name.text == text) return name.outcome;
  return std::nullopt;
}

}  // namespace sipassay::runner
