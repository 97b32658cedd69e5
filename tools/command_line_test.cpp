// The program as a user meets it: statuses, one-line complaints, help that is true.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "engine/agent/behaviour.h"
#include "reports/json.h"
#include "reports/testdata/sample.h"
#include "tools/child_process.h"

namespace sipassay::tools {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

Exit program(std::vector<std::string> arguments, const Start& how = {}) {
  arguments.insert(arguments.begin(), SIPASSAY_PROGRAM);
  return start(arguments, how);
}

// A folder that goes away with its test.
class CommandLine : public testing::Test {
 protected:
  CommandLine() : folder_(testing::TempDir() + "sipassay." + std::to_string(getpid())) {
    fs::create_directories(folder_);
  }
  ~CommandLine() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  static std::string read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string sample() const {
    std::string json;
    reports::render_json(reports::testdata::sample(), {}, json);
    return file("sample.json", json);
  }

 private:
  std::string folder_;
};

std::set<std::string> commands() {
  std::set<std::string> out;
  const std::string help = program({"--help"}).out;
  const std::regex row(R"(\n  ([a-z]+) +)");
  for (std::sregex_iterator at(help.begin(), help.end(), row), end; at != end; ++at)
    out.insert((*at)[1].str());
  return out;
}

TEST_F(CommandLine, HelpIsThereForEveryCommand) {
  EXPECT_EQ(program({"--help"}).status, 0);
  EXPECT_EQ(program({"--version"}).out.substr(0, 9), "sipassay ");
  EXPECT_GE(commands().size(), 3U);
  for (const std::string& command : commands()) {
    const Exit exit = program({command, "--help"});
    EXPECT_EQ(exit.status, 0) << command;
    EXPECT_THAT(exit.out, HasSubstr("Usage: sipassay " + command));
    EXPECT_EQ(exit.err, "");
  }
}

TEST_F(CommandLine, EveryOptionIsInTheManualPage) {
  std::string page = read(std::string(SIPASSAY_SOURCE_DIR) + "/tools/sipassay.1");
  page = std::regex_replace(page, std::regex(R"(\\-)"), "-");
  const std::regex option(R"((--[a-z0-9][a-z0-9-]*))");
  std::size_t count = 0;
  for (const std::string& command : commands()) {
    EXPECT_THAT(page, HasSubstr("sipassay " + command));
    const std::string help = program({command, "--help"}).out;
    for (std::sregex_iterator at(help.begin(), help.end(), option), end; at != end; ++at, ++count)
      EXPECT_THAT(page, testing::ContainsRegex((*at)[1].str() + "[^a-z0-9-]")) << command;
  }
  EXPECT_GT(count, 10U);
}

TEST_F(CommandLine, TheReadmeListsEveryUserOfUa) {
  const std::string readme = read(std::string(SIPASSAY_SOURCE_DIR) + "/README.md");
  for (const agent::Behaviour& row : agent::behaviours())
    EXPECT_THAT(readme, HasSubstr(fmt::format("| `{}` | {} |\n", row.user, row.summary)));
}

TEST_F(CommandLine, BadUsageIsOneLineAndStatusThree) {
  const std::vector<std::vector<std::string>> rows = {
      {},
      {"frobnicate"},
      {"fro\nb\x1b[31m"},
      {"list", "--frob"},
      {"list", "NO-SUCH-ID"},
      {"list", "--role", "boss"},
      {"list", "--level", "perhaps"},
      {"list", "--transport", "pigeon"},
      {"list", "--list-format", "xml"},
      {"list", "--scenarios", path("nowhere")},
      {"list", "--failed-from", path("nowhere.json")},
      {"list", "--exclude", "*"},
      {"list", "--tag", "no-such-tag"},
      {"show"},
      {"doctor"},
      {"doctor", "--sut", "nowhere"},
      {"doctor", "--profile", path("nowhere.xml")},
      {"doctor", "--sut", "udp:127.0.0.1:9", "--report", "html"},
      {"doctor", "--sut", "udp:127.0.0.1:9", "--write", path("no/such/folder/x")},
      {"soak", "--calls", "0"},
      {"soak", "--loss", "91"},
      {"soak", "--delay", "ten"},
      {"soak", "--call", "-1"},
      {"report"},
      {"report", path("nowhere.json")},
      {"report", path("")},
      {"report", "a.json", "b.json"},
      {"report", sample(), "--report", "pigeon"},
      {"report", sample(), "--report", "json="},
      {"report", sample(), "--report", "json", "--report", "text"},
      {"report", sample(), "--report", "json=" + path("no/such/folder/x.json")},
      {"report", sample(), "--report", "json=" + path("")},
      {"report", file("bad.json", "{\"schema\": 1")},
      {"report", file("other.json", "{\"schema\": 99}")},
  };
  for (const auto& row : rows) {
    const Exit exit = program(row);
    const std::string what = testing::PrintToString(row);
    EXPECT_EQ(exit.status, 3) << what << exit.err;
    EXPECT_EQ(exit.out, "") << what;
    EXPECT_EQ(std::ranges::count(exit.err, '\n'), 1) << what << exit.err;
    EXPECT_THAT(exit.err, testing::StartsWith("sipassay: ")) << what;
    EXPECT_THAT(exit.err, Not(HasSubstr("\x1b"))) << what;
  }
}

TEST_F(CommandLine, ABrokenScenarioIsNamedWithItsLine) {
  const Exit exit = program({"list", file("broken.xml", "<scenario>\n<frob/>\n")});
  EXPECT_EQ(exit.status, 3);
  EXPECT_THAT(exit.err, testing::ContainsRegex("broken.xml:[0-9]+:[0-9]+: "));
  EXPECT_THAT(exit.err, HasSubstr("in scenario files\n"));
}

TEST_F(CommandLine, ListIsATableThatFeedsRun) {
  const Exit all = program({"list"});
  EXPECT_EQ(all.status, 0);
  EXPECT_THAT(all.out, testing::StartsWith("id\tsut\tlevel"));
  const std::string second = all.out.substr(all.out.find('\n') + 1);
  const std::string id = second.substr(0, second.find('\t'));
  const Exit one = program({"list", id});
  EXPECT_EQ(one.status, 0);
  EXPECT_THAT(one.out, HasSubstr("\n" + id + "\t"));
  EXPECT_THAT(program({"show", id}).out, testing::StartsWith(id + "  "));
  EXPECT_THAT(program({"list", "--list-format", "json", id}).out,
              HasSubstr("\"id\": \"" + id + "\""));
}

TEST_F(CommandLine, AFileOrFolderSelectsToo) {
  const std::string folder = std::string(SIPASSAY_SOURCE_DIR) + "/scenarios/rfc3262";
  const Exit exit = program({"list", folder});
  EXPECT_EQ(exit.status, 0) << exit.err;
  EXPECT_THAT(exit.out, HasSubstr("\tscenarios/rfc3262/"));
  EXPECT_THAT(exit.out, Not(HasSubstr("\tscenarios/rfc3261/")));
}

TEST_F(CommandLine, RunTwiceWithOneSeedGivesTheSameOctets) {
  const std::string first = path("first.json");
  const std::string second = path("second.json");
  program({"run", "RFC3262-4", "--seed", "7", "--report", "json=" + first});
  program({"run", "RFC3262-4", "--seed", "7", "--report", "json=" + second});
  EXPECT_GT(read(first).size(), 1000U);
  EXPECT_EQ(read(first), read(second));
  program({"run", "RFC3262-4", "--seed", "8", "--report", "json=" + second});
  EXPECT_NE(read(first), read(second));
  EXPECT_TRUE(reports::load_json(read(first)));
}

TEST_F(CommandLine, RunWritesEveryReportAtOnce) {
  std::vector<std::string> arguments = {"run", "RFC3262-4-8"};
  for (const char* name : {"json", "junit", "html", "text"}) {
    arguments.emplace_back("--report");
    arguments.push_back(std::string(name) + "=" + path(name));
  }
  const Exit exit = program(arguments);
  EXPECT_EQ(exit.status, 0) << exit.out << exit.err;
  EXPECT_THAT(exit.out, HasSubstr("1 case: 1 PASS\n"));
  for (const char* name : {"json", "junit", "html", "text"})
    EXPECT_THAT(read(path(name)), HasSubstr("RFC3262-4-8")) << name;
  EXPECT_EQ(read(path("text")), exit.out);
}

TEST_F(CommandLine, RunRefusesBadOptions) {
  const std::vector<std::vector<std::string>> rows = {
      {"run", "--adapter", "true"},  {"run", "--teeth", "--expect", "baresip"},
      {"run", "--seed", "x"},        {"run", "--sut", "nowhere"},
      {"run", "--t1", "0"},          {"run", "--jobs", "4"},
      {"run", "NO-SUCH-ID"},         {"run", "--repeat", "0"},
      {"run", "--report", "pigeon"}, {"run", "--teeth", "--sut", "udp:127.0.0.1"},
  };
  for (const auto& row : rows) {
    const Exit exit = program(row);
    EXPECT_EQ(exit.status, 3) << testing::PrintToString(row);
    EXPECT_EQ(std::ranges::count(exit.err, '\n'), 1) << exit.err;
  }
}

TEST_F(CommandLine, UaCallsAndSaysByItsStatusHowThatWent) {
  // Itself: any port, so it is not known before; nobody listens on port 9.
  const std::vector<std::string> ua = {"ua", "--listen", "udp:127.0.0.1:0", "--t1", "20ms"};
  auto refused = ua;
  refused.insert(refused.end(), {"--call", "sip:auto@127.0.0.1:9", "--calls", "2"});
  const Exit exit = program(refused);
  EXPECT_EQ(exit.status, 1) << exit.err;
  EXPECT_THAT(exit.out, HasSubstr("call 1 failed: not answered: "));
  EXPECT_THAT(exit.out, HasSubstr("2 calls, 2 failed\n"));
  auto patient = ua;
  patient.insert(patient.end(), {"--call", "sip:auto@127.0.0.1:9", "--calls", "1000000"});
  const Exit stopped =
      program(patient, {.signal = SIGINT, .after = std::chrono::milliseconds(500)});
  EXPECT_THAT(stopped.status, testing::AnyOf(1, 2)) << stopped.err;
  EXPECT_THAT(stopped.out, HasSubstr("; interrupted\n"));
}

TEST_F(CommandLine, UaRefusesBadOptions) {
  const std::vector<std::vector<std::string>> rows = {
      {"--call", "bob"},
      {"--call", "tel:+15551234"},
      {"--then", "hold"},
      {"--calls", "2"},
      {"--call", "sip:bob@127.0.0.1", "--then", "frob"},
      {"--call", "sip:bob@127.0.0.1", "--then", "await-bye", "--then", "hold"},
      {"--call", "sip:bob@127.0.0.1", "--rate", "0"},
      {"--digest-algorithm", "SHA-512-256"},
      {"--digest-algorithm", "MD5", "--digest-algorithm", "md5"},
  };
  for (auto row : rows) {
    row.insert(row.begin(), {"ua", "--listen", "udp:127.0.0.1:0"});
    const Exit exit = program(row);
    EXPECT_EQ(exit.status, 3) << testing::PrintToString(row);
    EXPECT_EQ(std::ranges::count(exit.err, '\n'), 1) << exit.err;
  }
}

TEST_F(CommandLine, DryRunRunsNothing) {
  const Exit exit = program({"run", "--dry-run", "RFC3262-4-8"});
  EXPECT_EQ(exit.status, 0);
  EXPECT_EQ(exit.out, program({"list", "RFC3262-4-8"}).out);
}

TEST_F(CommandLine, AnInterruptLeavesAPartialReport) {
  const std::string json = path("partial.json");
  const Exit exit = program({"run", "--repeat", "1000", "--report", "json=" + json},
                            {.signal = SIGINT, .after = std::chrono::milliseconds(700)});
  EXPECT_THAT(exit.status, testing::AnyOf(1, 2)) << exit.err;
  EXPECT_THAT(exit.out, HasSubstr("PARTIAL: interrupted after "));
  const auto loaded = reports::load_json(read(json));
  ASSERT_TRUE(loaded) << loaded.error();
  EXPECT_TRUE(loaded->run.partial);
}

TEST_F(CommandLine, TeethAreShown) {
  const Exit exit = program({"run", "--teeth", "RFC3262-4-8"});
  EXPECT_EQ(exit.status, 0) << exit.out;
  EXPECT_THAT(exit.out, HasSubstr("bites    RFC3262-4-8"));
  EXPECT_THAT(exit.out, HasSubstr("1 case, "));
}

TEST_F(CommandLine, ACaseWithoutTeethFails) {
  const std::string name = std::string(SIPASSAY_SOURCE_DIR) + "/scenarios/rfc3262/RFC3262-4-8.xml";
  const std::string text = std::regex_replace(read(name), std::regex("breaks=\"[^\"]*\""),
                                              "breaks=\"no-such-misbehaviour\"");
  const Exit exit = program({"run", "--teeth", file("toothless.xml", text)});
  EXPECT_EQ(exit.status, 1) << exit.out << exit.err;
  EXPECT_THAT(exit.out, HasSubstr("no such misbehaviour"));
  EXPECT_THAT(exit.out, HasSubstr("1 without teeth"));
}

TEST_F(CommandLine, TablesPrintTheMachinesThatRun) {
  const Exit markdown = program({"tables"});
  EXPECT_EQ(markdown.status, 0) << markdown.err;
  EXPECT_THAT(markdown.out, HasSubstr("| Calling | 2xx | "));
  EXPECT_THAT(markdown.out, HasSubstr("| RFC 6026 "));
  EXPECT_THAT(markdown.out, HasSubstr("## offer/answer"));
  const Exit dot = program({"tables", "--format", "dot", "invite server"});
  EXPECT_THAT(dot.out, testing::StartsWith("digraph \"INVITE server\" {"));
  EXPECT_EQ(program({"tables", "carousel"}).status, 3);
  EXPECT_EQ(program({"tables", "--format", "svg"}).status, 3);
}

TEST_F(CommandLine, ReportRendersAStoredResult) {
  const std::string html = path("out.html");
  const std::string junit = path("out.xml");
  const Exit exit =
      program({"report", sample(), "--report", "html=" + html, "--report", "junit=" + junit});
  EXPECT_EQ(exit.status, 0) << exit.err;
  EXPECT_THAT(exit.out, HasSubstr("11 cases: 1 PASS"));
  EXPECT_THAT(read(html), testing::StartsWith("<!doctype html>"));
  EXPECT_THAT(read(junit), testing::StartsWith("<?xml"));
  EXPECT_EQ(program({"report", sample(), "--report", "json"}).out, read(path("sample.json")));
}

TEST_F(CommandLine, LintFindsWhatACallBetweenOthersBreaks) {
  const std::string capture = SIPASSAY_SOURCE_DIR "/tools/testdata/sipp_call.pcap";
  const std::string sarif = path("call.sarif");
  const Exit exit = program({"lint", capture, "--report", "text", "--report", "sarif=" + sarif});
  EXPECT_EQ(exit.status, 1);
  EXPECT_THAT(exit.out, HasSubstr("6 SIP messages in 6 frames"));
  // RFC 3264 6: the o= line of an answer MUST be different; this stack echoes it.
  EXPECT_THAT(exit.out, HasSubstr("error answer-fits-offer: RFC 3264 section 6, MUST"));
  EXPECT_THAT(exit.out, HasSubstr("1 errors, 0 warnings, 0 notes"));
  std::ifstream file(sarif);
  const auto log = nlohmann::json::parse(file);
  EXPECT_EQ(log["version"], "2.1.0");
  EXPECT_EQ(log["runs"][0]["results"][0]["ruleId"], "answer-fits-offer");
}

TEST_F(CommandLine, LintSaysWhatIsWrongWithTheFile) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"lint"},
        {"lint", "/nonexistent.pcap"},
        {"lint", SIPASSAY_SOURCE_DIR "/README.md"},
        {"lint", SIPASSAY_SOURCE_DIR "/tools/testdata/sipp_call.pcap", "--report", "html"}}) {
    const Exit exit = program(arguments);
    EXPECT_EQ(exit.status, 3);
    EXPECT_EQ(std::ranges::count(exit.err, '\n'), 1) << exit.err;
  }
  const Exit rules = program({"lint", "--rules"});
  EXPECT_EQ(rules.status, 0);
  EXPECT_THAT(rules.out,
              HasSubstr("via-branch-cookie              RFC 3261 section 8.1.1.7, MUST"));
}

TEST_F(CommandLine, NoColoursInAPipe) {
  const Exit exit = program({"report", sample()}, {.environment = {"TERM=xterm", "CI="}});
  EXPECT_THAT(exit.out, Not(HasSubstr("\x1b[")));
}

TEST_F(CommandLine, AFullDiskIsNoSuccess) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const Exit exit = program({"report", sample(), "--report", "json=/dev/full"});
  EXPECT_EQ(exit.status, 3);
  EXPECT_THAT(exit.err, HasSubstr("/dev/full: No space left on device"));
  EXPECT_THAT(exit.out, HasSubstr("11 cases"));  // the other report is not lost
}

}  // namespace
}  // namespace sipassay::tools
