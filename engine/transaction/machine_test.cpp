// Every cell of every table: a row does what it says, an empty cell does nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "engine/testing/layer_driver.h"
#include "engine/transaction/invite_client.h"
#include "engine/transaction/invite_server.h"
#include "engine/transaction/non_invite_client.h"
#include "engine/transaction/non_invite_server.h"
#include "engine/transaction/tables.h"

namespace sipassay::transaction {
namespace {

using sipassay::testing::flow_of;
using sipassay::testing::peer_of;
using sipassay::testing::RequestText;
using sipassay::testing::response_to;

Context make_context(std::string_view method) {
  return {1, RequestText{.method = method}.message(), peer_of(Transport::Udp), Timings{}};
}

// One letter an output: S sent, s sent again, R response up, Q request up, T timeout, F failure,
// U unexpected.
std::string letters(const Outbox& out) {
  std::string text;
  for (const Output& output : out) {
    if (const auto* sent = std::get_if<Transmit>(&output))
      text += sent->is_retransmission ? 's' : 'S';
    if (std::holds_alternative<ResponseReceived>(output)) text += 'R';
    if (std::holds_alternative<RequestReceived>(output)) text += 'Q';
    if (std::holds_alternative<TimedOut>(output)) text += 'T';
    if (std::holds_alternative<TransportFailed>(output)) text += 'F';
    if (std::holds_alternative<Unexpected>(output)) text += 'U';
  }
  return text;
}

template <class M>
struct Bench {
  using Machine = M;
  using State = typename M::State;
  using Input = typename M::Input;

  Machine machine;
  Instant now{};
  Outbox out{};

  // Runs timers until one leads to `state` with the wanted outputs.
  bool run_timers(State state, std::string_view wanted) {
    for (int i = 0; i < 20 && machine.next_deadline(); ++i) {
      out.clear();
      now = *machine.next_deadline();
      machine.fire(now, out);
      if (machine.state() == state && letters(out) == wanted) return true;
    }
    return false;
  }
  // Client machines.
  void receive(int status) {
    machine.receive(response_to(machine.context().request, status), flow_of(Transport::Udp), now,
                    out);
  }
  // Server machines.
  void respond(int status) {
    if (!machine.respond(response_to(machine.context().request, status), now, out))
      out.push_back(Unexpected{});
  }
};

struct InviteClientBench : Bench<InviteClient> {
  InviteClientBench() : Bench{InviteClient(make_context("INVITE"))} {}

  void reach(State state, Input) {
    if (state == Machine::Start) return;
    machine.start(now, out);
    if (state == Machine::Proceeding) receive(180);
    if (state == Machine::Completed) receive(486);
    if (state == Machine::Accepted) receive(200);
    if (state == Machine::Terminated) machine.abandon(now, out);
  }
  // False: that input is a timer.
  bool apply(Input input) {
    switch (input) {
      case Machine::InviteFromUser:
        machine.start(now, out);
        return true;
      case Machine::Provisional:
        receive(180);
        return true;
      case Machine::Success:
        receive(200);
        return true;
      case Machine::Failure:
        receive(486);
        return true;
      case Machine::TransportError:
        machine.transport_failed(now, out);
        return true;
      case Machine::Abandoned:
        machine.abandon(now, out);
        return true;
      default:
        return false;
    }
  }
  static constexpr auto last_input = Machine::Abandoned;
  static std::string_view effect(Machine::Action action) {
    switch (action) {
      case Machine::None:
        return "";
      case Machine::SendInvite:
        return "S";
      case Machine::RepeatInvite:
        return "s";
      case Machine::PassUp:
        return "R";
      case Machine::PassUpAndLinger:
        return "R";
      case Machine::PassUpAndAck:
        return "SR";
      case Machine::RepeatAck:
        return "s";
      case Machine::TellTimeout:
        return "T";
      case Machine::TellTransportError:
        return "F";
    }
    return "?";
  }
};

struct NonInviteClientBench : Bench<NonInviteClient> {
  NonInviteClientBench() : Bench{NonInviteClient(make_context("OPTIONS"))} {}

