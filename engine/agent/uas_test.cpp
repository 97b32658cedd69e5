// What a UAS core answers before anybody looks at a call (RFC 3261 8.2), one request at a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/agent/admission.h"
#include "engine/agent/agent.h"
#include "engine/agent/digest.h"
#include "engine/message/header/all.h"
#include "engine/message/multipart.h"
#include "engine/message/parse.h"

namespace sipassay::agent {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view sdp =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 0\r\n";

// One agent, requests by hand.
class Uas : public ::testing::Test {
 protected:
  Uas() : agent_(settings(), Rng(1)) {}

  static Settings settings() {
    Settings settings;
    settings.local = {{Transport::Udp, "192.0.2.2", 5060}};
    settings.accepts = {"", "u", "p"};
    return settings;
  }
  static Flow flow() {
    return {{Transport::Udp, "192.0.2.2", 5060}, {Transport::Udp, "192.0.2.9", 5060}, 0};
  }

  Message request(std::string_view method, std::string_view user = "auto") {
    auto message = Message::request(method, "sip:" + std::string(user) + "@192.0.2.2");
    const std::string number = std::to_string(++count_);
    message.add("Via", "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK" + number);
    message.add("Max-Forwards", "70");
    message.add("From", "<sip:test@192.0.2.9>;tag=f" + number);
    message.add("To", "<sip:" + std::string(user) + "@192.0.2.2>");
    message.add("Call-ID", "call-" + number);
    message.add("CSeq", "1 " + std::string(method));
    message.add("Contact", "<sip:test@192.0.2.9>");
    message.set_body({}, {});
    return message;
  }

  // All that goes out at once.
  std::vector<Message> exchange(std::string octets) {
    auto parsed = parse_message(octets);
    if (parsed)
      agent_.handle(MessageReceived{std::move(*parsed), flow()}, now_);
    else
      agent_.handle(GarbageReceived{std::move(octets), parsed.error(), flow()}, now_);
    return drain();
  }
  std::vector<Message> exchange(const Message& message) { return exchange(message.to_string()); }
  std::vector<Message> drain() {
    std::vector<Message> sent;
    while (true) {
      auto output = agent_.poll();
      if (auto* send = std::get_if<Send>(&output)) sent.push_back(std::move(send->message));
      if (std::holds_alternative<Wait>(output)) return sent;
    }
  }
  // The one response; a status of 0 when there is none, or more than one.
  Message answer(const Message& message) {
    auto sent = exchange(message);
    return sent.size() == 1 ? sent.front() : Message();
  }
  int status(const Message& message) { return answer(message).status(); }

