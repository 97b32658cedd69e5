#include "tools/doctor_questions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sipassay::tools {
namespace {

TEST(Question, EveryOneIsACase) {
  std::size_t number = 0;
  for (const std::string_view domain : {"", "example.com"})
    for (int ask = 0; ask <= static_cast<int>(Ask::Repeats); ++ask) {
      std::vector<std::string_view> subjects{unknown_word};
      if (static_cast<Ask>(ask) == Ask::Method) {
        subjects = asked_methods;
        subjects.push_back(unknown_method);
      }
      for (const std::string_view subject : subjects) {
        const Question one = question(static_cast<Ask>(ask), std::string(subject), "u", ++number,
                                      std::string(domain));
        EXPECT_FALSE(one.the_case.steps.empty()) << ask << subject;
        EXPECT_EQ(one.the_case.transports.size(), 5U);
      }
    }
}

}  // namespace
}  // namespace sipassay::tools
