// Does a message match, or why not: patterns and checks of a case, on parsed values.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/message/message.h"
#include "engine/runner/case.h"
#include "engine/runner/template.h"

namespace sipassay::runner {

// "200", "2xx", "400|416", "4xx-6xx", "101-199", "*".
bool status_matches(std::string_view pattern, int status);
// "INVITE", "INVITE|UPDATE", "*"; methods compare with case (RFC 3261 7.1).
bool method_matches(std::string_view pattern, std::string_view method);
// * any octets, ? any one; case counts. Linear in text times stars, no recursion.
bool glob_matches(std::string_view pattern, std::string_view text);
// "200 response", "PRACK request": for reports.
std::string describe(const Pattern& pattern);
std::string describe(const Message& message);  // "PRACK", "180 Ringing"

struct Mismatch {
  std::string expected{}, observed{};
  std::string header{};          // name of the field at fault; "SDP" for a description
  std::optional<Level> level{};  // where the check has one of its own
  std::string clause_section{};
  bool is_reference_unknown = false;  // the case refers to something that is not known
};

struct Login;

struct CheckContext {
  Lookup lookup;
  std::function<const Message*(std::string_view name)> message;  // nullptr: no such message
  const Login* login = nullptr;                                  // for digests
};

// Nothing: the check holds.
std::optional<Mismatch> check(const Message& message, const Check& what,
                              const CheckContext& context);
std::vector<Mismatch> check_all(const Message& message, const std::vector<Check>& checks,
                                const CheckContext& context);

}  // namespace sipassay::runner
