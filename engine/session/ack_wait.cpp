#include "engine/session/ack_wait.h"

#include <algorithm>

namespace sipassay::session {

bool AckWait::start(std::uint32_t cseq, Instant now) {
  if (is_waiting(cseq)) return true;
  if (waits_.size() == ack_waits_max) return false;
  // RFC 3261 13.3.1.4: first resend after T1, the end after 64*T1.
  waits_.push_back({cseq, t1_, now + t1_, now + 64 * t1_});
  return true;
}

bool AckWait::acknowledge(std::uint32_t cseq) {
  return std::erase_if(waits_, [cseq](const Wait& wait) { return wait.cseq == cseq; }) != 0;
}

bool AckWait::is_waiting(std::uint32_t cseq) const {
  return std::ranges::find(waits_, cseq, &Wait::cseq) != waits_.end();
}

std::optional<AckWait::Due> AckWait::advance(Instant now) {
  for (std::size_t i = 0; i < waits_.size(); ++i) {
    Wait& wait = waits_[i];
    if (wait.give_up_at <= now) {
      const Due due{Due::What::GiveUp, wait.cseq};
      waits_.erase(waits_.begin() + static_cast<std::ptrdiff_t>(i));
      return due;
    }
    if (wait.resend_at <= now) {
      // RFC 3261 13.3.1.4: doubles up to T2. A late clock does not cause a burst.
      wait.interval = std::min(2 * wait.interval, t2_);
      wait.resend_at = std::max(wait.resend_at + wait.interval, now + Duration{1});
      return Due{Due::What::Resend, wait.cseq};
    }
  }
  return std::nullopt;
}

std::optional<Instant> AckWait::next_deadline() const {
  std::optional<Instant> next;
  for (const Wait& wait : waits_) {
    const Instant due = std::min(wait.resend_at, wait.give_up_at);
    if (!next || due < *next) next = due;
  }
  return next;
}

}  // namespace sipassay::session
