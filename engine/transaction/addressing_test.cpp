// Via stamping, where responses go, and the messages that follow from others.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/message/header/via.h"
#include "engine/testing/layer_driver.h"
#include "engine/transaction/layer.h"

namespace sipassay::transaction {
namespace {

using sipassay::testing::flow_of;
using sipassay::testing::LayerDriver;
using sipassay::testing::RequestText;
using sipassay::testing::response_to;

Flow from(Transport transport, std::string host, std::uint16_t port, FlowId id = 0) {
  return {{transport, "192.0.2.1", 5060}, {transport, std::move(host), port}, id};
}

// RFC 3261 18.2.1, 18.2.2; RFC 3581 4. Request as it came → as it goes up, and where its answer
// goes.
struct StampRow {
  const char* what;
  Flow flow;
  std::string_view via, stamped;
  std::string_view answer_to;
};

TEST(Via, IsStampedAndSaysWhereTheAnswerGoes) {
  const auto udp = [](std::string host, std::uint16_t port) {
    return from(Transport::Udp, std::move(host), port);
  };
  const StampRow rows[] = {
      {"18.2.1 example: a name", udp("192.0.2.4", 5060), "SIP/2.0/UDP bobspc.biloxi.com:5060",
       "SIP/2.0/UDP bobspc.biloxi.com:5060;received=192.0.2.4", "udp:192.0.2.4:5060"},
      {"the source address itself", udp("192.0.2.4", 7000), "SIP/2.0/UDP 192.0.2.4:5070;branch=1",
       "SIP/2.0/UDP 192.0.2.4:5070;branch=1", "udp:192.0.2.4:5070"},
      {"another address, no port", udp("192.0.2.4", 7000), "SIP/2.0/UDP 10.0.0.1;branch=1",
       "SIP/2.0/UDP 10.0.0.1;branch=1;received=192.0.2.4", "udp:192.0.2.4:5060"},
      {"RFC 3581 4 example", udp("192.0.2.1", 9988),
       "SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff",
       "SIP/2.0/UDP 10.1.1.1:4540;rport=9988;branch=z9hG4bKkjshdyff;received=192.0.2.1",
       "udp:192.0.2.1:9988"},
      {"rport and the same address: received all the same", udp("192.0.2.4", 9988),
       "SIP/2.0/UDP 192.0.2.4;branch=1;rport",
       "SIP/2.0/UDP 192.0.2.4;branch=1;rport=9988;received=192.0.2.4", "udp:192.0.2.4:9988"},
      {"a forged received is replaced", udp("192.0.2.4", 5060),
       "SIP/2.0/UDP a.example;received=198.51.100.1;branch=1",
       "SIP/2.0/UDP a.example;branch=1;received=192.0.2.4", "udp:192.0.2.4:5060"},
      {"a forged received is removed", udp("192.0.2.4", 5060),
       "SIP/2.0/UDP 192.0.2.4;received=198.51.100.1;branch=1", "SIP/2.0/UDP 192.0.2.4;branch=1",
       "udp:192.0.2.4:5060"},
      {"only the first value", udp("192.0.2.4", 5060),
       "SIP/2.0/UDP a.example;branch=1, SIP/2.0/UDP b.example;rport",
       "SIP/2.0/UDP a.example;branch=1;received=192.0.2.4, SIP/2.0/UDP b.example;rport",
       "udp:192.0.2.4:5060"},
      {"only the first value, no parameters", udp("192.0.2.4", 5060),
       "SIP/2.0/UDP a.example, SIP/2.0/UDP b.example",
       "SIP/2.0/UDP a.example;received=192.0.2.4, SIP/2.0/UDP b.example", "udp:192.0.2.4:5060"},
      {"IPv6", udp("2001:db8::9", 5060), "SIP/2.0/UDP [2001:db8::10]:5070;branch=1",
       "SIP/2.0/UDP [2001:db8::10]:5070;branch=1;received=2001:db8::9", "udp:[2001:db8::9]:5070"},
      {"maddr", udp("192.0.2.4", 5060), "SIP/2.0/UDP 192.0.2.4:5070;maddr=192.0.2.99;branch=1",
       "SIP/2.0/UDP 192.0.2.4:5070;maddr=192.0.2.99;branch=1", "udp:192.0.2.99:5070"},
      {"an rport that is no port", udp("192.0.2.4", 5060), "SIP/2.0/UDP 192.0.2.4;rport=0;branch=1",
       "SIP/2.0/UDP 192.0.2.4;rport=0;branch=1", "udp:192.0.2.4:5060"},
      {"a stream: the connection, else the sent-by port",
       from(Transport::Tcp, "192.0.2.4", 40000, 3), "SIP/2.0/TCP a.example:5070;branch=1",
       "SIP/2.0/TCP a.example:5070;branch=1;received=192.0.2.4", "tcp:192.0.2.4:5070"},
      {"TLS: 5061", from(Transport::Tls, "192.0.2.4", 40000, 3), "SIP/2.0/TLS 192.0.2.4;branch=1",
       "SIP/2.0/TLS 192.0.2.4;branch=1", "tls:192.0.2.4:5061"},
  };
  for (const StampRow& row : rows) {
    Message request = RequestText{.via = row.via}.message();
    stamp_via(request, row.flow);
    EXPECT_EQ(request.raw(HeaderId::Via), row.stamped) << row.what;
    const Destination to = response_destination(response_to(request, 200), row.flow);
    EXPECT_EQ(to_string(to.endpoint), row.answer_to) << row.what;
    EXPECT_EQ(to.flow, row.flow.id) << row.what;
    Message again = request;
    stamp_via(again, row.flow);
    EXPECT_EQ(again.to_string(), request.to_string()) << "once is enough: " << row.what;
  }
}

TEST(Via, WithoutOneNothingHappens) {
  Message request = RequestText{.via = ""}.message();
  const std::string before = request.to_string();
  const Flow flow = flow_of(Transport::Udp);
  stamp_via(request, flow);
  EXPECT_EQ(request.to_string(), before);
  EXPECT_EQ(response_destination(request, flow).endpoint, flow.remote);
}

TEST(Via, IsPutOnTop) {
  Message request = RequestText{.via = "SIP/2.0/UDP below;branch=z9hG4bK1"}.message();
  add_via(request, {Transport::Tcp, "2001:db8::1", 5070}, "z9hG4bKx");
  const auto via = request.get<Via>();
  ASSERT_TRUE(via);
  EXPECT_EQ(via->host, "2001:db8::1");
  EXPECT_EQ(request.raw(HeaderId::Via), "SIP/2.0/TCP [2001:db8::1]:5070;branch=z9hG4bKx");
  EXPECT_EQ(request.line_count(HeaderId::Via), 2U);
  add_via(request, {Transport::Udp, "192.0.2.1", 5060}, "z9hG4bKy");
  EXPECT_EQ(request.raw(HeaderId::Via), "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKy;rport");
}

TEST(Via, TheAnswerLeavesAsTheStampedRequestSays) {
  LayerDriver driver;
  RequestText text{.method = "OPTIONS", .via = "SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bK1"};
  driver.receive(text.message(), flow_of(Transport::Udp));
  const auto requests = driver.all<RequestReceived>();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].request.raw(HeaderId::Via),
            "SIP/2.0/UDP 10.1.1.1:4540;rport=5090;branch=z9hG4bK1;received=192.0.2.9");
  ASSERT_TRUE(driver.layer.respond(requests[0].transaction, response_to(requests[0].request, 200),
                                   driver.now));
  driver.receive(text.message(), flow_of(Transport::Udp));
  for (const Transmit& sent : driver.all<Transmit>())
    EXPECT_EQ(to_string(sent.to.endpoint), "udp:192.0.2.9:5090");
}

