// The messages of a case as a ladder: who, to whom, when, what. Text and html draw the same rows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/runner/result.h"

namespace sipassay::reports {

struct Arrow {
  std::size_t from = 0, to = 0;  // indexes of parties
  std::string at;                // "0.500", seconds since the case began
  std::string label;             // "183 Session Progress (INVITE, RSeq 100, SDP)", printable
  std::string note;              // "retransmission", "lost"; empty
  bool is_offending = false;
};

struct Ladder {
  std::vector<std::string> parties;  // the peer, the SUT, further peers; printable
  std::vector<Arrow> arrows;         // one a message, in order
};

Ladder ladder(const runner::CaseResult& result);

// One line of a message, for display.
struct MessageLine {
  std::string_view text;   // without its line end
  bool is_marked = false;  // belongs to the header field at fault
};

// Splits at CRLF or LF. `header` is a field name, "start-line", "body", "sdp" or empty; its long
// and compact forms, every repetition and the folded lines that continue it are marked.
std::vector<MessageLine> lines(std::string_view octets, std::string_view header);

// Method or status, and what one wants to see of it in a ladder.
std::string label(std::string_view octets);

// Seconds with three decimals.
std::string seconds(Duration duration);

}  // namespace sipassay::reports
