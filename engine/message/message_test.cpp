#include "engine/message/message.h"

#include <gtest/gtest.h>

#include "engine/message/framer.h"
#include "engine/message/header/all.h"
#include "engine/message/parse.h"

namespace sipassay {
namespace {

constexpr std::string_view invite =
    "INVITE sip:bob@biloxi.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds, SIP/2.0/TCP [::1]:5061;rport\r\n"
    "Max-Forwards: 70\r\n"
    "t: Bob <sip:bob@biloxi.com>\r\n"
    "From: \"Alice\\\"\" <sip:alice@atlanta.com>;tag=1928301774\r\n"
    "Call-ID: a84b4c76e66710@pc33.atlanta.com\r\n"
    "CSeq: 314159 INVITE\r\n"
    "X-Odd :  kept\r\n\tfolded \r\n"
    "Contact: <sip:alice@pc33.atlanta.com;transport=tcp>;q=0.7;expires=60\r\n"
    "Content-Length: 4\r\n"
    "\r\n"
    "body";

TEST(Message, ReadsTypedValues) {
  const auto message = parse_message(invite);
  ASSERT_TRUE(message) << to_string(message.error());
  EXPECT_EQ(message->method(), Method::Invite);
  EXPECT_EQ(message->request_uri(), "sip:bob@biloxi.com");
  EXPECT_EQ(message->get<To>()->addr.display, "Bob");
  EXPECT_EQ(message->get<From>()->tag(), "1928301774");
  EXPECT_EQ(message->get<From>()->addr.uri.user, "alice");
  EXPECT_EQ(message->get<CSeq>()->number, 314159U);
  EXPECT_EQ(message->get<CSeq>()->method, Method::Invite);
  EXPECT_EQ(message->get<CallId>()->value, "a84b4c76e66710@pc33.atlanta.com");
  EXPECT_EQ(message->get<MaxForwards>()->value, 70U);
  const auto contact = message->get<Contact>();
  ASSERT_TRUE(contact);
  EXPECT_EQ(contact->q(), 700);
  EXPECT_EQ(contact->expires(), 60U);
  EXPECT_EQ(contact->addr.uri.params.value("transport"), "tcp");
  std::vector<std::string> hosts;
  for (const auto& via : message->all<Via>()) {
    ASSERT_TRUE(via) << to_string(via.error());
    hosts.emplace_back(via->host);
  }
  EXPECT_EQ(hosts, (std::vector<std::string>{"pc33.atlanta.com", "::1"}));
  EXPECT_EQ(message->raw("x-odd"), "kept\r\n\tfolded");
  EXPECT_EQ(message->body(), "body");
  EXPECT_EQ(message->get<Route>().error().code, ErrorCode::HeaderMissing);
}

TEST(Message, SerialisesWhatItReceived) {
  auto message = parse_message(invite);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->to_string(), invite);
  message->set("X-New", "1").remove("X-New");
  EXPECT_EQ(message->to_string(), invite);
}

TEST(Message, EditsTouchOnlyTheirLine) {
  auto message = parse_message(invite);
  ASSERT_TRUE(message);
  message->set(HeaderId::MaxForwards, "69");
  std::string expected(invite);
  expected.replace(expected.find("70\r\n"), 2, "69");
  EXPECT_EQ(message->to_string(), expected);
}

TEST(Message, ContentLengthCountsOctetsNotCharacters) {
  Message message = Message::request("MESSAGE", "sip:bob@biloxi.com");
  message.set_body("text/plain;charset=UTF-8", "test\u20ac");
  EXPECT_EQ(message.raw(HeaderId::ContentLength), "7");
}

TEST(Message, ANameWithAnUnderscoreIsAnotherName) {
  Message message = Message::request("OPTIONS", "sip:bob@biloxi.com");
  message.add("Call_ID", "x").add("Content_Length", "9");
  EXPECT_FALSE(message.has(HeaderId::CallId));
  EXPECT_FALSE(message.has(HeaderId::ContentLength));
}

TEST(Message, EachContactOfAListHasItsOwnHeaders) {
  Message message = Message::request("REGISTER", "sip:biloxi.com");
  message.add("Contact", "<sip:a@h?x=1>, <sip:b@h>");
  std::vector<std::string> headers;
  for (const auto& contact : message.all<Contact>())
    headers.emplace_back(contact ? contact->addr.uri.headers : "unreadable");
  EXPECT_EQ(headers, (std::vector<std::string>{"x=1", ""}));
}

TEST(Message, IsBuiltFromTypedValues) {
  Message message = Message::request("OPTIONS", "sip:bob@biloxi.com");
  message.add(*Via::parse("SIP/2.0/UDP host;branch=z9hG4bK1"))
      .add(CSeq{1, Method::Options, {}})
      .set_body("text/plain", "hello");
  EXPECT_EQ(message.to_string(),
            "OPTIONS sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP host;branch=z9hG4bK1\r\n"
            "CSeq: 1 OPTIONS\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(Message::response(200).start_line(), "SIP/2.0 200 OK");
}

TEST(Framer, GivesTheSameFramesForAnySegmentation) {
  const std::string stream =
      "\r\n\r\n" + std::string(invite) + std::string(invite) + "\r\n" + std::string(invite);
  for (std::size_t chunk = 1; chunk <= stream.size(); ++chunk) {
    Framer framer;
    std::string kinds;
    for (std::size_t at = 0; at < stream.size(); at += chunk) {
      framer.feed(std::string_view(stream).substr(at, chunk));
      while (const auto frame = framer.next()) kinds += "MPpgB"[frame->index()];
    }
    EXPECT_EQ(kinds, "PMMpM") << chunk;
  }
}

}  // namespace
}  // namespace sipassay
