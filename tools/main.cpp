// The program: a table of subcommands.
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>

#include "reports/escape.h"
#include "reports/totals.h"
#include "tools/commands.h"
#include "tools/options.h"

namespace sipassay::tools {
namespace {

struct Command {
  std::string_view name;
  std::string_view what;
  int (*run)(const Arguments&);
};

constexpr std::array commands{
    Command{"run", "run conformance cases against the embedded engine or a live SUT", &run},
    Command{"list", "list the cases that a selection means", &list},
    Command{"show", "show one case: requirement, reading, steps", &show},
    Command{"doctor", "ask a live SUT what it is, and write its profile", &doctor},
    Command{"ua", "run the engine as a live stack under test", &ua},
    Command{"tables", "print the engine's state tables as Markdown or DOT", &tables},
    Command{"soak", "many random calls of the engine with itself, in virtual time", &soak},
    Command{"report", "render a stored json result in other formats", &report},
    Command{"lint", "hold a capture against the rules for every message", &lint},
};

void print_help() {
  fmt::print("Usage: sipassay COMMAND [options]\n\nSIP conformance test harness and fuzzer.\n\n");
  for (const Command& command : commands) fmt::print("  {:<8} {}\n", command.name, command.what);
  fmt::print(
      "\nsipassay COMMAND --help says more; sipassay --version prints the version.\n"
      "Exit status: 0 all as expected, 1 a case failed, 2 only the harness had errors, 3 usage or\n"
      "nothing selected.\n");
}

int dispatch(const Arguments& all) {
  if (all.empty()) throw UsageError{"no command (sipassay --help)"};
  if (all[0] == "--help" || all[0] == "-h" || all[0] == "help") {
    print_help();
    return reports::exit_as_expected;
  }
  if (all[0] == "--version") {
    fmt::print("sipassay {}\n", SIPASSAY_VERSION);
    return reports::exit_as_expected;
  }
  for (const Command& command : commands)
    if (command.name == all[0]) return command.run(Arguments(all.begin() + 1, all.end()));
  throw UsageError{fmt::format("no command \"{}\" (sipassay --help)", reports::printable(all[0]))};
}

}  // namespace
}  // namespace sipassay::tools

int main(int count, char** values) {
  using namespace sipassay;
  // A reader that closes its end of a pipe is no reason to die without a report.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const int status =
        tools::dispatch(tools::Arguments(values + (count > 0 ? 1 : 0), values + count));
    if (std::fflush(stdout) == 0) return status;
    // Whoever closed the pipe has seen enough.
    if (errno != EPIPE) fmt::print(stderr, "sipassay: cannot write to standard output\n");
  } catch (const tools::UsageError& error) {
    fmt::print(stderr, "sipassay: {}\n", error.message);
  } catch (const std::exception& error) {
    fmt::print(stderr, "sipassay: {}\n", reports::printable(error.what()));
  }
  return reports::exit_usage;
}
