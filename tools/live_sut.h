// The live SUT: where it listens, and its process when its profile starts it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/runner/case.h"
#include "engine/transport/hub.h"
#include "tools/adapter.h"
#include "tools/run_options.h"
#include "tools/sut_process.h"

namespace sipassay::tools {

class LiveSut {
 public:
  struct Address {
    Endpoint sut{};           // with an IP address, if it has one
    Endpoint near{};          // ours on the way there
    std::string complaint{};  // why nobody answers there; empty: somebody does
  };

  // Nothing else happens on the hub while it is asked; the options outlive it and name a live SUT.
  LiveSut(transport::Hub& hub, const RunOptions& options) : hub_(hub), options_(options) {}

  // Starts or resets it as its profile says, and asks it by all its addresses. True, and
  // is_there(): it answers at one of them at least. What went wrong is in complaint(), also when it
  // is true.
  bool find();
  bool is_there() const { return is_there_; }
  const std::string& complaint() const { return complaint_; }

  // Asked by OPTIONS (RFC 3261 11) until it answers; empty, or why it does not. With patience it is
  // being started: a closed port is no answer before that.
  std::string ask(const Address& address, Duration patience = {});
  std::string ask(Duration patience = {}) { return ask(address(), patience); }
  // As its profile says; empty, or why not. Without <reset> there is nothing to do.
  std::string reset();
  void stop();

  // What has ended the SUT since the last time: how its process ended, and what its sanitizer said,
  // which it may also survive. Empty: nothing. Only of a process that we started.
  std::string death();
  // Starts again what we started, and asks; empty when it answers, else why it does not.
  std::string revive(Duration patience);

  // The first where it answers.
  const Address& address() const;
  // By the first transport of the case by which the SUT answers; else by which it should.
  const Address& address_for(const runner::Case& one) const;
  const std::vector<Address>& addresses() const { return addresses_; }
  // None: it was there before us.
  SutProcess* process() { return process_.get(); }
  // None: nobody can tell it what to do.
  Adapter* adapter() { return adapter_ ? &*adapter_ : nullptr; }
  const Adapter* adapter() const { return adapter_ ? &*adapter_ : nullptr; }

 private:
  void look_up(const Endpoint& written);
  std::string start();
  std::string launch();
  std::string start_adapter();
  std::string ask_everywhere();

  transport::Hub& hub_;
  const RunOptions& options_;
  std::vector<Address> addresses_;  // as the options have them
  std::unique_ptr<SutProcess> process_;
  std::uint64_t heard_ = 0;  // octets of its output that death() has looked at
  bool is_mourned_ = false;  // its end was told
  std::optional<Adapter> adapter_;
  bool is_there_ = false;
  std::string complaint_;
};

}  // namespace sipassay::tools
