// A dialog with its INVITE usage (RFC 3261 12-15) and the usages beside it: offer/answer, reliable
// 1xx, ACK wait, glare, UPDATE, subscriptions. One that a SUBSCRIBE or REFER made has no INVITE
// usage: its session is over from the start (RFC 5057 3).
//
// Driven by the agent: it gives messages and time, and sends what comes out of poll() or is
// returned. Holds no transaction; server transactions are named by the agent's opaque ids.
//
// How to drive it
//   UAS: on an INVITE without To tag build a Dialog (from_request) and a SessionDialog with
//        ReceivedInvite. Answer with reply(invite's transaction, …): 101-199, 2xx, 300-699.
//   UAC: on the first 101-199 or 2xx of each To tag build a Dialog (from_response) and a
//   SessionDialog
//        with SentInvite, then pass that same response to receive_response(). On a final non-2xx
//        pass it to every SessionDialog of the INVITE. Send prack() after Progressed{is_reliable},
//        ack() after Answered.
//   Notifier: on a SUBSCRIBE or REFER without To tag build a SessionDialog with ReceivedRequest; it
//        comes out as Deliver, to be answered with reply().
//   Subscriber: on the first NOTIFY of a SUBSCRIBE or REFER of ours build a Dialog (from_notify)
//   and
//        a SessionDialog with SentRequest, then pass the NOTIFY to receive_request().
//   Both: requests in the dialog go to receive_request() (ACK with transaction 0), CANCEL of an
//   INVITE
//        of this dialog to receive_cancel() (the CANCEL's own 200 is the agent's). Requests
//        returned by members or given by Send have no Via. Their responses (all of them,
//        provisional too) go to receive_response() with the request as sent; failures to
//        request_failed(). A 401 or 407 that the agent can satisfy is not passed on: retry() gives
//        the request with a new CSeq.
//   Time: next_deadline(), advance(now). After Ended keep it until is_finished().
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/rng.h"
#include "engine/base/time.h"
#include "engine/dialog/dialog.h"
#include "engine/message/message.h"
#include "engine/session/ack_wait.h"
#include "engine/session/error.h"
#include "engine/session/glare.h"
#include "engine/session/offer_answer.h"
#include "engine/session/options.h"
#include "engine/session/output.h"
#include "engine/session/reliable.h"
#include "engine/session/subscription.h"

namespace sipassay::session {

// Limits of this implementation.
inline constexpr std::size_t pending_requests_max = 64;  // requests received and not yet answered
inline constexpr std::size_t pracks_open_max = 64;       // PRACKs of ours without a final response
inline constexpr std::size_t acks_kept_max = 16;         // ACKs kept for a repeated 2xx
inline constexpr std::size_t subscriptions_max = 16;     // of one dialog

// The INVITE that makes the dialog.
struct ReceivedInvite {
  Message request;
  TransactionId transaction = 0;
};
struct SentInvite {
  Message request;  // as sent at last (after a retry with credentials)
};

// The SUBSCRIBE or REFER that makes the dialog.
struct ReceivedRequest {
  Message request;
  TransactionId transaction = 0;
};
struct SentRequest {
  Message request;  // as sent at last
  bool is_refreshed = true;
  // Expires of its 2xx, if that came first.
  std::optional<std::uint32_t> granted{};
};

// Why a request of ours has no final response.
enum class Failure : std::uint8_t { TimedOut, TransportFailed };

// An INVITE of ours that is not over: no final response, or a 2xx without our ACK.
struct OwnInvite {
  Message request;
  std::uint32_t cseq = 0;
  bool is_initial = false;
  bool was_answered = false;  // 2xx came, ack() is due
  bool was_provisional = false;
};
// An INVITE of theirs that is not over: no final response, or our 2xx has no ACK.
struct PeerInvite {
  Message request;
  TransactionId transaction = 0;
  std::uint32_t cseq = 0;
  bool is_initial = false;
  bool was_answered = false;  // 2xx sent, ACK due
};

class SessionDialog {
 public:
  using Result = std::expected<Message, SessionError>;
  using Status = std::expected<void, SessionError>;

  // UAS: the INVITE counts as received now; nothing is sent by itself.
  SessionDialog(ReceivedInvite initial, dialog::Dialog dialog, Settings settings, Rng rng,
                Instant now);
  // UAC: pass the response that made the dialog to receive_response() next.
  SessionDialog(SentInvite initial, dialog::Dialog dialog, Settings settings, Rng rng, Instant now);
  SessionDialog(ReceivedRequest initial, dialog::Dialog dialog, Settings settings, Rng rng,
                Instant now);
  SessionDialog(const SentRequest& initial, dialog::Dialog dialog, Settings settings, Rng rng,
                Instant now);
  ~SessionDialog();
  SessionDialog(SessionDialog&&) noexcept;
  SessionDialog& operator=(SessionDialog&&) noexcept;

