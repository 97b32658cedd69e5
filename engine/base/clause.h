// A sentence of an RFC, as data: what reports print beside every verdict.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sipassay {

// RFC 2119 strength. Stated is what an RFC says as plain fact.
enum class Level : std::uint8_t { Must, MustNot, Should, ShouldNot, May, Stated };

struct Clause {
  std::uint16_t rfc = 3261;
  std::string_view section;
  Level level = Level::Stated;

  friend constexpr bool operator==(const Clause&, const Clause&) = default;
};

std::string_view to_string(Level level);
// "RFC 3262 section 4, MUST"; without the strength for plain statements.
std::string to_string(const Clause& clause);

}  // namespace sipassay
