// The adapter of a live SUT: a program that is told what the SUT shall do
// (tools/adapters/README.md).
//
// Whatever it says is foreign input: lines have a length, seconds a number of lines, and what is no
// line of the protocol ends it. It is started again for the next command, not for ever.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "engine/runner/run.h"
#include "engine/transport/hub.h"
#include "scenarios/profile.h"
#include "tools/adapter_line.h"
#include "tools/sut_process.h"

namespace sipassay::tools {

inline constexpr unsigned adapter_lines_a_second_max = 10'000;
inline constexpr unsigned adapter_deaths_max = 3;         // without an answer in between
inline constexpr std::size_t adapter_waiting_max = 1000;  // commands without an answer

class Adapter {
 public:
  // The hub outlives it, and wakes when it says something.
  Adapter(transport::Hub& hub, scenarios::Command command, const Endpoint& sut);
  ~Adapter();
  Adapter(const Adapter&) = delete;
  Adapter& operator=(const Adapter&) = delete;

  // Starts it unless it runs. It is ready when it says so, within the command's time.
  void start();
  // What it was told and has not answered fails.
  void stop();
  bool is_ready() const { return state_ == State::Ready; }
  // It is not ready, and will not be without start() or tell().
  bool is_off() const { return state_ == State::Off; }
  // Why it ended the last time.
  const std::string& complaint() const { return complaint_; }
  unsigned calls() const { return ready_.calls; }
  bool is_sut() const { return ready_.is_sut; }

  // Starts it if it does not run. The number that its answer has; there is one for every command.
  std::uint32_t tell(runner::SutCommand command);
  void advance();
  Instant deadline() const;

  struct Died {  // the SUT, by the adapter's word or with it
    std::string reason;
  };
  using Event = std::variant<runner::SutCommandDone, Died>;
  std::optional<Event> poll();

 private:
  enum class State : std::uint8_t { Off, Starting, Ready };

  void read();
  void take(std::string_view line);
  void write(const std::string& line);
  void end(std::string reason, bool is_unsupported = false);
  void close_pipes();

  transport::Hub& hub_;
  scenarios::Command command_;
  Endpoint sut_;
  State state_ = State::Off;
  std::unique_ptr<SutProcess> process_;
  int in_ = -1, out_ = -1;  // its standard input and output, our ends
  std::string buffer_;      // of what it said, without its last line end
  AdapterReady ready_;
  Instant ready_by_{};
  Instant second_{};  // since when lines are counted
  unsigned lines_ = 0;
  unsigned deaths_ = 0;
  std::uint32_t number_ = 0;
  std::set<std::uint32_t> open_;     // commands without an answer
  std::deque<std::string> waiting_;  // until it is ready
  std::deque<Event> events_;
  std::string complaint_;
};

}  // namespace sipassay::tools
