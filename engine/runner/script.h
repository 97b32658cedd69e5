// Executes the steps of one case on scripted peers and judges what comes. CaseRun's inside.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runner/match.h"
#include "engine/runner/peers.h"
#include "engine/runner/run.h"

namespace sipassay::runner {

class Script {
 public:
  Script(const Case& the_case, CaseOptions options, Instant now);
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  void handle(Input input, Instant now);
  Output poll();
  bool is_done() const { return phase_ == Phase::Done; }
  CaseResult result() const;

 private:
  enum class Phase : std::uint8_t {
    Opening,   // peers' sockets
    Asking,    // OPTIONS: does the SUT have what the case needs
    Running,   // steps
    Teardown,  // end dialogs, answer what is open
    Probing,   // OPTIONS: is the SUT alive
    Done
  };
  enum class Progress : std::uint8_t { Blocked, Complete };
  // Where execution stands in one list of steps; branches push one more.
  struct Frame {
    const Steps* steps = nullptr;
    std::size_t next = 0;
  };
  // Of the current step.
  struct StepState {
    bool is_started = false;
    Instant since{};
    std::size_t since_entry = 0;  // transcript size at its start
    std::vector<bool> taken;      // Unordered
    std::optional<Mismatch> last_mismatch;
    std::optional<RecordId> last_mismatched;
    bool is_command_done = false;  // Sut
  };
  struct Verdict {
    Outcome outcome = Outcome::Fail;
    std::string reason{}, expected{}, observed{}, header{};
    std::int64_t offending = -1;   // transcript entry
    std::optional<Level> level{};  // of the check
    std::string clause_section{};
  };

  // --- phases
  bool meets_needs();
  void open_peers();
  void all_opened(Instant now);
  void start_steps(Instant now);
  std::string assumed_user() const;
  void ask(Instant now);
  void look_at_answer(Instant now);
  void on_arrival(const Arrival& arrival, Instant now);
  void run(Instant now);
  void finish_steps(Instant now);
  void teardown(Instant now);
  bool is_bye_due(std::size_t call) const;
  void start_probe(Instant now);
  void look_at_probe(Instant now);
  std::size_t killer(std::size_t end) const;
  void note_refusal();
  void died_of(const std::string& reason);
  std::string what_killed(std::size_t entry) const;
  void done(Instant now);

  // --- steps
  void advance_steps(Instant now);
  Progress step(const SutStep& sut, Instant now);
  Progress step(const SendStep& send, Instant now);
  Progress step(const ReplyStep& reply, Instant now);
  Progress step(const ExpectStep& expect, Instant now);
  Progress step(const EitherStep& either, Instant now);
  Progress step(const UnorderedStep& unordered, Instant now);
  Progress step(const ForbidStep& forbid, Instant now);
  Progress step(const AgainStep& again, Instant now);
  Progress step(const ResendStep& resend, Instant now);
  Progress step(const NetworkStep& network, Instant now);
  Progress step(const WaitStep& wait, Instant now);
  Progress step(const StateStep& state, Instant now);
  Progress step(const DialogStep& dialog, Instant now);
  Progress step(const CheckStep& check, Instant now);

  const Step* current() const;
  // Takes a message that matches: names it, judges its checks. False: its checks do not hold and
  // another one may still come, or another branch may fit.
  bool take(const ExpectStep& expect, RecordId record);
  std::vector<RecordId> candidates(const ExpectStep& expect) const;
  bool passes(const ExpectStep& expect, RecordId record) const;
  bool may_be_absorbed(RecordId record) const;
  bool ack_came_again(const ExpectStep& expect);
  bool kind_matches(const Pattern& pattern, const Record& record) const;
  std::optional<RecordId> wrong_final(const Pattern& pattern) const;
  bool is_undelivered(const Pattern& pattern) const;
  bool next_is_here() const;
  void nothing_came(const Pattern& pattern, Duration waited);
  void wrong_came(const Pattern& pattern, RecordId record);
  bool is_unsupported(RecordId response, Verdict& verdict) const;
  void mismatched(RecordId record, const Mismatch& mismatch);
  bool lacks_recv_info(const Mismatch& mismatch) const;
  Outcome weight_of(const Mismatch& mismatch) const;
  void name_message(const std::string& as, RecordId record);
  void cap(std::optional<Outcome> outcome, const std::string& reason, RecordId record);

  // --- verdicts
  void conclude(Verdict verdict);  // ends the steps unless it is soft
  void note(Verdict verdict);      // NON-STRICT and the like: goes on
  void error(std::string reason);
  bool is_precondition() const;
  Outcome weigh(const Verdict& verdict) const;
  void record_verdict(const Verdict& verdict, Outcome outcome);

  // --- background
  void settle(Instant now);
  bool is_expected_later(const Record& record) const;
  bool sends_later(std::string_view method) const;
  void answer_in_background(RecordId request, Instant now);
  void respond_to_response(const Arrival& arrival, Instant now);

  // --- names and times
  CheckContext context() const;
  std::optional<std::string> lookup(std::string_view reference) const;
  std::optional<std::string> call_value(const Call& call, std::string_view field) const;
  const Message* named(std::string_view name) const;
  std::optional<RecordId> named_record(std::string_view name) const;
  RecordId newest_version(RecordId request) const;
  std::optional<RecordId> last_request_sent(std::size_t peer) const;
  std::optional<RecordId> last_request_received(std::size_t peer) const;
  std::optional<std::string> text(const Template& value);
  Duration length(const Span& span) const;
  Duration patience() const;
  Duration tolerance() const;
  std::string came_instead() const;
  void wake_at(Instant at);

  const Case& case_;
  CaseOptions options_;
  std::uint64_t seed_;
  std::string user_;
  std::optional<Peers> peers_;
  Phase phase_ = Phase::Opening;
  std::size_t unopened_ = 0;
  std::vector<Frame> frames_;
  StepState state_;
  bool has_own_expectations_ = false;
  bool own_expectation_seen_ = false;
  bool is_concluded_ = false;  // no more steps
  std::map<std::string, RecordId, std::less<>> names_;
  std::map<RecordId, std::size_t> again_seen_;
  std::set<std::size_t> unreachable_;
  std::optional<RecordId> query_;  // Asking, Probing
  std::uint32_t command_ = 0;
  std::optional<Instant> wake_;
  Instant now_{}, started_{}, phase_since_{};
  CaseResult result_;
  bool has_verdict_ = false;
  bool first_send_failed_ = false;
  std::optional<std::size_t> refused_;  // transcript entry that first met a closed port
};

// --- of the steps

bool is_expectation(const Step& step);
const ExpectStep* first_expectation(const Steps& steps);  // nullptr: they begin with another step
std::string seconds(Duration span);                       // "32 s", "0.500 s"

}  // namespace sipassay::runner
