#include "scenarios/element.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "engine/base/ascii.h"

namespace sipassay::scenarios {

namespace {

constexpr std::size_t nesting_max = 4;  // ${${as}-invite.cseq} is two

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 64 || !ascii::is_alpha(text[0])) return false;
  return std::ranges::all_of(text,
                             [](char c) { return ascii::is_alnum(c) || c == '-' || c == '_'; });
}

// NAME.path, path of letters, digits, dots, dashes, with an optional +N or -N behind it.
bool is_reference(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || !is_name(text.substr(0, dot))) return false;
  std::string_view path = text.substr(dot + 1);
  const std::size_t plus = path.find('+');
  if (plus != std::string_view::npos) {
    if (!ascii::number<std::uint32_t>(path.substr(plus + 1))) return false;
    path = path.substr(0, plus);
  }
  return !path.empty() && ascii::is_alpha(path[0]) && std::ranges::all_of(path, [](char c) {
    return ascii::is_alnum(c) || c == '-' || c == '.' || c == '_';
  });
}

class Expansion {
 public:
  Expansion(std::string_view text, const Parameters& parameters, const Names& names)
      : text_(text), parameters_(parameters), names_(names) {}

  Expanded run() {
    std::string out = part(0);
    return {std::move(out), std::move(expected_), std::move(found_)};
  }

 private:
  std::string part(std::size_t depth) {
    std::string out;
    while (at_ < text_.size() && expected_.empty()) {
      const std::string_view rest = text_.substr(at_);
      if (rest.starts_with("$${")) {
        out += "$${";
        at_ += 3;
      } else if (rest.starts_with("${")) {
        at_ += 2;
        if (depth == nesting_max)
          return fail(fmt::format("at most {} ${{ inside each other", nesting_max), text_);
        out += reference(part(depth + 1));
      } else if (depth > 0 && rest[0] == '}') {
        return out;
      } else {
        out += rest[0];
        ++at_;
      }
      if (out.size() > text_octets_max)
        return fail(fmt::format("at most {} octets of text", text_octets_max), "more");
    }
    return out;
  }

  std::string reference(const std::string& name) {
    if (!expected_.empty()) return {};
    if (at_ >= text_.size()) return fail("a } that closes ${", text_);
    ++at_;
    const auto it = parameters_.find(name);
    if (it != parameters_.end()) return it->second;
    if (is_name(name))
      return fail("a parameter of the flow or a family of the scenario",
                  fmt::format("${{{}}}", name));
    if (!is_reference(name)) return fail("${name} or ${name.path}", fmt::format("${{{}}}", name));
    const std::string_view owner = std::string_view(name).substr(0, name.find('.'));
    if (owner != "sut" && owner != "peer" && owner != "login" && !names_.has(owner))
      return fail("the name of an earlier message, dialog or peer", fmt::format("${{{}}}", name));
    return fmt::format("${{{}}}", name);
  }

  std::string fail(std::string expected, std::string_view found) {
    expected_ = std::move(expected);
    found_ = fmt::format("\"{}\"", found.substr(0, 80));
    return {};
  }

  std::string_view text_;
  const Parameters& parameters_;
  const Names& names_;
  std::size_t at_ = 0;
  std::string expected_, found_;
};

std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    switch (text[i]) {
      case 'r':
        out += '\r';
        break;
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case '\\':
        out += '\\';
        break;
      case 'x': {
        const std::string_view hex = text.substr(i + 1, 2);
        unsigned value = 0;
        const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
        if (hex.size() != 2 || error != std::errc{} || end != hex.data() + 2) return std::nullopt;
        out += static_cast<char>(value);
        i += 2;
        break;
      }
      default:
        return std::nullopt;
    }
  }
  return out;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (true) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

void drop_indentation(std::vector<std::string_view>& lines) {
  std::size_t common = std::string_view::npos;
  for (const auto line : lines)
    if (const std::size_t first = line.find_first_not_of(" \t"); first != std::string_view::npos)
      common = std::min(common, first);
  for (auto& line : lines) line = common < line.size() ? line.substr(common) : std::string_view();
}

