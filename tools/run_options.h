// What `sipassay run` was asked to do.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/runner/run.h"
#include "reports/report.h"
#include "scenarios/profile.h"
#include "tools/expectations.h"
#include "tools/options.h"

namespace sipassay::tools {

inline constexpr unsigned jobs_max = 1000;
inline constexpr unsigned repeat_max = 100'000;

struct RunOptions {
  std::vector<Endpoint> sut;  // a live SUT, one address a transport; none: the embedded engine
  std::optional<scenarios::Profile> profile;  // of the live SUT, as its file says
  std::optional<scenarios::Command> adapter;  // tells it what to do
  bool starts_sut = true;                     // when the profile says how
  std::string sut_log;                        // for what a SUT writes that we start; empty: none
  std::string sut_argument;  // "--sut udp:127.0.0.1:5060": how a command names the live SUT
  std::uint64_t seed = 1;
  std::optional<Transport> transport;  // of the embedded engine
  unsigned jobs = 1;
  unsigned repeat = 1;
  Duration timeout{};  // of one case in real time; zero: the driver's own
  Duration tolerance{};  // of when a live SUT repeats a message; zero: the driver's own
  Duration longest{};  // cases that last longer do not run; zero: all run
  transaction::Timings timings;
  std::map<std::string, std::string> users;  // behaviour -> user part of the live SUT
  bool knows_all_users = false;              // every behaviour is a user of that name
  std::string domain;
  std::optional<runner::Login> login;
  std::map<std::string, runner::Login> logins;  // of callers of one behaviour, before `login`
  Expectations expectations;
  reports::RenderOptions style;
  std::vector<std::string> named;  // the options that change what is run or how it is judged

  bool is_live() const { return !sut.empty(); }
};

// --sut --profile --user --domain --login --t1 --no-start --sut-log: which SUT.
void add_sut_options(po::options_description& options);
void add_run_options(po::options_description& options);
// Throws UsageError.
RunOptions run_options(const po::variables_map& values);
// Throws UsageError, which names every error of the file.
scenarios::Profile profile_from(const std::string& file);

}  // namespace sipassay::tools
