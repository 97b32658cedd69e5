#include "tools/live.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "engine/runner/run.h"
#include "engine/transport/hub.h"
#include "tools/embedded.h"
#include "tools/interrupt.h"
#include "tools/live_blame.h"
#include "tools/live_job.h"
#include "tools/live_probe.h"
#include "tools/live_sut.h"
#include "tools/repeat.h"

namespace sipassay::tools {
namespace {

using runner::Case;
using runner::CaseResult;
using runner::Outcome;

// Signals and the progress line are looked at no less often.
constexpr Duration turn_max = 100ms;
// What starts a SUT again after it died has this long.
constexpr Duration restart_patience = 3s;
// A case that found the SUT out of lines or out of breath is run again so many times, the last time
// alone.
constexpr unsigned retries_max = 3;
// After each death of the SUT the cases that ran do so again with so many fewer side by side: the
// one that kills it is alone in the end.
constexpr unsigned thinning = 4;

// Nothing that a slow answer can have brought about.
bool is_settled(const CaseResult& result) {
  return result.outcome == Outcome::Pass || result.outcome == Outcome::NotApplicable ||
         result.outcome == Outcome::Unsupported || result.outcome == Outcome::Crash ||
         (result.outcome == Outcome::Error && has_met_silence(result));
}

// The whole run: what waits, what is under way, what is done.
class LiveRun {
 public:
  LiveRun(transport::Hub& hub, LiveSut& sut, const std::vector<Case>& cases,
          const RunOptions& options, Progress& progress)
      : hub_(hub),
        sut_(sut),
        cases_(cases),
        options_(options),
        progress_(progress),
        pace_(options.jobs),
        runs_(cases.size()),
        started_(cases.size()),
        retries_(cases.size()),
        deaths_(cases.size()) {}

  std::vector<CaseResult> run();

 private:
  struct Running {
    std::size_t index;
    std::unique_ptr<Job> job;
    std::uint32_t command = 0;  // of the case, that waits for its answer
    std::uint32_t told = 0;     // its number at the adapter
    std::string peer{};         // of the last one; empty: there was none
  };
  struct Crash {
    std::size_t index;
    Instant begun;
    CaseResult result;
  };
  // The most likely of those that ran when the SUT died. It runs once more, alone.
  struct Suspect {
    Crash crash;
    std::vector<std::size_t> others;    // that ran beside it and have no result yet
    std::optional<CaseResult> alibi{};  // it did not kill the SUT when it ran alone
    bool is_cleared = false;            // one of the others did
  };

  void queue();
  void feel_pulse();
  void start_more();
  std::optional<std::size_t> take_next();
  bool runs_alone(std::size_t index) const;
  bool is_destructive(std::size_t index) const;
  bool may_join(std::size_t index) const;
  std::size_t company_max(std::size_t index) const;
  bool has_free_call(std::size_t index) const;
  bool may_start() const;
  void turn();
  void deliver(transport::Event event);
  void tell();
  void hear();
  void clean_up(const Running& done);
  void collect();
  void finish(std::size_t index, CaseResult result);
  bool was_late(const Running& done) const;
  bool runs_again(const Running& done, CaseResult& result);
  void run_once_more(std::size_t index);
  void hear_witness(std::size_t index);
  void close(Suspect suspect);
  void look_for_death();
  void die(const std::string& reason);
  void settle_crashes();
  std::string blame(std::vector<Crash> crashes, bool is_back);
  void confirm(CaseResult again);
  void give_up(const std::string& reason);
  CaseResult refused(std::size_t index, const std::string& reason) const;
  runner::CaseOptions case_options(std::size_t index, std::size_t repetition, unsigned retry) const;

