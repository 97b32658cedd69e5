// Live runs: the program against the program, over real sockets.
#include "tools/live.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tools/child_process.h"
#include "tools/live_probe.h"

namespace sipassay::tools {
namespace {

using runner::CaseResult;
using runner::Outcome;
using ::testing::HasSubstr;
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
  std::string report() const { return folder_ + "/report.json"; }
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
  Background agent(agent_command());
  const std::string udp = address_of(agent);
  std::vector<std::string> orders;
  for (const char* jobs : {"1", "20"}) {
    const Exit ended =
        run({"RFC3261-11.2", "RFC3261-17.2.2"}, udp, {"--jobs", jobs, "--seed", "5"});
    EXPECT_EQ(ended.status, 0) << ended.err;
    std::string order;
    const Json all = result();
    for (const Json& one : all["cases"])
      order += std::string(one["id"]) + " " + one["seed"].dump() + "\n";
    orders.push_back(order);
  }
  EXPECT_EQ(orders[0], orders[1]);
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
  const Exit ended = run({"RFC3261-11.2", "RFC3262-3-23"}, udp, {"--t1", "500ms"},
                         {.signal = SIGINT, .after = std::chrono::milliseconds(2'000)});
  EXPECT_EQ(ended.status, 2) << ended.err;
  const Json all = result();
  EXPECT_TRUE(all["run"]["partial"]);
  EXPECT_FALSE(all["cases"].empty());
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
