// Inside the agent: calls, their dialogs, and who owns which transaction. Private to engine/agent.
//
// One class over several files, by subject: core.cpp (inputs, outputs, time), sending.cpp, uas.cpp
// (requests outside a dialog), callee.cpp (calls that came), caller.cpp (calls that we make),
// in_dialog.cpp (what sessions say), in_call.cpp (what is wanted in a call), outside.cpp (OPTIONS,
// MESSAGE), events.cpp (subscriptions), registering.cpp (REGISTER), transfer.cpp (REFER, Replaces).
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/agent/admission.h"
#include "engine/agent/agent.h"
#include "engine/agent/behaviour.h"
#include "engine/agent/digest.h"
#include "engine/agent/packages.h"
#include "engine/agent/registrar.h"
#include "engine/agent/registration.h"
#include "engine/agent/resolve.h"
#include "engine/agent/response.h"
#include "engine/sdp/negotiate.h"
#include "engine/session/session_dialog.h"

namespace sipassay::agent {

// Limits of this implementation.
inline constexpr std::size_t forks_max = 32;             // dialogs of one INVITE of ours
inline constexpr unsigned challenges_answered_max = 4;   // of one request of ours
inline constexpr std::size_t targets_max = 6;            // of one call that is redirected
inline constexpr unsigned intervals_raised_max = 5;      // 422s of one call (RFC 4028 7.3)
inline constexpr unsigned resubscriptions_max = 8;       // new subscriptions after one command
inline constexpr std::size_t waiting_messages_max = 64;  // MESSAGEs behind one that is pending
inline constexpr std::size_t ended_kept_max = 64;        // ids of ended dialogs, for Replaces
// Calls one inside the other, each made by a REFER that came in the one before. A chain that goes
// to and fro between agents looks to each like one REFER in a call that came; what bounds it is:
inline constexpr unsigned transfer_depth_max = 4;
inline constexpr std::size_t referred_calls_max = 1000;   // calls at a time that REFERs made
inline constexpr std::size_t registrations_max = 64;      // registrars of ours
inline constexpr std::size_t datagram_octets_max = 1300;  // RFC 3261 18.1.1: more goes by TCP
inline constexpr std::size_t without_tcp_max = 64;        // hosts known to refuse TCP
inline constexpr Duration without_tcp_for = 600s;         // then TCP is tried again
inline constexpr std::size_t overloaded_max = 64;         // servers that sent 503
inline constexpr Duration overload_max = 1h;              // is believed of a Retry-After

// What became of the offer of a change of ours, kept for the retry after a 491 (RFC 3261 14.1).
using Change = std::variant<Reinvite, Update>;

// A request of theirs that we answer later (behaviours slow-reinvite, slow-update, slow-message).
struct Deferred {
  enum class What : std::uint8_t { Reinvite, Update, Message };
  What what{};
  Instant due{};
  transaction::Id transaction = 0;
  bool has_offer = false;
};

// An ACK as sent, for the copies of its 2xx that may come (RFC 3261 13.2.2.4).
struct SentAck {
  std::uint32_t cseq = 0;
  Message ack;
  transaction::Destination to;
  bool was_too_long = false;  // as in ClientTransaction
};

// Our re-INVITE that has no final response, for CANCEL (RFC 3261 9.1).
struct OpenReinvite {
  transaction::Id transaction = 0;
  bool saw_provisional = false;
  bool wants_cancel = false;
  std::optional<Instant> abandon_due;  // 64*T1 after the CANCEL
};

// A subscription that we serve, as the behaviour of its user wants.
struct Served {
  std::string event;  // value of Event
  const EventPackage* package = nullptr;
  const Notifier* notifier = nullptr;
  std::optional<Instant> grant_due{}, change_due{}, end_due{};
  unsigned changes = 0;
};

// One dialog of a call: its session, and our side of its media.
struct CallDialog {
  CallDialog(session::SessionDialog s, sdp::LocalMedia m, Flow f)
      : session(std::move(s)), media(std::move(m)), flow(std::move(f)) {}

