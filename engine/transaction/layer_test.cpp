// Matching, routing of messages between network and user, limits (RFC 3261 17.1.3, 17.2.3).

#include "engine/transaction/layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/base/ascii.h"
#include "engine/message/header/via.h"
#include "engine/message/parse.h"
#include "engine/testing/layer_driver.h"

namespace sipassay::transaction {
namespace {

using sipassay::testing::flow_of;
using sipassay::testing::LayerDriver;
using sipassay::testing::peer_of;
using sipassay::testing::RequestText;
using sipassay::testing::response_to;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const Flow udp_flow = flow_of(Transport::Udp);

Id created(const LayerDriver& driver, std::size_t nth = 0) {
  const auto requests = driver.all<RequestReceived>();
  return nth < requests.size() ? requests[nth].transaction : 0;
}

std::expected<void, SendError> respond(LayerDriver& driver, Id id, const Message& request,
                                       int status) {
  auto done = driver.layer.respond(id, response_to(request, status), driver.now);
  driver.collect();
  return done;
}

// --- requests and server transactions

TEST(ServerMatching, ARetransmissionIsAbsorbedAndAnswered) {
  LayerDriver driver;
  const Message options = RequestText{.method = "OPTIONS"}.message();
  driver.receive(options, udp_flow);
  driver.receive(options, udp_flow);
  ASSERT_EQ(driver.count<RequestReceived>(), 1U);
  EXPECT_EQ(driver.count<Transmit>(), 0U) << "nothing to repeat yet";
  ASSERT_TRUE(respond(driver, created(driver), options, 200));
  driver.receive(options, udp_flow);
  const auto sent = driver.all<Transmit>();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].message.to_string(), sent[1].message.to_string());
  EXPECT_FALSE(sent[0].is_retransmission);
  EXPECT_TRUE(sent[1].is_retransmission);
  EXPECT_EQ(driver.count<RequestReceived>(), 1U);
}

struct Pair {
  const char* what;
  RequestText first, second;
  bool is_same;
};

