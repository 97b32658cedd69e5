// libFuzzer's custom mutator for targets whose input is a message or a stream of messages. One in
// four goes to libFuzzer's own mutations, so that dictionary and comparison feedback still flow.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "fuzz/mutate.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t size_max, unsigned int seed) {
  using namespace sipassay;
  Rng rng(seed);
  if (rng.percent(25)) return LLVMFuzzerMutate(data, size, size_max);
  const std::string out =
      fuzz::mutate_message({reinterpret_cast<const char*>(data), size}, size_max, rng);
  if (out.empty()) return LLVMFuzzerMutate(data, size, size_max);
  std::memcpy(data, out.data(), out.size());
  return out.size();
}
