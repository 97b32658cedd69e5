#include "tools/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tools/run_options.h"

namespace sipassay::tools {
namespace {

RunOptions from(const Arguments& arguments) {
  po::options_description options;
  add_run_options(options);
  options.add_options()("transport", po::value<std::vector<std::string>>()->composing(), "");
  return run_options(parse({"run", "", ""}, arguments, options).value());
}

std::string complaint(const Arguments& arguments) {
  try {
    from(arguments);
  } catch (const UsageError& error) {
    return error.message;
  }
  return {};
}

TEST(RunOptions, HaveDefaults) {
  const RunOptions options = from({});
  EXPECT_FALSE(options.is_live());
  EXPECT_EQ(options.seed, 1U);
  EXPECT_EQ(options.jobs, 1U);
  EXPECT_EQ(options.timings.t1, 500ms);
  EXPECT_EQ(options.timings.t2, 4s);
  EXPECT_EQ(options.timings.t4, 5s);
  EXPECT_EQ(options.timings.d, 32s);
}

TEST(RunOptions, T1ScalesAllTimers) {
  const RunOptions options = from({"--t1", "50ms"});
  EXPECT_EQ(options.timings.t2, 400ms);
  EXPECT_EQ(options.timings.timeout(), 3200ms);
}

TEST(RunOptions, TimesHaveUnits) {
  EXPECT_EQ(from({"--t1", "250"}).timings.t1, 250ms);
  EXPECT_EQ(from({"--t1", "1.5s"}).timings.t1, 1500ms);
  EXPECT_EQ(from({"--t1", "2s"}).timings.t1, 2s);
}

TEST(RunOptions, ALiveSutGetsASeedOfItsOwn) {
  EXPECT_NE(from({"--sut", "udp:127.0.0.1"}).seed, from({"--sut", "udp:127.0.0.1"}).seed);
  EXPECT_EQ(from({"--sut", "tcp:[::1]:5070", "--seed", "9"}).seed, 9U);
}

TEST(RunOptions, OnlyWhatChangesTheRunIsKept) {
  EXPECT_THAT(from({"--seed", "7", "--t1", "250", "--strict", "--quiet"}).named,
              testing::ElementsAre("--t1=250", "--strict"));
}

class ProfileOptions : public testing::Test {
 protected:
  ProfileOptions() : file_(testing::TempDir() + "sipassay.p." + std::to_string(getpid()) + ".xml") {
    std::ofstream(file_)
        << R"(<profile xmlns="urn:sipassay:profile:1" name="p" domain="example.com">
      <address at="udp:192.0.2.7:5070"/><address at="tcp:192.0.2.7:5071"/>
      <user name="alice" behaves="auto ring"/>
      <user name="bob" behaves="digest" login="bob" password="b"/>
      <login user="carol" password="c"/>
      <run t1="100ms" jobs="16" timeout="90s" tolerance="1s"/>
    </profile>)";
  }
  ~ProfileOptions() override { std::filesystem::remove(file_); }
  RunOptions with(Arguments more = {}) const {
    more.insert(more.begin(), {"--profile", file_});
    return from(more);
  }
  const std::string& file() const { return file_; }

