// The UAS waits for the ACK of its 2xx (RFC 3261 13.3.1.4): resends it, gives up after 64*T1.
//
// One machine for INVITE and re-INVITE, one entry for each 2xx, found by its CSeq number.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/time.h"

namespace sipassay::session {

inline constexpr std::size_t ack_waits_max = 16;  // 2xx of one dialog without ACK at one time

class AckWait {
 public:
  AckWait(Duration t1, Duration t2) : t1_(t1), t2_(t2) {}

  // A 2xx with this CSeq number was sent. False if ack_waits_max are waiting.
  bool start(std::uint32_t cseq, Instant now);
  // True if a 2xx with this number was waiting: it is not resent any more (row 26 of the gaps).
  bool acknowledge(std::uint32_t cseq);
  bool is_waiting(std::uint32_t cseq) const;
  bool is_waiting() const { return !waits_.empty(); }
  void stop() { waits_.clear(); }

  struct Due {
    enum class What : std::uint8_t { Resend, GiveUp } what = What::Resend;
    std::uint32_t cseq = 0;
  };
  // One thing due at now; call until it returns nothing. An entry that gave up is gone.
  std::optional<Due> advance(Instant now);
  std::optional<Instant> next_deadline() const;

 private:
  struct Wait {
    std::uint32_t cseq;
    Duration interval;
    Instant resend_at;
    Instant give_up_at;
  };
  Duration t1_, t2_;
  std::vector<Wait> waits_;
};

}  // namespace sipassay::session
