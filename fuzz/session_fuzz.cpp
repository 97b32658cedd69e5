// Properties of whole agents in virtual time, for any script of calls, commands, losses, forged and
// repeated messages and clock ticks between two agents (the peer of each is the other, or the
// script):
// - once both users have hung up and the network is quiet, every transaction, dialog and call has
// ended,
//   no timer runs, and nothing is sent any more;
// - nothing that needs a session is sent in a dialog after BYE;
// - work and messages are bounded by the operations of the script;
// - while nobody forges: what is sent is well-formed, at most one offer of a side is open in a
// dialog;
//   and while nothing is lost either, no agent finds fault with the other.
// The same script gives the same trace (replay_main). Told to libFuzzer: (states of the session,
// message).
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/agent/behaviour.h"
#include "engine/message/parse.h"
#include "engine/session/session_dialog.h"
#include "fuzz/counters.h"
#include "fuzz/mutate.h"
#include "fuzz/sequence.h"
#include "fuzz/support.h"
#include "fuzz/wire_watch.h"
#include "fuzz/world.h"

namespace sipassay::fuzz {
namespace {

// S is the side that does it, 0 or 1.
enum class Verb : std::uint8_t {
  Call,      // S USER KIND: KIND 1 offerless, 2 100rel required, 4 never 100rel, 8 TCP, 16 offer in
             // PRACK
  Ring,      // S STATUS RELIABILITY SDP
  Answer,    // S
  Reject,    // S STATUS NEXT
  Redirect,  // S
  Cancel,    // S
  HangUp,    // S
  Reinvite,  // S KIND
  Update,    // S OFFER
  Info,      // S PACKAGE
  Message,   // S INSIDE
  Refer,     // S USER
  Options,   // S USER
  Register,  // S
  Tick,      // MS
  Run,       // N: packets and deadlines
  Network,   // LOSS DUPLICATE DELAY
  Partition,  // ON
  Drop,       // N: loses the next packets
  Replay,     // S N: the Nth message sent arrives (again)
  Forge,      // S N SEED: a mutation of it arrives
  Raw,        // TEXT: arrives at both, "|" for the ends of lines
  Fail,       // S TRANSPORT: delivery to the other side failed
  Close,      // S
  Count
};
constexpr std::array<std::string_view, static_cast<std::size_t>(Verb::Count)> verb_names{
    "call",    "ring",      "answer",  "reject", "redirect", "cancel",   "hangup", "reinvite",
    "update",  "info",      "message", "refer",  "options",  "register", "tick",   "run",
    "network", "partition", "drop",    "replay", "forge",    "raw",      "fail",   "close"};

constexpr std::size_t calls_max = 12;    // of one script: enough to meet, cheap to end
constexpr agent::CallId call_ids = 100;  // more than any script makes: REFERs make calls, too
constexpr Duration tick_max = 400s;      // longer than every wait of a behaviour
constexpr Duration after_life = 1h;      // whatever still runs then never ends

bool is_dishonest(Verb verb) {
  return verb == Verb::Replay || verb == Verb::Forge || verb == Verb::Raw || verb == Verb::Fail ||
         verb == Verb::Close;
}
bool is_lossy(Verb verb) {
  return verb == Verb::Network || verb == Verb::Partition || verb == Verb::Drop;
}

struct Nature {
  bool is_honest = true;
  bool is_lossless = true;
};
Nature nature_of(std::string_view text) {
  Nature out;
  Script script(text, verb_names);
  while (const auto operation = script.next()) {
    const auto verb = static_cast<Verb>(operation->verb);
    out.is_honest = out.is_honest && !is_dishonest(verb);
    out.is_lossless = out.is_lossless && !is_lossy(verb);
  }
  return out;
}

class Run {
 public:
  explicit Run(Nature nature) : watch_(nature.is_honest), world_(watch_) {
    watch_.is_lossless(nature.is_lossless);
  }

  void play(std::string_view text) {
    Script script(text, verb_names);
    while (const auto operation = script.next()) {
      const auto side = static_cast<std::size_t>(operation->number[0] % sides);
      trace().note("# " + std::string(verb_names[operation->verb]) + ' ' +
                   std::string(operation->text));
      perform(static_cast<Verb>(operation->verb), side, *operation);
      ++operations_;
      look(verb_names[operation->verb]);
    }
    finish();
  }