  // --- sending; each returns the request to send. An error leaves no trace.
  // The ACK for the 2xx with that CSeq number; 0: the oldest one due. 13.2.2.4, 14.1.
  Result ack(const RequestOptions& options = {}, std::uint32_t cseq = 0, Instant now = {});
  // 15.1.1: the session is over with it; open requests of theirs are answered 487.
  Result bye(const RequestOptions& options = {}, Instant now = {});
  // True if bye() would be allowed now (15).
  bool may_bye() const;
  // RFC 6086: early dialogs too; a package must be in the peer's Recv-Info (4.2.1).
  Result info(const RequestOptions& options, std::string_view package = {});
  // re-INVITE (14.1); without a body the peer makes the offer.
  Result invite(const RequestOptions& options, Instant now);
  Result message(const RequestOptions& options);
  // A NOTIFY outside our subscriptions; Event and Subscription-State are the caller's headers.
  Result notify(const RequestOptions& options);
  // A subscription in this dialog, its refresh, or with expires 0 its end (RFC 6665 4.1.2, 4.5.2).
  Result subscribe(const SubscribeOptions& options, Instant now);
  // For the oldest reliable 1xx not yet acknowledged (RFC 3262 4), or for `response`.
  Result prack(const RequestOptions& options = {}, const Message* response = nullptr);
  // RFC 3515: Refer-To is added; a 2xx makes a subscription unless Refer-Sub: false came with it.
  Result refer(std::string_view refer_to, const RequestOptions& options, Instant now);
  // RFC 3311; without a body no offer/answer.
  Result update(const RequestOptions& options);
  // --- as notifier; `event` is the Event value of the subscription. NOTIFYs come out as Send, as
  // soon as their rate allows.
  Status grant_subscription(std::string_view event, Instant now);
  Status set_state(std::string_view event, Body state, Instant now);
  Status end_subscription(std::string_view event, std::string_view reason,
                          std::optional<std::uint32_t> retry_after, Instant now);
  // Progress of a REFER that we accepted: "SIP/2.0 180 Ringing". A final status ends the
  // subscription (RFC 3515 2.4.5, 2.4.7).
  Status notify(std::uint32_t refer_cseq, std::string_view status_line, Instant now);
  // Any other method in the dialog, without meaning for the session: OPTIONS, unknown ones; or
  // INFO, SUBSCRIBE and NOTIFY as no rule would have them.
  Result request(std::string_view method, const RequestOptions& options = {});
  // The same request with a new CSeq after a 401 or 407 (22.2); credentials are added by the
  // caller.
  Result retry(const Message& request);

  // --- answering what Deliver gave, or the initial INVITE: 101-199 (INVITE only), 2xx, 300-699.
  // The response comes out as Reply; a 2xx may be held (SuccessHeld), a reliable 1xx may queue.
  Status reply(TransactionId transaction, const ReplyOptions& options, Instant now);
  // The response as reply() would build it, without session logic: tests and broken peers.
  Message make_response(const Message& request, int status, std::string_view reason = {}) const;

  // --- receiving
  // A request with this dialog's id. ACK: transaction 0.
  void receive_request(const Message& request, TransactionId transaction, Instant now);
  // The agent has refused a request of this dialog by itself: its CSeq number is used up (12.2.2).
  void request_refused(const Message& request);
  // A CANCEL that matched an INVITE of this dialog (9.2): 487, rollback; nothing after a final
  // response.
  void receive_cancel(TransactionId cancelled, Instant now);
  void receive_response(const Message& request, const Message& response, Instant now);
  void request_failed(const Message& request, Failure failure, Instant now);
  // The server transaction ended without the ACK of our non-2xx, or could not send: nothing to do
  // but forget it (17.2.1).
  void transaction_ended(TransactionId transaction, Instant now);

  // --- time and outputs
  void advance(Instant now);
  std::optional<Instant> next_deadline() const;
  std::optional<Output> poll();

  // --- members of the seed that the above use; public for tests and tools
  // UAS: our 2xx goes out: early no more, ACK wait begins. Does nothing when confirmed or over.
  void confirm(Instant now);
  // The same for the open re-INVITE of the peer.
  void re_confirm(Instant now);
  // Session over, all timers stopped, everything pending forgotten; nothing is sent.
  void dispose();
  // False: drop it (duplicate or gap, RFC 3262 4). Commits the RSeq if in order.
  bool reliable_sequence_guard(const Message& response);
  bool signaling_state_rollback();
  OfferAnswerVerdict signaling_state_transition(Side side, Carrier carrier,
                                                const std::optional<Description>& description);

  const std::optional<Description>& offer() const;
  const std::optional<Description>& answer() const;
  SignalingState signaling_state() const;
  SessionState session_state() const;
  const OfferAnswer& offer_answer() const;
  // The newest INVITE of ours (re-INVITE, or initial) that is not over; nullptr if none.
  const OwnInvite* reinvite_user_agent_client() const;
  // The newest INVITE of theirs that is not over.
  const PeerInvite* reinvite_user_agent_server() const;

  // --- looking in
  const dialog::Dialog& dialog() const;
  dialog::DialogId id() const;
  const Settings& settings() const;
  bool is_call_id_owner() const;
  // Over, and no subscription lives on (RFC 5057 4): the agent may drop it.
  bool is_finished() const;
  std::size_t live_subscriptions() const;
  // Info-Packages the peer said it receives (RFC 6086); empty if it never said.
  const std::vector<std::string>& peer_recv_info() const;
  // The peer's INVITE or response allowed 100rel: reply() may be reliable.
  bool peer_supports_100rel() const;
  bool peer_allows(std::string_view method) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The body with disposition "session" of a message (RFC 3261 20.11, 7.3.1; multipart/mixed and
// alternative are searched, RFC 5621 4.2); nothing if there is none.
std::optional<Description> description_of(const Message& message);
// Exactly one INVITE makes a session usable for PRACK: Require or Supported lists 100rel.
bool allows_100rel(const Message& invite);

}  // namespace sipassay::session
