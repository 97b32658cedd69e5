// All transactions of one element: matching, the four machines, their timers (RFC 3261 17, RFC
// 6026).
//
// Driven by its owner (the agent, or the scripted peer): handle() what happened, then poll() until
// it gives nothing more; next_deadline() says when time itself is due. No sockets, no clock.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>

#include "engine/base/endpoint.h"
#include "engine/base/rng.h"
#include "engine/base/time.h"
#include "engine/message/message.h"
#include "engine/transaction/timings.h"

namespace sipassay::transaction {

// Never reused within one layer. Zero is no transaction.
using Id = std::uint64_t;

inline constexpr std::size_t transactions_max = 100'000;

// Where a message goes: a flow that exists, or an endpoint to reach.
struct Destination {
  Endpoint endpoint;
  FlowId flow = 0;

  friend bool operator==(const Destination&, const Destination&) = default;
};

// --- what the layer gives its owner

// These octets go out now.
struct Transmit {
  Message message;
  Destination to;
  bool is_retransmission = false;  // octets that were sent before
  Id transaction = 0;  // 0: sent without a transaction (ACK for a 2xx, stateless response)
};
// A request that belongs to no transaction; a server transaction was created for it (not for ACK).
struct RequestReceived {
  Id transaction = 0;  // 0 for an ACK
  Message request;
  Flow flow;
};
// CANCEL: `cancelled` is the INVITE server transaction it matches, or 0 (answer 481). The CANCEL
// has a server transaction of its own that its user answers.
struct CancelReceived {
  Id transaction = 0;
  Id cancelled = 0;
  Message request;
  Flow flow;
};
// A response for its client transaction; every 2xx to an INVITE comes up, repeated ones too
// (6026 7.2).
struct ResponseReceived {
  Id transaction = 0;
  Message response;
  Flow flow;
};
// A response that matches no client transaction (RFC 3261 17.1.3; a late 2xx may need its ACK).
struct StrayResponse {
  Message response;
  Flow flow;
};
// Client: Timer B or F fired. Server: Timer H fired, no ACK came (17.2.1).
struct TimedOut {
  Id transaction = 0;
};
struct TransportFailed {
  Id transaction = 0;
};
struct Terminated {
  Id transaction = 0;
};
// An input from the network or a timer for which the machine has no row; nothing was done. (The
// user's own inputs are answered by SendError.)
struct Unexpected {
  Id transaction = 0;
  std::string_view machine, state, input;
};

using Output = std::variant<Transmit, RequestReceived, CancelReceived, ResponseReceived,
                            StrayResponse, TimedOut, TransportFailed, Terminated, Unexpected>;

// The key of a request or response did not allow it (no Via, no branch and no RFC 2543 key, …).
// Forbidden: RFC 4320 (a provisional response other than 100, an early 100, a 408 to a non-INVITE
// request).
enum class SendError : std::uint8_t { NoVia, UnknownTransaction, WrongState, TooMany, Forbidden };

class Layer {
 public:
  struct Options {
    Timings timings{};
    // 17.2.1: a 100 by itself 200 ms after an INVITE that its user has not answered.
    bool sends_trying = true;
    // RFC 4320 4.1: a 100 when an unanswered non-INVITE request would be repeated at T2.
    bool sends_late_trying = true;
    // RFC 4320 4.1, 4.2: respond() refuses what may not be sent. A scripted peer may want to.
    bool keeps_rfc4320 = true;
    // RFC 3261 16.7: the responses of a proxy have more Via values than its own. A user agent drops
    // them (8.1.3.3).
    bool takes_forwarded_responses = false;
    // Client and server together. One request more is answered with 503 without a transaction.
    std::size_t limit = transactions_max;
  };
  Layer(Options options, Rng rng);
  ~Layer();
  Layer(Layer&&) noexcept;
  Layer& operator=(Layer&&) noexcept;

  // --- from the network
  void receive(Message message, const Flow& flow, Instant now);
  // A message could not be delivered; its client transaction, if any, is told.
  void transport_failed(const Destination& to, Instant now);

  // --- from the user
  // Creates a client transaction and sends. The top Via must be there (see add_via).
  std::expected<Id, SendError> send_request(Message request, const Destination& to, Instant now);
  // Without a transaction: ACK for a 2xx.
  void send_ack(Message ack, const Destination& to);
  // By the server transaction; 17.2: provisional or final.
  std::expected<void, SendError> respond(Id transaction, Message response, Instant now);
  // Sends the last 2xx of an INVITE server transaction in Accepted again (13.3.1.4).
  std::expected<void, SendError> repeat_response(Id transaction);
  // Ends a client transaction without waiting for its timers (CANCEL unanswered, 9.1).
  void abandon(Id transaction, Instant now);

  // --- time
  void advance(Instant now);
  std::optional<Instant> next_deadline() const;

  std::optional<Output> poll();

  // --- looking in: tests, fuzz invariants, merged requests (8.2.2.2)
  std::size_t size() const;
  std::string_view state(Id transaction) const;        // "Proceeding"; empty if gone
  const Message* request(Id transaction) const;        // nullptr if gone
  const Message* last_response(Id transaction) const;  // nullptr if none was sent or received
  // A live server transaction with this From tag, Call-ID and CSeq (number and method), other than
  // `self`.
  bool is_merged(const Message& request, Id self) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A new branch with the magic cookie (RFC 3261 8.1.1.7), always equally long.
std::string make_branch(Rng& rng);
// Puts a Via for that transport on top: "SIP/2.0/UDP host:port;branch=…;rport" (RFC 3581).
void add_via(Message& request, const Endpoint& local, std::string_view branch);
// The ACK for a non-2xx final response (RFC 3261 17.1.1.3).
Message ack_for_failure(const Message& invite, const Message& response);
// The 100 for a request that came `delay` ago, without a To tag of its own (RFC 3261 8.2.6,
// 17.2.1).
Message trying_for(const Message& request, Duration delay);
// The CANCEL for a request (RFC 3261 9.1): same Request-URI, Call-ID, To, From, CSeq number, top
// Via, Route.
Message cancel_for(const Message& request);
// Where a response goes (RFC 3261 18.2.2, RFC 3581 4): flow of a stream, received and rport of a
// datagram.
Destination response_destination(const Message& response, const Flow& request_flow);
// Writes received and rport into the top Via (RFC 3261 18.2.1, RFC 3581 4).
void stamp_via(Message& request, const Flow& flow);

}  // namespace sipassay::transaction
