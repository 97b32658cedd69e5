// SIP over UDP (RFC 3261 18): a datagram is a message.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "engine/transport/transport.h"

namespace sipassay::transport {

std::expected<std::unique_ptr<LocalEndpoint>, std::string> open_udp(Loop& loop, FlowId id,
                                                                    const Endpoint& where);

}  // namespace sipassay::transport