  Agent agent_;
  Instant now_{};
  unsigned count_ = 0;
};

TEST_F(Uas, EveryMethodHasItsAnswerOutsideADialog) {
  const struct {
    std::string_view method;
    int status;
  } vectors[] = {{"OPTIONS", 200},  {"MESSAGE", 200}, {"BYE", 481},       {"PRACK", 481},
                 {"UPDATE", 481},   {"INFO", 481},    {"NOTIFY", 481},    {"CANCEL", 481},
                 {"REGISTER", 405}, {"PUBLISH", 405}, {"SUBSCRIBE", 489}, {"FROBNICATE", 501},
                 {"invite", 501}};
  for (const auto& [method, expected] : vectors) {
    auto message = request(method);
    if (method == "PRACK") message.add("RAck", "1 1 INVITE");
    if (method == "NOTIFY") message.add("Event", "refer").add("Subscription-State", "active");
    const auto response = answer(message);
    EXPECT_EQ(response.status(), expected) << method;
    if (expected == 405 || expected == 501) {
      EXPECT_THAT(std::string(response.raw(HeaderId::Allow)), HasSubstr("INVITE, ACK")) << method;
    }
    EXPECT_FALSE(response.get<To>()->tag().empty());
  }
}

TEST_F(Uas, OptionsSaysWhatAnInviteWouldGet) {
  const struct {
    std::string_view user;
    int status;
  } vectors[] = {{"auto", 200},    {"ring", 200},        {"busy", 486},   {"decline", 603},
                 {"nobody", 404},  {"overload", 503},    {"digest", 401}, {"ring-busy", 200},
                 {"unknown", 200}, {"proxy-digest", 407}};
  for (const auto& [user, expected] : vectors)
    EXPECT_EQ(status(request("OPTIONS", user)), expected);
  const auto response = answer(request("OPTIONS"));
  for (const auto id : {HeaderId::Allow, HeaderId::Accept, HeaderId::AcceptEncoding,
                        HeaderId::AcceptLanguage, HeaderId::Supported})
    EXPECT_TRUE(response.has(id)) << header_name(id);
}

TEST_F(Uas, MalformedRequestsAre400) {
  const struct {
    std::string_view name;
    std::string_view value;  // empty: removed
  } vectors[] = {{"To", ""},           {"From", ""},          {"Call-ID", ""},
                 {"CSeq", ""},         {"CSeq", "1 OPTIONS"}, {"CSeq", "99999999999 INVITE"},
                 {"CSeq", "x INVITE"}, {"From", "<sip:"},     {"Max-Forwards", "many"},
                 {"Contact", ""},      {"Contact", "<sip:"},  {"Via", "SIP/2.0/UDP"}};
  for (const auto& [name, value] : vectors) {
    auto message = request("INVITE");
    if (value.empty())
      message.remove(name);
    else
      message.set(name, value);
    EXPECT_EQ(status(message), 400) << name << ": " << value;
  }
  for (const std::string_view name : {"From", "To", "Call-ID", "CSeq", "Max-Forwards"}) {
    auto message = request("OPTIONS");
    message.add(name, std::string(message.raw(name)));
    EXPECT_EQ(status(message), 400) << name << " twice";
  }
}

TEST_F(Uas, WithoutViaThereIsNoAnswer) {
  auto message = request("OPTIONS");
  message.remove("Via");
  EXPECT_TRUE(exchange(message).empty());
}

TEST_F(Uas, AnotherVersionIs505) {
  auto octets = request("OPTIONS").to_string();
  octets.replace(octets.find("SIP/2.0\r\n"), 7, "SIP/7.0");
  const auto sent = exchange(octets);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent.front().status(), 505);
}

TEST_F(Uas, AShortBodyIs400) {
  auto message = request("MESSAGE");
  message.set_body("text/plain", "hello");
  message.set_raw_body("he");
  const auto sent = exchange(message.to_string());
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent.front().status(), 400);
}

TEST_F(Uas, NoiseIsDropped) {
  for (const std::string_view noise : {"", "\r\n\r\n", "hello", "\0\0\0", "SIP/2.0 200 OK\r\n\r\n",
                                       "INVITE sip:x SIP/2.0\r\n\r\n", "ACK x y\r\nVia: z\r\n\r\n"})
    EXPECT_TRUE(exchange(std::string(noise)).empty()) << noise;
}

// RFC 3261 18.3 MUST for the short one; another version of a response is not answered (policy).
TEST_F(Uas, BrokenResponsesAreDropped) {
  auto response = answer(request("OPTIONS")).to_string();
  auto other = response;
  other.replace(0, 7, "SIP/7.0");
  EXPECT_TRUE(exchange(other).empty());
  response.replace(response.find("Content-Length: 0"), 17, "Content-Length: 5");
  EXPECT_TRUE(exchange(response).empty());
}

// RFC 3261 7.3.1 MUST
TEST_F(Uas, ACommaListIsAsGoodAsSeveralLines) {
  auto list = request("OPTIONS");
  list.add("Require", "frob, 100rel,nicate");
  auto lines = request("OPTIONS");
  lines.add("Require", "frob").add("Require", "100rel").add("Require", "nicate");
  for (const auto& message : {list, lines}) {
    const auto response = answer(message);
    EXPECT_EQ(response.status(), 420);
    EXPECT_EQ(response.raw(HeaderId::Unsupported), "frob, nicate");
  }
}

