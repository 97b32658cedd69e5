// A transaction layer in virtual time, and messages like those of RFC 3261's examples.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/message/message.h"
#include "engine/transaction/layer.h"

namespace sipassay::testing {

// What came out of the layer, and when.
struct Happened {
  Instant at;
  transaction::Output output;
};

class LayerDriver {
 public:
  explicit LayerDriver(transaction::Layer::Options options = {}, std::uint64_t seed = 1)
      : layer(options, Rng(seed)) {}

  transaction::Layer layer;
  Instant now{};
  std::vector<Happened> log;

  void collect() {
    while (auto output = layer.poll()) log.push_back({now, std::move(*output)});
  }
  void receive(Message message, const Flow& flow) {
    layer.receive(std::move(message), flow, now);
    collect();
  }
  // Jumps from deadline to deadline; leaves the clock at `end`.
  void run_until(Instant end) {
    collect();
    while (const auto due = layer.next_deadline()) {
      if (*due > end) break;
      if (*due > now) now = *due;
      layer.advance(now);
      collect();
    }
    now = end;
  }
  void run_for(Duration span) { run_until(now + span); }

  template <class T>
  std::vector<T> all() const {
    std::vector<T> out;
    for (const Happened& entry : log)
      if (const T* output = std::get_if<T>(&entry.output)) out.push_back(*output);
    return out;
  }
  template <class T>
  std::size_t count() const {
    return all<T>().size();
  }
  // Milliseconds since the start at which a T came out.
  template <class T>
  std::vector<std::int64_t> times() const {
    std::vector<std::int64_t> out;
    for (const Happened& entry : log)
      if (std::holds_alternative<T>(entry.output)) out.push_back(entry.at.time_since_epoch() / 1ms);
    return out;
  }
};

// From 192.0.2.9:5090 to 192.0.2.1:5060.
inline Flow flow_of(Transport transport) {
  return {{transport, "192.0.2.1", 5060},
          {transport, "192.0.2.9", 5090},
          is_reliable(transport) ? FlowId{7} : FlowId{0}};
}

inline transaction::Destination peer_of(Transport transport) {
  const Flow flow = flow_of(transport);
  return {flow.remote, flow.id};
}

struct RequestText {
  std::string_view method = "INVITE";
  std::string_view uri = "sip:bob@biloxi.example";
  std::string_view via = "SIP/2.0/UDP 192.0.2.9:5090;branch=z9hG4bKkjshdyff";
  std::string_view from = "Alice <sip:alice@atlanta.example>;tag=88sja8x";
  std::string_view to = "Bob <sip:bob@biloxi.example>";
  std::string_view call_id = "987asjd97y7atg";
  std::string_view cseq_number = "986759";

  Message message() const {
    Message out = Message::request(method, uri);
    if (!via.empty()) out.add(HeaderId::Via, via);
    out.add(HeaderId::To, to).add(HeaderId::From, from).add(HeaderId::MaxForwards, "70");
    out.add(HeaderId::CallId, call_id);
    out.add(HeaderId::CSeq, std::string(cseq_number) + " " + std::string(method));
    out.add(HeaderId::ContentLength, "0");
    return out;
  }
};

inline Message response_to(const Message& request, int status,
                           std::string_view to_tag = "99sa0xk") {
  Message out = Message::response(status);
  for (const HeaderId id :
       {HeaderId::Via, HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq})
    for (std::size_t nth = 0; const auto position = request.find(id, nth); ++nth)
      out.add(id, request.field(*position).value);
  if (!to_tag.empty() && out.raw(HeaderId::To).find(";tag=") == std::string_view::npos)
    out.set(HeaderId::To, std::string(out.raw(HeaderId::To)) + ";tag=" + std::string(to_tag));
  out.add(HeaderId::ContentLength, "0");
  return out;
}

}  // namespace sipassay::testing
