#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/simulation/network.h"
#include "engine/simulation/virtual_clock.h"

namespace sipassay::simulation {
namespace {

const Instant start{};

Packet datagram(std::string octets) {
  return {.octets = std::move(octets)};
}
Packet segment(std::string octets) {
  Packet packet{.octets = std::move(octets)};
  packet.to.transport = packet.from.transport = Transport::Tcp;
  return packet;
}

std::vector<std::string> drain(Network& network) {
  std::vector<std::string> out;
  while (auto due = network.next_due()) out.push_back(network.take(*due)->octets);
  return out;
}

TEST(Network, DeliversInTheOrderOfSendingWhenNothingDelays) {
  Network network({}, Rng(1));
  for (const char* text : {"a", "b", "c"}) EXPECT_TRUE(network.send(datagram(text), start));
  EXPECT_THAT(drain(network), testing::ElementsAre("a", "b", "c"));
}

TEST(Network, DeliversNothingBeforeItIsDue) {
  Network network({.delay_min = 10ms, .delay_max = 10ms}, Rng(1));
  ASSERT_TRUE(network.send(datagram("a"), start));
  EXPECT_FALSE(network.take(start + 9ms));
  EXPECT_TRUE(network.take(start + 10ms));
  EXPECT_EQ(network.in_flight(), 0u);
}

TEST(Network, LosesDoublesAndReordersOnlyDatagrams) {
  const Conditions rough{
      .delay_min = 0ms, .delay_max = 50ms, .loss_percent = 30, .duplicate_percent = 30};
  Network network(rough, Rng(7));
  unsigned lost = 0;
  std::vector<std::string> sent;
  for (int i = 0; i < 200; ++i) {
    sent.push_back(std::to_string(i));
    if (!network.send(datagram(sent.back()), start + i * 1ms)) ++lost;
  }
  const auto got = drain(network);
  EXPECT_GT(lost, 30u);
  EXPECT_LT(lost, 90u);
  EXPECT_GT(got.size(), 200u - lost);
  auto unique = got;
  unique.erase(std::unique(unique.begin(), unique.end()), unique.end());
  EXPECT_FALSE(std::is_sorted(unique.begin(), unique.end(), [](const auto& a, const auto& b) {
    return std::stoi(a) < std::stoi(b);
  }));

  Network stream(rough, Rng(7));
  for (int i = 0; i < 200; ++i)
    EXPECT_TRUE(stream.send(segment(sent[static_cast<std::size_t>(i)]), start + i * 1ms));
  EXPECT_EQ(drain(stream), sent);
}

TEST(Network, LosesEverythingWhenPartitioned) {
  Network network({.partitioned = true}, Rng(1));
  EXPECT_FALSE(network.send(datagram("a"), start));
  EXPECT_FALSE(network.send(segment("a"), start));
  EXPECT_FALSE(network.next_due());
}

TEST(Network, SameSeedSameFate) {
  const Conditions rough{.delay_max = 90ms, .loss_percent = 20, .duplicate_percent = 20};
  std::vector<std::vector<std::string>> runs;
  for (int run = 0; run < 2; ++run) {
    Network network(rough, Rng(42));
    for (int i = 0; i < 100; ++i) network.send(datagram(std::to_string(i)), start);
    runs.push_back(drain(network));
  }
  EXPECT_EQ(runs[0], runs[1]);
}

TEST(Network, HoldsAsManyPacketsAsItsLimit) {
  Network network({}, Rng(1));
  for (std::size_t i = 0; i < packets_max; ++i) ASSERT_TRUE(network.send(datagram(""), start));
  EXPECT_FALSE(network.send(datagram(""), start));
  EXPECT_EQ(network.in_flight(), packets_max);
}

class Beeper : public Node {
 public:
  Beeper(Duration every, unsigned times) : every_(every), left_(times), due_(start + every) {}
  std::optional<Instant> next_deadline() const override {
    return left_ ? std::optional(due_) : std::nullopt;
  }
  void run(Instant now) override {
    beeps.push_back(now);
    due_ = now + every_;
    --left_;
  }
  std::vector<Instant> beeps;

 private:
  Duration every_;
  unsigned left_;
  Instant due_;
};

TEST(VirtualClock, JumpsToEachDeadlineOfEachNode) {
  Beeper slow(3s, 2), fast(2s, 3);
  VirtualClock clock;
  clock.add(slow);
  clock.add(fast);
  EXPECT_EQ(clock.run([] { return false; }), Stop::Idle);
  EXPECT_THAT(slow.beeps, testing::ElementsAre(start + 3s, start + 6s));
  EXPECT_THAT(fast.beeps, testing::ElementsAre(start + 2s, start + 4s, start + 6s));
  EXPECT_EQ(clock.now(), start + 6s);
  EXPECT_EQ(clock.steps(), 4u);
}

TEST(VirtualClock, StopsAtItsLimits) {
  Beeper spinning(0s, 1'000'000);
  VirtualClock clock;
  clock.add(spinning);
  EXPECT_EQ(clock.run([] { return false; }, {.steps_max = 100}), Stop::StepLimit);
  EXPECT_EQ(spinning.beeps.size(), 100u);

  Beeper distant(10s, 1);
  VirtualClock other;
  other.add(distant);
  EXPECT_EQ(other.run([] { return false; }, {.time = 9s}), Stop::TimeLimit);
  EXPECT_EQ(other.run([] { return false; }, {.time = 10s}), Stop::Idle);
}

TEST(VirtualClock, StopsWhenTheConditionHolds) {
  Beeper beeper(1s, 10);
  VirtualClock clock;
  clock.add(beeper);
  EXPECT_EQ(clock.run([&] { return beeper.beeps.size() == 4; }), Stop::Finished);
  EXPECT_EQ(clock.now(), start + 4s);
}

}  // namespace
}  // namespace sipassay::simulation
