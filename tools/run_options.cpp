#include "tools/run_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "reports/escape.h"

namespace sipassay::tools {
namespace {

// The others say where results go or how fast, not what they are.
constexpr const char* named_options[] = {
    "sut",    "profile",       "t1",     "timeout", "repeat",  "transport",
    "role",   "level",         "tag",    "exclude", "user",    "domain",
    "strict", "fail-on-flaky", "expect", "adapter", "longest", "tolerance"};

std::vector<std::string> named(const po::variables_map& values) {
  std::vector<std::string> out;
  for (const char* name : named_options) {
    if (values.count(name) == 0) continue;
    const boost::any& value = values[name].value();
    if (const auto* one = boost::any_cast<std::string>(&value)) {
      out.push_back(one->empty() ? fmt::format("--{}", name) : fmt::format("--{}={}", name, *one));
    } else if (const auto* many = boost::any_cast<std::vector<std::string>>(&value)) {
      for (const std::string& each : *many) out.push_back(fmt::format("--{}={}", name, each));
    } else {
      out.push_back(fmt::format("--{}", name));
    }
  }
  return out;
}

// Calls with the same Call-ID and branch as those of an earlier run would be retransmissions to a
// SUT that still remembers them; in virtual time nobody does.
std::uint64_t default_seed(bool is_live) {
  if (!is_live) return 1;
  std::random_device entropy;
  return (std::uint64_t{entropy()} << 32U) | entropy();
}

std::optional<runner::Login> login(const po::variables_map& values) {
  if (values.count("login") == 0) return std::nullopt;
  const std::string written = text(values, "login");
  const std::size_t colon = written.find(':');
  if (colon == std::string::npos || colon == 0) throw UsageError{"--login takes USER:PASSWORD"};
  return runner::Login{written.substr(0, colon), written.substr(colon + 1)};
}

std::optional<Transport> only_transport(const po::variables_map& values) {
  const std::vector<std::string> transports = texts(values, "transport");
  return transports.size() == 1 ? transport_from(transports[0]) : std::nullopt;
}

void add_users(const po::variables_map& values, RunOptions& out) {
  for (const std::string& written : texts(values, "user")) {
    if (written == "all") {
      out.knows_all_users = true;
      continue;
    }
    const std::size_t equals = written.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError{
          fmt::format("--user takes BEHAVIOUR=USER, not \"{}\"", reports::printable(written))};
    const std::string behaviour = written.substr(0, equals);
    out.users[behaviour] = written.substr(equals + 1);
    out.logins.erase(behaviour);
  }
}

// What the profile says where no option does.
void take_profile(const scenarios::Profile& profile, RunOptions& out) {
  out.sut = profile.addresses;
  out.sut_argument = "--profile " + profile.file;
  out.domain = profile.domain;
  out.login = profile.login;
  out.knows_all_users = profile.has_every_behaviour;
  for (const scenarios::ProfileUser& user : profile.users)
    for (const std::string& behaviour : user.behaves) {
      out.users[behaviour] = user.name;
      if (user.login) out.logins[behaviour] = *user.login;
    }
  out.jobs = profile.jobs.value_or(out.jobs);
  out.timeout = profile.timeout.value_or(out.timeout);
  out.tolerance = profile.tolerance.value_or(out.tolerance);
  out.timings.t1 = profile.t1.value_or(out.timings.t1);
}

void take_sut(const po::variables_map& values, RunOptions& out) {
  if (values.count("profile") != 0) {
    out.profile = profile_from(text(values, "profile"));
    take_profile(*out.profile, out);
  }
  if (values.count("sut") != 0) {
    const std::string written = text(values, "sut");
    const auto sut = endpoint_from(written);
    if (!sut)
      throw UsageError{fmt::format("--sut takes an address like udp:127.0.0.1:5060, not \"{}\"",
                                   reports::printable(written))};
    out.sut = {*sut};
    out.sut_argument += (out.sut_argument.empty() ? "--sut " : " --sut ") + to_string(*sut);
  } else if (const auto transport = only_transport(values); transport && out.profile) {
    std::erase_if(out.sut, [&](const Endpoint& one) { return one.transport != *transport; });
    if (out.sut.empty())
      throw UsageError{fmt::format("{} has no address for {}",
                                   reports::printable(out.profile->file), to_string(*transport))};
    out.sut_argument += fmt::format(" --transport {}", to_string(*transport));
  }
  for (const char* name : {"user", "domain", "login", "jobs", "timeout", "tolerance", "longest",
                           "no-start", "sut-log", "adapter"})
    if (!out.is_live() && values.count(name) != 0)
      throw UsageError{fmt::format("--{} is for a live SUT (--sut, --profile)", name)};
  add_users(values, out);
  if (out.users.empty() && !out.knows_all_users) out.users = {{"auto", "auto"}};
  if (values.count("domain") != 0) out.domain = text(values, "domain");
  if (const auto given = login(values)) {
    out.login = given;
    out.logins.clear();
  }
  if (out.profile) out.adapter = out.profile->trigger;
  if (const std::string line = text(values, "adapter"); !line.empty()) {
    out.adapter.emplace();
    out.adapter->arguments = {line};
    out.adapter->uses_shell = true;
    out.sut_argument += fmt::format(" --adapter '{}'", line);
  }
  out.starts_sut = values.count("no-start") == 0;
  out.sut_log = text(values, "sut-log");
  out.timings.t1 = duration(values, "t1", out.timings.t1, 1ms, 60s);
  out.timings.t2 = 8 * out.timings.t1;
  out.timings.t4 = 10 * out.timings.t1;
  out.timings.d = 64 * out.timings.t1;
}

}  // namespace

scenarios::Profile profile_from(const std::string& file) {
  auto loaded = scenarios::load_profile(file);
  if (loaded) return std::move(*loaded);
  std::string all;
  for (const scenarios::LoadError& error : loaded.error())
    all += (all.empty() ? "" : "\nsipassay: ") + reports::printable(to_string(error));
  throw UsageError{all};
}

void add_sut_options(po::options_description& options) {
  const auto text_value = [](const char* name) {
    return po::value<std::string>()->value_name(name);
  };
  auto add = options.add_options();
  add("sut", text_value("ADDRESS"),
      "live stack under test: udp:127.0.0.1:5060, tcp:[::1]:5060; default: the embedded engine in "
      "virtual time");
  add("profile", text_value("FILE"),
      "what the live SUT is: addresses, users, what it has and lacks, how it is started. Options "
      "beside it win");
  add("user", po::value<std::vector<std::string>>()->composing()->value_name("BEHAVIOUR=USER"),
      "user part of the live SUT that behaves so (auto, ring, busy, ...); cases for other "
      "behaviours are NOT-APPLICABLE; default: auto=auto. \"all\": every behaviour is a user of "
      "that name, as of sipassay ua");
  add("domain", text_value("HOST"), "host of the live SUT's URIs; default: its address");
  add("login", text_value("USER:PASSWORD"), "answer to challenges of the live SUT");
  add("t1", text_value("TIME"), "T1, which scales all timers (default 500ms)");
  add("adapter", text_value("COMMAND"),
      "program (a shell's line) that makes the live SUT call, answer, hold and so on: "
      "tools/adapters/README.md. ${host} and ${port} are the SUT's");
  add("no-start", "the SUT runs: do not start it as its profile says");
  add("sut-log", text_value("FILE"), "what a SUT writes that its profile starts");
}

void add_run_options(po::options_description& options) {
  const auto text_value = [](const char* name) {
    return po::value<std::string>()->value_name(name);
  };
  add_sut_options(options);
  auto add = options.add_options();
  add("seed", text_value("N"),
      "source of all tags, branches and Call-IDs; default: 1, for a live SUT a new one each time");
  add("jobs", text_value("N"),
      "cases side by side against a live SUT (default 1); fewer while it "
      "answers late");
  add("repeat", text_value("N"), "run each case N times; different outcomes are FLAKY");
  add("timeout", text_value("TIME"), "longest time of one case in real time");
  add("tolerance", text_value("TIME"),
      "so much sooner or later than it should a live SUT may repeat a message (default 250ms): for "
      "one whose clock is coarse");
  add("longest", text_value("TIME"),
      "against a live SUT, cases that last longer by themselves (a session timer, minutes of "
      "ringing) are NOT-APPLICABLE");
  add("strict", "NON-STRICT fails the run");
  add("fail-on-flaky", "FLAKY fails the run");
  add("teeth",
      "run every case against the misbehaviours that must fail it, and report no verdicts");
  add("dry-run", "print the selected cases and run nothing");
  add("list-format", text_value("tsv|json"), "of --dry-run: tab-separated (default) or json");
  add("quiet", "text: only cases that did not pass");
}

RunOptions run_options(const po::variables_map& values) {
  RunOptions out;
  take_sut(values, out);
  if (out.is_live() && values.count("teeth") != 0)
    throw UsageError{"--teeth is for the embedded engine, not for a live SUT"};
  if (values.count("teeth") != 0 && values.count("expect") != 0)
    throw UsageError{"--teeth gives no verdicts: nothing to --expect"};
  const bool has_seed = values.count("seed") != 0;
  out.seed = number(values, "seed", has_seed ? 0 : default_seed(out.is_live()), 0, UINT64_MAX);
  out.jobs = static_cast<unsigned>(number(values, "jobs", out.jobs, 1, jobs_max));
  out.repeat = static_cast<unsigned>(number(values, "repeat", 1, 1, repeat_max));
  out.timeout = duration(values, "timeout", out.timeout, 10ms, 3600s);
  out.tolerance = duration(values, "tolerance", out.tolerance, 1ms, 10s);
  out.longest = duration(values, "longest", out.longest, 10ms, 3600s);
  out.transport = only_transport(values);
  out.style.is_strict = values.count("strict") != 0;
  out.style.flaky_fails = values.count("fail-on-flaky") != 0;
  out.style.every_case = values.count("quiet") == 0;
  out.named = named(values);
  return out;
}

}  // namespace sipassay::tools
