// Inside of SessionDialog, shared by its source files: its state, and one function a subject.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/session/failure.h"
#include "engine/session/session_dialog.h"
#include "engine/session/session_timer.h"

namespace sipassay::session {

struct SessionDialog::Impl {
  struct Own {
    OwnInvite info;
    ReliableReceiver receiver;
    bool was_offered = false;  // its offer stood in a reliable 1xx of the peer's
    bool owes_answer = false;  // the offer stood in its 2xx: the ACK must bring the answer
  };
  struct Peer {
    PeerInvite info;
    ReliableSender sender;
    bool allows_100rel = false;
    bool requires_100rel = false;
    bool moved_target = false;
    bool success_has_offer = false;        // its ACK must bring the answer
    std::optional<Message> success{};      // our 2xx
    std::optional<ReplyOptions> held{};    // a 2xx that waits for a PRACK
    std::optional<Message> provisional{};  // the last 101-199
    bool is_provisional_reliable = false;
    std::optional<Instant> refresh_at{};  // RFC 3261 13.3.1.1
    std::optional<Instant> expires_at{};  // RFC 3261 13.3.1
    std::optional<std::vector<std::string>> recv_info{};
  };
  struct Unpracked {  // a reliable 1xx received that prack() has not answered
    std::uint32_t cseq = 0;
    std::uint32_t rseq = 0;
    Message response;
    bool has_offer = false;
    bool has_answer = false;
  };
  struct OwnPrack {
    std::uint32_t cseq = 0;
    bool has_offer = false;
    bool is_for_description = false;
    bool was_undone = false;  // with the INVITE around it (RFC 6141 3.1): its answer is late
  };
  struct OwnUpdate {
    std::uint32_t cseq = 0;
    bool has_offer = false;
    bool was_undone = false;
  };
  struct Refresh {  // a request of ours that is nothing but a refresh (RFC 4028 10)
    Method method = Method::Update;
    std::uint32_t cseq = 0;
  };
  struct Pending {  // a request received, not INVITE, that waits for reply()
    Message request;
    Deliver::What what = Deliver::What::Other;
    std::uint32_t cseq = 0;
    bool has_offer = false;
    std::optional<std::vector<std::string>> recv_info;
    bool is_first_refer = false;
  };
  struct Finished {  // an INVITE of theirs that is over: late PRACKs (RFC 3262 3)
    std::uint32_t cseq = 0;
    ReliableSender sender;
  };

  Impl(dialog::Dialog a_dialog, Settings a_settings, Rng a_rng)
      : dialog(std::move(a_dialog)),
        settings(std::move(a_settings)),
        rng(a_rng),
        ack_wait(settings.t1, settings.t2) {}

  // --- session_dialog.cpp
  void put(Output output) { outputs.push_back(std::move(output)); }
  void violation(std::string_view rule, Clause clause, std::string expected, std::string observed);
  // StateChanged and SignalingChanged, if there is something to say.
  void note();
  SessionState state() const;
  void end(EndReason reason);
  void answer_all_pending(int status);
  Own* own_invite(std::uint32_t cseq);
  Peer* peer_invite(TransactionId transaction);
  Peer* peer_invite_by_cseq(std::uint32_t cseq);
  void finish_peer_invite(std::uint32_t cseq);
  OfferAnswerVerdict transition(Side side, Carrier carrier,
                                const std::optional<Description>& description);
  void invite_undone();
  void judge_offer(const Description& offer);
  void learn(const Message& message);  // Allow, Supported
  std::vector<Overlap> overlaps() const;
  Message make_response(const Message& request, int status, std::string_view reason) const;
  void add_dialog_headers(Message& response, const Message& request) const;

  // --- session_send.cpp
  // needs_session: false for what any usage may send while the dialog lives (RFC 5057 4).
  std::expected<void, SessionError> may_send(const RequestOptions& options, bool needs_confirmed,
                                             bool needs_session = true) const;
  Result make_request(std::string_view method, const RequestOptions& options);
  void fill(Message& request, const RequestOptions& options) const;
  bool may_bye() const;
  Result ack(const RequestOptions& options, std::uint32_t cseq);
  Result bye(const RequestOptions& options);
  Result invite(const RequestOptions& options);
  Result prack(const RequestOptions& options, const Message* response);
  Result update(const RequestOptions& options);
  Result retry(const Message& request);
  void send_bye();

