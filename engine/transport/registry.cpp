#include "engine/transport/registry.h"

#include <fmt/format.h>

#include <array>

#include "engine/transport/tcp.h"
#include "engine/transport/udp.h"

namespace sipassay::transport {
namespace {

constexpr std::array rows{
    Row{Transport::Udp, &open_udp},
    Row{Transport::Tcp, &open_tcp},
};

}  // namespace

std::span<const Row> registry() {
  return rows;
}

std::expected<std::unique_ptr<LocalEndpoint>, std::string> open_local(Loop& loop, FlowId id,
                                                                      const Endpoint& where) {
  for (const Row& row : registry()) {
    if (row.transport != where.transport) continue;
    auto local = row.open(loop, id, where);
    if (local) return local;
    return std::unexpected(fmt::format("cannot listen on {}: {}", to_string(where), local.error()));
  }
  return std::unexpected(fmt::format("cannot listen on {}: not supported", to_string(where)));
}

}  // namespace sipassay::transport