TEST(ServerMatching, ComparesBranchSentByAndMethod) {
  const RequestText base{.method = "OPTIONS"};
  const Pair pairs[] = {
      {"the same", base, base, true},
      {"everything but the key differs",
       base,
       {.method = "OPTIONS", .uri = "sip:x@y", .from = "<sip:z@z>;tag=1", .call_id = "other"},
       true},
      {"branch differs",
       base,
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9:5090;branch=z9hG4bKother"},
       false},
      {"branch in other case (7.3.1)",
       base,
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9:5090;branch=Z9HG4BKKJSHDYFF"},
       true},
      {"sent-by host differs",
       base,
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.8:5090;branch=z9hG4bKkjshdyff"},
       false},
      {"sent-by port differs",
       base,
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9:5091;branch=z9hG4bKkjshdyff"},
       false},
      {"host in other case",
       {.method = "OPTIONS", .via = "SIP/2.0/UDP a.example;branch=z9hG4bK1"},
       {.method = "OPTIONS", .via = "SIP/2.0/UDP A.Example;branch=z9hG4bK1"},
       true},
      {"absent port is 5060",
       {.method = "OPTIONS", .via = "SIP/2.0/UDP a.example;branch=z9hG4bK1"},
       {.method = "OPTIONS", .via = "SIP/2.0/UDP a.example:5060;branch=z9hG4bK1"},
       true},
      {"method differs", base, {.method = "INFO"}, false},
      {"unknown methods differ", {.method = "FOO"}, {.method = "BAR"}, false},
      {"key parts that would run together",
       {.method = "OPTIONS", .via = "SIP/2.0/UDP a.example:506;branch=z9hG4bK1"},
       {.method = "OPTIONS", .via = "SIP/2.0/UDP a.example:50;branch=z9hG4bK16"},
       false},
      // RFC 2543
      {"no branch, the same",
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9:5090"},
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9:5090"},
       true},
      {"branch without cookie, Call-ID differs",
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9:5090;branch=1"},
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9:5090;branch=1", .call_id = "b"},
       false},
      {"bare cookie identifies nothing (RFC 4475 3.2.1), CSeq differs",
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK"},
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK", .cseq_number = "7"},
       false},
      {"no cookie, Request-URI differs",
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9"},
       {.method = "OPTIONS", .uri = "sip:carol@biloxi.example", .via = "SIP/2.0/UDP 192.0.2.9"},
       false},
      {"no cookie, From tag differs",
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9"},
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9", .from = "<sip:a@b>;tag=2"},
       false},
      {"no cookie, To tag differs",
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9", .to = "<sip:b@c>;tag=1"},
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9", .to = "<sip:b@c>;tag=2"},
       false},
      {"no cookie, top Via differs",
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9;branch=1"},
       {.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9;branch=2"},
       false},
  };
  for (const Pair& pair : pairs) {
    LayerDriver driver;
    driver.receive(pair.first.message(), udp_flow);
    driver.receive(pair.second.message(), udp_flow);
    EXPECT_EQ(driver.count<RequestReceived>(), pair.is_same ? 1U : 2U) << pair.what;
    EXPECT_EQ(driver.layer.size(), pair.is_same ? 1U : 2U) << pair.what;
  }
}

TEST(ServerMatching, OnlyTheFirstViaValueCounts) {
  LayerDriver driver;
  RequestText text{.method = "OPTIONS",
                   .via =
                       "SIP/2.0/UDP p1:5090;branch=z9hG4bKa, "
                       "SIP/2.0/UDP p2;branch=z9hG4bKb"};
  driver.receive(text.message(), udp_flow);
  text.via = "SIP/2.0/UDP p1:5090;branch=z9hG4bKa, SIP/2.0/UDP p3;branch=z9hG4bKc";
  driver.receive(text.message(), udp_flow);
  EXPECT_EQ(driver.count<RequestReceived>(), 1U);
}

TEST(ServerMatching, ARequestWithoutAReadableViaIsDropped) {
  for (const std::string_view via : {"", "SIP/2.0", "SIP/2.0/UDP", "garbage;;"}) {
    LayerDriver driver;
    driver.receive(RequestText{.via = via}.message(), udp_flow);
    EXPECT_TRUE(driver.log.empty()) << via;
    EXPECT_EQ(driver.layer.size(), 0U);
  }
}

TEST(ServerMatching, AckForAFailureIsAbsorbedEvenRepeated) {
  LayerDriver driver;
  const Message invite = RequestText{}.message();
  driver.receive(invite, udp_flow);
  ASSERT_TRUE(respond(driver, created(driver), invite, 486));
  for (int i = 0; i < 3; ++i) driver.receive(RequestText{.method = "ACK"}.message(), udp_flow);
  EXPECT_EQ(driver.layer.state(created(driver)), "Confirmed");
  EXPECT_EQ(driver.count<RequestReceived>(), 1U);
  EXPECT_EQ(driver.count<Unexpected>(), 0U);
}

TEST(ServerMatching, AckForA2xxGoesUpWithAnyBranch) {
  LayerDriver driver;
  const Message invite = RequestText{}.message();
  driver.receive(invite, udp_flow);
  const Id id = created(driver);
  ASSERT_TRUE(respond(driver, id, invite, 200));
  RequestText ack{.method = "ACK", .via = "SIP/2.0/UDP 192.0.2.9:5090;branch=z9hG4bKnew"};
  driver.receive(ack.message(), udp_flow);
  ack.via = RequestText{}.via;  // the INVITE's, wrongly: RFC 6026 7.1 passes it up as well
  driver.receive(ack.message(), udp_flow);
  const auto requests = driver.all<RequestReceived>();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[1].transaction, 0U);
  EXPECT_EQ(requests[2].transaction, 0U);
  EXPECT_EQ(driver.layer.state(id), "Accepted");
  EXPECT_EQ(driver.layer.size(), 1U) << "an ACK makes no transaction";
}

