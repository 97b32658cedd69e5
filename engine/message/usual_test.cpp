// Nearly every message and value is read by a way that knows only what is usual. It gives what the
// exact way gives, for real messages, for every truncation of them, and for what mutation makes of
// them; and it reads nothing beyond the slack it was promised: all buffers have exactly their size.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/rng.h"
#include "engine/message/header/all.h"
#include "engine/message/header/visit.h"
#include "engine/message/host.h"
#include "engine/message/parse.h"
#include "engine/testing/exact_buffer.h"

namespace sipassay {
namespace {

using namespace std::string_view_literals;
using testing::ExactBuffer;

// --- what was read, as text: every part by its place

class Description {
 public:
  explicit Description(std::string_view text) : begin_(text.data()) {}

  void part(std::string_view part) {
    if (part.empty()) {
      out_ += "- ";
    } else {
      number(part.data() - begin_);
      number(static_cast<std::ptrdiff_t>(part.size()));
    }
  }
  void number(std::ptrdiff_t value) { out_ += std::to_string(value) + ' '; }
  void error(const Error& error) { out_ += to_string(error); }
  void text(std::string_view text) { out_ += std::string(text) + ' '; }
  const std::string& out() const { return out_; }

 private:
  const char* begin_;
  std::string out_;
};

void describe(Description& out, const Uri& uri) {
  for (const auto part : {uri.text, uri.scheme_text, uri.user, uri.password, uri.host,
                          uri.params.text(), uri.headers})
    out.part(part);
  out.number(static_cast<int>(uri.scheme) * 4 + uri.has_user * 2 + uri.is_ipv6);
  out.number(uri.password.data() != nullptr);
  out.number(uri.port.value_or(-1));
}

void describe(Description& out, const NameAddr& addr) {
  for (const auto part : {addr.text, addr.display, addr.params.text()}) out.part(part);
  out.number(addr.has_brackets);
  describe(out, addr.uri);
}

void describe(Description& out, const Via& via) {
  for (const auto part : {via.protocol, via.version, via.transport, via.host, via.params.text()})
    out.part(part);
  out.number(via.is_ipv6);
  out.number(via.port.value_or(-1));
}

template <class H>
void describe(Description& out, const H& value) {
  if constexpr (requires { value.addr; }) describe(out, value.addr);
  if constexpr (requires { value.uri; }) describe(out, value.uri);
  if constexpr (requires { value.params; }) out.part(value.params.text());
  if constexpr (requires { value.token; }) out.part(value.token);
  out.text(text_of(value));
}

// The values of a line, as Message gives them.
template <class H>
std::string values_of(std::string_view text, Slack slack) {
  Description out(text);
  Reader reader(text, slack);
  do {
    H value;
    reader.skip_space();
    if (!H::read(reader, value)) {
      out.error(reader.error());
      break;
    }
    describe(out, value);
    reader.skip_space();
    out.number(static_cast<std::ptrdiff_t>(reader.offset()));
  } while (is_list(H::id) && reader.take(','));
  return out.out();
}

std::string uri_of(std::string_view text, Slack slack) {
  Description out(text);
  const auto uri = parse_uri(text, slack);
  if (uri)
    describe(out, *uri);
  else
    out.error(uri.error());
  return out.out();
}

// The text, and behind it slack that must make no difference.
void with_every_slack(std::string_view text, auto&& check) {
  for (const char filler : "\0a1.>;\""sv) {
    const ExactBuffer buffer(std::string(text) + std::string(slack_octets, filler));
    check(buffer.view().substr(0, text.size()));
  }
}

struct Line {
  HeaderId id;
  std::string value;
  auto operator<=>(const Line&) const = default;
};

void expect_same_values(const Line& line) {
  SCOPED_TRACE(std::string(header_name(line.id)) + ": " + line.value);
  AllHeaders::for_each([&]<class H>() {
    if (H::id != line.id) return;
    const ExactBuffer exact(line.value);
    const std::string expected = values_of<H>(exact.view(), Slack::No);
    with_every_slack(line.value, [&](std::string_view text) {
      ASSERT_EQ(values_of<H>(text, Slack::Yes), expected);
    });
  });
}

void expect_same_uri(const std::string& text) {
  SCOPED_TRACE(text);
  const ExactBuffer exact(text);
  const std::string expected = uri_of(exact.view(), Slack::No);
  with_every_slack(text,
                   [&](std::string_view view) { ASSERT_EQ(uri_of(view, Slack::Yes), expected); });
}

std::string describe(const Message& message, const std::expected<void, Error>& result) {
  const std::string text = message.to_string();
  std::string out = result ? "good" : to_string(result.error());
  const auto add = [&out](std::string_view part) { out += '|' + std::string(part); };
  for (const auto part : {message.start_line(), message.method_text(), message.request_uri(),
                          message.reason(), message.body(), std::string_view(text)})
    add(part);
  add(to_string(message.method()));
  for (const std::size_t number :
       {static_cast<std::size_t>(message.status()), message.surplus_octets(),
        static_cast<std::size_t>(message.is_request())})
    add(std::to_string(number));
  for (std::size_t i = 0; i < message.field_count(); ++i) {
    const HeaderField field = message.field(i);
    add(header_name(field.id));
    add(field.name);
    add(field.value);
  }
  for (std::size_t id = 0; id < header_id_count; ++id)
    for (std::size_t nth = 0; const auto at = message.find(static_cast<HeaderId>(id), nth); ++nth)
      add(std::to_string(*at));
  return out;
}

void expect_same_message(std::string_view octets) {
  const ExactBuffer buffer(octets);
  Message usual, exact;
  const auto usual_result = parse_message(buffer.view(), usual);
  const auto exact_result = parse_message_closely(buffer.view(), exact);
  ASSERT_EQ(describe(usual, usual_result), describe(exact, exact_result)) << octets;
}

// --- what is read

std::vector<std::string> real_messages() {
  const std::filesystem::path root(SIPASSAY_SOURCE_DIR);
  std::vector<std::filesystem::path> paths;
  for (const char* folder : {"engine/message/testdata/rfc3665", "scenarios/rfc4475",
                             "scenarios/rfc5118", "fuzz/corpus/message"})
    for (const auto& entry : std::filesystem::directory_iterator(root / folder))
      if (entry.is_regular_file() && entry.path().extension() != ".xml")
        paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<std::string> out;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return out;
}

// Values on both sides of what the usual ways accept.
const Line own_lines[] = {
    {HeaderId::Via,
     "SIP/2.0/UDP a.example.com:5060;branch=z9hG4bKabcdefghijklmnopqrstuvwxyz0123456789;rport"},
    {HeaderId::Via, "SIP/2.0/WS [2001:db8::10]:65535;received=2001:db8::1;branch=z9hG4bK1;rport=5"},
    {HeaderId::Via,
     "SIP/2.0/TCP a.b-c.1d;x=\"a;b\\\"\";branch=z9hG4bK1, SIP/2.0/TLS 192.0.2.255;alias"},
    {HeaderId::Via, "SIP / 2.0 / UDP  host : 5060 ; branch = z9hG4bK1"},
    {HeaderId::Via, "sip/2.0/udp host.;BRANCH=1;branch=1"},
    {HeaderId::Via, "SIP/2.0/UDP  host;maddr=239.255.255.1;ttl=16"},
    {HeaderId::Via,
     "SIP/2.0/UDP host-name-of-more-than-two-blocks.of.sixteen.octets.example.com;lr"},
    {HeaderId::Via, "SIP/2.0/UDP [::ffff:192.0.2.1]"},
    {HeaderId::Via, "SIP/2.0/UDP 01.002.3.255:0"},
    {HeaderId::From,
     "\"J. \\\"Jo\\\" Doe\" <sips:+1%2d303@[::1]:5061;transport=tcp;user=phone>;tag=a.b-c_d"},
    {HeaderId::From, "A. B <sip:a;b?c/d&e=f+g$h,i@host>;tag=x;other"},
    {HeaderId::From, "sip:alice@example.com;tag=1"},
    {HeaderId::To, "<sip:alice:secret@example.com:5060;maddr=192.0.2.1;ttl=5?subject=a%20b&x=y>"},
    {HeaderId::To, "<SIP:%41lice@EXAMPLE.com:007>;tag=\"x\""},
    {HeaderId::To, "<tel:+1-303-555-1212;phone-context=x>;tag=1;TAG=2"},
    {HeaderId::Contact, "<sip:host;lr;lr>, <sip:host;a=b;A=c>;q=0.5;expires=60, *x <sip:a@b>"},
    {HeaderId::Contact, "<sip:a@b;x=[1]/:&+$!~*'()>;+sip.instance=\"<urn:uuid:0>\";reg-id=1"},
    {HeaderId::Route,
     "<sip:[2001:db8::10];lr>, <sip:p.example.com:5080;lr;transport=tcp> , <sip:x@y>"},
    {HeaderId::ReferTo, "<sip:a@b?Replaces=x%3Bto-tag%3D1>"},
    {HeaderId::CSeq, "1234567 INVITE"},
    {HeaderId::CSeq, "12345678 INVITE"},
    {HeaderId::CSeq, "2147483648 UPDATE"},
    {HeaderId::RAck, "1 4294967295 PRACK"},
    {HeaderId::ContentLength, "4294967296"},
    {HeaderId::MaxForwards, "256"},
    {HeaderId::Supported, "100rel,timer , replaces,, x!%*_+`'~"},
    {HeaderId::Allow, "INVITE, ACK,BYE,CANCEL, OPTIONS"},
    {HeaderId::Accept, "application/sdp, text/*;q=0.5;level=\"1\" , */*"},
    {HeaderId::Warning, "301 [::1]:5060 \"a \\\" b\", 302 host:5060 \"\""},
    {HeaderId::CallId, "abcdefghijklmnopqrstuvwxyz0123456789<>:\\\"/[]?{}(@host.example.com"},
    {HeaderId::Date, "Sat, 13 Nov 2010 23:29:00 GMT"},
    {HeaderId::WwwAuthenticate,
     "Digest realm=\"a, b\", nonce=\"0123456789abcdef\\\"0123456789abcdef\", qop=auth"},
    {HeaderId::UserAgent, "Desk-Phone/9.3.0.1 (a (nested) 00:15:65:aa:bb:cc) x"},
    {HeaderId::Subject, "Caf\xc3\xa9 and\r\n more"},
};

// Real lines and our own, each once.
std::set<Line> all_lines() {
  std::set<Line> out(std::begin(own_lines), std::end(own_lines));
  for (const std::string& octets : real_messages()) {
    Message message;
    (void)parse_message(octets, message);
    for (std::size_t i = 0; i < message.field_count(); ++i) {
      const HeaderField field = message.field(i);
      constexpr std::size_t size_max = 300;  // beyond, truncations cost more than they find
      if (field.id != HeaderId::Other && field.value.size() <= size_max)
        out.insert({field.id, std::string(field.value)});
    }
  }
  return out;
}

// Octets that mean something somewhere.
constexpr std::string_view telling =
    "\0\t\r\n !\"%&'()*+,-./019:;<=>?@AFGZ[\\]_`afgz{}~\x7f\x80\xff"sv;

std::string mutated(Rng& rng, std::string text) {
  for (auto changes = rng.between(1, 3); changes != 0; --changes) {
    const auto at = static_cast<std::size_t>(rng.between(0, text.size()));
    const char c = telling[rng.between(0, telling.size() - 1)];
    switch (rng.between(0, 3)) {
      case 0:
        text.insert(at, 1, c);
        break;
      case 1:
        text.erase(at, rng.between(1, 4));
        break;
      case 2:  // something twice
        text.insert(at, text.substr(at, rng.between(1, 20)));
        break;
      default:
        if (at != text.size()) text[at] = c;
        break;
    }
  }
  return text;
}

TEST(UsualWay, ReadsRealAndTruncatedValuesAsTheExactWayDoes) {
  const auto lines = all_lines();
  EXPECT_GT(lines.size(), 500U);
  for (const Line& line : lines)
    for (std::size_t size = 0; size <= line.value.size(); ++size) {
      expect_same_values({line.id, line.value.substr(0, size)});
      if (HasFatalFailure()) return;
    }
}

TEST(UsualWay, ReadsMutatedValuesAsTheExactWayDoes) {
  Rng rng(1);
  for (const Line& line : all_lines())
    for (int i = 0; i < 50; ++i) {
      expect_same_values({line.id, mutated(rng, line.value)});
      if (HasFatalFailure()) return;
    }
}

TEST(UsualWay, ReadsEveryOctetInEveryPlaceAsTheExactWayDoes) {
  for (const Line& line : own_lines)
    for (std::size_t at = 0; at < line.value.size(); ++at)
      for (const char c : telling) {
        Line changed = line;
        changed.value[at] = c;
        expect_same_values(changed);
        if (HasFatalFailure()) return;
      }
}

TEST(UsualWay, ReadsUrisAsTheExactWayDoes) {
  constexpr std::string_view uris[] = {"sip:alice@atlanta.example.com:5060;transport=tcp;lr",
                                       "sips:[2001:db8::1]:5061",
                                       "sip:a:b@c?d=e",
                                       "sip:1.2.3.4;maddr=5.6.7.8;ttl=1",
                                       "SiP:%41%5a@h",
                                       "sip:a@b@c",
                                       "tel:+1",
                                       "http://x/y",
                                       "sip:a;b@c.d.e-f:1234567;x=[1];y",
                                       "sip:-a.b",
                                       "sip:a..b",
                                       "sip:a-.b",
                                       "sip:1a"};
  Rng rng(2);
  for (const std::string_view uri : uris) {
    for (std::size_t size = 0; size <= uri.size(); ++size)
      expect_same_uri(std::string(uri.substr(0, size)));
    for (int i = 0; i < 2000; ++i) expect_same_uri(mutated(rng, std::string(uri)));
    if (HasFatalFailure()) return;
  }
}

TEST(UsualWay, ReadsRealAndMutatedMessagesAsTheExactWayDoes) {
  Rng rng(3);
  const auto messages = real_messages();
  EXPECT_GT(messages.size(), 200U);
  for (const std::string& message : messages) {
    expect_same_message(message);
    for (int i = 0; i < 50; ++i) expect_same_message(mutated(rng, message));
    if (HasFatalFailure()) return;
  }
}

TEST(UsualWay, ReadsTruncatedMessagesAsTheExactWayDoes) {
  constexpr std::size_t messages_max = 40, octets_max = 1500;
  std::size_t count = 0;
  for (const std::string& message : real_messages()) {
    if (message.size() > octets_max) continue;
    if (++count > messages_max) break;
    for (std::size_t size = 0; size < message.size(); ++size)
      expect_same_message(std::string_view(message).substr(0, size));
    if (HasFatalFailure()) return;
  }
}

// A message used again leaves octets of the longer one before behind those of the shorter.
TEST(UsualWay, IsNotMisledByWhatAMessageHeldBefore) {
  Message used;
  for (const std::string& octets : real_messages()) {
    Message fresh;
    const auto expected = parse_message_closely(octets, fresh);
    const auto result = parse_message(octets, used);
    ASSERT_EQ(describe(used, result), describe(fresh, expected)) << octets;
  }
}

// Every value of a message that an edit moved to the end of its memory, where there is no slack.
TEST(UsualWay, IsLeftWhereAMessageHasNoSlack) {
  Message message = Message::request("INVITE", "sip:bob@biloxi.example.com");
  message.add("Via", "SIP/2.0/UDP a.example.com:5060;branch=z9hG4bK1")
      .add("Supported", "100rel, timer");
  std::size_t count = 0;
  visit_values(message, [&count](const auto& value) { count += value ? 1U : 100U; });
  EXPECT_EQ(count, 3U);
  EXPECT_EQ(message.target()->host, "biloxi.example.com");
}

}  // namespace
}  // namespace sipassay
