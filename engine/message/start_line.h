// Request-Line and Status-Line (RFC 3261 7.1, 7.2).
#pragma once

#include <optional>
#include <string_view>

#include "engine/base/error.h"

namespace sipassay {

// As much as could be read; views into the line.
struct StartLine {
  bool is_request = true;
  std::string_view method;
  std::string_view uri;
  int status = 0;  // 100 to 699, or zero
  std::string_view reason;
  std::optional<Error> error;  // the first thing wrong; offset from the start of the line
};

// The line without its line end.
StartLine read_start_line(std::string_view line);

}  // namespace sipassay
