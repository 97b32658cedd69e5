#include "engine/message/uri.h"

#include <gtest/gtest.h>

#include "engine/testing/exact_buffer.h"

namespace sipassay {
namespace {

using testing::ExactBuffer;

struct Bad {
  std::string_view text;
  ErrorCode code;
  std::size_t offset;
};

constexpr std::string_view good[] = {
    "sip:alice@atlanta.com",
    "sip:alice:secretword@atlanta.com;transport=tcp",
    "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
    "sip:+1-212-555-1212:1234@gateway.com;user=phone",
    "sips:1212@gateway.com",
    "sip:alice@192.0.2.4",
    "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
    "sip:alice;day=tuesday@atlanta.com",
    "sip:user;par=u%40example.net@example.com",
    "sip:%00@example.com",
    "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/"
    ";;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    "@example.com",
    "sip:[2001:db8::10]",
    "sip:[2001:db8::10:5070]",
    "sip:user@[2001:db8::10]:5070;lr",
    "sip:user@[::ffff:192.0.2.10]",
    "sip:user@[2001:db8:::192.0.2.1]",
    "sip:a@b.",
    "sip:a@b;x;y=[::1]:/&+$",
    "sip:a@b;maddr=[::1];ttl=255",
    "sip:a:@b",
    "sip:b?x=",
    "sip:a@b:0",
    "sip:a@b:65535",
    "sip:a@xn--bcher-kva.example",
    "sip:sip%3Auser%40example.com@company.com;other-param=summit",
    "tel:+358-555-1234567;postd=pp22",
    "tel:7042;phone-context=example.com",
    "tel:*21#;phone-context=+1",
    "nobodyKnowsThisScheme:totallyopaquecontent",
    "soap.beep://192.0.2.103:3002",
    "isbn:2983792873",
    "http://www.example.com/a%20b?c=d",
    "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
};

constexpr Bad bad[] = {
    {"", ErrorCode::Uri, 0},
    {"alice", ErrorCode::Uri, 0},
    {":x", ErrorCode::Uri, 0},
    {"1x:y", ErrorCode::Uri, 0},
    {"x:", ErrorCode::Uri, 2},
    {"sip:", ErrorCode::Host, 4},
    {"sip:@b", ErrorCode::Uri, 4},
    {"sip:a@", ErrorCode::Host, 6},
    {"sip:a b@c", ErrorCode::Uri, 5},
    {"sip:a@b c", ErrorCode::Uri, 7},
    {"sip:a%4@b", ErrorCode::Escape, 5},
    {"sip:a%zz@b", ErrorCode::Escape, 5},
    {"sip:a@b@c", ErrorCode::Uri, 7},
    {"sip:a:b;c@d", ErrorCode::Uri, 7},
    {"sip:a#@b", ErrorCode::Uri, 5},
    {"sip:2001:db8::10", ErrorCode::Host, 4},
    {"sip:[2001:db8::10", ErrorCode::Host, 4},
    {"sip:[2001:db8:10]", ErrorCode::Host, 4},
    {"sip:[1:2:3:4:5:6:7:8:9]", ErrorCode::Host, 4},
    {"sip:[1::2::3]", ErrorCode::Host, 4},
    {"sip:[12345::]", ErrorCode::Host, 4},
    {"sip:[::256.1.1.1]", ErrorCode::Host, 4},
    {"sip:a@[b]", ErrorCode::Host, 6},
    {"sip:a@1.2.3", ErrorCode::Host, 6},
    {"sip:a@1.2.3.4.5", ErrorCode::Host, 6},
    {"sip:a@256.2.3.4", ErrorCode::Host, 6},
    {"sip:a@-b", ErrorCode::Host, 6},
    {"sip:a@b-", ErrorCode::Host, 6},
    {"sip:a@b..c", ErrorCode::Host, 6},
    {"sip:a@b.1c", ErrorCode::Host, 6},
    {"sip:a@b_c", ErrorCode::Uri, 7},
    {"sip:a@b:", ErrorCode::Port, 8},
    {"sip:a@b:65536", ErrorCode::Port, 8},
    {"sip:a@b:x", ErrorCode::Port, 8},
    {"sip:a@b;", ErrorCode::Parameter, 8},
    {"sip:a@b;;x", ErrorCode::Parameter, 8},
    {"sip:a@b;x=", ErrorCode::Parameter, 10},
    {"sip:a@b;x=1;X=2", ErrorCode::Parameter, 12},
    {"sip:a@b;x=%4", ErrorCode::Escape, 10},
    {"sip:a@b; lr", ErrorCode::Parameter, 8},
    {"sip:a@b;maddr=1.2.3", ErrorCode::Host, 14},
    {"sip:a@b;ttl=256", ErrorCode::Number, 12},
    {"sip:a@b?", ErrorCode::Uri, 8},
    {"sip:a@b?x", ErrorCode::Uri, 8},
    {"sip:a@b?=x", ErrorCode::Uri, 8},
    {"sip:a@b?x=y&", ErrorCode::Uri, 12},
    {"tel:", ErrorCode::Uri, 4},
    {"tel:+1a", ErrorCode::Uri, 6},
    {"tel:-", ErrorCode::Uri, 4},
    {"http://a b", ErrorCode::Uri, 8},
    {"http://a%2", ErrorCode::Escape, 8},
};

TEST(Uri, AcceptsAndWritesWhatTheGrammarAllows) {
  for (const std::string_view text : good) {
    SCOPED_TRACE(text);
    const ExactBuffer exact(text);
    const auto uri = parse_uri(exact.view());
    ASSERT_TRUE(uri) << to_string(uri.error());
    EXPECT_EQ(uri->to_string(), text);
    EXPECT_TRUE(equivalent(*uri, *uri));
  }
}

TEST(Uri, SaysWhereItIsWrong) {
  for (const Bad& one : bad) {
    SCOPED_TRACE(one.text);
    const ExactBuffer exact(one.text);
    const auto uri = parse_uri(exact.view());
    ASSERT_FALSE(uri);
    EXPECT_EQ(static_cast<int>(uri.error().code), static_cast<int>(one.code))
        << to_string(uri.error());
    EXPECT_EQ(uri.error().offset, one.offset) << to_string(uri.error());
  }
}

TEST(Uri, SurvivesTruncationAndEveryOctetChanged) {
  for (const std::string_view text : good) {
    std::string octets(text);
    for (std::size_t size = 0; size <= octets.size(); ++size)
      (void)parse_uri(ExactBuffer(std::string_view(octets).substr(0, size)).view());
    for (char& octet : octets) {
      const char before = octet;
      for (const char c : std::string_view("\0%:;@?&=[]<> \xff", 14)) {
        octet = c;
        const ExactBuffer exact(octets);
        if (const auto uri = parse_uri(exact.view())) {
          EXPECT_TRUE(parse_uri(uri->to_string())) << octets;
          EXPECT_TRUE(equivalent(*uri, *uri)) << octets;
        }
      }
      octet = before;
    }
  }
}

TEST(Uri, GivesItsParts) {
  const auto uri = parse_uri("sips:al%69ce:pw@[2001:DB8::1]:5070;transport=tcp;lr?Subject=x&a=b");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->scheme, Uri::Scheme::Sips);
  EXPECT_EQ(uri->user, "al%69ce");
  EXPECT_EQ(unescape(uri->user), "alice");
  EXPECT_EQ(uri->password, "pw");
  EXPECT_EQ(uri->host, "2001:DB8::1");
  EXPECT_TRUE(uri->is_ipv6);
  EXPECT_EQ(uri->port, 5070);
  EXPECT_EQ(uri->params.value("transport"), "tcp");
  EXPECT_TRUE(uri->is_loose_route());
  EXPECT_EQ(uri->headers, "Subject=x&a=b");
  const auto tel = parse_uri("tel:+1-201-555-0123;ext=5");
  EXPECT_EQ(tel->scheme, Uri::Scheme::Tel);
  EXPECT_EQ(tel->user, "+1-201-555-0123");
  EXPECT_EQ(tel->params.value("ext"), "5");
  const auto other = parse_uri("Foo:bar@baz");
  EXPECT_EQ(other->scheme, Uri::Scheme::Other);
  EXPECT_EQ(other->scheme_text, "Foo");
}

TEST(Uri, EscapesOfTheUserPartAreUndoneOnce) {
  EXPECT_EQ(escape_user("a b@c:%"), "a%20b%40c%3A%25");
  EXPECT_EQ(unescape("%25%34%31"), "%41");
  EXPECT_EQ(unescape("%4"), "%4");
  for (int c = 0; c < 256; ++c) {
    const std::string text(1, static_cast<char>(c));
    EXPECT_EQ(unescape(escape_user(text)), text);
    EXPECT_TRUE(parse_uri("sip:" + escape_user(text) + "@b"));
  }
}

struct Pair {
  std::string_view a, b;
};

// RFC 3261 19.1.4, and what it says in prose.
constexpr Pair same[] = {
    {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"},
    {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
    {"sip:carol@chicago.com", "sip:carol@chicago.com;security=on"},
    {"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"},
    {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
     "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"},
    {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
     "sip:alice@atlanta.com?priority=urgent&subject=project%20x"},
    {"sip:carol@chicago.com", "sip:carol@chicago.com;security=off"},
    {"SIP:a@b", "sip:a@b"},
    {"sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0::1]"},
    {"sip:a@[::192.0.2.1]", "sip:a@[::c000:201]"},
    {"sip:a@b;maddr=[::1]", "sip:a@b;maddr=[0::1]"},
    {"sip:%2d@b", "sip:-@b"},
    {"ISBN:2983792873", "isbn:2983792873"},
};
constexpr Pair different[] = {
    {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"},
    {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"},
    {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"},
    {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"},
    {"sip:a@b", "sips:a@b"},
    {"sip:a@b", "sip:b"},
    {"sip:a:x@b", "sip:a@b"},
    {"sip:a:@b", "sip:a@b"},
    {"sip:a:x@b", "sip:a:X@b"},
    {"sip:a@b;user=ip", "sip:a@b"},
    {"sip:a@b;ttl=1", "sip:a@b"},
    {"sip:a@b;method=INVITE", "sip:a@b"},
    {"sip:a@b;maddr=x", "sip:a@b"},
    {"sip:a@b;x", "sip:a@b;x=1"},
    {"sip:a%3Bb@c", "sip:a;b@c"},
    {"sip:a%2541@b", "sip:a%41@b"},
    {"sip:a@b?x=1&x=1", "sip:a@b?x=1&x=2"},
    {"sip:a@[::1]", "sip:a@[::2]"},
    {"isbn:1", "isbn:2"},
    {"tel:+1", "sip:+1@x"},
};

TEST(Uri, IsEquivalentAsRfc3261Says) {
  for (const Pair& pair : same) {
    EXPECT_TRUE(equivalent(*parse_uri(pair.a), *parse_uri(pair.b))) << pair.a << ' ' << pair.b;
    EXPECT_TRUE(equivalent(*parse_uri(pair.b), *parse_uri(pair.a))) << pair.b << ' ' << pair.a;
  }
  for (const Pair& pair : different) {
    EXPECT_FALSE(equivalent(*parse_uri(pair.a), *parse_uri(pair.b))) << pair.a << ' ' << pair.b;
    EXPECT_FALSE(equivalent(*parse_uri(pair.b), *parse_uri(pair.a))) << pair.b << ' ' << pair.a;
  }
}

}  // namespace
}  // namespace sipassay
