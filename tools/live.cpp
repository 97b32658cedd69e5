#include "tools/live.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "engine/message/header/all.h"
#include "engine/message/parse.h"
#include "engine/runner/run.h"
#include "engine/transport/hub.h"
#include "tools/interrupt.h"
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
        retries_(cases.size()) {}

  std::vector<CaseResult> run();

 private:
  struct Running {
    std::size_t index;
    std::unique_ptr<Job> job;
    Duration lag{};             // the longest while it ran
    std::uint32_t command = 0;  // of the case, that waits for its answer
    std::uint32_t told = 0;     // its number at the adapter
    std::string peer{};         // of the last one; empty: there was none
  };
  struct Crash {
    std::size_t index;
    Instant begun;
    CaseResult result;
  };
  // The most likely one, which did not kill the SUT when it ran alone.
  struct Alibi {
    Crash suspect;
    CaseResult again;
  };

  void feel_pulse();
  void start_more();
  std::optional<std::size_t> take_next();
  bool runs_alone(std::size_t index) const;
  bool has_free_call(std::size_t index) const;
  bool may_start() const;
  void turn();
  void deliver(transport::Event event);
  void tell();
  void hear();
  void clean_up(const Running& done);
  void collect();
  void finish(std::size_t index, CaseResult result);
  bool runs_again(const Running& done, CaseResult& result);
  void run_once_more(std::size_t index);
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
  std::optional<Pulse> pulse_;  // when cases run side by side
  Pace pace_;
  std::vector<std::vector<CaseResult>> runs_;  // of each case
  std::vector<std::size_t> started_;           // of each case
  std::vector<unsigned> retries_;              // of each case
  std::vector<Crash> crashes_;
  bool has_died_ = false;       // by its process; nothing begins before it is started again
  std::deque<Crash> suspects_;  // the first one runs once more, alone
  std::optional<Alibi> alibi_;
};