  transport::Hub& hub_;
  LiveSut& sut_;
  const std::vector<Case>& cases_;
  const RunOptions& options_;
  Progress& progress_;
  std::deque<std::size_t> waiting_;  // an entry a repetition
  std::vector<Running> running_;
  std::optional<Pulse> pulse_;   // when cases run side by side
  std::optional<Instant> late_;  // when the SUT answered late for the last time
  Pace pace_;
  std::vector<std::vector<CaseResult>> runs_;  // of each case
  std::vector<std::size_t> started_;           // of each case
  std::vector<unsigned> retries_;              // of each case
  std::vector<unsigned> deaths_;               // of the SUT, beside each case
  std::vector<Crash> crashes_;
  bool has_died_ = false;  // by its process; nothing begins before it is started again
  std::optional<Suspect> suspect_;
  std::vector<Suspect> released_;  // with an alibi: what of the others?
};

std::vector<CaseResult> LiveRun::run() {
  queue();
  if (!sut_.is_there()) give_up(sut_.complaint());
  feel_pulse();
  while (!is_interrupted() && (!waiting_.empty() || !running_.empty() || suspect_)) {
    start_more();
    turn();
    collect();
    if (running_.empty() && (has_died_ || !crashes_.empty())) settle_crashes();
    progress_.tick();
  }
  pulse_.reset();
  running_.clear();
  if (suspect_) released_.push_back(*std::exchange(suspect_, std::nullopt));
  for (Suspect& suspect : std::exchange(released_, {})) close(std::move(suspect));
  for (Crash& crash : crashes_) finish(crash.index, std::move(crash.result));
  std::vector<CaseResult> out;
  for (auto& runs : runs_)
    if (!runs.empty()) out.push_back(verdict_of(std::move(runs)));
  return out;
}

// The longest first, as virtual time tells: nothing else waits for them at the end.
void LiveRun::queue() {
  std::vector<Duration> lasts(cases_.size());
  for (std::size_t i = 0; i < cases_.size() && !is_interrupted(); ++i)
    lasts[i] = runner::run_embedded(cases_[i], embedded_options(options_, 1)).took;
  std::vector<std::size_t> order(cases_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t index) { return lasts[index]; });
  for (const std::size_t index : order) {
    if (options_.longest == Duration::zero() || lasts[index] <= options_.longest) {
      waiting_.insert(waiting_.end(), options_.repeat, index);
      continue;
    }
    CaseResult result =
        refused(index, fmt::format("it lasts {} s: longer than --longest allows",
                                   std::chrono::ceil<std::chrono::seconds>(lasts[index]).count()));
    if (result.outcome == Outcome::Error) result.outcome = Outcome::NotApplicable;
    for (unsigned i = 0; i < options_.repeat; ++i) finish(index, result);
  }
}

void LiveRun::feel_pulse() {
  if (options_.jobs > 1 && sut_.is_there())
    pulse_.emplace(hub_, sut_.address().sut, sut_.address().near, Rng(options_.seed).fork("pulse"));
}

void LiveRun::start_more() {
  while (may_start()) {
    const auto index = take_next();
    if (!index) return;
    const std::size_t repetition = started_[*index]++;
    if (repetition == 0) progress_.started();
    const LiveSut::Address& address = sut_.address_for(cases_[*index]);
    std::string obstacle;
    if (!address.complaint.empty())
      obstacle = fmt::format("the SUT cannot be reached at {}: {}", to_string(address.sut),
                             address.complaint);
    else if (runs_alone(*index))
      obstacle = sut_.reset();
    if (!obstacle.empty()) {
      CaseResult result = refused(*index, obstacle);
      if (suspect_)
        confirm(std::move(result));
      else
        finish(*index, std::move(result));
      continue;
    }
    const Duration timeout = options_.timeout > Duration::zero() ? options_.timeout : live_timeout;
    running_.push_back(
        {*index,
         std::make_unique<Job>(hub_, cases_[*index],
                               case_options(*index, repetition, retries_[*index] + deaths_[*index]),
                               address.near, timeout),
         {}});
    collect();
  }
}

bool LiveRun::may_start() const {
  // After a death nothing begins before it is known what is left of the SUT.
  if (has_died_ || !crashes_.empty()) return false;
  if (running_.empty()) return true;
  return running_.size() < pace_.jobs() && !(pulse_ && pulse_->lag() > Pace::strain);
}

// The destructive ones come after the others, and those that run alone last.
std::optional<std::size_t> LiveRun::take_next() {
  if (suspect_) return running_.empty() ? std::optional(suspect_->crash.index) : std::nullopt;
  if (!running_.empty() && runs_alone(running_.front().index)) return std::nullopt;
  auto next = std::ranges::find_if(waiting_, [this](auto index) { return may_join(index); });
  if (next == waiting_.end()) {
    if (waiting_.empty() || !running_.empty()) return std::nullopt;
    next = waiting_.begin();
  }
  const std::size_t index = *next;
  waiting_.erase(next);
  return index;
}

// Beside what is under way.
bool LiveRun::may_join(std::size_t index) const {
  if (runs_alone(index) || !has_free_call(index)) return false;
  if (running_.size() >= company_max(index) ||
      std::ranges::any_of(
          running_, [this](std::size_t other) { return running_.size() >= company_max(other); },
          &Running::index))
    return false;
  return !is_destructive(index) || std::ranges::none_of(waiting_, [this](std::size_t other) {
    return !is_destructive(other) && !runs_alone(other);
  });
}

// So many run with it, and it among them.
std::size_t LiveRun::company_max(std::size_t index) const {
  std::size_t out = options_.jobs;
  for (unsigned i = 0; i < deaths_[index] && out > 1; ++i) out /= thinning;
  return std::max<std::size_t>(out, 1);
}

// The adapter tells so many calls apart.
bool LiveRun::has_free_call(std::size_t index) const {
  const Adapter* adapter = sut_.adapter();
  if (adapter == nullptr || !needs_trigger(cases_[index])) return true;
  return std::ranges::count_if(running_, [this](const Running& one) {
           return needs_trigger(cases_[one.index]);
         }) < static_cast<std::ptrdiff_t>(adapter->calls());
}

bool LiveRun::runs_alone(std::size_t index) const {
  const Adapter* adapter = sut_.adapter();
  // It would take the call of another case for that of this one.
  if (adapter != nullptr && adapter->calls() == 1 && needs_trigger(cases_[index])) return true;
  // Cases that register share an address-of-record.
  const auto role = cases_[index].role;
  const bool registers = role == runner::SutRole::Registrar || role == runner::SutRole::Proxy ||
                         role == runner::SutRole::Redirect;
  return retries_[index] == retries_max || registers ||
         expects(options_.expectations, cases_[index], Outcome::Crash);
}

// It may leave calls standing that nobody can end.
bool LiveRun::is_destructive(std::size_t index) const {
  return std::ranges::find(cases_[index].tags, "destructive") != cases_[index].tags.end();
}

void LiveRun::turn() {
  Instant until = hub_.now() + turn_max;
  for (const Running& one : running_) until = std::min(until, one.job->deadline());
  if (pulse_) until = std::min(until, pulse_->deadline());
  if (sut_.adapter() != nullptr) until = std::min(until, sut_.adapter()->deadline());
  hub_.wait(until);
  // Before what came after its death is delivered.
  look_for_death();
  while (auto event = hub_.poll()) deliver(std::move(*event));
  for (const Running& one : running_) one.job->advance();
  if (sut_.adapter() != nullptr) {
    hear();
    tell();
  }
  if (!pulse_) return;
  if (pulse_->lag() > live_tolerance) late_ = hub_.now();
  pulse_->advance();
}

// What the cases want of the SUT.
void LiveRun::tell() {
  for (Running& one : running_) {
    auto command = one.job->take_command();
    if (!command) continue;
    one.command = command->number;
    one.peer = command->peer;
    one.told = sut_.adapter()->tell(std::move(*command));
  }
}

void LiveRun::hear() {
  Adapter& adapter = *sut_.adapter();
  adapter.advance();
  while (auto event = adapter.poll()) {
    if (auto* died = std::get_if<Adapter::Died>(&*event)) {
      die(died->reason);
      continue;
    }
    auto& done = std::get<runner::SutCommandDone>(*event);
    const auto asker = std::ranges::find(running_, done.number, &Running::told);
    if (asker == running_.end()) continue;  // of a case that has ended
    done.number = asker->command;
    asker->told = 0;
    asker->job->answered(std::move(done));
  }
}

// No call of the case may be in the way of the next one; an adapter that cannot do that says so.
void LiveRun::clean_up(const Running& done) {
  if (!done.peer.empty())
    sut_.adapter()->tell({.number = 0, .action = "reset", .peer = done.peer, .arguments = {}});
}

void LiveRun::deliver(transport::Event event) {
  const FlowId local = std::visit([](const auto& e) { return e.local; }, event);
  if (pulse_ && pulse_->has(local)) {
    if (pulse_->take(event)) pace_.answered(pulse_->lag());
    return;
  }
  for (const Running& one : running_)
    if (one.job->has(local)) return one.job->take(std::move(event));
}

void LiveRun::collect() {
  for (std::size_t i = 0; i < running_.size();) {
    if (!running_[i].job->is_done()) {
      ++i;
      continue;
    }
    Running done = std::move(running_[i]);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    clean_up(done);
    CaseResult result = done.job->result();
    if (!suspect_ && runs_again(done, result)) continue;
    // It was there when the run began.
    if (result.outcome == Outcome::Error && has_met_silence(result)) {
      result.outcome = Outcome::Crash;
      result.reason = "the SUT answered when the run began and cannot be reached any more";
      result.offending = 0;
    }
    if (suspect_)
      confirm(std::move(result));
    else if (result.outcome == Outcome::Crash)
      crashes_.push_back({done.index, done.job->begun(), std::move(result)});
    else
      finish(done.index, std::move(result));
  }
}

// What the SUT did long before the end of a case has not decided it.
bool LiveRun::was_late(const Running& done) const {
  return late_ &&
         *late_ >= std::max<Instant>(done.job->begun(), hub_.now() - 32 * options_.timings.t1);
}

// A SUT that answers by itself but has no free line, or no breath, says nothing about the case.
bool LiveRun::runs_again(const Running& done, CaseResult& result) {
  // A proxy has no line: what is busy behind it is ours.
  const bool is_busy = cases_[done.index].user == "auto" &&
                       cases_[done.index].role != runner::SutRole::Proxy && has_met_busy(result);
  if (is_busy) pace_.busy(running_.size());
  if (!is_busy && (!was_late(done) || is_settled(result))) return false;
  if (retries_[done.index] < retries_max) {
    ++retries_[done.index];
    run_once_more(done.index);
    return true;
  }
  if (is_busy) {
    result.outcome = Outcome::Error;
    result.reason = "the SUT has no free line: " + result.observed;
  }
  return false;
}

void LiveRun::run_once_more(std::size_t index) {
  --started_[index];
  waiting_.push_back(index);
}

void LiveRun::finish(std::size_t index, CaseResult result) {
  const Outcome outcome = result.outcome;
  runs_[index].push_back(std::move(result));
  if (runs_[index].size() == options_.repeat) progress_.done(outcome);
  hear_witness(index);
}

// The case has ended: those that wait for it may be done.
void LiveRun::hear_witness(std::size_t index) {
  for (Suspect& suspect : released_) std::erase(suspect.others, index);
  const auto done = std::ranges::stable_partition(
      released_, [](const Suspect& suspect) { return !suspect.others.empty(); });
  std::vector<Suspect> closed(std::move_iterator(done.begin()), std::move_iterator(done.end()));
  released_.erase(done.begin(), done.end());
  for (Suspect& suspect : closed) close(std::move(suspect));
}

void LiveRun::close(Suspect suspect) {
  CaseResult& crash = suspect.crash.result;
  if (suspect.alibi && !suspect.is_cleared)
    crash.reason += "; it did not when the case ran once more, alone";
  finish(suspect.crash.index, suspect.is_cleared ? std::move(*suspect.alibi) : std::move(crash));
}

void LiveRun::look_for_death() {
  if (const std::string reason = sut_.death(); !reason.empty()) die(reason);
}

void LiveRun::die(const std::string& reason) {
  has_died_ = true;
  for (const Running& one : running_) one.job->sut_died(reason);
}

// Nothing runs. Brings the SUT back, and finds out which case it did not survive.
void LiveRun::settle_crashes() {
  const bool was_seen_to_die = std::exchange(has_died_, false);
  pulse_.reset();
  const bool lives = !was_seen_to_die && sut_.ask().empty();
  const std::string complaint = lives ? std::string() : sut_.revive(restart_patience);
  feel_pulse();
  std::vector<Crash> crashes;
  std::string name = "between cases";
  for (Crash& crash : std::exchange(crashes_, {})) {
    // Whatever restarts a SUT that died, the probe of the case would have met it.
    if (lives && was_ignored(crash.result, options_.timings.t1)) {
      crash.result.outcome = Outcome::Fail;
      crash.result.reason = "the SUT lives, but answers this peer no more";
      finish(crash.index, std::move(crash.result));
      continue;
    }
    crashes.push_back(std::move(crash));
  }
  if (!crashes.empty()) {
    name = "in " + blame(std::move(crashes), complaint.empty());
  }
  if (!complaint.empty() && !waiting_.empty() && !is_interrupted())
    give_up(fmt::format("not run: the SUT died {} and does not come back: {}", name, complaint));
}

// Names the most likely one. When the SUT is back, that one runs once more, alone, and then the
// others do. One that was known to kill it needs no proof.
std::string LiveRun::blame(std::vector<Crash> crashes, bool is_back) {
  std::vector<CaseResult*> results;
  std::vector<Instant> begun;
  for (Crash& crash : crashes) {
    results.push_back(&crash.result);
    begun.push_back(crash.begun);
  }
  if (!is_back || is_interrupted()) {
    const std::string id = blame_one(results, begun)->id;
    for (Crash& crash : crashes) finish(crash.index, std::move(crash.result));
    return id;
  }
  if (crashes.size() == 1 &&
      expects(options_.expectations, cases_[crashes[0].index], Outcome::Crash)) {
    const std::string id = crashes[0].result.id;
    finish(crashes[0].index, std::move(crashes[0].result));
    return id;
  }
  const std::size_t culprit = most_suspect(results, begun);
  const std::string id = crashes[culprit].result.id;
  Suspect suspect{std::move(crashes[culprit]), {}};
  for (std::size_t i = 0; i < crashes.size(); ++i) {
    if (i == culprit) continue;
    const Crash& other = crashes[i];
    ++deaths_[other.index];
    suspect.others.push_back(other.index);
    run_once_more(other.index);
  }
  suspect_.emplace(std::move(suspect));
  return id;
}

void LiveRun::confirm(CaseResult again) {
  Suspect suspect = std::move(*std::exchange(suspect_, std::nullopt));
  const std::size_t index = suspect.crash.index;
  if (again.outcome == Outcome::Crash) {
    has_died_ = true;
    suspect.crash.result.reason += "; so it did when the case ran once more, alone";
    for (Suspect& earlier : released_)
      earlier.is_cleared |= std::ranges::find(earlier.others, index) != earlier.others.end();
    close(std::move(suspect));
    return;
  }
  suspect.alibi = std::move(again);
  if (suspect.others.empty())
    close(std::move(suspect));
  else
    released_.push_back(std::move(suspect));
}

// What is left gets a result as well: the report is complete.
void LiveRun::give_up(const std::string& reason) {
  fmt::print(stderr, "sipassay: {}\n", reason);
  for (const std::size_t index : std::exchange(waiting_, {})) finish(index, refused(index, reason));
}

// ERROR, unless the case says itself why it would not have run.
CaseResult LiveRun::refused(std::size_t index, const std::string& reason) const {
  runner::CaseRun run(cases_[index], case_options(index, 0, 0), Instant{});
  run.handle(runner::Abort{reason}, Instant{});
  return run.result();
}

runner::CaseOptions LiveRun::case_options(std::size_t index, std::size_t repetition,
                                          unsigned retry) const {
  const Case& one = cases_[index];
  runner::CaseOptions out;
  out.sut = sut_.address_for(one).sut;
  out.domain = options_.domain;
  out.has_trigger = sut_.adapter() != nullptr;
  out.users = options_.users;
  out.assume_users = options_.knows_all_users;
  const auto login = options_.logins.find(one.user);
  out.login = login == options_.logins.end() ? options_.login : login->second;
  if (options_.profile) {
    out.declared = options_.profile->declared;
    out.roles = options_.profile->roles;
  }
  // Another try with the Call-ID and tags of the one before would be a merged request (RFC
  // 3261 8.2.2.2).
  out.run_seed = options_.seed + repetition + std::uint64_t{retry} * repeat_max;
  out.timings = options_.timings;
  out.is_live = true;
  out.tolerance = options_.tolerance > Duration::zero() ? options_.tolerance : live_tolerance;
  out.patience = std::max<Duration>(16 * options_.timings.t1, 2s);
  out.sut_argument = options_.sut_argument;
  return out;
}

}  // namespace

std::vector<CaseResult> run_live_cases(transport::Hub& hub, LiveSut& sut,
                                       const std::vector<Case>& cases, const RunOptions& options,
                                       Progress& progress) {
  return LiveRun(hub, sut, cases, options, progress).run();
}

std::vector<CaseResult> run_live_cases(const std::vector<Case>& cases, const RunOptions& options,
                                       Progress& progress) {
  transport::allow_many_sockets();
  transport::Hub hub({.limits = {}, .keeps_octets = true});
  LiveSut sut(hub, options);
  sut.find();
  if (is_interrupted()) return {};
  if (sut.is_there() && !sut.complaint().empty())
    fmt::print(stderr, "sipassay: {}\n", sut.complaint());
  auto out = run_live_cases(hub, sut, cases, options, progress);
  sut.stop();
  return out;
}

}  // namespace sipassay::tools
