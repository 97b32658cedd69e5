// One function a step: what it does, when it is complete, why it fails.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/runner/script.h"
#include "engine/runner/values.h"

namespace sipassay::runner {
namespace {

// A UAS says as often as it likes that it rings (RFC 3261 13.3.1.1); a reliable provisional response
// keeps a schedule (RFC 3262 3).
bool may_come_early(const Message& message) {
  return message.is_response() && message.status() < 200 && !message.has(HeaderId::RSeq);
}

std::string seconds(Duration span) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
  if (milliseconds % 1000 == 0) return fmt::format("{} s", milliseconds / 1000);
  return fmt::format("{:.3f} s", static_cast<double>(milliseconds) / 1000);
}

bool is_expectation(const Step& step) {
  return std::holds_alternative<ExpectStep>(step.action) ||
         std::holds_alternative<EitherStep>(step.action) ||
         std::holds_alternative<UnorderedStep>(step.action) ||
         std::holds_alternative<ForbidStep>(step.action) ||
         std::holds_alternative<AgainStep>(step.action) ||
         std::holds_alternative<StateStep>(step.action) ||
         std::holds_alternative<CheckStep>(step.action);
}

const ExpectStep* first_expectation(const Steps& steps) {
  return steps.empty() ? nullptr : std::get_if<ExpectStep>(&steps.front().action);
}

}  // namespace

void Script::advance_steps(Instant now) {
  while (!is_concluded_) {
    while (!frames_.empty() && frames_.back().next >= frames_.back().steps->size())
      frames_.pop_back();
    const Step* one = current();
    if (one == nullptr) break;
    if (!state_.is_started) {
      state_ = {};
      state_.is_started = true;
      state_.since = now;
      state_.since_entry = peers_->transcript().size();
      if (one->flow.empty() && is_expectation(*one)) own_expectation_seen_ = true;
    }
    const auto progress =
        std::visit([&](const auto& action) { return step(action, now); }, one->action);
    if (is_concluded_) break;
    if (progress == Progress::Blocked) return;
    if (current() == one) ++frames_.back().next;
    state_ = {};
    settle(now);
  }
  finish_steps(now);
}

// --- acting

Script::Progress Script::step(const SutStep& sut, Instant now) {
  if (state_.is_command_done) return Progress::Complete;
  if (command_ == 0 || state_.taken.empty()) {
    state_.taken.push_back(true);
    SutCommand command{
        .number = ++command_, .action = sut.action, .peer = peers_->uri(0), .arguments = {}};
    for (const auto& [name, value] : sut.arguments) {
      auto expanded = text(value);
      if (!expanded) return Progress::Complete;
      command.arguments.emplace(name, std::move(*expanded));
    }
    // Whom the SUT calls, unless the case says otherwise.
    if (sut.action == "call" || sut.action == "subscribe" || sut.action == "options")
      command.arguments.emplace("target", command.peer);
    if (sut.action == "register") command.arguments.emplace("registrar", command.peer);
    peers_->outputs().push_back(std::move(command));
  }
  const auto end = state_.since + patience();
  if (now > end) {
    error(fmt::format("the SUT's trigger did not end within {}: {}", seconds(patience()),
                      sut.action));
    return Progress::Complete;
  }
  wake_at(end + 1us);
  return Progress::Blocked;
}

Script::Progress Script::step(const SendStep& send, Instant now) {
  std::optional<RecordId> about;
  if (!send.about.empty()) {
    about = named_record(send.about);
    if (!about) {
      error(fmt::format("the message {} is not known at this point", send.about));
      return Progress::Complete;
    }
  }
  const auto sent = peers_->send(send, context(), about, now);
  if (!sent) {
    conclude(
        {.outcome = Outcome::Error,
         .reason = fmt::format("{} could not be sent: {}",
                               send.method.empty() ? "octets" : send.method, sent.error().text)});
    return Progress::Complete;
  }
  peers_->record(*sent).is_scripted = true;
  name_message(send.as, *sent);
  return Progress::Complete;
}

