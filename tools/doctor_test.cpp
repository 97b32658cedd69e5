// The doctor's questions, put to the engine in virtual time: as it is, and as it misbehaves.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/agent/behaviour.h"
#include "engine/runner/run.h"
#include "tools/doctor_answer.h"
#include "tools/doctor_diagnosis.h"
#include "tools/doctor_questions.h"
#include "tools/doctor_report.h"

namespace sipassay::tools {
namespace {

using runner::Capability;
using runner::CapabilityKind;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The question as a case about that user of the embedded engine.
Question ask(Ask what, std::string subject, const std::string& user) {
  static std::size_t number = 0;
  Question out = question(what, std::move(subject), user, ++number, "");
  out.the_case.user = user.empty() ? "auto" : user;
  return out;
}

Meeting meet(Ask what, const std::string& user) {
  const Question one = ask(what, "", user);
  return meeting(Answer(one, runner::run_embedded(one.the_case, {})));
}

std::vector<Question> all_questions() {
  std::vector<Question> out;
  for (const Ask what : {Ask::Options, Ask::Hops, Ask::Datagram}) out.push_back(ask(what, "", ""));
  for (const char* user : {"auto", "ring", "reliable-wait", "busy"})
    out.push_back(ask(Ask::Call, "", user));
  out.push_back(ask(Ask::ReliableCall, "", "reliable-wait"));
  out.push_back(ask(Ask::Method, std::string(unknown_method), "auto"));
  for (const auto method : asked_methods)
    out.push_back(ask(Ask::Method, std::string(method), "auto"));
  for (const auto method : methods_asked_in_calls)
    out.push_back(ask(Ask::MethodInCall, std::string(method), "auto"));
  out.push_back(ask(Ask::Extension, std::string(unknown_word), "auto"));
  for (const auto tag : asked_extensions)
    out.push_back(ask(Ask::Extension, std::string(tag), "auto"));
  for (const auto package : asked_packages)
    out.push_back(ask(Ask::EventPackage, std::string(package), "auto"));
  for (const Ask what :
       {Ask::RequiresReliable, Ask::LateOffer, Ask::Reinvite, Ask::SessionTimer, Ask::Repeats})
    out.push_back(ask(what, "", "auto"));
  for (const char* package : {"x-sipassay", "g.sipassay.test"})
    out.push_back(ask(Ask::Info, package, "auto"));
  return out;
}

Diagnosis examine(const std::string& misbehaviour = {}, const scenarios::Profile& known = {}) {
  const auto questions = all_questions();
  std::vector<runner::CaseResult> results;
  for (const Question& one : questions)
    results.push_back(runner::run_embedded(one.the_case, {.misbehaviour = misbehaviour}));
  return diagnose(questions, results, {{{Transport::Udp, "192.0.2.1", 5060}, "", false}}, known);
}

std::string differences(const Diagnosis& diagnosis) {
  std::string out;
  for (const Symptom& one : diagnosis.symptoms)
    if (!one.difference.empty())
      out += fmt::format("{}: {}: {} ({})\n", one.subject, one.behaviour, one.difference,
                         one.clause ? to_string(*one.clause) : "");
  return out;
}

TEST(Question, EveryOneIsACaseThatAsksOneThing) {
  std::size_t number = 0;
  for (const char* domain : {"", "example.com"})
    for (int what = 0; what <= static_cast<int>(Ask::Repeats); ++what)
      for (const char* subject : {"x-sipassay", "MESSAGE", "REFER"}) {
        const Question one = question(static_cast<Ask>(what), subject, "u", ++number, domain);
        EXPECT_GE(one.the_case.steps.size(), 2U) << what << subject;
        EXPECT_EQ(one.the_case.transports.size(), 5U);
      }
}

TEST(Meeting, KnowsUsersByWhatTheyDo) {
  struct Row {
    std::string user, behaviour;
  };
  const Row rows[] = {{"auto", "auto"},
                      {"slow", "slow"},
                      {"queue", "queue"},
                      {"early-media", "early-media"},
                      {"ring", "ring"},
                      {"silent", "silent"},
                      {"busy", "busy"},
                      {"ring-busy", "ring-busy"},
                      {"no-answer", "no-answer"},
                      {"decline", "decline"},
                      {"forbidden", "forbidden"},
                      {"gone", "gone"},
                      {"unavailable", "unavailable"},
                      {"not-acceptable", "not-acceptable"},
                      {"error", "error"},
                      {"overload", "overload"},
                      {"redirect", "redirect"},
                      {"nobody", "nobody"},
                      {"glare", "glare"},
                      {"reinvite-offerless", "reinvite-offerless"},
                      {"hold", "hold"},
                      {"update", "update"},
                      {"update-empty", "update-empty"},
                      {"legacy-info", "legacy-info"},
                      {"message", "message"},
                      {"refer", "refer"},
                      {"hang-up", "hang-up"}};
  for (const Row& row : rows) {
    EXPECT_EQ(meet(Ask::Call, row.user).behaviour, row.behaviour) << row.user;
    EXPECT_TRUE(is_seen_in_calls(row.behaviour));
    EXPECT_NE(agent::behaviour_of(row.user), nullptr);
  }
  EXPECT_EQ(meet(Ask::Call, "ring").text, "180 Ringing after 0.0 s, no final answer in 4.0 s");
  EXPECT_EQ(meet(Ask::Call, "slow").text, "180 Ringing after 0.0 s, 200 OK after 2.0 s");
  EXPECT_EQ(meet(Ask::Call, "glare").text, "200 OK after 0.0 s, then it sends INVITE");
}

TEST(Meeting, KnowsWhoAnswersReliably) {
  for (const char* user :
       {"reliable", "reliable-ring", "reliable-wait", "reliable-ring-wait", "reliable-busy"})
    EXPECT_EQ(meet(Ask::ReliableCall, user).behaviour, user);
  EXPECT_EQ(meet(Ask::ReliableCall, "busy").behaviour, "busy");
}

TEST(Diagnosis, OfTheEngineIsClean) {
  const Diagnosis diagnosis = examine();
  EXPECT_EQ(differences(diagnosis), "");
  EXPECT_EQ(diagnosis.death, "");
  EXPECT_THAT(diagnosis.name, HasSubstr("sipassay"));
  EXPECT_EQ(diagnosis.answering_user, "auto");
  EXPECT_THAT(diagnosis.claimed_packages, Contains("presence"));
  EXPECT_THAT(diagnosis.claimed_info_packages, ElementsAre("g.sipassay.test"));
}

TEST(Diagnosis, AmountsToAProfile) {
  const scenarios::Profile profile = examine().profile;
  EXPECT_EQ(profile.name, "sipassay");
  EXPECT_EQ(profile.roles,
            (std::set{runner::SutRole::Uas, runner::SutRole::Uac, runner::SutRole::Registrar}));
  EXPECT_THAT(profile.addresses, ElementsAre(Endpoint{Transport::Udp, "192.0.2.1", 5060}));
  std::string users;
  for (const auto& user : profile.users)
    users += fmt::format("{}: {}\n", user.name, fmt::join(user.behaves, " "));
  EXPECT_EQ(users,
            "auto: auto late-offer\nring: ring\nreliable-wait: reliable-wait\n"
            "busy: busy\n");
  const auto has = [&](CapabilityKind kind, std::string word) {
    return find(profile.declared, {kind, std::move(word)});
  };
  EXPECT_EQ(has(CapabilityKind::Method, "UPDATE"), true);
  EXPECT_EQ(has(CapabilityKind::Method, "PUBLISH"), false);
  EXPECT_EQ(has(CapabilityKind::Extension, "timer"), true);
  EXPECT_EQ(has(CapabilityKind::Extension, "join"), false);
  EXPECT_EQ(has(CapabilityKind::EventPackage, "presence"), true);
  EXPECT_EQ(has(CapabilityKind::EventPackage, "reg"), false);
  EXPECT_EQ(has(CapabilityKind::InfoPackage, "g.sipassay.test"), true);
  EXPECT_EQ(profile.t1, std::nullopt);
}

TEST(Diagnosis, FindsWhereClaimAndBehaviourDiffer) {
  struct Row {
    std::string misbehaviour, difference;
  };
  const Row rows[] = {
      {"omits-supported", "OPTIONS: 200 OK: without Supported (RFC 3261 section 11.2, SHOULD)"},
      {"replaces-405-by-200",
       "method PUBLISH: 200 OK: it is understood, and Allow does not name it (RFC 3261 section "
       "20.5, MUST)"},
      {"replaces-501-by-200", "an unknown method: 200 OK with Allow: 405 or 501 is the answer"},
      {"ignores-require",
       "an unknown extension that is required: 200 OK: 420 is due (RFC 3261 section 8.2.2.3, "
       "MUST)"},
      {"refuses-cancel", "CANCEL of a call to ring: "},
      {"2xx-without-offer",
       "an INVITE without SDP: 200 OK: the offer is due in the 2xx (RFC 3261 section 13.2.1, "
       "MUST)"},
      {"never-retransmits",
       "a 2xx that is not acknowledged: not repeated: it is repeated until the ACK comes (RFC 3261 "
       "section 13.3.1.4, MUST)"},
      {"replaces-489-by-200", "event package reg: 200 OK: it is served, and Allow-Events does not"},
      {"replaces-200-to-info-by-469",
       "Info Package g.sipassay.test: 469 Bad Info Package: Recv-Info names it, and it is refused"},
  };
  for (const Row& row : rows) {
    const Diagnosis diagnosis = examine(row.misbehaviour);
    EXPECT_THAT(differences(diagnosis), HasSubstr(row.difference)) << row.misbehaviour;
    EXPECT_EQ(diagnosis.violations() > 0, row.difference.find("MUST)") != std::string::npos)
        << row.misbehaviour << "\n"
        << differences(diagnosis);
  }
}

TEST(Diagnosis, DeclaresNothingThatClaimAndBehaviourDoNotAgreeOn) {
  const auto declared = examine("replaces-405-by-200").profile.declared;
  EXPECT_EQ(find(declared, {CapabilityKind::Method, "PUBLISH"}), std::nullopt);
  const auto lax = examine("ignores-require").profile.declared;
  for (const char* tag : {"timer", "join"})
    EXPECT_EQ(find(lax, {CapabilityKind::Extension, tag}), std::nullopt) << tag;
}

TEST(Diagnosis, KeepsWhatWasKnownAndSaysWhereItIsNotSo) {
  scenarios::Profile known;
  known.name = "mine";
  known.users = {{"busy", {"auto"}, {}}, {"ring", {"ring", "timer-uas"}, {}}};
  known.start = scenarios::Command{.arguments = {"ua"}, .environment = {}, .directory = "."};
  known.declared = {{{CapabilityKind::Extension, "x-mine"}, true}};
  const Diagnosis diagnosis = examine("", known);
  EXPECT_EQ(differences(diagnosis),
            "user busy: 486 Busy Here after 0.0 s: it behaves as busy ()\n");
  EXPECT_EQ(diagnosis.violations(), 0U);
  EXPECT_EQ(diagnosis.profile.name, "mine");
  EXPECT_EQ(diagnosis.profile.start, known.start);
  EXPECT_EQ(find(diagnosis.profile.declared, {CapabilityKind::Extension, "x-mine"}), true);
  EXPECT_THAT(diagnosis.profile.users[1].behaves, ElementsAre("ring", "timer-uas"));
}

TEST(Diagnosis, ASutWithoutTcpBreaksAMust) {
  const Diagnosis diagnosis =
      diagnose({}, {},
               {{{Transport::Udp, "192.0.2.1", 5060}, "", false},
                {{Transport::Tcp, "192.0.2.1", 5060}, "Connection refused", true}},
               {});
  EXPECT_EQ(differences(diagnosis),
            "TCP at 192.0.2.1:5060: Connection refused: who listens on UDP must listen on TCP "
            "there (RFC 3261 section 18.2.1, MUST)\n");
  EXPECT_THAT(diagnosis.profile.addresses,
              ElementsAre(Endpoint{Transport::Udp, "192.0.2.1", 5060}));
  // The converse need not hold.
  EXPECT_EQ(diagnose({}, {},
                     {{{Transport::Tcp, "192.0.2.1", 5060}, "", false},
                      {{Transport::Udp, "192.0.2.1", 5060}, "no answer", true}},
                     {})
                .differences(),
            0U);
}

// What a SUT says is an octet string from anywhere.
TEST(Diagnosis, IsHarmlessWhateverTheSutSays) {
  const Question one = ask(Ask::Options, "", "");
  runner::CaseResult result;
  const std::string head =
      "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
      "To: <sip:b@c>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n";
  result.messages.push_back({{}, "peer", "sut", "OPTIONS sip:b SIP/2.0\r\n" + head + "\r\n"});
  std::string words;
  for (int i = 0; i < 1000; ++i) words += fmt::format("p{}, ", i);
  result.messages.push_back({{},
                             "sut",
                             "peer",
                             "SIP/2.0 200 \x1b[31mred\r\n" + head +
                                 "Server: \x1b]0;title\x07 <&\"' ${x}\r\nAllow-Events: " + words +
                                 "<evil>, a\"b, ${port}, " + std::string(300, 'z') +
                                 "\r\nAllow: \x1b[2J, INVITE\r\nContent-Length: 0\r\n\r\n"});
  const Diagnosis diagnosis =
      diagnose({one}, {result}, {{{Transport::Udp, "192.0.2.1", 5060}, "", false}}, {});
  EXPECT_EQ(diagnosis.claimed_packages.size(), claimed_words_max);
  for (const std::string& text : {diagnosis_text(diagnosis, false), diagnosis_json(diagnosis)})
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  const auto again = scenarios::read_profile(to_xml(diagnosis.profile), "p.xml");
  EXPECT_TRUE(again.has_value()) << to_xml(diagnosis.profile);
}

}  // namespace
}  // namespace sipassay::tools