 private:
  void perform(Verb verb, std::size_t side, const Operation& op) {
    const auto& n = op.number;
    const int status = static_cast<int>(n[1] % 1000);
    switch (verb) {
      case Verb::Call:
        return call(side, op);
      case Verb::Ring:
        return world_.command(side,
                              agent::Ring{.call = 0,
                                          .status = 101 + (status + 899) % 99,
                                          .reliable = static_cast<agent::Reliability>(n[2] % 3),
                                          .has_sdp = n[3] % 2 == 1});
      case Verb::Answer:
        return world_.command(side, agent::Answer{});
      case Verb::Reject:
        return world_.command(
            side,
            agent::Reject{.call = 0, .status = 300 + (status + 700) % 400, .next = n[2] % 2 == 1});
      case Verb::Redirect:
        return world_.command(side, agent::Redirect{.call = 0, .contact = target(side, op)});
      case Verb::Cancel:
        return world_.command(side, agent::Cancel{});
      case Verb::HangUp:
        return world_.command(side, agent::HangUp{});
      case Verb::Reinvite:
        return world_.command(
            side, agent::Reinvite{.call = 0, .kind = static_cast<agent::Reinvite::Kind>(n[1] % 5)});
      case Verb::Update:
        return world_.command(side, agent::Update{.call = 0, .has_offer = n[1] % 2 == 1});
      case Verb::Info:
        return world_.command(side,
                              agent::SendInfo{.call = 0,
                                              .package = n[1] % 2 == 0 ? "g.sipassay.test" : "",
                                              .body = {"application/x-sipassay", "info", {}}});
      case Verb::Message:
        return world_.command(
            side, agent::SendMessage{.target = n[1] % 2 == 0 ? std::string{} : target(side, {}),
                                     .call = 0,
                                     .body = {"text/plain", "hello", {}}});
      case Verb::Refer:
        return world_.command(side, agent::SendRefer{.call = 0, .refer_to = target(side, op)});
      case Verb::Options:
        return world_.command(side, agent::SendOptions{.target = target(side, op)});
      case Verb::Register:
        return world_.command(
            side, agent::Register{.registrar = target(side, {}),
                                  .expires = 60,
                                  .kind = static_cast<agent::Register::Kind>(n[0] % 3),
                                  .refreshes = false});
      case Verb::Tick:
        return world_.run_until(
            world_.now() +
            std::min<Duration>(tick_max, std::chrono::milliseconds(n[0] % 1'000'000)));
      case Verb::Run:
        return static_cast<void>(world_.run_steps(static_cast<std::size_t>(n[0] % 64)));
      case Verb::Network:
        return world_.network().set({.delay_min = 0ms,
                                     .delay_max = std::chrono::milliseconds(n[2] % 3000),
                                     .loss_percent = static_cast<unsigned>(n[0] % 100),
                                     .duplicate_percent = static_cast<unsigned>(n[1] % 100),
                                     .partitioned = false});
      case Verb::Partition:
        return world_.network().set({.delay_min = 0ms,
                                     .delay_max = 0ms,
                                     .loss_percent = 0,
                                     .duplicate_percent = 0,
                                     .partitioned = n[0] % 2 == 1});
      case Verb::Drop:
        return world_.drop_next(static_cast<std::size_t>(n[0] % 8));
      case Verb::Replay:
        return replay(side, n[1], std::nullopt);
      case Verb::Forge:
        return replay(side, n[1], n[2]);
      case Verb::Raw:
        return raw(op.text);
      case Verb::Fail:
        return world_.handle(
            side, agent::DeliveryFailed{
                      {world_.endpoint(1 - side, n[1] % 2 == 0 ? Transport::Udp : Transport::Tcp),
                       static_cast<FlowId>(n[1] % 2)}});
      case Verb::Close:
        return world_.handle(side, agent::FlowClosed{1});
      case Verb::Count:
        return;
    }
  }

  // A user of the other side: the second argument names it, or its number chooses.
  std::string target(std::size_t side, const Operation& op) const {
    const auto rows = agent::behaviours();
    const auto* named = agent::behaviour_of(op.word(1));
    const auto& row = named ? *named : rows[static_cast<std::size_t>(op.number[1] % rows.size())];
    return "sip:" + std::string(row.user) + "@" +
           host_port(world_.endpoint(1 - side, Transport::Udp));
  }

