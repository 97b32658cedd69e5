// A stack under test that dies: the engine, but for one method that it does not survive.
//   fragile_sut PORT METHOD kill    a request of that method ends it by a signal
//   fragile_sut PORT METHOD report  it writes what a sanitizer would, and lives
//   fragile_sut PORT METHOD hang    it answers nobody any more
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <variant>

#include "engine/agent/agent.h"
#include "engine/base/ascii.h"
#include "engine/transport/hub.h"

namespace {

using namespace sipassay;

class FragileSut {
 public:
  FragileSut(std::uint16_t port, std::string method, std::string how)
      : method_(std::move(method)), how_(std::move(how)), agent_(settings(port), Rng(1)) {
    if (!hub_.open({Transport::Udp, "127.0.0.1", port})) std::exit(1);
    hub_.stop_on_signals();
  }

  void run() {
    std::optional<Instant> deadline;
    while (!hub_.is_stopped()) {
      hub_.wait(deadline);
      while (auto event = hub_.poll())
        if (auto* arrived = std::get_if<transport::MessageArrived>(&*event)) take(*arrived);
      agent_.handle(agent::TimePassed{}, hub_.now());
      deadline = pump();
    }
  }

 private:
  static agent::Settings settings(std::uint16_t port) {
    agent::Settings out;
    out.local = {{Transport::Udp, "127.0.0.1", port}};
    out.timings.t1 = 20ms;
    out.timings.t2 = 160ms;
    out.timings.t4 = 200ms;
    out.timings.d = 1280ms;
    return out;
  }

  void take(transport::MessageArrived& arrived) {
    if (arrived.message.is_request() && arrived.message.method_text() == method_) {
      if (how_ == "kill") std::raise(SIGSEGV);
      if (how_ == "hang") is_deaf_ = true;
      if (how_ == "report")
        std::fputs("==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n", stderr);
    }
    if (!is_deaf_)
      agent_.handle(agent::MessageReceived{std::move(arrived.message), arrived.flow}, hub_.now());
  }

  std::optional<Instant> pump() {
    while (true) {
      agent::Output output = agent_.poll();
      if (const auto* wait = std::get_if<agent::Wait>(&output)) return wait->deadline;
      auto* send = std::get_if<agent::Send>(&output);
      if (send != nullptr && !is_deaf_)
        hub_.send(
            {.octets = send->message.to_string(), .to = send->to, .segments = {}, .address = {}});
    }
  }

  std::string method_, how_;
  bool is_deaf_ = false;
  transport::Hub hub_;
  agent::Agent agent_;
};

}  // namespace

int main(int count, char** values) {
  const auto port = sipassay::ascii::number<std::uint16_t>(count == 4 ? values[1] : "");
  if (!port) return 3;
  // No core file of a death that is meant.
  std::signal(SIGSEGV, SIG_DFL);
  FragileSut(*port, values[2], values[3]).run();
  return 0;
}
