#include "scenarios/load.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <variant>

#include "scenarios/element.h"

namespace sipassay::scenarios {
namespace {

const std::string root = std::string(SIPASSAY_SOURCE_DIR) + "/scenarios";
const std::string testdata = root + "/testdata";

// A sound scenario around the given steps.
std::string scenario(std::string_view steps, std::string_view attributes = "") {
  return fmt::format(
      R"(<scenario xmlns="urn:sipassay:scenario:1" id="LOCAL-test-1" sut="uas" level="MUST" {}>
<title>T</title>
<clause rfc="3261" section="9">C</clause>
{}
</scenario>)",
      attributes, steps);
}

Loaded load(std::string_view steps, std::string_view attributes = "") {
  return load_text(scenario(steps, attributes), "x.xml", {testdata});
}

std::string errors_of(const Loaded& loaded) {
  std::string out;
  for (const auto& error : loaded.errors) out += to_string(error) + "\n";
  return out;
}

template <class T>
const T& step(const runner::Case& one, std::size_t index) {
  return std::get<T>(one.steps.at(index).action);
}

TEST(Load, ReadsTheHeaderOfACase) {
  const auto loaded = load_file(root + "/rfc3262/RFC3262-4-8.xml");
  ASSERT_EQ(errors_of(loaded), "");
  ASSERT_EQ(loaded.cases.size(), 1U);
  const auto& one = loaded.cases[0];
  EXPECT_EQ(one.id, "RFC3262-4-8");
  EXPECT_EQ(one.rows, std::vector<std::string>{"RFC3262-4-8"});
  EXPECT_EQ(one.role, runner::SutRole::Uac);
  EXPECT_EQ(one.level, Level::MustNot);
  EXPECT_EQ(one.clause(), (Clause{3262, "4", Level::MustNot}));
  EXPECT_EQ(one.transports, (std::vector{Transport::Udp, Transport::Tcp}));
  EXPECT_EQ(one.needs, (std::vector<std::string>{"100rel", "trigger"}));
  EXPECT_EQ(one.user, "auto");
}

TEST(Load, ReadsEveryKindOfStep) {
  const auto loaded = load(R"(
    <sut do="reject" next="INVITE" status="488"/>
    <send method="INVITE" as="invite" dialog="call" to-user="ring" sdp="offer:audio+video" cseq="+2" to-tag="" in-transaction="no">
      <set name="Supported" value="100rel"/><param name="Via" param="rport" value=""/>
    </send>
    <expect status="1xx|200" of="invite" as="ok" within="64*T1+1s" optional="yes">
      <header name="RSeq" at-least="1" level="SHOULD" section="3"/><sdp direction="recvonly|inactive" media="1"/>
    </expect>
    <expect method="BYE" as="bye"/>
    <reply status="200" to="bye" reason="Fine"/>
    <either>
      <branch><expect status="200"/></branch>
      <branch outcome="NON-STRICT" reason="r"><expect status="481"/></branch>
      <branch outcome="INFO" reason="r" silence="2*T1"/>
    </either>
    <unordered><expect status="200"/><expect status="487"/></unordered>
    <forbid method="*" during="2*T1"/>
    <again message="ok" at="500ms" tolerance="10ms"/>
    <resend message="invite"/>
    <network do="delay" direction="to-sut" method="ACK" count="2" by="1s"/>
    <wait for="T4"/>
    <state of="sut" dialog="call" signaling="stable" offer="${call.offer}"/>
    <dialog name="second" from="ok"/>
    <check message="ok"><sdp answers="invite"/></check>)");
  ASSERT_EQ(errors_of(loaded), "");
  const auto& one = loaded.cases.at(0);
  ASSERT_EQ(one.steps.size(), 15U);
  EXPECT_EQ(step<runner::SutStep>(one, 0).arguments.at("status"), "488");
  const auto& send = step<runner::SendStep>(one, 1);
  EXPECT_FALSE(send.in_transaction);
  EXPECT_EQ(send.edit.to_tag, "");
  EXPECT_EQ(send.edit.call_id, std::nullopt);
  ASSERT_EQ(send.edit.headers.size(), 2U);
  EXPECT_EQ(send.edit.headers[1].action, runner::HeaderEdit::Action::Param);
  const auto& expect = step<runner::ExpectStep>(one, 2);
  EXPECT_TRUE(expect.is_optional);
  EXPECT_EQ(expect.within->t1_multiple, 64);
  EXPECT_EQ(expect.within->fixed, 1s);
  const auto& header = std::get<runner::HeaderCheck>(expect.checks.at(0).check);
  EXPECT_EQ(header.op, runner::HeaderCheck::Op::AtLeast);
  EXPECT_EQ(header.level, Level::Should);
  EXPECT_EQ(step<runner::EitherStep>(one, 5).branches.at(1).outcome, runner::Outcome::NonStrict);
  EXPECT_EQ(step<runner::EitherStep>(one, 5).branches.at(2).silence->t1_multiple, 2);
  EXPECT_EQ(step<runner::NetworkStep>(one, 10).by.fixed, 1s);
  EXPECT_EQ(step<runner::WaitStep>(one, 11).span.t1_multiple, 10);
  EXPECT_EQ(step<runner::StateStep>(one, 12).fields.at("offer"), "${call.offer}");
  EXPECT_EQ(one.steps[12].line, 25U);
}

TEST(Load, ReadsCredentials) {
  const auto loaded = load(R"(
    <send method="OPTIONS" as="ask" credentials="no"/>
    <expect status="401" as="challenge"><header name="WWW-Authenticate" distinct="realm"/></expect>
    <send method="OPTIONS" for="challenge"><credentials scheme="Basic" nonce="n" nc=""/><remove name="To"/></send>)");
  ASSERT_EQ(errors_of(loaded), "");
  const auto& one = loaded.cases.at(0);
  EXPECT_FALSE(step<runner::SendStep>(one, 0).answers_challenges);
  EXPECT_FALSE(runner::answers_challenge(step<runner::SendStep>(one, 0)));
  const auto& again = step<runner::SendStep>(one, 2);
  EXPECT_TRUE(runner::answers_challenge(again));
  EXPECT_EQ(again.about, "challenge");
  EXPECT_TRUE(again.credentials.is_basic);
  EXPECT_EQ(again.credentials.nonce, "n");
  EXPECT_EQ(again.credentials.nc, "");
  EXPECT_EQ(again.credentials.user, std::nullopt);
  EXPECT_EQ(again.edit.headers.size(), 1U);
}

TEST(Load, ExpandsAFlowWithItsParameters) {
  const auto loaded = load(R"(<use flow="call" as="first" user="ring"/>
    <send method="BYE"><set name="Subject" value="${first-invite.cseq.number}"/></send>)");
  ASSERT_EQ(errors_of(loaded), "");
  const auto& one = loaded.cases.at(0);
  ASSERT_EQ(one.steps.size(), 3U);
  EXPECT_EQ(step<runner::SendStep>(one, 0).as, "first-invite");
  EXPECT_EQ(step<runner::SendStep>(one, 0).to_user, "ring");
  EXPECT_EQ(step<runner::ExpectStep>(one, 1).pattern.of, "first-invite");
  const auto& header =
      std::get<runner::HeaderCheck>(step<runner::ExpectStep>(one, 1).checks.at(0).check);
  EXPECT_EQ(header.value, "${first-invite.call-id}");
  EXPECT_EQ(one.steps[0].line, 4U);
  EXPECT_EQ(one.steps[0].flow, "call");
  EXPECT_EQ(one.steps[2].flow, "");
}

TEST(Load, ExpandsAFamilyIntoCasesWithStableIds) {
  const auto loaded = load(R"(<family name="header" values="To From"/>
    <family name="how"><value label="twice">a, b</value><value label="gone"></value></family>
    <send method="OPTIONS"><set name="${header}" value="${how}"/></send>)");
  ASSERT_EQ(errors_of(loaded), "");
  ASSERT_EQ(loaded.cases.size(), 4U);
  std::vector<std::string> ids;
  for (const auto& one : loaded.cases) ids.push_back(one.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"LOCAL-test-1@to+twice", "LOCAL-test-1@from+twice",
                                           "LOCAL-test-1@to+gone", "LOCAL-test-1@from+gone"}));
  EXPECT_EQ(step<runner::SendStep>(loaded.cases[1], 0).edit.headers[0].name, "From");
  EXPECT_EQ(step<runner::SendStep>(loaded.cases[1], 0).edit.headers[0].value, "a, b");
}

