#include "reports/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "engine/base/ascii.h"
#include "reports/escape.h"
#include "reports/ladder.h"
#include "reports/totals.h"

namespace sipassay::reports {
namespace {

using runner::CaseResult;
using runner::Outcome;
using runner::RunResult;

// Geometry of a ladder, in pixels.
constexpr std::size_t time_width = 84;
constexpr std::size_t party_gap = 330;
constexpr std::size_t head_height = 40;
constexpr std::size_t row_height = 30;
constexpr std::size_t margin = 60;
constexpr std::size_t note_width = 110;  // right of the last lifeline

// Class name of an outcome: "non-strict".
std::string css_class(Outcome outcome) {
  return ascii::to_lower(runner::to_string(outcome));
}

template <class... Args>
void put(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

void head(const RunResult& result, std::string& out) {
  put(out,
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{}'; "
      "script-src '{}'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<title>Sipassay: {}</title>\n<style>{}</style>\n</head>\n<body>\n",
      page_style_hash(), page_script_hash(), markup(printable(result.run.sut)), page_style());
}

void run_facts(const RunResult& result, std::string& out) {
  const runner::RunInfo& run = result.run;
  put(out, "<header>\n<h1>Sipassay</h1>\n<dl class=\"facts\">\n");
  const auto fact = [&](std::string_view name, std::string_view value) {
    if (!value.empty())
      put(out, "<div><dt>{}</dt><dd>{}</dd></div>\n", name, markup(printable(value)));
  };
  fact("SUT", run.sut);
  fact("calls itself", run.sut_name);
  fact("seed", std::to_string(run.seed));
  fact("started", run.started);
  fact("options", fmt::format("{}", fmt::join(run.options, " ")));
  fact("sipassay", run.version);
  put(out, "</dl>\n");
  if (run.partial)
    put(out, "<p class=\"partial\">Partial: {}</p>\n", markup(printable(run.partial_reason)));
  put(out, "</header>\n");
}

void totals_and_filter(const RunResult& result, std::string& out) {
  const Totals sums = totals(result);
  put(out, "<section class=\"totals\">\n<p><strong>{}</strong> case{}</p>\n", sums.all,
      sums.all == 1 ? "" : "s");
  // Worst first: that is what one opens the page for.
  for (std::size_t i = outcome_count; i-- > 0;) {
    const auto outcome = static_cast<Outcome>(i);
    if (sums.counts[i] == 0) continue;
    put(out,
        "<button type=\"button\" class=\"chip {}\" data-outcome=\"{}\" aria-pressed=\"true\" "
        "title=\"{}\"><b>{}</b> {}</button>\n",
        css_class(outcome), runner::to_string(outcome), markup(meaning(outcome)), sums.counts[i],
        runner::to_string(outcome));
  }
  put(out,
      "<label>Filter <input id=\"filter\" type=\"search\" placeholder=\"id, title, RFC, level, "
      "header\"></label>\n<span id=\"shown\"></span>\n</section>\n");
}

void all_findings(const RunResult& result, std::string& out) {
  struct Sum {
    const runner::ReportedFinding* finding;
    std::size_t cases;
    const std::string* first;
  };
  std::vector<Sum> sums;
  for (const CaseResult& one : result.cases)
    for (const runner::ReportedFinding& finding : one.findings) {
      const auto same = std::ranges::find_if(
          sums, [&](const Sum& sum) { return sum.finding->rule == finding.rule; });
      if (same == sums.end())
        sums.push_back({&finding, 1, &one.id});
      else
        ++same->cases;
    }
  if (sums.empty()) return;
  put(out,
      "<section class=\"findings\">\n<h2>Findings</h2>\n<p>Rules that hold in every message, "
      "broken "
      "by the SUT; apart from the verdicts.</p>\n<table>\n<thead><tr><th>rule</th><th>clause</th>"
      "<th>expected</th><th>observed</th><th>cases</th><th>first in</th></tr></thead>\n<tbody>\n");
  for (const Sum& sum : sums)
    put(out,
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td><a "
        "href=\"#{}\">{}</a></td></tr>\n",
        markup(sum.finding->rule), markup(sum.finding->clause), markup(sum.finding->expected),
        markup(sum.finding->observed), sum.cases, markup(printable(*sum.first)),
        markup(printable(*sum.first)));
  put(out, "</tbody>\n</table>\n</section>\n");
}

std::size_t lifeline(std::size_t party) {
  return time_width + margin + party * party_gap;
}

void ladder_arrow(const Arrow& arrow, std::size_t number, std::size_t case_number,
                  std::size_t parties, std::string& out) {
  const std::size_t y = head_height + row_height * (number + 1);
  const std::size_t from = lifeline(arrow.from);
  const std::size_t to = lifeline(arrow.to);
  const bool is_lost = arrow.note.ends_with("lost");
  // A lost message does not arrive: its arrow ends before the lifeline.
  const std::size_t short_by = is_lost ? 40 : 0;
  const std::size_t tip = from < to ? to - short_by : to + short_by;
  const std::size_t back = from < to ? tip - 9 : tip + 9;
  const std::string& text = arrow.label;

  put(out, "<a href=\"#m{}-{}\" class=\"arrow{}{}\">\n", case_number, number,
      arrow.is_offending ? " offending" : "", arrow.note.empty() ? "" : " noted");
  put(out, "<rect class=\"hit\" x=\"0\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
      y - row_height + 8, lifeline(std::max({arrow.from, arrow.to, std::size_t{1}})) + margin,
      row_height);
  put(out, "<text class=\"time\" x=\"{}\" y=\"{}\">{}</text>\n", time_width - 14, y + 4,
      markup(arrow.at));
  if (!arrow.note.empty())
    put(out, "<text class=\"note\" x=\"{}\" y=\"{}\">{}</text>\n", lifeline(parties - 1) + 10,
        y + 4, markup(arrow.note));
  if (from == to) {
    put(out, "<text x=\"{}\" y=\"{}\">{}</text>\n</a>\n", from + 8, y, markup(text));
    return;
  }
  put(out, "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", from, y, tip, y);
  if (is_lost)
    put(out, "<path class=\"cross\" d=\"M{} {}l10 10m0 -10l-10 10\"/>\n", tip - 5, y - 5);
  else
    put(out, "<polygon points=\"{},{} {},{} {},{}\"/>\n", tip, y, back, y - 4, back, y + 4);
  put(out, "<text class=\"label\" x=\"{}\" y=\"{}\">{}</text>\n</a>\n", (from + to) / 2, y - 5,
      markup(text));
}

void ladder_svg(const Ladder& drawn, std::size_t case_number, std::string& out) {
  const std::size_t width = lifeline(drawn.parties.size() - 1) + margin + note_width;
  const std::size_t height = head_height + row_height * (drawn.arrows.size() + 1);
  put(out,
      "<div class=\"ladder\"><svg width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"ladder of the call\">\n",
      width, height, width, height);
  for (std::size_t i = 0; i < drawn.parties.size(); ++i) {
    put(out, "<text class=\"party\" x=\"{}\" y=\"24\">{}</text>\n", lifeline(i),
        markup(drawn.parties[i]));
    put(out, "<line class=\"life\" x1=\"{}\" y1=\"32\" x2=\"{}\" y2=\"{}\"/>\n", lifeline(i),
        lifeline(i), height);
  }
  for (std::size_t i = 0; i < drawn.arrows.size(); ++i)
    ladder_arrow(drawn.arrows[i], i, case_number, drawn.parties.size(), out);
  put(out, "</svg></div>\n");
}

void message(const CaseResult& one, const Arrow& arrow, std::size_t number, std::size_t case_number,
             std::string& out) {
  const runner::TranscriptEntry& entry = one.messages[number];
  put(out,
      "<details class=\"message{}\" id=\"m{}-{}\"{}><summary>{} s, {} to {}, {}: "
      "{}</summary><pre>",
      arrow.is_offending ? " offending" : "", case_number, number,
      arrow.is_offending ? " open" : "", markup(arrow.at), markup(printable(entry.from)),
      markup(printable(entry.to)), to_string(entry.transport), markup(arrow.label));
  const std::string_view header = arrow.is_offending ? std::string_view(one.header) : "";
  bool any_marked = false;
  for (const MessageLine& line : lines(entry.octets, header)) {
    const std::string text = markup(printable(line.text));
    any_marked = any_marked || line.is_marked;
    if (line.is_marked)
      put(out, "<mark>{}</mark>\n", text);
    else
      put(out, "{}\n", text);
  }
  put(out, "</pre>");
  if (!header.empty() && !any_marked)
    put(out, "<p class=\"absent\">There is no {} in it.</p>", markup(printable(header)));
  put(out, "</details>\n");
}

void case_findings(const CaseResult& one, std::size_t case_number, std::string& out) {
  if (one.findings.empty()) return;
  put(out, "<h3>Findings</h3>\n<ul>\n");
  for (const runner::ReportedFinding& finding : one.findings)
    put(out, "<li><a href=\"#m{}-{}\">{}</a> ({}), {} time{}: expected {}; came {}</li>\n",
        case_number, finding.message, markup(finding.rule), markup(finding.clause), finding.count,
        finding.count == 1 ? "" : "s", markup(finding.expected), markup(finding.observed));
  put(out, "</ul>\n");
}

void case_facts(const CaseResult& one, std::string& out) {
  put(out, "<dl class=\"facts\">\n");
  const auto fact = [&](std::string_view name, std::string_view value) {
    if (!value.empty())
      put(out, "<div><dt>{}</dt><dd>{}</dd></div>\n", name, markup(printable(value)));
  };
  fact("covers", fmt::format("{}", fmt::join(one.rows, " ")));
  fact("SUT is", runner::to_string(one.role));
  fact("transport", to_string(one.transport));
  fact("took", seconds(one.took) + " s");
  fact("step", one.line == 0 ? one.file : fmt::format("{}:{}", one.file, one.line));
  fact("seed", std::to_string(one.seed));
  put(out, "</dl>\n");
  if (!one.repeat.empty())
    put(out, "<p>Repeat: <code>{}</code></p>\n", markup(printable(one.repeat)));
}

void case_row(const CaseResult& one, std::size_t case_number, std::string& out) {
  const std::string outcome(runner::to_string(one.outcome));
  const std::string search =
      ascii::to_lower(fmt::format("{} {} {} {} {} {}", one.id, one.title, one.clause,
                                  to_string(one.level), runner::to_string(one.role), one.header));
  put(out,
      "<details class=\"case\" id=\"{}\" data-outcome=\"{}\" data-search=\"{}\">\n"
      "<summary><span class=\"verdict {}\">{}</span><span class=\"id\">{}</span>"
      "<span class=\"title\">{}</span><span class=\"level\">{}</span></summary>\n",
      markup(printable(one.id)), outcome, markup(printable(search)), css_class(one.outcome),
      outcome, markup(printable(one.id)), markup(printable(one.title)), to_string(one.level));
  put(out, "<p class=\"requirement\"><b>{}</b> {}</p>\n", markup(printable(one.clause)),
      markup(one.requirement));
  if (!one.reason.empty()) put(out, "<p class=\"reason\">{}</p>\n", markup(one.reason));
  if (one.expectation) put(out, "<p>{}</p>\n", markup(printable(known_text(one))));
  if (!one.expected.empty() || !one.observed.empty())
    put(out,
        "<div class=\"against\"><div><h3>Expected</h3><pre>{}</pre></div><div class=\"actual "
        "{}\"><h3>Actual</h3><pre>{}</pre></div></div>\n",
        markup(one.expected), css_class(one.outcome), markup(one.observed));
  case_facts(one, out);
  case_findings(one, case_number, out);
  const Ladder drawn = ladder(one);
  if (drawn.arrows.empty()) {
    put(out, "<p>No message was exchanged.</p>\n");
  } else {
    ladder_svg(drawn, case_number, out);
    for (std::size_t i = 0; i < drawn.arrows.size(); ++i)
      message(one, drawn.arrows[i], i, case_number, out);
  }
  put(out, "</details>\n");
}

}  // namespace

void render_html(const RunResult& result, const RenderOptions&, std::string& out) {
  head(result, out);
  run_facts(result, out);
  totals_and_filter(result, out);
  all_findings(result, out);
  put(out, "<main>\n<h2>Cases</h2>\n");
  for (std::size_t i = 0; i < result.cases.size(); ++i) case_row(result.cases[i], i, out);
  put(out, "</main>\n<script>{}</script>\n</body>\n</html>\n", page_script());
}

}  // namespace sipassay::reports
