#include "engine/transaction/invite_server.h"

#include <algorithm>
#include <utility>

namespace sipassay::transaction {

void InviteServer::receive_ack(Message ack, const Flow& flow, Instant now, Outbox& out) {
  ack_ = RequestReceived{0, std::move(ack), flow};
  step(Ack, now, out);
  ack_.reset();
}

bool InviteServer::respond(Message response, Instant now, Outbox& out) {
  const int status = response.status();
  const Input input = status < 200   ? ProvisionalFromUser
                      : status < 300 ? SuccessFromUser
                                     : FailureFromUser;
  if (find_row(rows, state_, input) == nullptr) return false;
  context_.response = std::move(response);
  step(input, now, out);
  return true;
}

bool InviteServer::repeat_success(Outbox& out) {
  if (state_ != Accepted) return false;
  context_.send(*context_.response, true, out);
  return true;
}

void InviteServer::transport_failed(Instant now, Outbox& out) {
  if (!context_.take_unreported_send()) return;
  if (find_row(rows, state_, TransportError) != nullptr) step(TransportError, now, out);
}

void InviteServer::fire(Instant now, Outbox& out) {
  const auto timer = timers_.take_due(now);
  if (!timer) return;
  switch (*timer) {
    case Timer::G:
      return step(TimerG, now, out);
    case Timer::H:
      return step(TimerH, now, out);
    case Timer::I:
      return step(TimerI, now, out);
    case Timer::L:
      return step(TimerL, now, out);
    case Timer::Trying:
      return step(TimerTrying, now, out);
    case Timer::Count:
      break;
  }
}

void InviteServer::step(Input input, Instant now, Outbox& out) {
  const Row* row = find_row(rows, state_, input);
  if (row == nullptr) {
    out.push_back(Unexpected{context_.id(), name, to_string(state_), to_string(input)});
    return;
  }
  state_ = row->to;
  perform(row->action, now, out);
  if (is_terminated()) timers_.stop_all();
}

void InviteServer::perform(Action action, Instant now, Outbox& out) {
  const Timings& timings = context_.timings;
  switch (action) {
    case None:
      return;
    case PassUp:
      if (sends_trying_) timers_.start(Timer::Trying, now + trying_delay);
      out.push_back(context_.arrival());
      return;
    case SendTrying:
      context_.response = trying_for(context_.request, now - context_.arrived);
      return context_.send(*context_.response, false, out);
    case SendProvisional:
      timers_.stop(Timer::Trying);
      return context_.send(*context_.response, false, out);
    case SendSuccess:
      timers_.stop_all();
      timers_.start(Timer::L, now + timings.timeout());
      return context_.send(*context_.response, false, out);
    case SendFailure:
      timers_.stop_all();
      interval_ = timings.t1;
      if (!context_.is_reliable()) timers_.start(Timer::G, now + interval_);
      timers_.start(Timer::H, now + timings.timeout());
      return context_.send(*context_.response, false, out);
    case Send:
      return context_.send(*context_.response, false, out);
    case Repeat:
      if (context_.response) context_.send(*context_.response, true, out);
      return;
    case RepeatOnTimer:
      interval_ = std::min(2 * interval_, timings.t2);
      timers_.start(Timer::G, now + interval_);
      return context_.send(*context_.response, true, out);
    case StopRepeating:
      timers_.stop_all();
      timers_.start(Timer::I, now + context_.unless_reliable(timings.t4));
      return;
    case PassAckUp:
      out.push_back(std::move(*ack_));
      return;
    case TellTimeout:
      out.push_back(TimedOut{context_.id()});
      return;
    case TellTransportError:
      out.push_back(TransportFailed{context_.id()});
      return;
  }
}

std::string_view to_string(InviteServer::State state) {
  switch (state) {
    case InviteServer::Start:
      return "Start";
    case InviteServer::Proceeding:
      return "Proceeding";
    case InviteServer::Completed:
      return "Completed";
    case InviteServer::Confirmed:
      return "Confirmed";
    case InviteServer::Accepted:
      return "Accepted";
    case InviteServer::Terminated:
      return "Terminated";
  }
  return {};
}

std::string_view to_string(InviteServer::Input input) {
  switch (input) {
    case InviteServer::Invite:
      return "INVITE";
    case InviteServer::Ack:
      return "ACK";
    case InviteServer::ProvisionalFromUser:
      return "1xx from TU";
    case InviteServer::SuccessFromUser:
      return "2xx from TU";
    case InviteServer::FailureFromUser:
      return "300-699 from TU";
    case InviteServer::TimerTrying:
      return "200 ms passed";
    case InviteServer::TimerG:
      return "Timer G fires";
    case InviteServer::TimerH:
      return "Timer H fires";
    case InviteServer::TimerI:
      return "Timer I fires";
    case InviteServer::TimerL:
      return "Timer L fires";
    case InviteServer::TransportError:
      return "transport error";
  }
  return {};
}

std::string_view to_string(InviteServer::Action action) {
  switch (action) {
    case InviteServer::None:
      return "-";
    case InviteServer::PassUp:
      return "INVITE to TU";
    case InviteServer::SendTrying:
      return "send 100";
    case InviteServer::SendProvisional:
      return "send response";
    case InviteServer::SendSuccess:
      return "send response, start L";
    case InviteServer::SendFailure:
      return "send response, start G and H";
    case InviteServer::Send:
      return "send response";
    case InviteServer::Repeat:
      return "send last response again";
    case InviteServer::RepeatOnTimer:
      return "send response again, double G up to T2";
    case InviteServer::StopRepeating:
      return "start I";
    case InviteServer::PassAckUp:
      return "ACK to TU";
    case InviteServer::TellTimeout:
      return "timeout to TU";
    case InviteServer::TellTransportError:
      return "transport error to TU";
  }
  return {};
}

}  // namespace sipassay::transaction
