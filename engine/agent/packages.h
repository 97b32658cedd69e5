// Event packages (RFC 6665) that this agent subscribes to and notifies of, as rows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/clause.h"
#include "engine/base/time.h"

namespace sipassay::agent {

struct EventPackage {
  std::string_view name;              // compared byte by byte (RFC 6665 8.2.1)
  std::string_view type;              // of the body of a NOTIFY
  std::uint32_t expires_default = 0;  // s, of a SUBSCRIBE without Expires
  Duration notify_interval{};         // news is not notified closer (RFC 6665 5.4.10)
  bool allows_forks = false;          // several dialogs of one SUBSCRIBE (RFC 6665 5.4.9)
  bool only_by_refer = false;         // 403 to a SUBSCRIBE that would make one (RFC 3515 2.4.4)
  Clause clause;
};

std::span<const EventPackage> event_packages();
// nullptr: 489.
const EventPackage* event_package(std::string_view name);
// Value of Allow-Events: all of them (RFC 6665 4.4.4).
std::string allow_events();

// The state of our resource as that package shows it; `change` counts its changes. Empty for refer,
// whose state is the progress of a request.
std::string event_state(const EventPackage& package, std::string_view entity, unsigned change);

}  // namespace sipassay::agent
