// SUT profile (profile.xsd, README.md "Profiles"): what a stack under test is, where it is, who
// answers there, and how it is started, stopped, reset and triggered. Data: runs nothing.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/time.h"
#include "engine/runner/case.h"
#include "engine/runner/declared.h"
#include "engine/runner/run.h"
#include "scenarios/load.h"

namespace sipassay::scenarios {

// Limits, besides those of load.h; one more is an error.
inline constexpr std::size_t profile_users_max = 1000;
inline constexpr std::size_t profile_arguments_max = 100;    // of one command
inline constexpr std::size_t profile_environment_max = 100;  // of one command
inline constexpr std::size_t profile_words_max = 1000;       // of one list
inline constexpr std::size_t profile_value_max = 4096;       // octets of one value
inline constexpr unsigned profile_jobs_max = 1000;

// Something to run. ${host}, ${port} and ${transport} in arguments and environment stand for the
// SUT's first address; for_address() puts them in.
struct Command {
  std::vector<std::string> arguments;  // the program first; by PATH when it has no slash
  bool uses_shell = false;  // arguments[0] is a line for /bin/sh, the others are $1, $2 …
  std::vector<std::pair<std::string, std::string>> environment;  // besides ours
  std::string directory;  // where it runs: that of the profile, or as named from there
  // start: until OPTIONS is answered. stop, reset: until it has ended. trigger: until it is ready.
  Duration within = 10s;

  friend bool operator==(const Command&, const Command&) = default;
};
Command for_address(Command command, const Endpoint& sut);

// How what <start> has started ends: a command, else a signal to its process group. What is left
// after `within` is killed.
struct Stop {
  std::optional<Command> command;
  std::string signal = "TERM";  // one of stop_signals
  Duration within = 5s;

  friend bool operator==(const Stop&, const Stop&) = default;
};
inline constexpr std::string_view stop_signals[] = {"TERM", "INT", "HUP", "QUIT", "KILL"};

struct ProfileUser {
  std::string name;                    // user part of its URI
  std::vector<std::string> behaves;    // what a caller of it meets: auto, ring, busy …
  std::optional<runner::Login> login;  // for challenges to who calls it; else the profile's

  friend bool operator==(const ProfileUser&, const ProfileUser&) = default;
};

struct Profile {
  std::string file;  // as it was named
  std::string name;  // "baresip"
  std::string note;
  std::vector<Endpoint> addresses;   // one a transport, at least one; the first is asked first
  std::string domain;                // host of its URIs; empty: the address
  std::set<runner::SutRole> roles;   // none: not declared
  std::vector<ProfileUser> users;    // a behaviour is named once
  bool has_every_behaviour = false;  // each behaviour is a user of that name, as of sipassay ua
  std::optional<runner::Login> login;
  runner::Declared declared;
  std::optional<Duration> t1;
  std::optional<unsigned> jobs;
  std::optional<Duration> timeout;  // of one case
  std::optional<Duration> tolerance;  // of when a message is repeated
  std::optional<Command> start, reset, trigger;
  std::optional<Stop> stop;

  friend bool operator==(const Profile&, const Profile&) = default;
};

using LoadedProfile = std::expected<Profile, std::vector<LoadError>>;
// file stands in errors; relative directories of commands start in its folder.
LoadedProfile read_profile(std::string_view xml, const std::string& file);
LoadedProfile load_profile(const std::string& file);

// The file that says all that, for `file` to be written: reads back as the same.
std::string to_xml(const Profile& profile);

}  // namespace sipassay::scenarios
