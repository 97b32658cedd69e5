#include "scenarios/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>

#include "engine/base/ascii.h"

namespace sipassay::scenarios {

namespace {

struct Place {
  std::size_t line = 1, column = 1;
};

Place place_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::size_t last = before.rfind('\n');
  const std::size_t start = last == std::string_view::npos ? 0 : last + 1;
  return {static_cast<std::size_t>(lines) + 1, before.size() - start + 1};
}

// Octets of the UTF-8 character at the front; 0 if it is none, or one that XML 1.0 forbids.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return lead >= 0x20 || ascii::is_space(text[0]) ? 1 : 0;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  std::uint32_t code = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
    code = (code << 6U) | (byte(i) & 0x3fU);
  }
  const bool is_overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  return is_overlong || is_surrogate || code > 0x10ffff ? 0 : length;
}

std::string_view without_mark(std::string_view text) {
  return text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
}

std::string node_text(const pugi::xml_node& node) {
  switch (node.type()) {
    case pugi::node_doctype:
      return "a DOCTYPE";
    case pugi::node_pi:
      return fmt::format("a processing instruction <?{}?>", node.name());
    case pugi::node_element:
      return fmt::format("a second root <{}>", node.name());
    default:
      return "text";
  }
}

}  // namespace

std::optional<pugi::xml_node> Source::parse(Problems& problems) {
  if (!check_octets(problems) || !check_references(problems)) return std::nullopt;
  const unsigned flags = pugi::parse_default | pugi::parse_doctype | pugi::parse_pi |
                         pugi::parse_declaration | pugi::parse_fragment;
  const auto result = document_.load_buffer(text_.data(), text_.size(), flags, pugi::encoding_utf8);
  if (!result) {
    problems.add(error_at(result.offset > 0 ? static_cast<std::size_t>(result.offset) : 0,
                          "well-formed XML", ascii::to_lower(result.description())));
    return std::nullopt;
  }
  if (!check_tree(problems)) return std::nullopt;
  return document_.document_element();
}

bool Source::check_octets(Problems& problems) const {
  for (std::size_t at = 0; at < text_.size();) {
    const std::size_t length = character_length(std::string_view(text_).substr(at));
    if (length == 0) {
      problems.add(error_at(at, "UTF-8 text of characters that XML 1.0 allows",
                            fmt::format("octet 0x{:02x}", static_cast<unsigned char>(text_[at]))));
      return false;
    }
    at += length;
  }
  return true;
}

// The parser keeps references that it does not know as they are; XML without a DTD has only five.
bool Source::check_references(Problems& problems) const {
  const std::string_view text = text_;
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const auto& [open, close] :
         {std::pair<std::string_view, std::string_view>{"<!--", "-->"}, {"<![CDATA[", "]]>"}})
      if (text.substr(at).starts_with(open)) {
        const std::size_t end = text.find(close, at + open.size());
        at = end == std::string_view::npos ? text.size() : end;
      }
    if (at >= text.size() || text[at] != '&') continue;
    const std::size_t end = text.find(';', at);
    const std::string_view name =
        end == std::string_view::npos ? "" : text.substr(at + 1, end - at - 1);
    const bool is_known = name == "amp" || name == "lt" || name == "gt" || name == "quot" ||
                          name == "apos" || (name.size() > 1 && name[0] == '#');
    if (is_known && name != "#0" && name != "#x0") continue;
    problems.add(
        error_at(at, "&amp; &lt; &gt; &quot; &apos; or a character reference",
                 fmt::format("{}", text.substr(at, std::min<std::size_t>(12, text.size() - at)))));
    return false;
  }
  return true;
}

bool Source::check_tree(Problems& problems) const {
  bool has_root = false;
  for (const auto& node : document_) {
    const bool is_blank =
        node.type() == pugi::node_pcdata && ascii::trim(without_mark(node.value())).empty();
    if (node.type() == pugi::node_declaration || is_blank) continue;
    if (node.type() == pugi::node_element && !has_root) {
      has_root = true;
      continue;
    }
    problems.add(error_at(node, "one root element and nothing beside it", node_text(node)));
    return false;
  }
  if (!has_root) {
    problems.add(error_at(0, "a root element", "none"));
    return false;
  }
  std::size_t depth = 1;  // walked without recursion: the file may nest as deep as it is long
  pugi::xml_node node = document_.document_element();
  const pugi::xml_node root = node;
  while (node) {
    if (depth > depth_max) {
      problems.add(error_at(node, fmt::format("at most {} elements inside each other", depth_max),
                            fmt::format("<{}> at depth {}", node.name(), depth)));
      return false;
    }
    if (node.type() == pugi::node_pi || node.type() == pugi::node_doctype) {
      problems.add(error_at(node, "elements and text", node_text(node)));
      return false;
    }
    if (node.first_child()) {
      node = node.first_child();
      ++depth;
      continue;
    }
    while (node != root && !node.next_sibling()) {
      node = node.parent();
      --depth;
    }
    if (node == root) break;
    node = node.next_sibling();
  }
  return true;
}

LoadError Source::error_at(std::size_t offset, std::string expected, std::string found) const {
  const Place place = place_of(text_, offset);
  return {name_, place.line, place.column, std::move(expected), std::move(found)};
}

LoadError Source::error_at(const pugi::xml_node& node, std::string expected,
                           std::string found) const {
  const auto offset = node.offset_debug();
  std::size_t at = offset > 0 ? static_cast<std::size_t>(offset) : 0;
  if (node.type() == pugi::node_element && at > 0) --at;  // its "<"
  return error_at(at, std::move(expected), std::move(found));
}

LoadError Source::error_at(const pugi::xml_node& node, std::string_view attribute,
                           std::string expected, std::string found) const {
  std::size_t at = static_cast<std::size_t>(std::max<std::ptrdiff_t>(node.offset_debug(), 0));
  char quote = 0;
  for (std::size_t i = at; i < text_.size() && (quote != 0 || text_[i] != '>'); ++i) {
    const char c = text_[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (ascii::is_space(c) && std::string_view(text_).substr(i + 1).starts_with(attribute)) {
      const std::string_view rest =
          ascii::trim(std::string_view(text_).substr(i + 1 + attribute.size(), 64));
      if (rest.starts_with('=')) return error_at(i + 1, std::move(expected), std::move(found));
    }
  }
  return error_at(node, std::move(expected), std::move(found));
}

std::size_t Source::line_of(const pugi::xml_node& node) const {
  return error_at(node, {}, {}).line;
}

std::optional<std::string> read_file(const std::string& path, Problems& problems) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    problems.add(
        {path, 0, 0, "a file",
         std::filesystem::exists(path, error) ? "something else" : "nothing of that name"});
    return std::nullopt;
  }
  std::ifstream in(path, std::ios::binary);
  std::string text(file_octets_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) {
    problems.add({path, 0, 0, "a readable file", "an error when reading it"});
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > file_octets_max) {
    problems.add({path, 0, 0, fmt::format("at most {} octets", file_octets_max), "more"});
    return std::nullopt;
  }
  return text;
}

}  // namespace sipassay::scenarios
