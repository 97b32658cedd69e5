// Live runs: the program against the program, over real sockets.
#include "tools/live.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "scenarios/profile.h"
#include "tools/child_process.h"
#include "tools/live_blame.h"
#include "tools/live_probe.h"

namespace sipassay::tools {
namespace {

using runner::CaseResult;
using runner::Outcome;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

// --- who is to blame

CaseResult crash(std::string id, std::vector<std::pair<std::string, int>> from_and_at,
                 std::int64_t offending) {
  CaseResult out;
  out.id = std::move(id);
  out.outcome = Outcome::Crash;
  out.offending = offending;
  for (const auto& [from, at] : from_and_at) {
    runner::TranscriptEntry entry;
    entry.at = Instant(std::chrono::milliseconds(at));
    entry.from = from;
    out.messages.push_back(entry);
  }
  return out;
}

TEST(BlameOne, IsTheFirstMessageAfterTheLastWord) {
  // Case b begins at 10: its times are 12 (peer), 15 (sut), 20 (peer).
  CaseResult a = crash("a", {{"peer", 1}, {"sut", 2}, {"peer", 25}}, 2);
  CaseResult b = crash("b", {{"peer", 2}, {"sut", 5}, {"peer", 10}}, 2);
  CaseResult c = crash("c", {{"peer", 3}}, 0);  // unanswered, but others were answered after it
  const CaseResult* culprit = blame_one({&a, &b, &c}, {Instant{}, Instant{10ms}, Instant{}});
  EXPECT_EQ(culprit, &b);
  EXPECT_EQ(b.outcome, Outcome::Crash);
  EXPECT_EQ(a.outcome, Outcome::Error);
  EXPECT_THAT(a.reason, HasSubstr("most probably by b"));
  EXPECT_EQ(c.outcome, Outcome::Error);
}

TEST(BlameOne, IsTheLastMessageBeforeTheLastWordIfNoneCameAfter) {
  CaseResult a = crash("a", {{"peer", 1}}, 0);
  CaseResult b = crash("b", {{"peer", 2}}, 0);
  CaseResult c = crash("c", {{"peer", 1}, {"sut", 9}}, -1);
  EXPECT_EQ(blame_one({&a, &b, &c}, {Instant{}, Instant{}, Instant{}}), &b);
}

TEST(BlameOne, OfOneIsThatOne) {
  CaseResult a = crash("a", {}, -1);
  EXPECT_EQ(blame_one({&a}, {Instant{}}), &a);
  EXPECT_EQ(a.outcome, Outcome::Crash);
}

TEST(WasIgnored, IsWhoAskedForHalfATransactionAndMore) {
  CaseResult refused = crash("refused", {{"sut", 1}, {"peer", 2}, {"peer", 600}}, 1);
  CaseResult ignored = crash("ignored", {{"sut", 1}, {"peer", 2}, {"peer", 16'002}}, 1);
  EXPECT_FALSE(was_ignored(refused, 500ms));
  EXPECT_TRUE(was_ignored(ignored, 500ms));
  EXPECT_FALSE(was_ignored(crash("nothing", {}, -1), 500ms));
}

// --- how many at once

TEST(Pace, DoublesWhileTheSutAnswersAtOnce) {
  Pace pace(32);
  EXPECT_EQ(pace.jobs(), Pace::first);
  for (int i = 0; i < 5; ++i) pace.answered(10ms);
  EXPECT_EQ(pace.jobs(), 32U);
}

TEST(Pace, HalvesWhenItFallsBehindAndThenGrowsOneByOne) {
  Pace pace(32);
  for (int i = 0; i < 3; ++i) pace.answered(10ms);
  pace.answered(Pace::strain + 1us);
  EXPECT_EQ(pace.jobs(), 16U);
  pace.answered(Pace::strain);  // neither calm nor behind
  EXPECT_EQ(pace.jobs(), 16U);
  pace.answered(Pace::calm);
  EXPECT_EQ(pace.jobs(), 17U);
  for (int i = 0; i < 9; ++i) pace.answered(5s);
  EXPECT_EQ(pace.jobs(), 1U);
}

TEST(Pace, NeverReachesAgainWhatFoundTheLinesTaken) {
  Pace pace(32);
  for (int i = 0; i < 5; ++i) pace.answered(10ms);
  pace.busy(16);
  EXPECT_EQ(pace.jobs(), 16U);
  for (int i = 0; i < 5; ++i) pace.answered(10ms);
  EXPECT_EQ(pace.jobs(), 16U);
  pace.busy(0);
  EXPECT_EQ(pace.jobs(), 1U);
}

// --- whole runs

class Live : public ::testing::Test {
 protected:
  Live() : folder_(::testing::TempDir() + "sipassay.live." + std::to_string(::getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~Live() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  // Listens on any port; the address of its UDP side.
  static std::string address_of(Background& agent) {
    const std::string line = agent.line();
    const std::size_t start = line.find("udp:");
    return start == std::string::npos ? "" : line.substr(start, line.find(' ', start) - start);
  }
  Exit run(const std::vector<std::string>& cases, const std::string& sut,
           const std::vector<std::string>& more = {}, const Start& how = {}) const {
    std::vector<std::string> all{SIPASSAY_PROGRAM, "run", "--sut", sut, "--user", "all"};
    if (std::ranges::find(more, "--t1") == more.end()) all.insert(all.end(), {"--t1", "20ms"});
    all.insert(all.end(),
               {"--report", "json=" + report(), "--report", "text=" + folder_ + "/text"});
    all.insert(all.end(), more.begin(), more.end());
    all.insert(all.end(), cases.begin(), cases.end());
    return start(all, how);
  }
  static std::string free_port() {
    Background agent(agent_command());
    const std::string udp = address_of(agent);
    return udp.substr(udp.rfind(':') + 1);
  }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string report() const { return path("report.json"); }
  Json result() const {
    std::ifstream in(report(), std::ios::binary);
    return Json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  }
  static std::vector<std::string> agent_command() {
    return {SIPASSAY_PROGRAM, "ua", "--listen", "udp:127.0.0.1:0", "--t1", "20ms"};
  }

 private:
  std::string folder_;
};

TEST_F(Live, TheProxyHoldsItsOwnCasesOverUdpAndTcp) {
  auto command = agent_command();
  command.emplace_back("--proxy");
  Background proxy(command);
  const std::string udp = address_of(proxy);
  ASSERT_FALSE(udp.empty());
  const std::vector<std::string> cases{"RFC3261-16.6-5", "RFC3261-16.6-14", "RFC3261-16.7-3",
                                       "RFC3261-16.7-17", "RFC3261-16.10-2"};
  for (const std::string& sut : {udp, "tcp" + udp.substr(3)}) {
    EXPECT_EQ(run(cases, sut).status, 0) << sut;
    const Json all = result();
    EXPECT_EQ(all["cases"].size(), cases.size());
    for (const Json& one : all["cases"])
      EXPECT_EQ(one["outcome"], "PASS") << one["id"] << ": " << one["reason"];
  }
}

TEST_F(Live, TheEngineHoldsItsOwnSuiteOverUdpAndTcp) {
  Background agent(agent_command());
  const std::string udp = address_of(agent);
  ASSERT_FALSE(udp.empty());
  const std::vector<std::string> cases{"RFC3261-11.2", "RFC3261-15", "RFC3261-17.2", "RFC3262-4"};
  const Exit over_udp = run(cases, udp, {"--jobs", "16", "--role", "uas", "--role", "uac"});
  EXPECT_EQ(over_udp.status, 0) << over_udp.err;
  std::size_t passed = 0;
  const Json over_udp_all = result();
  for (const Json& one : over_udp_all["cases"]) {
    passed += one["outcome"] == "PASS";
    EXPECT_THAT(std::string(one["outcome"]), ::testing::AnyOf("PASS", "INFO", "NOT-APPLICABLE"))
        << one["id"] << ": " << one["reason"];
  }
  EXPECT_GE(passed, 15U);
  EXPECT_EQ(over_udp_all["run"]["sut"], udp);

  const Exit over_tcp = run({"RFC3261-17"}, "tcp" + udp.substr(3), {"--jobs", "32"});
  EXPECT_EQ(over_tcp.status, 0) << over_tcp.err;
  EXPECT_EQ(agent.end(SIGTERM), 0);
}

TEST_F(Live, OrderDoesNotDependOnJobs) {
  std::vector<std::string> orders;
  for (const char* jobs : {"1", "20"}) {
    Background agent(agent_command());
    const Exit ended =
        run({"RFC3261-11.2", "RFC3261-17.2.2"}, address_of(agent), {"--jobs", jobs, "--seed", "5"});
    EXPECT_EQ(ended.status, 0) << ended.err;
    std::string order;
    const Json all = result();
    for (const Json& one : all["cases"])
      order += std::string(one["id"]) + " " + one["seed"].dump() + "\n";
    orders.push_back(order);
  }
  EXPECT_EQ(orders[0], orders[1]);
}

TEST_F(Live, WhatLastsLongerThanItMayIsLeftOutAndSaysSo) {
  Background agent(agent_command());
  const Exit ended = run({"RFC3261-11.2-1", "RFC4028-10-2", "RFC3261-17.2.1-7"}, address_of(agent),
                         {"--longest", "20s"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  const Json all = result();
  ASSERT_EQ(all["cases"].size(), 3U);
  EXPECT_EQ(all["cases"][0]["outcome"], "PASS");
  EXPECT_EQ(all["cases"][1]["outcome"], "PASS");  // its 64*T1 are short with that T1
  EXPECT_EQ(all["cases"][2]["outcome"], "NOT-APPLICABLE");
  EXPECT_EQ(all["cases"][2]["reason"], "it lasts 60 s: longer than --longest allows");
}

TEST_F(Live, ASutThatIsNotThereIsOneLineAndAnError) {
  const Exit ended = run({"RFC3261-11.2"}, "udp:127.0.0.1:9");
  EXPECT_EQ(ended.status, 2);
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("cannot be reached at udp:127.0.0.1:9: Connection refused"));
  const Json all = result();
  EXPECT_GE(all["cases"].size(), 5U);
  for (const Json& one : all["cases"]) EXPECT_EQ(one["outcome"], "ERROR");
  EXPECT_THAT(run({"RFC3261-11.2"}, "tcp:127.0.0.1:9").err, HasSubstr("Connection refused"));
  EXPECT_EQ(run({"RFC3261-11.2"}, "udp:no.such.host.invalid:5060").status, 2);
}

TEST_F(Live, ASutThatDiesIsACrashWithTheMessageAndACompleteReport) {
  Background agent({SIPASSAY_PROGRAM, "ua", "--listen", "udp:127.0.0.1:0", "--t1", "100ms"});
  const std::string udp = address_of(agent);
  // Its final response goes unacknowledged for 64*T1: time enough to kill it.
  std::jthread killer([&agent] {
    std::this_thread::sleep_for(std::chrono::seconds(3));
    agent.end(SIGKILL);
  });
  const Exit ended =
      run({"RFC3261-17.2.1-7", "RFC3261-11.2", "RFC3261-15"}, udp, {"--t1", "100ms"});
  EXPECT_EQ(ended.status, 1);
  const Json all = result();
  int crashed = 0;
  for (const Json& one : all["cases"])
    if (one["outcome"] == "CRASH") {
      ++crashed;
      EXPECT_GE(int(one["offending"]), 0);
      EXPECT_FALSE(one["messages"].empty());
    }
  EXPECT_EQ(crashed, 1);
  EXPECT_FALSE(all["run"]["partial"]);
  const Exit listed =
      start({SIPASSAY_PROGRAM, "list", "RFC3261-17.2.1-7", "RFC3261-11.2", "RFC3261-15"});
  EXPECT_EQ(all["cases"].size() + 1, std::size_t(std::ranges::count(listed.out, '\n')));
}

TEST_F(Live, AnInterruptLeavesAPartialReport) {
  Background agent(agent_command());
  const std::string udp = address_of(agent);
  const Exit ended = run({"RFC3261-11.2", "RFC3262-3-23"}, udp, {"--t1", "500ms", "--jobs", "2"},
                         {.signal = SIGINT, .after = std::chrono::milliseconds(2'000)});
  EXPECT_EQ(ended.status, 2) << ended.err;
  const Json all = result();
  EXPECT_TRUE(all["run"]["partial"]);
  EXPECT_FALSE(all["cases"].empty());
}

// --- by a profile

class LiveProfile : public Live {
 protected:
  // The engine as what the profile starts, on a port that was free a moment ago.
  std::string profile(const std::string& more, const std::string& option = "--seed") const {
    const std::string file = path("profile.xml");
    std::ofstream(file) << "<profile xmlns='urn:sipassay:profile:1' name='ua' roles='uas'>"
                           "<address at='udp:127.0.0.1:" +
                               port_ +
                               "'/>"
                               "<address at='tcp:127.0.0.1:" +
                               port_ +
                               "'/>"
                               "<user behaves='all'/><run t1='20ms' jobs='8'/>"
                               "<start command='" SIPASSAY_PROGRAM
                               "' within='20s'>"
                               "<argument>ua</argument><argument>--listen</argument>"
                               "<argument>udp:${host}:${port}</argument><argument>--t1</argument>"
                               "<argument>20ms</argument><argument>" +
                               option +
                               "</argument>"
                               "<argument>1</argument></start>" +
                               more + "</profile>";
    return file;
  }
  Exit run_by(const std::string& file, std::vector<std::string> more) const {
    more.insert(more.begin(), {SIPASSAY_PROGRAM, "run", "--profile", file, "--report",
                               "json=" + report(), "--report", "text=" + path("text")});
    return start(more);
  }
  const std::string& port() const { return port_; }

 private:
  const std::string port_ = free_port();
};

TEST_F(LiveProfile, StartsTheSutRunsEveryTransportAndStopsIt) {
  const Exit ended = run_by(profile(""), {"RFC3261-11.2", "RFC3261-18.3-7", "RFC3261-10.3-1",
                                          "--exclude", "RFC3261-11.2-9"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  const Json all = result();
  std::set<std::string> transports;
  std::map<std::string, int> outcomes;
  for (const Json& one : all["cases"]) {
    ++outcomes[one["outcome"]];
    if (one["outcome"] == "PASS") transports.insert(one["transport"]);
    if (one["outcome"] == "NOT-APPLICABLE") {
      EXPECT_THAT(std::string(one["reason"]), HasSubstr("no registrar by its profile"));
    }
  }
  EXPECT_GE(outcomes["PASS"], 8);
  EXPECT_EQ(outcomes["NOT-APPLICABLE"], 1);
  EXPECT_EQ(outcomes.size(), 2U);
  EXPECT_EQ(transports, (std::set<std::string>{"tcp", "udp"}));
  EXPECT_EQ(all["run"]["sut"], "udp:127.0.0.1:" + port() + " tcp:127.0.0.1:" + port());
  EXPECT_THAT(std::string(all["cases"][0]["repeat"]),
              HasSubstr(" --profile " + path("profile.xml")));
  // It is gone: another may have the port.
  Background next({SIPASSAY_PROGRAM, "ua", "--listen", "udp:127.0.0.1:" + port()});
  EXPECT_THAT(next.line(), HasSubstr("ready: udp:127.0.0.1:" + port()));
  const Exit taken = run_by(profile(""), {"RFC3261-11.2-1"});
  EXPECT_EQ(taken.status, 2);
  EXPECT_THAT(taken.err, HasSubstr("is in use: end what runs there, or take --no-start"));
  EXPECT_EQ(run_by(profile(""), {"RFC3261-11.2-1", "--no-start"}).status, 0);
}

TEST_F(LiveProfile, ASutThatDoesNotStartIsAnErrorWithItsLastWords) {
  const Exit ended = run_by(profile("", "--pigeon"), {"--role", "uas", "RFC3261-11.2"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("ended with status 3 before it answered; it said: sipassay: "
                                   "unrecognised option '--pigeon'"));
  const Json all = result();
  for (const Json& one : all["cases"]) EXPECT_EQ(one["outcome"], "ERROR");
}

TEST_F(LiveProfile, ResetsTheSutBeforeWhatRunsAlone) {
  const std::string log = path("resets");
  const std::string reset = "<reset shell='yes' command='echo x &gt;&gt; \"$1\"'><argument>" + log +
                            "</argument></reset>";
  const std::string file = profile(reset);
  std::string text;
  {
    std::ifstream in(file);
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  text.replace(text.find("roles='uas'"), 11, "roles='registrar uas'");
  std::ofstream(file) << text;
  const Exit ended = run_by(file, {"RFC3261-10.3-1", "RFC3261-10.3-16", "RFC3261-11.2-1"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  std::ifstream in(log);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "x\nx\n");
}

TEST_F(LiveProfile, WhatItDeclaresCountsAndTheWireMayContradictIt) {
  const Exit ended = run_by(profile("<extensions has='x-teleport' lacks='100rel'/>"),
                            {"RFC3262-3-1", "RFC3261-11.2-1"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  const Json all = result();
  EXPECT_EQ(all["cases"].size(), 2U);
  for (const Json& one : all["cases"]) {
    if (one["id"] == "RFC3262-3-1") {
      EXPECT_EQ(one["outcome"], "UNSUPPORTED");
      EXPECT_THAT(std::string(one["reason"]), HasSubstr("profile says that it lacks"));
      continue;
    }
    EXPECT_EQ(one["outcome"], "PASS");
    const Json& finding = one["findings"].at(0);
    EXPECT_EQ(finding["rule"], "profile-extensions");
    EXPECT_EQ(finding["observed"], "Supported names 100rel");
    EXPECT_GE(int(finding["count"]), 2);
  }
}

TEST_F(LiveProfile, AnAddressWhereNobodyIsCostsOnlyItsCases) {
  Background agent(agent_command());
  const std::string udp = address_of(agent);
  const std::string file = path("profile.xml");
  std::ofstream(file) << "<profile xmlns='urn:sipassay:profile:1' name='ua'><address at='" + udp +
                             "'/><address at='tcp:127.0.0.1:9'/><user behaves='all'/>"
                             "<run t1='20ms'/></profile>";
  const Exit ended = run_by(file, {"RFC3261-11.2-1", "RFC3261-18.3-7"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("the SUT cannot be reached at tcp:127.0.0.1:9: Connection"));
  const Json all = result();
  int passed = 0, errors = 0;
  for (const Json& one : all["cases"]) {
    passed += one["outcome"] == "PASS";
    errors += one["outcome"] == "ERROR";
  }
  EXPECT_GE(passed, 1);
  EXPECT_GE(errors, 1);
}

// --- the doctor

class LiveDoctor : public LiveProfile {
 protected:
  Exit doctor(std::vector<std::string> more) const {
    more.insert(more.begin(), {SIPASSAY_PROGRAM, "doctor", "--report", "json=" + report()});
    return start(more);
  }
};

TEST_F(LiveDoctor, WritesAProfileThatARunTakes) {
  Background agent(agent_command());
  const std::string udp = address_of(agent);
  const std::string file = path("written.xml");
  const Exit seen = doctor({"--sut", udp, "--t1", "20ms", "--ask", "auto", "--ask", "busy", "--ask",
                            "reliable-wait", "--write", file});
  EXPECT_EQ(seen.status, 0) << seen.err << seen.out;
  EXPECT_THAT(seen.out, HasSubstr("0 differences, 0 of them to a MUST"));
  const Json all = result();
  EXPECT_EQ(all["sut"]["addresses"].size(), 2U);
  EXPECT_EQ(all["users"].size(), 3U);
  EXPECT_EQ(all["violations"], 0);
  EXPECT_GT(all["symptoms"].size(), 30U);

  const auto profile = scenarios::load_profile(file);
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->addresses.size(), 2U);
  EXPECT_EQ(profile->roles.count(runner::SutRole::Registrar), 1U);
  // It repeats a 2xx after 20 ms.
  ASSERT_TRUE(profile->t1);
  EXPECT_LE(*profile->t1, 100ms);
  const std::string lint = "xmllint --noout --nonet --schema '" SIPASSAY_SOURCE_DIR
                           "/scenarios/profile.xsd' '" +
                           file + "' 2>/dev/null";
  EXPECT_EQ(std::system(lint.c_str()), 0);

  const Exit ended =
      run_by(file, {"RFC3261-11.2", "RFC3261-17.2.1-7", "RFC3262-3-7", "--jobs", "8"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  std::map<std::string, int> outcomes;
  const Json run = result();
  for (const Json& one : run["cases"]) {
    ++outcomes[one["outcome"]];
    for (const Json& finding : one["findings"])
      EXPECT_THAT(std::string(finding["rule"]), ::testing::Not(::testing::StartsWith("profile-")));
  }
  EXPECT_GE(outcomes["PASS"], 6);
  EXPECT_EQ(outcomes["FAIL"] + outcomes["ERROR"] + outcomes["CRASH"], 0);
  EXPECT_EQ(agent.end(SIGTERM), 0);
}

TEST_F(LiveDoctor, StartsASutByItsProfileAndKeepsWhatItSays) {
  const std::string file = profile("<reset command='true'/>");
  const std::string written = path("again.xml");
  const Exit seen = doctor({"--profile", file, "--ask", "nobody", "--write", written});
  EXPECT_EQ(seen.status, 0) << seen.err << seen.out;
  const auto before = scenarios::load_profile(file);
  const auto after = scenarios::load_profile(written);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->start, before->start);
  EXPECT_EQ(after->reset, before->reset);
  EXPECT_EQ(after->t1, before->t1);
  EXPECT_EQ(after->jobs, before->jobs);
  EXPECT_TRUE(after->has_every_behaviour);
  ASSERT_EQ(after->users.size(), 1U);
  EXPECT_EQ(after->users[0].name, "nobody");
}

TEST_F(LiveDoctor, SaysThatNobodyIsThere) {
  const Exit seen = doctor({"--sut", "udp:127.0.0.1:9"});
  EXPECT_EQ(seen.status, 2);
  EXPECT_THAT(seen.err, HasSubstr("the SUT cannot be reached at udp:127.0.0.1:9: Connection"));
  EXPECT_EQ(seen.out, "");
}

// --- by an adapter

TEST_F(Live, AnAdapterMakesTheSutCall) {
  const std::string port = free_port();
  const Exit ended =
      run({"RFC3261-13.2.1", "RFC3261-14.1-5", "RFC3261-9.1", "RFC3515-2.4.1-1", "RFC3261-10.2-1"},
          "udp:127.0.0.1:" + port,
          {"--jobs", "16", "--adapter",
           SIPASSAY_PROGRAM " ua --listen udp:127.0.0.1:${port} --t1 20ms --adapter"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  std::map<std::string, int> outcomes;
  const Json all = result();
  for (const Json& one : all["cases"])
    if (one["role"] == "uac") ++outcomes[one["outcome"]];
  EXPECT_GE(outcomes["PASS"], 10);
  EXPECT_EQ(outcomes.size(), 1U);
}

TEST_F(Live, WhatAnAdapterDoesNotKnowIsUnsupported) {
  Background agent(agent_command());
  const std::string udp = address_of(agent);
  const std::vector<std::string> cases{"RFC3261-13.2.1-1", "RFC3261-13.2.1-2"};
  for (const char* adapter : {"echo ready; while read n c; do echo $n unsupported; done",
                              "echo ready; read n; exit 127"}) {
    EXPECT_EQ(run(cases, udp, {"--adapter", adapter}).status, 0);
    const Json all = result();
    for (const Json& one : all["cases"]) EXPECT_EQ(one["outcome"], "UNSUPPORTED");
  }
  // What cannot be told is nobody's fault but ours.
  EXPECT_EQ(run(cases, udp, {"--adapter", "echo ready; read n; exit 1"}).status, 2);
  const Json failed = result();
  EXPECT_EQ(failed["cases"].size(), 2U);
  for (const Json& one : failed["cases"]) {
    EXPECT_EQ(one["outcome"], "ERROR");
    EXPECT_THAT(std::string(one["reason"]), HasSubstr("adapter"));
  }
  const Exit missing = run(cases, udp, {"--adapter", "/no/such/adapter"});
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.err, HasSubstr("the adapter cannot be used: ended with status 127"));
}

// --- a SUT that dies

class LiveCrash : public Live {
 protected:
  LiveCrash() {
    kill_by_info(1);
    for (int i = 2; i < 6; ++i)
      scenario(
          i, R"(<send method="OPTIONS" as="m"/><wait for="300ms"/><expect status="200" of="m"/>)");
  }
  void kill_by_info(int number) const {
    scenario(
        number,
        R"(<use flow="established-call" as="call"/><wait for="300ms"/><send method="INFO" as="m" dialog="call"/>
                   <expect status="200|469" of="m"/><use flow="hang-up" dialog="call"/>)");
  }
  Json run_against(const char* method, const char* how, const char* jobs,
                   const std::vector<std::string>& more = {}, int status = 1) const {
    const std::string port = free_port();
    const std::string profile = path("fragile.xml");
    std::ofstream(profile) << "<profile xmlns='urn:sipassay:profile:1' name='fragile'>"
                              "<address at='udp:127.0.0.1:"
                           << port << "'/><run t1='20ms'/><start command='" SIPASSAY_FRAGILE_SUT
                           << "' within='20s'><argument>${port}</argument><argument>" << method
                           << "</argument><argument>" << how << "</argument></start></profile>";
    std::vector<std::string> all{
        SIPASSAY_PROGRAM,   "run",      "--profile",           profile, "--jobs", jobs, "--report",
        "json=" + report(), "--report", "text=" + path("text")};
    all.insert(all.end(), more.begin(), more.end());
    for (int i = 1; i < 6; ++i) all.push_back(path(std::to_string(i) + ".xml"));
    const Exit ended = start(all);
    EXPECT_EQ(ended.status, status) << ended.err;
    return result();
  }
  // The first case is a CRASH, confirmed, because of a message that begins so; the others PASS.
  static void expect_crash(const Json& all, const std::string& message, const std::string& reason) {
    ASSERT_EQ(all["cases"].size(), 5U);
    const Json& first = all["cases"][0];
    EXPECT_EQ(first["outcome"], "CRASH");
    EXPECT_THAT(std::string(first["reason"]), HasSubstr(reason));
    EXPECT_THAT(std::string(first["reason"]),
                HasSubstr("; so it did when the case ran once more, alone"));
    const int offending = first["offending"];
    ASSERT_GE(offending, 0);
    EXPECT_THAT(std::string(first["messages"][std::size_t(offending)]["text"]),
                ::testing::StartsWith(message));
    for (std::size_t i = 1; i < 5; ++i)
      EXPECT_EQ(all["cases"][i]["outcome"], "PASS") << all["cases"][i]["reason"];
  }

 private:
  void scenario(int number, const char* steps) const {
    std::ofstream(path(std::to_string(number) + ".xml"))
        << "<scenario xmlns='urn:sipassay:scenario:1' id='LOCAL-fragile-" << number
        << "' sut='uas' level='MUST'><title>T</title><clause rfc='3261' section='11'>C</clause>"
        << steps << "</scenario>";
  }
};

TEST_F(LiveCrash, TheCaseThatKillsTheSutIsNamedAndRunOnceMoreAndTheOthersGoOn) {
  for (const char* jobs : {"1", "8"})
    expect_crash(run_against("INFO", "kill", jobs), "INFO ",
                 "the SUT died: its process was ended by signal 11; most probably of: INFO ");
}

TEST_F(LiveCrash, EachOfSeveralThatKillTheSutIsFound) {
  kill_by_info(4);
  const Json all = run_against("INFO", "kill", "8");
  ASSERT_EQ(all["cases"].size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    const Json& one = all["cases"][i];
    const bool kills = i == 0 || i == 3;
    EXPECT_EQ(one["outcome"], kills ? "CRASH" : "PASS") << one["reason"];
    if (kills) {
      EXPECT_THAT(std::string(one["reason"]),
                  HasSubstr("; so it did when the case ran once more, alone"));
    }
  }
}

TEST_F(LiveCrash, WhatIsKnownToKillTheSutNeedsNoProof) {
  std::ofstream(path("known.xml"))
      << "<known xmlns='urn:sipassay:known:1' stack='fragile' version='1'><case "
         "match='LOCAL-fragile-1' "
         "outcome='CRASH' rfc='3261' section='11'>It dies of INFO.</case></known>";
  const Json all = run_against("INFO", "kill", "8", {"--expect", path("known.xml")}, 0);
  ASSERT_EQ(all["cases"].size(), 5U);
  EXPECT_EQ(all["cases"][0]["outcome"], "XFAIL");
  EXPECT_THAT(std::string(all["cases"][0]["reason"]), Not(HasSubstr("once more")));
  for (std::size_t i = 1; i < 5; ++i) EXPECT_EQ(all["cases"][i]["outcome"], "PASS");
}

TEST_F(LiveCrash, AnAckGetsTheBlameWhenItIsToBlame) {
  expect_crash(run_against("ACK", "kill", "1"), "ACK ", "most probably of: ACK ");
}

TEST_F(LiveCrash, WhatASanitizerSaysIsACrash) {
  expect_crash(run_against("INFO", "report", "1"), "INFO ",
               "the SUT died: ==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1");
}

TEST_F(LiveCrash, ASutThatHangsIsStartedAgain) {
  expect_crash(run_against("INFO", "hang", "1"), "INFO ",
               "the SUT no longer answers; most probably of: INFO ");
}

TEST(Ua, SaysThatAPortIsInUse) {
  Background agent({SIPASSAY_PROGRAM, "ua", "--listen", "udp:127.0.0.1:0"});
  const std::string line = agent.line();
  const std::size_t start_of = line.find("udp:");
  const std::string udp = line.substr(start_of, line.find(' ', start_of) - start_of);
  const Exit second = start({SIPASSAY_PROGRAM, "ua", "--listen", udp});
  EXPECT_EQ(second.status, 2);
  EXPECT_EQ(second.err, "sipassay: cannot listen on " + udp + ": Address already in use\n");
  EXPECT_EQ(agent.end(SIGINT), 0);
}

}  // namespace
}  // namespace sipassay::tools
