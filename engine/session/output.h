// What a SessionDialog gives its owner, the agent. poll() until nothing is left.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "engine/base/finding.h"
#include "engine/message/message.h"
#include "engine/session/offer_answer.h"
#include "engine/session/options.h"
#include "engine/session/subscription.h"

namespace sipassay::session {

// Initial: UAS, nothing but a 100 was sent. AckWait: UAS, our 2xx to the initial INVITE has no ACK.
enum class SessionState : std::uint8_t { Initial, Early, AckWait, Confirmed, Terminated };

// Answer that server transaction with this.
struct Reply {
  TransactionId transaction = 0;
  Message response;
};
// Send this response once more: a 2xx without ACK, a reliable 1xx without PRACK.
struct Resend {
  TransactionId transaction = 0;
  Message response;
};
// The session wants this request sent by itself (no Via): BYE after a missing ACK, NOTIFY after a
// REFER. Its response comes back through receive_response() like any other.
struct Send {
  Message request;
};
// A 2xx came again: send the ACK that ack() returned for that INVITE again (RFC 3261 13.2.2.4).
struct RepeatAck {
  std::uint32_t cseq = 0;
  Message ack;  // without Via
};

// A request for the application. All but Ack want reply(transaction, …) unless was_answered.
struct Deliver {
  enum class What : std::uint8_t {
    Ack,  // of a 2xx; transaction is 0
    Bye,  // answered 200 already; the session is over
    Info,
    Invite,  // a re-INVITE: accept, progress or reject it with reply()
    Update,
    Prack,
    Refer,
    Notify,     // answered already if it belongs to a subscription
    Subscribe,  // a 2xx must say what is granted: ReplyOptions::subscription
    Message,
    Options,
    Other  // any other method
  };
  What what = What::Other;
  TransactionId transaction = 0;
  Message request;
  bool has_offer = false;     // its 2xx must carry the answer
  bool was_answered = false;  // nothing to do but know it
  bool is_refresh = false;    // SUBSCRIBE: of a subscription that lives
};
std::string_view to_string(Deliver::What what);

// A 101-199 to our INVITE; a reliable one in order is to be acknowledged with prack().
struct Progressed {
  Message response;
  std::uint32_t cseq = 0;
  bool is_reliable = false;
  bool has_offer = false;   // prack() must carry the answer
  bool has_answer = false;  // the exchange is complete
};
// The first 2xx to our INVITE: call ack(cseq).
struct Answered {
  Message response;
  std::uint32_t cseq = 0;
  bool has_offer = false;  // ack() must carry the answer
  bool lacks_description =
      false;  // an answer or offer was due and did not come: ACK, then BYE (policy)
};
// 300-699 (or 0: timeout, transport failure) to our INVITE or UPDATE; the session is as before.
struct Rejected {
  Message response;  // empty for 0
  std::uint32_t cseq = 0;
  Method method = Method::Invite;
  int status = 0;
  bool will_retry = false;  // RetryDue follows
};
// A final response to any other request of ours; 0: timeout, transport failure.
struct Responded {
  Message request;
  Message response;
  int status = 0;
};
// The wait after a 491, or what Retry-After asked for, is over: send it again if it is still
// wanted.
struct RetryDue {
  Method method = Method::Invite;
};
// 64*T1 without ACK (13.3.1.4); a BYE follows if the settings say so.
struct AckMissing {
  std::uint32_t cseq = 0;
};
// 64*T1 without PRACK (RFC 3262 3): reject the INVITE with a 5xx.
struct PrackMissing {
  TransactionId transaction = 0;
};
// A 2xx given to reply() waits for the PRACK of a reliable 1xx with SDP (3262 3); Reply follows
// then.
struct SuccessHeld {
  TransactionId transaction = 0;
};
// An exchange is complete: offer() and answer() are the new pair.
struct SessionChanged {};
// An open offer was refused or undone; offer() and answer() are the pair before it.
struct RolledBack {
  SignalingState to = SignalingState::Initial;
};
struct SignalingChanged {
  SignalingState from = SignalingState::Initial, to = SignalingState::Initial;
};
struct StateChanged {
  SessionState from = SessionState::Initial, to = SessionState::Initial;
};
// A subscription began, went on or ended.
struct SubscriptionChanged {
  std::string event{};           // its Event value: "presence;id=7"
  std::uint32_t refer_cseq = 0;  // of the REFER that made it; 0: a SUBSCRIBE did
  bool is_notifier = false;
  SubscriptionPhase phase = SubscriptionPhase::Init;
  std::string reason{};  // of "terminated"; empty: none, or it ended otherwise
  std::optional<std::uint32_t> retry_after{};
  bool was_given_up = false;  // subscriber: we sent Expires: 0

  bool is_over() const { return phase == SubscriptionPhase::Terminated; }
};
// RFC 6141 3.4: a failed re-INVITE left changes executed behind; a new offer should put things
// straight.
struct ResynchroniseWanted {};
struct Violation {
  Finding finding;
};
enum class EndReason : std::uint8_t {
  ByeSent,
  ByeReceived,
  Cancelled,
  RejectedByUs,
  RejectedByPeer,
  DialogGone,
  AckMissing,
  Expired,  // nobody has refreshed the session (RFC 4028 10)
  Disposed
};
// The session (INVITE usage) is over; see is_finished() for the dialog.
struct Ended {
  EndReason reason = EndReason::Disposed;
};
std::string_view to_string(EndReason reason);
std::string_view to_string(SessionState state);

using Output = std::variant<Reply, Resend, Send, RepeatAck, Deliver, Progressed, Answered, Rejected,
                            Responded, RetryDue, AckMissing, PrackMissing, SuccessHeld,
                            SessionChanged, RolledBack, SignalingChanged, StateChanged,
                            SubscriptionChanged, ResynchroniseWanted, Violation, Ended>;

}  // namespace sipassay::session
