// What every fuzz target needs: an input without slack, properties that abort, a trace to compare.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace sipassay::fuzz {

// A copy of the input in a heap block of exactly its size: a sanitizer sees the first octet over.
class Block {
 public:
  Block(const std::uint8_t* data, std::size_t size);
  explicit Block(std::string_view text);
  std::string_view view() const { return {octets_.get(), size_}; }

 private:
  std::unique_ptr<char[]> octets_;
  std::size_t size_ = 0;
};

// A property does not hold: says which, and aborts.
[[noreturn]] void broken(std::string_view property, std::string_view detail = {});
inline void check(bool holds, std::string_view property, std::string_view detail = {}) {
  if (!holds) broken(property, detail);
}

// Everything that an input made the engine do, as one number: the same input must give the same
// number (replay_main compares). FNV-1a, 64 bits.
class Trace {
 public:
  void begin() { hash_ = basis; }
  void add(std::string_view octets);
  void add(std::uint64_t number);
  std::uint64_t hash() const { return hash_; }
  // For reading a failure: replay_main -v makes notes go to standard error.
  void be_loud() { is_loud_ = true; }
  bool is_loud() const { return is_loud_; }
  void note(std::string_view text) const;

 private:
  static constexpr std::uint64_t basis = 0xcbf29ce484222325ULL;
  std::uint64_t hash_ = basis;
  bool is_loud_ = false;
};
// The trace of the input that runs now; a target begins it.
Trace& trace();

// FNV-1a of a text, to spread names over counters and choices.
std::uint64_t hash_of(std::string_view text);

}  // namespace sipassay::fuzz
