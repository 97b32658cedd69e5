#include "reports/ladder.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/ascii.h"
#include "engine/message/header_id.h"
#include "reports/escape.h"

namespace sipassay::reports {
namespace {

std::vector<std::string_view> split(std::string_view octets) {
  std::vector<std::string_view> out;
  while (!octets.empty()) {
    const std::size_t end = octets.find('\n');
    std::string_view line = octets.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    out.push_back(line);
    octets.remove_prefix(end == std::string_view::npos ? octets.size() : end + 1);
  }
  return out;
}

// The field name of a header line; empty for a line that has none.
std::string_view field_name(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  return ascii::trim(line.substr(0, colon));
}

bool is_same_field(std::string_view written, std::string_view wanted) {
  if (ascii::iequals(written, wanted)) return true;
  const HeaderId id = header_id_from(wanted);
  return id != HeaderId::Other && header_id_from(written) == id;
}

bool is_fold(std::string_view line) {
  return !line.empty() && (line.front() == ' ' || line.front() == '\t');
}

// The first value of a field in the header section, without white space around it.
std::string_view value(const std::vector<std::string_view>& all, std::string_view name) {
  for (std::size_t i = 1; i < all.size() && !all[i].empty(); ++i)
    if (is_same_field(field_name(all[i]), name))
      return ascii::trim(all[i].substr(all[i].find(':') + 1));
  return {};
}

std::string_view last_word(std::string_view text) {
  const std::size_t blank = text.find_last_of(" \t");
  return blank == std::string_view::npos ? text : text.substr(blank + 1);
}

std::string clipped(std::string_view octets, std::size_t length) {
  std::string out = printable(octets.substr(0, length));
  if (octets.size() > length) out += "...";
  return out;
}

std::string note(const runner::TranscriptEntry& entry) {
  if (entry.was_lost) return entry.is_retransmission ? "retransmission, lost" : "lost";
  return entry.is_retransmission ? "retransmission" : "";
}

std::size_t party(std::vector<std::string>& parties, const std::string& name) {
  const std::string shown = clipped(name, 24);
  const auto found = std::ranges::find(parties, shown);
  if (found != parties.end()) return static_cast<std::size_t>(found - parties.begin());
  parties.push_back(shown);
  return parties.size() - 1;
}

}  // namespace

std::string seconds(Duration duration) {
  const auto micro = duration.count();
  const char* sign = micro < 0 ? "-" : "";
  const auto size = micro < 0 ? -micro : micro;
  return fmt::format("{}{}.{:03}", sign, size / 1000000, size / 1000 % 1000);
}

std::vector<MessageLine> lines(std::string_view octets, std::string_view header) {
  std::vector<MessageLine> out;
  bool in_body = false;
  bool in_field = false;
  const bool wants_body = header == "body" || header == "sdp";
  for (const std::string_view line : split(octets)) {
    bool is_marked = false;
    if (out.empty()) {
      is_marked = header == "start-line";
    } else if (in_body) {
      is_marked = wants_body;
    } else if (line.empty()) {
      in_body = true;
    } else {
      if (!is_fold(line)) in_field = !header.empty() && is_same_field(field_name(line), header);
      is_marked = in_field;
    }
    out.push_back({line, is_marked});
  }
  return out;
}

std::string label(std::string_view octets) {
  constexpr std::size_t word_max = 40;
  const std::vector<std::string_view> all = split(octets);
  if (all.empty()) return "(nothing)";
  const std::string_view first = all.front();
  if (ascii::trim(octets).empty()) return "(keep-alive)";

  std::vector<std::string> extras;
  std::string out;
  if (ascii::istarts_with(first, "SIP/")) {
    const std::size_t blank = first.find(' ');
    out = clipped(blank == std::string_view::npos ? first : first.substr(blank + 1), word_max);
    if (const auto cseq = value(all, "CSeq"); !cseq.empty())
      extras.push_back(clipped(last_word(cseq), 16));
    if (const auto rseq = value(all, "RSeq"); !rseq.empty())
      extras.push_back("RSeq " + clipped(rseq, 12));
  } else {
    out = clipped(first.substr(0, first.find(' ')), word_max);
    if (const auto rack = value(all, "RAck"); !rack.empty())
      extras.push_back("RAck " + clipped(rack, 24));
  }
  if (ascii::istarts_with(value(all, "Content-Type"), "application/sdp"))
    extras.emplace_back("SDP");
  if (!extras.empty()) out += fmt::format(" ({})", fmt::join(extras, ", "));
  return out;
}

Ladder ladder(const runner::CaseResult& result) {
  Ladder out;
  if (result.messages.empty()) return out;
  out.parties = {"peer", "sut"};
  for (std::size_t i = 0; i < result.messages.size(); ++i) {
    const runner::TranscriptEntry& entry = result.messages[i];
    Arrow arrow;
    arrow.from = party(out.parties, entry.from);
    arrow.to = party(out.parties, entry.to);
    arrow.at = seconds(entry.at.time_since_epoch());
    arrow.label = label(entry.octets);
    arrow.note = note(entry);
    arrow.is_offending = result.offending >= 0 && static_cast<std::size_t>(result.offending) == i;
    out.arrows.push_back(std::move(arrow));
  }
  return out;
}

}  // namespace sipassay::reports
