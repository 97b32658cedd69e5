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
#include "tools/expectations.h"
#include "tools/options.h"

namespace sipassay::tools {

inline constexpr unsigned jobs_max = 1000;
inline constexpr unsigned repeat_max = 100'000;

struct RunOptions {
  std::optional<Endpoint> sut;  // none: the embedded engine
  std::uint64_t seed = 1;
  std::optional<Transport> transport;  // of the embedded engine
  unsigned jobs = 1;
  unsigned repeat = 1;
  Duration timeout{};  // of one case in real time; zero: the driver's own
  transaction::Timings timings;
  std::map<std::string, std::string> users;  // behaviour -> user part of the live SUT
  bool knows_all_users = false;              // every behaviour is a user of that name
  std::string domain;
  std::optional<runner::Login> login;
  Expectations expectations;
  reports::RenderOptions style;
  std::vector<std::string> named;  // the options that change what is run or how it is judged
};

void add_run_options(po::options_description& options);
// Throws UsageError.
RunOptions run_options(const po::variables_map& values);

}  // namespace sipassay::tools
