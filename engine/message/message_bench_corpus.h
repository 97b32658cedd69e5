// The messages that message_bench reads: the project's own mix, or a directory of files.
#pragma once

#include <string>
#include <vector>

namespace sipassay::bench {

// At least 500 different requests and responses, 200 octets to 4 kB, many with SDP, always the
// same; and the well-formed messages of testdata/rfc3665.
std::vector<std::string> own_mix();

// Every regular file of a directory, by name.
std::vector<std::string> read_directory(const std::string& path);

}  // namespace sipassay::bench
