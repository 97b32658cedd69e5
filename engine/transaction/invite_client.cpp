#include "engine/transaction/invite_client.h"

#include <utility>

namespace sipassay::transaction {

void InviteClient::receive(Message response, const Flow& flow, Instant now, Outbox& out) {
  const int status = response.status();
  context_.response = std::move(response);
  step(status < 200 ? Provisional : status < 300 ? Success : Failure, now, out, flow);
}

void InviteClient::transport_failed(Instant now, Outbox& out) {
  if (!context_.take_unreported_send()) return;
  if (find_row(rows, state_, TransportError) != nullptr) step(TransportError, now, out);
}

void InviteClient::abandon(Instant now, Outbox& out) {
  if (find_row(rows, state_, Abandoned) != nullptr) step(Abandoned, now, out);
}

void InviteClient::fire(Instant now, Outbox& out) {
  const auto timer = timers_.take_due(now);
  if (!timer) return;
  switch (*timer) {
    case Timer::A:
      return step(TimerA, now, out);
    case Timer::B:
      return step(TimerB, now, out);
    case Timer::D:
      return step(TimerD, now, out);
    case Timer::M:
      return step(TimerM, now, out);
    case Timer::Count:
      break;
  }
}

void InviteClient::step(Input input, Instant now, Outbox& out, const Flow& flow) {
  const Row* row = find_row(rows, state_, input);
  if (row == nullptr) {
    out.push_back(Unexpected{context_.id(), name, to_string(state_), to_string(input)});
    return;
  }
  state_ = row->to;
  perform(row->action, now, out, flow);
  if (is_terminated()) timers_.stop_all();
}

void InviteClient::perform(Action action, Instant now, Outbox& out, const Flow& flow) {
  const Timings& timings = context_.timings;
  switch (action) {
    case None:
      return;
    case SendInvite:
      interval_ = timings.t1;
      if (!context_.is_reliable()) timers_.start(Timer::A, now + interval_);
      timers_.start(Timer::B, now + timings.timeout());
      return context_.send(context_.request, false, out);
    case RepeatInvite:
      interval_ *= 2;  // RFC 3261 17.1.1.2: without an upper bound
      timers_.start(Timer::A, now + interval_);
      return context_.send(context_.request, true, out);
    case PassUp:
      if (state_ == Proceeding) timers_.stop_all();
      return pass_up(flow, out);
    case PassUpAndLinger:
      timers_.stop_all();
      timers_.start(Timer::M, now + timings.timeout());
      return pass_up(flow, out);
    case PassUpAndAck:
      timers_.stop_all();
      timers_.start(Timer::D, now + context_.unless_reliable(timings.d));
      ack_ = ack_for_failure(context_.request, *context_.response);
      context_.send(*ack_, false, out);
      return pass_up(flow, out);
    case RepeatAck:
      return context_.send(*ack_, true, out);
    case TellTimeout:
      out.push_back(TimedOut{context_.id()});
      return;
    case TellTransportError:
      out.push_back(TransportFailed{context_.id()});
      return;
  }
}

void InviteClient::pass_up(const Flow& flow, Outbox& out) {
  out.push_back(ResponseReceived{context_.id(), *context_.response, flow});
}

std::string_view to_string(InviteClient::State state) {
  switch (state) {
    case InviteClient::Start:
      return "Start";
    case InviteClient::Calling:
      return "Calling";
    case InviteClient::Proceeding:
      return "Proceeding";
    case InviteClient::Completed:
      return "Completed";
    case InviteClient::Accepted:
      return "Accepted";
    case InviteClient::Terminated:
      return "Terminated";
  }
  return {};
}

std::string_view to_string(InviteClient::Input input) {
  switch (input) {
    case InviteClient::InviteFromUser:
      return "INVITE from TU";
    case InviteClient::Provisional:
      return "1xx";
    case InviteClient::Success:
      return "2xx";
    case InviteClient::Failure:
      return "300-699";
    case InviteClient::TimerA:
      return "Timer A fires";
    case InviteClient::TimerB:
      return "Timer B fires";
    case InviteClient::TimerD:
      return "Timer D fires";
    case InviteClient::TimerM:
      return "Timer M fires";
    case InviteClient::TransportError:
      return "transport error";
    case InviteClient::Abandoned:
      return "abandoned by TU";
  }
  return {};
}

std::string_view to_string(InviteClient::Action action) {
  switch (action) {
    case InviteClient::None:
      return "-";
    case InviteClient::SendInvite:
      return "send INVITE, start A and B";
    case InviteClient::RepeatInvite:
      return "send INVITE again, double A";
    case InviteClient::PassUp:
      return "response to TU";
    case InviteClient::PassUpAndLinger:
      return "response to TU, start M";
    case InviteClient::PassUpAndAck:
      return "send ACK, response to TU, start D";
    case InviteClient::RepeatAck:
      return "send ACK again";
    case InviteClient::TellTimeout:
      return "timeout to TU";
    case InviteClient::TellTransportError:
      return "transport error to TU";
  }
  return {};
}

}  // namespace sipassay::transaction