TEST(Load, ExpandsATableIntoCasesWithIdsOfTheirOwn) {
  const auto loaded = load_text(R"(<scenario xmlns="urn:sipassay:scenario:1" id="LOCAL-${n}-1@x"
      sut="uas" level="${level}" breaks="${breaks}">
    <title>T ${n}</title><clause rfc="3261" section="9">C</clause>
    <family>
      <row label="a" n="one" level="MUST" breaks="x y"/>
      <row label="b" n="two" level="MAY" breaks=""/>
    </family>
    <wait for="1s"/></scenario>)",
                                "x.xml", {testdata});
  ASSERT_EQ(errors_of(loaded), "");
  ASSERT_EQ(loaded.cases.size(), 2U);
  EXPECT_EQ(loaded.cases[0].id, "LOCAL-one-1@x");
  EXPECT_EQ(loaded.cases[0].breaks.size(), 2U);
  EXPECT_EQ(loaded.cases[1].id, "LOCAL-two-1@x");
  EXPECT_EQ(loaded.cases[1].level, Level::May);
  EXPECT_EQ(load(R"(<family><row label="a" n="1"/><row label="b" n="2"/></family>
    <wait for="${n}s"/>)")
                .cases.at(1)
                .id,
            "LOCAL-test-1@b");
}

