#include "scenarios/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/ascii.h"
#include "scenarios/steps.h"

namespace sipassay::scenarios {

namespace {

using runner::Case;

constexpr std::string_view scenario_namespace = "urn:sipassay:scenario:1";

bool is_word(std::string_view text, std::string_view extra) {
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return ascii::is_alnum(c) || extra.find(c) != std::string_view::npos;
  });
}

// RFC3262-4-8, LOCAL-parser-3, INTEROP-7, each with an optional @variant.
bool is_id(std::string_view id) {
  const std::size_t at = id.find('@');
  if (at != std::string_view::npos && !is_word(id.substr(at + 1), ".-+_")) return false;
  const std::string_view base = id.substr(0, at);
  const std::size_t dash = base.rfind('-');
  if (dash == std::string_view::npos || !ascii::number<unsigned>(base.substr(dash + 1)))
    return false;
  const std::string_view head = base.substr(0, dash);
  if (head == "INTEROP") return true;
  if (head.starts_with("LOCAL-")) return is_word(head.substr(6), "-");
  const std::size_t section = head.find('-');
  return head.starts_with("RFC") && section != std::string_view::npos &&
         ascii::number<std::uint16_t>(head.substr(3, section - 3)).has_value() &&
         is_word(head.substr(section + 1), ".");
}

struct Member {
  std::string label;  // for the id
  Parameters values;
};
using Family = std::vector<Member>;

// What a value is called in an id.
std::string label_of(std::string_view value) {
  std::string out;
  for (const char c : ascii::to_lower(value)) out += ascii::is_alnum(c) || c == '.' ? c : '-';
  return out.empty() ? "empty" : out;
}

void check_label(const Element& element, std::string_view label) {
  if (!is_word(label, ".-"))
    element.wrong("label", "letters, digits, dots and dashes", fmt::format("\"{}\"", label));
}

void check_parameter(const Element& element, std::string_view attribute, std::string_view name) {
  if (!is_word(name, "-_") || name == "as")
    element.wrong(attribute, "a name of letters, digits, - and _", fmt::format("\"{}\"", name));
}

// <family name= values=> and its <value>s: one value a member.
Family read_values(Element& element) {
  static constexpr std::string_view known[] = {"value"};
  Family family;
  const std::string name = element.required("name").value_or("");
  check_parameter(element, "name", name);
  for (auto& word : element.words("values")) family.push_back({label_of(word), {{name, word}}});
  for (auto& child : element.children()) {
    if (child.name() != "value") {
      child.unknown_here(known);
      continue;
    }
    const std::string value = child.content();
    const std::string label = child.text_or("label", label_of(value));
    check_label(child, label);
    child.done();
    family.push_back({label, {{name, value}}});
  }
  if (family.empty()) element.wrong("one value or more, in values= or as <value>", "none");
  return family;
}

// <family> of <row>s: each attribute but the label is a value of its own, the same ones in each
// row.
Family read_rows(Element& element) {
  static constexpr std::string_view known[] = {"row"};
  Family family;
  for (auto& child : element.children()) {
    if (child.name() != "row") {
      child.unknown_here(known);
      continue;
    }
    Member row{child.required("label").value_or(""), {}};
    check_label(child, row.label);
    for (const auto& attribute : child.node().attributes()) {
      const std::string_view name = attribute.name();
      if (name == "label") continue;
      check_parameter(child, name, name);
      row.values.emplace(name, child.text_or(name, ""));
    }
    child.is_empty();
    child.done();
    const auto has_name = [&](const auto& one) {
      return family.front().values.contains(one.first);
    };
    if (!family.empty() && (row.values.size() != family.front().values.size() ||
                            !std::ranges::all_of(row.values, has_name)))
      child.wrong("the attributes of the first <row>", "others");
    family.push_back(std::move(row));
  }
  if (family.empty()) element.wrong("a name with values, or one <row> or more", "neither");
  return family;
}

Family read_family(Element& element) {
  auto family =
      element.has("name") || element.has("values") ? read_values(element) : read_rows(element);
  element.done();
  return family;
}

class ScenarioReader {
 public:
  ScenarioReader(const Source& source, pugi::xml_node root, const Library& library,
                 Problems& problems)
      : source_(source), root_(root), library_(library), problems_(problems) {}

