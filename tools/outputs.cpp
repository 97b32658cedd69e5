#include "tools/outputs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "reports/escape.h"
#include "tools/files.h"

namespace sipassay::tools {
namespace {

std::string format_names() {
  std::string out;
  for (const reports::Format& format : reports::formats())
    out += (out.empty() ? "" : ", ") + std::string(format.name);
  return out;
}

Destination destination_from(const std::string& written) {
  const std::size_t equals = written.find('=');
  Destination out;
  out.format = reports::find_format(std::string_view(written).substr(0, equals));
  if (out.format == nullptr)
    throw UsageError{fmt::format("--report takes one of {}; not \"{}\"", format_names(),
                                 reports::printable(written.substr(0, equals)))};
  if (equals == std::string::npos || written.substr(equals + 1) == "-") return out;
  out.file = written.substr(equals + 1);
  if (out.file.empty())
    throw UsageError{fmt::format("--report {}= has no file name", out.format->name)};
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

std::vector<Destination> destinations(const po::variables_map& values) {
  std::vector<Destination> out;
  std::size_t on_stdout = 0;
  for (const std::string& written : texts(values, "report")) {
    out.push_back(destination_from(written));
    if (out.back().file.empty()) ++on_stdout;
  }
  if (on_stdout > 1) throw UsageError{"only one report can go to standard output; give a FILE"};
  if (on_stdout == 0) out.insert(out.begin(), Destination{reports::find_format("text"), ""});
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
      if (!destination.file.empty()) {
        write_file(destination.file, rendered);
      } else if (std::fwrite(rendered.data(), 1, rendered.size(), stdout) != rendered.size() ||
                 std::fflush(stdout) != 0) {
        throw UsageError{"cannot write to standard output"};
      }
    } catch (const UsageError& error) {
      errors += (errors.empty() ? "" : "; ") + error.message;
    }
  }
  if (!errors.empty()) throw UsageError{errors};
}

}  // namespace sipassay::tools
