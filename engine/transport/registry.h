// The transports there are: one row each.
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>

#include "engine/transport/transport.h"

namespace sipassay::transport {

// Binds and listens; the text says why not.
using Open = std::expected<std::unique_ptr<LocalEndpoint>, std::string> (*)(Loop& loop, FlowId id,
                                                                            const Endpoint& where);
struct Row {
  Transport transport;
  Open open;
};

std::span<const Row> registry();

// "cannot listen on udp:127.0.0.1:5060: not supported" for a transport without a row.
std::expected<std::unique_ptr<LocalEndpoint>, std::string> open_local(Loop& loop, FlowId id,
                                                                      const Endpoint& where);

}  // namespace sipassay::transport