  void reach(State state, Input) {
    if (state == Machine::Start) return;
    machine.start(now, out);
    if (state == Machine::Proceeding) receive(100);
    if (state == Machine::Completed) receive(200);
    if (state == Machine::Terminated) machine.abandon(now, out);
  }
  bool apply(Input input) {
    switch (input) {
      case Machine::RequestFromUser:
        machine.start(now, out);
        return true;
      case Machine::Provisional:
        receive(100);
        return true;
      case Machine::Final:
        receive(404);
        return true;
      case Machine::TransportError:
        machine.transport_failed(now, out);
        return true;
      case Machine::Abandoned:
        machine.abandon(now, out);
        return true;
      default:
        return false;
    }
  }
  static constexpr auto last_input = Machine::Abandoned;
  static std::string_view effect(Machine::Action action) {
    switch (action) {
      case Machine::None:
        return "";
      case Machine::SendRequest:
        return "S";
      case Machine::RepeatRequest:
        return "s";
      case Machine::RepeatSlowly:
        return "s";
      case Machine::PassUp:
        return "R";
      case Machine::PassUpAndAbsorb:
        return "R";
      case Machine::TellTimeout:
        return "T";
      case Machine::TellTransportError:
        return "F";
    }
    return "?";
  }
};

struct InviteServerBench : Bench<InviteServer> {
  InviteServerBench() : Bench{InviteServer(make_context("INVITE"), true)} {}

  void ack() {
    machine.receive_ack(RequestText{.method = "ACK"}.message(), flow_of(Transport::Udp), now, out);
  }
  void reach(State state, Input input) {
    if (state == Machine::Start) return;
    machine.start(now, out);
    if (state == Machine::Proceeding && input != Machine::TimerTrying) respond(180);
    if (state == Machine::Accepted) respond(200);
    if (state == Machine::Completed) respond(486);
    if (state == Machine::Confirmed || state == Machine::Terminated) {
      respond(486);
      ack();
    }
    if (state == Machine::Terminated) run_timers(state, "");
  }
  bool apply(Input input) {
    switch (input) {
      case Machine::Invite:
        machine.receive_again(now, out);
        return true;
      case Machine::Ack:
        ack();
        return true;
      case Machine::ProvisionalFromUser:
        respond(183);
        return true;
      case Machine::SuccessFromUser:
        respond(200);
        return true;
      case Machine::FailureFromUser:
        respond(486);
        return true;
      case Machine::TransportError:
        machine.transport_failed(now, out);
        return true;
      default:
        return false;
    }
  }
  static constexpr auto last_input = Machine::TransportError;
  static std::string_view effect(Machine::Action action) {
    switch (action) {
      case Machine::None:
        return "";
      case Machine::PassUp:
        return "Q";
      case Machine::SendTrying:
        return "S";
      case Machine::SendProvisional:
        return "S";
      case Machine::SendSuccess:
        return "S";
      case Machine::SendFailure:
        return "S";
      case Machine::Send:
        return "S";
      case Machine::Repeat:
        return "s";
      case Machine::RepeatOnTimer:
        return "s";
      case Machine::StopRepeating:
        return "";
      case Machine::PassAckUp:
        return "Q";
      case Machine::TellTimeout:
        return "T";
      case Machine::TellTransportError:
        return "F";
    }
    return "?";
  }
};

struct NonInviteServerBench : Bench<NonInviteServer> {
  NonInviteServerBench() : Bench{NonInviteServer(make_context("OPTIONS"), true)} {}

