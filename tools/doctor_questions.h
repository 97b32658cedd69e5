// What `sipassay doctor` asks a SUT: each question is a case of a few steps, whose messages are the
// answer. They end what they begin, and bother no user more than a call does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runner/case.h"

namespace sipassay::tools {

enum class Ask : std::uint8_t {
  Options,           // what it claims
  Hops,              // a request for another domain whose hops are used up: does it pass on?
  Datagram,          // a message of large_octets
  Method,            // outside any dialog, so that who knows it refuses it
  Extension,         // required by an OPTIONS
  EventPackage,      // a SUBSCRIBE that fetches
  Call,              // by a caller without extensions
  ReliableCall,      // by one that supports 100rel
  RequiresReliable,  // by one that requires it
  LateOffer,         // an INVITE without SDP
  Reinvite,          // inside a call, with an offer
  Update,            // the same
  Info,              // inside a call, of the package that `subject` is
  SessionTimer,      // an INVITE with Session-Expires
  Repeats,           // an INVITE whose 2xx is acknowledged late
};

struct Question {
  Ask ask = Ask::Options;
  std::string subject;  // the method, option tag, package
  std::string user;     // user part of who is asked; empty: the SUT itself
  runner::Case the_case;
};

inline constexpr std::size_t large_octets = 20'000;             // of the large datagram
inline constexpr std::string_view unknown_word = "x-sipassay";  // nobody knows it
inline constexpr std::string_view unknown_method = "SIPASSAY";
inline constexpr Duration call_patience = 4s;  // with a call that is not answered
inline constexpr Duration late_ack = 3s;       // after the INVITE

// Makes one; `number` makes its id. `domain`: host of the SUT's URIs; empty: its address.
Question question(Ask ask, std::string subject, std::string user, std::size_t number,
                  const std::string& domain);

// Methods that are asked about, and option tags that an OPTIONS may require.
extern const std::vector<std::string_view> asked_methods;
extern const std::vector<std::string_view> asked_extensions;
extern const std::vector<std::string_view> asked_packages;

}  // namespace sipassay::tools