  session::SessionDialog session;
  sdp::LocalMedia media;
  Flow flow;                     // on which the peer was heard last
  dialog::DialogId key;          // in Core::dialogs_
  std::optional<Change> change;  // our last re-INVITE or UPDATE
  std::optional<Change> wanted;  // to be sent as soon as the dialog is free
  std::optional<Deferred> deferred;
  std::optional<OpenReinvite> reinvite;
  std::optional<int> reject_next;  // command Reject{next}
  std::deque<SentAck> acks;
  std::vector<Served> served;
  std::vector<std::string> subscribed;  // Event values of our subscriptions in it
  std::size_t own_requests = 0;         // client transactions that live
  bool is_over = false;                 // the session ended
  bool hangs_up_when_allowed = false;   // HangUp came before the ACK (RFC 3261 15)
  bool was_acknowledged = false;        // UAS: the ACK of the initial 2xx came
};

// The INVITE of a call that came.
struct ServerInvite {
  transaction::Id transaction = 0;
  Message request;
  const Behaviour* behaviour = nullptr;
  std::string answer;  // to its offer; empty: it had none
  bool has_offer = false;
  bool has_final = false;
  bool allows_100rel = false, requires_100rel = false;
  bool last_was_reliable = false;
  std::optional<dialog::DialogId> replaces;  // dialog to end once this call is answered (RFC 3891)
  bool replaces_early = false;
};

// The INVITE of a call that we make.
struct ClientInvite {
  Call command;
  transaction::Id transaction = 0;       // 0: it is over
  Message request;                       // as sent last
  std::optional<sdp::LocalMedia> media;  // as it was when the offer was sent; copied to each fork
  unsigned challenges = 0;
  unsigned intervals_raised = 0;
  bool saw_provisional = false;
  bool saw_success = false;
  bool wants_cancel = false;  // as soon as a provisional response comes (RFC 3261 9.1)
  bool was_cancelled = false;
  // The target set of a call that follows redirections, its own URI first; empty before the first.
  std::vector<std::string> targets;
  std::size_t tried = 0;  // the last one of them that an INVITE went to
  void add_target(std::string uri);
};

// A SUBSCRIBE or REFER of ours outside a dialog; each fork's NOTIFY makes a dialog of the call.
struct ClientSubscription {
  Subscribe command;                // for a new one when this one ends
  transaction::Id transaction = 0;  // 0: it is over
  Message request;                  // as sent last
  unsigned challenges = 0;
  unsigned attempts = 0;
  bool had_notify = false;
  std::optional<std::uint32_t> granted;  // Expires of its 2xx
  std::optional<Instant> timer_n;        // RFC 6665 4.1.2.4
  std::optional<Instant> again_due;
};

// Who hears of the progress of a call: the subscription of a REFER (RFC 3515 2.4.4).
struct Referrer {
  CallId call = 0;
  dialog::DialogId dialog;
  std::uint32_t cseq = 0;
};

struct LiveCall {
  CallId id = 0;
  std::optional<ServerInvite> server;
  std::optional<ClientInvite> client;
  std::optional<ClientSubscription> subscriber;  // a dialog of subscriptions only; no call
  const Behaviour* served_by = nullptr;          // the same, as notifier
  std::vector<std::unique_ptr<CallDialog>> dialogs;
  std::optional<dialog::DialogId> chosen;  // the confirmed dialog of a forked call
  std::optional<Referrer> referrer;
  unsigned depth = 0;      // REFERs that led to it
  bool has_ended = false;  // CallEnded was told

  std::span<const Step> steps{};
  std::optional<Instant> step_due, expires_due, give_up_due, abandon_due;
  std::optional<Instant> scheduled;  // as in Core::schedule_

