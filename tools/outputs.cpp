#include "tools/outputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "reports/escape.h"
#include "tools/files.h"

namespace sipassay::tools {
namespace {

ReportWish wish_from(const std::string& written, const std::vector<std::string_view>& names) {
  const std::size_t equals = written.find('=');
  ReportWish out{written.substr(0, equals), {}};
  if (std::ranges::find(names, out.name) == names.end())
    throw UsageError{fmt::format("--report takes one of {}; not \"{}\"", fmt::join(names, ", "),
                                 reports::printable(out.name))};
  if (equals == std::string::npos || written.substr(equals + 1) == "-") return out;
  out.file = written.substr(equals + 1);
  if (out.file.empty()) throw UsageError{fmt::format("--report {}= has no file name", out.name)};
  check_writable(out.file);
  return out;
}

}  // namespace

void add_report_options(po::options_description& options) {
  std::string help = "write a report, any number of times:";
  for (const reports::Format& format : reports::formats())
    help += fmt::format(" {} ({});", format.name, format.what);
  help += " without FILE it goes to standard output";
  options.add_options()(
      "report", po::value<std::vector<std::string>>()->composing()->value_name("NAME[=FILE]"),
      help.c_str());
}

std::vector<ReportWish> report_wishes(const po::variables_map& values,
                                      const std::vector<std::string_view>& names) {
  std::vector<ReportWish> out;
  for (const std::string& written : texts(values, "report"))
    out.push_back(wish_from(written, names));
  const auto on_stdout = std::ranges::count(out, std::string(), &ReportWish::file);
  if (on_stdout > 1) throw UsageError{"only one report can go to standard output; give a FILE"};
  if (on_stdout == 0) out.insert(out.begin(), ReportWish{"text", ""});
  return out;
}

void write_report(const std::string& file, std::string_view rendered) {
  if (!file.empty())
    write_file(file, rendered);
  else if (std::fwrite(rendered.data(), 1, rendered.size(), stdout) != rendered.size() ||
           std::fflush(stdout) != 0)
    throw UsageError{"cannot write to standard output"};
}

std::vector<Destination> destinations(const po::variables_map& values) {
  std::vector<std::string_view> names;
  for (const reports::Format& format : reports::formats()) names.push_back(format.name);
  std::vector<Destination> out;
  for (const ReportWish& wish : report_wishes(values, names))
    out.push_back({reports::find_format(wish.name), wish.file});
  return out;
}

bool has_colours(int descriptor) {
  const char* off = std::getenv("NO_COLOR");
  if (off != nullptr && *off != 0) return false;
  const char* terminal = std::getenv("TERM");
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return false;
  return isatty(descriptor) == 1;
}

void write_reports(const runner::RunResult& result, reports::RenderOptions options,
                   const std::vector<Destination>& destinations) {
  std::string errors;
  for (const Destination& destination : destinations) {
    options.colours = destination.file.empty() && has_colours(STDOUT_FILENO);
    std::string rendered;
    destination.format->render(result, options, rendered);
    try {
      write_report(destination.file, rendered);
    } catch (const UsageError& error) {
      errors += (errors.empty() ? "" : "; ") + error.message;
    }
  }
  if (!errors.empty()) throw UsageError{errors};
}

}  // namespace sipassay::tools
