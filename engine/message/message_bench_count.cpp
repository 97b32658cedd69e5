// Counts every allocation of the program, whoever makes it: malloc and its kin are ours here.
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engine/message/message_bench_count.h"

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);

static std::uint64_t allocation_counter = 0;

__attribute__((used)) void* malloc(std::size_t size) {
  ++allocation_counter;
  return __libc_malloc(size);
}
__attribute__((used)) void* calloc(std::size_t count, std::size_t size) {
  ++allocation_counter;
  return __libc_calloc(count, size);
}
__attribute__((used)) void* realloc(void* block, std::size_t size) {
  ++allocation_counter;
  return __libc_realloc(block, size);
}
}

std::uint64_t sipassay::bench::allocation_count() {
  return allocation_counter;
}
