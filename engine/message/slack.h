// Octets behind a text that may be read, though they are not part of it: so that it can be read in
// blocks, without a look at its end before each.
#pragma once

#include <cstddef>

namespace sipassay {

inline constexpr std::size_t slack_octets = 64;

// Whether slack_octets behind a text may be read. Values of a received Message have them; without
// them a text is read octet by octet, with the same result.
enum class Slack : bool { No, Yes };

}  // namespace sipassay