TEST(Load, ReadsRawMessagesFromFilesBesideTheScenario) {
  const auto loaded =
      load_text(scenario(R"(<send><raw file="bigcode.dat" adapt="via end"/></send>)"),
                std::string(SIPASSAY_SOURCE_DIR) + "/scenarios/rfc4475/x.xml", {testdata});
  ASSERT_EQ(errors_of(loaded), "");
  const auto& edit = step<runner::SendStep>(loaded.cases.at(0), 0).edit;
  EXPECT_TRUE(edit.raw->starts_with("SIP/2.0 4294967301 "));
  EXPECT_TRUE(edit.adaptation.via);
  EXPECT_TRUE(edit.adaptation.end);
  EXPECT_FALSE(edit.adaptation.call_id);
}

TEST(Load, MakesOctetsOfBodies) {
  const auto loaded = load(R"(<send method="INFO"><body type="text/plain">
      one
        two
    </body></send>
    <send method="INFO"><body type="a/b" line-ends="none" escapes="yes">a\x00\r\n\\</body></send>
    <send><raw line-ends="lf">X</raw></send>)");
  ASSERT_EQ(errors_of(loaded), "");
  const auto& one = loaded.cases.at(0);
  EXPECT_EQ(step<runner::SendStep>(one, 0).edit.body, "one\r\n  two\r\n");
  EXPECT_EQ(step<runner::SendStep>(one, 1).edit.body, std::string("a\0\r\n\\", 5));
  EXPECT_EQ(step<runner::SendStep>(one, 2).edit.raw, "X\n");
}

TEST(Load, ReadsSpans) {
  struct Vector {
    std::string_view text;
    std::optional<runner::Span> span;
  };
  const Vector vectors[] = {{"1s", runner::Span{1s, 0}},
                            {"0.5s", runner::Span{500ms, 0}},
                            {"T1", runner::Span{0s, 1}},
                            {"64*T1", runner::Span{0s, 64}},
                            {"1.5*T2+3ms", runner::Span{3ms, 12}},
                            {"2min", runner::Span{120s, 0}},
                            {"", std::nullopt},
                            {"1", std::nullopt},
                            {"-1s", std::nullopt},
                            {"1s+", std::nullopt},
                            {"64T1", std::nullopt},
                            {"1e9s", std::nullopt},
                            {"9999999999999999999999s", std::nullopt},
                            {"nans", std::nullopt}};
  std::size_t ran = 0;
  for (const auto& [text, span] : vectors) {
    const auto read = span_from(text);
    ASSERT_EQ(read.has_value(), span.has_value()) << text;
    if (span) {
      EXPECT_EQ(read->fixed, span->fixed) << text;
      EXPECT_EQ(read->t1_multiple, span->t1_multiple) << text;
    }
    ++ran;
  }
  EXPECT_EQ(ran, std::size(vectors));
}

