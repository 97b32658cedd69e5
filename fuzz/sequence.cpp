#include "fuzz/sequence.h"

#include <algorithm>
#include <limits>

#include "engine/base/ascii.h"
#include "fuzz/support.h"

namespace sipassay::fuzz {

namespace {

std::string_view take_word(std::string_view& rest) {
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  const auto word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

// The digits that a word begins with, no more than fit.
std::uint64_t leading_number(std::string_view word) {
  std::uint64_t value = 0;
  for (const char c : word) {
    if (!ascii::is_digit(c)) break;
    if (value > std::numeric_limits<std::uint64_t>::max() / 10 - 1) break;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

}  // namespace

std::string_view Operation::word(std::size_t n) const {
  auto rest = text;
  auto out = take_word(rest);
  for (; n > 0; --n) out = take_word(rest);
  return out;
}

std::optional<Operation> Script::next() {
  while (!rest_.empty() && count_ < operations_max) {
    auto line = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(std::min(rest_.size(), line.size() + 1));
    if (line.empty() || line.front() == '#') continue;
    ++count_;
    Operation out;
    const auto word = take_word(line);
    const auto verb = std::ranges::find(verbs_, word);
    out.verb = verb != verbs_.end() ? static_cast<std::size_t>(verb - verbs_.begin())
                                    : static_cast<std::size_t>(hash_of(word) % verbs_.size());
    out.text = line.starts_with(' ') ? line.substr(1) : line;
    for (auto& number : out.number) number = leading_number(take_word(line));
    return out;
  }
  return std::nullopt;
}

}  // namespace sipassay::fuzz