  CallDialog* find(const dialog::DialogId& key);
  // The dialog to command and to look into: the chosen one, else the first that lives.
  CallDialog* primary();
};

struct ClientTransaction {
  enum class What : std::uint8_t {
    Invite,
    InDialog,
    Cancel,
    Subscription,
    Outside,
    Register
  } what = What::Outside;
  CallId call = 0;
  dialog::DialogId dialog{};
  Message request{};  // as sent
  unsigned challenges = 0;
  transaction::Destination to{};
  bool was_too_long = false;  // for a datagram, so it went by TCP (RFC 3261 18.1.1)
  std::string registrar{};
};

// Our registration with one registrar.
struct OwnRegistration {
  Registration registration;
  std::string call_id{};
  std::uint32_t cseq = 0;
  std::string contact{};  // in brackets
};

struct ServerTransaction {
  CallId call = 0;
  dialog::DialogId dialog;
};

class Core {
 public:
  Core(Settings settings, Rng rng);

  void handle(Input input, Instant now);
  Output poll();

  CallId newest_call() const;
  const session::SessionDialog* session(CallId call) const;
  bool has_call(CallId call) const { return calls_.contains(call); }
  std::size_t live_calls() const { return calls_.size(); }
  std::size_t live_transactions() const { return layer_.size(); }
  CallId last_id() const { return last_call_; }
  Census census() const;

 private:
  // --- core.cpp: inputs and outputs
  void on(MessageReceived input);
  void on(GarbageReceived input);
  void on(DeliveryFailed input);
  void on(FlowClosed input);
  void on(TimePassed);
  void on(const Command& command);
  void drain();
  void route(transaction::Transmit output);
  void route(transaction::RequestReceived output);
  void route(transaction::CancelReceived output);
  void route(transaction::ResponseReceived output);
  void route(transaction::StrayResponse output);
  void route(transaction::TimedOut output);
  void route(transaction::TransportFailed output);
  void route(transaction::Terminated output);
  void route(const transaction::Unexpected& output);
  void client_failed(transaction::Id id, session::Failure failure);
  void emit(Event event) { outputs_.emplace_back(std::move(event)); }
  void violate(CallId call, std::string_view rule, Clause clause, std::string expected,
               std::string observed);
  std::optional<Instant> next_deadline() const;

  // --- core.cpp: time
  void advance_calls();
  void advance(LiveCall& call);
  void reschedule(LiveCall& call);
  void touch(CallId call);
  void sweep();
  std::optional<Instant> deadline_of(const LiveCall& call) const;

  // --- sending.cpp
  // Adds the Via and starts a client transaction; else why it was not sent.
  std::expected<transaction::Id, std::string_view> send(Message& request, const Flow* flow,
                                                        ClientTransaction owner);
  std::expected<transaction::Destination, Unresolved> destination(const Message& request,
                                                                  const Flow* flow);
  bool add_via(Message& request, const transaction::Destination& to);
  // Adds the Via; what is too long for a datagram gets a TCP destination, if there is one.
  bool address(Message& request, transaction::Destination& to);
  bool send_by_datagram(transaction::Id failed);
  void note_without_tcp(const Endpoint& host);
  bool is_without_tcp(const Endpoint& host) const;
  void spare(const Endpoint& server, const Message& response);
  bool is_spared(const Endpoint& server) const;
  void respond(transaction::Id transaction, Message response, const Flow& flow);
  void respond(transaction::Id transaction, const Message& request, const Refusal& refusal,
               const Flow& flow);
  void respond_statelessly(Message response, const Flow& flow);
  void add_server_fields(Message& response) const;