// 17.2.3: without a branch all the fields are compared that name a request.
TEST(ServerMatching, TwoRequestsWithoutBranchAreToldApart) {
  LayerDriver driver;
  const RequestText text{.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.9:5090"};
  std::vector<RequestText> others(5, text);
  others[0].call_id = "another";
  others[1].cseq_number = "1";
  others[2].from = "Alice <sip:alice@atlanta.example>;tag=another";
  others[3].uri = "sip:carol@biloxi.example";
  others[4].via = "SIP/2.0/UDP 192.0.2.9:5091";
  driver.receive(text.message(), udp_flow);
  driver.receive(text.message(), udp_flow);
  EXPECT_EQ(driver.count<RequestReceived>(), 1U) << "a copy";
  for (const RequestText& other : others) driver.receive(other.message(), udp_flow);
  EXPECT_EQ(driver.count<RequestReceived>(), 1U + others.size());
}

TEST(ServerMatching, Rfc2543AckNeedsTheToTagOfTheResponse) {
  LayerDriver driver;
  const RequestText text{.via = "SIP/2.0/UDP 192.0.2.9:5090;branch=1"};
  const Message invite = text.message();
  driver.receive(invite, udp_flow);
  driver.receive(invite, udp_flow);
  ASSERT_EQ(driver.count<RequestReceived>(), 1U);
  const Id id = created(driver);
  ASSERT_TRUE(respond(driver, id, invite, 486));
  RequestText ack = text;
  ack.method = "ACK";
  ack.to = "Bob <sip:bob@biloxi.example>;tag=somebody-else";
  driver.receive(ack.message(), udp_flow);
  EXPECT_EQ(driver.layer.state(id), "Completed");
  ack.to = "Bob <sip:bob@biloxi.example>;tag=99sa0xk";
  driver.receive(ack.message(), udp_flow);
  EXPECT_EQ(driver.layer.state(id), "Confirmed");
}

TEST(ServerMatching, Rfc2543AckReachesTheUserInAccepted) {
  LayerDriver driver;
  const RequestText text{.via = "SIP/2.0/UDP 192.0.2.9:5090;branch=1"};
  driver.receive(text.message(), udp_flow);
  ASSERT_TRUE(respond(driver, created(driver), text.message(), 200));
  RequestText ack = text;
  ack.method = "ACK";
  ack.to = "Bob <sip:bob@biloxi.example>;tag=99sa0xk";
  driver.receive(ack.message(), udp_flow);
  EXPECT_EQ(driver.count<RequestReceived>(), 2U);
}

TEST(Cancel, FindsItsInviteAndHasATransactionOfItsOwn) {
  for (const std::string_view via :
       {"SIP/2.0/UDP 192.0.2.9:5090;branch=z9hG4bK1", "SIP/2.0/UDP 192.0.2.9:5090;branch=old"}) {
    LayerDriver driver;
    driver.receive(RequestText{.via = via}.message(), udp_flow);
    const Message cancel = RequestText{.method = "CANCEL", .via = via}.message();
    driver.receive(cancel, udp_flow);
    driver.receive(cancel, udp_flow);
    const auto cancels = driver.all<CancelReceived>();
    ASSERT_EQ(cancels.size(), 1U) << via;
    EXPECT_EQ(cancels[0].cancelled, created(driver));
    EXPECT_NE(cancels[0].transaction, cancels[0].cancelled);
    EXPECT_EQ(driver.layer.size(), 2U);
    ASSERT_TRUE(respond(driver, cancels[0].transaction, cancel, 200));
    ASSERT_TRUE(respond(driver, cancels[0].cancelled, RequestText{.via = via}.message(), 487));
  }
}

TEST(Cancel, OfNothingHasNothing) {
  LayerDriver driver;
  driver.receive(RequestText{}.message(), udp_flow);
  RequestText other{.method = "CANCEL", .via = "SIP/2.0/UDP 192.0.2.9:5090;branch=z9hG4bKother"};
  driver.receive(other.message(), udp_flow);
  ASSERT_EQ(driver.count<CancelReceived>(), 1U);
  EXPECT_EQ(driver.all<CancelReceived>()[0].cancelled, 0U);
}

TEST(Cancel, MatchesAnyMethod) {
  LayerDriver driver;
  driver.receive(RequestText{.method = "SUBSCRIBE"}.message(), udp_flow);
  driver.receive(RequestText{.method = "CANCEL"}.message(), udp_flow);
  EXPECT_EQ(driver.all<CancelReceived>().at(0).cancelled, created(driver));
}

TEST(Merged, IsTheSameRequestByAnotherWay) {
  LayerDriver driver;
  RequestText text{.via = "SIP/2.0/UDP p1;branch=z9hG4bKa"};
  driver.receive(text.message(), udp_flow);
  EXPECT_FALSE(driver.layer.is_merged(text.message(), created(driver)));
  text.via = "SIP/2.0/UDP p1;branch=z9hG4bKb";
  driver.receive(text.message(), udp_flow);
  ASSERT_EQ(driver.count<RequestReceived>(), 2U);
  EXPECT_TRUE(driver.layer.is_merged(text.message(), created(driver, 1)));

  RequestText in_dialog = text;
  in_dialog.to = "<sip:bob@biloxi.example>;tag=1";
  EXPECT_FALSE(driver.layer.is_merged(in_dialog.message(), 0)) << "has a To tag";
  for (const RequestText& other :
       {RequestText{.from = "<sip:a@b>;tag=other"}, RequestText{.call_id = "other"},
        RequestText{.cseq_number = "1"}, RequestText{.method = "OPTIONS"}})
    EXPECT_FALSE(driver.layer.is_merged(other.message(), 0));

  for (const Id id : {created(driver, 0), created(driver, 1)})
    ASSERT_TRUE(respond(driver, id, text.message(), 486));
  driver.run_for(60s);
  EXPECT_FALSE(driver.layer.is_merged(text.message(), 0)) << "both are over";
}

// --- what a user may send

TEST(Respond, IsRefusedWhereTheMachineHasNoRow) {
  LayerDriver driver;
  const Message invite = RequestText{}.message();
  driver.receive(invite, udp_flow);
  const Id id = created(driver);
  ASSERT_TRUE(respond(driver, id, invite, 180));
  ASSERT_TRUE(respond(driver, id, invite, 200));
  EXPECT_EQ(respond(driver, id, invite, 180).error(), SendError::WrongState);
  EXPECT_EQ(respond(driver, id, invite, 486).error(), SendError::WrongState);
  EXPECT_TRUE(respond(driver, id, invite, 200)) << "RFC 6026 7.1: the user's copies pass";
  EXPECT_TRUE(driver.layer.repeat_response(id));
  driver.collect();
  EXPECT_EQ(driver.count<Transmit>(), 4U);
  EXPECT_EQ(respond(driver, 999, invite, 200).error(), SendError::UnknownTransaction);
  EXPECT_EQ(driver.layer.repeat_response(999).error(), SendError::UnknownTransaction);
}

TEST(Respond, OtherFinalsToANonInviteAreDiscarded) {
  LayerDriver driver;
  const Message options = RequestText{.method = "OPTIONS"}.message();
  driver.receive(options, udp_flow);
  const Id id = created(driver);
  ASSERT_TRUE(respond(driver, id, options, 200));
  EXPECT_TRUE(respond(driver, id, options, 404));
  driver.receive(options, udp_flow);
  const auto sent = driver.all<Transmit>();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[1].message.status(), 200) << "the first stays";
  EXPECT_EQ(driver.layer.repeat_response(id).error(), SendError::WrongState);
}

