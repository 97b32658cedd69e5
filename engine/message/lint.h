// Rules that one message must keep, whoever sent it; what breaks them becomes a Finding.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/base/finding.h"
#include "engine/message/message.h"

namespace sipassay {

// Collects the findings of one rule.
class LintReport {
 public:
  LintReport(std::string_view rule, const Clause& clause, std::vector<Finding>& out)
      : rule_(rule), clause_(clause), out_(out) {}
  void operator()(std::string expected, std::string observed) const {
    out_.push_back({rule_, clause_, std::move(expected), std::move(observed)});
  }

 private:
  std::string_view rule_;
  const Clause& clause_;
  std::vector<Finding>& out_;
};

// A row; architecture: a new well-formedness rule is a new row in lint.cpp.
struct LintRule {
  std::string_view name;
  Clause clause;
  void (*check)(const Message& message, const LintReport& report);
};

// A rule about a response in the light of its request.
struct AnswerRule {
  std::string_view name;
  Clause clause;
  void (*check)(const Message& request, const Message& response, const LintReport& report);
};

std::span<const LintRule> lint_rules();
std::span<const AnswerRule> answer_rules();

// All rules over one message, in the order of the rows.
std::vector<Finding> lint(const Message& message);
// What a response must copy from its request (RFC 3261 8.2.6.2).
std::vector<Finding> lint_answer(const Message& request, const Message& response);

}  // namespace sipassay
