// Requests that are too long for a datagram (RFC 3261 18.1.1), played by hand.
#include <gtest/gtest.h>

#include <set>

#include "engine/agent/core.h"
#include "engine/message/header/all.h"

namespace sipassay::agent {
namespace {

class Size : public ::testing::Test {
 protected:
  static Settings settings(bool has_tcp = true) {
    Settings settings;
    settings.local = {{Transport::Udp, "192.0.2.1", 5060}};
    if (has_tcp) settings.local.push_back({Transport::Tcp, "192.0.2.1", 5060});
    return settings;
  }
  std::vector<Send> handle(Input input) {
    agent_.handle(std::move(input), now_);
    std::vector<Send> sent;
    while (true) {
      auto output = agent_.poll();
      if (auto* send = std::get_if<Send>(&output)) sent.push_back(std::move(*send));
      if (auto* event = std::get_if<Event>(&output)) events_.push_back(std::move(*event));
      if (std::holds_alternative<Wait>(output)) return sent;
    }
  }
  std::vector<Send> options(std::size_t octets) {
    return handle(SendOptions{"sip:" + std::string(octets / 2, 'x') + "@192.0.2.9"});
  }
  std::vector<Send> call(std::size_t octets) {
    Call command;
    command.target = "sip:x@192.0.2.9";
    command.headers = {{"Subject", std::string(octets, 'x')}};
    return handle(command);
  }
  std::vector<Send> answer(const Message& request, int status, std::string_view route = {}) {
    auto response = Message::response(status);
    for (const auto id : {HeaderId::Via, HeaderId::From, HeaderId::CallId, HeaderId::CSeq})
      response.add(id, request.raw(id));
    response.add("To", std::string(request.raw(HeaderId::To)) + ";tag=t");
    response.add("Contact", "<sip:x@192.0.2.9>");
    if (!route.empty()) response.add("Record-Route", route);
    if (status == 200) {
      response.set_body("application/sdp",
                        "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
                        "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n");
    } else {
      response.set_body({}, {});
    }
    const Flow flow{{Transport::Udp, "192.0.2.1", 5060}, {Transport::Udp, "192.0.2.9", 5060}, 0};
    return handle(MessageReceived{std::move(response), flow});
  }

  static constexpr std::string_view by_tcp = "tcp:192.0.2.9:5060", by_udp = "udp:192.0.2.9:5060";

