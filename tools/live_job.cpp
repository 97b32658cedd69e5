#include "tools/live_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace sipassay::tools {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

// The way of a command does not pass the network: it comes after what the SUT was sent before.
constexpr Duration command_delay = 30ms;

// Datagrams have no flow in a case: a peer has one socket.
Flow flow_in_case(Flow flow) {
  if (!is_reliable(flow.local.transport)) flow.id = 0;
  return flow;
}

}  // namespace

Job::Job(transport::Hub& hub, const runner::Case& the_case, const runner::CaseOptions& options,
         const Endpoint& near, Duration timeout)
    : hub_(hub),
      near_(near),
      begun_(hub.now()),
      timeout_(timeout),
      run_(the_case, options, Instant{}) {
  pump();
}

Job::~Job() {
  for (const auto& [name, peer] : peers_)
    if (peer.local != 0) hub_.close(peer.local);
}

Instant Job::deadline() const {
  Instant end = begun_ + timeout_;
  if (command_) end = std::min(end, command_due_);
  return wake_ ? std::min(end, begun_ + wake_->time_since_epoch()) : end;
}

void Job::handle(runner::Input input) {
  run_.handle(std::move(input), now());
  pump();
}

void Job::take(transport::Event event) {
  std::visit(
      Overloaded{
          [&](transport::MessageArrived& e) {
            if (const auto* name = name_of(e.local))
              handle(runner::OctetsReceived{*name, std::move(e.octets), flow_in_case(e.flow)});
          },
          [&](transport::GarbageArrived& e) {
            if (const auto* name = name_of(e.local))
              handle(runner::OctetsReceived{*name, std::move(e.octets), flow_in_case(e.flow)});
          },
          [&](transport::FlowClosed& e) {
            if (const auto* name = name_of(e.local)) handle(runner::StreamClosed{*name, e.flow.id});
          },
          [&](transport::SendFailed& e) {
            if (const auto* name = name_of(e.local)) {
              if (!is_reliable(e.to.endpoint.transport)) e.to.flow = 0;
              handle(runner::SendFailed{*name, e.to, e.reason});
            }
          },
      },
      event);
}

void Job::advance() {
  if (is_done()) return;
  if (now() >= Instant(timeout_))
    return handle(runner::Abort{fmt::format("the case took longer than {} s", timeout_ / 1s)});
  if (wake_ && *wake_ <= now()) handle(runner::Elapsed{});
}

void Job::pump() {
  while (true) {
    auto output = run_.poll();
    if (std::holds_alternative<runner::Done>(output)) {
      wake_.reset();
      return;
    }
    if (const auto* wait = std::get_if<runner::WaitUntil>(&output)) {
      wake_ = wait->deadline;
      return;
    }
    if (const auto* opened = std::get_if<runner::OpenPeer>(&output)) open(*opened);
    if (auto* sent = std::get_if<runner::SendOctets>(&output)) send(std::move(*sent));
    if (const auto* closed = std::get_if<runner::CloseFlow>(&output)) close(*closed);
    if (const auto* set = std::get_if<runner::SetReachable>(&output)) set_reachable(*set);
    if (auto* command = std::get_if<runner::SutCommand>(&output)) {
      command_ = std::move(*command);
      command_due_ = hub_.now() + command_delay;
    }
  }
}

std::optional<runner::SutCommand> Job::take_command() {
  if (!command_ || hub_.now() < command_due_) return std::nullopt;
  return std::exchange(command_, std::nullopt);
}

void Job::answered(runner::SutCommandDone done) {
  handle(std::move(done));
}

void Job::sut_died(std::string reason) {
  handle(runner::SutDied{std::move(reason)});
}

void Job::open(const runner::OpenPeer& open) {
  Endpoint where = near_;
  where.transport = open.transport;
  const auto local = hub_.open(where);
  if (!local) return run_.handle(runner::PeerFailed{open.peer, local.error()}, now());
  const Endpoint address = hub_.address(*local);
  peers_[open.peer] = {*local, address};
  run_.handle(runner::PeerOpened{open.peer, address}, now());
}

void Job::send(runner::SendOctets send) {
  const auto peer = peers_.find(send.peer);
  if (peer == peers_.end() || peer->second.local == 0) return;
  hub_.send(peer->second.local, {.octets = std::move(send.octets),
                                 .to = std::move(send.to),
                                 .segments = std::move(send.segments),
                                 .address = {}});
}

void Job::close(const runner::CloseFlow& close) {
  if (const auto peer = peers_.find(close.peer); peer != peers_.end() && peer->second.local != 0)
    hub_.close_flow(peer->second.local, close.flow);
}

// A closed port answers datagrams with ICMP and connections with a reset.
void Job::set_reachable(const runner::SetReachable& set) {
  const auto peer = peers_.find(set.peer);
  if (peer == peers_.end()) return;
  if (!set.is_reachable && peer->second.local != 0) {
    hub_.close(peer->second.local);
    peer->second.local = 0;
  } else if (set.is_reachable && peer->second.local == 0) {
    const auto again = hub_.open(peer->second.address);
    if (!again) return run_.handle(runner::PeerFailed{set.peer, again.error()}, now());
    peer->second.local = *again;
  }
}

const std::string* Job::name_of(FlowId local) const {
  for (const auto& [name, peer] : peers_)
    if (peer.local == local) return &name;
  return nullptr;
}

}  // namespace sipassay::tools
