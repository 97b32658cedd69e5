// What the agent tells its application. Past tense: it happened; nothing is asked.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "engine/agent/command.h"
#include "engine/base/finding.h"

namespace sipassay::agent {

struct CallArrived {
  CallId call;
  std::string user;
};
// A call of ours begins: by command, or because a REFER asked for it.
struct CallPlaced {
  CallId call;
  bool is_referred;
};
struct CallProgressed {
  CallId call;
  int status;
  bool is_reliable;
};
struct CallAnswered {
  CallId call;
};  // 2xx sent or received
struct CallConfirmed {
  CallId call;
};  // ACK sent or received
struct CallEnded {
  CallId call;
  std::string reason;
};
struct SessionChanged {
  CallId call;
};  // an offer/answer exchange completed
struct OfferRejected {
  CallId call;
  int status;
  bool will_retry;  // it is offered again (RFC 3261 14.1)
};  // session as before
struct InfoArrived {
  CallId call;
  std::string package;
  Body body;
};
struct MessageArrived {
  CallId call;
  Body body;
};
struct ReferArrived {
  CallId call;
  std::string refer_to;
};
struct NotifyArrived {
  CallId call;
  std::string event;
  Body body;
};
// A subscription began, went on or ended (RFC 6665).
struct SubscriptionMoved {
  CallId call;
  std::string event;  // "presence;id=7"
  bool is_notifier;
  std::string phase;   // "Pending", "Active", "Terminated"
  std::string reason;  // of "terminated", as the notifier gave it
};
struct RequestAnswered {
  CallId call;
  std::string method;
  int status;
};  // final answer to a command's request; 0: none came, or it may not be sent
struct RegistrationChanged {
  std::string registrar;
  std::uint32_t seconds;  // granted from now on; 0: not bound
};
// The peer broke a rule that the engine itself obeys.
struct Violation {
  CallId call;
  Finding finding;
};

using Event =
    std::variant<CallArrived, CallPlaced, CallProgressed, CallAnswered, CallConfirmed, CallEnded,
                 SessionChanged, OfferRejected, InfoArrived, MessageArrived, ReferArrived,
                 NotifyArrived, SubscriptionMoved, RequestAnswered, RegistrationChanged, Violation>;

}  // namespace sipassay::agent
