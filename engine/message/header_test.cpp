// Values of every typed header: what is accepted, how it is written, where an error stands.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "engine/message/header/all.h"
#include "engine/testing/exact_buffer.h"

namespace sipassay {
namespace {

using testing::ExactBuffer;

struct Good {
  HeaderId id;
  std::string_view value;
  std::string_view written = {};  // when it differs from value
};

struct Bad {
  HeaderId id;
  std::string_view value;
  ErrorCode code;
  std::size_t offset;
};

using enum HeaderId;

constexpr Good good[] = {
    {Accept, "application/sdp;level=1"},
    {Accept, "*/*"},
    {Accept, "text/*;q=0.5"},
    {Accept, "application / sdp", "application/sdp"},
    {AcceptEncoding, "gzip;q=0.5"},
    {AcceptEncoding, "*"},
    {AcceptLanguage, "en-gb;q=0.8"},
    {AlertInfo, "<http://www.example.com/sounds/moo.wav>"},
    {AlertInfo, "<urn:alert:service:call-waiting>;x=y"},
    {Allow, "INVITE"},
    {AllowEvents, "presence.winfo"},
    {AuthenticationInfo, "nextnonce=\"47364c23432d2e131a5fb210812c\", qop=auth"},
    {Authorization, "Digest username=\"Alice\", realm=\"a\\\"b\", nonce=\"84a4\", nc=00000001"},
    {Authorization, "NoOneKnowsThisScheme opaque-data=here"},
    {Authorization, "Digest\r\n username = \"bob\" ,\r\n realm=x",
     "Digest username = \"bob\" ,\r\n realm=x"},
    {CallId, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6@foo.bar.com"},
    {CallId, "a<>:\\\"/[]?{}(b"},
    {CallInfo, "<http://wwww.example.com/alice/photo.jpg> ;purpose=icon",
     "<http://wwww.example.com/alice/photo.jpg>;purpose=icon"},
    {Contact, "*"},
    {Contact, "  *  ", "*"},
    {Contact, "<sip:a@b>;q=0.7;expires=3600"},
    {Contact, "\"Mr. Watson\" <sip:watson@worcester.bell-telephone.com>;q=0.1"},
    {Contact, "sip:caller@u1.example.com", "<sip:caller@u1.example.com>"},
    {Contact, "sip:a@b;expires=60", "<sip:a@b>;expires=60"},
    {Contact, "*x <sip:a@b>"},
    {Contact, "<mailto:watson@bell-telephone.com>"},
    {Contact, "<sip:a@b>;+sip.instance=\"<urn:uuid:0>\";ob"},
    {ContentDisposition, "session;handling=optional"},
    {ContentEncoding, "gzip"},
    {ContentLanguage, "mn-Cyrl"},
    {ContentLength, "0"},
    {ContentLength, "0000349", "349"},
    {ContentType, "multipart/mixed;boundary=\"a b\""},
    {ContentType, "text/html; charset=ISO-8859-4"},
    {CSeq, "4711 INVITE"},
    {CSeq, "0009\t\r\n INVITE", "9 INVITE"},
    {CSeq, "2147483647 !x"},
    {CSeq, "0 ACK"},
    {Date, "Sat, 13 Nov 2010 23:29:00 GMT"},
    {ErrorInfo, "<sip:not-in-service-recording@atlanta.com>"},
    {Event, "dialog;id=7"},
    {Event, "presence.winfo"},
    {Expires, "4294967295"},
    {From, "\"A. G. Bell\" <sip:agb@bell-telephone.com> ;tag=a48s",
     "\"A. G. Bell\" <sip:agb@bell-telephone.com>;tag=a48s"},
    {From, "sip:+12125551212@server.phone2net.com;tag=887s",
     "<sip:+12125551212@server.phone2net.com>;tag=887s"},
    {From, "Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8"},
    {From, "caller<sip:caller@example.com>;tag=323", "caller <sip:caller@example.com>;tag=323"},
    {From, "two  words <sip:a@b>"},
    {From, "<sip:a@b;lr?x=y>;tag=1;x=\"a;b,c\\\"\""},
    {From, "\"\" <tel:+1-212-555-0101>"},
    {From, "<sip:a@b>\r\n ;\r\n tag\r\n =\r\n 1", "<sip:a@b>;\r\n tag\r\n =\r\n 1"},
    {InReplyTo, "70710@saturn.bell-tel.com"},
    {InfoPackage, "foo;a=b"},
    {Join, "12adf2f34456gs5;to-tag=12345;from-tag=54321"},
    {MaxForwards, "255"},
    {MaxForwards, "0068", "68"},
    {MimeVersion, "1.0"},
    {MinExpires, "60"},
    {MinSe, "90;x"},
    {Organization, "Boxes by Bob"},
    {Organization, ""},
    {Path, "<sip:P1.EXAMPLEVISITED.COM;lr>"},
    {Priority, "emergency"},
    {ProxyAuthenticate,
     "Digest realm=\"atlanta.com\", domain=\"sip:ss1.carrier.com\", qop=\"auth\""},
    {ProxyAuthorization, "Digest username=\"Alice\""},
    {ProxyRequire, "foo"},
    {RAck, "776656 1 INVITE"},
    {RSeq, "988789"},
    {RSeq, "4294967295"},
    {Reason, "SIP ;cause=200 ;text=\"Call completed elsewhere\"",
     "SIP;cause=200 ;text=\"Call completed elsewhere\""},
    {RecordRoute, "<sip:server10.biloxi.com;lr>"},
    {RecvInfo, "P;x=1"},
    {ReferSub, "false"},
    {ReferSub, "true;x"},
    {ReferTo, "<sip:dave@denver.example.org?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345>"},
    {ReferredBy, "<sip:referror@referror.example>;cid=\"20398823.2UWQFN309shb3@x\""},
    {Replaces, "425928@bobster.example.org;to-tag=7743;from-tag=6472;early-only"},
    {ReplyTo, "Bob <sip:bob@biloxi.com>"},
    {Require, "100rel"},
    {RetryAfter, "18000;duration=3600"},
    {RetryAfter, "120 (I'm in a (nested \\) ) meeting)"},
    {Route, "<sip:bigbox3.site3.atlanta.com;lr>"},
    {Server, "HomeServer v2"},
    {ServiceRoute, "<sip:HSP.HOME.EXAMPLE.COM;lr>"},
    {SessionExpires, "4000;refresher=uac"},
    {SipEtag, "dx200xyz"},
    {SipIfMatch, "dx200xyz"},
    {Subject, "Tech Support \xc3\xa9"},
    {Subject, ""},
    {SubscriptionState, "active;expires=599"},
    {SubscriptionState, "terminated;reason=noresource;retry-after=5"},
    {Supported, "100rel"},
    {TargetDialog, "fa77as7dad8-sd98ajzz@host.example.com;local-tag=kkaz-;remote-tag=6544"},
    {Timestamp, "54"},
    {Timestamp, "54.21 0.3"},
    {To, "The Operator <sip:operator@cs.columbia.edu>;tag=287447"},
    {To, "isbn:2983792873", "<isbn:2983792873>"},
    {Unsupported, "foo"},
    {UserAgent, "Softphone Beta1.5"},
    {UserAgent, "a/1.0 (b (c)) d/2"},
    {Via, "SIP/2.0/UDP erlang.bell-telephone.com:5060;branch=z9hG4bK87asdks7"},
    {Via, "SIP/2.0/UDP 192.0.2.1:5060 ;received=192.0.2.207 ;branch=z9hG4bK77asjd",
     "SIP/2.0/UDP 192.0.2.1:5060;received=192.0.2.207 ;branch=z9hG4bK77asjd"},
    {Via, "SIP / 2.0 / UDP first.example.com: 4000;ttl=16;maddr=224.2.0.1",
     "SIP/2.0/UDP first.example.com:4000;ttl=16;maddr=224.2.0.1"},
    {Via, "SIP/2.0/TCP [2001:db8::9:1];received=[2001:db8::9:255];rport"},
    {Via, "SIP/2.0/UDP [2001:db8::9:1]:5070;received=2001:db8::9:255;branch=z9hG4bKas3"},
    {Warning, "307 isi.edu \"Session parameter 'foo' not understood\""},
    {Warning, "301 [::1]:5060 \"x\""},
    {WwwAuthenticate, "Digest realm=\"atlanta.com\", qop=\"auth\", nonce=\"f84f\", stale=FALSE"},
};

constexpr Bad bad[] = {
    {Accept, "application", ErrorCode::HeaderValue, 11},
    {Accept, "*/sdp", ErrorCode::HeaderValue, 0},
    {AcceptEncoding, ";q=1", ErrorCode::HeaderValue, 0},
    {AcceptLanguage, "", ErrorCode::HeaderValue, 0},
    {AlertInfo, "http://x", ErrorCode::HeaderValue, 0},
    {AlertInfo, "<http://x", ErrorCode::HeaderValue, 0},
    {Allow, "INV ITE", ErrorCode::HeaderValue, 4},
    {AllowEvents, "", ErrorCode::HeaderValue, 0},
    {AuthenticationInfo, "qop", ErrorCode::Parameter, 3},
    {Authorization, "Digest", ErrorCode::HeaderValue, 6},
    {Authorization, "Digest a=\"b\" c=d", ErrorCode::HeaderValue, 13},
    {Authorization, "Digest a=", ErrorCode::Parameter, 9},
    {CallId, "a@", ErrorCode::HeaderValue, 2},
    {CallId, "a@b@c", ErrorCode::HeaderValue, 3},
    {CallId, "a b", ErrorCode::HeaderValue, 2},
    {CallId, "", ErrorCode::HeaderValue, 0},
    {CallInfo, "<x>", ErrorCode::Uri, 1},
    {Contact, "* ;q=1", ErrorCode::HeaderValue, 2},
    {Contact, "\"Joe\" <sip:joe@example.org>;;;;", ErrorCode::Parameter, 28},
    {Contact, "sip:user@example.com?Route=x", ErrorCode::HeaderValue, 20},
    {ContentDisposition, "session;handling=", ErrorCode::Parameter, 17},
    {ContentEncoding, "\"x\"", ErrorCode::HeaderValue, 0},
    {ContentLanguage, "mn_x", ErrorCode::HeaderValue, 2},
    {ContentLanguage, "e1", ErrorCode::HeaderValue, 0},
    {ContentLanguage, "abcdefghi", ErrorCode::HeaderValue, 9},
    {ContentLength, "-1", ErrorCode::Number, 0},
    {ContentLength, "4294967296", ErrorCode::Number, 0},
    {ContentLength, "1 2", ErrorCode::HeaderValue, 2},
    {ContentType, "text", ErrorCode::HeaderValue, 4},
    {ContentType, "text/html;charset", ErrorCode::Parameter, 17},
    {CSeq, "2147483648 INVITE", ErrorCode::Number, 0},
    {CSeq, "1INVITE", ErrorCode::HeaderValue, 1},
    {CSeq, "1", ErrorCode::HeaderValue, 1},
    {CSeq, "x INVITE", ErrorCode::Number, 0},
    {CSeq, "1 IN(", ErrorCode::HeaderValue, 4},
    {Date, "Fri, 01 Jan 2010 16:00:00 EST", ErrorCode::HeaderValue, 26},
    {Date, "Fri, 32 Jan 2010 16:00:00 GMT", ErrorCode::Number, 5},
    {Date, "Fri, 01 Jan 2010 24:00:00 GMT", ErrorCode::Number, 17},
    {Date, "Fri, 01 Foo 2010 16:00:00 GMT", ErrorCode::HeaderValue, 8},
    {Date, "Fri", ErrorCode::HeaderValue, 0},
    {ErrorInfo, "<>", ErrorCode::Uri, 1},
    {Event, "", ErrorCode::HeaderValue, 0},
    {Expires, "Thu, 01 Dec 1994 16:00:00 GMT", ErrorCode::Number, 0},
    {From, "\"Mr. J. User <sip:j.user@example.com>", ErrorCode::QuotedString, 0},
    {From, "Bell, Alexander <sip:a.g.bell@example.com>;tag=43", ErrorCode::Uri, 0},
    {From, "<sip:a@b>;tag=\"x\"", ErrorCode::Parameter, 17},
    {From, "<sip:a@b>;tag=1;TAG=2", ErrorCode::Parameter, 16},
    {From, "<sip:a@b", ErrorCode::HeaderValue, 0},
    {From, "< sip:a@b>", ErrorCode::Uri, 1},
    {From, "\"x\" sip:a@b", ErrorCode::HeaderValue, 4},
    {From, "<sip:a@b> x", ErrorCode::HeaderValue, 10},
    {From, "\"a\\\r\n\"<sip:a@b>", ErrorCode::QuotedString, 3},
    {From, "\"a\x01\"<sip:a@b>", ErrorCode::QuotedString, 2},
    {InReplyTo, "@b", ErrorCode::HeaderValue, 0},
    {InfoPackage, ";x", ErrorCode::HeaderValue, 0},
    {Join, "a;to-tag=1", ErrorCode::Parameter, 10},
    {MaxForwards, "256", ErrorCode::Number, 0},
    {MaxForwards, "", ErrorCode::Number, 0},
    {MimeVersion, "1", ErrorCode::HeaderValue, 1},
    {MinExpires, "a", ErrorCode::Number, 0},
    {MinSe, "", ErrorCode::Number, 0},
    {Organization, "a\x01", ErrorCode::HeaderValue, 1},
    {Path, "sip:x", ErrorCode::HeaderValue, 0},
    {Priority, "a,b", ErrorCode::HeaderValue, 1},
    {ProxyAuthenticate, "Digest realm", ErrorCode::Parameter, 12},
    {ProxyAuthorization, "", ErrorCode::HeaderValue, 0},
    {ProxyRequire, "a/b", ErrorCode::HeaderValue, 1},
    {RAck, "1 2", ErrorCode::HeaderValue, 3},
    {RAck, "1 2147483648 INVITE", ErrorCode::Number, 2},
    {RAck, "4294967296 1 INVITE", ErrorCode::Number, 0},
    {RSeq, "0", ErrorCode::Number, 0},
    {RSeq, "4294967296", ErrorCode::Number, 0},
    {Reason, "SIP;text=a b", ErrorCode::HeaderValue, 11},
    {RecordRoute, "sip:x;lr", ErrorCode::HeaderValue, 0},
    {RecvInfo, "a;", ErrorCode::Parameter, 2},
    {ReferSub, "maybe", ErrorCode::HeaderValue, 0},
    {ReferTo, "dave", ErrorCode::Uri, 0},
    {ReferredBy, "<sip:a@b>;cid=\"x", ErrorCode::QuotedString, 14},
    {Replaces, "a;to-tag=1", ErrorCode::Parameter, 10},
    {Replaces, "a;to-tag=1;from-tag=1;to-tag=2", ErrorCode::Parameter, 22},
    {ReplyTo, "", ErrorCode::Uri, 0},
    {Require, "100 rel", ErrorCode::HeaderValue, 4},
    {RetryAfter, "1 (a", ErrorCode::HeaderValue, 2},
    {RetryAfter, "949302838503028349304023988", ErrorCode::Number, 0},
    {Route, "sip:x;lr", ErrorCode::HeaderValue, 0},
    {Server, "a//b", ErrorCode::HeaderValue, 2},
    {Server, "", ErrorCode::HeaderValue, 0},
    {ServiceRoute, "<x", ErrorCode::HeaderValue, 0},
    {SessionExpires, "1;refresher=me", ErrorCode::Parameter, 14},
    {SipEtag, "a b", ErrorCode::HeaderValue, 2},
    {SipIfMatch, "", ErrorCode::HeaderValue, 0},
    {Subject, "\x7f", ErrorCode::HeaderValue, 0},
    {SubscriptionState, ";", ErrorCode::HeaderValue, 0},
    {Supported, "a b", ErrorCode::HeaderValue, 2},
    {TargetDialog, "a;local-tag=@", ErrorCode::Parameter, 12},
    {Timestamp, ".5", ErrorCode::Number, 0},
    {To, "\"Watson, Thomas\" < sip:t.watson@example.org >", ErrorCode::Uri, 18},
    {Unsupported, "", ErrorCode::HeaderValue, 0},
    {UserAgent, "(", ErrorCode::HeaderValue, 0},
    {UserAgent, "a@b", ErrorCode::HeaderValue, 1},
    {Via, "SIP/2.0 UDP x", ErrorCode::HeaderValue, 7},
    {Via, "SIP/2.0/UDP", ErrorCode::HeaderValue, 11},
    {Via, "SIP/2.0/UDP 300.1.1.1", ErrorCode::Host, 12},
    {Via, "SIP/2.0/UDP [::1", ErrorCode::Host, 12},
    {Via, "SIP/2.0/UDP a:65536", ErrorCode::Port, 14},
    {Via, "SIP/2.0/UDP a:", ErrorCode::Port, 14},
    {Via, "SIP/2.0/UDP 192.0.2.15;;,;,,", ErrorCode::Parameter, 23},
    {Warning, "1812 overture \"In Progress\"", ErrorCode::Number, 0},
    {Warning, "30 a \"b\"", ErrorCode::Number, 0},
    {Warning, "300 a b", ErrorCode::QuotedString, 6},
    {WwwAuthenticate, "Digest realm=\"x", ErrorCode::QuotedString, 13},
};

template <class F>
void with_type(HeaderId id, F f) {
  AllHeaders::for_each([&]<class H>() {
    if (H::id == id) f.template operator()<H>();
  });
}

TEST(TypedHeader, AcceptsAndWritesWhatTheGrammarAllows) {
  std::set<HeaderId> seen;
  for (const Good& one : good) {
    SCOPED_TRACE(std::string(header_name(one.id)) + ": " + std::string(one.value));
    seen.insert(one.id);
    const ExactBuffer exact(one.value);
    with_type(one.id, [&]<class H>() {
      const auto value = H::parse(exact.view());
      ASSERT_TRUE(value) << to_string(value.error());
      const std::string written = text_of(*value);
      EXPECT_EQ(written, one.written.data() != nullptr ? one.written : one.value);
      // What we write reads back and is written the same.
      const auto again = H::parse(written);
      ASSERT_TRUE(again) << written;
      EXPECT_EQ(text_of(*again), written);
    });
  }
  EXPECT_EQ(seen.size(), AllHeaders::size) << "every header has a good value here";
}

TEST(TypedHeader, SaysWhereABadValueIsWrong) {
  std::set<HeaderId> seen;
  for (const Bad& one : bad) {
    SCOPED_TRACE(std::string(header_name(one.id)) + ": " + std::string(one.value));
    const ExactBuffer exact(one.value);
    with_type(one.id, [&]<class H>() {
      const auto value = H::parse(exact.view());
      seen.insert(one.id);
      ASSERT_FALSE(value);
      EXPECT_EQ(static_cast<int>(value.error().code), static_cast<int>(one.code))
          << to_string(value.error());
      EXPECT_EQ(value.error().offset, one.offset) << to_string(value.error());
    });
  }
  EXPECT_EQ(seen.size(), AllHeaders::size) << "every header has a bad value here";
}

TEST(TypedHeader, SurvivesTruncationAndEveryOctetChanged) {
  for (const Good& one : good) {
    with_type(one.id, [&]<class H>() {
      std::string octets(one.value);
      for (std::size_t size = 0; size <= octets.size(); ++size)
        (void)H::parse(ExactBuffer(std::string_view(octets).substr(0, size)).view());
      for (char& octet : octets) {
        const char before = octet;
        for (const char c : std::string_view("\0\"\\<>;,=:@[]()% \r\n\xff", 19)) {
          octet = c;
          const ExactBuffer exact(octets);
          if (const auto value = H::parse(exact.view())) {
            const std::string out = text_of(*value);
            EXPECT_TRUE(H::parse(out)) << header_name(H::id) << ": " << octets << " -> " << out;
          }
        }
        octet = before;
      }
    });
  }
}

TEST(TypedHeader, NamesAreFoundInEveryFormAndCase) {
  for (std::size_t i = 1; i < header_id_count; ++i) {
    const auto id = static_cast<HeaderId>(i);
    const std::string name(header_name(id));
    EXPECT_EQ(header_id_from(name), id);
    EXPECT_EQ(header_id_from(ascii::to_lower(name)), id);
    EXPECT_EQ(header_id_from(name + "x"), Other);
    if (name.size() > 2) {
      EXPECT_EQ(header_id_from(name.substr(1)), Other) << name;
    }
    const std::string_view compact = compact_name(id);
    if (!compact.empty()) {
      EXPECT_EQ(header_id_from(compact), id);
    }
  }
  for (const std::string_view name : {"", "q", "X-Foo", "Vi", "@", "[ia", "Call_ID"})
    EXPECT_EQ(header_id_from(name), Other) << name;
}

TEST(TypedHeader, GivesItsParts) {
  const auto via = Via::parse("SIP/2.0/UDP [::1]:5070;rport;branch=z9hG4bK1;received=192.0.2.1");
  EXPECT_EQ(via->transport, "UDP");
  EXPECT_EQ(via->host, "::1");
  EXPECT_TRUE(via->is_ipv6);
  EXPECT_EQ(via->port, 5070);
  EXPECT_EQ(via->branch(), "z9hG4bK1");
  EXPECT_EQ(via->received(), "192.0.2.1");
  ASSERT_TRUE(via->rport());
  EXPECT_FALSE(via->rport()->has_value);
  EXPECT_TRUE(Contact::parse("*")->is_star);
  EXPECT_EQ(Contact::parse("<sip:a@b>;q=0.75")->q(), 750);
  EXPECT_EQ(Contact::parse("<sip:a@b>;q=1.001")->q(), std::nullopt);
  EXPECT_EQ(RAck::parse("776656 1 INVITE")->rseq, 776656U);
  EXPECT_EQ(RAck::parse("776656 1 INVITE")->method, Method::Invite);
  EXPECT_EQ(RetryAfter::parse("5 (x);duration=9")->duration(), 9U);
  const auto state = SubscriptionState::parse("active;expires=599;reason=x");
  EXPECT_EQ(state->expires(), 599U);
  EXPECT_EQ(state->reason(), "x");
  const auto replaces = Replaces::parse("a@b;to-tag=1;from-tag=2;early-only");
  EXPECT_EQ(replaces->to_tag, "1");
  EXPECT_EQ(replaces->from_tag, "2");
  EXPECT_TRUE(replaces->early_only);
  const auto challenge = WwwAuthenticate::parse("Digest realm=\"a, b\", qop=\"auth,auth-int\"");
  EXPECT_EQ(challenge->scheme, "Digest");
  EXPECT_EQ(challenge->params.value("REALM"), "a, b");
  EXPECT_EQ(challenge->params.value("qop"), "auth,auth-int");
  EXPECT_FALSE(challenge->params.has("nonce"));
  const auto date = Date::parse("Sat, 13 Nov 2010 23:29:00 GMT");
  EXPECT_EQ(date->weekday, 5);
  EXPECT_EQ(date->month, 11);
  EXPECT_EQ(date->year, 2010);
  EXPECT_TRUE(ContentDisposition::parse("x;handling=OPTIONAL")->is_optional());
}

TEST(Params, KeepTheirLimit) {
  const auto list = [](std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += ";p" + std::to_string(i);
    return out;
  };
  EXPECT_TRUE(Params::parse(list(params_max)));
  EXPECT_EQ(Params::parse(list(params_max + 1)).error().code, ErrorCode::LimitExceeded);
}

TEST(AuthParams, KeepTheirLimit) {
  const auto list = [](std::size_t count) {
    std::string out = "a=b";
    for (std::size_t i = 1; i < count; ++i) out += ",a=b";
    return out;
  };
  EXPECT_TRUE(AuthParams::parse(list(auth_params_max)));
  EXPECT_EQ(AuthParams::parse(list(auth_params_max + 1)).error().code, ErrorCode::LimitExceeded);
}

TEST(Quoting, IsUndoneByUnquoting) {
  for (const std::string_view text : {"", "a", "a\"b", "\\", "a\\\"", "\"\""})
    EXPECT_EQ(unquote(quote(text)), text);
  EXPECT_EQ(unquote("plain"), "plain");
  EXPECT_EQ(Params::parse(";a=\"b c\"")->value("A"), "b c");
}

}  // namespace
}  // namespace sipassay
