#include "engine/message/octets.h"

#include <gtest/gtest.h>

#include "engine/testing/exact_buffer.h"

namespace sipassay {
namespace {

TEST(Octets, AppendTextsOfEveryLengthFromBuffersOfExactlyThatSize) {
  std::string all, expected;
  for (int i = 0; i < 200; ++i) all += static_cast<char>('!' + i % 90);
  Octets out;
  for (std::size_t size = 0; size <= all.size(); ++size) {
    const testing::ExactBuffer exact(std::string_view(all).substr(0, size));
    out.add('<', exact.view(), ">;", exact.view());
    expected.append("<").append(exact.view()).append(">;").append(exact.view());
    EXPECT_EQ(out.view(), expected);
  }
}

TEST(Octets, WriteNumbersAsToStringDoes) {
  for (std::uint64_t power = 1; power <= 10'000'000'000ULL; power *= 10)
    for (const std::uint64_t value : {power - 1, power, power * 4 + 7, power * 9 / 7}) {
      if (value > UINT32_MAX) continue;
      Octets out;
      out.add_number(static_cast<std::uint32_t>(value));
      EXPECT_EQ(out.view(), std::to_string(value));
    }
  Octets out;
  out.add_number(UINT32_MAX);
  EXPECT_EQ(out.view(), "4294967295");
}

TEST(Octets, KeepTheirMemoryWhenCleared) {
  Octets out;
  for (int i = 0; i < 100; ++i) out += "0123456789";
  const char* const memory = out.view().data();
  out.clear();
  EXPECT_EQ(out.size(), 0U);
  for (int i = 0; i < 100; ++i) out += "9876543210";
  EXPECT_EQ(out.view().data(), memory);
}

}  // namespace
}  // namespace sipassay
