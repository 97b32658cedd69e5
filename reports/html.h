// The html report: one file, nothing from outside, everything that a SUT sent shown inert.
#pragma once

#include <string>
#include <string_view>

#include "reports/report.h"

namespace sipassay::reports {

void render_html(const runner::RunResult& result, const RenderOptions& options, std::string& out);

// What the page is made of besides data. Its Content-Security-Policy names the SHA-256 of both.
std::string_view page_script();
std::string_view page_style();
std::string_view page_script_hash();  // "sha256-…"
std::string_view page_style_hash();

}  // namespace sipassay::reports