 private:
  std::string file_;
};

TEST_F(ProfileOptions, SayWhatOptionsCanSay) {
  const RunOptions options = with();
  EXPECT_THAT(options.sut, testing::ElementsAre(Endpoint{Transport::Udp, "192.0.2.7", 5070},
                                                Endpoint{Transport::Tcp, "192.0.2.7", 5071}));
  EXPECT_EQ(options.users, (std::map<std::string, std::string>{
                               {"auto", "alice"}, {"digest", "bob"}, {"ring", "alice"}}));
  EXPECT_EQ(options.login, (runner::Login{"carol", "c"}));
  EXPECT_EQ(options.logins.at("digest"), (runner::Login{"bob", "b"}));
  EXPECT_EQ(options.domain, "example.com");
  EXPECT_EQ(options.timings.t1, 100ms);
  EXPECT_EQ(options.timings.t2, 800ms);
  EXPECT_EQ(options.jobs, 16U);
  EXPECT_EQ(options.timeout, 90s);
  EXPECT_EQ(options.tolerance, 1s);
  EXPECT_EQ(options.sut_argument, "--profile " + file());
  EXPECT_TRUE(options.starts_sut);
}

TEST_F(ProfileOptions, GiveWayToOptions) {
  const RunOptions options = with({"--sut", "udp:[::1]:5080", "--user", "ring=rita", "--login",
                                   "dave:d", "--domain", "example.org", "--t1", "50ms", "--jobs",
                                   "2", "--timeout", "5s", "--longest", "75s", "--no-start"});
  EXPECT_THAT(options.sut, testing::ElementsAre(Endpoint{Transport::Udp, "::1", 5080}));
  EXPECT_EQ(options.users.at("ring"), "rita");
  EXPECT_EQ(options.users.at("auto"), "alice");
  EXPECT_EQ(options.login, (runner::Login{"dave", "d"}));
  EXPECT_TRUE(options.logins.empty());
  EXPECT_EQ(options.domain, "example.org");
  EXPECT_EQ(options.timings.t2, 400ms);
  EXPECT_EQ(options.jobs, 2U);
  EXPECT_EQ(options.timeout, 5s);
  EXPECT_EQ(options.longest, 75s);
  EXPECT_FALSE(options.starts_sut);
  EXPECT_EQ(options.sut_argument, "--profile " + file() + " --sut udp:[::1]:5080");
}

TEST_F(ProfileOptions, ATransportChoosesTheAddress) {
  const RunOptions options = with({"--transport", "tcp"});
  EXPECT_THAT(options.sut, testing::ElementsAre(Endpoint{Transport::Tcp, "192.0.2.7", 5071}));
  EXPECT_EQ(options.sut_argument, "--profile " + file() + " --transport tcp");
  EXPECT_EQ(complaint({"--profile", file(), "--transport", "ws"}),
            file() + " has no address for ws");
}

TEST(RunOptions, EveryErrorOfAProfileIsTold) {
  const std::string file = testing::TempDir() + "sipassay.bad." + std::to_string(getpid());
  std::ofstream(file) << "<profile xmlns='urn:sipassay:profile:1' name='p'><pigeon/>\n<note a=''/>"
                         "<address at='udp:x'/></profile>";
  EXPECT_THAT(
      complaint({"--profile", file}),
      testing::AllOf(testing::HasSubstr(file + ":1:50: expected one of note, address"),
                     testing::HasSubstr("\nsipassay: " + file + ":2:7: expected no attri")));
  std::filesystem::remove(file);
}

TEST(RunOptions, BadOnesAreNamed) {
  const Arguments bad[] = {
      {"--seed", "x"},
      {"--seed", "-1"},
      {"--seed", "18446744073709551616"},
      {"--seed", ""},
      {"--t1", "0"},
      {"--t1", "1h"},
      {"--t1", "1.s"},
      {"--t1", "-5"},
      {"--t1", "61s"},
      {"--repeat", "0"},
      {"--jobs", "2"},
      {"--sut", "udp"},
      {"--profile", "no/such/file.xml"},
      {"--no-start"},
      {"--sut-log", "x"},
      {"--sut", "pigeon:x"},
      {"--user", "auto=x"},
      {"--unknown"},
      {"--sut", "udp:127.0.0.1", "--jobs", "1001"},
      {"--sut", "udp:127.0.0.1", "--teeth"},
      {"--sut", "udp:127.0.0.1", "--user", "x"},
      {"--sut", "udp:127.0.0.1", "--login", "x"},
      {"--seed"},
      {"--seed", "1", "--seed", "2"},
  };
  for (const Arguments& arguments : bad) {
    const std::string said = complaint(arguments);
    EXPECT_FALSE(said.empty()) << arguments[0];
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace sipassay::tools