// RFC 3261 16.3 lets a proxy pass it on; we serve it (policy).
TEST_F(Uas, ARequestWithoutMaxForwardsIsServed) {
  auto message = request("OPTIONS");
  message.remove("Max-Forwards");
  EXPECT_EQ(status(message), 200);
}

// RFC 3261 8.1.1, RFC 4475 3.3.8: what may stand there once only cannot be obeyed twice.
TEST_F(Uas, NoHeaderFieldOfOneValueMayComeTwice) {
  for (const auto& [name, value] : {std::pair<std::string_view, std::string_view>{"Expires", "5"},
                                    {"Timestamp", "1"},
                                    {"Subject", "x"},
                                    {"Date", "Sat, 13 Nov 2010 23:29:00 GMT"},
                                    {"Content-Disposition", "session"}}) {
    auto message = request("OPTIONS");
    message.add(name, std::string(value)).add(name, std::string(value));
    EXPECT_EQ(status(message), 400) << name;
  }
}

TEST_F(Uas, OtherSchemesAre416) {
  for (const std::string_view uri : {"tel:+1234", "http://192.0.2.2/", "urn:service:sos"}) {
    auto message = request("OPTIONS");
    message.set_request_uri(uri);
    EXPECT_EQ(status(message), 416) << uri;
  }
}

TEST_F(Uas, UnknownUsersAre404) {
  for (const std::string_view method : {"INVITE", "OPTIONS", "MESSAGE"})
    EXPECT_EQ(status(request(method, "nobody")), 404);
}

TEST_F(Uas, UnknownExtensionsAre420AndNamed) {
  auto message = request("OPTIONS");
  message.add("Require", "100rel, frob").add("Require", "knit");
  const auto response = answer(message);
  EXPECT_EQ(response.status(), 420);
  EXPECT_EQ(response.raw(HeaderId::Unsupported), "frob, knit");
}

TEST_F(Uas, RequireIsIgnoredInCancel) {
  auto invite = request("INVITE", "ring");
  exchange(invite);
  auto cancel = Message::request("CANCEL", invite.request_uri());
  for (const auto id : {HeaderId::Via, HeaderId::From, HeaderId::To, HeaderId::CallId})
    cancel.add(id, invite.raw(id));
  cancel.add("CSeq", "1 CANCEL").add("Max-Forwards", "70").add("Require", "frob");
  cancel.set_body({}, {});
  const auto sent = exchange(cancel);
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].status(), 200);
  EXPECT_EQ(sent[1].status(), 487);
  // 9.2 SHOULD: one To tag
  EXPECT_EQ(sent[0].get<To>()->tag(), sent[1].get<To>()->tag());
}

TEST_F(Uas, BodiesThatNobodyUnderstandsAre415) {
  auto message = request("MESSAGE");
  message.set_body("application/x-frob", "x");
  auto response = answer(message);
  EXPECT_EQ(response.status(), 415);
  EXPECT_TRUE(response.has(HeaderId::Accept));

  message = request("MESSAGE");
  message.set_body("application/x-frob", "x")
      .add("Content-Disposition", "render;handling=optional");
  EXPECT_EQ(status(message), 200);

  message = request("INVITE");
  message.set_body("application/sdp", sdp).add("Content-Disposition", "frob");
  EXPECT_EQ(status(message), 415);

  // RFC 3959: no early sessions.
  message = request("INVITE");
  message.set_body("application/sdp", sdp).add("Content-Disposition", "early-session");
  EXPECT_EQ(status(message), 415);
  message = request("INVITE");
  message.set_body("application/sdp", sdp)
      .add("Content-Disposition", "early-session;handling=optional");
  response = answer(message);
  EXPECT_EQ(response.status(), 200);
  EXPECT_TRUE(session_description(response)) << "the offer that the INVITE has not";

  message = request("MESSAGE");
  message.set_body("text/plain", "x").add("Content-Encoding", "gzip");
  response = answer(message);
  EXPECT_EQ(response.status(), 415);
  EXPECT_EQ(response.raw(HeaderId::AcceptEncoding), "identity");
}

TEST_F(Uas, ABodyWithoutTypeIs400) {
  auto message = request("INVITE");
  message.set_body({}, "x");
  EXPECT_EQ(status(message), 400);
}

