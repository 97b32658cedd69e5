// What a profile starts, and how it ends.
#include "tools/sut_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/base/ascii.h"
#include "tools/child_process.h"

namespace sipassay::tools {
namespace {

using scenarios::Command;
using scenarios::Stop;
using testing::HasSubstr;

const Endpoint sut{Transport::Tcp, "::1", 5070};

Command shell(std::string line, std::vector<std::string> arguments = {}) {
  Command out;
  out.arguments = {std::move(line)};
  out.arguments.insert(out.arguments.end(), arguments.begin(), arguments.end());
  out.uses_shell = true;
  out.directory = ".";
  return out;
}

// Its first output has come: it runs.
std::unique_ptr<SutProcess> started(const Command& command) {
  auto process = SutProcess::start(command, sut);
  if (!process) return nullptr;
  while ((*process)->output_size() == 0 && (*process)->is_running()) usleep(1000);
  return std::move(*process);
}

TEST(SutProcess, KnowsTheAddressItsArgumentsAndItsEnvironment) {
  Command command =
      shell("echo \"$1 $WHERE in $(basename \"$PWD\")\"; exit 3", {"${transport}:${host}:${port}"});
  command.environment = {{"WHERE", "at $${port} ${port}"}};
  command.directory = "/usr/lib";
  const auto process = started(command);
  ASSERT_TRUE(process);
  while (process->is_running()) usleep(1000);
  EXPECT_EQ(process->output(0, 1000), "tcp:::1:5070 at ${port} 5070 in lib\n");
  EXPECT_EQ(process->output(4, 3), "::1");
  EXPECT_EQ(process->last_line(), "tcp:::1:5070 at ${port} 5070 in lib");
  EXPECT_EQ(process->status(), 3);
  EXPECT_EQ(process->obituary(), "ended with status 3");
}

TEST(SutProcess, WithoutAShellNothingIsExpanded) {
  Command command;
  command.arguments = {"echo", "$HOME * ; exit 3"};
  command.directory = ".";
  const auto process = started(command);
  ASSERT_TRUE(process);
  EXPECT_EQ(process->output(0, 1000), "$HOME * ; exit 3\n");
}

TEST(SutProcess, EndsBySignalByCommandOrByForce) {
  const auto polite = started(shell("trap 'exit 7' INT; echo up; while :; do sleep 0.01; done"));
  ASSERT_TRUE(polite);
  polite->stop({.command = {}, .signal = "INT", .within = 10s}, sut);
  EXPECT_EQ(polite->status(), 7);

  const auto stubborn = started(shell("trap '' TERM; echo up; while :; do sleep 0.01; done"));
  ASSERT_TRUE(stubborn);
  stubborn->stop({.command = {}, .signal = "TERM", .within = 50ms}, sut);
  EXPECT_EQ(stubborn->status(), 128 + SIGKILL);
  EXPECT_EQ(stubborn->obituary(), "was ended by signal 9");

  const std::string file = testing::TempDir() + "sipassay.stop." + std::to_string(getpid());
  const auto told =
      started(shell("echo up; while [ ! -e \"$1\" ]; do sleep 0.01; done; exit 5", {file}));
  ASSERT_TRUE(told);
  told->stop({.command = shell("touch \"$1\"", {file}), .within = 10s}, sut);
  EXPECT_EQ(told->status(), 5);
  std::filesystem::remove(file);
}

TEST(SutProcess, TakesWhatItHasStartedWithIt) {
  auto process = started(shell("sleep 1000 & echo $!; wait"));
  ASSERT_TRUE(process);
  const auto child = ascii::number<int>(ascii::trim(process->output(0, 100)));
  ASSERT_TRUE(child);
  EXPECT_EQ(kill(*child, 0), 0);
  process.reset();
  for (int i = 0; i < 1000 && kill(*child, 0) == 0; ++i) {
    // A child of nobody is a zombie until somebody waits for it.
    std::ifstream status("/proc/" + std::to_string(*child) + "/stat");
    if (std::string(std::istreambuf_iterator<char>(status), {}).find(") Z ") != std::string::npos)
      return;
    usleep(1000);
  }
  EXPECT_NE(kill(*child, 0), 0);
}

TEST(SutProcess, WhatItWritesMayHaveAFile) {
  const std::string log = testing::TempDir() + "sipassay.log." + std::to_string(getpid());
  std::ofstream(log) << "old";
  const auto process = SutProcess::start(shell("echo out; echo err >&2"), sut, log);
  ASSERT_TRUE(process);
  while ((*process)->is_running()) usleep(1000);
  std::ifstream in(log);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "out\nerr\n");
  std::filesystem::remove(log);
  EXPECT_THAT(SutProcess::start(shell("true"), sut, "/no/such/folder/log").error(),
              HasSubstr("no file for its output: /no/such/folder/log: No such file"));
}

TEST(SutProcess, WhatCannotRunSaysWhy) {
  Command command;
  command.arguments = {"no-such-program-anywhere"};
  command.directory = ".";
  EXPECT_EQ(SutProcess::start(command, sut).error(),
            "no-such-program-anywhere: No such file or directory");
  EXPECT_EQ(run_command(command, sut), "no-such-program-anywhere: No such file or directory");
}

TEST(RunCommand, IsSilentOnSuccessAndSaysWhatWentWrong) {
  EXPECT_EQ(run_command(shell("exit 0"), sut), "");
  EXPECT_EQ(run_command(shell("echo first >&2; echo 'no such\x01thing' >&2; exit 4"), sut),
            "/bin/sh ended with status 4: no such\\x01thing");
  Command slow = shell("sleep 1000 & wait");
  slow.within = 50ms;
  EXPECT_EQ(run_command(slow, sut), "/bin/sh was ended by signal 9");
}

TEST(SanitizerReport, IsTheLineThatNamesTheFault) {
  EXPECT_EQ(sanitizer_report("ready\n==12==ERROR: AddressSanitizer: heap-use-after-free\n#0 x\n"),
            "==12==ERROR: AddressSanitizer: heap-use-after-free");
  EXPECT_EQ(sanitizer_report("a.c:3:4: runtime error: signed integer overflow"),
            "a.c:3:4: runtime error: signed integer overflow");
  EXPECT_EQ(sanitizer_report("==9== Invalid read of size 4"), "==9== Invalid read of size 4");
  EXPECT_EQ(sanitizer_report("x: runtime error: \x1b[31m"), "x: runtime error: \\x1b[31m");
  EXPECT_EQ(sanitizer_report("WARNING: a log line\nERROR: another\n"), "");
  EXPECT_EQ(sanitizer_report(""), "");
  EXPECT_LE(sanitizer_report("x: runtime error: " + std::string(100'000, 'a')).size(), 300U);
}

}  // namespace
}  // namespace sipassay::tools