// --- ACK, CANCEL, 100

TEST(AckForFailure, IsThatOfTheRfc) {
  Message invite = Message::request("INVITE", "sip:bob@biloxi.com");
  invite.add("Via", "SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKkjshdyff")
      .add("To", "Bob <sip:bob@biloxi.com>")
      .add("From", "Alice <sip:alice@atlanta.com>;tag=88sja8x")
      .add("Max-Forwards", "70")
      .add("Call-ID", "987asjd97y7atg")
      .add("CSeq", "986759 INVITE");
  const Message ack = ack_for_failure(invite, response_to(invite, 486));
  EXPECT_EQ(ack.start_line(), "ACK sip:bob@biloxi.com SIP/2.0");
  EXPECT_EQ(ack.raw(HeaderId::Via), "SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKkjshdyff");
  EXPECT_EQ(ack.raw(HeaderId::To), "Bob <sip:bob@biloxi.com>;tag=99sa0xk");
  EXPECT_EQ(ack.raw(HeaderId::From), "Alice <sip:alice@atlanta.com>;tag=88sja8x");
  EXPECT_EQ(ack.raw(HeaderId::MaxForwards), "70");
  EXPECT_EQ(ack.raw(HeaderId::CallId), "987asjd97y7atg");
  EXPECT_EQ(ack.raw(HeaderId::CSeq), "986759 ACK");
  EXPECT_TRUE(ack.body().empty());
}

