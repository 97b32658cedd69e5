// Runs one case: scripted peers against a stack under test. Sans I/O, like the agent it may face.
//
// A driver (tools/live with sockets, or run_embedded in virtual time) calls handle() with what
// happened and poll()s until it gets Wait or Done. CaseRun opens no sockets, reads no clock, starts
// no process: it says what it wants and is told what came of it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/time.h"
#include "engine/runner/case.h"
#include "engine/runner/declared.h"
#include "engine/runner/declared.h"
#include "engine/runner/result.h"
#include "engine/simulation/network.h"
#include "engine/transaction/layer.h"
#include "engine/transaction/timings.h"

namespace sipassay::runner {

struct Login {
  std::string user{}, password{};

  friend bool operator==(const Login&, const Login&) = default;
};

// Named values of a state: of the SUT when it can be looked into (white box), see StateStep.
// Unknown field or no such dialog: nothing.
using SutState =
    std::function<std::optional<std::string>(std::string_view sip_call_id, std::string_view field)>;

struct CaseOptions {
  Endpoint sut{};        // where the SUT listens; its transport is the case's
  std::string domain{};  // host of the SUT's URIs; empty: sut's address
  // Behaviour name ("auto", "ring", "busy") → user part of the SUT that behaves so. A case whose
  // user is not here is NOT-APPLICABLE. assume_users: every behaviour name is a user, as of the
  // embedded SUT; a live one must say in Server that it is Sipassay, otherwise only "auto" is
  // assumed.
  std::map<std::string, std::string> users{};
  bool assume_users = false;
  // What the SUT's profile says: a case that needs what it lacks is UNSUPPORTED, one of a role that
  // it does not have NOT-APPLICABLE. Of what is not declared the SUT is asked by OPTIONS (Allow,
  // Supported). No role: any.
  Declared declared{};
  std::set<SutRole> roles{};
  bool has_trigger = false;      // SutCommand can be carried out
  std::optional<Login> login{};  // for challenges of the SUT
  std::uint64_t run_seed = 1;    // the case's own seed is derive_seed(run_seed, id)
  transaction::Timings timings{};
  bool is_live = false;        // real time: tolerances and short patience
  Duration tolerance = 0us;    // on retransmission times and spans
  Duration patience = 0us;     // default of <expect within>; 0: 64*T1 + 1 s
  SutState sut_state{};        // embedded only
  // "--sut udp:127.0.0.1:5060": how the command that repeats the case names the SUT; empty: embedded
  std::string sut_argument{};
};

// --- inputs
struct PeerOpened {  // answer to OpenPeer
  std::string peer{};
  Endpoint local{};  // what Via and Contact shall say
};
struct PeerFailed {
  std::string peer{}, reason{};
};
struct OctetsReceived {  // one datagram, or what a framer cut out of a stream
  std::string peer{};
  std::string octets{};
  Flow flow{};
};
struct StreamClosed {  // by the SUT, or because its framing was broken
  std::string peer{};
  FlowId flow = 0;
};
struct SendFailed {  // port unreachable, connection refused
  std::string peer{};
  transaction::Destination to{};
  std::string reason{};
};
struct SutCommandDone {
  std::uint32_t number = 0;
  bool ok = true;
  bool is_unsupported = false;  // adapter exit 127
  std::string reason{};
};
struct SutDied {  // its process ended
  std::string reason{};
};
struct Elapsed {};  // only time passed
struct Abort {      // interrupted: no more steps, no teardown
  std::string reason{};
};
using Input = std::variant<PeerOpened, PeerFailed, OctetsReceived, StreamClosed, SendFailed,
                           SutCommandDone, SutDied, Elapsed, Abort>;

// --- outputs
struct OpenPeer {
  std::string peer{};  // "peer", "peer2", …
  Transport transport = Transport::Udp;
};
struct SendOctets {
  std::string peer{};
  std::string octets{};
  transaction::Destination to{};
  std::vector<std::size_t> segments{};  // octets of each write but the last; streams only
};
struct SutCommand {
  std::uint32_t number = 0;
  std::string action{};  // <sut do="…">
  std::string peer{};    // URI of the peer that the case is about: which call is meant
  std::map<std::string, std::string> arguments{};
};
struct CloseFlow {
  std::string peer{};
  FlowId flow = 0;  // 0: all of that peer
};
struct SetReachable {  // false: the peer's port is closed; true: open again
  std::string peer{};
  bool is_reachable = true;
};
struct Done {};
struct WaitUntil {
  std::optional<Instant> deadline{};
};
using Output =
    std::variant<OpenPeer, SendOctets, SutCommand, CloseFlow, SetReachable, Done, WaitUntil>;

class CaseRun {
 public:
  // The case must outlive the run.
  CaseRun(const Case& the_case, CaseOptions options, Instant now);
  ~CaseRun();
  CaseRun(CaseRun&&) noexcept;
  CaseRun& operator=(CaseRun&&) noexcept;

  void handle(Input input, Instant now);
  Output poll();

  bool is_done() const;
  // Complete once Done came; before that what is known so far.
  CaseResult result() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_{};
};

// --- in virtual time against the embedded engine
struct EmbeddedOptions {
  std::uint64_t run_seed = 1;
  std::optional<Transport> transport{};  // default: the case's first
  transaction::Timings timings{};
  simulation::Conditions network{};
  std::string misbehaviour{};  // named row of misbehaviour.h; empty: the engine as it is
};

// Never hangs: bounded in virtual time and in steps; a bound that is hit is ERROR.
CaseResult run_embedded(const Case& the_case, const EmbeddedOptions& options);

// One run of a case against one of the misbehaviours that it names.
struct Bite {
  std::string misbehaviour{};
  bool is_known = true;     // false: no such misbehaviour
  bool has_bitten = false;  // FAIL or CRASH; NON-STRICT too for SHOULD and stated cases
  CaseResult result{};
};
// A case without misbehaviours, or with one that does not bite, has no teeth.
std::vector<Bite> teeth(const Case& the_case, const EmbeddedOptions& options);

}  // namespace sipassay::runner
