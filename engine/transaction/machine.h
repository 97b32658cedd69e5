// What the four machines have in common: the transaction they work on and where its outputs go.
#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "engine/message/message.h"
#include "engine/transaction/layer.h"

namespace sipassay::transaction {

using Outbox = std::deque<Output>;

// The messages of one transaction and the way to its other end. Owned by a machine.
class Context {
 public:
  Context(Id id, Message the_request, Destination to, const Timings& the_timings)
      : timings(the_timings), request(std::move(the_request)), id_(id), to_(std::move(to)) {}

  Id id() const { return id_; }
  const Destination& to() const { return to_; }
  bool is_reliable() const { return sipassay::is_reliable(to_.endpoint.transport); }
  // A timer that runs on unreliable transports only: zero on others.
  Duration unless_reliable(Duration span) const { return is_reliable() ? Duration::zero() : span; }

  void send(const Message& message, bool is_retransmission, Outbox& out) {
    has_unreported_send_ = true;
    out.push_back(Transmit{message, to_, is_retransmission, id_});
  }
  // Server: the request as it goes up to the user.
  Output arrival() const {
    if (request.method() == Method::Cancel) return CancelReceived{id_, cancelled, request, flow};
    return RequestReceived{id_, request, flow};
  }
  // A report of failure concerns this transaction once for everything it sent before.
  bool take_unreported_send() { return std::exchange(has_unreported_send_, false); }

  Timings timings;
  Message request;
  Flow flow;                        // server: how the request came
  Instant arrived{};                // server: when
  Id cancelled = 0;                 // server, CANCEL: the transaction that it matches
  std::optional<Message> response;  // client: the last received; server: the last sent

 private:
  Id id_;
  Destination to_;
  bool has_unreported_send_ = false;
};

}  // namespace sipassay::transaction