TEST(AckForFailure, TakesTopViaAllRoutesAndTheRequestUriAsItWas) {
  Message invite = Message::request("INVITE", "sip:Bob%41@biloxi.example;p=1;x?a=b");
  invite.add("v", "SIP/2.0/UDP top.example;branch=z9hG4bK1 , SIP/2.0/UDP below.example;branch=2")
      .add("Via", "SIP/2.0/UDP bottom.example;branch=3")
      .add("Route", "<sip:p1.example;lr>, <sip:p2.example;lr>")
      .add("From", "<sip:a@b>;tag=1")
      .add("Route", "<sip:p3.example>")
      .add("To", "<sip:c@d>")
      .add("i", "x")
      .add("CSeq", "0007 INVITE")
      .add("Require", "100rel")
      .add("Contact", "<sip:me@here>");
  const Message ack = ack_for_failure(invite, response_to(invite, 603));
  EXPECT_EQ(ack.request_uri(), invite.request_uri());
  EXPECT_EQ(ack.line_count(HeaderId::Via), 1U);
  EXPECT_EQ(ack.raw(HeaderId::Via), "SIP/2.0/UDP top.example;branch=z9hG4bK1");
  ASSERT_EQ(ack.line_count(HeaderId::Route), 2U);
  EXPECT_EQ(ack.field(*ack.find(HeaderId::Route, 0)).value,
            "<sip:p1.example;lr>, <sip:p2.example;lr>");
  EXPECT_EQ(ack.field(*ack.find(HeaderId::Route, 1)).value, "<sip:p3.example>");
  EXPECT_EQ(ack.raw(HeaderId::CSeq), "7 ACK");
  EXPECT_FALSE(ack.has(HeaderId::Require));
  EXPECT_FALSE(ack.has(HeaderId::Contact));
}

TEST(CancelFor, IsThatOfSection9) {
  RequestText text;
  Message invite = text.message();
  invite.add(HeaderId::Route, "<sip:p1.example;lr>").add(HeaderId::Require, "100rel");
  const Message cancel = cancel_for(invite);
  EXPECT_EQ(cancel.method(), Method::Cancel);
  EXPECT_EQ(cancel.request_uri(), invite.request_uri());
  for (const HeaderId id :
       {HeaderId::Via, HeaderId::To, HeaderId::From, HeaderId::CallId, HeaderId::Route})
    EXPECT_EQ(cancel.raw(id), invite.raw(id)) << header_name(id);
  EXPECT_EQ(cancel.raw(HeaderId::CSeq), "986759 CANCEL");
  EXPECT_FALSE(cancel.has(HeaderId::Require)) << "9.1: no Require, no Proxy-Require";
}

TEST(TryingFor, CopiesWhatIdentifiesTheRequestAndTimestamp) {
  Message invite = RequestText{}.message();
  invite.add(HeaderId::Via, "SIP/2.0/UDP below;branch=z9hG4bK2").add(HeaderId::Timestamp, "54");
  const Message trying = trying_for(invite, 0ms);
  EXPECT_EQ(trying.start_line(), "SIP/2.0 100 Trying");
  EXPECT_EQ(trying.line_count(HeaderId::Via), 2U);
  for (const HeaderId id :
       {HeaderId::To, HeaderId::From, HeaderId::CallId, HeaderId::CSeq, HeaderId::Timestamp})
    EXPECT_EQ(trying.raw(id), invite.raw(id)) << header_name(id);
}

// RFC 3261 8.2.6.1 SHOULD
TEST(TryingFor, SaysHowLongTheRequestHasWaited) {
  Message invite = RequestText{}.message();
  EXPECT_FALSE(trying_for(invite, 200ms).has(HeaderId::Timestamp));
  invite.add(HeaderId::Timestamp, "54.25");
  EXPECT_EQ(trying_for(invite, 200ms).raw(HeaderId::Timestamp), "54.25 0.200");
  invite.set(HeaderId::Timestamp, "noon");
  EXPECT_EQ(trying_for(invite, 200ms).raw(HeaderId::Timestamp), "noon");
}

}  // namespace
}  // namespace sipassay::transaction
