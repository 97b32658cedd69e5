#include "reports/registry.h"

#include <array>

#include "reports/html.h"
#include "reports/json.h"
#include "reports/junit.h"
#include "reports/text.h"

namespace sipassay::reports {
namespace {

constexpr std::array rows{
    Format{"text", "for people: failures with the call as a ladder", "txt", &render_text},
    Format{"json", "the one source of all others (reports/result.schema.json)", "json",
           &render_json},
    Format{"junit", "for CI servers", "xml", &render_junit},
    Format{"html", "one page with every case, message and ladder", "html", &render_html},
};

}  // namespace

std::span<const Format> formats() {
  return rows;
}

const Format* find_format(std::string_view name) {
  for (const Format& row : rows)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace sipassay::reports
