// What `sipassay lint` found in a capture, and its renderings.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/clause.h"
#include "engine/base/time.h"

namespace sipassay::reports {

enum class Severity : std::uint8_t { Note, Warning, Error };
// MUST and MUST NOT are errors, SHOULD and plain statements warnings, MAY a note.
Severity severity(Level level);

struct LintEntry {
  std::string rule;
  Clause clause;       // the section is a row's, so it lives for ever
  std::string sender;  // "udp:192.0.2.1:5060"
  std::string expected, observed;
  std::string message;    // start line of the first one
  std::size_t frame = 0;  // of the first one, from 1
  Instant at{};           // since the first frame
  unsigned count = 1;
};

struct LintResult {
  std::string version;
  std::string file;
  std::size_t frames = 0, messages = 0;
  std::vector<std::pair<std::string, std::size_t>> unread;  // why, how many
  std::vector<LintEntry> findings;

  std::size_t count(Severity severity) const;
};

using RenderLint = std::string (*)(const LintResult& result);
struct LintFormat {
  std::string_view name;
  std::string_view what;
  RenderLint render = nullptr;
};
std::span<const LintFormat> lint_formats();
const LintFormat* find_lint_format(std::string_view name);

std::string lint_text(const LintResult& result);
std::string lint_json(const LintResult& result);
// SARIF 2.1.0: a rule is a row of ours, its help the RFC's section.
std::string lint_sarif(const LintResult& result);

}  // namespace sipassay::reports
