// Random calls: what must hold whatever the application and the network do. Seeded, so it repeats.
#include <gtest/gtest.h>

#include <map>

#include "engine/session/session_dialog.h"
#include "engine/testing/session_pair.h"

namespace sipassay::session {
namespace {

using testing::Packet;
using testing::sdp_body;
using testing::SessionPair;
using testing::Who;
using enum testing::Who;

struct Network {
  bool is_lossy = false;    // packets are lost, doubled and delayed
  bool is_hostile = false;  // and headers and bodies are changed
};

class RandomCall {
 public:
  RandomCall(std::uint64_t seed, Network network)
      : rng_(seed), network_(network), pair_(options(seed)) {}

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      act();
      move_packets();
      check();
    }
  }
  SessionPair& pair() { return pair_; }
  // Everything arrives, nobody does anything new.
  void settle() {
    for (int i = 0; i < 6; ++i) {
      answer_all();
      pair_.settle();
      acknowledge();
    }
    check();
  }

 private:
  static SessionPair::Options options(std::uint64_t seed) {
    SessionPair::Options out;
    out.seed = seed;
    out.has_offer = seed % 3 != 0;
    if (seed % 4 == 0) out.headers = {{"Require", "100rel"}, {"Recv-Info", "a"}};
    if (seed % 7 == 0) out.headers = {{"Record-Route", "<sip:p;lr>"}};
    out.callee.recv_info = {"g.test"};
    return out;
  }
  Body any_body() {
    if (rng_.percent(40)) return {};
    return sdp_body(static_cast<int>(++version_));
  }
  bool has(Who who) { return who == Callee || pair_.has_caller(); }

  void act() {
    const Who who = rng_.percent(50) ? Caller : Callee;
    if (!has(who)) return reply_any(Callee);
    auto& side = pair_.side(who);
    switch (rng_.between(0, 13)) {
      case 0:
        return send(who, side.invite({.headers = {{"Supported", "100rel"}}, .body = any_body()},
                                     pair_.now()));
      case 1:
        return send(who, side.update({.body = any_body()}));
      case 2:
        return send(who, side.info({.body = any_body()}, rng_.percent(50) ? "g.test" : ""));
      case 3:
        return send(who, side.refer("sip:carol@example.com", {}, pair_.now()));
      case 4:
        if (rng_.percent(2)) send(who, side.bye());
        return;
      case 5:
        return send(who, side.prack({.body = any_body()}));
      case 6:
        return send(who, side.ack({.body = any_body()}));
      case 7:
        if (rng_.percent(5)) {
          for (const auto id : waiting(who)) side.receive_cancel(id, pair_.now());
          pair_.collect();
        }
        return;
      case 8:
        return pair_.pass(Duration{1ms} * static_cast<Duration::rep>(rng_.between(0, 3000)));
      case 9:
        return send(who, side.message({}));
      case 10:
        return send(who, side.request("OPTIONS"));
      default:
        return reply_any(who);
    }
  }
  void send(Who who, const SessionDialog::Result& request) {
    if (!request) return;
    if (request->method() != Method::Ack) check_cseq(who, *request);
    pair_.send(who, *request);
  }
  void check_cseq(Who who, const Message& request) {
    const std::uint32_t number = request.get<CSeq>()->number;
    ASSERT_EQ(pair_.side(who).dialog().local_cseq(), number);
  }
  // Transactions of the peer that were delivered to `who` and have no final response.
  std::vector<TransactionId> waiting(Who who) {
    std::vector<TransactionId> out;
    if (who == Callee) out.push_back(SessionPair::invite_transaction);
    for (const auto& output : pair_.log(who))
      if (const auto* request = std::get_if<Deliver>(&output))
        if (!request->was_answered) out.push_back(request->transaction);
    return out;
  }
  void reply_any(Who who) {
    const auto ids = waiting(who);
    if (ids.empty()) return;
    const auto id = ids[rng_.between(0, ids.size() - 1)];
    constexpr int statuses[] = {100, 180, 183, 183, 200, 200, 200, 200, 200, 403, 488};
    const bool is_first = id == SessionPair::invite_transaction;
    int status = statuses[rng_.between(0, std::size(statuses) - 1)];
    if (is_first && status >= 300 && rng_.percent(95)) status = 180;
    (void)pair_.reply(who, id,
                      {.status = status, .body = any_body(), .is_reliable = rng_.percent(50)});
  }
  void answer_all() {
    for (const Who who : {Caller, Callee}) {
      if (!has(who)) continue;
      for (const auto id : waiting(who)) {
        if (!pair_.reply(who, id, {.status = 200}))
          (void)pair_.reply(who, id,
                            {.status = 200, .body = sdp_body(static_cast<int>(++version_))});
      }
    }
  }
  void acknowledge() {
    for (const Who who : {Caller, Callee}) {
      if (!has(who)) continue;
      auto& side = pair_.side(who);
      for (const bool has_body : {false, true}) {
        const RequestOptions options{.body = has_body ? sdp_body(static_cast<int>(++version_))
                                                      : Body{}};
        while (auto prack = side.prack(options)) pair_.send(who, *prack);
        while (auto ack = side.ack(options)) pair_.send(who, *ack);
      }
    }
    pair_.settle();
  }

