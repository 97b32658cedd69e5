// The json report: the one source that every other report can be rendered from.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "reports/report.h"

namespace sipassay::reports {

inline constexpr int json_schema_version = 1;
inline constexpr std::size_t json_octets_max = std::size_t{1} << 29U;  // of a stored result

void render_json(const runner::RunResult& result, const RenderOptions& options, std::string& out);

// A stored result. The error says in one line what is wrong and where: "cases[3].outcome: …".
// Octets of messages come back exactly; texts as they were written, that is printable.
std::expected<runner::RunResult, std::string> load_json(std::string_view text);

}  // namespace sipassay::reports
