// The engine as its own adapter: sipassay ua --adapter takes the lines of tools/adapters/README.md.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/agent/agent.h"
#include "engine/runner/run.h"

namespace sipassay::tools {

// Lines in, lines out; reads and writes nothing itself.
class UaAdapter {
 public:
  struct Ports {
    std::function<void(agent::Command)> command;  // to the agent, now
    std::function<void(const std::string&)> say;  // a line
    std::function<void()> quit;
  };
  // The agent outlives it.
  UaAdapter(const agent::Agent& agent, Ports ports) : agent_(agent), ports_(std::move(ports)) {}

  void begin();  // the first line
  void take(std::string_view line);
  void happened(const agent::Event& event);

 private:
  struct Known {
    agent::CallId call = 0;
    std::string peer;  // empty: not looked up yet
  };

  void carry_out(const runner::SutCommand& command);
  void reset(const std::string& peer);
  std::optional<agent::CallId> call_with(const std::string& peer);
  std::string target_of(agent::CallId call) const;
  bool is_with(Known& known, const std::string& peer) const;

  const agent::Agent& agent_;
  Ports ports_;
  std::vector<Known> calls_;  // oldest first
};

}  // namespace sipassay::tools