  std::vector<Case> read() {
    if (!check_root()) return {};
    const auto families = read_families();
    std::size_t members = 1;
    for (const auto& family : families) {
      members *= std::max<std::size_t>(family.size(), 1);
      if (members > family_members_max) {
        problems_.add(source_.error_at(
            root_, fmt::format("at most {} members of a family", family_members_max), "more"));
        return {};
      }
    }
    if (problems_.any()) return {};
    std::vector<Case> cases;
    for (std::size_t i = 0; i < members && !problems_.any(); ++i)
      cases.push_back(read_member(families, i));
    return problems_.any() ? std::vector<Case>{} : std::move(cases);
  }

 private:
  bool check_root() {
    if (std::string_view(root_.name()) != "scenario") {
      problems_.add(source_.error_at(root_, "<scenario>", fmt::format("<{}>", root_.name())));
      return false;
    }
    if (std::string_view(root_.attribute("xmlns").value()) != scenario_namespace) {
      problems_.add(source_.error_at(root_, "xmlns",
                                     fmt::format("xmlns=\"{}\"", scenario_namespace),
                                     fmt::format("\"{}\"", root_.attribute("xmlns").value())));
      return false;
    }
    return true;
  }

  std::vector<Family> read_families() {
    std::vector<Family> families;
    const Parameters none;
    Names names;
    for (const auto& child : root_.children("family")) {
      Element element(child, {source_, problems_, none, names});
      families.push_back(read_family(element));
    }
    return families;
  }

  Case read_member(const std::vector<Family>& families, std::size_t index) {
    Parameters values;
    std::string labels;
    for (const auto& family : families) {
      const auto& [label, columns] = family[index % family.size()];
      index /= family.size();
      for (const auto& [name, value] : columns)
        if (!values.emplace(name, value).second)
          problems_.add(source_.error_at(root_, "families of different names", name));
      labels += (labels.empty() ? "" : "+") + label;
    }
    Names names;
    Case out;
    Element element(root_, {source_, problems_, values, names});
    read_header(element, out);
    const bool has_own_id =
        std::string_view(root_.attribute("id").value()).find("${") != std::string_view::npos;
    if (!labels.empty() && !has_own_id)
      out.id += (out.id.find('@') == std::string::npos ? "@" : "+") + labels;
    read_content(element, out, names);
    check(element, out);
    return out;
  }

  void read_header(Element& element, Case& out) {
    static constexpr std::string_view roles[] = {"uas", "uac", "proxy", "registrar", "redirect"};
    element.text("xmlns");
    out.file = source_.name();
    out.line = source_.line_of(root_);
    out.id = element.required("id").value_or("");
    out.rows = element.words("rows");
    if (out.id.starts_with("RFC"))
      out.rows.insert(out.rows.begin(),
                      out.id.substr(0, std::min(out.id.find('@'), out.id.size())));
    out.role = static_cast<runner::SutRole>(element.required_choice("sut", roles).value_or(0));
    const auto level = element.required("level");
    if (level && !level_from(*level))
      element.wrong("level", "MUST, MUST NOT, SHOULD, SHOULD NOT, MAY or STATED",
                    fmt::format("\"{}\"", *level));
    if (level) out.level = level_from(*level).value_or(Level::Must);
    if (const auto transports = element.words("transport"); !transports.empty()) {
      out.transports.clear();
      for (const auto& word : transports) read_transport(element, word, out);
    }
    out.needs = element.words("needs");
    out.breaks = element.words("breaks");
    out.tags = element.words("tags");
    out.user = element.text_or("user", "auto");
    element.done();
  }

  void read_transport(Element& element, const std::string& word, Case& out) {
    for (const Transport transport :
         {Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss})
      if (to_string(transport) == word) return out.transports.push_back(transport);
    element.wrong("transport", "udp, tcp, tls, ws or wss", fmt::format("\"{}\"", word));
  }

  void read_content(Element& element, Case& out, Names& names) {
    StepReader steps(library_.flows);
    for (auto& child : element.children()) {
      const std::string_view name = child.name();
      if (name == "family") continue;
      if (name == "title") {
        out.title = child.sentence();
        child.done();
      } else if (name == "note") {
        out.note = child.sentence();
        child.done();
      } else if (name == "clause") {
        read_clause(child, out);
      } else if (name == "peer") {
        read_peer(child, out, names);
      } else if (StepReader::is_step(name)) {
        steps.read(std::move(child), out.steps);
      } else {
        auto known = StepReader::step_names();
        known.insert(known.begin(), {"title", "clause", "note", "family", "peer"});
        child.unknown_here(known);
      }
    }
  }

