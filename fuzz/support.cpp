#include "fuzz/support.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sipassay::fuzz {

Block::Block(const std::uint8_t* data, std::size_t size)
    : octets_(std::make_unique_for_overwrite<char[]>(size)), size_(size) {
  if (size != 0) std::memcpy(octets_.get(), data, size);
}

Block::Block(std::string_view text)
    : octets_(std::make_unique_for_overwrite<char[]>(text.size())), size_(text.size()) {
  if (size_ != 0) std::memcpy(octets_.get(), text.data(), size_);
}

void broken(std::string_view property, std::string_view detail) {
  std::fprintf(stderr, "broken property: %.*s\n%.*s\n", static_cast<int>(property.size()),
               property.data(), static_cast<int>(detail.size()), detail.data());
  std::abort();
}

void Trace::add(std::string_view octets) {
  for (const char c : octets) {
    hash_ ^= static_cast<unsigned char>(c);
    hash_ *= 0x100000001b3ULL;
  }
  add(octets.size());
}

void Trace::add(std::uint64_t number) {
  for (int i = 0; i < 8; ++i) {
    hash_ ^= (number >> (8 * i)) & 0xffU;
    hash_ *= 0x100000001b3ULL;
  }
}

void Trace::note(std::string_view text) const {
  if (is_loud_) std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

Trace& trace() {
  static Trace current;
  return current;
}

std::uint64_t hash_of(std::string_view text) {
  Trace hash;
  hash.add(text);
  return hash.hash();
}

}  // namespace sipassay::fuzz