TEST_F(Uas, SdpThatCannotBeReadIs400AndMediaNotSharedAre488) {
  auto message = request("INVITE");
  message.set_body("application/sdp", "v=1\r\n");
  EXPECT_EQ(status(message), 400);
  message = request("INVITE");
  std::string other(sdp);
  other.replace(other.find("audio"), 5, "image");
  message.set_body("application/sdp", other);
  const auto response = answer(message);
  EXPECT_EQ(response.status(), 488);
  EXPECT_TRUE(response.has(HeaderId::Warning));
}

TEST_F(Uas, UnknownDialogsAre481AndAcksAreNeverAnswered) {
  for (const std::string_view method :
       {"INVITE", "BYE", "OPTIONS", "INFO", "MESSAGE", "REFER", "UPDATE"}) {
    auto message = request(method);
    message.set("To", "<sip:auto@192.0.2.2>;tag=unknown");
    if (method == "REFER") message.add("Refer-To", "<sip:x@192.0.2.9>");
    EXPECT_EQ(status(message), 481) << method;
  }
  auto ack = request("ACK");
  EXPECT_TRUE(exchange(ack).empty());
  ack.set("To", "<sip:auto@192.0.2.2>;tag=unknown").add("Require", "frob");
  ack.set_request_uri("tel:+1");
  EXPECT_TRUE(exchange(ack).empty());
}

TEST_F(Uas, MergedRequestsAre482) {
  auto invite = request("INVITE", "ring");
  exchange(invite);
  invite.set("Via", "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKother");
  EXPECT_EQ(status(invite), 482);
}

// 8.2 SHOULD: authentication, method, header fields, content.
TEST_F(Uas, AuthenticationComesBeforeAllElse) {
  auto invite = request("INVITE", "digest");
  invite.add("Require", "nosuch");
  EXPECT_EQ(status(invite), 401);
  auto unknown = request("MESSAGE", "digest");
  unknown.set_body("application/x-none", "?");
  EXPECT_EQ(status(unknown), 401);
  EXPECT_EQ(status(request("BYE", "digest")), 481);  // nobody's credentials make a dialog of it
}

// 8.2.7: the same request always gets the same To tag, without state.
TEST_F(Uas, StatelessAnswersAreAlike) {
  auto octets = request("OPTIONS").to_string();
  octets.replace(octets.find("SIP/2.0\r\n"), 7, "SIP/3.0");
  const auto first = exchange(octets);
  const auto second = exchange(octets);
  ASSERT_EQ(first.size(), 1U);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(first.front().to_string(), second.front().to_string());
}

// 17.2.1, 17.2.2: a copy gets the same answer.
TEST_F(Uas, CopiesGetTheSameAnswer) {
  for (const std::string_view user : {"busy", "auto"}) {
    const auto invite = request("INVITE", user);
    const auto first = answer(invite);
    const auto copies = exchange(invite);
    if (user == "busy") {
      ASSERT_EQ(copies.size(), 1U);
      EXPECT_EQ(copies.front().to_string(), first.to_string());
    } else {
      EXPECT_TRUE(copies.empty()) << "RFC 6026 7.1: the session repeats the 2xx, not the copy";
    }
  }
}

TEST_F(Uas, TryingCopiesTheTimestamp) {
  auto invite = request("INVITE", "silent");
  invite.add("Timestamp", "54");
  exchange(invite);
  now_ += 200ms;
  agent_.handle(TimePassed{}, now_);
  const auto sent = drain();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent.front().status(), 100);
  EXPECT_EQ(sent.front().raw(HeaderId::Timestamp), "54 0.200");
  EXPECT_TRUE(sent.front().get<To>()->tag().empty());
}

TEST_F(Uas, RecordRouteIsCopiedInOrder) {
  auto invite = request("INVITE", "ring");
  invite.add("Record-Route", "<sip:192.0.2.11;lr;x=1>, <sip:192.0.2.12;lr>");
  const auto response = answer(invite);
  EXPECT_EQ(response.status(), 180);
  EXPECT_EQ(response.raw(HeaderId::RecordRoute), "<sip:192.0.2.11;lr;x=1>, <sip:192.0.2.12;lr>");
  EXPECT_TRUE(response.has(HeaderId::Contact));
}