  // --- session_reply.cpp
  Status reply(TransactionId transaction, const ReplyOptions& options, Instant now);
  Status reply_invite(Peer& peer, const ReplyOptions& options, Instant now);
  Status reply_provisional(Peer& peer, const ReplyOptions& options, Instant now);
  Status reply_success(Peer& peer, ReplyOptions options, Instant now);
  void reply_failure(Peer& peer, const ReplyOptions& options);
  bool succeed_instead(Peer& peer, Instant now);
  Status reply_other(Pending& pending, TransactionId transaction, const ReplyOptions& options,
                     Instant now);
  void release_held(Instant now);
  void confirm(Peer& peer, Instant now);
  void refresh_provisional(Peer& peer, Instant now);
  void note_refused(const Message& request);
  void refuse(const Message& request, TransactionId transaction, int status,
              bool has_retry_after = false);
  void add_recv_info(Message& response, const Message& request) const;

  // --- session_receive.cpp
  void receive_request(const Message& request, TransactionId transaction, Instant now);
  void receive_ack(const Message& request);
  void receive_bye(const Message& request, TransactionId transaction);
  void receive_invite(const Message& request, TransactionId transaction, std::uint32_t cseq,
                      Instant now);
  void receive_update(const Message& request, TransactionId transaction, std::uint32_t cseq);
  void receive_prack(const Message& request, TransactionId transaction, std::uint32_t cseq,
                     Instant now);
  void receive_info(const Message& request, TransactionId transaction, std::uint32_t cseq);
  void receive_method(const Message& request, TransactionId transaction, std::uint32_t cseq,
                      Instant now);
  void receive_cancel(TransactionId cancelled, Instant now);
  void deliver(Deliver::What what, const Message& request, TransactionId transaction,
               std::uint32_t cseq, bool has_offer = false);
  Peer& add_peer_invite(const Message& request, TransactionId transaction, std::uint32_t cseq,
                        bool is_initial, Instant now);

  // --- session_response.cpp
  void receive_response(const Message& request, const Message& response, Instant now);
  void invite_response(Own& own, const Message& response, Instant now);
  void invite_provisional(Own& own, const Message& response);
  void end_early();
  void invite_success(Own& own, const Message& response, Instant now);
  void invite_failed(std::uint32_t cseq, const Message* response, int status, Instant now);
  void update_answered(const Message& request, const Message* response, int status, Instant now);
  void prack_answered(std::uint32_t cseq, const Message* response, int status);
  void final_answer(const Message& request, const Message* response, int status, Instant now);
  bool schedule_retry(Method method, const Message* response, int status, Instant now);
  bool may_try_again(Method method);
  std::optional<Duration> retry_wait(Method method, const Message* response, int status);
  void suffer(Method method, int status);
  bool guard(Own& own, const Message& response);

