// The transaction user (RFC 3261 6): a complete user agent without sockets or clock.
//
// A driver calls handle() with what happened and poll()s until it gets Wait. Requests that arrive
// are answered by the behaviour of the called user (behaviour.h); an application may command more.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "engine/agent/command.h"
#include "engine/agent/digest.h"
#include "engine/agent/event.h"
#include "engine/agent/registrar.h"
#include "engine/base/endpoint.h"
#include "engine/base/rng.h"
#include "engine/base/time.h"
#include "engine/message/message.h"
#include "engine/session/session_expires.h"
#include "engine/transaction/layer.h"

namespace sipassay::session {
class SessionDialog;
}

namespace sipassay::agent {

// Live calls of one agent: an INVITE more is answered 503, a command more fails.
inline constexpr std::size_t calls_max = 20'000;

struct Credentials {
  std::string realm;  // empty: any
  std::string user;
  std::string password;
};

struct Settings {
  std::string user = "sipassay";  // user part of our own address
  std::string domain;             // empty: the host of the local endpoint
  std::vector<Endpoint> local;    // first is the default for requests
  transaction::Timings timings;
  bool supports_100rel = true;
  bool supports_timer = true;  // RFC 4028
  // RFC 4028 4: half an hour is recommended. A behaviour may have its own.
  session::TimerSettings timer{.interval = 1800s};
  bool answers_by_user = true;             // the user part of the Request-URI selects a behaviour
  std::string default_behaviour = "auto";  // for users that no row names; "nobody": 404
  std::vector<std::string> recv_info{"g.sipassay.test"};  // Info-Packages we receive (RFC 6086)
  std::vector<Credentials> credentials;                   // for challenges we meet
  Credentials accepts;                                    // what user "digest" must present
  // One challenge each, the one that we prefer first (RFC 8760 2.3).
  std::vector<digest::Algorithm> digest_algorithms{digest::Algorithm::Sha256,
                                                   digest::Algorithm::Md5};
  std::size_t calls_limit = calls_max;  // live calls: 503 for one more
  // RFC 3261 21.5.4 SHOULD NOT: no request outside a dialog to a server that sent 503, as long as
  // its Retry-After says. Off where two requests may know nothing of each other.
  bool spares_overloaded_servers = true;
  // Takes REGISTER, and redirects to what is registered who calls a user that no row names.
  std::optional<Registrar::Options> registrar;
};

// --- inputs
struct MessageReceived {
  Message message;
  Flow flow;
};
// Octets that frame as a message but do not parse: answered with 400 when Via, From, To, Call-ID
// and CSeq can be read, otherwise dropped (RFC 3261 8.2.2, 18.3).
struct GarbageReceived {
  std::string octets;
  Error error;
  Flow flow;
};
struct DeliveryFailed {
  transaction::Destination to;
};
struct FlowClosed {
  FlowId flow = 0;
};
struct TimePassed {};
using Input =
    std::variant<MessageReceived, GarbageReceived, DeliveryFailed, FlowClosed, TimePassed, Command>;

// --- outputs
struct Send {
  Message message;
  transaction::Destination to;
};
struct Wait {
  std::optional<Instant> deadline;  // none: only a message or a command can change anything
};
using Output = std::variant<Send, Event, Wait>;

// What an agent holds that must not outlive its use: all zero once nothing goes on any more.
struct Census {
  std::size_t calls = 0;  // and dialogs of subscriptions only
  std::size_t dialogs = 0;
  std::size_t transactions = 0;
  std::size_t transaction_owners = 0;  // who is told of a transaction
  std::size_t timers = 0;              // of calls and dialogs
  std::size_t messages_waiting = 0;    // MESSAGEs and what they wait for (RFC 3428 8)
};

class Agent {
 public:
  Agent(Settings settings, Rng rng);
  ~Agent();
  Agent(Agent&&) noexcept;
  Agent& operator=(Agent&&) noexcept;

  void handle(Input input, Instant now);
  Output poll();

  // The newest call's id, or zero.
  CallId newest_call() const;
  // The newest id given, to a call or to a dialog of subscriptions only; zero if there was none.
  CallId last_id() const;
  // Also one that has ended, as long as anything of it is left.
  bool has_call(CallId call) const;
  // White box for scenarios, tests and fuzz invariants; nullptr when the call is gone.
  const session::SessionDialog* session(CallId call) const;
  std::size_t live_calls() const;
  std::size_t live_transactions() const;
  Census census() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sipassay::agent
