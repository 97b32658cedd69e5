#include "tools/live_probe.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "engine/message/message.h"
#include "engine/transaction/layer.h"

namespace sipassay::tools {

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
  const Endpoint& near = hub_.address(local_);
  Message options = Message::request("OPTIONS", "sip:" + host_port(options_.sut));
  transaction::add_via(options, near, transaction::make_branch(rng_));
  options.add(HeaderId::MaxForwards, "70")
      .add(HeaderId::From, fmt::format("<sip:probe@{}>;tag={}", host_port(near), rng_.token(8)))
      .add(HeaderId::To, fmt::format("<sip:{}>", host_port(options_.sut)))
      .add(HeaderId::CallId, rng_.token(16))
      .add(HeaderId::CSeq, "1 OPTIONS")
      .add(HeaderId::ContentLength, "0");
  hub_.send(
      local_,
      {.octets = options.to_string(), .to = {options_.sut, 0}, .segments = {}, .address = {}});
}

}  // namespace sipassay::tools
