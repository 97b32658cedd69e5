// The credentials with which a case answers a challenge: right ones, or spoilt as it says.
#pragma once

#include <expected>

#include "engine/base/rng.h"
#include "engine/message/message.h"
#include "engine/runner/case.h"
#include "engine/runner/match.h"
#include "engine/runner/run.h"
#include "engine/runner/template.h"

namespace sipassay::runner {

// Authorization and Proxy-Authorization of the request become answers to the 401 or 407. The count
// is 1 unless the case says otherwise. False: no challenge that we know (RFC 3261 22.4, RFC 7616).
std::expected<bool, UnknownReference> put_credentials(const Message& response, const Login& login,
                                                      const CredentialsEdit& edit, Rng& rng,
                                                      const CheckContext& context,
                                                      Message& request);

}  // namespace sipassay::runner
