// The proxy core by itself: what the cases of role proxy do not reach. Virtual time, no network.
#include "engine/proxy/proxy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "engine/message/header/all.h"
#include "engine/message/parse.h"

namespace sipassay::proxy {
namespace {

const Endpoint here{.transport = Transport::Udp, .host = "192.0.2.1", .port = 5060};
const Endpoint caller{.transport = Transport::Udp, .host = "192.0.2.10", .port = 5060};

Endpoint callee(int number) {
  return {
      .transport = Transport::Udp, .host = fmt::format("192.0.2.{}", 20 + number), .port = 5060};
}

// A proxy, its clock, and what it has sent.
class Bench {
 public:
  explicit Bench(std::size_t contexts_limit = contexts_max)
      : proxy({.local = {here}, .contexts_limit = contexts_limit}, Rng(1)) {}

  void give(const Message& message, const Endpoint& from) {
    proxy.handle(agent::MessageReceived{message, {.local = here, .remote = from, .id = 0}}, now);
    drain();
  }
  void give(const std::string& octets, const Endpoint& from) {
    auto parsed = parse_message(octets);
    if (parsed) return give(*parsed, from);
    proxy.handle(agent::GarbageReceived{octets, parsed.error(), {here, from, 0}}, now);
    drain();
  }
  void fail(const Endpoint& to) {
    proxy.handle(agent::DeliveryFailed{{to, 0}}, now);
    drain();
  }
  // Every deadline on the way is kept. False: there were more than `limit`.
  bool pass(Duration span, int limit = 5'000) {
    const Instant end = now + span;
    while (limit-- > 0) {
      if (!deadline || *deadline > end) {
        now = end;
        return true;
      }
      now = std::max(now, *deadline);
      proxy.handle(agent::TimePassed{}, now);
      drain();
    }
    return false;
  }

  void bind(int number, std::string_view parameters = {}) {
    auto request = Message::request("REGISTER", "sip:192.0.2.1");
    request
        .add("Via", fmt::format("SIP/2.0/UDP {};branch=z9hG4bKreg{}", callee(number).host, number))
        .add("From", "<sip:bob@192.0.2.1>;tag=r")
        .add("To", "<sip:bob@192.0.2.1>")
        .add("Call-ID", fmt::format("register{}", number))
        .add("CSeq", "1 REGISTER")
        .add("Contact", fmt::format("<sip:bob@{}>{}", callee(number).host, parameters))
        .add("Max-Forwards", "70");
    give(request, callee(number));
    ASSERT_EQ(sent.back().message.status(), 200);
    sent.clear();
  }

  // Sent to that callee, of that method; retransmissions left out.
  std::vector<Message> requests(std::string_view method, int number) const {
    std::vector<Message> out;
    std::set<std::string> seen;
    for (const auto& one : sent)
      if (one.message.is_request() && one.message.method_text() == method &&
          one.to.endpoint == callee(number) && seen.insert(one.message.to_string()).second)
        out.push_back(one.message);
    return out;
  }
  // Of the responses to the caller, until a final one is repeated.
  std::vector<int> statuses() const {
    std::vector<int> out;
    std::set<std::string> finals;
    for (const auto& one : sent)
      if (one.message.is_response() && one.to.endpoint == caller &&
          (one.message.status() < 200 || finals.insert(one.message.to_string()).second))
        out.push_back(one.message.status());
    return out;
  }

  Proxy proxy;
  Instant now{};
  std::optional<Instant> deadline;
  std::vector<agent::Send> sent;

