// Every format against its golden file. SIPASSAY_UPDATE_GOLDEN=1 in the environment rewrites them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "reports/registry.h"
#include "reports/testdata/sample.h"

namespace sipassay::reports {
namespace {

std::string golden_path(const Format& format) {
  return std::string(SIPASSAY_SOURCE_DIR) + "/reports/testdata/sample." +
         std::string(format.extension);
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Golden : public testing::TestWithParam<const Format*> {};

TEST_P(Golden, SampleIsRenderedAsTheGoldenFileSays) {
  const Format& format = *GetParam();
  std::string rendered;
  format.render(testdata::sample(), {}, rendered);
  const std::string path = golden_path(format);
  if (std::getenv("SIPASSAY_UPDATE_GOLDEN") != nullptr)
    std::ofstream(path, std::ios::binary) << rendered;
  EXPECT_EQ(rendered, read(path)) << "if this change is wanted: SIPASSAY_UPDATE_GOLDEN=1 ctest";
}

TEST_P(Golden, NoControlCharacterReachesTheReport) {
  std::string rendered;
  GetParam()->render(testdata::sample(), {}, rendered);
  for (const char c : rendered)
    ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n') << static_cast<int>(c);
  EXPECT_EQ(rendered.find('\xff'), std::string::npos);
  EXPECT_EQ(rendered.find("\xe2\x80\xae"), std::string::npos);
}

TEST_P(Golden, AnEmptyRunIsRendered) {
  std::string rendered;
  GetParam()->render({}, {}, rendered);
  EXPECT_FALSE(rendered.empty());
}

std::vector<const Format*> all_formats() {
  std::vector<const Format*> out;
  for (const Format& format : formats()) out.push_back(&format);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Formats, Golden, testing::ValuesIn(all_formats()),
                         [](const auto& row) { return std::string(row.param->name); });

TEST(Registry, NamesAreUniqueAndFound) {
  for (const Format& format : formats()) EXPECT_EQ(find_format(format.name), &format);
  EXPECT_EQ(find_format("pigeon"), nullptr);
  EXPECT_EQ(find_format(""), nullptr);
}

}  // namespace
}  // namespace sipassay::reports
