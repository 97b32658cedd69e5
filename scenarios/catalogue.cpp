#include "scenarios/catalogue.h"

#include <fmt/format.h>

#include <array>
#include <fstream>

#include "engine/base/ascii.h"

namespace sipassay::scenarios {

namespace {

constexpr std::size_t columns = 8;

std::optional<std::array<std::string_view, columns>> split(std::string_view line) {
  std::array<std::string_view, columns> cells;
  for (std::size_t i = 0; i < columns; ++i) {
    const std::size_t end = line.find('\t');
    if ((end == std::string_view::npos) != (i + 1 == columns)) return std::nullopt;
    cells[i] = line.substr(0, end);
    if (end != std::string_view::npos) line.remove_prefix(end + 1);
  }
  return cells;
}

}  // namespace

std::optional<Level> level_from(std::string_view text) {
  for (const Level level :
       {Level::Must, Level::MustNot, Level::Should, Level::ShouldNot, Level::May, Level::Stated})
    if (to_string(level) == text) return level;
  return std::nullopt;
}

std::optional<Catalogue> Catalogue::read(const std::string& path, Problems& problems) {
  std::ifstream in(path, std::ios::binary);
  std::string line;
  if (!in || !std::getline(in, line)) {
    problems.add({path, 0, 0, "the catalogue of requirements", "no readable file"});
    return std::nullopt;
  }
  Catalogue catalogue;
  for (std::size_t number = 2; std::getline(in, line); ++number) {
    const auto cells = split(line);
    if (!cells) {
      problems.add({path, number, 1, fmt::format("{} columns", columns), "another number"});
      return std::nullopt;
    }
    const auto& [id, rfc, section, level, role, title, stimulus, expected] = *cells;
    const auto rfc_number =
        ascii::number<std::uint16_t>(rfc.starts_with("RFC ") ? rfc.substr(4) : "");
    const auto strength = level_from(level);
    if (!rfc_number || !strength || !id.starts_with(fmt::format("RFC{}-", *rfc_number)) ||
        section.empty()) {
      problems.add({path, number, 1, "id, RFC number, section and level that agree",
                    fmt::format("{} {} {} {}", id, rfc, section, level)});
      return std::nullopt;
    }
    Requirement row{
        std::string(id),   *rfc_number,        std::string(section),  *strength,
        std::string(role), std::string(title), std::string(stimulus), std::string(expected)};
    if (!catalogue.rows_.emplace(row.id, row).second) {
      problems.add({path, number, 1, "an id that no other row has", row.id});
      return std::nullopt;
    }
  }
  return catalogue;
}

const Requirement* Catalogue::find(std::string_view id) const {
  const auto it = rows_.find(id);
  return it == rows_.end() ? nullptr : &it->second;
}

}  // namespace sipassay::scenarios
