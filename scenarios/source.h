// One XML file in memory: its text, its tree, and where everything stands.
#pragma once

#include <pugixml.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/load.h"

namespace sipassay::scenarios {

// Collects the errors of one file, errors_max at most.
class Problems {
 public:
  void add(LoadError error) {
    if (errors_.size() < errors_max) errors_.push_back(std::move(error));
  }
  bool any() const { return !errors_.empty(); }
  std::vector<LoadError> take() { return std::move(errors_); }

 private:
  std::vector<LoadError> errors_;
};

// A well-formed document without DOCTYPE, entities or processing instructions, within the limits.
// Owns the text that the tree was read from; not copied, not moved.
class Source {
 public:
  Source(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {}
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // The root element; none when something was wrong, which is then in problems.
  std::optional<pugi::xml_node> parse(Problems& problems);

  LoadError error_at(std::size_t offset, std::string expected, std::string found) const;
  LoadError error_at(const pugi::xml_node& node, std::string expected, std::string found) const;
  // At the attribute's name; at the element when the attribute is not there.
  LoadError error_at(const pugi::xml_node& node, std::string_view attribute, std::string expected,
                     std::string found) const;
  std::size_t line_of(const pugi::xml_node& node) const;
  const std::string& name() const { return name_; }

 private:
  bool check_octets(Problems& problems) const;
  bool check_references(Problems& problems) const;
  bool check_tree(Problems& problems) const;

  std::string name_;
  std::string text_;
  pugi::xml_document document_;
};

// Octets of a file, at most file_octets_max.
std::optional<std::string> read_file(const std::string& path, Problems& problems);

}  // namespace sipassay::scenarios
