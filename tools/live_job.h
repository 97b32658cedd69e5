// One case of a live run: its peers' sockets and its own time, which begins at zero.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "engine/runner/run.h"
#include "engine/transport/hub.h"

namespace sipassay::tools {

class Job {
 public:
  // `near`: our address on the way to the SUT. The case and the hub outlive the job.
  Job(transport::Hub& hub, const runner::Case& the_case, const runner::CaseOptions& options,
      const Endpoint& near, Duration timeout);
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // The local endpoint belongs to one of its peers.
  bool has(FlowId local) const { return name_of(local) != nullptr; }
  void take(transport::Event event);
  // What the SUT shall be told, once it has had time for what it was sent before.
  std::optional<runner::SutCommand> take_command();
  void answered(runner::SutCommandDone done);
  void sut_died(std::string reason);
  // Timers, and the end of patience with the whole case.
  void advance();

  bool is_done() const { return run_.is_done(); }
  // On the hub's clock, like begun().
  Instant deadline() const;
  Instant begun() const { return begun_; }
  runner::CaseResult result() const { return run_.result(); }

 private:
  struct Peer {
    FlowId local = 0;  // 0: its port is closed for now
    Endpoint address;
  };

  Instant now() const { return Instant(hub_.now() - begun_); }
  void handle(runner::Input input);
  void pump();
  void open(const runner::OpenPeer& open);
  void send(runner::SendOctets send);
  void close(const runner::CloseFlow& close);
  void set_reachable(const runner::SetReachable& set);
  const std::string* name_of(FlowId local) const;

  transport::Hub& hub_;
  Endpoint near_;
  Instant begun_;
  Duration timeout_;
  runner::CaseRun run_;
  std::map<std::string, Peer, std::less<>> peers_;
  std::optional<Instant> wake_;  // on the case's clock
  std::optional<runner::SutCommand> command_;
  Instant command_due_{};  // on the hub's clock
};

}  // namespace sipassay::tools
