// How every subcommand reads its options and complains about them.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "tools/commands.h"

namespace sipassay::tools {

namespace po = boost::program_options;

struct Usage {
  std::string_view command;     // "run"
  std::string_view positional;  // "[ID | PREFIX | GLOB | FILE | FOLDER]..."; empty: takes none
  std::string_view about;       // a paragraph of --help
};

// A message for the user that ends the program; main prints it as one line.
struct UsageError {
  std::string message;
};

// Values of the options; the positional arguments are under "argument". --help is added, and when
// it is given the text goes to standard output and nothing is returned. Throws UsageError.
std::optional<po::variables_map> parse(const Usage& usage, const Arguments& arguments,
                                       const po::options_description& options);

// The option's texts; none when it was not given.
std::vector<std::string> texts(const po::variables_map& values, const char* name);
std::string text(const po::variables_map& values, const char* name);
// A whole number from low to high, both included. Throws UsageError.
std::uint64_t number(const po::variables_map& values, const char* name, std::uint64_t otherwise,
                     std::uint64_t low, std::uint64_t high);
// "500ms", "4s", "1.5s"; a bare number is milliseconds.
std::optional<Duration> duration_from(std::string_view written);
// The same of an option. Throws UsageError.
Duration duration(const po::variables_map& values, const char* name, Duration otherwise,
                  Duration low, Duration high);

}  // namespace sipassay::tools
