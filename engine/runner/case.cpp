#include "engine/runner/case.h"

#include <algorithm>

namespace sipassay::runner {

std::string_view to_string(SutRole role) {
  switch (role) {
    case SutRole::Uas:
      return "uas";
    case SutRole::Uac:
      return "uac";
    case SutRole::Proxy:
      return "proxy";
    case SutRole::Registrar:
      return "registrar";
    case SutRole::Redirect:
      return "redirect";
  }
  return {};
}

bool needs_trigger(const Case& one) {
  const auto among = [](const auto& self, const Steps& steps) -> bool {
    return std::ranges::any_of(steps, [&](const Step& step) {
      if (const auto* either = std::get_if<EitherStep>(&step.action))
        return std::ranges::any_of(
            either->branches, [&](const auto& branch) { return self(self, branch.steps); });
      if (const auto* unordered = std::get_if<UnorderedStep>(&step.action))
        return self(self, unordered->steps);
      return std::holds_alternative<SutStep>(step.action);
    });
  };
  return among(among, one.steps);
}

bool answers_challenge(const SendStep& step) {
  return !step.about.empty() && step.method != "ACK" && step.method != "PRACK" &&
         step.method != "CANCEL";
}

bool is_disputed(const Case& one) {
  return std::ranges::find(one.tags, "disputed") != one.tags.end();
}

}  // namespace sipassay::runner