Script::Progress Script::step(const ReplyStep& reply, Instant now) {
  std::optional<RecordId> request;
  if (!reply.to.empty())
    request = named_record(reply.to);
  else
    for (std::size_t peer = 0; peer < peers_->count(); ++peer) {
      const auto last = last_request_received(peer);
      if (last && (!request || *last > *request)) request = last;
    }
  if (!request || !peers_->record(*request).is_from_sut ||
      !peers_->record(*request).message.is_request()) {
    error(fmt::format("there is no request {} to answer", reply.to));
    return Progress::Complete;
  }
  const auto sent = peers_->reply(reply, *request, context(), now);
  if (!sent) {
    conclude({.outcome = Outcome::Error,
              .reason = fmt::format("{} could not be sent: {}", reply.status, sent.error().text)});
    return Progress::Complete;
  }
  peers_->record(*sent).is_scripted = true;
  name_message(reply.as, *sent);
  return Progress::Complete;
}

Script::Progress Script::step(const ResendStep& resend, Instant now) {
  const auto record = named_record(resend.message);
  if (!record)
    error(fmt::format("the message {} is not known at this point", resend.message));
  else
    peers_->resend(*record, now);
  return Progress::Complete;
}

Script::Progress Script::step(const NetworkStep& network, Instant) {
  using Action = NetworkStep::Action;
  const auto peer = peers_->find(network.pattern.peer).value_or(0);
  switch (network.action) {
    case Action::Close:
      peers_->close(peer);
      break;
    case Action::Unreachable:
      unreachable_.insert(peer);
      peers_->set_reachable(peer, false);
      break;
    case Action::Restore:
      if (unreachable_.erase(peer) > 0) peers_->set_reachable(peer, true);
      peers_->clear_rules(now_);
      break;
    default: {
      auto rule = network;
      // A response is told by the CSeq of the request that it answers.
      if (!rule.pattern.of.empty()) {
        const auto* request = named(rule.pattern.of);
        rule.pattern.of = request == nullptr ? "" : message_value(*request, "cseq").value_or("");
      }
      peers_->set_rule(rule, peer, length(network.by));
    }
  }
  return Progress::Complete;
}

Script::Progress Script::step(const WaitStep& wait, Instant now) {
  const auto end = state_.since + length(wait.span);
  if (now >= end) return Progress::Complete;
  wake_at(end);
  return Progress::Blocked;
}

Script::Progress Script::step(const DialogStep& dialog, Instant) {
  const auto record = named_record(dialog.from_message);
  if (!record || !peers_->record(*record).dialog) {
    conclude({.outcome = Outcome::Error,
              .reason = fmt::format("{} made no dialog", dialog.from_message)});
    return Progress::Complete;
  }
  peers_->name_call(*peers_->record(*record).dialog, dialog.name);
  return Progress::Complete;
}

// --- expecting

bool Script::kind_matches(const Pattern& pattern, const Record& record) const {
  const auto& message = record.message;
  if (!record.is_from_sut) return false;
  if (!pattern.dialog.empty()) {
    const auto call = peers_->call_named(pattern.dialog);
    if (call && record.dialog != call) return false;
  }
  if (!pattern.method.empty()) {
    const auto peer = peers_->find(pattern.peer);
    return peer && record.peer == *peer && message.is_request() &&
           method_matches(pattern.method, message.method_text());
  }
  if (!message.is_response() || !status_matches(pattern.status, message.status())) return false;
  if (!pattern.of.empty()) {
    const auto request = named_record(pattern.of);
    return request && record.request == newest_version(*request);
  }
  const auto peer = peers_->find(pattern.peer);
  if (!peer || record.peer != *peer) return false;
  // Any response at all, those that answer nothing included.
  return pattern.status == "*" || record.request == last_request_sent(*peer);
}

std::vector<RecordId> Script::candidates(const ExpectStep& expect) const {
  std::vector<RecordId> out;
  for (RecordId id = 0; id < peers_->records().size(); ++id) {
    const auto& record = peers_->record(id);
    if (!record.is_consumed && kind_matches(expect.pattern, record)) out.push_back(id);
  }
  return out;
}

Outcome Script::weight_of(const Mismatch& mismatch) const {
  Verdict verdict;
  verdict.level = mismatch.level;
  return weigh(verdict);
}

bool Script::passes(const ExpectStep& expect, RecordId record) const {
  for (const auto& mismatch : check_all(peers_->record(record).message, expect.checks, context()))
    if (mismatch.is_reference_unknown || weight_of(mismatch) != Outcome::NonStrict ||
        case_.level == mismatch.level.value_or(case_.level))
      return false;
  return true;
}