std::optional<runner::Span> term_from(std::string_view text) {
  double factor = 1;
  if (!text.empty() && ascii::is_digit(text[0])) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), factor);
    if (error != std::errc{} || !std::isfinite(factor) || factor > 1e6) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto micros = [&](double unit) {
      return runner::Span{Duration(static_cast<Duration::rep>(std::llround(factor * unit))), 0};
    };
    if (text == "ms") return micros(1e3);
    if (text == "s") return micros(1e6);
    if (text == "min") return micros(6e7);
    if (!text.starts_with('*')) return std::nullopt;
    text.remove_prefix(1);
  }
  if (text == "T1") return runner::Span{{}, factor};
  if (text == "T2") return runner::Span{{}, 8 * factor};
  if (text == "T4") return runner::Span{{}, 10 * factor};
  return std::nullopt;
}

}  // namespace

Expanded expand(std::string_view text, const Parameters& parameters, const Names& names) {
  return Expansion(text, parameters, names).run();
}

std::string one_of(std::span<const std::string_view> words) {
  return fmt::format("one of {}", fmt::join(words, ", "));
}

std::optional<runner::Span> span_from(std::string_view text) {
  runner::Span sum;
  while (true) {
    const std::size_t plus = text.find('+');
    const auto term = term_from(text.substr(0, plus));
    if (!term) return std::nullopt;
    sum.fixed += term->fixed;
    sum.t1_multiple += term->t1_multiple;
    if (plus == std::string_view::npos) return sum;
    text.remove_prefix(plus + 1);
  }
}

pugi::xml_attribute Element::attribute(std::string_view name) const {
  for (const auto& attribute : node_.attributes())
    if (attribute.name() == name) return attribute;
  return {};
}

bool Element::has(std::string_view attribute_name) const {
  return !attribute(attribute_name).empty();
}

std::string Element::expanded(std::string_view text) const {
  auto result = expand(text, context_.parameters, context_.names);
  if (!result.ok()) wrong(std::move(result.expected), std::move(result.found));
  return std::move(result.text);
}

std::optional<std::string> Element::text(std::string_view name) {
  asked_.push_back(name);
  const auto value = attribute(name);
  if (value.empty()) return std::nullopt;
  auto result = expand(value.value(), context_.parameters, context_.names);
  if (!result.ok()) {
    wrong(name, std::move(result.expected), std::move(result.found));
    return std::nullopt;
  }
  return std::move(result.text);
}

std::string Element::text_or(std::string_view name, std::string_view otherwise) {
  return text(name).value_or(std::string(otherwise));
}

std::optional<std::string> Element::required(std::string_view name) {
  auto value = text(name);
  if (!has(name))
    wrong(fmt::format("attribute {}", name), fmt::format("<{}> without it", node_.name()));
  return value;
}

std::optional<bool> Element::flag(std::string_view name) {
  static constexpr std::string_view words[] = {"no", "yes"};
  const auto index = choice(name, words);
  return index ? std::optional<bool>(*index == 1) : std::nullopt;
}

std::optional<std::size_t> Element::number(std::string_view name, std::size_t low,
                                           std::size_t high) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  const auto parsed = ascii::number<std::size_t>(*value);
  if (parsed && *parsed >= low && *parsed <= high) return parsed;
  wrong(name, fmt::format("a number from {} to {}", low, high), fmt::format("\"{}\"", *value));
  return std::nullopt;
}

std::optional<runner::Span> Element::span(std::string_view name) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  auto parsed = span_from(*value);
  if (!parsed)
    wrong(name, "a time such as 500ms, 2s, T1, 64*T1 or 64*T1+1s", fmt::format("\"{}\"", *value));
  return parsed;
}

std::optional<std::size_t> Element::choice(std::string_view name,
                                           std::span<const std::string_view> words) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  const auto it = std::ranges::find(words, std::string_view(*value));
  if (it != words.end()) return static_cast<std::size_t>(it - words.begin());
  wrong(name, one_of(words), fmt::format("\"{}\"", *value));
  return std::nullopt;
}

std::optional<std::size_t> Element::required_choice(std::string_view name,
                                                    std::span<const std::string_view> words) {
  auto index = choice(name, words);
  if (!has(name))
    wrong(fmt::format("attribute {}, {}", name, one_of(words)),
          fmt::format("<{}> without it", node_.name()));
  return index;
}

