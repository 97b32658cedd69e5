#include "engine/transaction/non_invite_server.h"

#include <utility>

namespace sipassay::transaction {

Duration late_trying_delay(const Timings& timings) {
  Duration delay{};
  for (Duration interval = timings.t1; interval < timings.t2 && interval > Duration::zero();
       interval *= 2)
    delay += interval;
  return delay;
}

void NonInviteServer::start(Instant now, Outbox& out) {
  trying_from_ = now + late_trying_delay(context_.timings);
  step(Request, now, out);
}

bool NonInviteServer::respond(Message response, Instant now, Outbox& out) {
  const Input input = response.status() < 200 ? ProvisionalFromUser : FinalFromUser;
  if (find_row(rows, state_, input) == nullptr) return false;
  if (state_ != Completed) context_.response = std::move(response);
  step(input, now, out);
  return true;
}

void NonInviteServer::transport_failed(Instant now, Outbox& out) {
  if (!context_.take_unreported_send()) return;
  if (find_row(rows, state_, TransportError) != nullptr) step(TransportError, now, out);
}

void NonInviteServer::fire(Instant now, Outbox& out) {
  const auto timer = timers_.take_due(now);
  if (!timer) return;
  switch (*timer) {
    case Timer::Unanswered:
      return step(TimerUnanswered, now, out);
    case Timer::Trying:
      return step(TimerTrying, now, out);
    case Timer::J:
      return step(TimerJ, now, out);
    case Timer::Count:
      break;
  }
}

void NonInviteServer::step(Input input, Instant now, Outbox& out) {
  const Row* row = find_row(rows, state_, input);
  if (row == nullptr) {
    out.push_back(Unexpected{context_.id(), name, to_string(state_), to_string(input)});
    return;
  }
  state_ = row->to;
  perform(row->action, now, out);
  if (is_terminated()) timers_.stop_all();
}

void NonInviteServer::perform(Action action, Instant now, Outbox& out) {
  const Timings& timings = context_.timings;
  switch (action) {
    case None:
      return;
    case PassUp:
      if (sends_trying_) timers_.start(Timer::Trying, trying_from_);
      timers_.start(Timer::Unanswered, now + timings.timeout());
      out.push_back(context_.arrival());
      return;
    case SendTrying:
      context_.response = trying_for(context_.request, now - context_.arrived);
      return context_.send(*context_.response, false, out);
    case SendProvisional:
      timers_.stop(Timer::Trying);
      return context_.send(*context_.response, false, out);
    case SendFinal:
      timers_.stop_all();
      timers_.start(Timer::J, now + context_.unless_reliable(timings.timeout()));
      return context_.send(*context_.response, false, out);
    case Repeat:
      return context_.send(*context_.response, true, out);
    case TellTimeout:
      out.push_back(TimedOut{context_.id()});
      return;
    case TellTransportError:
      out.push_back(TransportFailed{context_.id()});
      return;
  }
}

std::string_view to_string(NonInviteServer::State state) {
  switch (state) {
    case NonInviteServer::Start:
      return "Start";
    case NonInviteServer::Trying:
      return "Trying";
    case NonInviteServer::Proceeding:
      return "Proceeding";
    case NonInviteServer::Completed:
      return "Completed";
    case NonInviteServer::Terminated:
      return "Terminated";
  }
  return {};
}

std::string_view to_string(NonInviteServer::Input input) {
  switch (input) {
    case NonInviteServer::Request:
      return "request";
    case NonInviteServer::ProvisionalFromUser:
      return "1xx from TU";
    case NonInviteServer::FinalFromUser:
      return "200-699 from TU";
    case NonInviteServer::TimerTrying:
      return "Timer E of the client at T2";
    case NonInviteServer::TimerUnanswered:
      return "64*T1 passed";
    case NonInviteServer::TimerJ:
      return "Timer J fires";
    case NonInviteServer::TransportError:
      return "transport error";
  }
  return {};
}

std::string_view to_string(NonInviteServer::Action action) {
  switch (action) {
    case NonInviteServer::None:
      return "-";
    case NonInviteServer::PassUp:
      return "request to TU";
    case NonInviteServer::SendTrying:
      return "send 100";
    case NonInviteServer::SendProvisional:
      return "send response";
    case NonInviteServer::SendFinal:
      return "send response, start J";
    case NonInviteServer::Repeat:
      return "send last response again";
    case NonInviteServer::TellTimeout:
      return "timeout to TU";
    case NonInviteServer::TellTransportError:
      return "transport error to TU";
  }
  return {};
}

}  // namespace sipassay::transaction