// A NOTIFY tells of progress: one that does not fit yet is answered, and the next one is looked at.
bool Script::may_be_absorbed(RecordId record) const {
  const auto& message = peers_->record(record).message;
  return message.is_request() &&
         (message.method() == Method::Notify || message.method() == Method::Options);
}

// RFC 6086 4.2.1: a user agent that takes INFO with packages says so in Recv-Info. Of a SUT that
// has declared nothing else, that is its word.
bool Script::lacks_recv_info(const Mismatch& mismatch) const {
  const bool has_declared = std::ranges::any_of(options_.declared, [](const auto& one) {
    return one.first.kind == CapabilityKind::InfoPackage && one.second;
  });
  return options_.is_live && !has_declared && mismatch.header == "Recv-Info" &&
         std::ranges::find(case_.needs, "recv-info") != case_.needs.end() &&
         std::ranges::none_of(peers_->records(), [](const Record& record) {
           return record.is_from_sut && record.message.has(HeaderId::RecvInfo);
         });
}

void Script::mismatched(RecordId record, const Mismatch& mismatch) {
  const auto& one = peers_->record(record);
  if (mismatch.is_reference_unknown)
    return error(fmt::format("${{{}}} is not known at this point", mismatch.expected));
  Verdict verdict{
      .reason = fmt::format("{} is not as required: {}", describe(one.message), mismatch.observed),
      .expected = mismatch.expected,
      .observed = mismatch.observed,
      .header = mismatch.header,
      .offending = static_cast<std::int64_t>(one.entry),
      .level = mismatch.level,
      .clause_section = mismatch.clause_section};
  if (lacks_recv_info(mismatch)) {
    verdict.outcome = Outcome::Unsupported;
    verdict.reason =
        "the SUT knows no Info Packages (RFC 6086): none of its messages has Recv-Info";
    conclude(std::move(verdict));
  } else if (weight_of(mismatch) == Outcome::NonStrict)
    note(std::move(verdict));
  else
    conclude(std::move(verdict));
}

void Script::name_message(const std::string& as, RecordId record) {
  if (!as.empty()) names_.insert_or_assign(as, record);
}

void Script::cap(std::optional<Outcome> outcome, const std::string& reason, RecordId record) {
  if (!outcome || *outcome == Outcome::Pass) return;
  Verdict verdict{.outcome = *outcome,
                  .reason = reason,
                  .observed = describe(peers_->record(record).message),
                  .offending = static_cast<std::int64_t>(peers_->record(record).entry)};
  record_verdict(verdict, *outcome);
}

bool Script::take(const ExpectStep& expect, RecordId id) {
  const auto mismatches = check_all(peers_->record(id).message, expect.checks, context());
  if (!mismatches.empty() && may_be_absorbed(id) && !mismatches.front().is_reference_unknown) {
    state_.last_mismatch = mismatches.front();
    state_.last_mismatched = id;
    answer_in_background(id, now_);
    return false;
  }
  auto& record = peers_->record(id);
  record.is_consumed = true;
  record.is_scripted = true;
  name_message(expect.as, id);
  if (!expect.pattern.dialog.empty() && !peers_->call_named(expect.pattern.dialog)) {
    if (record.dialog)
      peers_->name_call(*record.dialog, expect.pattern.dialog);
    else
      peers_->name_attempt(id, expect.pattern.dialog);
  }
  // Provisional responses to the same request that came before are of no more interest.
  if (record.message.is_response())
    for (RecordId before = 0; before < id; ++before) {
      auto& other = peers_->record(before);
      if (other.is_from_sut && other.request == record.request && other.message.is_response() &&
          other.message.status() < 200 && record.message.status() >= 200)
        other.is_consumed = true;
    }
  for (const auto& mismatch : mismatches) mismatched(id, mismatch);
  cap(expect.outcome, "an alternative that the case names", id);
  return true;
}

