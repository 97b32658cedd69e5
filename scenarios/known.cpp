#include "scenarios/known.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "scenarios/element.h"

namespace sipassay::scenarios {
namespace {

using runner::Outcome;

constexpr std::string_view known_namespace = "urn:sipassay:known:1";
// What a SUT can be known for. The others say that a case does not concern it.
constexpr std::array expectable{Outcome::Pass,  Outcome::NonStrict, Outcome::Flaky,
                                Outcome::Error, Outcome::Fail,      Outcome::Crash};

class KnownReader {
 public:
  KnownReader(const Source& source, Problems& problems) : source_(source), problems_(problems) {}

  std::vector<KnownCase> read(pugi::xml_node root) {
    Names names;
    const Parameters none;
    Element element(root, {source_, problems_, none, names});
    if (element.name() != "known")
      element.wrong("<known>", fmt::format("<{}>", element.name()));
    else if (element.text_or("xmlns", "") != known_namespace)
      element.wrong("xmlns", fmt::format("\"{}\"", known_namespace),
                    fmt::format("\"{}\"", element.text_or("xmlns", "")));
    if (problems_.any()) return {};
    element.required("stack");
    element.required("version");
    for (Element& child : element.children()) {
      static constexpr std::string_view known[] = {"case"};
      if (out_.size() == known_cases_max) {
        child.wrong(fmt::format("at most {} cases", known_cases_max), "more");
        break;
      }
      if (child.name() == "case")
        read_case(child);
      else
        child.unknown_here(known);
    }
    element.done();
    return problems_.any() ? std::vector<KnownCase>{} : std::move(out_);
  }

 private:
  void read_case(Element& element) {
    KnownCase one;
    const LoadError here = source_.error_at(element.node(), "", "");
    one.file = here.file;
    one.line = here.line;
    one.column = here.column;
    one.pattern = element.required("match").value_or("");
    if (element.has("match") && one.pattern.empty()) element.wrong("match", "a pattern", "none");
    if (std::ranges::find(out_, one.pattern, &KnownCase::pattern) != out_.end())
      element.wrong("match", "a pattern that no other <case> has",
                    fmt::format("\"{}\"", one.pattern));
    read_outcomes(element, one);
    one.observed = element.text_or("observed", "");
    const auto rfc = element.number("rfc", 1, 65535);
    const auto section = element.text("section");
    if (element.has("rfc") != element.has("section"))
      element.wrong("both rfc and section, or neither", "one of them");
    if (rfc && section) one.clause = fmt::format("RFC {} section {}", *rfc, *section);
    one.reason = element.sentence();
    if (one.reason.empty()) element.wrong("the reason in a sentence", "an empty <case>");
    element.done();
    out_.push_back(std::move(one));
  }

  void read_outcomes(Element& element, KnownCase& one) {
    element.required("outcome");
    for (const std::string& word : element.words("outcome")) {
      const auto outcome = runner::outcome_from(word);
      if (!outcome || std::ranges::find(expectable, *outcome) == expectable.end())
        element.wrong("outcome", "PASS, NON-STRICT, FLAKY, ERROR, FAIL or CRASH",
                      fmt::format("\"{}\"", word));
      else
        one.outcomes.push_back(*outcome);
    }
    if (element.has("outcome") &&
        std::ranges::all_of(one.outcomes, [](Outcome outcome) { return outcome == Outcome::Pass; }))
      element.wrong("outcome", "an outcome besides PASS", "none");
  }

  const Source& source_;
  Problems& problems_;
  std::vector<KnownCase> out_;
};

LoadedKnown load(std::string xml, const std::string& name, Problems& problems) {
  LoadedKnown out;
  if (xml.size() > file_octets_max)
    return {.cases = {},
            .errors = {{name, 0, 0, fmt::format("at most {} octets", file_octets_max),
                        fmt::format("{}", xml.size())}}};
  Source source(name, std::move(xml));
  if (const auto root = source.parse(problems))
    out.cases = KnownReader(source, problems).read(*root);
  out.errors = problems.take();
  return out;
}

}  // namespace

LoadedKnown load_known_text(std::string_view xml, const std::string& name) {
  Problems problems;
  return load(std::string(xml), name, problems);
}

LoadedKnown load_known_file(const std::string& path) {
  Problems problems;
  if (auto text = read_file(path, problems)) return load(std::move(*text), path, problems);
  return {.cases = {}, .errors = problems.take()};
}

}  // namespace sipassay::scenarios
