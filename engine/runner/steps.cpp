// The walk through the steps, and those that act: one function a step.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/runner/script.h"
#include "engine/runner/values.h"

namespace sipassay::runner {

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

}  // namespace sipassay::runner
