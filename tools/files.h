// Whole files in and out. Both throw UsageError with the path and the reason.
#pragma once

#include <string>
#include <string_view>

namespace sipassay::tools {

std::string read_file(const std::string& path);
// Complete or not at all: the file appears under its name when it is whole.
void write_file(const std::string& path, std::string_view octets);
// Before the work: can the file be written later?
void check_writable(const std::string& path);

}  // namespace sipassay::tools