std::vector<CaseResult> LiveRun::run() {
  for (std::size_t i = 0; i < cases_.size(); ++i)
    waiting_.insert(waiting_.end(), options_.repeat, i);
  if (!sut_.is_there()) give_up(sut_.complaint());
  feel_pulse();
  while (!is_interrupted() && (!waiting_.empty() || !running_.empty() || !suspects_.empty())) {
    start_more();
    turn();
    collect();
    if (running_.empty() && (has_died_ || !crashes_.empty())) settle_crashes();
    progress_.tick();
  }
  pulse_.reset();
  running_.clear();
  if (alibi_) finish(alibi_->suspect.index, std::move(alibi_->suspect.result));
  for (Crash& crash : suspects_) finish(crash.index, std::move(crash.result));
  for (Crash& crash : crashes_) finish(crash.index, std::move(crash.result));
  std::vector<CaseResult> out;
  for (auto& runs : runs_)
    if (!runs.empty()) out.push_back(verdict_of(std::move(runs)));
  return out;
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
      if (suspects_.empty())
        finish(*index, std::move(result));
      else
        confirm(std::move(result));
      continue;
    }
    const Duration timeout = options_.timeout > Duration::zero() ? options_.timeout : live_timeout;
    running_.push_back({*index,
                        std::make_unique<Job>(hub_, cases_[*index],
                                              case_options(*index, repetition, retries_[*index]),
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

// Those that run alone come last.
std::optional<std::size_t> LiveRun::take_next() {
  if (!suspects_.empty())
    return running_.empty() ? std::optional(suspects_.front().index) : std::nullopt;
  if (!running_.empty() && runs_alone(running_.front().index)) return std::nullopt;
  auto next = std::ranges::find_if(
      waiting_, [this](auto index) { return !runs_alone(index) && has_free_call(index); });
  if (next == waiting_.end()) {
    if (waiting_.empty() || !running_.empty()) return std::nullopt;
    next = waiting_.begin();
  }
  const std::size_t index = *next;
  waiting_.erase(next);
  return index;
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
         std::ranges::find(cases_[index].tags, "destructive") != cases_[index].tags.end();
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
  for (Running& one : running_) one.lag = std::max(one.lag, pulse_->lag());
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
    if (suspects_.empty() && runs_again(done, result)) continue;
    // It was there when the run began.
    if (result.outcome == Outcome::Error && has_met_silence(result)) {
      result.outcome = Outcome::Crash;
      result.reason = "the SUT answered when the run began and cannot be reached any more";
      result.offending = 0;
    }
    if (!suspects_.empty())
      confirm(std::move(result));
    else if (result.outcome == Outcome::Crash)
      crashes_.push_back({done.index, done.job->begun(), std::move(result)});
    else
      finish(done.index, std::move(result));
  }
}

// A SUT that answers by itself but has no free line, or no breath, says nothing about the case.
bool LiveRun::runs_again(const Running& done, CaseResult& result) {
  // A proxy has no line: what is busy behind it is ours.
  const bool is_busy = cases_[done.index].user == "auto" &&
                       cases_[done.index].role != runner::SutRole::Proxy && has_met_busy(result);
  if (is_busy) pace_.busy(running_.size());
  if (!is_busy && (done.lag <= live_tolerance || is_settled(result))) return false;
  if (retries_[done.index] < retries_max) {
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
  retries_[index] = std::min(retries_[index] + 1, retries_max);
  --started_[index];
  waiting_.push_back(index);
}

void LiveRun::finish(std::size_t index, CaseResult result) {
  const Outcome outcome = result.outcome;
  runs_[index].push_back(std::move(result));
  if (runs_[index].size() == options_.repeat) progress_.done(outcome);
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
  if (!complaint.empty())  // nobody will confirm them
    std::ranges::move(std::exchange(suspects_, {}), std::back_inserter(crashes_));
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

// Names the most likely one. When the SUT is back, the suspects run once more, alone and the most
// likely one first, until one kills it again.
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
  while (!results.empty()) {
    const std::size_t next = most_suspect(results, begun);
    const auto at = static_cast<std::ptrdiff_t>(next);
    suspects_.push_back(std::move(
        *std::ranges::find(crashes, results[next], [](Crash& crash) { return &crash.result; })));
    results.erase(results.begin() + at);
    begun.erase(begun.begin() + at);
  }
  return suspects_.front().result.id;
}

void LiveRun::confirm(CaseResult again) {
  Crash suspect = std::move(suspects_.front());
  suspects_.pop_front();
  if (again.outcome == Outcome::Crash) {
    suspect.result.reason += "; so it did when the case ran once more, alone";
    finish(suspect.index, std::move(suspect.result));
    has_died_ = true;
    if (alibi_) finish(alibi_->suspect.index, std::move(alibi_->again));
    for (const Crash& other : suspects_) run_once_more(other.index);
    suspects_.clear();
    alibi_.reset();
  } else if (!alibi_) {
    alibi_.emplace(std::move(suspect), std::move(again));
  } else {
    finish(suspect.index, std::move(again));
  }
  if (alibi_ && suspects_.empty()) {
    CaseResult& first = alibi_->suspect.result;
    first.reason += "; it did not when the case ran once more, alone";
    finish(alibi_->suspect.index, std::move(first));
    alibi_.reset();
  }
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
  // A retry with the Call-ID and tags of the try before would be a merged request (RFC
  // 3261 8.2.2.2).
  out.run_seed = options_.seed + repetition + std::uint64_t{retry} * repeat_max;
  out.timings = options_.timings;
  out.is_live = true;
  out.tolerance = live_tolerance;
  out.patience = std::max<Duration>(16 * options_.timings.t1, 2s);
  out.sut_argument = options_.sut_argument;
  return out;
}

}  // namespace

bool has_met_silence(const CaseResult& result) {
  return !result.messages.empty() && std::ranges::none_of(result.messages, [](const auto& entry) {
    return entry.from == "sut";
  });
}

bool has_met_busy(const CaseResult& result) {
  if (result.outcome != Outcome::Error && result.outcome != Outcome::Fail &&
      result.outcome != Outcome::NonStrict)
    return false;
  const auto at = static_cast<std::size_t>(result.offending);
  if (result.offending < 0 || at >= result.messages.size()) return false;
  const auto response = parse_message(result.messages[at].octets);
  if (!response || !response->is_response()) return false;
  const auto cseq = response->get<CSeq>();
  const int status = response->status();
  return cseq && cseq->method == Method::Invite &&
         (status == 486 || status == 503 || status == 600);
}

bool was_ignored(const CaseResult& result, Duration t1) {
  const auto at = static_cast<std::size_t>(result.offending);
  if (result.offending < 0 || at >= result.messages.size()) return false;
  return result.messages.back().at - result.messages[at].at >= 32 * t1;
}

std::size_t most_suspect(const std::vector<CaseResult*>& crashed,
                         const std::vector<Instant>& begun) {
  std::optional<Instant> last_word;
  for (std::size_t i = 0; i < crashed.size(); ++i)
    for (const runner::TranscriptEntry& entry : crashed[i]->messages)
      if (entry.from == "sut")
        last_word =
            std::max(last_word.value_or(Instant::min()), begun[i] + entry.at.time_since_epoch());
  const auto suspected_at = [&](std::size_t i) {
    const auto& messages = crashed[i]->messages;
    const auto offending = static_cast<std::size_t>(crashed[i]->offending);
    return crashed[i]->offending >= 0 && offending < messages.size()
               ? begun[i] + messages[offending].at.time_since_epoch()
               : begun[i];
  };
  // The first that was sent after its last word; if there is none, the last before.
  std::size_t best = 0;
  for (std::size_t i = 1; i < crashed.size(); ++i) {
    const Instant one = suspected_at(i);
    const Instant other = suspected_at(best);
    const bool is_after = !last_word || one >= *last_word;
    const bool is_best_after = !last_word || other >= *last_word;
    if (is_after != is_best_after ? is_after : is_after ? one < other : one > other) best = i;
  }
  return best;
}

const CaseResult* blame_one(const std::vector<CaseResult*>& crashed,
                            const std::vector<Instant>& begun) {
  const std::size_t culprit = most_suspect(crashed, begun);
  for (std::size_t i = 0; i < crashed.size(); ++i) {
    if (i == culprit) continue;
    crashed[i]->outcome = Outcome::Error;
    crashed[i]->reason =
        fmt::format("the SUT died while this case ran, most probably by {}: run it again",
                    crashed[culprit]->id);
  }
  return crashed[culprit];
}

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