// 12.1.1 MUST
TEST_F(Uas, ContactIsSipsWhereTheRequestIs) {
  struct Vector {
    std::string_view uri, record_route, contact;
    bool is_sips;
  };
  const Vector vectors[] = {
      {"sip:ring@192.0.2.2", "", "<sip:test@192.0.2.9>", false},
      {"sips:ring@192.0.2.2", "", "<sip:test@192.0.2.9>", true},
      {"sip:ring@192.0.2.2", "<sips:192.0.2.11;lr>, <sip:192.0.2.12;lr>", "<sip:test@192.0.2.9>",
       true},
      {"sip:ring@192.0.2.2", "<sip:192.0.2.11;lr>, <sips:192.0.2.12;lr>", "<sips:test@192.0.2.9>",
       false},
      {"sip:ring@192.0.2.2", "", "<sips:test@192.0.2.9>", true},
  };
  for (const auto& vector : vectors) {
    auto invite = request("INVITE", "ring");
    invite.set_request_uri(vector.uri);
    invite.set("Contact", vector.contact);
    if (!vector.record_route.empty()) invite.add("Record-Route", vector.record_route);
    const auto ringing = answer(invite);
    EXPECT_EQ(ringing.status(), 180);
    EXPECT_EQ(ringing.raw(HeaderId::Contact).starts_with("<sips:"), vector.is_sips)
        << vector.uri << ' ' << vector.record_route << ' ' << vector.contact;
  }
}

// 8.1.1.8 MUST
TEST_F(Uas, ContactOfACallToASipsUriIsSips) {
  Settings with_tls = settings();
  with_tls.local = {{Transport::Tls, "192.0.2.2", 5061}};
  agent_ = Agent(with_tls, Rng(1));
  for (const std::string_view scheme : {"sip", "sips"}) {
    Call command;
    command.target =
        std::string(scheme) + ":test@192.0.2.9;transport=" + (scheme == "sip" ? "tls" : "tcp");
    agent_.handle(command, now_);
    const auto sent = drain();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_TRUE(sent.front().raw(HeaderId::Contact).starts_with("<" + std::string(scheme) + ":"));
  }
}

TEST_F(Uas, ReferNeedsExactlyOneReferTo) {
  EXPECT_EQ(status(request("REFER")), 400);
  auto message = request("REFER");
  message.add("Refer-To", "<sip:x@192.0.2.9>").add("Refer-To", "<sip:y@192.0.2.9>");
  EXPECT_EQ(status(message), 400);
  message = request("REFER");
  message.add("Refer-To", "<sip:x@192.0.2.9>");
  auto sent = exchange(message);
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[0].status(), 200);
  EXPECT_EQ(sent[0].line_count(HeaderId::Contact), 1U);
  EXPECT_EQ(sent[1].raw(HeaderId::Event), "refer");
  EXPECT_EQ(sent[1].raw(HeaderId::SubscriptionState), "active;expires=60");
  EXPECT_EQ(sent[2].method(), Method::Invite);
  message = request("REFER");
  message.add("Refer-To", "<sip:x@192.0.2.9>").add("Refer-Sub", "false");
  sent = exchange(message);
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].status(), 200);
  EXPECT_EQ(sent[0].raw(HeaderId::ReferSub), "false");
  EXPECT_EQ(sent[1].method(), Method::Invite);
}

