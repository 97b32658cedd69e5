// A raw message (RFC 4475, RFC 5118) made to fit the run, so that its answer comes back.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/endpoint.h"
#include "engine/runner/case.h"

namespace sipassay::runner {

struct AdaptTo {
  Endpoint peer;            // where answers are to go
  std::string request_uri;  // of the SUT
  std::string token;        // new in this run: begins each Call-ID, ends the branch
};

// Replaces octets in place and never prints what it has parsed: damage stays where it is. What
// cannot be found is left alone. A branch that is the bare magic cookie stays bare.
std::string adapt_raw(std::string octets, const RawAdaptation& what, const AdaptTo& to);

}  // namespace sipassay::runner