  // --- uas.cpp
  void receive_request(transaction::Id transaction, const Message& request, const Flow& flow);
  bool is_challenged(const MethodRow& row, transaction::Id transaction, const Message& request,
                     const Flow& flow, const Behaviour& behaviour);
  void receive_outside(const MethodRow& row, transaction::Id transaction, const Message& request,
                       const Flow& flow);
  void receive_options(transaction::Id transaction, const Message& request, const Flow& flow);
  void receive_register(transaction::Id transaction, const Message& request, const Flow& flow,
                        const Behaviour& behaviour);
  bool redirect_to_bindings(transaction::Id transaction, const Message& request, const Flow& flow,
                            const Behaviour& behaviour);
  void receive_message(transaction::Id transaction, const Message& request, const Flow& flow);
  std::optional<Refusal> admit(const Message& request, bool has_dialog,
                               const Behaviour* behaviour) const;
  const Behaviour* called(const Message& request) const;
  digest::Server* authenticator(Authentication authentication);
  std::optional<Refusal> authenticate(Authentication authentication, const Message& request,
                                      Message& challenge);
  Capabilities capabilities(const Behaviour* behaviour) const;
  Message options_response(const Message& request, int status);
  std::string local_host(const Flow& flow) const;
  std::string contact_for(std::string_view user, const Flow& flow, bool is_sips = false) const;
  session::Settings session_settings(std::string_view user, const Flow& flow,
                                     const Behaviour* behaviour, bool is_sips) const;
  const session::TimerSettings& timer_settings(const Behaviour* behaviour) const;
  sdp::LocalMedia make_media(const Flow& flow, bool has_video);

  // --- callee.cpp
  void receive_invite(transaction::Id transaction, const Message& request, const Flow& flow,
                      const Behaviour& behaviour);
  std::optional<std::uint32_t> owed_min_se(const Message& invite, const Behaviour& behaviour) const;
  void start_steps(LiveCall& call, std::span<const Step> steps);
  void run_step(LiveCall& call);
  void command(const Ring& command);
  void command(const Answer& command);
  void command(const Reject& command);
  void command(const Redirect& command);
  void progress(LiveCall& call, int status, Reliability reliable, bool has_sdp);
  void progress_reinvite(LiveCall& call, CallDialog& dialog, const Ring& wish);
  void accept(LiveCall& call);
  void reject(LiveCall& call, int status, std::vector<session::HeaderLine> headers = {});
  void answered(LiveCall& call);

  // --- caller.cpp
  void command(const Call& command);
  void command(const Cancel& command);
  CallId start_call(Call command, std::optional<Referrer> referrer, unsigned depth);
  void send_invite(LiveCall& call);
  Message make_invite(LiveCall& call, const Flow& flow);
  void receive_invite_response(LiveCall& call, const Message& response, const Flow& flow);
  void receive_invite_failure(LiveCall& call, const Message& response);
  bool answer_invite_challenge(LiveCall& call, const Message& response);
  bool follow_redirect(LiveCall& call, const Message& response);
  bool try_next_target(LiveCall& call);
  bool raise_interval(LiveCall& call, const Message& response);
  bool send_invite_again(LiveCall& call, Message invite);
  CallDialog* fork_for(LiveCall& call, const Message& response, const Flow& flow);
  void send_cancel(LiveCall& call);
  bool send_cancel_for(CallId call, transaction::Id invite);
  void cancel_reinvite(LiveCall& call, CallDialog& dialog);
  void invite_failed(LiveCall& call, int status, std::string_view reason);
  void invite_terminated(LiveCall& call);