// RFC 3261 13.2.2.4: each copy of a 2xx is answered by an ACK, which may be the same octets again.
bool Script::ack_came_again(const ExpectStep& expect) {
  if (expect.pattern.method != "ACK") return false;
  for (RecordId id = 0; id < peers_->records().size(); ++id) {
    const auto& record = peers_->record(id);
    const bool came = std::ranges::any_of(
        record.copies, [&](const Copy& copy) { return copy.entry >= state_.since_entry; });
    if (came && kind_matches(expect.pattern, record) && take(expect, id)) return true;
  }
  return false;
}

Script::Progress Script::step(const ExpectStep& expect, Instant now) {
  for (const auto id : candidates(expect))
    if (take(expect, id)) return Progress::Complete;
  if (ack_came_again(expect)) return Progress::Complete;
  const auto wrong = wrong_final(expect.pattern);
  if (expect.is_optional && (wrong || next_is_here())) return Progress::Complete;
  if (wrong) {
    wrong_came(expect.pattern, *wrong);
    return Progress::Complete;
  }
  if (!expect.is_optional && is_undelivered(expect.pattern)) {
    nothing_came(expect.pattern, now - state_.since);
    return Progress::Complete;
  }
  const Step* following = frames_.back().next + 1 < frames_.back().steps->size()
                              ? &(*frames_.back().steps)[frames_.back().next + 1]
                              : nullptr;
  const bool waits_briefly =
      expect.is_optional && !expect.within && (following == nullptr || !is_expectation(*following));
  const auto limit = expect.within   ? length(*expect.within) + tolerance()
                     : waits_briefly ? 4 * options_.timings.t1
                                     : patience();
  const auto end = state_.since + limit;
  if (now <= end) {
    wake_at(end + 1us);
    return Progress::Blocked;
  }
  if (expect.is_optional) return Progress::Complete;
  if (state_.last_mismatch)
    mismatched(*state_.last_mismatched, *state_.last_mismatch);
  else
    nothing_came(expect.pattern, limit);
  is_concluded_ = true;
  return Progress::Complete;
}

Script::Progress Script::step(const EitherStep& either, Instant now) {
  const auto enter = [&](const EitherStep::Branch& branch, std::size_t from) {
    ++frames_.back().next;
    // Nothing more can be judged once the SUT has said that it lacks what the case is about.
    if (branch.outcome == Outcome::Unsupported || branch.outcome == Outcome::NotApplicable)
      for (auto& frame : frames_) frame.next = frame.steps->size();
    frames_.push_back({&branch.steps, from});
  };
  for (const bool checks_hold : {true, false}) {
    for (const auto& branch : either.branches) {
      const auto* first = first_expectation(branch.steps);
      if (first == nullptr || branch.silence) continue;
      for (const auto id : candidates(*first)) {
        if (checks_hold && !passes(*first, id)) continue;
        if (!checks_hold && may_be_absorbed(id)) continue;
        const auto outcome = branch.outcome;
        cap(outcome, branch.reason, id);
        if (!take(*first, id)) continue;
        enter(branch, 1);
        return Progress::Complete;
      }
    }
  }
  Duration limit{};
  for (const auto& branch : either.branches) {
    const auto* first = first_expectation(branch.steps);
    if (branch.silence) {
      const auto end = state_.since + length(*branch.silence);
      if (now > end) {
        if (branch.outcome && *branch.outcome != Outcome::Pass)
          record_verdict(
              {.outcome = *branch.outcome, .reason = branch.reason, .observed = "nothing"},
              *branch.outcome);
        enter(branch, 0);
        return Progress::Complete;
      }
      wake_at(end + 1us);
      limit = std::max(limit, length(*branch.silence) + 1us);
    } else if (first != nullptr) {
      limit = std::max(limit, first->within ? length(*first->within) + tolerance() : patience());
    }
  }
  // A final response that no branch takes decides.
  std::optional<RecordId> wrong;
  const Pattern* pattern = nullptr;
  for (const auto& branch : either.branches)
    if (const auto* first = first_expectation(branch.steps)) {
      if (pattern == nullptr) pattern = &first->pattern;
      if (!wrong) wrong = wrong_final(first->pattern);
    }
  const auto end = state_.since + limit;
  if (pattern == nullptr || (!wrong && now <= end)) {
    wake_at(end + 1us);
    return Progress::Blocked;
  }
  std::string expected;
  for (const auto& branch : either.branches) {
    const auto* first = first_expectation(branch.steps);
    if (first == nullptr) continue;
    if (!expected.empty()) expected += ", or ";
    expected += describe(first->pattern);
  }
  Verdict verdict{
      .reason = fmt::format("none of the acceptable results: {}",
                            wrong ? describe(peers_->record(*wrong).message) : came_instead()),
      .expected = expected,
      .observed = wrong ? describe(peers_->record(*wrong).message) : came_instead(),
      .offending = wrong ? static_cast<std::int64_t>(peers_->record(*wrong).entry) : -1};
  if (wrong) is_unsupported(*wrong, verdict);
  conclude(std::move(verdict));
  return Progress::Complete;
}