// RFC 6665 4.2.1.1
TEST_F(Uas, SubscriptionsAreRefusedForTheseReasons) {
  const auto subscribe = [&](std::string_view event, std::string_view user = "auto",
                             std::string_view name = {}, std::string_view value = {}) {
    auto message = request("SUBSCRIBE", user);
    if (!event.empty()) message.add("Event", event);
    if (!name.empty()) message.add(name, value);
    return answer(message);
  };
  EXPECT_EQ(subscribe("refer").status(), 403) << "RFC 3515 2.4.4";
  EXPECT_EQ(subscribe("").status(), 489);
  EXPECT_EQ(subscribe("Presence").status(), 489) << "byte by byte";
  EXPECT_EQ(subscribe("nosuch").raw(HeaderId::AllowEvents), "presence, sipassay, refer");
  EXPECT_EQ(subscribe("presence, sipassay").status(), 400);
  EXPECT_EQ(subscribe("presence", "auto", "Accept", "text/plain").status(), 406);
  EXPECT_EQ(subscribe("presence", "decline").status(), 603);
  EXPECT_EQ(subscribe("presence", "digest").status(), 401);
  const auto brief = subscribe("presence", "interval", "Expires", "60");
  EXPECT_EQ(brief.status(), 423);
  EXPECT_EQ(brief.raw(HeaderId::MinExpires), "120");
  EXPECT_EQ(agent_.live_calls(), 0U);
}

TEST_F(Uas, InfoOutsideADialogGets481WhateverItsPackage) {
  auto message = request("INFO");
  message.add("Info-Package", "nosuch");
  EXPECT_EQ(status(message), 481);
}

