// ${name.path} references of a case, resolved when a step runs.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sipassay::runner {

// What a reference such as "invite.cseq.number" stands for now; nothing: not known.
using Lookup = std::function<std::optional<std::string>(std::string_view reference)>;

struct UnknownReference {
  std::string reference;
};

// "${a.b}" and "${a.b+1}" (whole numbers); "$${" is "${". The text of a reference is not expanded
// again.
std::expected<std::string, UnknownReference> expand(std::string_view text, const Lookup& lookup);

}  // namespace sipassay::runner
