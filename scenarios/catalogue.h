// The requirement catalogue (requirements.tsv): the rows that cases name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clause.h"
#include "scenarios/source.h"

namespace sipassay::scenarios {

struct Requirement {
  std::string id;
  std::uint16_t rfc = 0;
  std::string section;
  Level level = Level::Stated;
  std::string role, title, stimulus, expected;
};

// "MUST NOT" → Level::MustNot; the names of to_string(Level).
std::optional<Level> level_from(std::string_view text);

class Catalogue {
 public:
  // Tab-separated, with a heading line; every id once.
  static std::optional<Catalogue> read(const std::string& path, Problems& problems);

  const Requirement* find(std::string_view id) const;
  std::size_t size() const { return rows_.size(); }
  auto begin() const { return rows_.begin(); }
  auto end() const { return rows_.end(); }

 private:
  std::map<std::string, Requirement, std::less<>> rows_;
};

}  // namespace sipassay::scenarios