  // --- in_dialog.cpp
  void pump(LiveCall& call, CallDialog& dialog);
  void route(LiveCall& call, CallDialog& dialog, session::Output output);
  void on(LiveCall& call, CallDialog& dialog, session::Reply output);
  void on(LiveCall& call, CallDialog& dialog, session::Resend output);
  void on(LiveCall& call, CallDialog& dialog, session::Send output);
  void on(LiveCall& call, CallDialog& dialog, session::RepeatAck output);
  void on(LiveCall& call, CallDialog& dialog, session::Deliver output);
  void on(LiveCall& call, CallDialog& dialog, session::Progressed output);
  void on(LiveCall& call, CallDialog& dialog, session::Answered output);
  void on(LiveCall& call, CallDialog& dialog, session::Rejected output);
  void on(LiveCall& call, CallDialog& dialog, session::Responded output);
  void on(LiveCall& call, CallDialog& dialog, session::RetryDue output);
  void on(LiveCall& call, CallDialog& dialog, session::AckMissing output);
  void on(LiveCall& call, CallDialog& dialog, session::PrackMissing output);
  void on(LiveCall& call, CallDialog& dialog, session::SuccessHeld output);
  void on(LiveCall& call, CallDialog& dialog, session::SessionChanged output);
  void on(LiveCall& call, CallDialog& dialog, session::RolledBack output);
  void on(LiveCall& call, CallDialog& dialog, session::SignalingChanged output);
  void on(LiveCall& call, CallDialog& dialog, session::StateChanged output);
  void on(LiveCall& call, CallDialog& dialog, session::SubscriptionChanged output);
  void on(LiveCall& call, CallDialog& dialog, session::ResynchroniseWanted output);
  void on(LiveCall& call, CallDialog& dialog, session::Violation output);
  void on(LiveCall& call, CallDialog& dialog, session::Ended output);
  void deliver_ack(LiveCall& call, CallDialog& dialog, const Message& ack);
  void deliver_change(LiveCall& call, CallDialog& dialog, const session::Deliver& request);
  void answer_change(LiveCall& call, CallDialog& dialog, transaction::Id transaction,
                     bool is_update, bool has_offer);
  void note_reinvite(LiveCall& call, CallDialog& dialog, const Message& response);
  void deliver_prack(LiveCall& call, CallDialog& dialog, const session::Deliver& request);
  void deliver_info(LiveCall& call, CallDialog& dialog, const session::Deliver& request);
  void deliver_message(LiveCall& call, CallDialog& dialog, const session::Deliver& request);
  void deliver_notify(LiveCall& call, CallDialog& dialog, const session::Deliver& request);
  void reply(LiveCall& call, CallDialog& dialog, transaction::Id transaction,
             session::ReplyOptions options);
  bool send_in_dialog(LiveCall& call, CallDialog& dialog, session::SessionDialog::Result request);
  void send_ack(CallDialog& dialog, Message ack, std::uint32_t cseq);
  void receive_in_dialog_response(const ClientTransaction& owner, const Message& response,
                                  const Flow& flow);
  bool answer_challenge(const ClientTransaction& owner, const Message& response);
  void end(LiveCall& call, std::string reason);

  // --- in_call.cpp
  void hang_up(LiveCall& call, CallDialog& dialog, std::string_view reason_value = {});
  bool try_change(LiveCall& call, CallDialog& dialog, const Change& change);
  void try_wanted(LiveCall& call, CallDialog& dialog);
  void command(const HangUp& command);
  void command(const Reinvite& command);
  void command(const Update& command);
  void command(const SendInfo& command);
  void command(const SendRefer& command);

  // --- outside.cpp
  void command(const SendMessage& command);
  void command(const SendOptions& command);
  Message make_outside(std::string_view method, std::string_view target, const Flow& flow,
                       std::string_view user = {});
  void send_outside(Message request, unsigned challenges);
  void receive_outside_response(const ClientTransaction& owner, const Message& response);

  void send_message(const SendMessage& wish);
  void outside_ended(const Message& request);

