#include "engine/session/reliable.h"

#include <gtest/gtest.h>

#include "engine/message/header/all.h"

namespace sipassay::session {
namespace {

constexpr Instant start{};

Message ringing() {
  Message response = Message::response(183);
  response.add("CSeq", "9 INVITE");
  return response;
}

TEST(ReliableSender, NumbersAndMarksTheResponse) {
  Rng rng(3);
  ReliableSender sender(rng, 500ms);
  const auto* sent = sender.send(ringing(), false, false, start);
  ASSERT_NE(sent, nullptr);
  EXPECT_TRUE(has_token(sent->response, HeaderId::Require, "100rel"));
  EXPECT_EQ(sent->response.get<RSeq>()->value, sent->rseq);
  EXPECT_TRUE(is_reliable(sent->response));
  EXPECT_EQ(make_rack(sent->response), std::to_string(sent->rseq) + " 9 INVITE");
}

TEST(ReliableSender, FirstNumberIsOneTo2To31MinusOne) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Rng rng(seed);
    ReliableSender sender(rng, 500ms);
    const auto* sent = sender.send(ringing(), false, false, start);
    ASSERT_GE(sent->rseq, 1U);
    ASSERT_LE(sent->rseq, 0x7fffffffU);
  }
}

TEST(ReliableSender, SendsOneAtATimeAndCountsByOne) {
  Rng rng(3);
  ReliableSender sender(rng, 500ms);
  const std::uint32_t first = sender.send(ringing(), false, false, start)->rseq;
  EXPECT_EQ(sender.send(ringing(), true, false, start), nullptr) << "queued";
  EXPECT_TRUE(sender.holds_back_success()) << "one with a description is in the queue";
  const auto* second = sender.acknowledge(first, start);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->rseq, first + 1);
  EXPECT_EQ(sender.acknowledge(first + 1, start), nullptr);
  EXPECT_FALSE(sender.holds_back_success());
}

TEST(ReliableSender, ResendsDoublingWithoutLimitThenGivesUp) {
  Rng rng(3);
  ReliableSender sender(rng, 500ms);
  sender.send(ringing(), false, false, start);
  std::vector<double> times;
  bool has_given_up = false;
  while (const auto next = sender.next_deadline()) {
    const auto due = sender.advance(*next);
    if (due == ReliableSender::Due::Resend)
      times.push_back(std::chrono::duration<double>(*next - start).count());
    if (due == ReliableSender::Due::GiveUp) {
      has_given_up = true;
      EXPECT_EQ(*next, start + 32s);
    }
  }
  const std::vector<double> expected{.5, 1.5, 3.5, 7.5, 15.5, 31.5};
  EXPECT_EQ(times, expected);
  EXPECT_TRUE(has_given_up);
}

TEST(ReliableSender, MatchesOnce) {
  Rng rng(3);
  ReliableSender sender(rng, 500ms);
  const std::uint32_t rseq = sender.send(ringing(), true, true, start)->rseq;
  EXPECT_EQ(sender.match(rseq), ReliableSender::Match::First);
  EXPECT_EQ(sender.match(rseq + 1), ReliableSender::Match::None);
  sender.acknowledge(rseq, start);
  EXPECT_EQ(sender.match(rseq), ReliableSender::Match::None) << "acknowledged";
  EXPECT_TRUE(sender.find(rseq)->has_answer);
  EXPECT_FALSE(sender.next_deadline());
}

TEST(ReliableSender, StopsAtAFinalResponseButServesALatePrack) {
  Rng rng(3);
  ReliableSender sender(rng, 500ms);
  const std::uint32_t rseq = sender.send(ringing(), false, false, start)->rseq;
  sender.send(ringing(), false, false, start);
  sender.stop();
  EXPECT_FALSE(sender.next_deadline());
  EXPECT_EQ(sender.match(rseq), ReliableSender::Match::First);
  EXPECT_EQ(sender.acknowledge(rseq, start), nullptr) << "no new one after a final response";
}

TEST(ReliableSender, QueueHasALimit) {
  Rng rng(3);
  ReliableSender sender(rng, 500ms);
  sender.send(ringing(), false, false, start);
  for (std::size_t i = 0; i < reliable_queue_max; ++i) {
    EXPECT_FALSE(sender.is_full());
    sender.send(ringing(), false, false, start);
  }
  EXPECT_TRUE(sender.is_full());
}

TEST(ReliableReceiver, TakesInOrderOnceAndReportsGaps) {
  // 5, 5, 7, 6, 7 delivers 5, 6, 7.
  ReliableReceiver receiver;
  using enum ReliableReceiver::Order;
  const std::uint32_t came[] = {5, 5, 7, 6, 7, 4, 1};
  const ReliableReceiver::Order expected[] = {InOrder, Duplicate, Gap,      InOrder,
                                              InOrder, Duplicate, Duplicate};
  for (std::size_t i = 0; i < std::size(came); ++i) {
    const auto order = receiver.order(came[i]);
    EXPECT_EQ(order, expected[i]) << i;
    if (order == InOrder) receiver.commit(came[i]);
  }
  EXPECT_EQ(receiver.last(), 7U);
}

TEST(ReliableReceiver, NothingFollowsTheLastNumber) {
  ReliableReceiver receiver;
  receiver.commit(0xffffffffU);
  EXPECT_EQ(receiver.order(0), ReliableReceiver::Order::Duplicate);
  EXPECT_EQ(receiver.order(1), ReliableReceiver::Order::Duplicate);
}

struct ReliabilityVector {
  int status;
  const char* require;
  const char* rseq;
  bool expected;
};

TEST(IsReliable, NeedsTheOptionTagAndANumber) {
  const ReliabilityVector vectors[] = {
      {183, "100rel", "1", true},    {183, "precondition, 100rel", "4294967295", true},
      {183, "x100relx", "1", false}, {183, "100rel", "0", false},
      {183, "100rel", "x", false},   {183, "100rel", nullptr, false},
      {183, nullptr, "1", false},    {100, "100rel", "1", false},
      {200, "100rel", "1", false},   {183, "100rel", "4294967296", false},
      {199, "100REL", "1", true},
  };
  for (const auto& vector : vectors) {
    Message response = Message::response(vector.status);
    response.add("CSeq", "1 INVITE");
    if (vector.require != nullptr) response.add("Require", vector.require);
    if (vector.rseq != nullptr) response.add("RSeq", vector.rseq);
    EXPECT_EQ(is_reliable(response), vector.expected)
        << (vector.require ? vector.require : "-") << " " << (vector.rseq ? vector.rseq : "-");
  }
  Message two_lines = Message::response(180);
  two_lines.add("Require", "precondition").add("Require", "100rel").add("RSeq", "4");
  EXPECT_TRUE(is_reliable(two_lines)) << "the tag may stand on a second line";
}

}  // namespace
}  // namespace sipassay::session