  // --- session_refresh.cpp: session timers (RFC 4028)
  bool has_timers() const;
  void note_option_tags(const Message& initial);
  void ask_for_timer(Message& request) const;
  bool is_interval_refused(const Message& request, TransactionId transaction);
  void answer_timer(Message& response, const Message& request) const;
  void timer_granted_by_us(const Message& response, Instant now);
  void timer_granted_by_peer(const Message& request, const Message& response, Instant now);
  void start_timer(const std::optional<TimerGrant>& grant, RefresherRole own_role, Instant now);
  void note_timers(const Message& message);
  void refresh(Instant now);
  Result make_refresh();
  bool refresh_refused(Method method, std::uint32_t cseq, const Message* response, int status,
                       Instant now);
  // --- session_subscriptions.cpp
  using NotifierChange = std::function<void(Subscription&)>;
  Subscription* subscription(SubscriptionRole role, const Event& event);
  Subscription* subscription(SubscriptionRole role, std::string_view event);
  Subscription refer_subscription(SubscriptionRole role, std::uint32_t cseq, bool is_first) const;
  void begin_without_session();
  void begin_subscription(const SentRequest& initial, Instant now);
  std::size_t live_subscriptions() const;
  bool has_room();
  void changed(const Subscription& subscription);
  void drop_subscriptions();
  Result subscribe(const SubscribeOptions& options, Instant now);
  void refresh_subscription(Subscription& subscription, std::uint32_t expires, Instant now);
  void subscribe_answered(const Message& request, const Message* response, int status, Instant now);
  Result refer(std::string_view refer_to, const RequestOptions& options, Instant now);
  void refer_answered(std::uint32_t cseq, const Message* response, int status);
  void receive_notify(const Message& request, TransactionId transaction, std::uint32_t cseq,
                      Instant now);
  void judge_refer_notify(const Message& notify);
  void receive_subscribe(const Message& request, TransactionId transaction, std::uint32_t cseq);
  void receive_refer(const Message& request, TransactionId transaction, std::uint32_t cseq);
  void subscription_accepted(const Pending& done, const ReplyOptions& options,
                             const Message& response, Instant now);
  void send_owed(Instant now);
  Status with_notifier(std::string_view event, Instant now, const NotifierChange& change);
  Status notify(std::uint32_t refer_cseq, std::string_view status_line, Instant now);
  void notify_answered(const Message& request, int status);
  void advance_subscriptions(Instant now);

  // --- session_time.cpp
  void advance(Instant now);
  std::optional<Instant> next_deadline() const;
  void ack_missing(std::uint32_t cseq);

  dialog::Dialog dialog;
  Settings settings;
  Rng rng;
  OfferAnswer offers;
  AckWait ack_wait;
  std::deque<Output> outputs;

  bool is_over = false;
  bool was_bye_sent = false;
  bool was_ended_early = false;  // by a 199
  bool was_provisional_sent = false;
  bool initial_ack_waits = false;
  SessionState noted_state = SessionState::Initial;
  SignalingState noted_signaling = SignalingState::Initial;

  std::vector<Own> own_invites;
  std::vector<Peer> peer_invites;
  std::deque<Finished> finished;
  std::map<std::uint32_t, Message> acks;
  std::deque<Unpracked> unpracked;
  std::vector<OwnPrack> own_pracks;
  std::optional<OwnUpdate> own_update;
  std::map<TransactionId, Pending> pending;
  std::vector<Subscription> subscriptions;
  std::size_t own_refers = 0;
  std::size_t peer_refers = 0;
  // CSeq number and side of the INVITE whose exchange `offers` follows.
  std::optional<std::uint32_t> exchange_cseq;
  Side exchange_side = Side::Local;
  // What their next offer is compared with; nothing after a refused one, whose version may count or
  // not.
  std::optional<std::string> compared_sdp;
  bool was_refused_meanwhile = false;  // while our offer was open
  std::uint32_t newest_peer_invite = 0;

  std::optional<Instant> retry_invite_at, retry_update_at;
  std::map<Method, unsigned> retries;  // since the last 2xx, or since we gave up

  SessionTimer timer;
  std::optional<Refresh> open_refresh;
  std::optional<Duration> min_se;  // the largest heard in this dialog (RFC 4028 7.4)
  unsigned intervals_raised = 0;   // 422s followed since the last 2xx
  bool peer_knows_timers = false;
  bool refreshes_by_update = true;  // until the peer refuses one
  // UAC: tags of Require and Proxy-Require of the INVITE that made the dialog.
  std::vector<std::pair<HeaderId, std::string>> initial_requirements;
  std::vector<std::string> peer_recv_info;
  std::vector<std::string> peer_allow;
  bool peer_supports_100rel = false;
};

// The body of options as a description; nothing if it is something else.
std::optional<Description> description_of(const Body& body);
std::vector<std::string> recv_info_of(const Message& message);

}  // namespace sipassay::session
