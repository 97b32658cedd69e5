// Is the stack under test there? OPTIONS until something answers (RFC 3261 11).
#pragma once

#include <string>

#include "engine/base/rng.h"
#include "engine/transport/hub.h"

namespace sipassay::tools {

class Probe {
 public:
  struct Options {
    Endpoint sut;         // with an IP address
    Endpoint near;        // our address on the way there
    Duration t1 = 500ms;  // between two tries
    int tries = 16;
    // A SUT that is being started has this long before a closed port counts as an answer.
    Duration patience{};
  };
  Probe(transport::Hub& hub, Options options, Rng rng);
  ~Probe();
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  bool has(FlowId local) const { return local == local_; }
  void take(const transport::Event& event);
  void advance();

  bool is_answered() const { return is_answered_; }
  bool is_over() const { return is_over_; }
  Instant deadline() const { return next_; }
  // Why not: "Connection refused", "no answer to OPTIONS".
  const std::string& complaint() const { return complaint_; }

 private:
  void send();

  transport::Hub& hub_;
  Options options_;
  Rng rng_;
  FlowId local_ = 0;
  int count_ = 0;
  Instant begun_, next_;
  bool is_answered_ = false;
  bool is_over_ = false;
  std::string complaint_;
};

}  // namespace sipassay::tools
