// Reliable provisional responses (RFC 3262): what the UAS keeps until a PRACK comes, what the UAC
// keeps to know a duplicate and a gap.
//
// Pieces of session_dialog, one of each per INVITE transaction. They hold copies, never
// transactions.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "engine/base/rng.h"
#include "engine/base/time.h"
#include "engine/message/message.h"

namespace sipassay::session {

inline constexpr std::size_t reliable_queue_max =
    32;  // reliable 1xx waiting behind the unacknowledged one

// UAS: one unacknowledged reliable 1xx at a time, the next ones wait (RFC 3262 3).
class ReliableSender {
 public:
  // The first RSeq is drawn from 1 .. 2**31 - 1.
  ReliableSender(Rng& rng, Duration t1);

  struct Sent {
    std::uint32_t rseq = 0;
    Message response;
    bool has_description = false;
    bool has_answer =
        false;  // the answer of the INVITE's offer stands in it (RFC 6337 2.2, pattern 5)
  };
  // The response gets its RSeq and Require: 100rel. Sent now (returned), or queued if one is
  // unacknowledged. Nothing either if the queue is full or the numbers are used up (is_full()).
  const Sent* send(Message response, bool has_description, bool has_answer, Instant now);
  bool is_full() const;

  enum class Match : std::uint8_t {
    First,  // the PRACK of the unacknowledged response, after the final one too: 2xx
    None    // 481: an acknowledged response matches no further PRACK
  };
  // `rseq` and `cseq` of RAck; the CSeq number and method of the INVITE were compared by the
  // caller.
  Match match(std::uint32_t rseq) const;
  // After match() was First: stops resending and sends the next queued one, if any (returned).
  const Sent* acknowledge(std::uint32_t rseq, Instant now);
  // The response that a RAck names, unacknowledged or acknowledged.
  const Sent* find(std::uint32_t rseq) const;

  const Sent* unacknowledged() const { return pending_ ? &*pending_ : nullptr; }
  // 3262 3: no 2xx may be sent while a reliable 1xx with a description is unacknowledged.
  bool holds_back_success() const;
  // A final response goes out: nothing more is sent or resent (3262 3); late PRACKs still match.
  void stop();

  enum class Due : std::uint8_t { Nothing, Resend, GiveUp };
  // 3262 3: T1 doubling without limit; 64*T1 without PRACK: give up.
  Due advance(Instant now);
  std::optional<Instant> next_deadline() const;

 private:
  void start(Instant now);

  std::uint64_t next_rseq_;  // one more than 2**32 - 1 when used up
  Duration t1_;
  std::optional<Sent> pending_;
  std::deque<Sent> queue_;
  std::deque<Sent> acknowledged_;
  Duration interval_{};
  std::optional<Instant> resend_at_, give_up_at_;
};

// UAC: order of the reliable 1xx of one INVITE in one dialog (RFC 3262 4).
class ReliableReceiver {
 public:
  enum class Order : std::uint8_t { InOrder, Duplicate, Gap };
  Order order(std::uint32_t rseq) const;
  // Call only after order() was InOrder.
  void commit(std::uint32_t rseq) { last_ = rseq; }
  std::optional<std::uint32_t> last() const { return last_; }

 private:
  std::optional<std::uint32_t> last_;
};

// 101-199 with Require: 100rel and a usable RSeq (RFC 3262 4, 7.1).
bool is_reliable(const Message& response);
// "776655 1 INVITE": what acknowledges that response (RFC 3262 7.2).
std::string make_rack(const Message& response);

}  // namespace sipassay::session
