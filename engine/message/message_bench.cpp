// message_bench [--corpus DIR] [--json] [--rounds N] [--only NAME] [--what parse|serialise]
//
// Parses every message of a corpus into typed values, and serialises them from typed values, with
// this project's engine and with the SIP parsers whose packages were found, all in one run. CPU
// time of the fastest of several rounds; rounds of the parsers take turns, so that no one gets the
// quiet minute alone.
#include <fmt/format.h>
#include <algorithm>
#include <ctime>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "engine/base/ascii.h"
#include "engine/message/message_bench_corpus.h"
#include "engine/message/message_bench_count.h"
#include "engine/message/message_bench_peer.h"

namespace sipassay::bench {
namespace {

struct Options {
  std::string corpus;
  bool is_json = false;
  std::string only;  // one parser, for profilers
  std::string what;  // "parse" or "serialise": one half of the measurement, for profilers
  unsigned rounds = 15;

  bool parses() const { return what != "serialise"; }
  bool writes() const { return what != "parse"; }
};

struct Measure {
  double ns = 0;           // CPU time a message, fastest round
  double allocations = 0;  // a message
  std::size_t refused = 0;
};

struct Result {
  Peer* peer;
  Measure parse, write;
  double written_octets = 0;  // a message
};

// Processor time of this process.
double cpu_ns() {
  return static_cast<double>(std::clock()) * (1e9 / static_cast<double>(CLOCKS_PER_SEC));
}

// One round: all messages, often enough to last some milliseconds.
void run_round(Measure& measure, std::size_t count, unsigned passes,
               const std::function<void(std::size_t)>& once) {
  const auto allocations = allocation_count();
  const double start = cpu_ns();
  for (unsigned pass = 0; pass < passes; ++pass)
    for (std::size_t i = 0; i < count; ++i) once(i);
  const double messages = static_cast<double>(count) * passes;
  const double ns = (cpu_ns() - start) / messages;
  if (measure.ns == 0 || ns < measure.ns) measure.ns = ns;
  measure.allocations = static_cast<double>(allocation_count() - allocations) / messages;
}

std::vector<Result> measure(const std::vector<std::string>& corpus,
                            const std::vector<std::unique_ptr<Peer>>& peers,
                            const Options& options) {
  constexpr unsigned passes = 5;
  std::vector<Result> results;
  for (const auto& peer : peers) {
    Result result{peer.get(), {}, {}, 0};
    for (const std::string& octets : corpus) {
      if (!peer->parse(octets)) ++result.parse.refused;
      if (!peer->keep(octets)) ++result.write.refused;
    }
    for (std::size_t i = 0; i < peer->kept_count(); ++i)
      result.written_octets += static_cast<double>(peer->write(i));
    result.written_octets /= static_cast<double>(std::max<std::size_t>(peer->kept_count(), 1));
    results.push_back(result);
  }
  for (unsigned round = 0; round < options.rounds; ++round)
    for (Result& one : results) {
      if (options.parses())
        run_round(one.parse, corpus.size(), passes,
                  [&](std::size_t i) { one.peer->parse(corpus[i]); });
      if (options.writes())
        run_round(one.write, one.peer->kept_count(), passes,
                  [&](std::size_t i) { one.peer->write(i); });
    }
  return results;
}

double mean_octets(const std::vector<std::string>& corpus) {
  double sum = 0;
  for (const std::string& octets : corpus) sum += static_cast<double>(octets.size());
  return sum / static_cast<double>(corpus.size());
}

// How many times the fastest other one takes as long as we do; zero when there is no other.
double lead(const std::vector<Result>& results, Measure Result::* what) {
  double fastest = 0;
  for (std::size_t i = 1; i < results.size(); ++i) {
    const double ns = (results[i].*what).ns;
    if (fastest == 0 || ns < fastest) fastest = ns;
  }
  return fastest / (results.front().*what).ns;
}

void print_parse(const std::vector<Result>& results, double octets) {
  fmt::print("\nparse into typed values    ns/message      MB/s  allocations  refused\n");
  for (const Result& one : results)
    fmt::print("  {:<22} {:>12.0f} {:>9.0f} {:>12.1f} {:>8}\n", one.peer->name(), one.parse.ns,
               octets / one.parse.ns * 1e3, one.parse.allocations, one.parse.refused);
  if (results.size() > 1)
    fmt::print("  against the fastest other: {:.2f}x\n", lead(results, &Result::parse));
}

void print_write(const std::vector<Result>& results) {
  fmt::print("\nserialise typed values     ns/message      MB/s  allocations  octets\n");
  for (const Result& one : results)
    fmt::print("  {:<22} {:>12.0f} {:>9.0f} {:>12.1f} {:>7.0f}\n", one.peer->name(), one.write.ns,
               one.written_octets / one.write.ns * 1e3, one.write.allocations, one.written_octets);
  if (results.size() > 1)
    fmt::print("  against the fastest other: {:.2f}x\n", lead(results, &Result::write));
}

void print_text(const std::vector<std::string>& corpus, const std::vector<Result>& results,
                const Options& options) {
  const double octets = mean_octets(corpus);
  fmt::print("{} messages, {:.0f} octets on average\n", corpus.size(), octets);
  if (options.parses()) print_parse(results, octets);
  if (options.writes()) print_write(results);
  fmt::print("\nwhat is measured\n");
  for (const Result& one : results) {
    fmt::print("  {}\n", one.peer->name());
    if (options.parses()) fmt::print("    parse: {}\n", one.peer->parse_means());
    if (options.writes()) fmt::print("    serialise: {}\n", one.peer->write_means());
  }
}

void print_json(const std::vector<std::string>& corpus, const std::vector<Result>& results,
                const Options& options) {
  nlohmann::json out;
  out["messages"] = corpus.size();
  out["mean_octets"] = mean_octets(corpus);
  for (const Result& one : results) {
    nlohmann::json parser{{"name", one.peer->name()}};
    if (options.parses())
      parser["parse"] = {{"ns", one.parse.ns},
                         {"allocations", one.parse.allocations},
                         {"refused", one.parse.refused},
                         {"means", one.peer->parse_means()}};
    if (options.writes())
      parser["serialise"] = {{"ns", one.write.ns},
                             {"allocations", one.write.allocations},
                             {"octets", one.written_octets},
                             {"means", one.peer->write_means()}};
    out["parsers"].push_back(std::move(parser));
  }
  if (results.size() > 1 && options.parses()) out["parse_lead"] = lead(results, &Result::parse);
  if (results.size() > 1 && options.writes()) out["serialise_lead"] = lead(results, &Result::write);
  fmt::print("{}\n", out.dump(2));
}

bool read_options(int count, char** arguments, Options& options) {
  for (int i = 1; i < count; ++i) {
    const std::string_view one = arguments[i];
    if (one == "--json") {
      options.is_json = true;
    } else if (one == "--corpus" && i + 1 < count) {
      options.corpus = arguments[++i];
    } else if (one == "--only" && i + 1 < count) {
      options.only = arguments[++i];
    } else if (one == "--what" && i + 1 < count) {
      options.what = arguments[++i];
      if (options.what != "parse" && options.what != "serialise") return false;
    } else if (one == "--rounds" && i + 1 < count) {
      const auto rounds = ascii::number<unsigned>(arguments[++i]);
      if (!rounds || *rounds == 0) return false;
      options.rounds = *rounds;
    } else {
      return false;
    }
  }
  return true;
}

int run(int count, char** arguments) {
  Options options;
  if (!read_options(count, arguments, options)) {
    fmt::print(stderr,
               "usage: message_bench [--corpus DIR] [--json] [--rounds N] [--only NAME] "
               "[--what parse|serialise]\n");
    return 3;
  }
  const auto corpus = options.corpus.empty() ? own_mix() : read_directory(options.corpus);
  if (corpus.empty()) {
    fmt::print(stderr, "message_bench: no messages in {}\n", options.corpus);
    return 3;
  }
  std::vector<std::unique_ptr<Peer>> peers;
  for (auto* make : {make_sipassay, make_osip, make_sofia, make_re})
    if (auto peer = make(); peer && (options.only.empty() || options.only == peer->name()))
      peers.push_back(std::move(peer));
  if (peers.empty()) {
    fmt::print(stderr, "message_bench: no parser named {}\n", options.only);
    return 3;
  }
  const auto results = measure(corpus, peers, options);
  options.is_json ? print_json(corpus, results, options) : print_text(corpus, results, options);
  return 0;
}

}  // namespace
}  // namespace sipassay::bench

int main(int count, char** arguments) {
  return sipassay::bench::run(count, arguments);
}
