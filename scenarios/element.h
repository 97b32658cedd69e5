// One element while it is read: attributes by name and kind, text, and what is wrong with them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runner/case.h"
#include "scenarios/source.h"

namespace sipassay::scenarios {

// Values of flow parameters and families: what ${name} stands for.
using Parameters = std::map<std::string, std::string, std::less<>>;

// Names that a scenario has given so far: to messages (as=), dialogs and peers.
struct Names {
  std::set<std::string, std::less<>> messages, dialogs, peers;

  bool has(std::string_view name) const {
    return messages.contains(name) || dialogs.contains(name) || peers.contains(name);
  }
};

// Where an element stands: its file, the values in force, the names in sight.
struct Context {
  const Source& source;
  Problems& problems;
  const Parameters& parameters;
  Names& names;
};

// Text with every ${name} replaced by its value. ${name.path} stays for the runner; its name must
// be in sight. On an error the problem, in words, is in `wrong`.
struct Expanded {
  std::string text;
  std::string expected, found;  // both empty: fine
  bool ok() const { return expected.empty(); }
};
Expanded expand(std::string_view text, const Parameters& parameters, const Names& names);

// A comma-and-or list for "expected one of …".
std::string one_of(std::span<const std::string_view> words);

class Element {
 public:
  Element(pugi::xml_node node, const Context& context) : node_(node), context_(context) {}

  std::string_view name() const { return node_.name(); }
  pugi::xml_node node() const { return node_; }
  const Context& context() const { return context_; }

  // Attributes; each of these makes the name a known one. Absent and wrong both give nothing; wrong
  // and missing ones are reported.
  bool has(std::string_view attribute) const;
  std::optional<std::string> text(std::string_view attribute);
  std::string text_or(std::string_view attribute, std::string_view otherwise);
  std::optional<std::string> required(std::string_view attribute);
  std::optional<bool> flag(std::string_view attribute);
  std::optional<std::size_t> number(std::string_view attribute, std::size_t low, std::size_t high);
  std::optional<runner::Span> span(std::string_view attribute);
  // Index into words.
  std::optional<std::size_t> choice(std::string_view attribute,
                                    std::span<const std::string_view> words);
  std::optional<std::size_t> required_choice(std::string_view attribute,
                                             std::span<const std::string_view> words);
  // Space-separated words.
  std::vector<std::string> words(std::string_view attribute);

  // The text inside, white space as it is; child elements are errors.
  std::string content();
  // The text inside, runs of white space made one space, trimmed.
  std::string sentence();
  // The text inside as lines: first and last line break and common indentation removed, every line
  // ended by CRLF unless line-ends says otherwise; \r \n \t \\ \xHH if escapes="yes".
  std::string octets();
  // The octets of the file that attribute `file` names, one in the folder of this one; no text of
  // the runner's: every ${ in them is doubled.
  std::string file_octets();

  // The child elements in order; text between them is an error.
  std::vector<Element> children();
  // No child elements and no text.
  void is_empty();
  // Reports attributes that nobody asked for and attributes that stand twice. Call once, last.
  void done();

  void wrong(std::string expected, std::string found) const;
  void wrong(std::string_view attribute, std::string expected, std::string found) const;
  void unknown_here(std::span<const std::string_view> known) const;
  bool is_sound() const { return !context_.problems.any(); }

 private:
  pugi::xml_attribute attribute(std::string_view name) const;
  std::string expanded(std::string_view text) const;

  pugi::xml_node node_;
  Context context_;
  std::vector<std::string_view> asked_;
};

// "1s", "250ms", "2min", "T1", "64*T1", "64*T1+500ms"; T2 is 8*T1, T4 is 10*T1.
std::optional<runner::Span> span_from(std::string_view text);

}  // namespace sipassay::scenarios
