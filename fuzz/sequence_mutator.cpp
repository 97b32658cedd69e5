// libFuzzer's custom mutator and crossover for targets whose input is a script.
#include <cstdint>
#include <cstring>

#include "fuzz/mutate.h"
#include "fuzz/sequence.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t size_max, unsigned int seed) {
  using namespace sipassay;
  Rng rng(seed);
  if (rng.percent(25)) return LLVMFuzzerMutate(data, size, size_max);
  const std::string out = fuzz::mutate_script({reinterpret_cast<const char*>(data), size},
                                              fuzz::verbs(), size_max, rng);
  if (out.empty()) return LLVMFuzzerMutate(data, size, size_max);
  std::memcpy(data, out.data(), out.size());
  return out.size();
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* a, std::size_t a_size,
                                                 const std::uint8_t* b, std::size_t b_size,
                                                 std::uint8_t* into, std::size_t size_max,
                                                 unsigned int seed) {
  using namespace sipassay;
  const std::string out =
      fuzz::cross_scripts({reinterpret_cast<const char*>(a), a_size},
                          {reinterpret_cast<const char*>(b), b_size}, size_max, Rng(seed));
  std::memcpy(into, out.data(), out.size());
  return out.size();
}
