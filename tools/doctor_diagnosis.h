// What a SUT's answers say: what it is, what it claims, what it does, and where the two differ.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clause.h"
#include "engine/runner/result.h"
#include "scenarios/profile.h"
#include "tools/doctor_questions.h"

namespace sipassay::tools {

inline constexpr std::size_t claimed_words_max = 20;  // of one list, that are asked about

// One thing that the SUT claims or does.
struct Symptom {
  std::string subject;           // "method UPDATE"
  std::string claim;             // "in Allow"; empty: it claims nothing
  std::string behaviour;         // "200 OK"
  std::string difference;        // between the two, or to the clause; empty: none
  std::optional<Clause> clause;  // of the difference, if an RFC speaks of it
};

// What a caller of a user meets.
struct Patient {
  std::string user;
  std::string meets;                 // "180 Ringing after 0.0 s, 200 OK after 2.0 s"
  std::vector<std::string> behaves;  // by the names of behaviours; none: like no behaviour
  bool takes_calls = false;          // it rings or answers
};

struct AskedAddress {
  Endpoint at;
  std::string complaint;  // why nobody answers there; empty: somebody does
  bool is_guess = false;  // nobody named it: TCP where there is UDP, or the other way round
};

struct Diagnosis {
  std::string name;  // Server or User-Agent; empty: it does not say
  std::vector<AskedAddress> addresses;
  std::vector<Symptom> symptoms;
  std::vector<Patient> users;
  std::string death;           // the question after which it answered no more; empty: it lives
  scenarios::Profile profile;  // what all that amounts to; undecided things are left out

  // Words of its own lists that are worth a question.
  std::vector<std::string> claimed_packages, claimed_info_packages;
  // A user that answers at once, for questions that need a call; empty: none.
  std::string answering_user;

  // Differences that break a MUST or MUST NOT, and all of them.
  std::size_t violations() const;
  std::size_t differences() const;
};

// Questions and results belong together by position. `known`: what was said about the SUT before,
// which the profile keeps.
Diagnosis diagnose(const std::vector<Question>& questions,
                   const std::vector<runner::CaseResult>& results,
                   const std::vector<AskedAddress>& addresses, const scenarios::Profile& known);

}  // namespace sipassay::tools