TEST(Respond, KeepsRfc4320) {
  LayerDriver driver;
  const Message options = RequestText{.method = "OPTIONS"}.message();
  driver.receive(options, udp_flow);
  const Id id = created(driver);
  for (const int status : {100, 101, 180, 183, 199, 408})
    EXPECT_EQ(respond(driver, id, options, status).error(), SendError::Forbidden) << status;
  EXPECT_EQ(driver.count<Transmit>(), 0U);
  driver.run_for(3500ms);
  EXPECT_EQ(driver.count<Transmit>(), 1U) << "the late 100";
  EXPECT_TRUE(respond(driver, id, options, 100)) << "late enough for the user's as well";
  EXPECT_EQ(respond(driver, id, options, 180).error(), SendError::Forbidden);
  EXPECT_EQ(respond(driver, id, options, 408).error(), SendError::Forbidden);
}

TEST(Respond, AnEarly100IsFineOnStreamsAndATesterMayDoAnything) {
  LayerDriver stream;
  const Message options =
      RequestText{.method = "OPTIONS", .via = "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK1"}.message();
  stream.receive(options, flow_of(Transport::Tcp));
  EXPECT_TRUE(respond(stream, created(stream), options, 100));
  LayerDriver tester({.keeps_rfc4320 = false});
  tester.receive(options, udp_flow);
  EXPECT_TRUE(respond(tester, created(tester), options, 180));
  EXPECT_TRUE(respond(tester, created(tester), options, 408));
}

