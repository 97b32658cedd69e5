// A heap block of exactly the size of its octets: AddressSanitizer sees a read past either end.
#pragma once

#include <algorithm>
#include <memory>
#include <string_view>

namespace sipassay::testing {

class ExactBuffer {
 public:
  explicit ExactBuffer(std::string_view octets)
      : data_(std::make_unique<char[]>(octets.size())), size_(octets.size()) {
    std::ranges::copy(octets, data_.get());
  }
  std::string_view view() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_;
};

}  // namespace sipassay::testing
