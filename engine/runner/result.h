// What a run found: the one source that every report renders.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clause.h"
#include "engine/base/endpoint.h"
#include "engine/base/time.h"
#include "engine/runner/case.h"
#include "engine/runner/outcome.h"

namespace sipassay::runner {

// One message on the wire as the harness saw it.
struct TranscriptEntry {
  Instant at;
  std::string from, to;  // "peer", "peer2", "sut"
  std::string octets;
  Transport transport = Transport::Udp;
  bool is_retransmission = false;
  bool was_lost = false;  // dropped by a <network> step or by the simulated network
};

// A broken always-on rule: apart from the verdict.
struct ReportedFinding {
  std::string rule;
  std::string clause;
  std::string expected, observed;
  unsigned count = 1;
  std::size_t message = 0;  // index into messages of the first one
};

// What an expectation file says of a case, and what came. The case's outcome is then XFAIL, XPASS, or
// as it came.
struct Expectation {
  std::string outcomes;  // as the file says: "FAIL", "PASS FAIL"
  Outcome actual = Outcome::Pass;
  std::string clause;  // that the SUT is known to break: "RFC 3515 section 2.4.2"; empty: none
  std::string reason;
  std::string where;  // "baresip.xml:12"
};

struct CaseResult {
  std::string id;
  std::vector<std::string> rows;
  std::string title;
  Level level = Level::Must;
  SutRole role = SutRole::Uas;
  std::string clause;       // "RFC 3262 section 4, MUST NOT"
  std::string requirement;  // in our words
  std::string file;
  std::size_t line = 0;  // of the step at fault
  Transport transport = Transport::Udp;
  Outcome outcome = Outcome::Pass;
  std::string reason;  // one sentence
  std::string expected, observed;
  std::string header;           // header field at fault; empty if none
  std::int64_t offending = -1;  // index into messages; -1: none (nothing came)
  std::uint64_t seed = 0;
  Duration took{};
  std::string repeat;  // the command that runs it again
  std::vector<TranscriptEntry> messages;
  std::vector<ReportedFinding> findings;
  std::optional<Expectation> expectation;
};

struct RunInfo {
  std::string version;
  std::uint64_t seed = 0;
  std::string sut;       // "embedded", or "udp:127.0.0.1:5060"
  std::string sut_name;  // from Server or User-Agent, when it told
  std::vector<std::string> options;
  std::string started;   // ISO 8601 UTC for live runs; empty in virtual time, so that runs repeat
  bool partial = false;  // interrupted
  std::string partial_reason;
};

struct RunResult {
  RunInfo run;
  std::vector<CaseResult> cases;  // in selection order
};

}  // namespace sipassay::runner
