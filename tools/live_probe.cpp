#include "tools/live_probe.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "engine/message/header/all.h"
#include "engine/message/message.h"
#include "engine/transaction/layer.h"

namespace sipassay::tools {
namespace {

transport::Outgoing question(const Endpoint& sut, const Endpoint& local, std::uint32_t number,
                             Rng& rng) {
  Message options = Message::request("OPTIONS", "sip:" + host_port(sut));
  transaction::add_via(options, local, transaction::make_branch(rng));
  options.add(HeaderId::MaxForwards, "70")
      .add(HeaderId::From, fmt::format("<sip:probe@{}>;tag={}", host_port(local), rng.token(8)))
      .add(HeaderId::To, fmt::format("<sip:{}>", host_port(sut)))
      .add(HeaderId::CallId, rng.token(16))
      .add(HeaderId::CSeq, fmt::format("{} OPTIONS", number))
      .add(HeaderId::ContentLength, "0");
  return {.octets = options.to_string(), .to = {sut, 0}, .segments = {}, .address = {}};
}

}  // namespace

Probe::Probe(transport::Hub& hub, Options options, Rng rng)
    : hub_(hub), options_(std::move(options)), rng_(rng), begun_(hub.now()) {
  Endpoint where = options_.near;
  where.transport = options_.sut.transport;
  const auto local = hub_.open(where);
  if (!local) {
    complaint_ = local.error();
    is_over_ = true;
    return;
  }
  local_ = *local;
  send();
}

Probe::~Probe() {
  if (local_ != 0) hub_.close(local_);
}

void Probe::take(const transport::Event& event) {
  if (std::holds_alternative<transport::MessageArrived>(event)) is_answered_ = is_over_ = true;
  const auto* failed = std::get_if<transport::SendFailed>(&event);
  if (failed == nullptr || is_over_) return;
  complaint_ = failed->reason;
  is_over_ = hub_.now() - begun_ >= options_.patience;
}

void Probe::advance() {
  if (is_over_ || hub_.now() < next_) return;
  if (count_ < options_.tries) return send();
  if (complaint_.empty()) complaint_ = "no answer to OPTIONS";
  is_over_ = true;
}

void Probe::send() {
  next_ = hub_.now() + options_.t1;
  ++count_;
  hub_.send(local_, question(options_.sut, hub_.address(local_), 1, rng_));
}

Pulse::Pulse(transport::Hub& hub, const Endpoint& sut, const Endpoint& near, Rng rng)
    : hub_(hub), sut_(sut), rng_(rng) {
  Endpoint where = near;
  where.transport = sut.transport;
  if (const auto local = hub_.open(where)) local_ = *local;
  ask();
}

Pulse::~Pulse() {
  if (local_ != 0) hub_.close(local_);
}

// What answers an earlier question is late and was reckoned with.
bool Pulse::take(const transport::Event& event) {
  const auto* arrived = std::get_if<transport::MessageArrived>(&event);
  if (arrived == nullptr || !asked_ || !arrived->message.is_response())
    return false;
  const auto cseq = arrived->message.get<CSeq>();
  if (!cseq || cseq->number != number_) return false;
  lag_ = hub_.now() - *asked_;
  asked_.reset();
  next_ = hub_.now() + beat;
  return true;
}

void Pulse::advance() {
  if (hub_.now() >= next_) ask();
}

Duration Pulse::lag() const {
  return asked_ ? std::max<Duration>(lag_, hub_.now() - *asked_) : lag_;
}

void Pulse::ask() {
  if (local_ == 0) return;
  if (asked_) lag_ = patience;
  asked_ = hub_.now();
  next_ = *asked_ + patience;
  hub_.send(local_, question(sut_, hub_.address(local_), ++number_, rng_));
}

void Pace::answered(Duration lag) {
  if (lag > strain) {
    jobs_ = std::max<std::size_t>(1, jobs_ / 2);
    is_doubling_ = false;
  } else if (lag <= calm) {
    jobs_ = std::min(most_, is_doubling_ ? 2 * jobs_ : jobs_ + 1);
  }
}

void Pace::busy(std::size_t running) {
  most_ = std::max<std::size_t>(1, std::min(most_ - 1, running));
  jobs_ = std::min(jobs_, most_);
}

}  // namespace sipassay::tools
