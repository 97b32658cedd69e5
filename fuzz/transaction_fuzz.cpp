// Properties of the transaction layer in virtual time, for any script of messages, losses (messages
// that the script never answers), user actions, transport errors and clock ticks:
// - every transaction ends, once; nothing is sent or told for it afterwards;
// - without transactions there is no timer, and a timer that was due is not due again;
// - what is sent is bounded by what came in and by the timers of RFC 3261 table 4;
// - on a reliable transport no timer sends anything again.
// The same script gives the same trace (replay_main). Told to libFuzzer: (machine, state,
// operation).
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/message/parse.h"
#include "engine/testing/layer_driver.h"
#include "engine/transaction/layer.h"
#include "fuzz/counters.h"
#include "fuzz/sequence.h"
#include "fuzz/support.h"

namespace sipassay::fuzz {
namespace {

using transaction::Id;

enum class Verb : std::uint8_t {
  Send,     // METHOD TRANSPORT: the user sends a request
  Reply,    // N STATUS TAG: a response for the Nth client transaction comes
  Receive,  // METHOD BRANCH TRANSPORT TAG: a request comes; branch 0: none (RFC 2543)
  Again,    // N: the request of the Nth server transaction comes again
  Answer,   // N STATUS: the user answers the Nth server transaction
  Repeat,   // N: the user repeats its 2xx
  Cancel,   // N: the user cancels the Nth client transaction
  Abandon,  // N
  Tick,     // MS
  Timer,    // to the next deadline
  Fail,     // TRANSPORT: nothing can be delivered there
  Raw,      // TEXT: a message, "|" for the ends of lines
  Stray,    // STATUS: a response to nothing
  Count
};
constexpr std::array<std::string_view, static_cast<std::size_t>(Verb::Count)> verb_names{
    "send",    "reply", "receive", "again", "answer", "repeat", "cancel",
    "abandon", "tick",  "timer",   "fail",  "raw",    "stray"};
constexpr std::array<std::string_view, 8> methods{"INVITE",  "ACK",   "CANCEL",   "BYE",
                                                  "OPTIONS", "PRACK", "REGISTER", "X-ODD"};
constexpr Duration tick_max = 300s;
constexpr std::size_t live_max = 32;

Transport transport_of(std::uint64_t number) {
  return number % 2 == 0 ? Transport::Udp : Transport::Tcp;
}
int status_of(std::uint64_t number) {
  return static_cast<int>(100 + (number + 600 - 100) % 600);
}

struct Known {
  std::string kind;
  std::string state;
  Message request;
  Flow flow;
  bool is_over = false;
};

class Run {
 public:
  void play(std::string_view text) {
    Script script(text, verb_names);
    while (const auto operation = script.next()) {
      verb_ = verb_names[operation->verb];
      perform(static_cast<Verb>(operation->verb), *operation);
      ++inputs_;
      look();
    }
    finish();
  }

