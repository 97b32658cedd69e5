#include "tools/options.h"

#include <fmt/format.h>

#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>
#include <sstream>

#include "engine/base/ascii.h"
#include "reports/escape.h"

namespace sipassay::tools {
namespace {

void print_help(const Usage& usage, const po::options_description& visible) {
  std::ostringstream options;
  options << visible;
  fmt::print("Usage: sipassay {} [options]{}{}\n\n{}\n\n{}", usage.command,
             usage.positional.empty() ? "" : " ", usage.positional, usage.about, options.str());
}

// Boost's words name the option; ours say the same on one line.
std::string complaint(const std::exception& error) {
  return reports::printable(error.what());
}

}  // namespace

std::optional<Duration> duration_from(std::string_view written) {
  std::int64_t unit = 1000;
  if (written.ends_with("ms")) {
    written.remove_suffix(2);
  } else if (written.ends_with("s")) {
    written.remove_suffix(1);
    unit = 1'000'000;
  }
  const std::size_t dot = written.find('.');
  const auto whole = ascii::number<std::uint32_t>(written.substr(0, dot));
  if (!whole) return std::nullopt;
  Duration out{unit * static_cast<std::int64_t>(*whole)};
  if (dot == std::string_view::npos) return out;
  const std::string_view fraction = written.substr(dot + 1);
  const auto digits = ascii::number<std::uint32_t>(fraction);
  if (!digits || fraction.size() > 6) return std::nullopt;
  std::int64_t scale = 1;
  for (std::size_t i = 0; i < fraction.size(); ++i) scale *= 10;
  return out + Duration{unit * static_cast<std::int64_t>(*digits) / scale};
}

std::optional<po::variables_map> parse(const Usage& usage, const Arguments& arguments,
                                       const po::options_description& options) {
  po::options_description visible("Options");
  visible.add(options);
  visible.add_options()("help,h", "print this text");
  po::options_description all;
  all.add(visible);
  po::positional_options_description positional;
  if (!usage.positional.empty()) {
    all.add_options()("argument", po::value<std::vector<std::string>>());
    positional.add("argument", -1);
  }
  namespace style = po::command_line_style;
  po::variables_map values;
  try {
    po::store(po::command_line_parser(arguments)
                  .options(all)
                  .positional(positional)
                  .style(style::unix_style & ~style::allow_guessing)
                  .run(),
              values);
    po::notify(values);
  } catch (const po::error& error) {
    throw UsageError{fmt::format("{} (sipassay {} --help)", complaint(error), usage.command)};
  }
  if (values.count("help") == 0) return values;
  print_help(usage, visible);
  return std::nullopt;
}

std::vector<std::string> texts(const po::variables_map& values, const char* name) {
  if (values.count(name) == 0) return {};
  return values[name].as<std::vector<std::string>>();
}

std::string text(const po::variables_map& values, const char* name) {
  return values.count(name) == 0 ? std::string() : values[name].as<std::string>();
}

std::uint64_t number(const po::variables_map& values, const char* name, std::uint64_t otherwise,
                     std::uint64_t low, std::uint64_t high) {
  if (values.count(name) == 0) return otherwise;
  const std::string written = text(values, name);
  const auto value = ascii::number<std::uint64_t>(written);
  if (!value || *value < low || *value > high)
    throw UsageError{fmt::format("--{} takes a whole number from {} to {}, not \"{}\"", name, low,
                                 high, reports::printable(written))};
  return *value;
}

Duration duration(const po::variables_map& values, const char* name, Duration otherwise,
                  Duration low, Duration high) {
  if (values.count(name) == 0) return otherwise;
  const std::string written = text(values, name);
  const auto value = duration_from(written);
  if (!value || *value < low || *value > high)
    throw UsageError{
        fmt::format("--{} takes a time from {}ms to {}s (\"500ms\", \"4s\"), not \"{}\"", name,
                    low.count() / 1000, high.count() / 1'000'000, reports::printable(written))};
  return *value;
}

}  // namespace sipassay::tools