Script::Progress Script::step(const UnorderedStep& unordered, Instant now) {
  state_.taken.resize(unordered.steps.size());
  for (bool again = true; again && !is_concluded_;) {
    again = false;
    for (std::size_t i = 0; i < unordered.steps.size() && !is_concluded_; ++i) {
      const auto* expect = std::get_if<ExpectStep>(&unordered.steps[i].action);
      if (expect == nullptr) state_.taken[i] = true;
      if (state_.taken[i]) continue;
      for (const auto id : candidates(*expect)) {
        // Of two that match, the one whose checks hold.
        if (!passes(*expect, id) && candidates(*expect).size() > 1 &&
            id != candidates(*expect).back())
          continue;
        if (!take(*expect, id)) continue;
        state_.taken[i] = again = true;
        break;
      }
    }
  }
  if (is_concluded_) return Progress::Complete;
  Duration limit{};
  const ExpectStep* missing = nullptr;
  for (std::size_t i = 0; i < unordered.steps.size(); ++i) {
    const auto* expect = std::get_if<ExpectStep>(&unordered.steps[i].action);
    if (state_.taken[i] || expect->is_optional) continue;
    if (missing == nullptr) missing = expect;
    limit = std::max(limit, expect->within ? length(*expect->within) + tolerance() : patience());
    if (const auto wrong = wrong_final(expect->pattern)) {
      const bool fits_another = std::ranges::any_of(unordered.steps, [&](const Step& other) {
        const auto* one = std::get_if<ExpectStep>(&other.action);
        return one != nullptr && one != expect &&
               kind_matches(one->pattern, peers_->record(*wrong));
      });
      if (!fits_another) {
        wrong_came(expect->pattern, *wrong);
        return Progress::Complete;
      }
    }
  }
  if (missing == nullptr) return Progress::Complete;
  const auto end = state_.since + limit;
  if (now > end) {
    if (state_.last_mismatch && !missing->pattern.method.empty()) {
      mismatched(*state_.last_mismatched, *state_.last_mismatch);
      is_concluded_ = true;
    } else {
      nothing_came(missing->pattern, limit);
    }
    return Progress::Complete;
  }
  wake_at(end + 1us);
  return Progress::Blocked;
}

Script::Progress Script::step(const ForbidStep& forbid, Instant now) {
  for (const auto& record : peers_->records()) {
    if (!kind_matches(forbid.pattern, record)) continue;
    std::optional<std::pair<Instant, std::size_t>> found;
    if (record.entry >= state_.since_entry) found = {record.at, record.entry};
    for (const auto& copy : record.copies)
      // A repetition that was on its way when the span began is nobody's fault.
      if (!found && copy.entry >= state_.since_entry && copy.at >= state_.since + tolerance())
        found = {copy.at, copy.entry};
    if (!found) continue;
    Verdict verdict{.reason = fmt::format("{} came, and must not", describe(record.message)),
                    .expected = fmt::format("no {} for {}", describe(forbid.pattern),
                                            seconds(length(forbid.during))),
                    .observed = fmt::format("{} after {}", describe(record.message),
                                            seconds(found->first - state_.since)),
                    .offending = static_cast<std::int64_t>(found->second)};
    // A SHOULD that was not kept does not end the case, but it was taken note of.
    conclude(std::move(verdict));
    return Progress::Complete;
  }
  const auto end = state_.since + length(forbid.during);
  if (now >= end) return Progress::Complete;
  wake_at(end);
  return Progress::Blocked;
}

