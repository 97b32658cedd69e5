// The functions that the proxy is made of, one by one.
#include <gtest/gtest.h>

#include "engine/proxy/admission.h"
#include "engine/proxy/best_response.h"
#include "engine/proxy/branch.h"
#include "engine/proxy/route.h"

namespace sipassay::proxy {
namespace {

const Endpoint here{.transport = Transport::Udp, .host = "192.0.2.1", .port = 5060};
const Place place{.domain = "example.com", .local = {here}};
const Flow arrival{.local = here,
                   .remote = {.transport = Transport::Udp, .host = "192.0.2.9", .port = 5060},
                   .id = 0};

Message request(std::string_view method, std::string_view uri) {
  auto out = Message::request(method, uri);
  out.add("Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1")
      .add("From", "<sip:a@192.0.2.9>;tag=a")
      .add("To", "<sip:b@example.com>")
      .add("Call-ID", "c")
      .add("CSeq", "1 " + std::string(method));
  return out;
}

struct Where {
  std::string_view uri;
  bool is_here, is_served;
};
TEST(Place, KnowsItsAddressesAndItsDomain) {
  Place elsewhere = place;
  elsewhere.local.front().port = 5070;
  constexpr Where vectors[] = {
      {"sip:example.com", true, true},          {"sip:b@EXAMPLE.com:5070", true, true},
      {"sip:b@example.com:5060", false, false}, {"sip:b@192.0.2.1:5070", true, true},
      {"sip:b@192.0.2.1:5060", false, false},   {"sip:b@192.0.2.1", false, true},
      {"sip:b@192.0.2.2:5070", false, false},   {"sips:b@example.com", true, true},
      {"sip:b@sub.example.com", false, false},  {"tel:+1", false, false},
  };
  for (const auto& [uri, is_here, is_served] : vectors) {
    EXPECT_EQ(elsewhere.is_here(*parse_uri(uri)), is_here) << uri;
    EXPECT_EQ(elsewhere.serves(*parse_uri(uri)), is_served) << uri;
  }
  EXPECT_TRUE(place.is_here(*parse_uri("sip:b@192.0.2.1")));
}

struct Preprocessing {
  std::string_view uri, route;
  std::string_view uri_after, route_after;
};
TEST(Preprocess, TurnsWhatIsOursIntoWhatWasMeant) {
  constexpr Preprocessing vectors[] = {
      {"sip:b@example.com", "", "sip:b@example.com", ""},
      {"sip:b@example.com", "<sip:192.0.2.1;lr>", "sip:b@example.com", ""},
      {"sip:b@example.com", "<sip:192.0.2.1;lr>, <sip:n;lr>", "sip:b@example.com", "<sip:n;lr>"},
      {"sip:b@example.com", "<sip:n;lr>", "sip:b@example.com", "<sip:n;lr>"},
      // a strict router in front of us
      {"sip:192.0.2.1;lr", "<sip:n;lr>, <sip:c@d>", "sip:c@d", "<sip:n;lr>"},
      {"sip:192.0.2.1;lr", "<sip:c@d>", "sip:c@d", ""},
      {"sip:192.0.2.1;lr", "", "sip:192.0.2.1;lr", ""},
      // maddr
      {"sip:b@x.org;maddr=192.0.2.1", "", "sip:b@x.org", ""},
      {"sip:b@x.org;maddr=192.0.2.1;transport=udp;a=b", "", "sip:b@x.org;a=b", ""},
      {"sip:b@x.org;maddr=192.0.2.7", "", "sip:b@x.org;maddr=192.0.2.7", ""},
      {"sip:b@x.org;maddr=192.0.2.1;transport=tcp", "", "sip:b@x.org;maddr=192.0.2.1;transport=tcp",
       ""},
  };
  for (const auto& vector : vectors) {
    auto message = request("INVITE", vector.uri);
    if (!vector.route.empty()) message.add("Route", vector.route);
    preprocess(message, place, arrival);
    EXPECT_EQ(message.request_uri(), vector.uri_after) << vector.uri;
    EXPECT_EQ(message.raw(HeaderId::Route), vector.route_after) << vector.uri << vector.route;
  }
}

TEST(LoopMark, DependsOnTheWayAndNotOnTheMethod) {
  const auto invite = request("INVITE", "sip:b@example.com");
  EXPECT_EQ(loop_mark(invite, 1), loop_mark(request("CANCEL", "sip:b@example.com"), 1));
  EXPECT_NE(loop_mark(invite, 1), loop_mark(invite, 2));
  EXPECT_NE(loop_mark(invite, 1), loop_mark(request("INVITE", "sip:c@example.com"), 1));
  auto routed = invite;
  routed.add("Route", "<sip:n;lr>");
  EXPECT_NE(loop_mark(invite, 1), loop_mark(routed, 1));
}

TEST(LoopMark, IsFoundInOurViaOnly) {
  auto message = request("INVITE", "sip:b@example.com");
  const auto mark = loop_mark(message, 1);
  message.insert(0, "Via", "SIP/2.0/UDP 192.0.2.8;branch=z9hG4bKx" + mark);
  EXPECT_FALSE(has_looped(message, mark, place));
  message.insert(0, "Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx" + mark);
  EXPECT_TRUE(has_looped(message, mark, place));
}

TEST(Breadth, IsSixtyAtMost) {
  auto message = request("INVITE", "sip:b@example.com");
  EXPECT_EQ(breadth_of(message), 60U);
  for (const auto& [text, value] : {std::pair{"0", 0U}, {"60", 60U}, {"61", 60U}, {"x", 60U}}) {
    message.set("Max-Breadth", text);
    EXPECT_EQ(breadth_of(message), value) << text;
  }
}

struct Admitted {
  std::string_view uri, name, value;
  int status;  // 0: taken
};
TEST(Admission, LooksAtWhatAProxyNeedsAndAtNothingElse) {
  constexpr Admitted vectors[] = {
      {"sip:b@example.com", "X-Any", "x", 0},
      {"sip:b@example.com", "Date", "yesterday", 0},
      {"sip:b@example.com", "Contact", "<sip:", 0},
      {"sip:b@example.com", "Require", "nosuchext", 0},
      {"sip:b@example.com", "Max-Forwards", "1", 0},
      {"sip:b@example.com", "Max-Forwards", "0", 483},
      {"sip:b@example.com", "Max-Forwards", "many", 400},
      {"sip:b@example.com", "Route", "<sip:n", 400},
      {"sip:b@example.com", "Proxy-Require", "nosuchext", 420},
      {"sip:b@example.com", "From", "<sip:", 400},
      {"tel:+1", "X-Any", "x", 416},
      {"unknown:x", "X-Any", "x", 416},
  };
  for (const auto& vector : vectors) {
    auto message = request("INVITE", vector.uri);
    message.set(vector.name, vector.value);
    const auto refusal = check(message);
    EXPECT_EQ(refusal ? refusal->status : 0, vector.status) << vector.name << ": " << vector.value;
  }
}

Message response(int status, std::string_view challenge = {}) {
  auto out = Message::response(status);
  if (!challenge.empty())
    out.add(status == 407 ? "Proxy-Authenticate" : "WWW-Authenticate", challenge);
  return out;
}
int best_of(const std::vector<int>& statuses) {
  std::vector<Message> messages;
  for (const int status : statuses) messages.push_back(response(status));
  std::vector<const Message*> finals;
  for (const auto& message : messages) finals.push_back(&message);
  return best_response(finals)->status();
}

TEST(BestResponse, IsA6xxOrOneOfTheLowestClass) {
  EXPECT_EQ(best_of({486, 603, 302}), 603);
  EXPECT_EQ(best_of({500, 404}), 404);
  EXPECT_EQ(best_of({404, 302, 486}), 302);
  EXPECT_EQ(best_of({486, 404}), 486);
  EXPECT_EQ(best_of({486, 404, 407, 503}), 407);
  EXPECT_EQ(best_of({503, 501}), 501);
  EXPECT_FALSE(best_response({nullptr, nullptr}));
}

TEST(BestResponse, HasAllChallengesInTheirOrder) {
  const auto one = response(401, "Digest a"), two = response(407, "Digest b"),
             three = response(401, "Digest c"), four = response(404);
  const auto best = best_response({&four, &one, &two, &three});
  ASSERT_TRUE(best);
  EXPECT_EQ(best->status(), 401);
  EXPECT_EQ(best->line_count(HeaderId::WwwAuthenticate), 2U);
  EXPECT_EQ(best->raw(HeaderId::WwwAuthenticate), "Digest a");
  EXPECT_EQ(best->raw(HeaderId::ProxyAuthenticate), "Digest b");
}

TEST(Branch, EndsFromEveryStateAndIsSilentAfterwards) {
  using Input = Branch::Input;
  for (const auto& row : Branch::rows) {
    if (row.to != Branch::Completed || row.from == Branch::Completed) continue;
    Branch branch(request("INVITE", "sip:b@example.com"), 181s, 32s);
    (void)branch.step(Input::Forwarded, Instant{});
    if (row.from != Branch::Calling && row.from != Branch::CancelWanted)
      (void)branch.step(Input::Provisional, Instant{});
    if (row.from == Branch::CancelWanted || row.from == Branch::Cancelling)
      (void)branch.step(Input::Cancel, Instant{});
    ASSERT_EQ(branch.state(), row.from);
    EXPECT_EQ(branch.step(row.on, Instant{}), row.action);
    EXPECT_TRUE(branch.is_over());
    EXPECT_FALSE(branch.next_deadline());
    EXPECT_EQ(branch.step(Input::Provisional, Instant{}), Branch::Action::None);
    EXPECT_EQ(branch.step(Input::Cancel, Instant{}), Branch::Action::None);
    EXPECT_EQ(branch.step(Input::Success, Instant{}), Branch::Action::PassUp);
  }
}

}  // namespace
}  // namespace sipassay::proxy