// --- errors: where, what was expected, what came
struct Wrong {
  std::string_view steps;
  std::string_view error;  // first one
};
class LoadErrors : public testing::TestWithParam<Wrong> {};

TEST_P(LoadErrors, SayWhereAndWhat) {
  const auto loaded = load(GetParam().steps);
  EXPECT_TRUE(loaded.cases.empty());
  ASSERT_FALSE(loaded.errors.empty());
  EXPECT_EQ(to_string(loaded.errors[0]), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Load, LoadErrors,
    testing::Values(
        Wrong{"<expct/>",
              "x.xml:4:1: expected one of title, clause, note, family, peer, sut, send, reply, "
              "expect, "
              "either, unordered, forbid, again, resend, network, wait, state, dialog, check, use; "
              "found <expct>"},
        Wrong{"<wait\n  fro='1s'/>", "x.xml:4:1: expected attribute for; found <wait> without it"},
        Wrong{"<wait for='1s'\n fro='1s'/>", "x.xml:5:2: expected one of for; found attribute fro"},
        Wrong{
            "<wait for='soon'/>",
            "x.xml:4:7: expected a time such as 500ms, 2s, T1, 64*T1 or 64*T1+1s; found \"soon\""},
        Wrong{"<wait for='1s' for='2s'/>",
              "x.xml:4:7: expected each attribute once; found for twice"},
        Wrong{"<family/><wait for='1s'/>",
              "x.xml:4:1: expected a name with values, or one <row> or more; found neither"},
        Wrong{"<family><row n='1'/></family><wait for='1s'/>",
              "x.xml:4:9: expected attribute label; found <row> without it"},
        Wrong{"<family><row label='a' n='1'/><row label='b'/></family><wait for='1s'/>",
              "x.xml:4:31: expected the attributes of the first <row>; found others"},
        Wrong{"<family><row label='a' as='1'/></family><wait for='1s'/>",
              "x.xml:4:24: expected a name of letters, digits, - and _; found \"as\""},
        Wrong{"<send><raw file='../x.dat'/></send>",
              "x.xml:4:12: expected the name of a file in the same folder; found \"../x.dat\""},
        Wrong{"<send><raw file='nosuch.dat'/></send>",
              "nosuch.dat: expected a file; found nothing of that name"},
        Wrong{"<send><raw adapt='to'>X</raw></send>",
              "x.xml:4:12: expected via, call-id, request-uri or end; found \"to\""},
        Wrong{"<wait for='1s'>x</wait>",
              "x.xml:4:16: expected elements in <wait>; found text \"x\""},
        Wrong{"<wait for='1s'><wait for='1s'/></wait>",
              "x.xml:4:16: expected nothing inside <wait>; found <wait>"},
        Wrong{"<sut do='dance'/>",
              "x.xml:4:6: expected one of call, ring, answer, reject, redirect, cancel, hang-up, "
              "reinvite, "
              "hold, resume, update, info, message, refer, subscribe, unsubscribe, options, "
              "register; found \"dance\""},
        Wrong{"<sut do='answer' status='200'/>",
              "x.xml:4:18: expected one of do; found attribute status"},
        Wrong{"<sut do='ring' reliable='maybe'/>",
              "x.xml:4:16: expected one of yes, no; found \"maybe\""},
        Wrong{"<send/>",
              "x.xml:4:1: expected attribute method, or <raw>; found <send> with neither"},
        Wrong{"<send method='IN VITE'/>", "x.xml:4:7: expected a method; found \"IN VITE\""},
        Wrong{"<send method='INVITE' sdp='offer:dance'/>",
              "x.xml:4:23: expected none, same, offer or answer, with traits as in "
              "offer:audio+video; found \"offer:dance\""},
        Wrong{"<send method='INVITE'><header name='To'/></send>",
              "x.xml:4:23: expected one of set, add, remove, double, compact, fold, first, last, "
              "param, remove-param, body, raw; "
              "found <header>"},
        Wrong{"<send method='OPTIONS'><credentials/></send>",
              "x.xml:4:24: expected one of set, add, remove, double, compact, fold, first, last, "
              "param, remove-param, body, raw; found <credentials>"},
        Wrong{"<send method='INVITE' as='a'/><send method='INVITE' for='a'><credentials "
              "scheme='Bearer'/></send>",
              "x.xml:4:74: expected one of Digest, Basic; found \"Bearer\""},
        Wrong{"<send method='INVITE' as='a'/><send method='INVITE' for='a' sdp='none'/>",
              "x.xml:4:31: expected no sdp= and no <raw> with for= a challenge; found one of them"},
        Wrong{"<expect status='401'><header name='WWW-Authenticate' quoted='yes'/></expect>",
              "x.xml:4:22: expected attribute param with quoted; found quoted without it"},
        Wrong{"<reply status='99'/>", "x.xml:4:8: expected a number from 100 to 699; found \"99\""},
        Wrong{"<reply status='200' to='nobody'/>",
              "x.xml:4:21: expected the name of an earlier message (as=); found \"nobody\""},
        Wrong{"<expect/>", "x.xml:4:1: expected a method or a status; found neither"},
        Wrong{"<expect status='2x'/>",
              "x.xml:4:9: expected statuses such as 200, 2xx, 400|416 or 101-199; found \"2x\""},
        Wrong{"<expect status='200'><header name='To' is='1' has='2'/></expect>",
              "x.xml:4:22: expected one condition; found 2 in one <header>"},
        Wrong{"<expect status='200'><header name='To' is='${nobody.tag}'/></expect>",
              "x.xml:4:40: expected the name of an earlier message, dialog or peer; found "
              "\"${nobody.tag}\""},
        Wrong{"<expect status='200'><header name='To' is='${nobody}'/></expect>",
              "x.xml:4:40: expected a parameter of the flow or a family of the scenario; found "
              "\"${nobody}\""},
        Wrong{"<expect status='200'><header name='To' is='${open'/></expect>",
              "x.xml:4:40: expected a } that closes ${; found \"${open\""},
        Wrong{"<send method='ACK' as='a'/><send method='ACK' as='a'/>",
              "x.xml:4:47: expected a name that nothing else has; found \"a\""},
        Wrong{"<either><branch><expect status='200'/></branch></either>",
              "x.xml:4:1: expected two or more <branch>; found 1"},
        Wrong{"<either><branch><wait for='1s'/></branch></either>",
              "x.xml:4:9: expected <expect> as the first step of a <branch>; found none"},
        Wrong{"<use flow='call'/>",
              "x.xml:4:1: expected attribute user of flow call; found <use> without it"},
        Wrong{"<use flow='call' user='a' uesr='b'/>",
              "x.xml:4:27: expected one of flow, as, user; found attribute uesr"},
        Wrong{"<send method='INFO'><body escapes='yes'>\\q</body></send>",
              "x.xml:4:21: expected escapes \\r \\n \\t \\\\ \\xHH; found \"\\q\""},
        Wrong{"<network do='drop' method='ACK' by='1s'/>",
              "x.xml:4:1: expected by with delay and only there; found otherwise"}),
    [](const auto& row) { return fmt::format("row{}", row.index); });

TEST(Load, RefusesFlowsThatDoNotExistOrUseThemselves) {
  for (const auto* name : {"nothing", "../load", "loop", "broken", "other-name"}) {
    const auto loaded = load(fmt::format("<use flow='{}'/>", name));
    EXPECT_TRUE(loaded.cases.empty()) << name;
    EXPECT_FALSE(loaded.errors.empty()) << name;
  }
  EXPECT_NE(
      errors_of(load("<use flow='loop'/>")).find("loop.xml:4:8: expected no flow inside itself"),
      std::string::npos);
  EXPECT_NE(errors_of(load("<use flow='broken'/>")).find("broken.xml:4:3: expected one of"),
            std::string::npos);
}

// --- hostile files
struct Hostile {
  std::string_view name;
  std::string text;
  std::string_view error;  // part of the first one
};

std::vector<Hostile> hostile_files() {
  const std::string good = scenario("<wait for='1s'/>");
  std::string deep, steps, flood;
  for (std::size_t i = 0; i < 20'000; ++i) deep += "<a>";
  for (std::size_t i = 0; i <= steps_max; ++i) steps += "<wait for='1s'/>";
  for (std::size_t i = 0; i < 100; ++i) flood += "<nothing/>";
  std::string huge_values;
  for (std::size_t i = 0; i <= family_members_max; ++i) huge_values += fmt::format("v{} ", i);
  const std::string bomb =
      "<!DOCTYPE lolz [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>" + good;
  return {
      {"empty", "", "expected"},
      {"blank", "  \n ", "expected a root element; found none"},
      {"text", "hello", "x.xml:1:1: expected one root element and nothing beside it; found text"},
      {"noise", std::string("\x01\x02\xff\x00\x80", 5), "x.xml:1:1: expected UTF-8 text"},
      {"nul", "<scenario>" + std::string(1, '\0') + "</scenario>", "found octet 0x00"},
      {"latin1", "<scenario>\xe9</scenario>", "x.xml:1:11: expected UTF-8 text"},
      {"overlong", "<scenario>\xc0\xaf</scenario>", "found octet 0xc0"},
      {"surrogate", "<scenario>\xed\xa0\x80</scenario>", "found octet 0xed"},
      {"unclosed", good.substr(0, good.size() - 5), "expected well-formed XML"},
      {"mismatch", "<scenario></flow>", "expected well-formed XML; found start-end tags mismatch"},
      {"two roots", good + good, "found a second root <scenario>"},
      {"doctype", "<!DOCTYPE scenario SYSTEM 'http://example.com/x.dtd'>" + good,
       "found a DOCTYPE"},
      {"entity bomb", bomb, "expected"},
      {"entity", scenario("<wait for='&x;'/>"),
       "expected &amp; &lt; &gt; &quot; &apos; or a character reference; found &x;"},
      {"lone ampersand", scenario("<wait for='a & b'/>"), "expected &amp;"},
      {"processing instruction", scenario("<?php system('id') ?><wait for='1s'/>"),
       "found a processing instruction <?php?>"},
      {"inclusion",
       scenario("<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='/etc/passwd'/>"),
       "found <xi:include>"},
      {"other root", "<flow xmlns='urn:sipassay:scenario:1'/>",
       "expected <scenario>; found <flow>"},
      {"no namespace", "<scenario id='LOCAL-a-1'/>", "expected xmlns=\"urn:sipassay:scenario:1\""},
      {"deep", "<scenario>" + deep, "expected"},
      {"deep and closed",
       "<scenario xmlns='urn:sipassay:scenario:1'>" +
           [] {
             std::string text;
             for (int i = 0; i < 20'000; ++i) text += "<a>";
             for (int i = 0; i < 20'000; ++i) text += "</a>";
             return text;
           }() +
           "</scenario>",
       "expected at most 16 elements inside each other; found <a> at depth 17"},
      {"large", std::string(file_octets_max + 1, ' '), "expected at most 262144 octets"},
      {"many steps", scenario(steps), "expected at most 1000 steps; found one more"},
      {"flood of errors", scenario(flood), "found <nothing>"},
      {"many members", scenario("<family name='v' values='" + huge_values + "'/><wait for='1s'/>"),
       "expected at most 256 members of a family"},
      {"product of families",
       scenario(
           "<family name='a' values='1 2 3 4 5 6 7 8'/><family name='b' values='1 2 3 4 5 6 7 8'/>"
           "<family name='c' values='1 2 3 4 5 6 7 8'/><wait for='1s'/>"),
       "expected at most 256 members"},
      {"expansion",
       scenario("<family name='v'><value label='a'>" + std::string(40'000, 'x') +
                "</value></family>"
                "<send method='INFO'><set name='X' value='${v}${v}'/></send>"),
       "expected at most 65536 octets of text"},
      {"nested references", scenario("<wait for='${${${${${${a}}}}}}'/>"),
       "expected at most 4 ${ inside each other"},
      {"no steps", scenario(""), "expected at least one step; found none"},
  };
}

TEST(Load, RefusesHostileFiles) {
  std::size_t ran = 0;
  for (const auto& [name, text, error] : hostile_files()) {
    const auto loaded = load_text(text, "x.xml", {testdata});
    EXPECT_TRUE(loaded.cases.empty()) << name;
    ASSERT_FALSE(loaded.errors.empty()) << name;
    EXPECT_LE(loaded.errors.size(), errors_max) << name;
    EXPECT_NE(to_string(loaded.errors[0]).find(error), std::string::npos)
        << name << ": " << to_string(loaded.errors[0]);
    ++ran;
  }
  EXPECT_EQ(ran, 29U);
}

TEST(Load, AcceptsWhatIsJustWithinTheLimits) {
  std::string steps, values, deep;
  for (std::size_t i = 0; i < steps_max; ++i) steps += "<wait for='1s'/>";
  EXPECT_EQ(errors_of(load(steps)), "");
  for (std::size_t i = 0; i < family_members_max; ++i) values += fmt::format("v{} ", i);
  EXPECT_EQ(load("<family name='v' values='" + values + "'/><wait for='1s'/>").cases.size(),
            family_members_max);
  std::string padded = scenario("<wait for='1s'/>");
  padded += std::string(file_octets_max - padded.size(), '\n');
  EXPECT_EQ(load_text(padded, "x.xml", {testdata}).cases.size(), 1U);
}

TEST(Load, SurvivesEveryTruncation) {
  const std::string good =
      scenario("<send method='INFO'><body type='a/b' escapes='yes'>\\x41 ${sut.uri}</body></send>");
  for (std::size_t length = 0; length < good.size(); ++length) {
    const auto loaded = load_text(good.substr(0, length), "x.xml", {testdata});
    EXPECT_TRUE(loaded.cases.empty()) << length;
    EXPECT_FALSE(loaded.errors.empty()) << length;
  }
}

TEST(Load, HoldsIdsAgainstTheCatalogue) {
  const auto with = [](std::string_view id, std::string_view level, std::string_view section,
                       std::string_view more = "") {
    return errors_of(load_text(
        fmt::format(R"(<scenario xmlns="urn:sipassay:scenario:1" id="{}" sut="uas" level="{}" {}>
<title>T</title><clause rfc="3262" section="{}">C</clause><wait for="1s"/></scenario>)",
                    id, level, more, section),
        "x.xml", {testdata}));
  };
  EXPECT_EQ(with("RFC3262-4-8", "MUST NOT", "4"), "");
  EXPECT_EQ(with("RFC3262-4-8@tcp", "MUST NOT", "4", "rows='RFC3262-4-9'"), "");
  EXPECT_NE(with("RFC3262-4-99", "MUST NOT", "4")
                .find("x.xml:1:43: expected a row of the catalogue; found \"RFC3262-4-99\""),
            std::string::npos);
  EXPECT_NE(with("RFC3262-4-8", "MUST", "4").find("expected MUST NOT, as the catalogue says"),
            std::string::npos);
  EXPECT_NE(with("RFC3262-4-8", "MUST NOT", "3").find("section=\"4\">, as the catalogue says"),
            std::string::npos);
  EXPECT_NE(with("RFC3262-4-8", "MUST NOT", "4", "rows='RFC1-1-1'")
                .find("expected a row of the catalogue; found \"RFC1-1-1\""),
            std::string::npos);
  EXPECT_NE(with("3262-4-8", "MUST NOT", "4").find("expected RFC<number>-<section>-<n>"),
            std::string::npos);
  EXPECT_NE(with("LOCAL-4", "MUST", "4").find("expected RFC<number>-<section>-<n>"),
            std::string::npos);
}

// --- trees
class LoadTree : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / fmt::format("sipassay_load_test_{}", ::getpid());
    std::filesystem::create_directories(folder_ / "flows");
    std::filesystem::create_directories(folder_ / "b");
    write("a1.xml", 1);
    write("b/a2.xml", 2);
    std::ofstream(folder_ / "flows/f.xml") << "<not a flow>";
    std::ofstream(folder_ / "readme.txt") << "no";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, int number) {
    auto text = scenario("<wait for='1s'/>");
    text.replace(text.find("test-1"), 6, fmt::format("test-{}", number));
    std::ofstream(folder_ / name) << text;
  }
  std::string path(const std::string& name = "") const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
};

TEST_F(LoadTree, TakesFilesFoldersAndGlobs) {
  EXPECT_EQ(load_tree(path()).cases.size(), 2U);
  EXPECT_EQ(load_tree(path("b")).cases.size(), 1U);
  EXPECT_EQ(load_tree(path("a*.xml")).cases.size(), 1U);
  EXPECT_EQ(load_tree(std::vector{path("a1.xml"), path("b/?2.xml")}).cases.size(), 2U);
  EXPECT_EQ(errors_of(load_tree(path())), "");
}

TEST_F(LoadTree, SaysWhatIsNotThere) {
  EXPECT_EQ(errors_of(load_tree(path("c.xml"))),
            path("c.xml") + ": expected a file; found nothing of that name\n");
  EXPECT_EQ(errors_of(load_tree(path("c*.xml"))),
            path("c*.xml") + ": expected scenario files; found none\n");
  EXPECT_FALSE(load_file(path("b")).errors.empty());
  EXPECT_FALSE(load_tree("/dev/zero").errors.empty());
}

TEST_F(LoadTree, RefusesAnIdThatOccursTwice) {
  write("b/a3.xml", 1);
  const auto loaded = load_tree(path());
  EXPECT_EQ(loaded.cases.size(), 2U);
  EXPECT_EQ(
      errors_of(loaded),
      fmt::format(
          "{}:1:1: expected an id that no other case has; found \"LOCAL-test-1\", also in {}\n",
          path("b/a3.xml"), path("a1.xml")));
}

TEST_F(LoadTree, KeepsSoundFilesBesideBrokenOnes) {
  std::ofstream(folder_ / "broken.xml") << "<scenario";
  const auto loaded = load_tree(path());
  EXPECT_EQ(loaded.cases.size(), 2U);
  EXPECT_EQ(loaded.errors.size(), 1U);
}

// --- our own files
TEST(Suite, LoadsWithoutErrors) {
  const auto loaded = load_tree(root);
  EXPECT_EQ(errors_of(loaded), "");
  EXPECT_GT(loaded.cases.size(), 0U);
}

TEST(Suite, KeepsToTheSchema) {
  std::string files, known;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const auto& path = entry.path();
    if (path.extension() != ".xml" || path.string().find("testdata") != std::string::npos) continue;
    (path.parent_path().filename() == "known" ? known : files) += " '" + path.string() + "'";
  }
  const auto keeps_to = [](const char* schema, const std::string& names) {
    const std::string command = fmt::format(
        "out=$(xmllint --noout --nonet --schema '{}/{}' {} 2>&1) ||"
        " {{ echo \"$out\" | grep -v ' validates$' >&2; exit 1; }}",
        root, schema, names);
    return std::system(command.c_str()) == 0;
  };
  EXPECT_TRUE(keeps_to("scenario.xsd", files));
  EXPECT_TRUE(keeps_to("known.xsd", known + " " + testdata + "/known.xml"));
}

}  // namespace
}  // namespace sipassay::scenarios
