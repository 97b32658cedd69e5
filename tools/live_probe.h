// Is the stack under test there, and how fast is it? OPTIONS (RFC 3261 11) tells.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/rng.h"
#include "engine/transport/hub.h"

namespace sipassay::tools {

// Is it there? Asked until something answers.
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

// How long it takes to answer while cases run: asked at a steady beat, each time once.
class Pulse {
 public:
  static constexpr Duration beat = 200ms;      // between an answer and the next question
  static constexpr Duration patience = 2s;     // a question that is lost by then is asked again

  // `sut` has an IP address; `near` is ours on the way there.
  Pulse(transport::Hub& hub, const Endpoint& sut, const Endpoint& near, Rng rng);
  ~Pulse();
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

  bool has(FlowId local) const { return local == local_; }
  // True if it is the answer to the open question.
  bool take(const transport::Event& event);
  void advance();
  Instant deadline() const { return next_; }

  // Of the last answer; longer when the question that is open has waited longer by now.
  Duration lag() const;

 private:
  void ask();

  transport::Hub& hub_;
  Endpoint sut_;
  Rng rng_;
  FlowId local_ = 0;
  std::optional<Instant> asked_;  // nothing: no question is open
  Instant next_{};
  Duration lag_{};
  std::uint32_t number_ = 0;  // of the last question
};

// How many cases run side by side: no more than the SUT keeps up with. Grows while it answers at
// once, halves when it falls behind.
class Pace {
 public:
  static constexpr std::size_t first = 4;
  static constexpr Duration calm = 100ms;    // answers that come sooner let it grow
  static constexpr Duration strain = 200ms;  // answers that come later make it shrink

  explicit Pace(std::size_t most) : most_(most), jobs_(std::min(first, most)) {}

  std::size_t jobs() const { return jobs_; }
  // The SUT answered a question of the pulse.
  void answered(Duration lag);
  // The SUT had no free line with so many cases running: that many are never tried again.
  void busy(std::size_t running);

 private:
  std::size_t most_, jobs_;
  bool is_doubling_ = true;  // until it fell behind for the first time
};

}  // namespace sipassay::tools
