// A soak: many calls between two agents, random but legal, overlapping, over networks that lose,
// double and reorder; and what must be true afterwards, and meanwhile whenever a call is quiet.
// Everything comes from one seed; the same seed gives the same octets at the same virtual times.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/finding.h"
#include "engine/simulation/network.h"
#include "engine/soak/plan.h"

namespace sipassay::soak {

inline constexpr Number calls_max = 10'000'000;
inline constexpr std::size_t failures_kept_max = 20;

struct Options {
  std::uint64_t seed = 1;
  Number first = 0;
  Number calls = 100'000;
  std::optional<simulation::Conditions> conditions{};  // of every call; none: as each call draws
  std::optional<Number> ladder{};                      // keep the messages of that call
  // Octets on the heap that are in use; none: memory is not looked at.
  std::function<std::uint64_t()> heap{};
  // Calls, at least, until tables and buffers have their size; the first tenth where that is more.
  Number settled_after = 2'000;
};

// Octets by which the heap may have grown from when it had settled to the end. A single
// octet lost in each of 100,000 calls would be more.
inline constexpr std::uint64_t growth_max = 64 * 1024;

struct Failure {
  std::optional<Number> call{};  // that, or one that it referred to; none: both agents at the end
  Instant at{};
  Finding finding;
};

// A message of the call that Options::ladder names.
struct Line {
  Instant at{};
  std::size_t from = 0;
  unsigned copies = 0;  // 0: lost
  std::string octets;
};

struct Result {
  Number calls = 0;        // that were to be made
  Number referred = 0;     // that a REFER made besides
  Number answered = 0;     // with a 2xx that the caller got
  Number comparisons = 0;  // of both ends of a quiet call
  std::uint64_t hash = 0;  // of all octets, where and when they went
  std::uint64_t messages = 0, lost = 0, doubled = 0;
  Duration duration{};                        // in virtual time
  std::map<std::string, std::uint64_t> sent;  // "INVITE", "491 UPDATE": how often
  std::uint64_t heap_early = 0, heap_end = 0;
  std::uint64_t failure_count = 0;
  std::vector<Failure> failures;  // the first ones, one a call
  std::vector<Line> ladder;
};

Result soak(const Options& options);

}  // namespace sipassay::soak
