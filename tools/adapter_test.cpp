// Adapters that keep to the protocol, and those that do not: small shell scripts.
#include "tools/adapter.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sipassay::tools {
namespace {

using ::testing::HasSubstr;
using Done = runner::SutCommandDone;

// --- the lines

TEST(AdapterLine, CommandsAreReadBackWhateverIsInThem) {
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
  const runner::SutCommand command{.number = 7,
                                   .action = "message",
                                   .peer = "sip:peer@127.0.0.1:40000;transport=tcp",
                                   .arguments = {{"body", all}, {"type", "text/plain"}}};
  const std::string line = to_line(command);
  EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos);
  const auto read = command_from(line);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->number, 7U);
  EXPECT_EQ(read->action, "message");
  EXPECT_EQ(read->peer, command.peer);
  EXPECT_EQ(read->arguments, command.arguments);
  EXPECT_THAT(
      to_line({.number = 1, .action = "call", .peer = "sip:a@b", .arguments = {{"offer", "no"}}}),
      "1 call peer=sip:a@b offer=no");
}

TEST(AdapterLine, WhatIsNoCommandIsRefused) {
  for (const char* line : {"", " ", "call", "x call", "-1 call", "1", "1 ", "1 c%20l", "1 call x",
                           "1 call =y", "4294967296 call"})
    EXPECT_FALSE(command_from(line)) << line;
}

TEST(AdapterLine, ReadsWhatAdaptersSay) {
  EXPECT_EQ(adapter_line_from("ready"), AdapterLine(AdapterReady{}));
  EXPECT_EQ(adapter_line_from("ready calls=16 sut=yes"),
            AdapterLine(AdapterReady{.calls = 16, .is_sut = true}));
  EXPECT_EQ(adapter_line_from(fmt::format("ready calls={}", adapter_calls_max)),
            AdapterLine(AdapterReady{.calls = adapter_calls_max}));
  EXPECT_EQ(adapter_line_from("3 ok"), AdapterLine(AdapterAnswer{.number = 3}));
  EXPECT_EQ(adapter_line_from("3 unsupported no hold here"),
            AdapterLine(AdapterAnswer{
                .number = 3, .ok = false, .is_unsupported = true, .text = "no hold here"}));
  EXPECT_EQ(adapter_line_from("3 error no call"),
            AdapterLine(AdapterAnswer{.number = 3, .ok = false, .text = "no call"}));
  EXPECT_EQ(adapter_line_from("established sip:x@y"),
            AdapterLine(AdapterEvent{"established sip:x@y"}));
  EXPECT_EQ(adapter_line_from("note"), AdapterLine(AdapterEvent{"note"}));
  EXPECT_EQ(adapter_line_from("died signal 11"), AdapterLine(SutHasDied{"signal 11"}));
  for (const std::string& line : {std::string(), std::string("hello"), std::string("ready calls=0"),
                                 std::string("ready calls=x"), std::string("ready soon"),
                                 std::string("3"), std::string("3 yes"), std::string("-3 ok"),
                                 fmt::format("ready calls={}", adapter_calls_max + 1)})
    EXPECT_FALSE(adapter_line_from(line)) << line;
}

// --- the program

constexpr Duration patience = 20s;  // never reached by a test that passes

