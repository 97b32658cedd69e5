// Real sockets on the loopback interface: nothing here waits longer than it takes.

#include "engine/transport/hub.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "engine/testing/layer_driver.h"

namespace sipassay::transport {
namespace {

using sipassay::testing::RequestText;
using ::testing::HasSubstr;

constexpr Duration patience = 10s;  // never reached by a test that passes

Endpoint loopback(Transport transport, bool is_ipv6 = false) {
  return {transport, is_ipv6 ? "::1" : "127.0.0.1", 0};
}

// A hub and everything that happened there.
struct End {
  explicit End(Hub::Options options = {}) : hub(options) {}

  Hub hub;
  std::vector<MessageArrived> messages;
  std::vector<GarbageArrived> garbage;
  std::vector<FlowClosed> closed;
  std::vector<SendFailed> failed;

  void turn(Duration at_most) {
    hub.wait(hub.now() + at_most);
    while (auto event = hub.poll()) {
      if (auto* a = std::get_if<MessageArrived>(&*event)) messages.push_back(std::move(*a));
      if (auto* a = std::get_if<GarbageArrived>(&*event)) garbage.push_back(std::move(*a));
      if (auto* a = std::get_if<FlowClosed>(&*event)) closed.push_back(std::move(*a));
      if (auto* a = std::get_if<SendFailed>(&*event)) failed.push_back(std::move(*a));
    }
  }
  FlowId open(Endpoint where) {
    auto id = hub.open(where);
    EXPECT_TRUE(id) << id.error();
    return id.value_or(0);
  }
  void send(FlowId local, std::string octets, Destination to,
            std::vector<std::size_t> segments = {}) {
    hub.send(local, {std::move(octets), std::move(to), std::move(segments), {}});
  }
};

bool run(const std::vector<End*>& ends, const std::function<bool()>& is_done) {
  const Instant limit = ends.front()->hub.now() + patience;
  while (!is_done()) {
    if (ends.front()->hub.now() > limit) return false;
    for (End* end : ends) end->turn(1ms);
  }
  return true;
}

std::string request_text(std::string_view call_id = "a") {
  return RequestText{.method = "OPTIONS", .call_id = call_id}.message().to_string();
}

std::string call_id(const MessageArrived& arrived) {
  return std::string(arrived.message.raw(HeaderId::CallId));
}

// Octets as a plain client sends them, and what it gets back.
class PlainTcp {
 public:
  explicit PlainTcp(const Endpoint& to) : handle_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(to.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(handle_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~PlainTcp() { ::close(handle_); }
  PlainTcp(const PlainTcp&) = delete;
  PlainTcp& operator=(const PlainTcp&) = delete;

  void send(std::string_view octets) const {
    EXPECT_EQ(::send(handle_, octets.data(), octets.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(octets.size()));
  }
  void finish() const { ::shutdown(handle_, SHUT_WR); }
  // What is there now; "EOF" when the other end has closed.
  std::string take() const {
    std::string buffer(65'536, '\0');
    const ssize_t count = ::recv(handle_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count == 0) return "EOF";
    return buffer.substr(0, count < 0 ? 0 : static_cast<std::size_t>(count));
  }

 private:
  int handle_;
};

// --- both transports, both address families

struct Way {
  Transport transport;
  bool is_ipv6;
};

bool has_ipv6() {
  return Hub().open(loopback(Transport::Udp, true)).has_value();
}

class EveryWay : public ::testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    if (GetParam().is_ipv6 && !has_ipv6()) GTEST_SKIP() << "no IPv6 on this machine";
  }
};

INSTANTIATE_TEST_SUITE_P(All, EveryWay,
                         ::testing::Values(Way{Transport::Udp, false}, Way{Transport::Udp, true},
                                           Way{Transport::Tcp, false}, Way{Transport::Tcp, true}),
                         [](const auto& param) {
                           return std::string(to_string(param.param.transport)) +
                                  (param.param.is_ipv6 ? "_ipv6" : "_ipv4");
                         });

TEST_P(EveryWay, CarriesARequestThereAndTheAnswerBack) {
  End a;
  End b;
  const FlowId at_a = a.open(loopback(GetParam().transport, GetParam().is_ipv6));
  const FlowId at_b = b.open(loopback(GetParam().transport, GetParam().is_ipv6));
  EXPECT_NE(b.hub.address(at_b).port, 0);
  a.send(at_a, request_text(), {b.hub.address(at_b), 0});
  ASSERT_TRUE(run({&a, &b}, [&] { return !b.messages.empty(); }));
  const Flow flow = b.messages[0].flow;
  EXPECT_EQ(b.messages[0].local, at_b);
  EXPECT_EQ(b.messages[0].message.to_string(), request_text());
  EXPECT_EQ(flow.local, b.hub.address(at_b));
  EXPECT_NE(flow.id, 0U);
  EXPECT_TRUE(b.messages[0].octets.empty()) << "not asked for";
  const Message answer = sipassay::testing::response_to(b.messages[0].message, 200);
  b.hub.send({answer.to_string(), {flow.remote, flow.id}, {}, {}});
  ASSERT_TRUE(run({&a, &b}, [&] { return !a.messages.empty(); }));
  EXPECT_EQ(a.messages[0].message.status(), 200);
  if (GetParam().transport == Transport::Udp) {
    EXPECT_EQ(a.messages[0].flow.remote, b.hub.address(at_b)) << "RFC 3581 4";
  }
  EXPECT_TRUE(a.failed.empty() && b.failed.empty());
}

TEST_P(EveryWay, KeepsOrderAndLosesNothingOfThousands) {
  End a;
  End b({.keeps_octets = true});
  const FlowId at_a = a.open(loopback(GetParam().transport, GetParam().is_ipv6));
  const FlowId at_b = b.open(loopback(GetParam().transport, GetParam().is_ipv6));
  constexpr std::size_t count = 3000;
  for (std::size_t i = 0; i < count; ++i) {
    a.send(at_a, request_text(std::to_string(i)), {b.hub.address(at_b), 0});
    if (i % 100 == 99) {  // no more than a socket's buffer holds
      ASSERT_TRUE(run({&a, &b}, [&] { return b.messages.size() == i + 1; }));
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(call_id(b.messages[i]), std::to_string(i));
    ASSERT_EQ(b.messages[i].octets, request_text(std::to_string(i)));
  }
}

TEST_P(EveryWay, SaysThatNobodyListensThere) {
  // Opened first: otherwise it may get the very port that the other one gives back.
  End a;
  const FlowId at_a = a.open(loopback(GetParam().transport, GetParam().is_ipv6));
  Endpoint gone;
  {
    End b;
    gone = b.hub.address(b.open(loopback(GetParam().transport, GetParam().is_ipv6)));
  }
  a.send(at_a, request_text(), {gone, 0});
  ASSERT_TRUE(run({&a}, [&] { return !a.failed.empty(); }));
  EXPECT_EQ(a.failed[0].to.endpoint, gone);
  EXPECT_EQ(a.failed[0].local, at_a);
  EXPECT_THAT(a.failed[0].reason, HasSubstr("refused"));
  // And it goes on: the next destination is reached.
  End b;
  const FlowId at_b = b.open(loopback(GetParam().transport, GetParam().is_ipv6));
  a.send(at_a, request_text(), {b.hub.address(at_b), 0});
  EXPECT_TRUE(run({&a, &b}, [&] { return !b.messages.empty(); }));
}

TEST_P(EveryWay, SaysThatAPortIsInUse) {
  End a;
  const FlowId first = a.open(loopback(GetParam().transport, GetParam().is_ipv6));
  const auto second = a.hub.open(a.hub.address(first));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(),
            "cannot listen on " + to_string(a.hub.address(first)) + ": Address already in use");
}

TEST(Hub, RefusesWhatItCannotOpen) {
  Hub hub;
  EXPECT_THAT(hub.open({Transport::Tls, "127.0.0.1", 0}).error(), HasSubstr("not supported"));
  EXPECT_THAT(hub.open({Transport::Udp, "no.such.host.invalid", 0}).error(),
              HasSubstr("not an IP address"));
  EXPECT_THAT(hub.open({Transport::Tcp, "192.0.2.1", 0}).error(), HasSubstr("192.0.2.1"));
}

TEST(Hub, ChoosesALocalEndpointThatFits) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 on this machine";
  End a;
  End b;
  const FlowId udp6 = a.open(loopback(Transport::Udp, true));
  const FlowId udp4 = a.open(loopback(Transport::Udp));
  const FlowId second = a.open(loopback(Transport::Udp));
  const FlowId at_b = b.open(loopback(Transport::Udp));
  a.send(0, request_text("first"), {b.hub.address(at_b), 0});
  a.send(0, request_text("flow"), {b.hub.address(at_b), second});
  ASSERT_TRUE(run({&a, &b}, [&] { return b.messages.size() == 2; }));
  for (const MessageArrived& arrived : b.messages)
    EXPECT_EQ(arrived.flow.remote, a.hub.address(call_id(arrived) == "first" ? udp4 : second));
  a.send(0, request_text(), {{Transport::Tcp, "127.0.0.1", 9}, 0});
  a.send(udp6, request_text(), {b.hub.address(at_b), 0});
  a.send(777, request_text(), {b.hub.address(at_b), 0});
  ASSERT_TRUE(run({&a}, [&] { return a.failed.size() == 3; }));
}

TEST(Hub, ResolvesNames) {
  End a;
  End b;
  const FlowId at_a = a.open(loopback(Transport::Udp));
  const FlowId at_b = b.open(loopback(Transport::Udp));
  a.send(at_a, request_text(), {{Transport::Udp, "localhost", b.hub.address(at_b).port}, 0});
  ASSERT_TRUE(run({&a, &b}, [&] { return !b.messages.empty(); }));
}

TEST(Hub, LimitsLookups) {
  End a({.limits = {.lookups_max = 0}});
  const FlowId at_a = a.open(loopback(Transport::Udp));
  a.send(at_a, request_text(), {{Transport::Udp, "localhost", 9}, 0});
  a.turn(0ms);
  ASSERT_EQ(a.failed.size(), 1U);
  EXPECT_THAT(a.failed[0].reason, HasSubstr("too many names"));
}

TEST(Hub, WaitsNoLongerThanTold) {
  Hub hub;
  const Instant before = hub.now();
  hub.wait(before + 20ms);
  EXPECT_GE(hub.now(), before + 20ms);
  EXPECT_LT(hub.now(), before + 5s);
  hub.wait(before);  // already past
  EXPECT_FALSE(hub.poll());
}

TEST(Hub, IsWokenFromElsewhere) {
  Hub hub;
  std::jthread other([&] { hub.wake(); });
  hub.wait(hub.now() + patience);
  EXPECT_LT(hub.now(), Instant{} + patience);
}

TEST(Hub, IsStoppedBySignals) {
  Hub hub;
  hub.stop_on_signals();
  EXPECT_FALSE(hub.is_stopped());
  std::raise(SIGTERM);
  while (!hub.is_stopped()) hub.wait(hub.now() + 1s);
  hub.wait(std::nullopt);  // returns at once
  EXPECT_TRUE(hub.is_stopped());
}

// --- datagrams

TEST(Udp, DeliversWhatDoesNotParseAndDropsKeepAlives) {
  End a;
  End b;
  const FlowId at_a = a.open(loopback(Transport::Udp));
  const FlowId at_b = b.open(loopback(Transport::Udp));
  for (const std::string& octets :
       {std::string("\r\n\r\n"), std::string(), std::string("noise\0noise", 11),
        std::string("\r\n"), std::string(60'000, 'x'), request_text()})
    a.send(at_a, octets, {b.hub.address(at_b), 0});
  ASSERT_TRUE(run({&a, &b}, [&] { return !b.messages.empty(); }));
  ASSERT_EQ(b.garbage.size(), 3U);
  EXPECT_EQ(b.garbage[0].octets, "");
  EXPECT_EQ(b.garbage[1].octets, std::string("noise\0noise", 11));
  EXPECT_EQ(b.garbage[2].octets.size(), 60'000U);
}

TEST(Udp, SaysThatAMessageIsTooLong) {
  End a;
  const FlowId at_a = a.open(loopback(Transport::Udp));
  a.send(at_a, std::string(65'507, 'x'), {a.hub.address(at_a), 0});
  a.send(at_a, std::string(65'508, 'x'), {a.hub.address(at_a), 0});
  ASSERT_TRUE(run({&a}, [&] { return !a.failed.empty() && !a.garbage.empty(); }));
  EXPECT_EQ(a.garbage[0].octets.size(), 65'507U);
  EXPECT_THAT(a.failed[0].reason, HasSubstr("too long"));
}

TEST(Udp, ADeadPeerFailsOnceATurnHoweverMuchIsSent) {
  End a;
  Endpoint gone;
  {
    End b;
    gone = b.hub.address(b.open(loopback(Transport::Udp)));
  }
  End alive;
  const FlowId at_alive = alive.open(loopback(Transport::Udp));
  const FlowId at_a = a.open(loopback(Transport::Udp));
  for (int i = 0; i < 30; ++i) {
    a.send(at_a, request_text(), {gone, 0});
    a.send(at_a, request_text(), {alive.hub.address(at_alive), 0});
  }
  ASSERT_TRUE(run({&a, &alive}, [&] { return alive.messages.size() == 30 && !a.failed.empty(); }));
  for (const SendFailed& failed : a.failed) EXPECT_EQ(failed.to.endpoint, gone);
}

TEST(Udp, QueueHasALimit) {
  End a({.limits = {.datagrams_queued_max = 4}});
  End b;
  const FlowId at_a = a.open(loopback(Transport::Udp));
  const FlowId at_b = b.open(loopback(Transport::Udp));
  for (int i = 0; i < 6; ++i)
    a.send(at_a, request_text(std::to_string(i)), {b.hub.address(at_b), 0});
  ASSERT_TRUE(run({&a, &b}, [&] { return b.messages.size() >= 4; }));
  a.send(at_a, request_text("last"), {b.hub.address(at_b), 0});
  ASSERT_TRUE(run({&a, &b}, [&] { return b.messages.size() == 5; }));
  EXPECT_EQ(call_id(b.messages[3]), "3");
  EXPECT_EQ(call_id(b.messages[4]), "last");
}

// --- streams

TEST(Tcp, UsesOneConnectionBothWays) {
  End a;
  End b;
  const FlowId at_a = a.open(loopback(Transport::Tcp));
  const FlowId at_b = b.open(loopback(Transport::Tcp));
  for (int i = 0; i < 5; ++i) a.send(at_a, request_text(), {b.hub.address(at_b), 0});
  ASSERT_TRUE(run({&a, &b}, [&] { return b.messages.size() == 5; }));
  const FlowId flow = b.messages[0].flow.id;
  for (const MessageArrived& arrived : b.messages) EXPECT_EQ(arrived.flow.id, flow);
  // The other direction, by the address alone: the same connection.
  b.send(at_b, request_text(), {b.messages[0].flow.remote, 0});
  ASSERT_TRUE(run({&a, &b}, [&] { return a.messages.size() == 1; }));
  a.send(at_a, request_text("again"), {b.hub.address(at_b), 0});
  ASSERT_TRUE(run({&a, &b}, [&] { return b.messages.size() == 6; }));
  EXPECT_EQ(b.messages[5].flow.id, flow);
}

TEST(Tcp, ReadsMessagesInAnySegmentation) {
  End b;
  const FlowId at_b = b.open(loopback(Transport::Tcp));
  const PlainTcp client(b.hub.address(at_b));
  const std::string both = request_text("one") + request_text("two");
  for (const char octet : both) {
    client.send({&octet, 1});
    b.turn(0ms);
  }
  ASSERT_TRUE(run({&b}, [&] { return b.messages.size() == 2; }));
  EXPECT_EQ(call_id(b.messages[1]), "two");
}

TEST(Tcp, WritesInSegmentsWhenAsked) {
  End a({.limits = {.segment_pause = 20ms}});
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  const FlowId at_a = a.open(loopback(Transport::Tcp));
  const std::string text = request_text();
  a.send(at_a, text, {{Transport::Tcp, "127.0.0.1", ntohs(address.sin_port)}, 0},
         {1, 0, 10, 100'000});
  a.send(at_a, "behind", {{Transport::Tcp, "127.0.0.1", ntohs(address.sin_port)}, 0});
  a.turn(100ms);
  const int handle = ::accept(listener, nullptr, nullptr);
  std::vector<std::size_t> sizes;
  std::string all;
  ASSERT_TRUE(run({&a}, [&] {
    std::string buffer(65'536, '\0');
    const ssize_t count = ::recv(handle, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count > 0) {
      sizes.push_back(static_cast<std::size_t>(count));
      all += buffer.substr(0, static_cast<std::size_t>(count));
    }
    return all.size() == text.size() + 6;
  }));
  ::close(handle);
  ::close(listener);
  EXPECT_EQ(all, text + "behind");
  ASSERT_GE(sizes.size(), 3U);
  EXPECT_EQ(sizes[0], 1U);
  EXPECT_EQ(sizes[1], 10U);
}

TEST(Tcp, AnswersKeepAlives) {
  End b;
  const FlowId at_b = b.open(loopback(Transport::Tcp));
  const PlainTcp client(b.hub.address(at_b));
  client.send("\r\n\r\n");
  std::string got;
  ASSERT_TRUE(run({&b}, [&] { return (got = client.take()) != ""; }));
  EXPECT_EQ(got, "\r\n");
}

TEST(Tcp, AnswersAPeerThatHasFinishedSending) {
  End b;
  const FlowId at_b = b.open(loopback(Transport::Tcp));
  const PlainTcp client(b.hub.address(at_b));
  client.send(request_text());
  client.finish();
  ASSERT_TRUE(run({&b}, [&] { return !b.closed.empty(); }));
  ASSERT_EQ(b.messages.size(), 1U);
  b.hub.send({"answer", {b.messages[0].flow.remote, b.messages[0].flow.id}, {}, {}});
  std::string got;
  ASSERT_TRUE(run({&b}, [&] { return (got += client.take()).size() >= 6; }));
  EXPECT_EQ(got.substr(0, 6), "answer");
  EXPECT_EQ(b.closed.size(), 1U);
}

TEST(Tcp, ClosesAStreamWhoseFramingIsLostButSendsTheAnswerFirst) {
  End b({.limits = {.linger_max = 300ms}});
  const FlowId at_b = b.open(loopback(Transport::Tcp));
  const PlainTcp client(b.hub.address(at_b));
  std::string text = request_text();
  text.replace(text.find("Content-Length: 0"), 17, "Content-Length: x");
  client.send(text + request_text("not heard any more"));
  ASSERT_TRUE(run({&b}, [&] { return !b.garbage.empty(); }));
  b.hub.send({"400", {b.garbage[0].flow.remote, b.garbage[0].flow.id}, {}, {}});
  std::string got;
  ASSERT_TRUE(run({&b}, [&] { return (got += client.take()).find("EOF") != std::string::npos; }));
  EXPECT_EQ(got, "400EOF");
  EXPECT_TRUE(b.messages.empty());
  EXPECT_EQ(b.closed.size(), 1U);
}

TEST(Tcp, DropsAMessageThatNeverEndsAtItsLimit) {
  End b;
  const FlowId at_b = b.open(loopback(Transport::Tcp));
  const PlainTcp client(b.hub.address(at_b));
  client.send("OPTIONS sip:a@b SIP/2.0\r\n");
  for (int i = 0; i < 40 && b.garbage.empty(); ++i) {
    client.send("X: " + std::string(16'000, 'x') + "\r\n");
    b.turn(1ms);
  }
  ASSERT_TRUE(run({&b}, [&] { return !b.garbage.empty(); }));
  EXPECT_EQ(b.garbage[0].error.code, ErrorCode::LimitExceeded);
}

TEST(Tcp, TellsWhenTheOtherEndCloses) {
  End a;
  End b;
  const FlowId at_a = a.open(loopback(Transport::Tcp));
  const FlowId at_b = b.open(loopback(Transport::Tcp));
  a.send(at_a, request_text(), {b.hub.address(at_b), 0});
  ASSERT_TRUE(run({&a, &b}, [&] { return !b.messages.empty(); }));
  b.hub.close_flow(at_b, b.messages[0].flow.id);
  ASSERT_TRUE(run({&a, &b}, [&] { return !a.closed.empty(); }));
  EXPECT_TRUE(b.closed.empty()) << "it was its own wish";
  a.send(at_a, request_text("new connection"), {b.hub.address(at_b), 0});
  ASSERT_TRUE(run({&a, &b}, [&] { return b.messages.size() == 2; }));
  EXPECT_NE(b.messages[1].flow.id, b.messages[0].flow.id);
}

TEST(Tcp, OpensAConnectionWhenTheFlowIsGone) {
  End a;
  End b;
  const FlowId at_a = a.open(loopback(Transport::Tcp));
  const FlowId at_b = b.open(loopback(Transport::Tcp));
  a.send(at_a, request_text(), {b.hub.address(at_b), 4711});  // RFC 3261 18.2.2
  EXPECT_TRUE(run({&a, &b}, [&] { return !b.messages.empty(); }));
}

TEST(Tcp, LimitsConnectionsAndRecovers) {
  End b({.limits = {.connections_max = 2, .linger_max = 0ms}});
  const FlowId at_b = b.open(loopback(Transport::Tcp));
  const Endpoint to = b.hub.address(at_b);
  auto first = std::make_unique<PlainTcp>(to);
  const PlainTcp second(to);
  first->send(request_text("1"));
  second.send(request_text("2"));
  ASSERT_TRUE(run({&b}, [&] { return b.messages.size() == 2; }));
  const PlainTcp third(to);
  ASSERT_TRUE(run({&b}, [&] { return third.take() == "EOF"; }));
  first.reset();
  ASSERT_TRUE(run({&b}, [&] {
    const PlainTcp fourth(to);
    fourth.send(request_text("4"));
    b.turn(20ms);
    b.turn(20ms);
    return b.messages.size() > 2;
  }));
}

TEST(Tcp, ClosesAConnectionWhosePeerDoesNotRead) {
  End b({.limits = {.write_queue_octets_max = 1U << 20U}});
  const FlowId at_b = b.open(loopback(Transport::Tcp));
  const PlainTcp client(b.hub.address(at_b));
  client.send(request_text());
  ASSERT_TRUE(run({&b}, [&] { return !b.messages.empty(); }));
  const Destination to{b.messages[0].flow.remote, b.messages[0].flow.id};
  for (int i = 0; i < 1000 && b.failed.empty(); ++i) {
    b.send(at_b, std::string(60'000, 'x'), to);
    b.turn(0ms);
  }
  ASSERT_FALSE(b.failed.empty());
  EXPECT_THAT(b.failed[0].reason, HasSubstr("does not read"));
  EXPECT_EQ(b.closed.size(), 1U);
}

TEST(Tcp, ClosesAnIdleConnection) {
  End b({.limits = {.idle_max = 50ms}});
  const FlowId at_b = b.open(loopback(Transport::Tcp));
  const PlainTcp client(b.hub.address(at_b));
  ASSERT_TRUE(run({&b}, [&] { return client.take() == "EOF"; }));
  EXPECT_EQ(b.closed.size(), 1U);
}

TEST(Tcp, ManyConnectionsAtOnce) {
  End a;
  End b;
  const FlowId at_b = b.open(loopback(Transport::Tcp));
  constexpr std::size_t count = 200;
  for (std::size_t i = 0; i < count; ++i) {
    const FlowId local = a.open(loopback(Transport::Tcp));
    a.send(local, request_text(std::to_string(i)), {b.hub.address(at_b), 0});
  }
  ASSERT_TRUE(run({&a, &b}, [&] { return b.messages.size() == count; }));
}

}  // namespace
}  // namespace sipassay::transport