  void reach(State state, Input) {
    if (state == Machine::Start) return;
    machine.start(now, out);
    if (state == Machine::Proceeding) respond(100);
    if (state == Machine::Completed || state == Machine::Terminated) respond(200);
    if (state == Machine::Terminated) run_timers(state, "");
  }
  bool apply(Input input) {
    switch (input) {
      case Machine::Request:
        if (machine.state() == Machine::Start)
          machine.start(now, out);
        else
          machine.receive_again(now, out);
        return true;
      case Machine::ProvisionalFromUser:
        respond(100);
        return true;
      case Machine::FinalFromUser:
        respond(404);
        return true;
      case Machine::TransportError:
        machine.transport_failed(now, out);
        return true;
      default:
        return false;
    }
  }
  static constexpr auto last_input = Machine::TransportError;
  static std::string_view effect(Machine::Action action) {
    switch (action) {
      case Machine::None:
        return "";
      case Machine::PassUp:
        return "Q";
      case Machine::SendTrying:
        return "S";
      case Machine::SendProvisional:
        return "S";
      case Machine::SendFinal:
        return "S";
      case Machine::Repeat:
        return "s";
      case Machine::TellTimeout:
        return "T";
      case Machine::TellTransportError:
        return "F";
    }
    return "?";
  }
};

template <class B>
class MachineTable : public ::testing::Test {};
using Benches = ::testing::Types<InviteClientBench, NonInviteClientBench, InviteServerBench,
                                 NonInviteServerBench>;
TYPED_TEST_SUITE(MachineTable, Benches);

TYPED_TEST(MachineTable, EveryRowDoesWhatItSays) {
  for (const auto& row : TypeParam::Machine::rows) {
    SCOPED_TRACE(std::string(to_string(row.from)) + " on " + std::string(to_string(row.on)));
    TypeParam bench;
    bench.reach(row.from, row.on);
    ASSERT_EQ(bench.machine.state(), row.from);
    bench.out.clear();
    const std::string_view wanted = TypeParam::effect(row.action);
    if (bench.apply(row.on)) {
      EXPECT_EQ(letters(bench.out), wanted);
      EXPECT_EQ(bench.machine.state(), row.to);
    } else {
      EXPECT_TRUE(bench.run_timers(row.to, wanted));
    }
    EXPECT_FALSE(bench.machine.is_terminated() && bench.machine.next_deadline());
  }
}

TYPED_TEST(MachineTable, AnEmptyCellDoesNothing) {
  using State = typename TypeParam::State;
  using Input = typename TypeParam::Input;
  unsigned empty_count = 0;
  for (unsigned s = 0; s <= static_cast<unsigned>(State::Terminated); ++s) {
    for (unsigned i = 0; i <= static_cast<unsigned>(TypeParam::last_input); ++i) {
      const auto state = static_cast<State>(s);
      const auto input = static_cast<Input>(i);
      if (find_row(TypeParam::Machine::rows, state, input) != nullptr) continue;
      SCOPED_TRACE(std::string(to_string(state)) + " on " + std::string(to_string(input)));
      TypeParam bench;
      bench.reach(state, input);
      ASSERT_EQ(bench.machine.state(), state);
      bench.out.clear();
      if (!bench.apply(input)) continue;
      ++empty_count;
      EXPECT_THAT(letters(bench.out), ::testing::AnyOf("", "U"));
      EXPECT_EQ(bench.machine.state(), state);
    }
  }
  EXPECT_GE(empty_count, 8U);
}

TYPED_TEST(MachineTable, EveryStateIsReachedAndEveryWordHasAText) {
  std::set<std::string_view> reached{"Start"};
  for (const auto& row : TypeParam::Machine::rows) {
    EXPECT_TRUE(reached.contains(to_string(row.from))) << to_string(row.from);
    reached.insert(to_string(row.to));
    EXPECT_FALSE(to_string(row.on).empty());
    EXPECT_FALSE(to_string(row.action).empty());
    EXPECT_FALSE(row.clause.section.empty());
  }
  EXPECT_TRUE(reached.contains("Terminated"));
}

TEST(Tables, AreThoseThatRun) {
  const auto rows = tables();
  EXPECT_EQ(rows.size(), InviteClient::rows.size() + NonInviteClient::rows.size() +
                             InviteServer::rows.size() + NonInviteServer::rows.size());
  EXPECT_EQ(rows.front().machine, "INVITE client");
  EXPECT_EQ(rows.front().from, "Start");
  EXPECT_EQ(rows.front().on, "INVITE from TU");
  EXPECT_EQ(rows.front().to, "Calling");
  EXPECT_EQ(to_string(rows.front().clause), "RFC 3261 section 17.1.1.2, MUST");
}

TEST(Machine, SaysWhichInputItHadNoRowFor) {
  InviteServerBench bench;
  bench.reach(InviteServer::Proceeding, InviteServer::Ack);
  bench.out.clear();
  bench.ack();
  ASSERT_EQ(letters(bench.out), "U");
  const auto& unexpected = std::get<Unexpected>(bench.out.front());
  EXPECT_EQ(unexpected.machine, "INVITE server");
  EXPECT_EQ(unexpected.state, "Proceeding");
  EXPECT_EQ(unexpected.input, "ACK");
}

}  // namespace
}  // namespace sipassay::transaction
