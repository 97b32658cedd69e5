// Exact schedules in virtual time: every timer of RFC 3261 table 4 and of RFC 6026, on both classes
// of transport.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "engine/testing/layer_driver.h"
#include "engine/transaction/timer_queue.h"

namespace sipassay::transaction {
namespace {

using sipassay::testing::flow_of;
using sipassay::testing::LayerDriver;
using sipassay::testing::peer_of;
using sipassay::testing::RequestText;
using sipassay::testing::response_to;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto udp = Transport::Udp;
constexpr auto tcp = Transport::Tcp;

struct Client : LayerDriver {
  Client(std::string_view method, Transport transport, Layer::Options options = {})
      : LayerDriver(options), request(RequestText{.method = method}.message()), way(transport) {
    id = layer.send_request(request, peer_of(transport), now).value();
    collect();
  }
  void answer(int status) { receive(response_to(request, status), flow_of(way)); }

  Message request;
  Transport way;
  Id id = 0;
};

struct Server : LayerDriver {
  Server(std::string_view method, Transport transport, Layer::Options options = {})
      : LayerDriver(options), request(RequestText{.method = method}.message()), way(transport) {
    repeat();
    id = all<RequestReceived>().at(0).transaction;
  }
  void repeat() { receive(request, flow_of(way)); }
  void ack() { receive(RequestText{.method = "ACK"}.message(), flow_of(way)); }
  auto respond(int status) {
    auto done = layer.respond(id, response_to(request, status), now);
    collect();
    return done;
  }