  void call(std::size_t side, const Operation& op) {
    const auto kind = op.number[2];
    if (++calls_ > calls_max) return;
    agent::Call call;
    call.target = target(side, op) + ((kind & 8U) != 0 ? ";transport=tcp" : "");
    call.has_offer = (kind & 1U) == 0;
    if ((kind & 2U) != 0) call.reliable = agent::Reliability::Always;
    if ((kind & 4U) != 0) call.reliable = agent::Reliability::Never;
    call.offers_in_prack = (kind & 16U) != 0;
    call.follows_redirects = (kind & 32U) != 0;
    world_.command(side, std::move(call));
  }

  void replay(std::size_t side, std::uint64_t n, std::optional<std::uint64_t> seed) {
    if (world_.sent().empty()) return;
    const auto packet = world_.sent()[static_cast<std::size_t>(n % world_.sent().size())];
    const auto octets = seed ? mutate_message(packet.octets, 8192, Rng(*seed)) : packet.octets;
    world_.deliver(side, octets, packet.to.transport);
  }

  void raw(std::string_view text) {
    std::string octets(text);
    for (std::size_t at = 0; (at = octets.find('|', at)) != std::string::npos; at += 2)
      octets.replace(at, 1, "\r\n");
    for (std::size_t side = 0; side < sides; ++side) world_.deliver(side, octets, Transport::Udp);
  }

  void look(std::string_view event) {
    for (std::size_t side = 0; side < sides; ++side) {
      const auto* session = world_.agent(side).session(world_.agent(side).newest_call());
      if (!session) continue;
      count_state(side == 0 ? "alice" : "bob", session::to_string(session->session_state()), event);
      count_state("signaling", session::to_string(session->signaling_state()), event);
    }
    // Every operation may start a call whose behaviour sends a dozen requests, each eleven times;
    // every message that arrives is answered, perhaps again and again.
    check(world_.sent_count() <= 400 * (operations_ + 1) + 16 * world_.delivered_count(),
          "what is sent is bounded");
  }

  // --- the end: the network is good again, both users hang up whatever there is, time passes
  void finish() {
    trace().note("# the end");
    world_.network().set({});
    world_.drop_next(0);
    bool is_quiet = false;
    for (int round = 0; round < 4 && !(is_quiet && are_free()); ++round) {
      for (std::size_t side = 0; side < sides; ++side) hang_up_all(side);
      is_quiet = world_.run_to_quiescence(after_life);
    }
    tell_what_lives();
    check(is_quiet, "after hanging up nothing waits for ever");
    for (std::size_t side = 0; side < sides; ++side) {
      check(world_.agent(side).live_transactions() == 0, "every transaction ends");
      check(world_.agent(side).live_calls() == 0, "every call ends");
    }
    const auto sent = world_.sent_count();
    for (std::size_t side = 0; side < sides; ++side) world_.handle(side, agent::TimePassed{});
    check(world_.sent_count() == sent, "nothing is sent after everything has ended");
    trace().add(sent);
    trace().add(static_cast<std::uint64_t>(world_.now().time_since_epoch().count()));
  }

  void tell_what_lives() {
    if (!trace().is_loud()) return;
    for (std::size_t side = 0; side < sides; ++side)
      for (agent::CallId id = 1; id <= call_ids; ++id)
        if (const auto* session = world_.agent(side).session(id))
          trace().note(std::to_string(side) + ": call " + std::to_string(id) + " lives, " +
                       std::string(session::to_string(session->session_state())));
  }

  void hang_up_all(std::size_t side) {
    for (agent::CallId id = 1; id <= call_ids; ++id) {
      world_.command(side, agent::Reject{.call = id, .status = 486, .next = false});
      world_.command(side, agent::Cancel{id});
      world_.command(side, agent::HangUp{id});
    }
  }

  bool are_free() {
    for (std::size_t side = 0; side < sides; ++side)
      if (world_.agent(side).live_calls() != 0 || world_.agent(side).live_transactions() != 0)
        return false;
    return true;
  }

  WireWatch watch_;
  World world_;
  std::size_t operations_ = 0;
  std::size_t calls_ = 0;
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
  Run(nature_of(block.view())).play(block.view());
  return 0;
}
