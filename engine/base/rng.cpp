#include "engine/base/rng.h"

namespace sipassay {

namespace {

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

}  // namespace

std::uint64_t Rng::next() {
  state_ += 0x9e3779b97f4a7c15U;
  return mix(state_);
}

std::uint64_t Rng::between(std::uint64_t low, std::uint64_t high) {
  const std::uint64_t span = high - low + 1;
  return span == 0 ? next() : low + next() % span;
}

bool Rng::percent(unsigned chance) { return between(0, 99) < chance; }

std::string Rng::token(std::size_t length) {
  static constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::string out(length, 'a');
  for (char& c : out) c = alphabet[next() >> 59U];
  return out;
}

Rng Rng::fork(std::string_view name) const { return Rng(derive_seed(state_, name)); }

std::uint64_t derive_seed(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return mix(seed ^ mix(hash));
}

}  // namespace sipassay
