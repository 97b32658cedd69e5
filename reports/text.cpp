#include "reports/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "reports/escape.h"
#include "reports/ladder.h"
#include "reports/totals.h"

namespace sipassay::reports {
namespace {

using runner::CaseResult;
using runner::Outcome;
using runner::RunResult;

constexpr std::size_t arrow_width_two = 48;   // between the lifelines of two parties
constexpr std::size_t arrow_width_many = 32;  // of more
constexpr std::size_t body_lines_max = 60;    // of a message shown in a failure
constexpr std::size_t ladder_rows_max = 200;

enum class Colour { Plain, Bold, Dim, Red, Green, Yellow, Blue };

std::string_view code(Colour colour) {
  switch (colour) {
    case Colour::Plain:
      return "";
    case Colour::Bold:
      return "\x1b[1m";
    case Colour::Dim:
      return "\x1b[2m";
    case Colour::Red:
      return "\x1b[1;31m";
    case Colour::Green:
      return "\x1b[32m";
    case Colour::Yellow:
      return "\x1b[33m";
    case Colour::Blue:
      return "\x1b[36m";
  }
  return "";
}

Colour colour_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::Pass:
    case Outcome::Xfail:
      return Colour::Green;
    case Outcome::Fail:
    case Outcome::Crash:
    case Outcome::Xpass:
      return Colour::Red;
    case Outcome::NonStrict:
    case Outcome::Error:
    case Outcome::Flaky:
      return Colour::Yellow;
    default:
      return Colour::Blue;
  }
}

std::string painted(std::string_view text, Colour colour, const RenderOptions& options) {
  if (!options.colours || colour == Colour::Plain) return std::string(text);
  return fmt::format("{}{}\x1b[0m", code(colour), text);
}

// "  name      first line\n            further lines\n"
void field(std::string_view name, std::string_view value, std::string& out) {
  if (value.empty()) return;
  std::string shown = printable_lines(value);
  std::string_view rest = shown;
  std::string_view tag = name;
  while (true) {
    const std::size_t end = rest.find('\n');
    fmt::format_to(std::back_inserter(out), "  {:<12}{}\n", tag, rest.substr(0, end));
    if (end == std::string_view::npos) return;
    rest.remove_prefix(end + 1);
    tag = "";
  }
}

// A line of `width` characters from one lifeline to another with the label in its middle.
std::string shaft(std::string_view text, std::size_t width, bool to_right, bool is_lost,
                  char stroke) {
  std::string shown(text);
  const std::size_t room = width - 4;
  if (shown.size() > room) shown = shown.substr(0, room - 3) + "...";
  const std::size_t strokes = width - 3 - shown.size();
  std::string line(strokes / 2, stroke);
  line += " " + shown + " ";
  line += std::string(strokes - strokes / 2, stroke);
  const char tip = is_lost ? 'x' : to_right ? '>' : '<';
  return to_right ? line + tip : tip + line;
}

std::string ascii_only(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto value = static_cast<unsigned char>(c);
    if (value < 0x80) {
      out += c;
    } else if ((value & 0xc0U) != 0x80U) {
      out += '?';
    }
  }
  return out;
}

void ladder_row(const Ladder& drawn, const Arrow& arrow, std::size_t gap,
                const RenderOptions& options, std::string& out) {
  const std::size_t first = std::min(arrow.from, arrow.to);
  const std::size_t last = std::max(arrow.from, arrow.to);
  const std::string text = ascii_only(arrow.label);
  std::string row;
  for (std::size_t i = 0; i < drawn.parties.size(); ++i) {
    row += '|';
    if (i + 1 == drawn.parties.size()) break;
    if (i == first && last > first) {
      const std::size_t width = (last - first) * (gap + 1) - 1;
      const bool is_lost = arrow.note.ends_with("lost");
      row += shaft(text, width, arrow.from < arrow.to, is_lost, arrow.is_offending ? '=' : '-');
      i = last - 1;
    } else {
      row += std::string(gap, ' ');
    }
  }
  if (first == last) row += " " + text;
  if (!arrow.note.empty()) row += "  " + arrow.note;
  const std::string line =
      fmt::format("{:>2} {:>9}  {}", arrow.is_offending ? ">>" : "", arrow.at, row);
  out += painted(line, arrow.is_offending ? Colour::Red : Colour::Plain, options);
  out += '\n';
}

void ladder_text(const CaseResult& result, const RenderOptions& options, std::string& out) {
  const Ladder drawn = ladder(result);
  if (drawn.arrows.empty()) {
    out += "  No message was exchanged.\n";
    return;
  }
  const std::size_t gap = drawn.parties.size() == 2 ? arrow_width_two : arrow_width_many;
  std::string heading(14, ' ');
  for (const std::string& name : drawn.parties)
    heading += fmt::format("{:<{}}", ascii_only(name), gap + 1);
  while (heading.ends_with(' ')) heading.pop_back();
  out += painted(heading, Colour::Bold, options) + "\n";

  // Of a long call the end matters, and the arrow at fault.
  const std::size_t all = drawn.arrows.size();
  const std::size_t from = all > ladder_rows_max ? all - ladder_rows_max : 0;
  if (from > 0) out += fmt::format("              ... {} earlier messages\n", from);
  for (std::size_t i = 0; i < all; ++i)
    if (i >= from || drawn.arrows[i].is_offending)
      ladder_row(drawn, drawn.arrows[i], gap, options, out);
}

