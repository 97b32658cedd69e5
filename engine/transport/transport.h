// What every transport is to the hub: a local endpoint that sends, and tells what happened.
//
// Drivers only: the engine below never includes this folder. One thread; nothing here blocks.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <variant>
#include <vector>

#include "engine/agent/agent.h"
#include "engine/base/endpoint.h"
#include "engine/base/error.h"
#include "engine/base/time.h"
#include "engine/message/message.h"

namespace boost::asio {
class io_context;
}

namespace sipassay::transport {

using transaction::Destination;

// What one hub puts up with; one more is refused, dropped or closed as said.
struct Limits {
  std::size_t connections_max = 4'000;             // of one local endpoint; a further one is closed
  std::size_t datagrams_queued_max = 10'000;       // of one socket; a further one is dropped
  std::size_t write_queue_octets_max = 4U << 20U;  // of one connection; it is closed
  std::size_t events_max = 1'024;                  // not taken yet; sockets are read no further
  std::size_t lookups_max = 64;                    // names being resolved; a further send fails
  int receive_buffer_octets = 4 << 20;  // of a UDP socket, as far as the system grants it
  Duration connect_max = 10s;           // a connection that is not there by then failed
  // Without an octet in either direction. RFC 3261 18: at least 64*T1.
  Duration idle_max = 10min;
  Duration linger_max = 1s;      // for the last answers to a peer that has closed
  Duration segment_pause = 5ms;  // between the writes of Outgoing::segments
};

// --- what happened

// `local` is the local endpoint's id, from Hub::open.
struct MessageArrived {
  FlowId local = 0;
  Message message;
  Flow flow;
  std::string octets;  // as they came; only if the hub keeps octets
};
// Octets that frame as a message but do not parse; or, when a stream's framing is lost, the octets
// up to there: the connection reads no more and closes.
struct GarbageArrived {
  FlowId local = 0;
  std::string octets;
  Error error;
  Flow flow;
};
struct FlowClosed {
  FlowId local = 0;
  Flow flow;
};
// Nothing that was sent there lately can be hoped to arrive.
struct SendFailed {
  FlowId local = 0;
  Destination to;
  std::string reason;
};
using Event = std::variant<MessageArrived, GarbageArrived, FlowClosed, SendFailed>;

// --- what to do

struct Outgoing {
  std::string octets;
  Destination to;                     // as the sender knows it
  std::vector<std::size_t> segments;  // octets of each write but the last; streams only
  Endpoint address;                   // the same, resolved; filled in by the hub
};

// What local endpoints share: the hub's.
struct Loop {
  boost::asio::io_context& io;
  const Limits& limits;
  std::deque<Event> events;
  bool keeps_octets = false;
  FlowId last_flow = 0;

  FlowId next_flow() { return ++last_flow; }
};

// One local endpoint of one transport; made by its row of the registry.
class LocalEndpoint {
 public:
  virtual ~LocalEndpoint() = default;

  // With the port that was really taken.
  virtual const Endpoint& address() const = 0;
  virtual bool has_flow(FlowId flow) const = 0;
  // By outgoing.to.flow if it is there, else to outgoing.address.
  virtual void send(Outgoing outgoing) = 0;
  // What send() has collected goes out.
  virtual void flush() = 0;
  // Streams: closes; what is queued is sent first.
  virtual void close_flow(FlowId flow) = 0;
};

}  // namespace sipassay::transport
