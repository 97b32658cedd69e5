// Phases of a run: peers open, needs, steps, teardown, probe.
#include "engine/runner/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/runner/observer.h"
#include "engine/runner/values.h"

namespace sipassay::runner {

Script::Script(const Case& the_case, CaseOptions options, Instant now)
    : case_(the_case),
      options_(std::move(options)),
      seed_(derive_seed(options_.run_seed, the_case.id)),
      now_(now),
      started_(now) {
  result_.id = case_.id;
  result_.rows = case_.rows;
  result_.title = case_.title;
  result_.level = case_.level;
  result_.role = case_.role;
  result_.clause = to_string(case_.clause());
  result_.requirement = case_.clause_text;
  result_.file = case_.file;
  result_.line = case_.line;
  result_.transport = options_.sut.transport;
  result_.seed = options_.run_seed;
  result_.repeat = fmt::format("sipassay run {} --seed {}", case_.id, options_.run_seed);
  if (!options_.sut_argument.empty())
    result_.repeat += " " + options_.sut_argument;
  else if (!case_.transports.empty() && options_.sut.transport != case_.transports.front())
    result_.repeat += fmt::format(" --transport {}", to_string(options_.sut.transport));

  for (const auto& step : case_.steps)
    has_own_expectations_ |= step.flow.empty() && is_expectation(step);
  if (!meets_needs()) {
    phase_ = Phase::Done;
    return;
  }
  peers_.emplace(case_, options_, user_, Rng(seed_), now);
  open_peers();
}

// What the SUT lacks by its own word or by what we were told is not its fault.
bool Script::meets_needs() {
  const auto give = [&](Outcome outcome, std::string reason) {
    result_.outcome = outcome;
    result_.reason = std::move(reason);
    return false;
  };
  if (std::ranges::find(case_.transports, options_.sut.transport) == case_.transports.end())
    return give(Outcome::NotApplicable,
                fmt::format("the case is not about {}", to_string(options_.sut.transport)));
  if (!options_.roles.empty() && !options_.roles.contains(case_.role))
    return give(Outcome::NotApplicable,
                fmt::format("the SUT is no {} by its profile", to_string(case_.role)));
  if (needs_trigger(case_) && !options_.has_trigger)
    return give(Outcome::NotApplicable, "the case needs a trigger, and the SUT has none");
  user_ = case_.user;
  if (!options_.assume_users) {
    const auto found = options_.users.find(case_.user);
    if (found == options_.users.end())
      return give(
          Outcome::NotApplicable,
          fmt::format(
              "the case needs a user of the SUT that behaves as \"{}\", and none is declared",
              case_.user));
    user_ = found->second;
  }
  for (const auto& need : case_.needs) {
    if (need.starts_with("user:") && !options_.assume_users &&
        !options_.users.contains(need.substr(5)))
      return give(
          Outcome::NotApplicable,
          fmt::format(
              "the case needs a user of the SUT that behaves as \"{}\", and none is declared",
              need.substr(5)));
    if (need == "embedded" && !options_.sut_state)
      return give(Outcome::NotApplicable,
                  "the case looks into the SUT, which only the embedded one allows");
    if ((need == "auth-user" || need == "login") && !options_.login)
      return give(Outcome::NotApplicable, "the case needs a user name and a password of the SUT");
  }
  for (const Capability& capability : capabilities_needed(case_))
    if (find(options_.declared, capability) == false)
      return give(Outcome::Unsupported,
                  fmt::format("the SUT's profile says that it lacks {}", to_string(capability)));
  return true;
}

void Script::open_peers() {
  if (case_.peers.size() >= peers_max) {
    error(fmt::format("more than {} peers", peers_max));
    phase_ = Phase::Done;
    return;
  }
  peers_->add("peer", options_.sut.transport, true);
  for (const auto& peer : case_.peers)
    peers_->add(peer.name, options_.sut.transport, peer.has_own_address);
  unopened_ =
      1 + static_cast<std::size_t>(std::ranges::count_if(case_.peers, &Peer::has_own_address));
}

void Script::handle(Input input, Instant now) {
  now_ = now;
  if (phase_ == Phase::Done) return;
  wake_.reset();
  if (auto* opened = std::get_if<PeerOpened>(&input)) {
    const auto peer = peers_->find(opened->peer);
    if (peer && unopened_ > 0) {
      peers_->opened(*peer, std::move(opened->local));
      if (--unopened_ == 0) all_opened(now);
    }
  } else if (auto* refused = std::get_if<PeerFailed>(&input)) {
    error(fmt::format("{} could not be opened: {}", refused->peer, refused->reason));
    return done(now);
  } else if (auto* octets = std::get_if<OctetsReceived>(&input)) {
    const auto peer = peers_->find(octets->peer);
    if (peer && unopened_ == 0)
      peers_->receive(*peer, std::move(octets->octets), octets->flow, now);
  } else if (auto* failed = std::get_if<SendFailed>(&input)) {
    if (const auto peer = peers_->find(failed->peer)) {
      const bool nothing_came = std::ranges::none_of(
          peers_->transcript(), [](const auto& entry) { return entry.from == "sut"; });
      first_send_failed_ |= nothing_came;
      note_refusal();
      peers_->send_failed(*peer, failed->to, now);
    }
  } else if (auto* command = std::get_if<SutCommandDone>(&input)) {
    if (command->number == command_) {
      state_.is_command_done = true;
      if (!command->ok && phase_ == Phase::Running)
        conclude(
            {.outcome = command->is_unsupported ? Outcome::Unsupported : Outcome::Error,
             .reason = fmt::format("the SUT could not be told what to do: {}", command->reason)});
    }
  } else if (const auto* died = std::get_if<SutDied>(&input)) {
    died_of(died->reason);
    return done(now);
  } else if (auto* abort = std::get_if<Abort>(&input)) {
    error(abort->reason);
    return done(now);
  }
  if (unopened_ == 0) run(now);
}

void Script::all_opened(Instant now) {
  started_ = now;
  const bool asks = options_.is_live && std::ranges::any_of(case_.needs, [this](const auto& need) {
                      const auto capability = capability_of_need(need);
                      return capability && !find(options_.declared, *capability);
                    });
  if (asks || (options_.is_live && !assumed_user().empty()))
    ask(now);
  else
    start_steps(now);
}

void Script::start_steps(Instant now) {
  phase_ = Phase::Running;
  phase_since_ = now;
  frames_.push_back({&case_.steps, 0});
  state_ = {};
}

// A behaviour that the case needs, and that a live SUT has only if it is the engine itself.
std::string Script::assumed_user() const {
  if (!options_.assume_users) return {};
  if (case_.user != "auto") return case_.user;
  for (const auto& need : case_.needs)
    if (need.starts_with("user:")) return need.substr(5);
  return {};
}

// RFC 3261 11: what the SUT says that it can do.
void Script::ask(Instant now) {
  phase_ = Phase::Asking;
  phase_since_ = now;
  if (const auto sent = peers_->probe(0, now)) query_ = *sent;
}

void Script::look_at_answer(Instant now) {
  if (!query_) return start_steps(now);
  const auto& request = peers_->record(*query_);
  if (request.has_failed && !request.has_final) {
    error("the SUT does not answer OPTIONS: it was asked whether it has what the case needs");
    return done(now);
  }
  if (!request.has_final) return;
  const bool is_engine = std::ranges::any_of(peers_->records(), [&](const Record& record) {
    return record.request == query_ &&
           ascii::istarts_with(message_value(record.message, "server").value_or(""), "sipassay");
  });
  if (const auto user = assumed_user(); !user.empty() && !is_engine) {
    record_verdict(
        {.outcome = Outcome::NotApplicable,
         .reason = fmt::format("the case needs a user of the SUT that behaves as \"{}\", and none "
                               "is declared",
                               user)},
        Outcome::NotApplicable);
    return done(now);
  }
  for (const auto& record : peers_->records()) {
    if (record.request != query_ || record.message.status() < 200 || record.message.status() >= 300)
      continue;
    const auto lacks = [&](std::string_view header, const std::string& need) {
      const auto values = header_values(record.message, header);
      return header_lines(record.message, header) > 0 &&
             std::ranges::none_of(values, [&](const auto& value) {
               return ascii::iequals(value_token(value), need);
             });
    };
    for (const auto& need : case_.needs) {
      const auto capability = capability_of_need(need);
      if (!capability || find(options_.declared, *capability)) continue;
      const std::string_view header =
          capability->kind == CapabilityKind::Method ? "Allow" : "Supported";
      if (!lacks(header, capability->word)) continue;
      record_verdict(
          {.outcome = Outcome::Unsupported,
           .reason = fmt::format("the SUT's {} does not name {}", header, capability->word),
           .header = std::string(header),
           .offending = static_cast<std::int64_t>(record.entry)},
          Outcome::Unsupported);
      return done(now);
    }
  }
  start_steps(now);
}

void Script::run(Instant now) {
  peers_->advance(now);
  // Each round either consumes an arrival or advances a step; both are bounded.
  while (phase_ != Phase::Done) {
    if (peers_->is_overflowing()) {
      error(fmt::format("too many messages: more than {}, or {} with copies", records_max,
                        transcript_max));
      return done(now);
    }
    if (const auto arrival = peers_->next_arrival()) {
      on_arrival(*arrival, now);
      continue;
    }
    const auto phase = phase_;
    const auto outputs = peers_->outputs().size();
    switch (phase_) {
      case Phase::Opening:
        return;
      case Phase::Asking:
        look_at_answer(now);
        break;
      case Phase::Running:
        advance_steps(now);
        break;
      case Phase::Teardown:
        teardown(now);
        break;
      case Phase::Probing:
        look_at_probe(now);
        break;
      case Phase::Done:
        return;
    }
    if (phase == phase_ && outputs == peers_->outputs().size()) return;
  }
}

void Script::on_arrival(const Arrival& arrival, Instant now) {
  respond_to_response(arrival, now);
  if (phase_ != Phase::Running) return;
  advance_steps(now);
  if (phase_ == Phase::Running) settle(now);
}

void Script::finish_steps(Instant now) {
  phase_ = Phase::Teardown;
  phase_since_ = now;
  is_concluded_ = true;
  frames_.clear();
  for (const auto peer : unreachable_) peers_->set_reachable(peer, true);
  unreachable_.clear();
  peers_->clear_rules(now);
}

// Every case ends its dialogs, cancels what is pending and answers what came.
void Script::teardown(Instant now) {
  const auto t1 = options_.timings.t1;
  const Duration limit = options_.is_live ? std::min<Duration>(64 * t1, 8s) : 140 * t1;
  const bool is_late = now - phase_since_ >= limit;
  bool is_open = false;
  for (RecordId id = 0; id < peers_->records().size(); ++id) {
    const auto& record = peers_->record(id);
    const auto& message = record.message;
    if (record.is_from_sut && message.is_request() && message.method() != Method::Ack &&
        !record.has_final) {
      answer_in_background(id, now);
    } else if (record.is_from_sut && message.is_response() && message.status() >= 200 &&
               message.status() < 300 && record.request && !record.is_acked && record.dialog &&
               peers_->record(*record.request).message.method() == Method::Invite) {
      if (!peers_->acknowledge(id, now)) peers_->record(id).is_acked = true;
    } else if (!record.is_from_sut && message.is_request() && message.method() != Method::Ack &&
               !record.has_final && !record.has_failed && !record.superseded_by &&
               record.transaction != 0) {
      is_open = true;
      const bool is_proceeding = std::ranges::any_of(
          peers_->records(), [&](const Record& other) { return other.request == id; });
      if (message.method() == Method::Invite && is_proceeding && !record.is_cancelled)
        (void)peers_->cancel(id, now);
    }
  }
  for (std::size_t i = 0; i < peers_->calls().size(); ++i) {
    const auto& call = peers_->calls()[i];
    if (!is_bye_due(i)) continue;
    // RFC 3261 15: the callee waits for the ACK, or for the end of the transaction.
    const bool waits = std::ranges::any_of(peers_->records(), [&](const Record& record) {
      return !record.is_from_sut && record.request == call.origin && record.message.is_response() &&
             record.message.status() / 100 == 2 && !record.is_acked && now - record.at < 64 * t1;
    });
    is_open = true;
    if (!waits || is_late) (void)peers_->request_in(i, "BYE", now);
  }
  if (!is_open || is_late) return start_probe(now);
  wake_at(phase_since_ + limit);
  if (!peers_->next_deadline()) wake_at(now + t1);
}

// For a peer that has sent BYE the session is over (RFC 3261 15.1.1). At the SUT it stands when it
// has refused what a step has made of the BYE, 500 for its CSeq number say: once more, as it should
// be. 408 and 481 mean that there is none.
bool Script::is_bye_due(std::size_t index) const {
  const auto& call = peers_->calls()[index];
  if (!call.is_session || call.dialog.is_early()) return false;
  if (!call.is_over) return true;
  const auto& records = peers_->records();
  RecordId bye = records.size();
  while (bye-- > 0)
    if (!records[bye].is_from_sut && records[bye].dialog == index &&
        records[bye].message.is_request() && records[bye].message.method() == Method::Bye)
      break;
  return bye < records.size() && records[bye].is_scripted &&
         std::ranges::any_of(
             records,
             [bye](const Record& record) {
               const int status = record.request == bye ? record.message.status() : 0;
               return status >= 300 && status != 408 && status != 481;
             });
}

void Script::start_probe(Instant now) {
  phase_ = Phase::Probing;
  phase_since_ = now;
  peers_->stop_repeating();
  query_.reset();
  if (const auto sent = peers_->probe(0, now))
    query_ = *sent;
  else
    done(now);
}

void Script::look_at_probe(Instant now) {
  for (RecordId id = 0; id < peers_->records().size(); ++id) {
    const auto& record = peers_->record(id);
    if (record.is_from_sut && record.message.is_request() &&
        record.message.method() != Method::Ack && !record.has_final)
      answer_in_background(id, now);
  }
  const auto& probe = peers_->record(*query_);
  const bool is_alive =
      probe.has_final || std::ranges::any_of(peers_->records(), [&](const Record& record) {
        return record.request == query_;
      });
  if (is_alive) return done(now);
  const auto limit = 64 * options_.timings.t1 + 1s;
  if (!probe.has_failed && now - phase_since_ < limit) return wake_at(phase_since_ + limit);

  const bool spoke = std::ranges::any_of(peers_->transcript(),
                                         [](const auto& entry) { return entry.from == "sut"; });
  const std::size_t suspect = killer(probe.entry);
  Verdict verdict{.outcome = Outcome::Crash,
                  .reason = "the SUT no longer answers; " + what_killed(suspect),
                  .expected = "an answer to the OPTIONS that ends every case",
                  .observed = "nothing",
                  .offending = static_cast<std::int64_t>(suspect)};
  if (first_send_failed_ && !spoke) {
    verdict.outcome = Outcome::Error;
    verdict.reason = fmt::format("the SUT cannot be reached at {}", to_string(options_.sut));
    // Nothing that the steps missed is its fault.
    has_verdict_ = false;
    result_.outcome = Outcome::Pass;
  }
  record_verdict(verdict, verdict.outcome);
  done(now);
}

// What the SUT did not survive, of the transcript before `end`: the first after its last word that
// it owed an answer. An ACK or a response owes none, and gets the blame only when nothing else was
// sent before its port was found closed.
std::size_t Script::killer(std::size_t end) const {
  const auto& transcript = peers_->transcript();
  end = std::min(end, transcript.size());
  const auto is_from_sut = [](const TranscriptEntry& entry) { return entry.from == "sut"; };
  std::size_t first = end;
  while (first > 0 && !is_from_sut(transcript[first - 1])) --first;
  const std::size_t limit = refused_ && *refused_ >= first ? std::min(end, *refused_) : end;
  std::optional<std::size_t> suspect;
  for (std::size_t i = first; i < limit; ++i) {
    const TranscriptEntry& entry = transcript[i];
    if (entry.is_retransmission || entry.was_lost) continue;
    suspect = i;
    if (!entry.octets.starts_with("ACK ") && !entry.octets.starts_with("SIP/2.0 ")) break;
  }
  // Nothing after its last word: what it answered when it died.
  for (std::size_t i = first; !suspect && i-- > 0;)
    if (!is_from_sut(transcript[i]) && !transcript[i].was_lost) suspect = i;
  return suspect.value_or(std::min(end, transcript.size() - 1));
}

// A closed port answers what was sent last: it was closed before that.
void Script::note_refusal() {
  const auto& transcript = peers_->transcript();
  std::size_t first = transcript.size();
  while (first > 0 && transcript[first - 1].from != "sut") --first;
  if (first < transcript.size() && (!refused_ || *refused_ < first))
    refused_ = transcript.size() - 1;
}

void Script::died_of(const std::string& reason) {
  Verdict verdict{.outcome = Outcome::Crash,
                  .reason = fmt::format("the SUT died: {}", reason),
                  .expected = "the SUT lives on",
                  .observed = reason};
  if (!peers_->transcript().empty()) {
    const std::size_t suspect = killer(peers_->transcript().size());
    verdict.offending = static_cast<std::int64_t>(suspect);
    verdict.reason += "; " + what_killed(suspect);
  }
  record_verdict(verdict, Outcome::Crash);
}

std::string Script::what_killed(std::size_t entry) const {
  const std::string_view octets = peers_->transcript()[entry].octets;
  return fmt::format("most probably of: {}",
                     octets.substr(0, std::min<std::size_t>(octets.find("\r\n"), 200)));
}

void Script::done(Instant now) {
  phase_ = Phase::Done;
  result_.took = now - started_;
  if (!peers_) return;
  result_.findings = observe(*peers_, case_.role);
  std::ranges::move(contradictions(*peers_, options_.declared),
                    std::back_inserter(result_.findings));
}

Output Script::poll() {
  if (peers_ && !peers_->outputs().empty()) {
    auto output = std::move(peers_->outputs().front());
    peers_->outputs().pop_front();
    return output;
  }
  if (phase_ == Phase::Done) return Done{};
  std::optional<Instant> deadline = wake_;
  if (const auto next = peers_->next_deadline(); next && (!deadline || *next < *deadline))
    deadline = next;
  return WaitUntil{deadline};
}

CaseResult Script::result() const {
  auto out = result_;
  if (peers_) out.messages = peers_->transcript();
  return out;
}

void Script::wake_at(Instant at) {
  if (!wake_ || at < *wake_) wake_ = at;
}

// --- verdicts

bool Script::is_precondition() const {
  const auto* step = current();
  return step != nullptr && !step->flow.empty() && has_own_expectations_ && !own_expectation_seen_;
}

// RFC 2119: what is not a MUST is NON-STRICT when it is not kept.
Outcome Script::weigh(const Verdict& verdict) const {
  if (verdict.outcome != Outcome::Fail) return verdict.outcome;
  if (is_precondition()) return Outcome::Error;
  if (is_disputed(case_)) return Outcome::NonStrict;
  const auto level = verdict.level.value_or(case_.level);
  return level == Level::Must || level == Level::MustNot ? Outcome::Fail : Outcome::NonStrict;
}

void Script::record_verdict(const Verdict& verdict, Outcome outcome) {
  if (has_verdict_ && worst(result_.outcome, outcome) == result_.outcome) return;
  has_verdict_ = true;
  result_.outcome = worst(result_.outcome, outcome);
  result_.reason = verdict.reason;
  result_.expected = verdict.expected;
  result_.observed = verdict.observed;
  result_.header = verdict.header;
  result_.offending = verdict.offending;
  if (const auto* step = current(); step != nullptr && step->line != 0) result_.line = step->line;
  if (!verdict.clause_section.empty())
    result_.clause = to_string(
        Clause{case_.clause_rfc, verdict.clause_section, verdict.level.value_or(case_.level)});
}

void Script::note(Verdict verdict) {
  const auto outcome = weigh(verdict);
  if (outcome == Outcome::Error && verdict.outcome == Outcome::Fail)
    verdict.reason = fmt::format("the precondition ({}) was not established: {}", current()->flow,
                                 verdict.reason);
  record_verdict(verdict, outcome);
}

void Script::conclude(Verdict verdict) {
  note(std::move(verdict));
  is_concluded_ = true;
}

void Script::error(std::string reason) {
  Verdict verdict;
  verdict.outcome = Outcome::Error;
  verdict.reason = std::move(reason);
  record_verdict(verdict, Outcome::Error);
  is_concluded_ = true;
}

const Step* Script::current() const {
  if (frames_.empty() || frames_.back().next >= frames_.back().steps->size()) return nullptr;
  return &(*frames_.back().steps)[frames_.back().next];
}

}  // namespace sipassay::runner