TEST_F(Uas, ResponsesWithTwoViasAreDropped) {
  auto response = Message::response(200);
  response.add("Via", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa, SIP/2.0/UDP 192.0.2.3");
  response.add("From", "<sip:a@b>;tag=1").add("To", "<sip:a@b>;tag=2");
  response.add("Call-ID", "x").add("CSeq", "1 INVITE").set_body({}, {});
  EXPECT_TRUE(exchange(response).empty());
}

TEST_F(Uas, CallsHaveALimit) {
  auto few = settings();
  few.calls_limit = 2;
  agent_ = Agent(few, Rng(1));
  EXPECT_EQ(status(request("INVITE", "ring")), 180);
  EXPECT_EQ(status(request("INVITE", "ring")), 180);
  const auto response = answer(request("INVITE", "ring"));
  EXPECT_EQ(response.status(), 503);
  EXPECT_TRUE(response.has(HeaderId::RetryAfter));
  EXPECT_EQ(agent_.live_calls(), 2U);
}

// --- as a registrar (10.3) and redirect server (8.3)

class UasRegistrar : public Uas {
 protected:
  UasRegistrar() {
    auto with = settings();
    with.registrar.emplace();
    agent_ = Agent(with, Rng(1));
  }
  Message registration(std::string_view user, std::string_view contact = "<sip:x@192.0.2.9>") {
    auto message = request("REGISTER", user);
    message.set_request_uri("sip:192.0.2.2");
    message.set("Contact", contact);
    return message;
  }
  // The same with credentials for the challenge, and the next CSeq.
  Message with_credentials(Message message, std::string_view user, std::string_view password) {
    digest::Client client({{{}, std::string(user), std::string(password)}}, Rng(1));
    const auto challenge = answer(message);
    EXPECT_EQ(client.answer_challenge(challenge, message), digest::Verdict::Retry);
    message.set("CSeq", "2 " + std::string(message.method_text()));
    message.set("Via", "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKagain" + std::to_string(++count_));
    return message;
  }
};

TEST_F(UasRegistrar, TakesRegisterAndSaysWhatIsBound) {
  auto record_routed = registration("bob");
  record_routed.add("Record-Route", "<sip:192.0.2.77;lr>");  // 10.3 MUST: ignored
  const auto response = answer(record_routed);
  EXPECT_EQ(response.status(), 200);
  EXPECT_EQ(response.raw(HeaderId::Contact), "<sip:x@192.0.2.9>;expires=3600");
  EXPECT_EQ(response.raw(HeaderId::Date), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_FALSE(response.has(HeaderId::RecordRoute));
  EXPECT_EQ(agent_.live_calls(), 0U);
}

TEST_F(UasRegistrar, SaysSoInAllowOutsideADialogOnly) {
  EXPECT_TRUE(has_token(answer(request("OPTIONS")), HeaderId::Allow, "REGISTER"));
  EXPECT_FALSE(has_token(answer(request("INVITE")), HeaderId::Allow, "REGISTER"));
  agent_ = Agent(settings(), Rng(1));
  EXPECT_FALSE(has_token(answer(request("OPTIONS")), HeaderId::Allow, "REGISTER"));
}

TEST_F(UasRegistrar, RefusesInTheOrderOf10_3) {
  auto required = registration("bob");
  required.add("Require", "nosuchext");
  const auto refused = answer(required);
  EXPECT_EQ(refused.status(), 420);
  EXPECT_EQ(refused.raw(HeaderId::Unsupported), "nosuchext");
  EXPECT_EQ(status(registration("nobody")), 404);
  EXPECT_EQ(status(registration("bob", "*")), 400);
  EXPECT_EQ(status(registration("bob", "<sip:")), 400);
  const auto brief = answer(registration("bob", "<sip:x@192.0.2.9>;expires=1"));
  EXPECT_EQ(brief.status(), 423);
  EXPECT_EQ(brief.raw(HeaderId::MinExpires), "60");
  auto other = registration("bob");
  other.set("To", "<sip:bob@example.com>");
  EXPECT_EQ(status(other), 404);
  auto malformed = registration("bob");
  malformed.add("Expires", "banana");
  EXPECT_EQ(status(malformed), 200);
}

TEST_F(UasRegistrar, AsksForCredentialsWhereTheUserHasIt) {
  const auto right = with_credentials(registration("digest"), "u", "p");
  const auto accepted = answer(right);
  EXPECT_EQ(accepted.status(), 200);
  const auto sent = right.get<Authorization>();
  const auto proof = accepted.get<AuthenticationInfo>();
  ASSERT_TRUE(sent && proof);  // RFC 7616 3.5
  EXPECT_EQ(proof->params.value("cnonce"), sent->params.value("cnonce"));
  EXPECT_EQ(proof->params.value("nc"), sent->params.value("nc"));
  EXPECT_EQ(status(with_credentials(registration("digest"), "u", "wrong")), 401);
  EXPECT_EQ(status(with_credentials(registration("proxy-digest"), "u", "p")), 200);
  EXPECT_EQ(status(registration("forbidden")), 401);
  EXPECT_EQ(status(with_credentials(registration("forbidden"), "u", "p")), 403);
}

TEST_F(UasRegistrar, TellsWhereARegisteredUserIs) {
  EXPECT_EQ(status(request("OPTIONS", "bob")), 200);
  EXPECT_EQ(status(registration("bob", "<sip:a@192.0.2.8>;q=0.2, <sip:b@192.0.2.9>")), 200);
  for (const std::string_view method : {"INVITE", "OPTIONS", "MESSAGE"}) {
    const auto response = answer(request(method, "bob"));
    EXPECT_EQ(response.status(), 302) << method;
    EXPECT_EQ(response.raw(HeaderId::Contact), "<sip:b@192.0.2.9>;expires=3600");
    EXPECT_EQ(response.line_count(HeaderId::Contact), 2U);
  }
  EXPECT_EQ(status(request("BYE", "bob")), 481);
  now_ += 3600s;
  EXPECT_EQ(status(request("OPTIONS", "bob")), 200);
}

TEST_F(UasRegistrar, NamedUsersKeepTheirBehaviour) {
  for (const std::string_view user : {"auto", "busy", "registered"})
    EXPECT_EQ(status(registration(user)), 200);
  EXPECT_EQ(status(request("INVITE", "auto")), 200);
  EXPECT_EQ(status(request("INVITE", "busy")), 486);
  EXPECT_EQ(status(request("INVITE", "registered")), 302);
  now_ += 3600s;
  EXPECT_EQ(status(request("INVITE", "registered")), 480);
}

TEST(MethodRows, AllowListsWhatIsHandled) {
  for (const auto& row : method_rows()) {
    EXPECT_EQ(row.is_allowed, row.outside != Outside::NotOurs) << to_string(row.method);
    EXPECT_EQ(method_row(row.method), &row);
  }
}

}  // namespace
}  // namespace sipassay::agent