Script::Progress Script::step(const AgainStep& again, Instant now) {
  const auto id = named_record(again.message);
  if (!id) {
    error(fmt::format("the message {} is not known at this point", again.message));
    return Progress::Complete;
  }
  const auto& record = peers_->record(*id);
  auto& seen = again_seen_[*id];
  const auto due = record.at + length(again.at);
  const auto slack = again.tolerance ? length(*again.tolerance) : tolerance();
  const auto expected = fmt::format("{} again, octet for octet, {} after its first copy",
                                    describe(record.message), seconds(length(again.at)));
  while (may_come_early(record.message) && seen < record.copies.size() &&
         record.copies[seen].at < due - slack)
    ++seen;
  if (seen < record.copies.size()) {
    const auto& copy = record.copies[seen];
    const auto offset = copy.at - due;
    if (copy.is_identical && offset <= slack && offset >= -slack) {
      ++seen;
      return Progress::Complete;
    }
    const auto observed = copy.is_identical
                              ? fmt::format("it came after {}", seconds(copy.at - record.at))
                              : std::string("it came with other octets");
    conclude({.reason = fmt::format("the retransmission of {} is not as required: {}",
                                    describe(record.message), observed),
              .expected = expected,
              .observed = observed,
              .offending = static_cast<std::int64_t>(copy.entry)});
    return Progress::Complete;
  }
  if (now > due + slack) {
    conclude({.reason = fmt::format("{} was not sent again", describe(record.message)),
              .expected = expected,
              .observed = fmt::format("{} copies before, none at that time", record.copies.size()),
              .offending = static_cast<std::int64_t>(record.entry)});
    return Progress::Complete;
  }
  wake_at(due + slack + 1us);
  return Progress::Blocked;
}

Script::Progress Script::step(const StateStep& state, Instant now) {
  std::optional<std::size_t> index =
      state.dialog.empty() ? peers_->newest_call(0, false) : peers_->call_named(state.dialog);
  if (!index && !state.of_sut) {
    error("there is no dialog to look at");
    return Progress::Complete;
  }
  if (state.of_sut && !options_.sut_state)
    return Progress::Complete;  // cannot be looked into: nothing to judge
  // What was sent before this step is to reach the SUT first.
  if (const auto settled = state_.since + 1ms; state.of_sut && now < settled) {
    wake_at(settled);
    return Progress::Blocked;
  }
  for (const auto& [field, wanted_template] : state.fields) {
    const auto wanted = text(wanted_template);
    if (!wanted) return Progress::Complete;
    const auto found =
        state.of_sut
            ? options_.sut_state(
                  index ? peers_->calls()[*index].dialog.id().call_id : std::string(), field)
            : call_value(peers_->calls()[*index], field);
    if (found.value_or("") == *wanted) continue;
    conclude({.reason = fmt::format("the {}'s {} is not as required", state.of_sut ? "SUT" : "peer",
                                    field),
              .expected = fmt::format("{} is {}", field, *wanted),
              .observed = found.value_or("nothing"),
              .header = field});
    return Progress::Complete;
  }
  return Progress::Complete;
}

Script::Progress Script::step(const CheckStep& check, Instant) {
  const auto id = named_record(check.message);
  if (!id) {
    error(fmt::format("the message {} is not known at this point", check.message));
    return Progress::Complete;
  }
  for (const auto& mismatch : check_all(peers_->record(*id).message, check.checks, context()))
    mismatched(*id, mismatch);
  return Progress::Complete;
}

// --- why not

// A final response to the request that the pattern is about, and not what it asks for: no other one
// will come.
std::optional<RecordId> Script::wrong_final(const Pattern& pattern) const {
  if (!pattern.method.empty()) return std::nullopt;
  Pattern any = pattern;
  any.status = "200-699";
  any.dialog.clear();
  for (RecordId id = 0; id < peers_->records().size(); ++id) {
    const auto& record = peers_->record(id);
    if (!record.is_consumed && kind_matches(any, record) && !kind_matches(pattern, record))
      return id;
  }
  return std::nullopt;
}

// The request that a response is waited for never reached the SUT: waiting is of no use.
bool Script::is_undelivered(const Pattern& pattern) const {
  if (!pattern.method.empty()) return false;
  const auto peer = peers_->find(pattern.peer);
  auto request = named_record(pattern.of);
  if (pattern.of.empty() && peer) request = last_request_sent(*peer);
  return request && peers_->record(*request).is_undeliverable &&
         !peers_->record(*request).has_final;
}

