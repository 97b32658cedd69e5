// The only source of tags, branches, Call-IDs and jitter. The same seed gives the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sipassay {

// A seeded generator (splitmix64). Not for secrets: this is a test tool, its runs must repeat.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next();
  // Uniform in [low, high], both included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high);
  // True with the given probability in percent.
  bool percent(unsigned chance);
  // A token of lower-case letters and digits, about 5 bits a character; always the same length.
  std::string token(std::size_t length);
  // An independent generator for a named part, so that one part's draws never shift another's.
  Rng fork(std::string_view name) const;

 private:
  std::uint64_t state_;
};

// Seed of a part: hash of the run's seed and the part's name (scenarios: run seed and case id).
std::uint64_t derive_seed(std::uint64_t seed, std::string_view name);

}  // namespace sipassay
