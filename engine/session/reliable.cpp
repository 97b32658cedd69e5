#include "engine/session/reliable.h"

#include <algorithm>
#include <utility>

#include "engine/message/header/all.h"

namespace sipassay::session {
namespace {

constexpr std::uint64_t rseq_max = 0xffff'ffff;        // RFC 3262 7.1
constexpr std::uint64_t first_rseq_max = 0x7fff'ffff;  // RFC 3262 3

}  // namespace

ReliableSender::ReliableSender(Rng& rng, Duration t1)
    : next_rseq_(rng.between(1, first_rseq_max)), t1_(t1) {}

bool ReliableSender::is_full() const {
  return queue_.size() >= reliable_queue_max || next_rseq_ > rseq_max;
}

const ReliableSender::Sent* ReliableSender::send(Message response, bool has_description,
                                                 bool has_answer, Instant now) {
  if (is_full()) return nullptr;
  Sent sent{static_cast<std::uint32_t>(next_rseq_++), std::move(response), has_description,
            has_answer};
  if (!has_token(sent.response, HeaderId::Require, "100rel"))
    sent.response.add(HeaderId::Require, "100rel");
  sent.response.set(RSeq{sent.rseq});
  if (pending_) {
    queue_.push_back(std::move(sent));
    return nullptr;
  }
  pending_ = std::move(sent);
  start(now);
  return &*pending_;
}

void ReliableSender::start(Instant now) {
  interval_ = t1_;
  resend_at_ = now + t1_;
  give_up_at_ = now + 64 * t1_;
}

ReliableSender::Match ReliableSender::match(std::uint32_t rseq) const {
  return pending_ && pending_->rseq == rseq ? Match::First : Match::None;
}

const ReliableSender::Sent* ReliableSender::acknowledge(std::uint32_t rseq, Instant now) {
  if (match(rseq) != Match::First) return nullptr;
  if (acknowledged_.size() == reliable_queue_max) acknowledged_.pop_front();
  acknowledged_.push_back(std::move(*pending_));
  pending_.reset();
  const bool is_stopped = !resend_at_;
  resend_at_.reset();
  give_up_at_.reset();
  if (is_stopped || queue_.empty()) return nullptr;
  pending_ = std::move(queue_.front());
  queue_.pop_front();
  start(now);
  return &*pending_;
}

const ReliableSender::Sent* ReliableSender::find(std::uint32_t rseq) const {
  if (pending_ && pending_->rseq == rseq) return &*pending_;
  const auto known = std::ranges::find(acknowledged_, rseq, &Sent::rseq);
  return known == acknowledged_.end() ? nullptr : &*known;
}

bool ReliableSender::holds_back_success() const {
  if (!pending_) return false;
  return pending_->has_description || std::ranges::any_of(queue_, &Sent::has_description);
}

void ReliableSender::stop() {
  resend_at_.reset();
  give_up_at_.reset();
  queue_.clear();
}

ReliableSender::Due ReliableSender::advance(Instant now) {
  if (!pending_) return Due::Nothing;
  if (give_up_at_ && *give_up_at_ <= now) {
    stop();
    return Due::GiveUp;
  }
  if (!resend_at_ || *resend_at_ > now) return Due::Nothing;
  interval_ *= 2;
  resend_at_ = std::max(*resend_at_ + interval_, now + Duration{1});
  return Due::Resend;
}

std::optional<Instant> ReliableSender::next_deadline() const {
  if (!resend_at_) return give_up_at_;
  return give_up_at_ ? std::min(*resend_at_, *give_up_at_) : *resend_at_;
}

ReliableReceiver::Order ReliableReceiver::order(std::uint32_t rseq) const {
  if (!last_) return Order::InOrder;  // RFC 3262 4: the first one received sets the count
  if (rseq <= *last_) return Order::Duplicate;
  return rseq == *last_ + 1 ? Order::InOrder : Order::Gap;
}

bool is_reliable(const Message& response) {
  return response.status() > 100 && response.status() < 200 &&
         has_token(response, HeaderId::Require, "100rel") && response.maybe<RSeq>().has_value();
}

std::string make_rack(const Message& response) {
  const auto rseq = response.maybe<RSeq>();
  const auto cseq = response.maybe<CSeq>();
  if (!rseq || !cseq) return {};
  return text_of(RAck{rseq->value, cseq->number, cseq->method, cseq->method_text});
}

}  // namespace sipassay::session
