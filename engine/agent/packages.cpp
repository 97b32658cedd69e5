#include "engine/agent/packages.h"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "engine/base/ascii.h"

namespace sipassay::agent {
namespace {

constexpr std::array rows{
    EventPackage{.name = "presence",
                 .type = "application/pidf+xml",
                 .expires_default = 3600,
                 .notify_interval = 5s,
                 .clause = {3856, "6", Level::Stated}},
    // For tests: nothing but a counter, as often as it changes, from whoever answers.
    EventPackage{.name = "sipassay",
                 .type = "text/plain",
                 .expires_default = 600,
                 .allows_forks = true,
                 .clause = {6665, "5.4", Level::Stated}},
    EventPackage{.name = "refer",
                 .type = "message/sipfrag",
                 .expires_default = 60,
                 .notify_interval = 1s,
                 .only_by_refer = true,
                 .clause = {3515, "3", Level::Stated}},
};

// Text of XML content (W3C XML 1.0 2.4).
std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

}  // namespace

std::span<const EventPackage> event_packages() {
  return rows;
}

const EventPackage* event_package(std::string_view name) {
  const auto row = std::ranges::find(rows, name, &EventPackage::name);
  return row == rows.end() ? nullptr : std::to_address(row);
}

std::string allow_events() {
  std::vector<std::string> names;
  for (const auto& row : rows) names.emplace_back(row.name);
  return ascii::comma_list(names);
}

std::string event_state(const EventPackage& package, std::string_view entity, unsigned change) {
  if (package.name == "refer") return {};
  if (package.name != "presence") return "change " + std::to_string(change) + "\r\n";
  std::string body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n";
  body +=
      "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"" + xml_text(entity) + "\">\r\n";
  body += "<tuple id=\"sipassay\"><status><basic>";
  body += change % 2 == 0 ? "open" : "closed";
  body += "</basic></status></tuple>\r\n</presence>\r\n";
  return body;
}

}  // namespace sipassay::agent
