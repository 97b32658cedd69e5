// The small parts of the runner: outcomes, texts, values, edits, patterns and checks, descriptions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <span>
#include <string>

#include "engine/message/parse.h"
#include "engine/runner/edit.h"
#include "engine/runner/match.h"
#include "engine/runner/observer.h"
#include "engine/runner/outcome.h"
#include "engine/runner/peer_media.h"
#include "engine/runner/run.h"
#include "engine/runner/template.h"
#include "engine/runner/values.h"
#include "engine/sdp/negotiate.h"

namespace sipassay::runner {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string invite_octets =
    "INVITE sip:bob@biloxi.example SIP/2.0\r\n"
    "Via: SIP/2.0/UDP a.example:5070;branch=z9hG4bKone;rport, SIP/2.0/TCP "
    "b.example;branch=z9hG4bKtwo\r\n"
    "v: SIP/2.0/UDP c.example;branch=z9hG4bKthree\r\n"
    "From: \"A; <lice>\" <sip:alice@atlanta.example:5062;transport=tcp>;tag=88sja8x\r\n"
    "To: sip:bob@biloxi.example\r\n"
    "Call-ID: 987asjd97y7atg\r\n"
    "CSeq: 986759 INVITE\r\n"
    "Supported: 100rel,\r\n timer\r\n"
    "Contact: <sip:alice@192.0.2.7>;q=0.5;expires=60\r\n"
    "Authorization: Digest username=\"a,b\", realm=\"r\", uri=\"sip:x\"\r\n"
    "RAck: 776656 1 INVITE\r\n"
    "X-Own: one;two=2\r\n"
    "Content-Length: 0\r\n\r\n";

Message invite() {
  return *parse_message(invite_octets);
}

// --- outcomes

TEST(Outcome, NamesGoBothWays) {
  unsigned count = 0;
  for (unsigned i = 0; i <= static_cast<unsigned>(Outcome::Crash); ++i, ++count) {
    const auto outcome = static_cast<Outcome>(i);
    EXPECT_EQ(outcome_from(to_string(outcome)), outcome);
  }
  EXPECT_EQ(count, 11u);
  EXPECT_FALSE(outcome_from("pass"));
}

TEST(Values, ATokenHasNeitherParametersNorAComment) {
  EXPECT_EQ(value_token("active;expires=60"), "active");
  EXPECT_EQ(value_token("18000 (in a meeting);duration=3600"), "18000");
  EXPECT_EQ(value_token("\"a (b)\" <sip:c@d>;tag=e"), "\"a (b)\" <sip:c@d>");
}

TEST(Outcome, WorstWins) {
  EXPECT_EQ(worst(Outcome::Pass, Outcome::NonStrict), Outcome::NonStrict);
  EXPECT_EQ(worst(Outcome::Fail, Outcome::Error), Outcome::Fail);
  EXPECT_EQ(worst(Outcome::Crash, Outcome::Fail), Outcome::Crash);
}

// --- templates

TEST(Template, ExpandsReferencesAndShiftsNumbers) {
  const std::map<std::string, std::string, std::less<>> known{
      {"a.b", "7"}, {"call.local-cseq", "12"}, {"x.y", "${a.b}"}};
  const Lookup lookup = [&](std::string_view name) {
    const auto found = known.find(name);
    return found == known.end() ? std::nullopt : std::optional(found->second);
  };
  struct Row {
    const char *text, *expected;
  };
  const Row rows[] = {{"plain", "plain"},
                      {"", ""},
                      {"${a.b}", "7"},
                      {"<${a.b+1}> ${a.b-2}", "<8> 5"},
                      {"${call.local-cseq-1}", "11"},
                      {"$${a.b}", "${a.b}"},
                      {"${x.y}", "${a.b}"},
                      {"$ {a.b} $", "$ {a.b} $"}};
  for (const auto& row : rows) {
    const auto got = expand(row.text, lookup);
    ASSERT_TRUE(got) << row.text;
    EXPECT_EQ(*got, row.expected);
  }
  for (const char* bad : {"${a.c}", "${a.b", "${x.y+1}", "${a.b+}", "${}"})
    EXPECT_FALSE(expand(bad, lookup)) << bad;
}

// --- values

TEST(Values, NameEveryPartOfAMessage) {
  const auto message = invite();
  struct Row {
    const char *path, *expected;
  };
  const Row rows[] = {{"method", "INVITE"},
                      {"request-uri", "sip:bob@biloxi.example"},
                      {"request-uri.user", "bob"},
                      {"start-line", "INVITE sip:bob@biloxi.example SIP/2.0"},
                      {"branch", "z9hG4bKone"},
                      {"via.branch", "z9hG4bKone"},
                      {"via.host", "a.example"},
                      {"via.port", "5070"},
                      {"via.transport", "UDP"},
                      {"via.sent-by", "a.example:5070"},
                      {"cseq.number", "986759"},
                      {"cseq.method", "INVITE"},
                      {"from.tag", "88sja8x"},
                      {"from.uri", "sip:alice@atlanta.example:5062;transport=tcp"},
                      {"from.user", "alice"},
                      {"from.host", "atlanta.example"},
                      {"from.port", "5062"},
                      {"from.display", "A; <lice>"},
                      {"to.uri", "sip:bob@biloxi.example"},
                      {"call-id", "987asjd97y7atg"},
                      {"contact.q", "0.5"},
                      {"contact.expires", "60"},
                      {"rack.rseq", "776656"},
                      {"rack.cseq", "1"},
                      {"rack.method", "INVITE"},
                      {"authorization.username", "a,b"},
                      {"authorization.scheme", "Digest"},
                      {"x-own.two", "2"},
                      {"x-own.token", "one"}};
  for (const auto& row : rows)
    EXPECT_EQ(message_value(message, row.path), row.expected) << row.path;
  for (const char* absent : {"to.tag", "rseq", "status", "from.nothing", "x-other", "sdp"})
    EXPECT_FALSE(message_value(message, absent)) << absent;
  EXPECT_THAT(header_values(message, "Via"), testing::SizeIs(3));
  EXPECT_EQ(header_lines(message, "Via"), 2u);
  EXPECT_THAT(header_values(message, "supported"), ElementsAre("100rel", "timer"));
}

TEST(Values, NeverReadOutsideHostileText) {
  for (const std::string_view text : {"", ";", "<", ">", "\"", "\"\\", "<sip:", ";;;=", "a;b=\"",
                                      ",,,", "<>;tag=", "\xff\x00\x7f"}) {
    for (const char* header : {"From", "Via", "CSeq", "Authorization", "X", "Contact"}) {
      for (const char* part :
           {"uri", "tag", "host", "number", "method", "display", "type", "scheme", "transport"})
        (void)value_part(header, text, part);
      (void)value_param(header, text, "tag");
    }
    (void)uri_of(text);
    (void)value_token(text);
  }
}

TEST(Values, FindTheSessionDescriptionInAMultipart) {
  auto message = Message::response(200);
  EXPECT_FALSE(sdp_of(message));
  message.set_body("text/plain", "v=0\r\n");
  EXPECT_FALSE(sdp_of(message));
  message.set_body("application/SDP", "v=0\r\n");
  EXPECT_EQ(sdp_of(message), "v=0\r\n");
  message.set_body("multipart/mixed;boundary=\"b\"",
                   "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b\r\nContent-Type: "
                   "application/sdp\r\n\r\nv=0\r\n\r\n--b--\r\n");
  EXPECT_EQ(sdp_of(message), "v=0\r\n");
}

// --- patterns

TEST(Match, StatusPatterns) {
  struct Row {
    const char* pattern;
    int status;
    bool matches;
  };
  const Row rows[] = {{"200", 200, true},     {"200", 202, false},     {"2xx", 299, true},
                      {"2xx", 300, false},    {"400|416", 416, true},  {"400|416", 415, false},
                      {"4xx-6xx", 500, true}, {"4xx-6xx", 399, false}, {"101-199", 100, false},
                      {"101-199", 183, true}, {"*", 100, true},        {"1xx", 100, true},
                      {"", 200, false},       {"abc", 200, false},     {"300-699", 699, true}};
  for (const auto& row : rows)
    EXPECT_EQ(status_matches(row.pattern, row.status), row.matches)
        << row.pattern << " " << row.status;
  EXPECT_TRUE(method_matches("INVITE|UPDATE", "UPDATE"));
  EXPECT_FALSE(method_matches("INVITE|UPDATE", "update"));
  EXPECT_TRUE(method_matches("*", "X"));
}

TEST(Match, Globs) {
  EXPECT_TRUE(glob_matches("SIP/2.0 4?? *", "SIP/2.0 486 Busy"));
  EXPECT_FALSE(glob_matches("SIP/2.0 4?? *", "SIP/2.0 586 Busy"));
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(glob_matches("a*b*c", "aXbYbZ"));
  EXPECT_FALSE(glob_matches("", "a"));
  // No blow-up: each star is tried from its last place only.
  EXPECT_FALSE(glob_matches(std::string(2000, '*') + "b", std::string(20'000, 'a')));
}

CheckContext context(const Message* other = nullptr) {
  return {[](std::string_view) { return std::optional<std::string>(); },
          [other](std::string_view name) { return name == "other" ? other : nullptr; }};
}

HeaderCheck header(std::string name, HeaderCheck::Op op, std::string value = {},
                   std::string part = {}, std::string param = {}) {
  return {.name = std::move(name),
          .param = std::move(param),
          .part = std::move(part),
          .op = op,
          .value = std::move(value),
          .level = {},
          .clause_section = {}};
}

// RFC 2617 3.5, whose response RFC 3261 quotes.
TEST(Match, DigestsAreComputedFromTheLogin) {
  auto message = Message::request("GET", "/dir/index.html");
  message.add("Authorization",
              "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
              "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, "
              "nc=00000001, cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\"");
  const auto what = header("Authorization", HeaderCheck::Op::Digest, "valid");
  const Login right{"Mufasa", "Circle Of Life"}, wrong{"Mufasa", "Circle of Life"};
  for (const auto* login : {&right, &wrong}) {
    auto with = context();
    with.login = login;
    EXPECT_EQ(!check(message, {what}, with), login == &right);
  }
  auto with = context();
  with.login = &right;
  EXPECT_TRUE(check(Message::request("GET", "/dir/index.html"), {what}, with)) << "none there";
  EXPECT_TRUE(check(message, {what}, context())) << "no login";
}

TEST(Match, HeaderChecksHoldAndFail) {
  using Op = HeaderCheck::Op;
  const auto message = invite();
  auto other = invite();
  other.set("Call-ID", "another");
  struct Row {
    HeaderCheck check;
    bool holds;
  };
  const Row rows[] = {
      {header("Supported", Op::Present), true},
      {header("RSeq", Op::Present), false},
      {header("RSeq", Op::Absent), true},
      {header("From", Op::Present, "", "", "tag"), true},
      {header("To", Op::Absent, "", "", "tag"), true},
      {header("CSeq", Op::Is, "986759 INVITE"), true},
      {header("CSeq", Op::Is, "986760 INVITE"), false},
      {header("CSeq", Op::Is, "0986759", "number"), true},
      {header("CSeq", Op::IsNot, "1", "number"), true},
      {header("From", Op::Is, "sip:alice@ATLANTA.example:5062;transport=TCP", "uri"), true},
      {header("From", Op::Is, "sip:bob@atlanta.example:5062", "uri"), false},
      {header("request-uri", Op::Is, "sip:bob@BILOXI.example"), true},
      {header("Supported", Op::Has, "TIMER"), true},
      {header("Supported", Op::Has, "time"), false},
      {header("Supported", Op::HasNot, "path"), true},
      {header("Via", Op::Count, "3"), true},
      {header("Via", Op::Count, "2"), false},
      {header("X-Own", Op::Matches, "one;*"), true},
      {header("start-line", Op::Matches, "INVITE * SIP/2.0"), true},
      {header("CSeq", Op::LessThan, "986760", "number"), true},
      {header("CSeq", Op::LessThan, "986759", "number"), false},
      {header("CSeq", Op::GreaterThan, "986758", "number"), true},
      {header("CSeq", Op::AtLeast, "986759", "number"), true},
      {header("CSeq", Op::AtMost, "986758", "number"), false},
      {header("RSeq", Op::AtMost, "1", "number"), false},
      {header("From", Op::SameAs, "other"), true},
      {header("Call-ID", Op::SameAs, "other"), false},
      {header("Call-ID", Op::DiffersFrom, "other"), true},
      {header("body", Op::Absent), true},
  };
  for (const auto& row : rows) {
    const auto mismatch = check(message, {row.check}, context(&other));
    EXPECT_EQ(!mismatch, row.holds) << row.check.name << " " << row.check.value;
    if (mismatch) {
      EXPECT_FALSE(mismatch->expected.empty());
      EXPECT_FALSE(mismatch->observed.empty());
      EXPECT_FALSE(mismatch->header.empty());
    }
  }
}

TEST(Match, TellsExpectedObservedAndHeader) {
  const auto mismatch =
      check(invite(), {header("rack", HeaderCheck::Op::Is, "1 2 INVITE")}, context());
  ASSERT_TRUE(mismatch);
  EXPECT_EQ(mismatch->expected, "RAck is 1 2 INVITE");
  EXPECT_EQ(mismatch->observed, "RAck: 776656 1 INVITE");
  EXPECT_EQ(mismatch->header, "RAck");
}

TEST(Match, UnknownReferencesAreNotTheSutsFault) {
  const auto unknown =
      check(invite(), {header("CSeq", HeaderCheck::Op::Is, "${nobody.cseq}")}, context());
  ASSERT_TRUE(unknown);
  EXPECT_TRUE(unknown->is_reference_unknown);
  const auto no_message =
      check(invite(), {header("CSeq", HeaderCheck::Op::SameAs, "nobody")}, context());
  ASSERT_TRUE(no_message);
  EXPECT_TRUE(no_message->is_reference_unknown);
}

// --- descriptions of a peer

sdp::Description parsed(const std::string& text) {
  std::vector<Finding> departures;
  auto description = sdp::parse(text);
  EXPECT_TRUE(description) << text;
  return description.value_or(sdp::Description{});
}

TEST(PeerMedia, OffersByTraits) {
  PeerMedia media("192.0.2.101", Rng(1));
  const auto first = parsed(media.offer(""));
  ASSERT_EQ(first.media.size(), 1u);
  EXPECT_THAT(first.media[0].formats, ElementsAre("0", "8"));
  EXPECT_THAT(sdp::check_offer(first), testing::IsEmpty());
  const auto held = parsed(media.offer("sendonly+video"));
  ASSERT_EQ(held.media.size(), 2u);
  EXPECT_EQ(held.direction(held.media[0]), sdp::Direction::SendOnly);
  EXPECT_EQ(held.origin.session_version, first.origin.session_version + 1);
  EXPECT_THAT(sdp::check_next_offer(first, held), testing::IsEmpty());
  const auto again = parsed(media.offer(""));
  EXPECT_EQ(again.origin.session_version, held.origin.session_version);
  EXPECT_EQ(media.same(), media.last());
  const auto stale = parsed(media.offer("recvonly+same-version"));
  EXPECT_EQ(stale.origin.session_version, held.origin.session_version);
  EXPECT_TRUE(parsed(media.offer("zero-address")).connection->is_unspecified());
  EXPECT_FALSE(parsed(media.offer("")).connection->is_unspecified());
  EXPECT_EQ(parsed(media.offer("port-zero")).media.back().port, 0);
  EXPECT_TRUE(parsed(PeerMedia("192.0.2.1", Rng(2)).offer("no-media")).media.empty());
  EXPECT_THAT(parsed(PeerMedia("192.0.2.1", Rng(2)).offer("unknown-codec")).media[0].formats,
              ElementsAre("107"));
}

TEST(PeerMedia, AnswersEveryOffer) {
  PeerMedia other("192.0.2.1", Rng(3));
  for (const char* traits :
       {"", "video", "application+video", "sendonly", "inactive", "unknown-codec", "port-zero"}) {
    PeerMedia media("192.0.2.101", Rng(4));
    const auto offer = other.offer(traits);
    const auto answer = media.answer(offer, "");
    EXPECT_THAT(sdp::check_answer(parsed(offer), parsed(answer)), testing::IsEmpty()) << traits;
    const auto refused = parsed(media.answer(offer, "refused"));
    for (const auto& medium : refused.media) EXPECT_EQ(medium.port, 0);
  }
  EXPECT_FALSE(PeerMedia("192.0.2.1", Rng(5)).answer("nonsense", "").empty());
}

TEST(PeerMedia, ChangesWhatWasAgreedAfterARefusal) {
  PeerMedia media("192.0.2.101", Rng(1));
  const auto first = parsed(media.offer(""));
  media.agreed();
  const auto refused = parsed(media.offer("unknown-codec"));
  media.rolled_back();
  const auto next = parsed(media.offer(""));
  EXPECT_EQ(next.media, first.media);
  EXPECT_EQ(next.origin.session_version, refused.origin.session_version + 1);
}

// --- edits

std::string edited(const MessageEdit& edit) {
  auto message = invite();
  const auto other =
      *parse_message("OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKother\r\n\r\n");
  EXPECT_TRUE(apply_edit(edit, message, context(&other)));
  return message.to_string();
}

TEST(Edit, ChangesNamesAndNumbers) {
  MessageEdit edit;
  edit.cseq = "+3";
  edit.from_tag = "new";
  edit.to_tag = "made-up";
  edit.call_id = "c";
  edit.contact = "sip:elsewhere@192.0.2.9";
  edit.branch = "other";
  edit.request_uri = "sip:moved@x";
  const auto text = edited(edit);
  for (const char* part :
       {"CSeq: 986762 INVITE\r\n", ";tag=new\r\n", "To: sip:bob@biloxi.example;tag=made-up\r\n",
        "Call-ID: c\r\n", "Contact: <sip:elsewhere@192.0.2.9>\r\n",
        "a.example:5070;branch=z9hG4bKother;rport, ", "INVITE sip:moved@x SIP/2.0\r\n"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(Edit, EmptyTextsRemove) {
  MessageEdit edit;
  edit.from_tag = edit.call_id = edit.contact = edit.branch = edit.content_length = "";
  const auto text = edited(edit);
  for (const char* gone : {"tag=88sja8x", "Call-ID", "Contact", "z9hG4bKone", "Content-Length"})
    EXPECT_EQ(text.find(gone), std::string::npos) << gone;
}

TEST(Edit, ChangesHeaderFields) {
  using Action = HeaderEdit::Action;
  struct Row {
    HeaderEdit edit;
    const char* part;
  };
  const Row rows[] = {
      {{Action::Set, "X-Own", "three", ""}, "X-Own: three\r\n"},
      {{Action::Add, "X-New", "a: b\xff", ""}, "X-New: a: b\xff\r\n"},
      {{Action::Double, "CSeq", "", ""}, "CSeq: 986759 INVITE\r\nCSeq: 986759 INVITE\r\n"},
      {{Action::Compact, "Call-ID", "", ""}, "\r\ni: 987asjd97y7atg\r\n"},
      {{Action::Fold, "CSeq", "", ""}, "CSeq: 986759\r\n INVITE\r\n"},
      {{Action::First, "Contact", "", ""}, "SIP/2.0\r\nContact: "},
      {{Action::Last, "Via", "", ""}, "branch=z9hG4bKthree\r\n\r\n"},
      {{Action::Param, "Contact", "9", "expires"}, ";q=0.5;expires=9\r\n"},
      {{Action::Param, "To", "", "lone"}, "biloxi.example;lone\r\n"},
      {{Action::RemoveParam, "Contact", "", "q"}, "<sip:alice@192.0.2.7>;expires=60\r\n"},
  };
  for (const auto& row : rows) {
    MessageEdit edit;
    edit.headers = {row.edit};
    EXPECT_THAT(edited(edit), HasSubstr(row.part));
  }
  MessageEdit edit;
  edit.headers = {{Action::Remove, "Via", "", ""}};
  EXPECT_EQ(edited(edit).find("z9hG4bK"), std::string::npos);
}

TEST(Edit, LiesAboutBodyAndStartLine) {
  MessageEdit edit;
  edit.body = "hello";
  edit.body_type = "text/plain";
  edit.content_length = "4711";
  edit.start_line = "INVITE  nonsense";
  const auto text = edited(edit);
  EXPECT_TRUE(text.starts_with("INVITE  nonsense\r\n"));
  EXPECT_THAT(text, HasSubstr("Content-Type: text/plain\r\n"));
  EXPECT_THAT(text, HasSubstr("Content-Length: 4711\r\n"));
  EXPECT_TRUE(text.ends_with("\r\n\r\nhello"));
}

TEST(Edit, UnknownReferenceIsReported) {
  MessageEdit edit;
  edit.call_id = "${nobody.call-id}";
  auto message = invite();
  EXPECT_FALSE(apply_edit(edit, message, context()));
}

// --- the observer

std::size_t changed_copies_reported(const std::string& method, const std::string& lower_via) {
  const auto message = parse_message(
      method + " sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n" +
      lower_via + "Max-Forwards: 70\r\nFrom: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:b@192.0.2.2>\r\n" +
      "Call-ID: x\r\nCSeq: 1 " + method + "\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(message);
  Seen seen;
  seen.message = &*message;
  seen.changed_copies = {1};
  const auto found = observe(std::span(&seen, 1), {}, {});
  return static_cast<std::size_t>(std::ranges::count_if(found, [](const Observation& one) {
    return one.finding.rule == "retransmission-identical";
  }));
}

TEST(Observer, WantsCopiesOctetForOctetOfWhatATransactionSends) {
  EXPECT_EQ(changed_copies_reported("OPTIONS", ""), 1U);
  EXPECT_EQ(changed_copies_reported("ACK", ""), 0U) << "13.2.2.4: the core's, for each 2xx";
  EXPECT_EQ(changed_copies_reported("OPTIONS", "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2\r\n"),
            0U)
      << "a proxy's: as what came in";
}

}  // namespace
}  // namespace sipassay::runner
