// Where the lines of a header section end: one pass over the octets, 64 at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/message/message.h"
#include "engine/message/slack.h"

namespace sipassay {

struct LineIndex {
  // A line, one more than header_lines_max, and the start line.
  static constexpr std::size_t lines_max = header_lines_max + 2;

  // Offsets of LF; the last one ends the empty line. Only the first `count` mean something; the
  // limit is looked at when the lines of a block of 64 octets are in.
  std::array<std::uint32_t, lines_max + 64> ends;
  std::size_t count;
};

// True when every CR and LF up to the first empty line is a CRLF, and there is such a line;
// otherwise the octets need a closer look. `size` + slack_octets octets are readable.
bool index_lines(const char* octets, std::size_t size, LineIndex& out);

// The same by one octet at a time; what the others are tested against.
bool index_lines_portable(const char* octets, std::size_t size, LineIndex& out);

struct LineIndexer {
  std::string_view name;
  bool (*index)(const char* octets, std::size_t size, LineIndex& out);
};
// Those that this processor can run, the fastest first: the one that index_lines uses.
std::span<const LineIndexer> line_indexers();

}  // namespace sipassay
