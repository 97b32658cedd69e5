// The proxy core (RFC 3261 16): stateful, forking, record-routing, with a registrar as its location
// service; without sockets or clock.
//
// Driven like the agent: handle() what happened, poll() until it gives Wait. Requests for its own
// domain go to the contacts that are registered there, by q and in parallel where q is equal; all
// others go where their Request-URI says. It is no user agent: commands mean nothing to it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/agent/agent.h"
#include "engine/base/endpoint.h"
#include "engine/base/rng.h"
#include "engine/base/time.h"
#include "engine/transaction/timings.h"

namespace sipassay::proxy {

// Requests on their way: one more is answered 503.
inline constexpr std::size_t contexts_max = 20'000;

struct Settings {
  std::string domain{};           // empty: the hosts of the local endpoints
  std::vector<Endpoint> local{};  // not empty
  transaction::Timings timings{};
  Duration timer_c = 181s;  // RFC 3261 16.6 step 11 MUST: more than three minutes
  agent::Registrar::Options registrar{};
  agent::Credentials accepts{};  // what a caller of the user "proxy-digest" must present
  std::size_t contexts_limit = contexts_max;
};

class Proxy {
 public:
  Proxy(Settings settings, Rng rng);
  ~Proxy();
  Proxy(Proxy&&) noexcept;
  Proxy& operator=(Proxy&&) noexcept;

  void handle(agent::Input input, Instant now);
  // Never an Event.
  agent::Output poll();

  // For tests: what is left when all is over is a leak.
  std::size_t live_contexts() const;
  std::size_t live_transactions() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sipassay::proxy