  void read_clause(Element& element, Case& out) {
    out.clause_rfc = static_cast<std::uint16_t>(element.number("rfc", 1, 65535).value_or(0));
    if (!element.has("rfc")) element.wrong("attribute rfc", "<clause> without it");
    out.clause_section = element.required("section").value_or("");
    out.clause_text = element.sentence();
    if (out.clause_text.empty())
      element.wrong("the requirement in a sentence", "an empty <clause>");
    element.done();
  }

  void read_peer(Element& element, Case& out, Names& names) {
    static constexpr std::string_view words[] = {"own", "shared"};
    runner::Peer peer;
    peer.name = element.required("name").value_or("");
    peer.has_own_address = element.choice("address", words).value_or(0) == 0;
    if (!is_word(peer.name, "-_") || peer.name == "peer" || peer.name == "sut" ||
        peer.name == "login" || names.has(peer.name))
      element.wrong("name", "a new name of letters, digits, - and _, not peer or sut",
                    fmt::format("\"{}\"", peer.name));
    names.peers.insert(peer.name);
    element.is_empty();
    element.done();
    out.peers.push_back(std::move(peer));
  }

  void check(Element& element, const Case& out) {
    if (!is_id(out.id))
      element.wrong(
          "id",
          "RFC<number>-<section>-<n>, LOCAL-<area>-<n> or INTEROP-<n>, with an optional @variant",
          fmt::format("\"{}\"", out.id));
    if (out.title.empty()) element.wrong("a <title>", "none");
    if (out.clause_text.empty()) element.wrong("a <clause>", "none");
    if (out.steps.empty()) element.wrong("at least one step", "none");
    for (const auto& row : out.rows) check_row(element, row, out);
  }

  void check_row(Element& element, const std::string& row, const Case& out) {
    const bool is_primary = row == out.rows.front() && out.id.starts_with("RFC");
    const auto* found = library_.catalogue == nullptr ? nullptr : library_.catalogue->find(row);
    if (found == nullptr)
      return element.wrong(is_primary ? "id" : "rows",
                           library_.catalogue == nullptr
                               ? "a catalogue (requirements.tsv) that has this row"
                               : "a row of the catalogue",
                           fmt::format("\"{}\"", row));
    if (!is_primary) return;
    if (found->level != out.level)
      element.wrong("level", fmt::format("{}, as the catalogue says", to_string(found->level)),
                    std::string(to_string(out.level)));
    if (found->rfc != out.clause_rfc || found->section != out.clause_section)
      element.wrong(fmt::format("<clause rfc=\"{}\" section=\"{}\">, as the catalogue says",
                                found->rfc, found->section),
                    fmt::format("RFC {} section {}", out.clause_rfc, out.clause_section));
  }

  const Source& source_;
  pugi::xml_node root_;
  const Library& library_;
  Problems& problems_;
};

}  // namespace

const FlowLibrary::Flow* FlowLibrary::find(const std::string& name, Problems& problems) {
  if (const auto it = flows_.find(name); it != flows_.end())
    return it->second.root ? &it->second : nullptr;
  if (!is_word(name, "-")) return nullptr;  // never a path
  Flow& flow = flows_[name];
  const std::string path = fmt::format("{}/{}.xml", folder_, name);
  auto text = read_file(path, problems);
  if (!text) return nullptr;
  flow.source = std::make_unique<Source>(path, std::move(*text));
  const auto root = flow.source->parse(problems);
  if (!root) return nullptr;
  const bool is_flow = std::string_view(root->name()) == "flow" &&
                       std::string_view(root->attribute("xmlns").value()) == scenario_namespace &&
                       root->attribute("name").value() == name;
  if (!is_flow) {
    problems.add(flow.source->error_at(
        *root, fmt::format("<flow xmlns=\"{}\" name=\"{}\">", scenario_namespace, name),
        fmt::format("<{} name=\"{}\">", root->name(), root->attribute("name").value())));
    return nullptr;
  }
  flow.root = *root;
  return &flow;
}

std::vector<Case> read_scenario(const Source& source, pugi::xml_node root, const Library& library,
                                Problems& problems) {
  return ScenarioReader(source, root, library, problems).read();
}

}  // namespace sipassay::scenarios
