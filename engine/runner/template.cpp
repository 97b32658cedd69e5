#include "engine/runner/template.h"

#include <cstdint>

#include "engine/base/ascii.h"

namespace sipassay::runner {
namespace {

std::optional<std::string> resolve(std::string_view reference, const Lookup& lookup) {
  if (auto found = lookup(reference)) return found;
  // "ringing.rseq+1": a whole number, shifted. A name may hold a "-", so the whole was tried first.
  const auto sign = reference.find_last_of("+-");
  if (sign == std::string_view::npos) return std::nullopt;
  const auto shift = ascii::number<std::int64_t>(reference.substr(sign + 1));
  const auto base = lookup(reference.substr(0, sign));
  if (!shift || !base) return std::nullopt;
  const auto number = ascii::number<std::int64_t>(*base);
  if (!number || *shift > INT32_MAX || *number > INT64_MAX - INT32_MAX) return std::nullopt;
  return std::to_string(reference[sign] == '+' ? *number + *shift : *number - *shift);
}

}  // namespace

std::expected<std::string, UnknownReference> expand(std::string_view text, const Lookup& lookup) {
  std::string out;
  while (!text.empty()) {
    const auto start = text.find("${");
    if (start == std::string_view::npos) {
      out += text;
      break;
    }
    if (start > 0 && text[start - 1] == '$') {
      out += text.substr(0, start - 1);
      out += "${";
      text.remove_prefix(start + 2);
      continue;
    }
    out += text.substr(0, start);
    const auto end = text.find('}', start);
    const auto reference =
        text.substr(start + 2, end == std::string_view::npos ? end : end - start - 2);
    const auto value = resolve(reference, lookup);
    if (!value || end == std::string_view::npos)
      return std::unexpected(UnknownReference{std::string(reference)});
    out += *value;
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace sipassay::runner