  Message request;
  Transport way;
  Id id = 0;
};

// --- INVITE client: A, B, D, M

TEST(TimerA, DoublesWithoutBoundUntilTimerB) {
  Client client("INVITE", udp);
  client.run_for(60s);
  EXPECT_THAT(client.times<Transmit>(), ElementsAre(0, 500, 1500, 3500, 7500, 15500, 31500));
  EXPECT_THAT(client.times<TimedOut>(), ElementsAre(32000));
  EXPECT_EQ(client.layer.size(), 0U);
}

TEST(TimerA, DoesNotRunOnReliableTransports) {
  Client client("INVITE", tcp);
  client.run_for(60s);
  EXPECT_THAT(client.times<Transmit>(), ElementsAre(0));
  EXPECT_THAT(client.times<TimedOut>(), ElementsAre(32000));
}

TEST(TimerA, StopsWithTheFirstProvisional) {
  Client client("INVITE", udp);
  client.run_for(2s);
  client.answer(100);
  client.run_for(600s);
  EXPECT_THAT(client.times<Transmit>(), ElementsAre(0, 500, 1500));
  EXPECT_THAT(client.times<TimedOut>(), IsEmpty()) << "Timer B runs in Calling only";
  EXPECT_EQ(client.layer.state(client.id), "Proceeding");
}

TEST(TimerA, ScalesWithT1) {
  Client client("INVITE", udp, {.timings = {.t1 = 100ms}});
  client.run_for(60s);
  EXPECT_THAT(client.times<Transmit>(), ElementsAre(0, 100, 300, 700, 1500, 3100, 6300));
  EXPECT_THAT(client.times<TimedOut>(), ElementsAre(6400));
}

TEST(TimerB, SendsNoAck) {
  Client client("INVITE", udp);
  client.run_for(60s);
  for (const Transmit& sent : client.all<Transmit>())
    EXPECT_EQ(sent.message.method(), Method::Invite);
}

TEST(TimerD, Runs32SecondsOnDatagrams) {
  Client client("INVITE", udp, {.timings = {.t1 = 100ms}});
  client.answer(486);
  client.run_for(60s);
  EXPECT_THAT(client.times<Terminated>(), ElementsAre(32000)) << "whatever T1 is";
}

TEST(TimerD, IsZeroOnStreams) {
  Client client("INVITE", tcp);
  client.answer(486);
  EXPECT_THAT(client.times<Terminated>(), ElementsAre(0));
  EXPECT_EQ(client.layer.size(), 0U);
}

TEST(TimerM, Runs64T1OnEveryTransport) {
  for (const Transport transport : {udp, tcp}) {
    Client client("INVITE", transport);
    client.answer(200);
    client.run_for(60s);
    EXPECT_THAT(client.times<Terminated>(), ElementsAre(32000)) << to_string(transport);
  }
}

// --- non-INVITE client: E, F, K

TEST(TimerE, DoublesUpToT2UntilTimerF) {
  Client client("OPTIONS", udp);
  client.run_for(60s);
  EXPECT_THAT(client.times<Transmit>(),
              ElementsAre(0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500));
  EXPECT_THAT(client.times<TimedOut>(), ElementsAre(32000));
}

TEST(TimerE, DoesNotRunOnReliableTransports) {
  Client client("OPTIONS", tcp);
  client.run_for(60s);
  EXPECT_THAT(client.times<Transmit>(), ElementsAre(0));
  EXPECT_THAT(client.times<TimedOut>(), ElementsAre(32000));
}

TEST(TimerE, IsT2AfterAProvisional) {
  Client client("OPTIONS", udp);
  client.run_for(400ms);
  client.answer(100);
  client.run_for(60s);
  EXPECT_THAT(client.times<Transmit>(),
              ElementsAre(0, 500, 4500, 8500, 12500, 16500, 20500, 24500, 28500));
  EXPECT_THAT(client.times<TimedOut>(), ElementsAre(32000));
}

TEST(TimerK, RunsT4OnDatagramsAndNotOnStreams) {
  Client slow("OPTIONS", udp);
  slow.answer(200);
  slow.run_for(60s);
  EXPECT_THAT(slow.times<Terminated>(), ElementsAre(5000));
  Client fast("OPTIONS", tcp);
  fast.answer(200);
  EXPECT_THAT(fast.times<Terminated>(), ElementsAre(0));
}

// --- INVITE server: the 100, G, H, I, L

TEST(Trying, IsSentAfter200MillisecondsWithoutAToTag) {
  Server server("INVITE", udp);
  server.run_for(10s);
  EXPECT_THAT(server.times<Transmit>(), ElementsAre(200));
  const Message trying = server.all<Transmit>().at(0).message;
  EXPECT_EQ(trying.status(), 100);
  EXPECT_EQ(trying.raw(HeaderId::To), server.request.raw(HeaderId::To));
}

TEST(Trying, IsNotSentIfTheUserIsQuickOrTheOptionIsOff) {
  Server quick("INVITE", udp);
  quick.run_for(199ms);
  ASSERT_TRUE(quick.respond(180));
  quick.run_for(10s);
  EXPECT_THAT(quick.times<Transmit>(), ElementsAre(199));
  Server off("INVITE", udp, {.sends_trying = false});
  off.run_for(10s);
  EXPECT_THAT(off.times<Transmit>(), IsEmpty());
}

TEST(TimerG, DoublesUpToT2UntilTimerH) {
  Server server("INVITE", udp);
  ASSERT_TRUE(server.respond(486));
  server.run_for(60s);
  EXPECT_THAT(server.times<Transmit>(),
              ElementsAre(0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500));
  EXPECT_THAT(server.times<TimedOut>(), ElementsAre(32000)) << "Timer H is told to the TU";
  EXPECT_THAT(server.times<Terminated>(), ElementsAre(32000));
}

TEST(TimerG, DoesNotRunOnReliableTransportsButTimerHDoes) {
  Server server("INVITE", tcp);
  ASSERT_TRUE(server.respond(486));
  server.run_for(60s);
  EXPECT_THAT(server.times<Transmit>(), ElementsAre(0));
  EXPECT_THAT(server.times<TimedOut>(), ElementsAre(32000));
}

TEST(TimerI, RunsT4OnDatagramsAndNotOnStreams) {
  Server slow("INVITE", udp);
  ASSERT_TRUE(slow.respond(486));
  slow.run_for(1s);
  slow.ack();
  slow.run_for(60s);
  EXPECT_THAT(slow.times<Transmit>(), ElementsAre(0, 500));
  EXPECT_THAT(slow.times<Terminated>(), ElementsAre(6000));
  EXPECT_THAT(slow.times<TimedOut>(), IsEmpty());
  Server fast("INVITE", tcp);
  ASSERT_TRUE(fast.respond(486));
  fast.ack();
  EXPECT_THAT(fast.times<Terminated>(), ElementsAre(0));
}

TEST(TimerL, Runs64T1OnEveryTransportAndRepeatsNothing) {
  for (const Transport transport : {udp, tcp}) {
    Server server("INVITE", transport);
    ASSERT_TRUE(server.respond(200));
    server.run_for(60s);
    EXPECT_THAT(server.times<Transmit>(), ElementsAre(0)) << to_string(transport);
    EXPECT_THAT(server.times<Terminated>(), ElementsAre(32000)) << to_string(transport);
    EXPECT_THAT(server.times<TimedOut>(), IsEmpty());
  }
}

// --- non-INVITE server: J, the late 100, the end of the client's patience

TEST(TimerJ, Runs64T1OnDatagramsAndNotOnStreams) {
  Server slow("OPTIONS", udp);
  ASSERT_TRUE(slow.respond(200));
  slow.run_for(60s);
  EXPECT_THAT(slow.times<Transmit>(), ElementsAre(0)) << "nothing goes out by itself";
  EXPECT_THAT(slow.times<Terminated>(), ElementsAre(32000));
  Server fast("OPTIONS", tcp);
  ASSERT_TRUE(fast.respond(200));
  EXPECT_THAT(fast.times<Terminated>(), ElementsAre(0));
}

TEST(LateTrying, GoesOutWhenTimerEOfTheClientReachesT2) {
  for (const Transport transport : {udp, tcp}) {
    Server server("OPTIONS", transport);
    server.run_for(60s);
    EXPECT_THAT(server.times<Transmit>(), ElementsAre(3500)) << to_string(transport);
    EXPECT_EQ(server.all<Transmit>().at(0).message.status(), 100);
    EXPECT_THAT(server.times<TimedOut>(), ElementsAre(32000)) << "the client is gone";
    EXPECT_EQ(server.layer.size(), 0U);
  }
}

TEST(LateTrying, IsNotSentAfterAnAnswerOrIfTheOptionIsOff) {
  Server answered("OPTIONS", udp);
  answered.run_for(3s);
  ASSERT_TRUE(answered.respond(200));
  answered.run_for(60s);
  EXPECT_THAT(answered.times<Transmit>(), ElementsAre(3000));
  Server off("OPTIONS", udp, {.sends_late_trying = false});
  off.run_for(60s);
  EXPECT_THAT(off.times<Transmit>(), IsEmpty());
}

TEST(LateTrying, FollowsT1AndT2) {
  Server server("OPTIONS", udp, {.timings = {.t1 = 100ms, .t2 = 1s}});
  server.run_for(60s);
  EXPECT_THAT(server.times<Transmit>(), ElementsAre(1500)) << "100 + 200 + 400 + 800";
}

// --- the driver's part

TEST(Advance, MayComeLate) {
  Client client("INVITE", udp);
  client.now += 10s;
  client.layer.advance(client.now);
  client.collect();
  EXPECT_THAT(client.times<Transmit>(), ElementsAre(0, 10000)) << "one copy, no burst";
  client.now += 100s;
  client.layer.advance(client.now);
  client.collect();
  EXPECT_EQ(client.count<TimedOut>(), 1U);
  EXPECT_EQ(client.layer.next_deadline(), std::nullopt);
}

TEST(Advance, TooEarlyDoesNothing) {
  Client client("INVITE", udp);
  client.layer.advance(client.now + 499ms);
  client.collect();
  EXPECT_EQ(client.count<Transmit>(), 1U);
  EXPECT_EQ(client.layer.next_deadline(), Instant{} + 500ms);
}

// --- the queue of deadlines

TEST(TimerQueue, KeepsOrderAndForgetsWhatWasReplaced) {
  TimerQueue queue;
  queue.set(2, Instant{5ms});
  queue.set(1, Instant{5ms});
  queue.set(3, Instant{1ms});
  queue.set(3, Instant{9ms});
  EXPECT_EQ(queue.next(), Instant{5ms});
  EXPECT_EQ(queue.take_due(Instant{4ms}), std::nullopt);
  EXPECT_EQ(queue.take_due(Instant{5ms}), 1U);
  EXPECT_EQ(queue.take_due(Instant{5ms}), 2U);
  EXPECT_EQ(queue.take_due(Instant{5ms}), std::nullopt);
  queue.set(3, std::nullopt);
  EXPECT_EQ(queue.next(), std::nullopt);
  EXPECT_EQ(queue.size(), 0U);
}

TEST(TimerQueue, DoesNotGrowWithReplacedDeadlines) {
  TimerQueue queue;
  for (std::uint64_t round = 0; round < 1000; ++round)
    for (std::uint64_t id = 1; id <= 10; ++id)
      queue.set(id, Instant{std::chrono::seconds(1000 + round)});
  EXPECT_EQ(queue.size(), 10U);
  EXPECT_LE(queue.entry_count(), 2 * 10 + 64U);
  for (std::uint64_t id = 1; id <= 10; ++id) EXPECT_EQ(queue.take_due(Instant{1h}), id);
}

TEST(TimerQueue, AgreesWithAPlainMap) {
  TimerQueue queue;
  std::map<std::uint64_t, Instant> plain;
  Rng rng(42);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t id = rng.between(1, 50);
    const Instant due{std::chrono::milliseconds(rng.between(0, 1000))};
    if (rng.percent(60)) {
      queue.set(id, due);
      plain[id] = due;
    } else if (rng.percent(50)) {
      queue.set(id, std::nullopt);
      plain.erase(id);
    } else if (const auto taken = queue.take_due(due)) {
      ASSERT_TRUE(plain.contains(*taken));
      for (const auto& [other, at] : plain)
        ASSERT_LE(std::pair(plain.at(*taken), *taken), std::pair(at, other));
      plain.erase(*taken);
    }
    ASSERT_EQ(queue.size(), plain.size());
  }
}

}  // namespace
}  // namespace sipassay::transaction
