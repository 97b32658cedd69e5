// sipassay soak: many random calls of the engine with itself, in virtual time.
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <string>

#include "engine/soak/soak.h"
#include "reports/escape.h"
#include "reports/ladder.h"
#include "reports/totals.h"
#include "tools/commands.h"
#include "tools/options.h"

namespace sipassay::tools {
namespace {

// Sanitizers have a heap of their own, about which this says nothing: zero.
std::uint64_t heap_in_use() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::optional<simulation::Conditions> conditions(const po::variables_map& values) {
  if (values.count("loss") + values.count("duplicate") + values.count("delay") == 0) return {};
  simulation::Conditions out{.delay_min = 10ms, .delay_max = 10ms};
  out.loss_percent = static_cast<unsigned>(number(values, "loss", 0, 0, 90));
  out.duplicate_percent = static_cast<unsigned>(number(values, "duplicate", 0, 0, 100));
  out.delay_max = duration(values, "delay", out.delay_max, 0ms, 60s);
  if (values.count("delay") != 0) out.delay_min = 0ms;
  return out;
}

// What makes a run the same again, but for which calls.
std::string command(const soak::Options& options) {
  std::string out = fmt::format("sipassay soak --seed {}", options.seed);
  if (!options.conditions) return out;
  const auto& network = *options.conditions;
  out += fmt::format(" --loss {} --duplicate {}", network.loss_percent, network.duplicate_percent);
  if (network.delay_min != network.delay_max)
    out += fmt::format(" --delay {}ms", network.delay_max / 1ms);
  return out;
}

void print_ladder(const soak::Result& result, bool has_octets) {
  for (const auto& line : result.ladder) {
    const std::string_view fate = line.copies == 0 ? "  lost" : line.copies > 1 ? "  doubled" : "";
    fmt::print("  {:>11}  {}  {}{}\n", reports::seconds(line.at - Instant{}),
               line.from == 0 ? "alice -> bob  " : "alice   <- bob", reports::label(line.octets),
               fate);
    if (!has_octets) continue;
    for (const auto& text : reports::lines(line.octets, {}))
      fmt::print("               | {}\n", reports::printable(text.text));
  }
}

void print_failure(const soak::Failure& failure) {
  fmt::print("FAIL {} at {}: {} ({}): expected {}, but {}\n",
             failure.call ? fmt::format("call {}", *failure.call) : "both agents",
             reports::seconds(failure.at - Instant{}), failure.finding.rule,
             to_string(failure.finding.clause), reports::printable(failure.finding.expected),
             reports::printable(failure.finding.observed));
}

bool has_failure(const soak::Result& result, const soak::Failure& wanted) {
  return std::ranges::any_of(result.failures, [&](const soak::Failure& one) {
    return one.call == wanted.call && one.finding.rule == wanted.finding.rule;
  });
}

// The call by itself if that does it, else among all others; and how to see it again.
void explain(const soak::Options& options, const soak::Failure& failure) {
  if (!failure.call)
    return fmt::print("\n  repeat  {} --calls {}\n", command(options), options.calls);
  soak::Options alone = options;
  alone.first = *failure.call;
  alone.calls = 1;
  alone.ladder = failure.call;
  alone.heap = {};
  auto result = soak::soak(alone);
  std::string how = fmt::format("{} --call {}", command(options), *failure.call);
  if (!has_failure(result, failure)) {
    alone = options;
    alone.ladder = failure.call;
    result = soak::soak(alone);
    how = fmt::format("{} --calls {} --ladder {}", command(options), options.calls, *failure.call);
  }
  fmt::print("\nCall {}:\n\n", *failure.call);
  print_ladder(result, false);
  fmt::print("\n  repeat  {}\n", how);
}

void print_summary(const soak::Options& options, const soak::Result& result) {
  fmt::print("{} calls from seed {}, {} more by REFER: {} answered, {} comparisons of both ends\n",
             result.calls, options.seed, result.referred, result.answered, result.comparisons);
  fmt::print("{} messages in {} s of virtual time, {} lost, {} doubled\n", result.messages,
             result.duration / 1s, result.lost, result.doubled);
  if (result.heap_early != 0)
    fmt::print("heap: {} octets once it had settled, {} at the end\n", result.heap_early,
               result.heap_end);
  fmt::print("transcript {:016x}\n{} failed\n", result.hash, result.failure_count);
}

}  // namespace

int soak(const Arguments& arguments) {
  po::options_description options;
  const auto text_value = [](const char* name) {
    return po::value<std::string>()->value_name(name);
  };
  options.add_options()("calls", text_value("N"), "calls to make; default: 100000")(
      "seed", text_value("N"), "source of everything; default: 1")(
      "loss", text_value("PERCENT"), "messages that the network loses, for every call")(
      "duplicate", text_value("PERCENT"), "messages that arrive twice, for every call")(
      "delay", text_value("TIME"), "longest delay; messages overtake each other, for every call")(
      "call", text_value("K"), "make only this one of the calls, and print its messages")(
      "ladder", text_value("K"), "print the messages of this call")(
      "verbose", "octets of the messages that are printed; how often each kind was sent");
  const auto values = parse(
      {"soak", "",
       "Two agents call each other in virtual time: random but legal actions of both users, many\n"
       "calls at once, on networks that lose, double and reorder. Whenever a call is quiet both\n"
       "ends must agree about it; afterwards nothing may be left. The same seed gives the same\n"
       "octets. Without --loss, --duplicate and --delay each call draws a network of its own."},
      arguments, options);
  if (!values) return reports::exit_as_expected;

  soak::Options wanted;
  wanted.seed = number(*values, "seed", 1, 0, UINT64_MAX);
  wanted.calls = number(*values, "calls", wanted.calls, 1, soak::calls_max);
  wanted.conditions = conditions(*values);
  const bool is_alone = values->count("call") != 0;
  if (is_alone) {
    wanted.first = number(*values, "call", 0, 0, soak::calls_max);
    wanted.calls = 1;
    wanted.ladder = wanted.first;
  } else {
    wanted.heap = heap_in_use;
    if (values->count("ladder") != 0)
      wanted.ladder = number(*values, "ladder", 0, 0, soak::calls_max);
  }
  const auto result = soak::soak(wanted);
  const bool is_verbose = values->count("verbose") != 0;
  print_ladder(result, is_verbose);
  if (is_verbose)
    for (const auto& [what, count] : result.sent) fmt::print("{:>11} {}\n", count, what);
  for (const auto& failure : result.failures) print_failure(failure);
  if (!result.failures.empty() && !wanted.ladder) explain(wanted, result.failures.front());
  print_summary(wanted, result);
  return result.failure_count == 0 ? reports::exit_as_expected : reports::exit_failed;
}

}  // namespace sipassay::tools