  // --- events.cpp
  std::optional<Refusal> check_subscribe(const Message& request, const Behaviour* behaviour,
                                         bool is_known) const;
  void receive_usage(transaction::Id transaction, const Message& request, const Flow& flow,
                     const Behaviour& behaviour);
  LiveCall& add_usage_call();
  void deliver_subscribe(LiveCall& call, CallDialog& dialog, const session::Deliver& request);
  void serve(CallDialog& dialog, const EventPackage& package, const Notifier& notifier,
             std::string event);
  void advance_served(LiveCall& call, CallDialog& dialog);
  void command(const Subscribe& command);
  void command(const Unsubscribe& command);
  void subscribe_in_dialog(LiveCall& call, CallDialog& dialog, std::string event,
                           std::uint32_t expires);
  void start_subscription(Subscribe wish, unsigned attempts);
  void send_subscription(LiveCall& call);
  void subscription_failed(LiveCall& call, int status);
  void receive_subscription_response(LiveCall& call, const Message& response, const Flow& flow);
  bool notify_makes_dialog(transaction::Id transaction, const Message& notify, const Flow& flow);
  void advance_subscriber(LiveCall& call);

  // --- registering.cpp
  void command(const Register& command);
  void send_register(const std::string& registrar);
  void send_register(const std::string& registrar, Message request, unsigned challenges);
  void receive_register_response(const ClientTransaction& owner, const Message& response);
  void register_failed(const std::string& registrar, int status);
  void advance_registrations();

  // --- transfer.cpp
  void deliver_refer(LiveCall& call, CallDialog& dialog, const session::Deliver& request);
  void receive_refer_outside(transaction::Id transaction, const Message& request, const Flow& flow,
                             const Behaviour& behaviour);
  void refer_outside(const SendRefer& wish, const session::SessionDialog* about);
  std::optional<Call> call_for(const Message& refer) const;
  bool may_call_for_referrer(const LiveCall& call) const;
  void tell_referrer(LiveCall& call, int status, std::string_view reason);
  // RFC 3891 3: the dialog that an INVITE replaces, or why it may not.
  Authentication guard_of(const dialog::DialogId& replaced, const Behaviour& called);
  std::optional<Refusal> check_replaces(const Message& request,
                                        std::optional<dialog::DialogId>& replaced, bool& is_early);
  void end_replaced(LiveCall& call);

  LiveCall* find_call(CallId id);
  LiveCall* live_or_newest(CallId id);
  CallDialog* find_dialog(const dialog::DialogId& key, LiveCall** call = nullptr);
  CallDialog& add_dialog(LiveCall& call, std::unique_ptr<CallDialog> dialog);
  Flow default_flow(std::string_view target) const;
  // The dice of a session: a call by itself waits as long as it would among others.
  Rng rng_for(const Message& invite) const;

  Settings settings_;
  Rng rng_;
  std::uint64_t tag_secret_;
  std::uint64_t session_secret_;
  transaction::Layer layer_;
  digest::Client digest_client_;
  digest::Server digest_server_;
  digest::Server digest_proxy_;
  std::optional<Registrar> registrar_;
  Instant now_{};
  std::deque<Output> outputs_;

  CallId last_call_ = 0;
  std::map<CallId, LiveCall> calls_;
  std::map<dialog::DialogId, CallId> dialogs_;
  std::map<transaction::Id, ClientTransaction> clients_;
  std::map<transaction::Id, ServerTransaction> servers_;
  std::set<std::pair<Instant, CallId>> schedule_;
  std::set<CallId> touched_;
  std::map<std::string, Instant> without_tcp_;  // "host:port" of whoever refused TCP: until when
  std::optional<int> reject_next_;              // command Reject{next} when there is no call
  std::map<std::string, Instant> overloaded_;   // "host:port", until when it is spared
  std::map<std::string, OwnRegistration> registrations_;  // by the registrar's URI
  std::set<std::string> pending_messages_;                // their Request-URIs (RFC 3428 8)
  std::deque<std::pair<std::string, SendMessage>> waiting_messages_;
  std::deque<dialog::DialogId> ended_;  // of calls, for RFC 3891 3
};

// The pimpl of agent.h.
struct Agent::Impl : Core {
  using Core::Core;
};

}  // namespace sipassay::agent
