#include "engine/base/clause.h"

#include <fmt/format.h>

namespace sipassay {

std::string_view to_string(Level level) {
  switch (level) {
    case Level::Must: return "MUST";
    case Level::MustNot: return "MUST NOT";
    case Level::Should: return "SHOULD";
    case Level::ShouldNot: return "SHOULD NOT";
    case Level::May: return "MAY";
    case Level::Stated: return "STATED";
  }
  return "STATED";
}

std::string to_string(const Clause& clause) {
  std::string text = fmt::format("RFC {} section {}", clause.rfc, clause.section);
  if (clause.level != Level::Stated) text += fmt::format(", {}", to_string(clause.level));
  return text;
}

}  // namespace sipassay