  void move_packets() {
    pair_.collect();
    auto& flight = pair_.flight();
    for (int i = 0; i < 4 && !flight.empty(); ++i) {
      if (network_.is_lossy) {
        if (rng_.percent(15))
          flight.pop_front();
        else if (rng_.percent(10))
          flight.push_back(flight.front());
        else if (rng_.percent(10))
          std::swap(flight.front(), flight.back());
      }
      if (network_.is_hostile && !flight.empty() && rng_.percent(30)) spoil(flight.front());
      if (!flight.empty() && rng_.percent(70)) pair_.deliver();
    }
  }
  void spoil(Packet& packet) {
    Message& message = packet.message;
    constexpr std::string_view names[] = {
        "CSeq",     "Contact", "To",           "From",      "RSeq",
        "RAck",     "Require", "Content-Type", "Event",     "Subscription-State",
        "Refer-To", "Call-ID", "Record-Route", "Recv-Info", "Retry-After"};
    const auto name = names[rng_.between(0, std::size(names) - 1)];
    constexpr std::string_view values[] = {"",
                                           "x",
                                           "1",
                                           "0",
                                           "4294967295",
                                           "1 1 INVITE",
                                           "<sip:a@b>",
                                           ";;;",
                                           "<<>>",
                                           "application/sdp",
                                           "terminated",
                                           "100rel",
                                           "2147483648 BYE"};
    switch (rng_.between(0, 4)) {
      case 0:
        message.remove(name);
        break;
      case 1:
        message.set(name, values[rng_.between(0, std::size(values) - 1)]);
        break;
      case 2:
        message.set_body("application/sdp", testing::sdp_text(static_cast<int>(++version_)));
        break;
      case 3:
        message.set_body("", "");
        break;
      default:
        message.add(name, values[rng_.between(0, std::size(values) - 1)]);
        break;
    }
  }

  void check() {
    pair_.collect();
    for (TransactionId id = 0; id < 400; ++id) {
      int finals = 0;
      for (const int status : pair_.statuses(id)) finals += status >= 200 ? 1 : 0;
      ASSERT_LE(finals, 1) << "one final response for each request";
    }
    for (const Who who : {Caller, Callee}) {
      if (!has(who)) continue;
      const auto& side = pair_.side(who);
      const bool is_open = side.offer_answer().is_open();
      if (is_open) {
        ASSERT_TRUE(side.offer());
        ASSERT_FALSE(side.answer());
      }
      if (side.signaling_state() == SignalingState::Stable) {
        ASSERT_TRUE(side.offer());
        ASSERT_TRUE(side.answer());
      }
      if (side.session_state() == SessionState::Terminated) {
        ASSERT_EQ(side.signaling_state(), SignalingState::Closed);
        ASSERT_EQ(pair_.count<Ended>(who), 1U);
        ASSERT_FALSE(pair_.side(who).info({}));
      }
    }
  }

  Rng rng_;
  Network network_;
  SessionPair pair_;
  std::uint64_t version_ = 100;
};

TEST(RandomCall, OnAGoodNetworkNobodyIsAccusedAndBothSidesAgree) {
  int confirmed = 0;
  for (std::uint64_t seed = 0; seed < 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomCall call(seed, {});
    call.run(60);
    call.settle();
    auto& pair = call.pair();
    if (!pair.has_caller()) continue;
    for (const Who who : {Caller, Callee})
      for (const auto& output : pair.log(who))
        if (const auto* violation = std::get_if<Violation>(&output))
          ADD_FAILURE() << violation->finding.rule << ": " << violation->finding.observed;
    if (pair.caller().session_state() != SessionState::Confirmed ||
        pair.callee().session_state() != SessionState::Confirmed)
      continue;
    ++confirmed;
    EXPECT_EQ(pair.caller().offer(), pair.callee().offer());
    EXPECT_EQ(pair.caller().answer(), pair.callee().answer());
    EXPECT_EQ(pair.caller().offer_answer().local(), pair.callee().offer_answer().remote());
  }
  EXPECT_GT(confirmed, 100);
}

TEST(RandomCall, LossAndDisorderBreakNoInvariant) {
  for (std::uint64_t seed = 0; seed < 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomCall call(seed, {.is_lossy = true});
    call.run(80);
    call.settle();
  }
}

TEST(RandomCall, HostileMessagesBreakNoInvariant) {
  for (std::uint64_t seed = 0; seed < 200 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomCall call(seed, {.is_lossy = true, .is_hostile = true});
    call.run(80);
    call.settle();
  }
}

}  // namespace
}  // namespace sipassay::session
