// Local endpoints of all transports behind one queue: sockets for those who have none.
//
// A driver opens what it listens on, sends, waits, and polls what happened. One thread; only wake()
// may be called from elsewhere. The one place with a monotonic clock (with wall_clock.cpp).
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "engine/transport/transport.h"

namespace sipassay::transport {

class Hub {
 public:
  struct Options {
    Limits limits{};
    bool keeps_octets = false;  // MessageArrived::octets
  };
  explicit Hub(Options options);
  Hub() : Hub(Options{}) {}
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // The id of a new local endpoint; port 0 is any. The error is one line for a user.
  std::expected<FlowId, std::string> open(const Endpoint& where);
  // With the port that was taken.
  const Endpoint& address(FlowId local) const;
  // Connections close, what is not sent yet is lost.
  void close(FlowId local);

  // From that local endpoint; 0: the one of the destination's flow, else the first that fits.
  // Failure comes as SendFailed.
  void send(FlowId local, Outgoing outgoing);
  void send(Outgoing outgoing) { send(0, std::move(outgoing)); }
  // A connection; what is queued for it goes out first. 0: all of that local endpoint.
  void close_flow(FlowId local, FlowId flow);

  // Until something has happened, the deadline has come, or somebody woke or stopped it. What
  // send() has queued goes out first.
  void wait(std::optional<Instant> deadline);
  std::optional<Event> poll();

  // Since the hub was made.
  Instant now() const;

  // Ends a wait(); from any thread.
  void wake();
  // A wait() ends when that descriptor can be read, or is at its end; it stays the caller's, who
  // reads all of it before the next wait() and unwatches it before it is closed.
  void watch(int descriptor);
  void unwatch(int descriptor);
  // SIGINT and SIGTERM stop; a second one is the system's own.
  void stop_on_signals();
  void stop();
  bool is_stopped() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// As many open files as the system allows this process.
void allow_many_sockets();
// The endpoint with its host as an IP address, by the system's own resolution. Blocks.
std::expected<Endpoint, std::string> resolved(const Endpoint& endpoint);
// Our own address on the way to that IP address, port 0.
std::expected<Endpoint, std::string> address_towards(const Endpoint& endpoint);

}  // namespace sipassay::transport
