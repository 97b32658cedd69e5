// The steps that expect: what fits them, when they are complete, when they fail.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/runner/script.h"

namespace sipassay::runner {
namespace {

// A UAS says as often as it likes that it rings (RFC 3261 13.3.1.1); a reliable provisional response
// keeps a schedule (RFC 3262 3).
bool may_come_early(const Message& message) {
  return message.is_response() && message.status() < 200 && !message.has(HeaderId::RSeq);
}

}  // namespace

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
  // Each 2xx gets an ACK (RFC 3261 13.2.2.4); that its octets are the same is nowhere asked.
  const bool is_ack = record.message.is_request() && record.message.method() == Method::Ack;
  while (may_come_early(record.message) && seen < record.copies.size() &&
         record.copies[seen].at < due - slack)
    ++seen;
  if (seen < record.copies.size()) {
    const auto& copy = record.copies[seen];
    const auto offset = copy.at - due;
    if ((copy.is_identical || is_ack) && offset <= slack && offset >= -slack) {
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

}  // namespace sipassay::runner