bool Script::next_is_here() const {
  const auto& frame = frames_.back();
  const auto is_here = [&](const Pattern& pattern) {
    return std::ranges::any_of(peers_->records(), [&](const Record& record) {
      return !record.is_consumed && kind_matches(pattern, record);
    });
  };
  for (std::size_t i = frame.next + 1; i < frame.steps->size(); ++i) {
    const auto& action = (*frame.steps)[i].action;
    if (const auto* expect = std::get_if<ExpectStep>(&action)) {
      if (is_here(expect->pattern)) return true;
      if (!expect->is_optional) return false;
    } else if (const auto* either = std::get_if<EitherStep>(&action)) {
      return std::ranges::any_of(either->branches, [&](const auto& branch) {
        const auto* first = first_expectation(branch.steps);
        return first != nullptr && is_here(first->pattern);
      });
    } else if (const auto* unordered = std::get_if<UnorderedStep>(&action)) {
      return std::ranges::any_of(unordered->steps, [&](const Step& one) {
        const auto* inner = std::get_if<ExpectStep>(&one.action);
        return inner != nullptr && is_here(inner->pattern);
      });
    } else {
      return false;
    }
  }
  return false;
}

std::string Script::came_instead() const {
  std::string out;
  for (const auto& record : peers_->records()) {
    if (!record.is_from_sut || record.entry < state_.since_entry || record.is_scripted) continue;
    if (out.size() > 200) {
      out += ", …";
      break;
    }
    if (!out.empty()) out += ", ";
    out += describe(record.message);
  }
  if (out.empty() && peers_->malformed_count() > 0)
    return fmt::format("nothing that can be read ({} malformed messages)",
                       peers_->malformed_count());
  return out.empty() ? "nothing" : out;
}

void Script::nothing_came(const Pattern& pattern, Duration waited) {
  const auto observed = came_instead();
  conclude({.reason = fmt::format("{} did not come", describe(pattern)),
            .expected = fmt::format("{} within {}", describe(pattern), seconds(waited)),
            .observed = observed});
}

void Script::wrong_came(const Pattern& pattern, RecordId id) {
  const auto& record = peers_->record(id);
  Verdict verdict{
      .reason = fmt::format("{} came instead of {}", describe(record.message), describe(pattern)),
      .expected = describe(pattern),
      .observed = describe(record.message),
      .offending = static_cast<std::int64_t>(record.entry)};
  is_unsupported(id, verdict);
  conclude(std::move(verdict));
}

// 405, 501 and 420 are the SUT's own word that it lacks the feature, unless it has said otherwise.
bool Script::is_unsupported(RecordId response, Verdict& verdict) const {
  const auto& record = peers_->record(response);
  if (!record.request) return false;
  const auto& request = peers_->record(*record.request).message;
  const int status = record.message.status();
  const auto claims = [&](std::string_view header, std::string_view token) {
    return std::ranges::any_of(peers_->records(), [&](const Record& other) {
      return other.is_from_sut &&
             std::ranges::any_of(header_values(other.message, header), [&](const auto& value) {
               return ascii::iequals(value_token(value), token);
             });
    });
  };
  const auto give = [&](std::string reason) {
    verdict.outcome = Outcome::Unsupported;
    verdict.reason = std::move(reason);
    return true;
  };
  if (status == 405 || status == 501) {
    switch (request.method()) {
      case Method::Invite:
      case Method::Ack:
      case Method::Bye:
      case Method::Cancel:
      case Method::Options:
        return false;  // RFC 3261: every user agent has them
      default:
        break;
    }
    if (claims("Allow", request.method_text())) return false;
    return give(
        fmt::format("the SUT does not support {}: it answered {}", request.method_text(), status));
  }
  if (status != 420) return false;
  const auto required = header_values(request, "Require");
  for (const auto& tag : header_values(record.message, "Unsupported"))
    if (std::ranges::find(required, tag) != required.end() && !claims("Supported", tag) &&
        std::ranges::find(case_.needs, tag) != case_.needs.end())
      return give(fmt::format("the SUT does not support {}: it answered 420", tag));
  return false;
}

}  // namespace sipassay::runner