 private:
  void drain() {
    while (true) {
      auto output = proxy.poll();
      if (auto* send = std::get_if<agent::Send>(&output)) {
        sent.push_back(std::move(*send));
      } else {
        deadline = std::get<agent::Wait>(output).deadline;
        return;
      }
    }
  }
};

Message request(std::string_view method, std::string_view call = "call",
                std::string_view uri = "sip:bob@192.0.2.1") {
  auto out = Message::request(method, uri);
  out.add("Via", fmt::format("SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK{}", call))
      .add("From", "<sip:alice@192.0.2.10>;tag=a")
      .add("To", "<sip:bob@192.0.2.1>")
      .add("Call-ID", call)
      .add("CSeq", fmt::format("1 {}", method))
      .add("Max-Forwards", "70");
  return out;
}

Message answer(const Message& request, int status) {
  auto out = Message::response(status);
  for (std::size_t i = 0; i < request.field_count(); ++i)
    if (request.field_id(i) == HeaderId::Via) out.add(HeaderId::Via, request.field(i).value);
  out.add(HeaderId::From, request.raw(HeaderId::From))
      .add(HeaderId::To, std::string(request.raw(HeaderId::To)) + (status > 100 ? ";tag=b" : ""))
      .add(HeaderId::CallId, request.raw(HeaderId::CallId))
      .add(HeaderId::CSeq, request.raw(HeaderId::CSeq))
      .add(HeaderId::ContentLength, "0");
  return out;
}

void acknowledge(Bench& bench, std::string_view call) {
  auto ack = request("ACK", call);
  ack.set("To", "<sip:bob@192.0.2.1>;tag=b");
  bench.give(ack, caller);
}

TEST(Proxy, TriesTargetsOfLowerQOnlyWhenTheOthersHaveFailed) {
  Bench bench;
  bench.bind(1, ";q=0.5");
  bench.bind(2, ";q=1.0");
  bench.bind(3, ";q=0.5");
  bench.give(request("INVITE"), caller);
  ASSERT_EQ(bench.requests("INVITE", 2).size(), 1U);
  EXPECT_TRUE(bench.requests("INVITE", 1).empty());
  bench.give(answer(bench.requests("INVITE", 2).front(), 486), callee(2));
  EXPECT_EQ(bench.requests("INVITE", 1).size(), 1U);
  EXPECT_EQ(bench.requests("INVITE", 3).size(), 1U);
  EXPECT_TRUE(bench.statuses().empty());
}

TEST(Proxy, GivesARingingTargetUpWhenTimerCFires) {
  Bench bench;
  bench.bind(1);
  bench.give(request("INVITE"), caller);
  const auto invite = bench.requests("INVITE", 1).front();
  bench.give(answer(invite, 180), callee(1));
  ASSERT_TRUE(bench.pass(100s));
  bench.give(answer(invite, 180), callee(1));  // 16.7 step 2: from here anew
  ASSERT_TRUE(bench.pass(180s));
  EXPECT_TRUE(bench.requests("CANCEL", 1).empty());
  ASSERT_TRUE(bench.pass(2s));
  EXPECT_EQ(bench.requests("CANCEL", 1).size(), 1U);
  // RFC 3261 9.1: no answer to the INVITE 64*T1 after its CANCEL.
  ASSERT_TRUE(bench.pass(33s));
  EXPECT_EQ(bench.statuses(), (std::vector{180, 180, 408}));
}

TEST(Proxy, WaitsWithACancelForAProvisionalResponse) {
  Bench bench;
  bench.bind(1);
  bench.give(request("INVITE"), caller);
  auto cancel = request("CANCEL");
  cancel.set("CSeq", "1 CANCEL");
  bench.give(cancel, caller);
  EXPECT_EQ(bench.statuses(), (std::vector{200}));
  EXPECT_TRUE(bench.requests("CANCEL", 1).empty());
  bench.give(answer(bench.requests("INVITE", 1).front(), 100), callee(1));
  EXPECT_EQ(bench.requests("CANCEL", 1).size(), 1U);
}

TEST(Proxy, SendsA2xxStatelesslyWhenAnotherFinalResponseWasSent) {
  Bench bench;
  bench.bind(1);
  bench.give(request("INVITE"), caller);
  const auto invite = bench.requests("INVITE", 1).front();
  bench.give(answer(invite, 486), callee(1));
  acknowledge(bench, "call");
  bench.give(answer(invite, 200), callee(1));
  EXPECT_EQ(bench.statuses(), (std::vector{486, 200}));
}

TEST(Proxy, ForwardsA2xxOfTheLastBranchAfterA6xx) {
  Bench bench;
  bench.bind(1);
  bench.bind(2);
  bench.give(request("INVITE"), caller);
  bench.give(answer(bench.requests("INVITE", 2).front(), 180), callee(2));
  bench.give(answer(bench.requests("INVITE", 1).front(), 603), callee(1));
  EXPECT_EQ(bench.requests("CANCEL", 2).size(), 1U);
  bench.give(answer(bench.requests("INVITE", 2).front(), 200), callee(2));
  EXPECT_EQ(bench.statuses(), (std::vector{180, 200}));
}

TEST(Proxy, Answers503AboveItsLimit) {
  Bench bench(2);
  bench.bind(1);
  for (const auto* call : {"one", "two", "three"}) bench.give(request("MESSAGE", call), caller);
  EXPECT_EQ(bench.requests("MESSAGE", 1).size(), 2U);
  EXPECT_EQ(bench.statuses(), (std::vector{503}));
  EXPECT_EQ(bench.proxy.live_contexts(), 2U);
}

TEST(Proxy, SaysNothingWhenNobodyAnswersARequestOtherThanInvite) {
  Bench bench;
  bench.bind(1);
  bench.give(request("MESSAGE"), caller);
  ASSERT_TRUE(bench.pass(60s));
  EXPECT_EQ(bench.statuses(), (std::vector{100}));  // RFC 4320 4.1, 4.2
}

TEST(Proxy, LeavesNothingBehind) {
  Bench bench;
  bench.bind(1);
  bench.bind(2);
  bench.give(request("INVITE", "silent"), caller);
  bench.give(request("MESSAGE", "unanswered"), caller);
  bench.give(request("INVITE", "answered"), caller);
  const auto answered = bench.requests("INVITE", 1).back();
  bench.give(answer(answered, 200), callee(1));
  bench.give(request("INVITE", "ringing"), caller);
  bench.give(answer(bench.requests("INVITE", 2).back(), 180), callee(2));
  EXPECT_EQ(bench.proxy.live_contexts(), 4U);
  ASSERT_TRUE(bench.pass(10min));
  EXPECT_EQ(bench.proxy.live_contexts(), 0U);
  EXPECT_EQ(bench.proxy.live_transactions(), 0U);
  EXPECT_FALSE(bench.deadline);
}

TEST(Proxy, GoesOnWhenATargetCannotBeReached) {
  Bench bench;
  bench.bind(1, ";q=1.0");
  bench.bind(2, ";q=0.5");
  bench.give(request("INVITE"), caller);
  bench.fail(callee(1));
  EXPECT_EQ(bench.requests("INVITE", 2).size(), 1U);
}

TEST(Proxy, AnswersA503ForATargetWithoutAWayToIt) {
  Bench bench;
  bench.give(request("INVITE", "call", "sip:far@no-address.example.com"), caller);
  EXPECT_EQ(bench.statuses(), (std::vector{500}));  // 16.7 step 6: a lone 503
}

// What has come is given again, cut, doubled and turned, with the RFCs' torture among it.
TEST(Proxy, OutlivesWhateverIsSentToIt) {
  std::vector<std::string> octets;
  for (const auto* folder : {"rfc4475", "rfc5118"})
    for (const auto& file : std::filesystem::directory_iterator(
             std::filesystem::path(SIPASSAY_SOURCE_DIR) / "scenarios" / folder)) {
      if (file.path().extension() != ".dat") continue;
      std::ostringstream text;
      text << std::ifstream(file.path(), std::ios::binary).rdbuf();
      octets.push_back(text.str());
    }
  ASSERT_GE(octets.size(), 60U);
  std::ranges::sort(octets);
  Bench bench;
  bench.bind(1);
  bench.bind(2);
  Rng rng(7);
  constexpr std::string_view uris[] = {"sip:bob@192.0.2.1", "sip:192.0.2.1;lr",
                                       "sip:", "sip:bob@192.0.2.1;maddr=192.0.2.1", "tel:+1"};
  constexpr std::string_view routes[] = {"<sip:192.0.2.1;lr>, <sip:192.0.2.21>", "<sip:192.0.2.21>",
                                         "<sip:192.0.2.1;lr>", "<sip:192.0.2.1;lr>,,", "<tel:+1>"};
  for (int i = 0; i < 3000; ++i) {
    auto text = octets[rng.between(0, octets.size() - 1)];
    if (!bench.sent.empty() && rng.percent(60)) {
      const auto& one = bench.sent[rng.between(0, bench.sent.size() - 1)].message;
      text = one.is_request() && rng.percent(70)
                 ? answer(one, static_cast<int>(rng.between(100, 699))).to_string()
                 : one.to_string();
    }
    if (auto parsed = parse_message(text); parsed && parsed->is_request() && rng.percent(60)) {
      parsed->set_request_uri(uris[rng.between(0, 4)]);
      if (rng.percent(40)) parsed->set(HeaderId::Route, routes[rng.between(0, 4)]);
      text = parsed->to_string();
    }
    if (rng.percent(30)) text[rng.between(0, text.size() - 1)] = static_cast<char>(rng.next());
    bench.give(text, rng.percent(50) ? caller : callee(1));
    if (rng.percent(20)) {
      ASSERT_TRUE(bench.pass(std::chrono::milliseconds(rng.between(1, 4000))));
    }
    if (bench.sent.size() > 200) bench.sent.clear();
  }
  ASSERT_TRUE(bench.pass(20min, 100'000));
  EXPECT_EQ(bench.proxy.live_contexts(), 0U);
  EXPECT_EQ(bench.proxy.live_transactions(), 0U);
}

}  // namespace
}  // namespace sipassay::proxy