  Agent agent_{settings(), Rng(1)};
  Instant now_{};
  std::vector<Event> events_;
};

TEST_F(Size, MoreThan1300OctetsGoByTcpAndTheViaSaysSo) {
  // A datagram asks for rport, a stream does not.
  const std::size_t rport = std::string_view(";rport").size();
  std::set<std::size_t> datagrams, streams;
  for (std::size_t octets = 1; octets < 1000; ++octets) {
    const auto sent = call(octets).at(0);
    const bool is_stream = to_string(sent.to.endpoint) == by_tcp;
    EXPECT_EQ(sent.message.get<Via>()->transport, is_stream ? "TCP" : "UDP");
    EXPECT_EQ(sent.message.line_count(HeaderId::Via), 1U);
    (is_stream ? streams : datagrams).insert(sent.message.to_string().size());
  }
  ASSERT_FALSE(datagrams.empty() || streams.empty());
  // Numbers drawn for a call are not always equally long.
  EXPECT_LE(*datagrams.rbegin(), 1300U);
  EXPECT_GE(*datagrams.rbegin(), 1296U);
  EXPECT_GE(*streams.begin() + rport, 1301U);
  EXPECT_LE(*streams.begin() + rport, 1304U);
}

TEST_F(Size, WhoRefusesTcpGetsTheSameRequestByUdp) {
  const auto first = options(1400).at(0);
  const auto again = handle(DeliveryFailed{first.to});
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(to_string(again[0].to.endpoint), by_udp);
  EXPECT_EQ(again[0].message.get<Via>()->transport, "UDP");
  for (const auto id : {HeaderId::CallId, HeaderId::CSeq, HeaderId::From, HeaderId::To})
    EXPECT_EQ(again[0].message.raw(id), first.message.raw(id)) << header_name(id);
  EXPECT_EQ(again[0].message.body(), first.message.body());
  EXPECT_EQ(to_string(options(1400).at(0).to.endpoint), by_udp) << "it is known now";
  // And UDP that fails as well is the end.
  handle(DeliveryFailed{again[0].to});
  std::size_t failures = 0;
  for (const auto& event : events_)
    if (const auto* answered = std::get_if<RequestAnswered>(&event))
      failures += answered->status == 503;
  EXPECT_EQ(failures, 2U);
}

TEST_F(Size, WhoRefusedTcpIsTriedAgainLater) {
  handle(DeliveryFailed{options(1400).at(0).to});
  now_ += without_tcp_for - 1ms;
  handle(TimePassed{});
  EXPECT_EQ(to_string(options(1400).at(0).to.endpoint), by_udp);
  now_ += 1ms;
  handle(TimePassed{});
  EXPECT_EQ(to_string(options(1400).at(0).to.endpoint), by_tcp);
}

TEST_F(Size, WithoutTcpOfOurOwnItIsADatagram) {
  agent_ = Agent(settings(false), Rng(1));
  EXPECT_EQ(to_string(options(1400).at(0).to.endpoint), by_udp);
}

TEST_F(Size, ACallFallsBackToUdpAndItsCancelFollowsIt) {
  const auto refused = call(1400).at(0);
  EXPECT_EQ(to_string(refused.to.endpoint), by_tcp);
  const auto invite = handle(DeliveryFailed{refused.to}).at(0);
  EXPECT_EQ(to_string(invite.to.endpoint), by_udp);
  answer(invite.message, 180);
  const auto cancel = handle(Cancel{}).at(0);
  EXPECT_EQ(cancel.message.method(), Method::Cancel);
  EXPECT_EQ(to_string(cancel.to.endpoint), by_udp);
  EXPECT_EQ(cancel.message.raw(HeaderId::Via), invite.message.raw(HeaderId::Via));
}

// RFC 3261 9.1: the CANCEL itself is short, but it goes where its INVITE went.
TEST_F(Size, TheCancelOfALongInviteGoesByTcpToo) {
  const auto invite = call(1400).at(0);
  answer(invite.message, 180);
  const auto cancel = handle(Cancel{}).at(0);
  EXPECT_EQ(to_string(cancel.to.endpoint), by_tcp);
  EXPECT_EQ(cancel.message.raw(HeaderId::Via), invite.message.raw(HeaderId::Via));
}

TEST_F(Size, AnAckThatIsTooLongFallsBackWithTheNextCopyOfThe2xx) {
  const auto invite = call(10).at(0);
  EXPECT_EQ(to_string(invite.to.endpoint), by_udp);
  const std::string route = "<sip:192.0.2.9;lr;x=" + std::string(1400, 'x') + ">";
  const auto ack = answer(invite.message, 200, route).at(0);
  EXPECT_EQ(ack.message.method(), Method::Ack);
  EXPECT_EQ(to_string(ack.to.endpoint), by_tcp);
  handle(DeliveryFailed{ack.to});
  const auto again = answer(invite.message, 200, route).at(0);
  EXPECT_EQ(again.message.method(), Method::Ack);
  EXPECT_EQ(to_string(again.to.endpoint), by_udp);
  EXPECT_EQ(again.message.get<Via>()->transport, "UDP");
}

TEST_F(Size, ARequestInTheDialogFallsBackToo) {
  const auto invite = call(10).at(0);
  const std::string route = "<sip:192.0.2.9;lr;x=" + std::string(1400, 'x') + ">";
  answer(invite.message, 200, route);
  const auto bye = handle(HangUp{}).at(0);
  EXPECT_EQ(to_string(bye.to.endpoint), by_tcp);
  const auto again = handle(DeliveryFailed{bye.to}).at(0);
  EXPECT_EQ(to_string(again.to.endpoint), by_udp);
  EXPECT_EQ(again.message.raw(HeaderId::CSeq), bye.message.raw(HeaderId::CSeq));
  answer(again.message, 200);
  now_ += 60s;
  handle(TimePassed{});
  EXPECT_EQ(agent_.live_calls(), 0U);
  EXPECT_EQ(agent_.live_transactions(), 0U);
}

}  // namespace
}  // namespace sipassay::agent
