#include "engine/transport/hub.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

// Asio of Boost 1.74 needs <utility> first.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include "engine/base/ascii.h"
#include "engine/transport/registry.h"
#include "engine/transport/socket_address.h"

namespace sipassay::transport {
namespace {

namespace asio = boost::asio;
using Code = boost::system::error_code;
using Steady = std::chrono::steady_clock;

constexpr int handlers_a_turn = 256;  // then the driver looks at what happened

bool has_same_family(const Endpoint& a, const Endpoint& b) {
  const auto x = socket_address(a);
  const auto y = socket_address(b);
  return x && y && x->is_ipv6() == y->is_ipv6();
}

}  // namespace

struct Hub::Impl {
  explicit Impl(const Options& options)
      : limits(options.limits),
        work(asio::make_work_guard(io)),
        signals(io),
        resolver(io),
        loop{.io = io, .limits = limits, .events = {}, .keeps_octets = options.keeps_octets} {}

  void dispatch(FlowId local, Outgoing outgoing);
  void look_up(FlowId local, Outgoing outgoing);
  LocalEndpoint* choose(FlowId local, const Outgoing& outgoing, FlowId& chosen);
  void fail(FlowId local, const Outgoing& outgoing, std::string reason);
  void await(int descriptor);

  Limits limits;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work;
  asio::signal_set signals;
  asio::ip::tcp::resolver resolver;
  std::size_t lookup_count = 0;
  Loop loop;
  std::map<FlowId, std::unique_ptr<LocalEndpoint>> locals;
  std::set<FlowId> to_flush;
  std::map<int, std::unique_ptr<asio::posix::stream_descriptor>> watched;
  std::set<int> to_rewatch;
  Steady::time_point start = Steady::now();
  bool is_woken = false;
  bool is_stopped = false;
};

Hub::Hub(Options options) : impl_(std::make_unique<Impl>(options)) {}

Hub::~Hub() {
  while (!impl_->watched.empty()) unwatch(impl_->watched.begin()->first);
  impl_->locals.clear();
  impl_->io.poll();  // cancelled handlers let go of what they hold
}

std::expected<FlowId, std::string> Hub::open(const Endpoint& where) {
  const FlowId id = impl_->loop.next_flow();
  auto local = open_local(impl_->loop, id, where);
  if (!local) return std::unexpected(local.error());
  impl_->locals.emplace(id, std::move(*local));
  return id;
}

const Endpoint& Hub::address(FlowId local) const {
  const auto it = impl_->locals.find(local);
  assert(it != impl_->locals.end());
  return it->second->address();
}

void Hub::close(FlowId local) {
  impl_->locals.erase(local);
  impl_->to_flush.erase(local);
}

void Hub::send(FlowId local, Outgoing outgoing) {
  outgoing.address = outgoing.to.endpoint;
  if (socket_address(outgoing.address)) return impl_->dispatch(local, std::move(outgoing));
  // A connection that is there needs no address.
  for (const auto& [id, at] : impl_->locals)
    if (is_reliable(at->address().transport) && at->has_flow(outgoing.to.flow))
      return impl_->dispatch(id, std::move(outgoing));
  impl_->look_up(local, std::move(outgoing));
}

void Hub::Impl::dispatch(FlowId local, Outgoing outgoing) {
  FlowId chosen = 0;
  LocalEndpoint* at = choose(local, outgoing, chosen);
  if (at == nullptr)
    return fail(local, outgoing, "no local endpoint for " + to_string(outgoing.to.endpoint));
  at->send(std::move(outgoing));
  to_flush.insert(chosen);
}

LocalEndpoint* Hub::Impl::choose(FlowId local, const Outgoing& outgoing, FlowId& chosen) {
  const auto take = [&](auto it) {
    chosen = it->first;
    return it->second.get();
  };
  if (local != 0) {
    const auto it = locals.find(local);
    return it == locals.end() ? nullptr : take(it);
  }
  for (auto it = locals.begin(); outgoing.to.flow != 0 && it != locals.end(); ++it)
    if (it->second->has_flow(outgoing.to.flow)) return take(it);
  for (auto it = locals.begin(); it != locals.end(); ++it)
    if (it->second->address().transport == outgoing.address.transport &&
        has_same_family(it->second->address(), outgoing.address))
      return take(it);
  return nullptr;
}

void Hub::Impl::fail(FlowId local, const Outgoing& outgoing, std::string reason) {
  loop.events.push_back(SendFailed{local, outgoing.to, std::move(reason)});
}

// A name: the system's own resolution, in the background.
void Hub::Impl::look_up(FlowId local, Outgoing outgoing) {
  if (lookup_count >= limits.lookups_max) return fail(local, outgoing, "too many names to look up");
  ++lookup_count;
  const std::string host = outgoing.address.host;
  resolver.async_resolve(
      host, "",
      [this, local, outgoing = std::move(outgoing)](const Code& error, auto found) mutable {
        --lookup_count;
        if (error) return fail(local, outgoing, error.message());
        for (const auto& entry : found) {
          Outgoing next = outgoing;
          next.address.host = entry.endpoint().address().to_string();
          FlowId chosen = 0;
          const LocalEndpoint* at = choose(local, next, chosen);
          if (at == nullptr || !has_same_family(at->address(), next.address)) continue;
          dispatch(local, std::move(next));
          return;
        }
        fail(local, outgoing, "no local endpoint for " + to_string(outgoing.to.endpoint));
      });
}

void Hub::close_flow(FlowId local, FlowId flow) {
  const auto it = impl_->locals.find(local);
  if (it != impl_->locals.end()) it->second->close_flow(flow);
}

void Hub::watch(int descriptor) {
  auto& watched = impl_->watched[descriptor];
  if (!watched) watched = std::make_unique<asio::posix::stream_descriptor>(impl_->io, descriptor);
  impl_->to_rewatch.insert(descriptor);
}

void Hub::unwatch(int descriptor) {
  const auto it = impl_->watched.find(descriptor);
  if (it == impl_->watched.end()) return;
  it->second->release();
  impl_->watched.erase(it);
  impl_->to_rewatch.erase(descriptor);
}

void Hub::Impl::await(int descriptor) {
  const auto it = watched.find(descriptor);
  if (it == watched.end()) return;
  it->second->async_wait(asio::posix::stream_descriptor::wait_read,
                         [this, descriptor](const Code& error) {
                           if (error) return;
                           is_woken = true;
                           to_rewatch.insert(descriptor);
                         });
}

void Hub::wait(std::optional<Instant> deadline) {
  for (const int descriptor : std::exchange(impl_->to_rewatch, {})) impl_->await(descriptor);
  for (const FlowId local : std::exchange(impl_->to_flush, {}))
    if (const auto it = impl_->locals.find(local); it != impl_->locals.end()) it->second->flush();
  int left = handlers_a_turn;
  if (impl_->loop.events.empty() && !impl_->is_stopped && !std::exchange(impl_->is_woken, false)) {
    if (deadline)
      impl_->io.run_one_until(impl_->start + deadline->time_since_epoch());
    else
      impl_->io.run_one();
    --left;
  }
  while (left-- > 0 && impl_->loop.events.size() < impl_->limits.events_max)
    if (impl_->io.poll_one() == 0) break;
  impl_->is_woken = false;
}

std::optional<Event> Hub::poll() {
  auto& events = impl_->loop.events;
  if (events.empty()) return std::nullopt;
  Event event = std::move(events.front());
  events.pop_front();
  return event;
}

Instant Hub::now() const {
  return Instant(std::chrono::duration_cast<Duration>(Steady::now() - impl_->start));
}

void Hub::wake() {
  asio::post(impl_->io, [this] { impl_->is_woken = true; });
}

void Hub::stop_on_signals() {
  Code ignored;
  impl_->signals.add(SIGINT, ignored);
  impl_->signals.add(SIGTERM, ignored);
  impl_->signals.async_wait([this](const Code& error, int) {
    if (error) return;
    Code none;
    impl_->signals.clear(none);
    impl_->is_stopped = true;
  });
}

void Hub::stop() {
  impl_->is_stopped = true;
}

bool Hub::is_stopped() const {
  return impl_->is_stopped;
}

void allow_many_sockets() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::expected<Endpoint, std::string> resolved(const Endpoint& endpoint) {
  if (socket_address(endpoint)) return endpoint;
  asio::io_context io;
  Code error;
  const auto found = asio::ip::tcp::resolver(io).resolve(endpoint.host, "", error);
  if (error || found.empty())
    return std::unexpected(
        fmt::format("{}: {}", endpoint.host, error ? error.message() : "no address of that name"));
  Endpoint out = endpoint;
  out.host = found.begin()->endpoint().address().to_string();
  return out;
}

std::expected<Endpoint, std::string> address_towards(const Endpoint& endpoint) {
  const auto to = socket_address(endpoint);
  if (!to) return std::unexpected(endpoint.host + ": not an IP address");
  // Connecting a datagram socket sends nothing; it only chooses a route.
  asio::io_context io;
  asio::ip::udp::socket socket(io, to->is_ipv6() ? asio::ip::udp::v6() : asio::ip::udp::v4());
  SocketAddress from;
  from.length = sizeof from.storage;
  if (::connect(socket.native_handle(), to->get(), to->length) != 0 ||
      ::getsockname(socket.native_handle(), from.get(), &from.length) != 0)
    return std::unexpected(fmt::format("no way to {}: {}", endpoint.host, std::strerror(errno)));
  Endpoint out = endpoint_of(from, endpoint.transport);
  out.port = 0;
  return out;
}

}  // namespace sipassay::transport