 private:
  void perform(Verb verb, const Operation& op) {
    const auto& n = op.number;
    switch (verb) {
      case Verb::Send:
        return send(methods[n[0] % methods.size()], transport_of(n[1]));
      case Verb::Reply:
        return reply(client(n[0]), status_of(n[1]), n[2]);
      case Verb::Receive:
        return receive(methods[n[0] % methods.size()], n[1], transport_of(n[2]), n[3]);
      case Verb::Again:
        if (const auto* known = server(n[0])) layer_.receive(known->request, known->flow, now_);
        return;
      case Verb::Answer:
        if (const Id id = server_id(n[0])) answer(id, status_of(n[1]));
        return;
      case Verb::Repeat:
        if (const Id id = server_id(n[0])) (void)layer_.repeat_response(id);
        return;
      case Verb::Cancel:
        if (const auto* known = client(n[0]))
          keep_client(transaction::cancel_for(known->request), known->flow.local.transport);
        return;
      case Verb::Abandon:
        if (!clients_.empty()) layer_.abandon(clients_[n[0] % clients_.size()], now_);
        return;
      case Verb::Tick:
        return advance(now_ +
                       std::min<Duration>(tick_max, std::chrono::milliseconds(n[0] % 300'000)));
      case Verb::Timer:
        if (const auto due = layer_.next_deadline()) advance(std::max(now_, *due));
        return;
      case Verb::Fail:
        return layer_.transport_failed(testing::peer_of(transport_of(n[0])), now_);
      case Verb::Raw:
        return raw(op.text);
      case Verb::Stray:
        return layer_.receive(
            testing::response_to(testing::RequestText{}.message(), status_of(n[0])),
            testing::flow_of(Transport::Udp), now_);
      case Verb::Count:
        return;
    }
  }

  // --- operations
  void send(std::string_view method, Transport transport) {
    auto request = testing::RequestText{.method = method, .via = {}}.message();
    transaction::add_via(request, testing::flow_of(transport).local,
                         transaction::make_branch(rng_));
    if (method == "ACK") return layer_.send_ack(std::move(request), testing::peer_of(transport));
    keep_client(std::move(request), transport);
  }

  void keep_client(Message request, Transport transport) {
    const auto kind = "client " + std::string(request.method_text());
    const auto id = layer_.send_request(request, testing::peer_of(transport), now_);
    if (!id) return;
    add(*id, kind, std::move(request), testing::flow_of(transport));
    clients_.push_back(*id);
  }

  void reply(const Known* known, int status, std::uint64_t tag) {
    if (!known) return;
    layer_.receive(testing::response_to(known->request, status, "t" + std::to_string(tag % 4)),
                   known->flow, now_);
  }

  void receive(std::string_view method, std::uint64_t branch, Transport transport,
               std::uint64_t tag) {
    const auto via = std::string("SIP/2.0/") + std::string(via_token(transport)) +
                     " 192.0.2.9:5090" +
                     (branch == 0 ? "" : ";branch=z9hG4bK" + std::to_string(branch % 16));
    const auto to = "<sip:bob@biloxi.example>" +
                    (tag == 0 ? std::string{} : ";tag=t" + std::to_string(tag % 4));
    layer_.receive(testing::RequestText{.method = method, .via = via, .to = to}.message(),
                   testing::flow_of(transport), now_);
  }

  void answer(Id id, int status) {
    if (const auto* request = layer_.request(id))
      (void)layer_.respond(id, testing::response_to(*request, status), now_);
  }

  void raw(std::string_view text) {
    std::string octets(text);
    for (std::size_t at = 0; (at = octets.find('|', at)) != std::string::npos; at += 2)
      octets.replace(at, 1, "\r\n");
    Message message;
    (void)parse_message(octets, message);  // half a message has to be borne, too
    layer_.receive(std::move(message), testing::flow_of(Transport::Udp), now_);
  }

  void advance(Instant to) {
    now_ = to;
    by_time_ = true;
    layer_.advance(now_);
    look();
    by_time_ = false;
    const auto due = layer_.next_deadline();
    check(!due || *due > now_, "a timer that was due is not due again");
  }

  // --- what came out
  void look() {
    while (auto output = layer_.poll()) std::visit([&](auto& o) { on(o); }, *output);
    for (auto& [id, known] : known_) {
      if (known.is_over) continue;
      const auto state = layer_.state(id);
      if (state == known.state) continue;
      count_state(known.kind, known.state, verb_);
      known.state = state;
    }
    check(layer_.size() == live(), "every transaction is known");
    check(layer_.size() <= live_max, "no more transactions than the limit");
    check(layer_.size() != 0 || !layer_.next_deadline(), "no timer without a transaction");
    check(sends_ <= 16 * known_.size() + 4 * (inputs_ + 1), "what is sent is bounded");
  }

  void on(transaction::Transmit& o) {
    ++sends_;
    trace().add(o.message.to_string());
    trace().add(o.is_retransmission ? 1U : 0U);
    check(o.transaction == 0 || is_live(o.transaction),
          "nothing is sent for a transaction that is over");
    check(!(by_time_ && o.is_retransmission && is_reliable(o.to.endpoint.transport)),
          "on a reliable transport no timer sends again", o.message.to_string());
  }
  void on(transaction::RequestReceived& o) { arrived(o.transaction, std::move(o.request), o.flow); }
  void on(transaction::CancelReceived& o) {
    trace().add(o.cancelled);
    check(o.cancelled == 0 || is_live(o.cancelled), "a CANCEL matches a transaction that lives");
    arrived(o.transaction, std::move(o.request), o.flow);
  }
  void on(transaction::ResponseReceived& o) { told(o.transaction, o.response.start_line()); }
  void on(transaction::StrayResponse& o) { trace().add(o.response.start_line()); }
  void on(transaction::TimedOut& o) { told(o.transaction, "timed out"); }
  void on(transaction::TransportFailed& o) { told(o.transaction, "transport failed"); }
  void on(transaction::Terminated& o) {
    told(o.transaction, "terminated");
    known_.at(o.transaction).is_over = true;
    check(layer_.state(o.transaction).empty(), "a terminated transaction is gone");
  }
  void on(transaction::Unexpected& o) {
    count_state(o.machine, o.state, o.input);
    trace().add(o.input);
  }

  void arrived(Id id, Message request, const Flow& flow) {
    trace().add(request.start_line());
    if (id == 0) return;  // an ACK
    check(!known_.contains(id) || request.method() == Method::Ack,
          "a server transaction tells of its request once");
    if (known_.contains(id)) return;
    add(id, "server " + std::string(request.method_text().substr(0, 10)), std::move(request), flow);
    servers_.push_back(id);
  }

  void told(Id id, std::string_view what) {
    trace().add(id);
    trace().add(what);
    // What is told of a client transaction while send_request runs comes before it is known.
    check(!known_.contains(id) || !known_.at(id).is_over,
          "nothing is told of a transaction that is over", what);
  }

  // --- the end: the user answers everything, then only time passes
  void finish() {
    verb_ = "finish";
    for (const Id id : servers_) answer(id, 480);
    look();
    const std::size_t steps_max = 64 * (known_.size() + 1);
    run_timers(steps_max);
    for (const Id id : clients_)
      layer_.abandon(id, now_);  // RFC 3261 9.1: an INVITE that only rings
    look();
    run_timers(steps_max);
    check(layer_.size() == 0, "every transaction ends");
    for (const auto& [id, known] : known_)
      check(known.is_over, "every transaction says that it ended", known.kind);
    trace().add(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  }

  void run_timers(std::size_t steps_max) {
    std::size_t steps = 0;
    while (const auto due = layer_.next_deadline()) {
      check(++steps <= steps_max, "timers come to an end");
      advance(*due);
    }
  }

  // --- bookkeeping
  void add(Id id, std::string kind, Message request, const Flow& flow) {
    known_.emplace(
        id, Known{std::move(kind), std::string(layer_.state(id)), std::move(request), flow, false});
    trace().add(id);
  }
  bool is_live(Id id) const {
    const auto found = known_.find(id);
    return found == known_.end() || !found->second.is_over;
  }
  std::size_t live() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(known_, [](const auto& entry) { return !entry.second.is_over; }));
  }
  const Known* client(std::uint64_t n) const {
    return clients_.empty() ? nullptr : &known_.at(clients_[n % clients_.size()]);
  }
  Id server_id(std::uint64_t n) const {
    return servers_.empty() ? 0 : servers_[n % servers_.size()];
  }
  const Known* server(std::uint64_t n) const {
    return servers_.empty() ? nullptr : &known_.at(server_id(n));
  }

  static transaction::Layer::Options options() {
    transaction::Layer::Options out;
    out.limit = live_max;
    return out;
  }

  Rng rng_{1};
  transaction::Layer layer_{options(), Rng(2)};
  Instant now_{};
  std::map<Id, Known> known_;
  std::vector<Id> clients_, servers_;
  std::string_view verb_;
  std::size_t inputs_ = 0;
  std::size_t sends_ = 0;
  bool by_time_ = false;
};

}  // namespace

Verbs verbs() {
  return verb_names;
}

}  // namespace sipassay::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sipassay::fuzz;
  trace().begin();
  const Block block(data, size);
  Run().play(block.view());
  return 0;
}
