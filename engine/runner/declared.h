// What a SUT's profile says that it has and what it lacks, held against what the SUT itself says.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/runner/case.h"
#include "engine/runner/result.h"

namespace sipassay::runner {

class Peers;

enum class CapabilityKind : std::uint8_t { Method, Extension, EventPackage, InfoPackage, BodyType };

// "UPDATE", "100rel", "presence", "foo", "multipart/mixed".
struct Capability {
  CapabilityKind kind = CapabilityKind::Method;
  std::string word;

  friend auto operator<=>(const Capability&, const Capability&) = default;
};
// In the words of a report: "UPDATE", "the extension 100rel".
std::string to_string(const Capability& capability);

// True: the SUT has it, false: it lacks it. Of what is not here the SUT is asked, never guessed.
using Declared = std::map<Capability, bool>;
std::optional<bool> find(const Declared& declared, const Capability& capability);

// A method or an option tag that a need names: "REFER", "refer", "100rel".
std::optional<Capability> capability_of_need(std::string_view need);
// What a case cannot do without: what it needs, and the packages and body types that it sends.
std::vector<Capability> capabilities_needed(const Case& the_case);

// Where the SUT's messages say otherwise than its profile. Nobody is to blame: one of the two is
// out of date.
std::vector<ReportedFinding> contradictions(const Peers& peers, const Declared& declared);

}  // namespace sipassay::runner
