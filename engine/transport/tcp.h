// SIP over TCP (RFC 3261 18): connections made and accepted, one framer each.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "engine/transport/transport.h"

namespace sipassay::transport {

std::expected<std::unique_ptr<LocalEndpoint>, std::string> open_tcp(Loop& loop, FlowId id,
                                                                    const Endpoint& where);

}  // namespace sipassay::transport
