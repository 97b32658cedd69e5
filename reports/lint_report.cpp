#include "reports/lint_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/ascii.h"
#include "reports/escape.h"

namespace sipassay::reports {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array formats{
    LintFormat{"text", "for people", &lint_text},
    LintFormat{"json", "everything, as data", &lint_json},
    LintFormat{"sarif", "SARIF 2.1.0, for code scanning services", &lint_sarif},
};

std::string_view word(Severity severity) {
  constexpr std::array<std::string_view, 3> words{"note", "warning", "error"};
  return words[static_cast<std::size_t>(severity)];
}

double seconds(Instant at) {
  return std::chrono::duration<double>(at.time_since_epoch()).count();
}

// RFC 3986 2.1: what a path may not hold as it is.
std::string uri_path(std::string_view path) {
  std::string out;
  for (const char c : path)
    if (ascii::is_alnum(c) || std::string_view("-._~/").find(c) != std::string_view::npos)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

std::string help_uri(const Clause& clause) {
  return fmt::format("https://www.rfc-editor.org/rfc/rfc{}#section-{}", clause.rfc, clause.section);
}

}  // namespace

Severity severity(Level level) {
  switch (level) {
    case Level::Must:
    case Level::MustNot:
      return Severity::Error;
    case Level::Should:
    case Level::ShouldNot:
    case Level::Stated:
      return Severity::Warning;
    case Level::May:
      return Severity::Note;
  }
  return Severity::Note;
}

std::size_t LintResult::count(Severity wanted) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      findings, [&](const LintEntry& one) { return severity(one.clause.level) == wanted; }));
}

std::span<const LintFormat> lint_formats() {
  return formats;
}

const LintFormat* find_lint_format(std::string_view name) {
  const auto found = std::ranges::find(formats, name, &LintFormat::name);
  return found == formats.end() ? nullptr : &*found;
}

std::string lint_text(const LintResult& result) {
  std::string out;
  for (const LintEntry& one : result.findings) {
    out += fmt::format("{} {}: {}\n", word(severity(one.clause.level)), one.rule,
                       to_string(one.clause));
    out += fmt::format("  sender    {}\n", printable(one.sender));
    out += fmt::format("  message   {} (frame {}, {:.6f} s{})\n", printable(one.message), one.frame,
                       seconds(one.at), one.count > 1 ? fmt::format("; {} in all", one.count) : "");
    out += fmt::format("  expected  {}\n  observed  {}\n\n", printable(one.expected),
                       printable(one.observed));
  }
  out += fmt::format("{}: {} SIP messages in {} frames", printable(result.file), result.messages,
                     result.frames);
  for (const auto& [why, count] : result.unread) out += fmt::format("; {} {}", count, why);
  out += fmt::format("\n{} errors, {} warnings, {} notes\n", result.count(Severity::Error),
                     result.count(Severity::Warning), result.count(Severity::Note));
  return out;
}

std::string lint_json(const LintResult& result) {
  Json out;
  out["schema"] = 1;
  out["version"] = printable(result.version);
  out["file"] = printable(result.file);
  out["frames"] = result.frames;
  out["messages"] = result.messages;
  out["unread"] = Json::object();
  for (const auto& [why, count] : result.unread) out["unread"][why] = count;
  out["findings"] = Json::array();
  for (const LintEntry& one : result.findings)
    out["findings"].push_back({{"rule", one.rule},
                               {"severity", word(severity(one.clause.level))},
                               {"clause", to_string(one.clause)},
                               {"sender", printable(one.sender)},
                               {"message", printable(one.message)},
                               {"expected", printable(one.expected)},
                               {"observed", printable(one.observed)},
                               {"frame", one.frame},
                               {"at", one.at.time_since_epoch().count()},
                               {"count", one.count}});
  return out.dump(2) + "\n";
}

std::string lint_sarif(const LintResult& result) {
  Json rules = Json::array(), results = Json::array();
  std::set<std::string_view> named;
  for (const LintEntry& one : result.findings) {
    if (named.insert(one.rule).second)
      rules.push_back({{"id", one.rule},
                       {"shortDescription", {{"text", to_string(one.clause)}}},
                       {"helpUri", help_uri(one.clause)}});
    results.push_back(
        {{"ruleId", one.rule},
         {"level", word(severity(one.clause.level))},
         {"message",
          {{"text", fmt::format("{}: {}. Expected {}; observed {}.", to_string(one.clause),
                                printable(one.message), printable(one.expected),
                                printable(one.observed))}}},
         {"locations",
          {{{"physicalLocation", {{"artifactLocation", {{"uri", uri_path(result.file)}}}}},
            {"logicalLocations",
             {{{"name", fmt::format("frame {}", one.frame)},
               {"fullyQualifiedName",
                fmt::format("{} frame {}", printable(one.sender), one.frame)}}}}}}},
         {"occurrenceCount", one.count}});
  }
  Json out;
  out["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json";
  out["version"] = "2.1.0";
  out["runs"] = {{{"tool",
                   {{"driver",
                     {{"name", "sipassay"},
                      {"version", printable(result.version)},
                      {"rules", std::move(rules)}}}}},
                  {"results", std::move(results)}}};
  return out.dump(2) + "\n";
}

}  // namespace sipassay::reports
