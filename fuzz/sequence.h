// Scripts: inputs of the sequence targets. One operation a line, "verb argument …", readable and
// total: any octets are a script. A word that is no verb stands for one all the same (its hash
// chooses), a missing or odd number is 0, empty lines and lines that begin with # are skipped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sipassay::fuzz {

inline constexpr std::size_t operations_max = 200;  // of one script; what follows is not read

using Verbs = std::span<const std::string_view>;
// Those of the target that is linked in; its operations are their positions.
Verbs verbs();

struct Operation {
  std::size_t verb = 0;
  std::array<std::uint64_t, 4> number{};
  std::string_view text;  // all arguments as written

  // The nth argument as written; empty if there is none.
  std::string_view word(std::size_t n) const;
};

class Script {
 public:
  Script(std::string_view text, Verbs verbs) : rest_(text), verbs_(verbs) {}
  std::optional<Operation> next();

 private:
  std::string_view rest_;
  Verbs verbs_;
  std::size_t count_ = 0;
};

}  // namespace sipassay::fuzz
