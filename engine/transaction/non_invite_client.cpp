#include "engine/transaction/non_invite_client.h"

#include <algorithm>
#include <utility>

namespace sipassay::transaction {

void NonInviteClient::receive(Message response, const Flow& flow, Instant now, Outbox& out) {
  const Input input = response.status() < 200 ? Provisional : Final;
  if (state_ != Completed) context_.response = std::move(response);
  step(input, now, out, flow);
}

void NonInviteClient::transport_failed(Instant now, Outbox& out) {
  if (!context_.take_unreported_send()) return;
  if (find_row(rows, state_, TransportError) != nullptr) step(TransportError, now, out);
}

void NonInviteClient::abandon(Instant now, Outbox& out) {
  if (find_row(rows, state_, Abandoned) != nullptr) step(Abandoned, now, out);
}

void NonInviteClient::fire(Instant now, Outbox& out) {
  const auto timer = timers_.take_due(now);
  if (!timer) return;
  switch (*timer) {
    case Timer::E:
      return step(TimerE, now, out);
    case Timer::F:
      return step(TimerF, now, out);
    case Timer::K:
      return step(TimerK, now, out);
    case Timer::Count:
      break;
  }
}

void NonInviteClient::step(Input input, Instant now, Outbox& out, const Flow& flow) {
  const Row* row = find_row(rows, state_, input);
  if (row == nullptr) {
    out.push_back(Unexpected{context_.id(), name, to_string(state_), to_string(input)});
    return;
  }
  state_ = row->to;
  perform(row->action, now, out, flow);
  if (is_terminated()) timers_.stop_all();
}

void NonInviteClient::perform(Action action, Instant now, Outbox& out, const Flow& flow) {
  const Timings& timings = context_.timings;
  switch (action) {
    case None:
      return;
    case SendRequest:
      interval_ = timings.t1;
      if (!context_.is_reliable()) timers_.start(Timer::E, now + interval_);
      timers_.start(Timer::F, now + timings.timeout());
      return context_.send(context_.request, false, out);
    case RepeatRequest:
      interval_ = std::min(2 * interval_, timings.t2);
      timers_.start(Timer::E, now + interval_);
      return context_.send(context_.request, true, out);
    case RepeatSlowly:
      timers_.start(Timer::E, now + timings.t2);
      return context_.send(context_.request, true, out);
    case PassUp:
      return pass_up(flow, out);
    case PassUpAndAbsorb:
      timers_.stop_all();
      timers_.start(Timer::K, now + context_.unless_reliable(timings.t4));
      return pass_up(flow, out);
    case TellTimeout:
      out.push_back(TimedOut{context_.id()});
      return;
    case TellTransportError:
      out.push_back(TransportFailed{context_.id()});
      return;
  }
}

void NonInviteClient::pass_up(const Flow& flow, Outbox& out) {
  out.push_back(ResponseReceived{context_.id(), *context_.response, flow});
}

std::string_view to_string(NonInviteClient::State state) {
  switch (state) {
    case NonInviteClient::Start:
      return "Start";
    case NonInviteClient::Trying:
      return "Trying";
    case NonInviteClient::Proceeding:
      return "Proceeding";
    case NonInviteClient::Completed:
      return "Completed";
    case NonInviteClient::Terminated:
      return "Terminated";
  }
  return {};
}

std::string_view to_string(NonInviteClient::Input input) {
  switch (input) {
    case NonInviteClient::RequestFromUser:
      return "request from TU";
    case NonInviteClient::Provisional:
      return "1xx";
    case NonInviteClient::Final:
      return "200-699";
    case NonInviteClient::TimerE:
      return "Timer E fires";
    case NonInviteClient::TimerF:
      return "Timer F fires";
    case NonInviteClient::TimerK:
      return "Timer K fires";
    case NonInviteClient::TransportError:
      return "transport error";
    case NonInviteClient::Abandoned:
      return "abandoned by TU";
  }
  return {};
}

std::string_view to_string(NonInviteClient::Action action) {
  switch (action) {
    case NonInviteClient::None:
      return "-";
    case NonInviteClient::SendRequest:
      return "send request, start E and F";
    case NonInviteClient::RepeatRequest:
      return "send request again, double E up to T2";
    case NonInviteClient::RepeatSlowly:
      return "send request again, E is T2";
    case NonInviteClient::PassUp:
      return "response to TU";
    case NonInviteClient::PassUpAndAbsorb:
      return "response to TU, start K";
    case NonInviteClient::TellTimeout:
      return "timeout to TU";
    case NonInviteClient::TellTransportError:
      return "transport error to TU";
  }
  return {};
}

}  // namespace sipassay::transaction