std::vector<std::string> Element::words(std::string_view name) {
  const std::string value = text_or(name, "");
  std::vector<std::string> out;
  std::size_t at = 0;
  while ((at = value.find_first_not_of(" \t\n", at)) != std::string::npos) {
    const std::size_t end = std::min(value.find_first_of(" \t\n", at), value.size());
    out.push_back(value.substr(at, end - at));
    at = end;
  }
  return out;
}

std::string Element::content() {
  std::string raw;
  for (const auto& child : node_.children()) {
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata)
      raw += child.value();
    else
      context_.problems.add(context_.source.error_at(
          child, fmt::format("text in <{}>", node_.name()), fmt::format("<{}>", child.name())));
  }
  return expanded(raw);
}

std::string Element::sentence() {
  std::string out;
  for (const char c : content()) {
    if (!ascii::is_space(c))
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string Element::octets() {
  static constexpr std::string_view kinds[] = {"crlf", "lf", "none"};
  static constexpr std::string_view ends[] = {"\r\n", "\n", ""};
  const std::size_t kind = choice("line-ends", kinds).value_or(0);
  const bool has_escapes = flag("escapes").value_or(false);
  const std::string text = content();
  auto lines = lines_of(text);
  const auto is_blank = [](std::string_view line) { return ascii::trim(line).empty(); };
  if (lines.size() > 1 && is_blank(lines.front())) lines.erase(lines.begin());
  if (lines.size() > 1 && is_blank(lines.back())) lines.pop_back();
  drop_indentation(lines);
  std::string out;
  for (const auto line : lines) {
    const auto octets = has_escapes ? unescaped(line) : std::string(line);
    if (!octets) {
      wrong(R"(escapes \r \n \t \\ \xHH)", fmt::format("\"{}\"", line));
      return {};
    }
    out += *octets;
    out += ends[kind];
  }
  return out;
}

std::string Element::file_octets() {
  const std::string name = required("file").value_or("");
  const bool is_name =
      !name.empty() && name.front() != '.' && std::ranges::all_of(name, [](char c) {
        return ascii::is_alnum(c) || c == '-' || c == '_' || c == '.';
      });
  if (!is_name) {
    wrong("file", "the name of a file in the same folder", fmt::format("\"{}\"", name));
    return {};
  }
  const auto folder = std::filesystem::path(context_.source.name()).parent_path();
  const auto octets = read_file((folder / name).string(), context_.problems);
  if (!octets) return {};
  if (octets->size() > text_octets_max)
    wrong("file", fmt::format("at most {} octets", text_octets_max), "more");
  std::string out;
  for (std::size_t i = 0; i < octets->size(); ++i) {
    if (std::string_view(*octets).substr(i).starts_with("${")) out += '$';
    out += (*octets)[i];
  }
  return out;
}

std::vector<Element> Element::children() {
  std::vector<Element> out;
  for (const auto& child : node_.children()) {
    if (child.type() == pugi::node_element)
      out.emplace_back(child, context_);
    else if (!ascii::trim(child.value()).empty())
      context_.problems.add(context_.source.error_at(
          child, fmt::format("elements in <{}>", node_.name()),
          fmt::format("text \"{}\"", ascii::trim(child.value()).substr(0, 40))));
  }
  return out;
}

void Element::is_empty() {
  for (const auto& child : children())
    child.wrong(fmt::format("nothing inside <{}>", node_.name()),
                fmt::format("<{}>", child.name()));
}

void Element::done() {
  std::vector<std::string_view> seen;
  for (const auto& attribute : node_.attributes()) {
    const std::string_view name = attribute.name();
    if (std::ranges::find(seen, name) != seen.end())
      wrong(name, "each attribute once", fmt::format("{} twice", name));
    else if (std::ranges::find(asked_, name) == asked_.end())
      wrong(name,
            asked_.empty() ? fmt::format("no attribute of <{}>", node_.name()) : one_of(asked_),
            fmt::format("attribute {}", name));
    seen.push_back(name);
  }
}

void Element::wrong(std::string expected, std::string found) const {
  context_.problems.add(context_.source.error_at(node_, std::move(expected), std::move(found)));
}

void Element::wrong(std::string_view attribute, std::string expected, std::string found) const {
  context_.problems.add(
      context_.source.error_at(node_, attribute, std::move(expected), std::move(found)));
}

void Element::unknown_here(std::span<const std::string_view> known) const {
  wrong(one_of(known), fmt::format("<{}>", node_.name()));
}

}  // namespace sipassay::scenarios