class AdapterTest : public ::testing::Test {
 protected:
  void start(const std::string& script, Duration within = 10s) {
    scenarios::Command command;
    command.arguments = {script};
    command.uses_shell = true;
    command.within = within;
    adapter_.emplace(hub_, command, Endpoint{Transport::Udp, "127.0.0.1", 5060});
    adapter_->start();
  }
  std::uint32_t tell(const char* action, const std::string& argument = "") {
    return adapter_->tell(
        {.number = 0, .action = action, .peer = "sip:p@127.0.0.1", .arguments = {{"x", argument}}});
  }
  // The next event; nothing when none comes.
  std::optional<Adapter::Event> next() {
    const Instant end = hub_.now() + patience;
    while (hub_.now() < end) {
      adapter_->advance();
      if (auto event = adapter_->poll()) return event;
      hub_.wait(std::min(end, adapter_->deadline()));
    }
    return std::nullopt;
  }
  Done answer() {
    const auto event = next();
    const auto* done = event ? std::get_if<Done>(&*event) : nullptr;
    return done == nullptr ? Done{.number = 0, .ok = false, .reason = "no answer"} : *done;
  }
  // Until it is ready or off.
  void settle() {
    const Instant end = hub_.now() + patience;
    while (!adapter_->is_ready() && !adapter_->is_off() && hub_.now() < end) {
      hub_.wait(std::min(end, adapter_->deadline()));
      adapter_->advance();
    }
  }

  transport::Hub hub_;
  std::optional<Adapter> adapter_;
};

TEST_F(AdapterTest, IsToldAndAnswers) {
  start(
      "echo ready calls=3; while read n c r; do case $c in call) echo incoming; echo $n ok;;"
      " hold) echo $n unsupported no hold;; quit) exit;; *) echo $n error what is $c $r;; esac; "
      "done");
  const std::uint32_t call = tell("call");
  const std::uint32_t hold = tell("hold");
  const std::uint32_t odd = tell("odd", "a b");
  Done done = answer();
  EXPECT_EQ(done.number, call);
  EXPECT_TRUE(done.ok);
  EXPECT_EQ(adapter_->calls(), 3U);
  done = answer();
  EXPECT_EQ(done.number, hold);
  EXPECT_TRUE(done.is_unsupported);
  EXPECT_EQ(done.reason, "no hold");
  done = answer();
  EXPECT_EQ(done.number, odd);
  EXPECT_FALSE(done.ok);
  EXPECT_FALSE(done.is_unsupported);
  EXPECT_EQ(done.reason, "what is odd peer=sip:p@127.0.0.1 x=a%20b");
}

TEST_F(AdapterTest, Status127AfterACommandIsUnsupportedAndItIsStartedAgain) {
  start("echo ready; read n c r; [ $c = call ] && echo $n ok && read n c r; exit 127");
  for (int i = 0; i < 5; ++i) {
    tell("call");
    EXPECT_TRUE(answer().ok);
    tell("hold");
    const Done done = answer();
    EXPECT_FALSE(done.ok);
    EXPECT_TRUE(done.is_unsupported);
  }
}

TEST_F(AdapterTest, ACommandThatIsNotThereIsNotUnsupported) {
  start("/no/such/adapter");
  settle();
  EXPECT_TRUE(adapter_->is_off());
  EXPECT_THAT(adapter_->complaint(), HasSubstr("ended with status 127"));
  EXPECT_THAT(adapter_->complaint(), HasSubstr("/no/such/adapter"));
  tell("call");
  EXPECT_FALSE(answer().is_unsupported);
}

TEST_F(AdapterTest, OneThatDiesFailsWhatItWasToldAndIsStartedAgainSoOften) {
  start("echo ready; read n c r; echo the end >&2; kill -9 $$");
  for (unsigned i = 0; i < adapter_deaths_max; ++i) {
    tell("call");
    const Done done = answer();
    EXPECT_FALSE(done.ok);
    EXPECT_FALSE(done.is_unsupported);
    EXPECT_THAT(done.reason, HasSubstr("the adapter is gone: was ended by signal 9; the end"));
  }
  tell("call");
  EXPECT_THAT(answer().reason, HasSubstr("the adapter does not stay: was ended by signal 9"));
  EXPECT_TRUE(adapter_->is_off());
}

TEST_F(AdapterTest, OneThatSaysNothingIsNotWaitedForForEver) {
  start("read n", 50ms);
  settle();
  EXPECT_TRUE(adapter_->is_off());
  EXPECT_THAT(adapter_->complaint(), HasSubstr("it was not ready within"));
}