TEST(Respond, AnInviteRetransmittedWhileRingingGetsTheLastProvisional) {
  LayerDriver driver;
  const Message invite = RequestText{}.message();
  driver.receive(invite, udp_flow);
  ASSERT_TRUE(respond(driver, created(driver), invite, 183));
  ASSERT_TRUE(respond(driver, created(driver), invite, 180));
  driver.receive(invite, udp_flow);
  EXPECT_EQ(driver.all<Transmit>().back().message.status(), 180);
  EXPECT_EQ(driver.count<RequestReceived>(), 1U);
}

// --- responses and client transactions

struct ClientCase : LayerDriver {
  explicit ClientCase(std::string_view method, Transport transport = Transport::Udp)
      : request(
            RequestText{.method = method, .via = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours"}
                .message()) {
    id = layer.send_request(request, peer_of(transport), now).value();
    collect();
  }
  void answer(int status, std::string_view tag = "t") {
    receive(response_to(request, status, tag), udp_flow);
  }
  Message request;
  Id id = 0;
};

TEST(ClientMatching, NeedsBranchMethodAndSentBy) {
  struct Row {
    const char* what;
    std::string via, cseq;
    bool is_stray;  // else: discarded silently
  };
  const Row rows[] = {
      {"other branch", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKtheirs", "986759 OPTIONS", true},
      {"other method", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours", "986759 INFO", true},
      {"no branch", "SIP/2.0/UDP 192.0.2.1:5060", "986759 OPTIONS", true},
      {"unreadable CSeq", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours", "x", true},
      {"unreadable Via", "SIP", "986759 OPTIONS", true},
      {"other sent-by (18.1.2)", "SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKours", "986759 OPTIONS",
       false},
      {"two Via values (8.1.3.3)",
       "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours, SIP/2.0/UDP b.example;branch=z9hG4bKb",
       "986759 OPTIONS", false},
  };
  for (const Row& row : rows) {
    ClientCase client("OPTIONS");
    Message response = response_to(client.request, 200);
    response.set(HeaderId::Via, row.via).set(HeaderId::CSeq, row.cseq);
    client.receive(response, udp_flow);
    EXPECT_EQ(client.count<ResponseReceived>(), 0U) << row.what;
    EXPECT_EQ(client.count<StrayResponse>(), row.is_stray ? 1U : 0U) << row.what;
    EXPECT_EQ(client.layer.state(client.id), "Trying") << row.what;
  }
  ClientCase client("OPTIONS");
  Message stamped = response_to(client.request, 200);
  stamped.set(HeaderId::Via,
              "SIP/2.0/UDP 192.0.2.1;rport=5060;branch=Z9hG4bKOURS;received=192.0.2.1");
  client.receive(stamped, udp_flow);
  EXPECT_EQ(client.count<ResponseReceived>(), 1U);
}

TEST(ClientMatching, TwoViaLinesAreTwoValues) {
  ClientCase client("OPTIONS");
  Message response = response_to(client.request, 200);
  response.add(HeaderId::Via, "SIP/2.0/UDP b.example;branch=z9hG4bKb");
  client.receive(response, udp_flow);
  EXPECT_EQ(client.count<ResponseReceived>() + client.count<StrayResponse>(), 0U);
}

TEST(ClientMatching, CancelAndItsInviteShareABranch) {
  ClientCase client("INVITE");
  client.answer(180);
  const Message cancel = cancel_for(client.request);
  const Id cancel_id =
      client.layer.send_request(cancel, peer_of(Transport::Udp), client.now).value();
  client.collect();
  client.receive(response_to(cancel, 200), udp_flow);
  client.answer(487);
  const auto responses = client.all<ResponseReceived>();
  ASSERT_EQ(responses.size(), 3U);
  EXPECT_EQ(responses[1].transaction, cancel_id);
  EXPECT_EQ(responses[2].transaction, client.id);
}

TEST(ClientMatching, WithoutABranchTheOldFieldsServe) {
  LayerDriver driver;
  const Message request =
      RequestText{.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.1:5060"}.message();
  const Id id = driver.layer.send_request(request, peer_of(Transport::Udp), driver.now).value();
  driver.receive(response_to(request, 200), udp_flow);
  ASSERT_EQ(driver.count<ResponseReceived>(), 1U);
  EXPECT_EQ(driver.all<ResponseReceived>()[0].transaction, id);
}

TEST(ClientMatching, OfTwoWithOneBranchTheYoungerHearsTheAnswer) {
  ClientCase client("OPTIONS");
  const Id second =
      client.layer.send_request(client.request, peer_of(Transport::Udp), client.now).value();
  client.answer(200);
  ASSERT_EQ(client.count<ResponseReceived>(), 1U);
  EXPECT_EQ(client.all<ResponseReceived>()[0].transaction, second);
  client.run_for(60s);
  EXPECT_EQ(client.count<TimedOut>(), 1U);
  EXPECT_EQ(client.layer.size(), 0U);
}

TEST(InviteClient, Every2xxGoesUpFor64T1AndIsStrayAfterwards) {
  ClientCase client("INVITE");
  client.answer(200, "one");
  client.run_for(10s);
  client.answer(200, "one");
  client.answer(200, "two");
  client.run_for(21999ms);
  client.answer(200, "one");
  EXPECT_EQ(client.count<ResponseReceived>(), 4U);
  EXPECT_EQ(client.count<Transmit>(), 1U) << "no ACK by the transaction";
  client.run_for(1ms);
  client.answer(200, "one");
  EXPECT_EQ(client.count<ResponseReceived>(), 4U);
  EXPECT_EQ(client.count<StrayResponse>(), 1U);
}

TEST(InviteClient, A2xxAfterAFailureGoesUpAsWell) {
  ClientCase client("INVITE");
  client.answer(486, "one");
  client.answer(200, "two");
  EXPECT_EQ(client.count<ResponseReceived>(), 2U);
  EXPECT_EQ(client.layer.state(client.id), "Completed");
}

TEST(InviteClient, ALostAckIsSentAgainForEveryCopyOfTheFailure) {
  ClientCase client("INVITE");
  for (int i = 0; i < 5; ++i) {
    client.answer(486);
    client.run_for(4s);
  }
  const auto sent = client.all<Transmit>();
  ASSERT_EQ(sent.size(), 6U);
  for (std::size_t i = 1; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i].message.to_string(), sent[1].message.to_string());
    EXPECT_EQ(sent[i].is_retransmission, i > 1);
    EXPECT_EQ(sent[i].to, sent[0].to) << "17.1.1.2: same address, port and transport";
  }
  EXPECT_EQ(client.count<ResponseReceived>(), 1U);
}

TEST(InviteClient, AcknowledgesAFailureOnStreamsToo) {
  ClientCase client("INVITE", Transport::Tcp);
  client.answer(486);
  const auto sent = client.all<Transmit>();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[1].message.method(), Method::Ack);
  EXPECT_EQ(sent[1].to, peer_of(Transport::Tcp));
}

TEST(ClientTransaction, CanBeAbandoned) {
  for (const std::string_view method : {"INVITE", "OPTIONS"}) {
    ClientCase client(method);
    client.answer(100);
    client.layer.abandon(client.id, client.now);
    client.layer.abandon(client.id, client.now);
    client.layer.abandon(999, client.now);
    client.collect();
    EXPECT_EQ(client.count<Terminated>(), 1U);
    EXPECT_EQ(client.count<TimedOut>(), 0U);
    EXPECT_EQ(client.layer.size(), 0U);
  }
}

TEST(SendRequest, NeedsAVia) {
  LayerDriver driver;
  EXPECT_EQ(driver.layer.send_request(RequestText{.via = ""}.message(), {}, driver.now).error(),
            SendError::NoVia);
  driver.layer.send_ack(RequestText{.method = "ACK"}.message(), peer_of(Transport::Udp));
  driver.collect();
  EXPECT_EQ(driver.count<Transmit>(), 1U);
  EXPECT_EQ(driver.layer.size(), 0U);
}

// --- transport errors (RFC 3261 17.1.4, RFC 6026 8.8)

TEST(TransportError, EndsClientTransactionsThatWaitAtThatDestination) {
  ClientCase client("OPTIONS");
  const Message elsewhere =
      RequestText{.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKe"}.message();
  const Id other =
      client.layer.send_request(elsewhere, {{Transport::Udp, "192.0.2.77", 5060}, 0}, client.now)
          .value();
  client.layer.transport_failed(peer_of(Transport::Udp), client.now);
  client.collect();
  ASSERT_EQ(client.count<TransportFailed>(), 1U);
  EXPECT_EQ(client.all<TransportFailed>()[0].transaction, client.id);
  EXPECT_EQ(client.layer.state(client.id), "");
  EXPECT_EQ(client.layer.state(other), "Trying");
}

TEST(TransportError, DoesNotEndAnInviteThatTheOtherEndIsRinging) {
  ClientCase client("INVITE");
  client.answer(180);
  client.layer.transport_failed(peer_of(Transport::Udp), client.now);
  client.collect();
  EXPECT_EQ(client.count<TransportFailed>(), 0U);
  EXPECT_EQ(client.layer.state(client.id), "Proceeding");
}

TEST(TransportError, OfAConnectionConcernsThatConnectionOnly) {
  ClientCase client("OPTIONS", Transport::Tcp);
  Destination to = peer_of(Transport::Tcp);
  to.flow = 8;
  client.layer.transport_failed(to, client.now);
  client.collect();
  EXPECT_EQ(client.layer.state(client.id), "Trying");
  to.flow = 7;
  to.endpoint.port = 1;  // the connection counts, not what was said about its far end
  client.layer.transport_failed(to, client.now);
  client.collect();
  EXPECT_EQ(client.count<TransportFailed>(), 1U);
}

TEST(TransportError, IsToldButServerTransactionsKeepTheirState) {
  for (const int status : {180, 200, 486}) {
    LayerDriver driver;
    const Message invite = RequestText{}.message();
    driver.receive(invite, udp_flow);
    const Id id = created(driver);
    ASSERT_TRUE(respond(driver, id, invite, status));
    const std::string state(driver.layer.state(id));
    driver.layer.transport_failed(peer_of(Transport::Udp), driver.now);
    driver.layer.transport_failed(peer_of(Transport::Udp), driver.now);
    driver.collect();
    EXPECT_EQ(driver.count<TransportFailed>(), 1U) << "once for what was sent";
    EXPECT_EQ(driver.layer.state(id), state);
    driver.receive(invite, udp_flow);
    EXPECT_EQ(driver.count<RequestReceived>(), 1U) << "absorbed, no second call";
  }
}

// --- many, and limits

TEST(Limits, TenThousandTransactionsAtOnceAllEnd) {
  constexpr int count = 10'000;
  LayerDriver driver;
  Rng rng(5);
  for (int i = 0; i < count; ++i) {
    const std::string via = "SIP/2.0/UDP 192.0.2.9:5090;branch=" + make_branch(rng);
    const std::string call_id = std::to_string(i);
    driver.now += 1ms;
    driver.run_until(driver.now);
    if (i % 2 == 0) {
      const Message invite = RequestText{.via = via, .call_id = call_id}.message();
      driver.receive(invite, udp_flow);
      const Id id = std::get<RequestReceived>(driver.log.back().output).transaction;
      ASSERT_TRUE(
          driver.layer.respond(id, response_to(invite, i % 4 == 0 ? 200 : 486), driver.now));
    } else {
      const Message request =
          RequestText{.method = "OPTIONS", .via = via, .call_id = call_id}.message();
      ASSERT_TRUE(driver.layer.send_request(request, peer_of(Transport::Udp), driver.now));
    }
  }
  driver.collect();
  EXPECT_EQ(driver.layer.size(), std::size_t{count});
  driver.run_for(120s);
  EXPECT_EQ(driver.layer.size(), 0U);
  EXPECT_EQ(driver.layer.next_deadline(), std::nullopt);
  EXPECT_EQ(driver.count<Terminated>(), std::size_t{count});
  EXPECT_EQ(driver.count<TimedOut>(), std::size_t{count} * 3 / 4);
}

TEST(Limits, OneRequestTooManyIsAnsweredWith503AndLeavesNothing) {
  constexpr std::size_t limit = 20;
  EXPECT_EQ(Layer::Options{}.limit, transactions_max);
  LayerDriver driver({.limit = limit});
  const auto text = [](std::size_t i, std::string& via) {
    via = "SIP/2.0/UDP 192.0.2.9:5090;branch=z9hG4bK" + std::to_string(i);
    return RequestText{.method = "OPTIONS", .via = via};
  };
  std::string via;
  for (std::size_t i = 0; i < limit; ++i)
    driver.layer.receive(text(i, via).message(), udp_flow, driver.now);
  while (driver.layer.poll()) continue;
  ASSERT_EQ(driver.layer.size(), limit);
  driver.receive(text(limit, via).message(), udp_flow);
  driver.receive(text(limit, via).message(), udp_flow);
  const auto sent = driver.all<Transmit>();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].message.status(), 503);
  EXPECT_EQ(sent[0].message.to_string(), sent[1].message.to_string()) << "8.2.7: the same tag";
  EXPECT_THAT(std::string(sent[0].message.raw(HeaderId::To)), HasSubstr(";tag="));
  EXPECT_EQ(driver.count<RequestReceived>(), 0U);
  EXPECT_EQ(driver.layer.size(), limit);
  EXPECT_EQ(driver.layer.send_request(text(1, via).message(), {}, driver.now).error(),
            SendError::TooMany);
  driver.receive(text(5, via).message(), udp_flow);
  EXPECT_EQ(driver.all<Transmit>().size(), 2U) << "a retransmission is still recognised";
}

TEST(Layer, GivesTheSameBytesForTheSameSeed) {
  std::string first;
  for (int run = 0; run < 2; ++run) {
    Rng rng(77);
    std::string text = make_branch(rng) + make_branch(rng);
    if (run == 0) first = text;
    EXPECT_EQ(text, first);
    EXPECT_EQ(text.size(), 2 * make_branch(rng).size());
  }
}

TEST(Layer, LooksIntoWhatIsThere) {
  ClientCase client("INVITE");
  EXPECT_EQ(client.layer.request(client.id)->to_string(), client.request.to_string());
  EXPECT_EQ(client.layer.last_response(client.id), nullptr);
  client.answer(180);
  EXPECT_EQ(client.layer.last_response(client.id)->status(), 180);
  EXPECT_EQ(client.layer.request(999), nullptr);
  EXPECT_EQ(client.layer.last_response(999), nullptr);
  EXPECT_EQ(client.layer.state(999), "");
}

}  // namespace
}  // namespace sipassay::transaction