void message_text(const CaseResult& result, const RenderOptions& options, std::string& out) {
  if (result.offending < 0) return;
  const auto index = static_cast<std::size_t>(result.offending);
  if (index >= result.messages.size()) return;
  const runner::TranscriptEntry& entry = result.messages[index];
  out += fmt::format("\n  Message {} at {} s, from {} to {}, {} octets over {}:\n", index + 1,
                     seconds(entry.at.time_since_epoch()), printable(entry.from),
                     printable(entry.to), entry.octets.size(), to_string(entry.transport));
  bool any_marked = false;
  std::size_t shown = 0;
  const std::vector<MessageLine> all = lines(entry.octets, result.header);
  for (const MessageLine& line : all) {
    any_marked = any_marked || line.is_marked;
    if (++shown > body_lines_max && !line.is_marked) continue;
    const std::string text =
        fmt::format("  {} | {}", line.is_marked ? ">>" : "  ", printable(line.text));
    out += painted(text, line.is_marked ? Colour::Red : Colour::Plain, options) + "\n";
  }
  if (all.size() > body_lines_max)
    out +=
        fmt::format("     ... {} lines in all; the json and html reports have them\n", all.size());
  if (!result.header.empty() && !any_marked)
    out += painted(fmt::format("  >> there is no {} in it", printable(result.header)), Colour::Red,
                   options) +
           "\n";
}

void findings_text(const CaseResult& result, std::string& out) {
  for (const runner::ReportedFinding& finding : result.findings)
    out += fmt::format("  finding     {} ({}), {} time{}: expected {}, came {}\n",
                       printable(finding.rule), printable(finding.clause), finding.count,
                       finding.count == 1 ? "" : "s", printable(finding.expected),
                       printable(finding.observed));
}

bool needs_paragraph(Outcome outcome) {
  return outcome != Outcome::Pass && outcome != Outcome::Info &&
         outcome != Outcome::NotApplicable && outcome != Outcome::Unsupported &&
         outcome != Outcome::Xfail;
}

void case_line(const CaseResult& one, const RenderOptions& options, std::string& out) {
  const std::string outcome = fmt::format("{:<14}", runner::to_string(one.outcome));
  out += fmt::format("{} {:<24} {}", painted(outcome, colour_of(one.outcome), options),
                     printable(one.id), printable(one.title));
  const std::string why = one.outcome == Outcome::Xfail ? known_text(one) : one.reason;
  if (one.outcome != Outcome::Pass && !needs_paragraph(one.outcome) && !why.empty())
    out += fmt::format(": {}", printable(why));
  out += '\n';
}

// The same rule broken in many cases is one thing to know.
void findings_summary(const RunResult& result, std::string& out) {
  std::vector<std::pair<std::string, std::size_t>> sums;
  for (const CaseResult& one : result.cases)
    for (const runner::ReportedFinding& finding : one.findings) {
      const std::string name =
          fmt::format("{} ({})", printable(finding.rule), printable(finding.clause));
      auto found = std::ranges::find(sums, name, &std::pair<std::string, std::size_t>::first);
      if (found == sums.end()) found = sums.insert(found, {name, 0});
      ++found->second;
    }
  if (sums.empty()) return;
  out += "\nRules that hold in every message, broken by the SUT:\n";
  for (const auto& [name, count] : sums)
    out += fmt::format("  {} in {} case{}\n", name, count, count == 1 ? "" : "s");
}

}  // namespace

void render_failure(const CaseResult& result, const RenderOptions& options, std::string& out) {
  out += painted(fmt::format("{} {}", runner::to_string(result.outcome), printable(result.id)),
                 colour_of(result.outcome), options);
  out += painted(fmt::format("  {}", printable(result.title)), Colour::Bold, options) + "\n";
  field("clause", result.clause, out);
  field("requirement", result.requirement, out);
  field("expected", result.expected, out);
  field("actual", result.observed, out);
  field("because", result.reason, out);
  field("known", known_text(result), out);
  if (!result.file.empty()) field("step", fmt::format("{}:{}", result.file, result.line), out);
  findings_text(result, out);
  message_text(result, options, out);
  out += '\n';
  ladder_text(result, options, out);
  out += '\n';
  field("seed", std::to_string(result.seed), out);
  field("repeat", result.repeat, out);
}

void render_text(const RunResult& result, const RenderOptions& options, std::string& out) {
  for (const CaseResult& one : result.cases)
    if (options.every_case || one.outcome != Outcome::Pass) case_line(one, options, out);

  for (const CaseResult& one : result.cases) {
    if (!needs_paragraph(one.outcome)) continue;
    out += '\n';
    render_failure(one, options, out);
  }
  findings_summary(result, out);

  const Totals sums = totals(result);
  out += fmt::format("\n{} case{}: {}\n", sums.all, sums.all == 1 ? "" : "s", to_string(sums));
  out += fmt::format("SUT {}{}, seed {}, sipassay {}\n", printable(result.run.sut),
                     result.run.sut_name.empty() ? "" : " (" + printable(result.run.sut_name) + ")",
                     result.run.seed, printable(result.run.version));
  if (result.run.partial)
    out += painted(fmt::format("PARTIAL: {}", printable(result.run.partial_reason)), Colour::Yellow,
                   options) +
           "\n";
}

}  // namespace sipassay::reports