TEST_F(AdapterTest, WhatIsNoLineOfTheProtocolEndsIt) {
  struct Row {
    const char* says;
    const char* complaint;
  };
  const Row rows[] = {
      {"hello", "it said \"hello\": expected ready, an event, or the number of a command"},
      {"ready; echo ready", "it said \"ready\": expected ready once only"},
      {"ready; echo 9 ok", "it said \"9 ok\": expected the number of a command"},
      {"ready; echo 0 ok", "it said \"0 ok\": expected the number of a command"},
      {"ready; printf '\\033[2J\\n'", "it said \"\\x1b[2J\": expected ready"},
  };
  for (const Row& row : rows) {
    start(fmt::format("echo {}; read n", row.says));
    const Instant end = hub_.now() + patience;
    while (!adapter_->is_off() && hub_.now() < end) {
      hub_.wait(end);
      adapter_->advance();
    }
    EXPECT_THAT(adapter_->complaint(), HasSubstr(row.complaint));
  }
}

TEST_F(AdapterTest, LinesHaveALength) {
  const auto line_of = [](std::size_t octets) {
    return fmt::format("echo ready; read n c r; printf 'note %0{}d\\n' 0; echo $n ok; read n",
                       octets - 5);
  };
  start(line_of(adapter_line_max));
  tell("call");
  EXPECT_TRUE(answer().ok);
  start(line_of(adapter_line_max + 1));
  tell("call");
  EXPECT_THAT(answer().reason, HasSubstr("it said a line that is too long"));
  start("echo ready; read n c r; while :; do printf 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'; done");
  tell("call");
  EXPECT_THAT(answer().reason, HasSubstr("it said a line that is too long"));
}

TEST_F(AdapterTest, AFloodEndsIt) {
  start("echo ready; yes note");
  tell("call");
  EXPECT_THAT(answer().reason, HasSubstr("it says too much"));
}

TEST_F(AdapterTest, CommandsHaveALengthAndANumber) {
  start("echo ready; exec sleep 60");
  tell("call", std::string(adapter_line_max, 'a'));
  EXPECT_THAT(answer().reason, HasSubstr("too long for an adapter"));
  for (std::size_t i = 0; i < adapter_waiting_max; ++i) tell("call");
  tell("one-more");
  EXPECT_THAT(answer().reason, HasSubstr("the adapter does not answer"));
}

TEST_F(AdapterTest, OneThatDoesNotReadIsEnded) {
  start("echo ready; exec sleep 60");
  settle();
  ASSERT_TRUE(adapter_->is_ready());
  for (int i = 0; i < 500 && !adapter_->is_off(); ++i) tell("call", std::string(1000, 'a'));
  EXPECT_TRUE(adapter_->is_off());
  EXPECT_THAT(adapter_->complaint(), HasSubstr("it does not read its commands"));
}

TEST_F(AdapterTest, AnAnswerThatComesTwiceCountsOnce) {
  start("echo ready; while read n c r; do echo $n ok; echo $n error late; done");
  tell("call");
  EXPECT_TRUE(answer().ok);
  tell("call");
  EXPECT_TRUE(answer().ok);
}

TEST_F(AdapterTest, TellsOfTheEndOfTheSut) {
  start("echo ready; echo died signal 11; read n");
  auto event = next();
  ASSERT_TRUE(event && std::holds_alternative<Adapter::Died>(*event));
  EXPECT_EQ(std::get<Adapter::Died>(*event).reason, "signal 11");

  start("echo ready sut=yes; read n c r; kill -11 $$");
  tell("call");
  event = next();
  ASSERT_TRUE(event && std::holds_alternative<Adapter::Died>(*event));
  EXPECT_THAT(std::get<Adapter::Died>(*event).reason, HasSubstr("was ended by signal 11"));
  EXPECT_FALSE(answer().ok);
}

}  // namespace
}  // namespace sipassay::tools
