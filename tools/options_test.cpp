#include "tools/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  EXPECT_FALSE(options.sut);
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
