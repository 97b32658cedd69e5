#include "engine/session/session_dialog.h"

#include <algorithm>
#include <utility>

#include "engine/message/header/all.h"
#include "engine/message/multipart.h"
#include "engine/sdp/negotiate.h"
#include "engine/session/session_dialog_impl.h"

namespace sipassay::session {

std::optional<Description> description_of(const Message& message) {
  const auto contents = body_contents(message);
  if (!contents || !contents->session) return std::nullopt;
  return Description{std::string(contents->session->content_type),
                     std::string(contents->session->octets)};
}

std::optional<Description> description_of(const Body& body) {
  if (body.is_empty()) return std::nullopt;
  Message carrier = Message::request("INVITE", "sip:x");
  carrier.set_body(body.type, body.octets);
  if (!body.disposition.empty()) carrier.set(HeaderId::ContentDisposition, body.disposition);
  return description_of(carrier);
}

bool allows_100rel(const Message& invite) {
  return has_token(invite, HeaderId::Require, "100rel") ||
         has_token(invite, HeaderId::Supported, "100rel");
}

std::vector<std::string> recv_info_of(const Message& message) {
  std::vector<std::string> out;
  for (const auto& package : message.all<RecvInfo>())
    if (package) out.emplace_back(package->token);
  return out;
}

// --- Impl: what all parts use

void SessionDialog::Impl::violation(std::string_view rule, Clause clause, std::string expected,
                                    std::string observed) {
  put(Violation{Finding{rule, clause, std::move(expected), std::move(observed)}});
}

SessionState SessionDialog::Impl::state() const {
  if (is_over) return SessionState::Terminated;
  if (dialog.is_early()) {
    const bool has_begun = dialog.role() == dialog::Role::Uac || was_provisional_sent;
    return has_begun ? SessionState::Early : SessionState::Initial;
  }
  return initial_ack_waits ? SessionState::AckWait : SessionState::Confirmed;
}

void SessionDialog::Impl::note() {
  if (const SignalingState now = offers.state(); now != noted_signaling)
    put(SignalingChanged{std::exchange(noted_signaling, now), now});
  if (const SessionState now = state(); now != noted_state)
    put(StateChanged{std::exchange(noted_state, now), now});
}

// RFC 5407 2, Mortal: nothing of the session may act any more; refer subscriptions live on (5057).
void SessionDialog::Impl::end(EndReason reason) {
  if (is_over) return;
  is_over = true;
  ack_wait.stop();
  initial_ack_waits = false;
  peer_invites.clear();
  finished.clear();
  pending.clear();
  unpracked.clear();
  own_pracks.clear();
  own_update.reset();
  retry_invite_at.reset();
  retry_update_at.reset();
  timer.session_ended();
  open_refresh.reset();
  offers.close();
  note();
  put(Ended{reason});
}

// RFC 3261 15.1.2: requests that wait when the session ends are answered, 487 recommended.
void SessionDialog::Impl::answer_all_pending(int status) {
  for (const Peer& peer : peer_invites)
    if (!peer.info.was_answered)
      put(Reply{peer.info.transaction, make_response(peer.info.request, status, {})});
  for (const auto& [transaction, waiting] : pending)
    put(Reply{transaction, make_response(waiting.request, status, {})});
}

SessionDialog::Impl::Own* SessionDialog::Impl::own_invite(std::uint32_t cseq) {
  const auto own =
      std::ranges::find_if(own_invites, [&](const Own& o) { return o.info.cseq == cseq; });
  return own == own_invites.end() ? nullptr : &*own;
}

SessionDialog::Impl::Peer* SessionDialog::Impl::peer_invite(TransactionId transaction) {
  const auto peer = std::ranges::find_if(
      peer_invites, [&](const Peer& p) { return p.info.transaction == transaction; });
  return peer == peer_invites.end() ? nullptr : &*peer;
}

SessionDialog::Impl::Peer* SessionDialog::Impl::peer_invite_by_cseq(std::uint32_t cseq) {
  const auto peer =
      std::ranges::find_if(peer_invites, [&](const Peer& p) { return p.info.cseq == cseq; });
  return peer == peer_invites.end() ? nullptr : &*peer;
}

void SessionDialog::Impl::finish_peer_invite(std::uint32_t cseq) {
  constexpr std::size_t finished_max = 4;
  Peer* peer = peer_invite_by_cseq(cseq);
  if (peer == nullptr) return;
  peer->sender.stop();
  if (finished.size() == finished_max) finished.pop_front();
  finished.push_back({cseq, std::move(peer->sender)});
  std::erase_if(peer_invites, [&](const Peer& p) { return p.info.cseq == cseq; });
}

OfferAnswerVerdict SessionDialog::Impl::transition(Side side, Carrier carrier,
                                                   const std::optional<Description>& description) {
  const OfferAnswerVerdict verdict = offers.apply(side, carrier, description);
  if (verdict.is_violation() && side == Side::Remote)
    violation(verdict.rule, verdict.clause, "a legal place for an offer or answer (RFC 6337 2.2)",
              std::string(to_string(carrier)) + (description ? " with SDP" : " without SDP") +
                  " in state " + std::string(to_string(verdict.from)));
  switch (verdict.action) {
    case Action::TakeOffer:
      if (side == Side::Remote) judge_offer(*description);
      break;
    case Action::TakeAnswer:
    case Action::TakePreview:
      if (offers.remote()) compared_sdp = offers.remote()->octets;
      if (std::exchange(was_refused_meanwhile, false)) compared_sdp.reset();
      put(SessionChanged{});
      break;
    case Action::Rollback:
    case Action::MissingAnswer:
      compared_sdp.reset();
      was_refused_meanwhile = false;
      if (verdict.from != verdict.to || verdict.action == Action::Rollback)
        put(RolledBack{offers.state()});
      break;
    default:
      break;
  }
  if (carrier == Carrier::InviteFailure) invite_undone();
  return verdict;
}

// RFC 6141 3.1: offers inside a failed INVITE are undone with it, whoever has not answered them
// yet.
void SessionDialog::Impl::invite_undone() {
  if (own_update) own_update->was_undone = true;
  for (OwnPrack& prack : own_pracks) prack.was_undone = true;
  std::vector<TransactionId> orphans;
  for (const auto& [transaction, waiting] : pending)
    if (waiting.has_offer) orphans.push_back(transaction);
  for (const TransactionId transaction : orphans) {
    const Pending waiting = std::move(pending.at(transaction));
    pending.erase(transaction);
    dialog.discard_target(waiting.cseq);
    refuse(waiting.request, transaction, 488);
  }
}

// RFC 3264 5 for the first offer, 8 for one that changes the session.
void SessionDialog::Impl::judge_offer(const Description& offer) {
  if (!settings.judges_sdp) return;
  std::vector<Finding> departures;
  const auto now = sdp::parse_lenient(offer.octets, departures);
  for (Finding& finding : departures) put(Violation{std::move(finding)});
  if (!now) {
    violation("sdp-malformed", clause(now.error().code), "a session description (RFC 8866 9)",
              to_string(now.error()));
    return;
  }
  std::vector<Finding> ignored;
  const auto before = compared_sdp ? sdp::parse_lenient(*compared_sdp, ignored)
                                   : Parsed<sdp::Description>(std::unexpected(Error{}));
  for (Finding& finding : before ? sdp::check_next_offer(*before, *now) : sdp::check_offer(*now))
    put(Violation{std::move(finding)});
}

void SessionDialog::Impl::learn(const Message& message) {
  if (message.has(HeaderId::Allow)) {
    peer_allow.clear();
    for (const auto& method : message.all<Allow>())
      if (method) peer_allow.emplace_back(method->token);
  }
  if (message.is_request() && message.method() == Method::Invite)
    peer_supports_100rel = allows_100rel(message);
}

std::vector<Overlap> SessionDialog::Impl::overlaps() const {
  std::vector<Overlap> out;
  for (const Own& own : own_invites)
    out.push_back(own.info.was_answered ? Overlap::OwnInviteUnacked : Overlap::OwnInvite);
  for (const Peer& peer : peer_invites) {
    if (!peer.info.was_answered) {
      out.push_back(Overlap::PeerInvite);
      const auto* sent = peer.sender.unacknowledged();
      if (sent != nullptr && sent->has_description) out.push_back(Overlap::OwnReliable);
    } else {
      out.push_back(peer.success_has_offer ? Overlap::PeerOfferUnacked
                                           : Overlap::PeerAnswerUnacked);
    }
  }
  if (own_update)
    out.push_back(own_update->has_offer ? Overlap::OwnUpdateOffer : Overlap::OwnUpdate);
  for (const auto& [transaction, waiting] : pending)
    if (waiting.what == Deliver::What::Update) out.push_back(Overlap::PeerUpdate);
  const bool is_ours = offers.state() == SignalingState::HaveLocalOffer;
  const auto carrier = offers.offered_in();
  if (carrier == Carrier::Invite || carrier == Carrier::Prack)
    out.push_back(is_ours ? Overlap::OwnOffer : Overlap::PeerOffer);
  if (carrier == Carrier::ReliableProvisional || (carrier == Carrier::InviteSuccess && !is_ours))
    out.push_back(is_ours ? Overlap::OwnOfferInResponse : Overlap::PeerOfferInResponse);
  if (offers.invite_exchange() == InviteExchange::Owed && exchange_cseq)
    out.push_back(exchange_side == Side::Local ? Overlap::OwnInviteOwed : Overlap::PeerInviteOwed);
  const bool has_prack = std::ranges::any_of(own_pracks, &OwnPrack::is_for_description) ||
                         std::ranges::any_of(unpracked, [](const Unpracked& u) {
                           return u.has_offer || u.has_answer;
                         });
  if (has_prack) out.push_back(Overlap::OwnPrack);
  return out;
}

Message SessionDialog::Impl::make_response(const Message& request, int status,
                                           std::string_view reason) const {
  // An empty reason stands for the default phrase.
  Message response = Message::response(status, reason.empty() ? std::string_view() : reason);
  for (std::size_t i = 0; i < request.line_count(HeaderId::Via); ++i)
    response.add(HeaderId::Via, request.field(*request.find(HeaderId::Via, i)).value);
  response.add(HeaderId::From, request.raw(HeaderId::From));
  std::string to(request.raw(HeaderId::To));
  const auto parsed = request.maybe<To>();
  // RFC 3261 8.2.6.2: every response but 100 has a To tag.
  if (status > 100 && parsed && parsed->tag().empty()) to += ";tag=" + dialog.id().local_tag;
  response.add(HeaderId::To, to);
  response.add(HeaderId::CallId, request.raw(HeaderId::CallId));
  response.add(HeaderId::CSeq, request.raw(HeaderId::CSeq));
  return response;
}

// RFC 3261 12.1.1: Record-Route as received, Contact; 13.3.1.4, 20.5: Allow, Supported.
void SessionDialog::Impl::add_dialog_headers(Message& response, const Message& request) const {
  for (std::size_t i = 0; i < request.line_count(HeaderId::RecordRoute); ++i)
    response.add(HeaderId::RecordRoute,
                 request.field(*request.find(HeaderId::RecordRoute, i)).value);
  response.add(HeaderId::Contact, settings.contact);
  const auto add_list = [&response](HeaderId id, const std::vector<std::string>& values) {
    std::string text;
    for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
    if (!text.empty()) response.add(id, text);
  };
  add_list(HeaderId::Allow, settings.allow);
  add_list(HeaderId::Supported, settings.supported);
}

// --- the public face

SessionDialog::SessionDialog(ReceivedInvite initial, dialog::Dialog dialog, Settings settings,
                             Rng rng, Instant now)
    : impl_(std::make_unique<Impl>(std::move(dialog), std::move(settings), rng)) {
  const auto cseq = initial.request.maybe<CSeq>();
  impl_->add_peer_invite(initial.request, initial.transaction, cseq ? cseq->number : 0, true, now);
  impl_->peer_recv_info = recv_info_of(initial.request);
  impl_->note_timers(initial.request);
  impl_->noted_state = impl_->state();
  impl_->noted_signaling = impl_->offers.state();
}

SessionDialog::SessionDialog(SentInvite initial, dialog::Dialog dialog, Settings settings, Rng rng,
                             Instant)
    : impl_(std::make_unique<Impl>(std::move(dialog), std::move(settings), rng)) {
  const auto cseq = initial.request.maybe<CSeq>();
  const std::uint32_t number = cseq ? cseq->number : 0;
  impl_->offers.apply(Side::Local, Carrier::Invite, description_of(initial.request));
  impl_->exchange_cseq = number;
  impl_->exchange_side = Side::Local;
  impl_->note_option_tags(initial.request);
  impl_->own_invites.push_back({OwnInvite{std::move(initial.request), number, true}, {}});
  // A dialog made by a 2xx is confirmed when that 2xx is passed in.
  impl_->noted_state = SessionState::Early;
  impl_->noted_signaling = impl_->offers.state();
}

SessionDialog::SessionDialog(ReceivedRequest initial, dialog::Dialog dialog, Settings settings,
                             Rng rng, Instant now)
    : impl_(std::make_unique<Impl>(std::move(dialog), std::move(settings), rng)) {
  impl_->begin_without_session();
  const auto cseq = initial.request.maybe<CSeq>();
  impl_->receive_method(initial.request, initial.transaction, cseq ? cseq->number : 0, now);
}

SessionDialog::SessionDialog(const SentRequest& initial, dialog::Dialog dialog, Settings settings,
                             Rng rng, Instant now)
    : impl_(std::make_unique<Impl>(std::move(dialog), std::move(settings), rng)) {
  impl_->begin_without_session();
  impl_->begin_subscription(initial, now);
}

SessionDialog::~SessionDialog() = default;
SessionDialog::SessionDialog(SessionDialog&&) noexcept = default;
SessionDialog& SessionDialog::operator=(SessionDialog&&) noexcept = default;

SessionDialog::Result SessionDialog::ack(const RequestOptions& options, std::uint32_t cseq,
                                         Instant) {
  auto out = impl_->ack(options, cseq);
  impl_->note();
  return out;
}
SessionDialog::Result SessionDialog::bye(const RequestOptions& options, Instant) {
  return impl_->bye(options);
}
bool SessionDialog::may_bye() const {
  return impl_->may_bye();
}
SessionDialog::Result SessionDialog::info(const RequestOptions& options, std::string_view package) {
  if (const auto may = impl_->may_send(options, false); !may) return std::unexpected(may.error());
  // RFC 6086 4.2.1 MUST NOT.
  if (!package.empty() &&
      std::ranges::find(impl_->peer_recv_info, package) == impl_->peer_recv_info.end())
    return std::unexpected(session_error(SessionErrorCode::PackageNotListed));
  RequestOptions all = options;
  if (!package.empty()) {
    all.headers.push_back({"Info-Package", std::string(package)});
    // RFC 6086 4.3.1: the body of a package has this disposition.
    if (!all.body.is_empty() && all.body.disposition.empty()) all.body.disposition = "Info-Package";
  }
  return impl_->make_request("INFO", all);
}
SessionDialog::Result SessionDialog::invite(const RequestOptions& options, Instant) {
  auto out = impl_->invite(options);
  impl_->note();
  return out;
}
SessionDialog::Result SessionDialog::message(const RequestOptions& options) {
  if (const auto may = impl_->may_send(options, true); !may) return std::unexpected(may.error());
  return impl_->make_request("MESSAGE", options);
}
SessionDialog::Result SessionDialog::notify(const RequestOptions& options) {
  if (const auto may = impl_->may_send(options, true); !may) return std::unexpected(may.error());
  return impl_->make_request("NOTIFY", options);
}
SessionDialog::Result SessionDialog::subscribe(const SubscribeOptions& options, Instant now) {
  return impl_->subscribe(options, now);
}
SessionDialog::Status SessionDialog::grant_subscription(std::string_view event, Instant now) {
  return impl_->with_notifier(event, now, [&](Subscription& ours) { ours.grant(now); });
}
SessionDialog::Status SessionDialog::set_state(std::string_view event, Body state, Instant now) {
  return impl_->with_notifier(event, now,
                              [&](Subscription& ours) { ours.set_state(std::move(state), now); });
}
SessionDialog::Status SessionDialog::end_subscription(std::string_view event,
                                                      std::string_view reason,
                                                      std::optional<std::uint32_t> retry_after,
                                                      Instant now) {
  return impl_->with_notifier(event, now,
                              [&](Subscription& ours) { ours.finish(reason, retry_after, now); });
}
SessionDialog::Status SessionDialog::notify(std::uint32_t refer_cseq, std::string_view status_line,
                                            Instant now) {
  return impl_->notify(refer_cseq, status_line, now);
}
SessionDialog::Result SessionDialog::prack(const RequestOptions& options, const Message* response) {
  auto out = impl_->prack(options, response);
  impl_->note();
  return out;
}
SessionDialog::Result SessionDialog::refer(std::string_view refer_to, const RequestOptions& options,
                                           Instant now) {
  return impl_->refer(refer_to, options, now);
}
SessionDialog::Result SessionDialog::update(const RequestOptions& options) {
  auto out = impl_->update(options);
  impl_->note();
  return out;
}
SessionDialog::Result SessionDialog::request(std::string_view method,
                                             const RequestOptions& options) {
  switch (method_from(method)) {
    case Method::Invite:
    case Method::Ack:
    case Method::Bye:
    case Method::Cancel:
    case Method::Prack:
    case Method::Update:
      return std::unexpected(session_error(SessionErrorCode::Unusable));
    default:
      break;
  }
  if (const auto may = impl_->may_send(options, false); !may) return std::unexpected(may.error());
  return impl_->make_request(method, options);
}
SessionDialog::Result SessionDialog::retry(const Message& request) {
  return impl_->retry(request);
}
SessionDialog::Status SessionDialog::reply(TransactionId transaction, const ReplyOptions& options,
                                           Instant now) {
  auto out = impl_->reply(transaction, options, now);
  impl_->note();
  return out;
}
Message SessionDialog::make_response(const Message& request, int status,
                                     std::string_view reason) const {
  return impl_->make_response(request, status, reason);
}
void SessionDialog::receive_request(const Message& request, TransactionId transaction,
                                    Instant now) {
  impl_->receive_request(request, transaction, now);
  impl_->note();
}
void SessionDialog::request_refused(const Message& request) {
  if (impl_->dialog.sequence(request) == dialog::Sequence::InOrder)
    impl_->dialog.commit_remote_cseq(request.get<CSeq>()->number);
  impl_->note_refused(request);
}
void SessionDialog::receive_cancel(TransactionId cancelled, Instant now) {
  impl_->receive_cancel(cancelled, now);
  impl_->note();
}
void SessionDialog::receive_response(const Message& request, const Message& response, Instant now) {
  impl_->receive_response(request, response, now);
  impl_->note();
}
void SessionDialog::request_failed(const Message& request, Failure failure, Instant now) {
  // RFC 3261 8.1.3.1: a timeout counts as 408, a transport failure as 503; neither is a message.
  impl_->final_answer(request, nullptr, failure == Failure::TimedOut ? 408 : 503, now);
  impl_->note();
}
void SessionDialog::transaction_ended(TransactionId transaction, Instant) {
  impl_->pending.erase(transaction);
}
void SessionDialog::advance(Instant now) {
  impl_->advance(now);
  impl_->note();
}
std::optional<Instant> SessionDialog::next_deadline() const {
  return impl_->next_deadline();
}
std::optional<Output> SessionDialog::poll() {
  if (impl_->outputs.empty()) return std::nullopt;
  Output out = std::move(impl_->outputs.front());
  impl_->outputs.pop_front();
  return out;
}
void SessionDialog::confirm(Instant now) {
  if (impl_->is_over || !impl_->dialog.is_early()) return;
  for (auto& peer : impl_->peer_invites)
    if (peer.info.is_initial) impl_->confirm(peer, now);
  impl_->dialog.confirm();
  impl_->note();
}
void SessionDialog::re_confirm(Instant now) {
  if (impl_->is_over) return;
  for (auto& peer : impl_->peer_invites)
    if (!peer.info.is_initial && !peer.info.was_answered) impl_->confirm(peer, now);
  impl_->note();
}
void SessionDialog::dispose() {
  impl_->subscriptions.clear();
  impl_->own_invites.clear();
  impl_->end(EndReason::Disposed);
}
bool SessionDialog::reliable_sequence_guard(const Message& response) {
  const auto cseq = response.maybe<CSeq>();
  auto* own = cseq ? impl_->own_invite(cseq->number) : nullptr;
  return own == nullptr || impl_->guard(*own, response);
}
bool SessionDialog::signaling_state_rollback() {
  const bool was_open = impl_->offers.rollback();
  if (was_open) impl_->put(RolledBack{impl_->offers.state()});
  impl_->note();
  return was_open;
}
OfferAnswerVerdict SessionDialog::signaling_state_transition(
    Side side, Carrier carrier, const std::optional<Description>& description) {
  const OfferAnswerVerdict verdict = impl_->transition(side, carrier, description);
  impl_->note();
  return verdict;
}
const std::optional<Description>& SessionDialog::offer() const {
  return impl_->offers.offer();
}
const std::optional<Description>& SessionDialog::answer() const {
  return impl_->offers.answer();
}
SignalingState SessionDialog::signaling_state() const {
  return impl_->offers.state();
}
SessionState SessionDialog::session_state() const {
  return impl_->state();
}
const OfferAnswer& SessionDialog::offer_answer() const {
  return impl_->offers;
}
const OwnInvite* SessionDialog::reinvite_user_agent_client() const {
  return impl_->own_invites.empty() ? nullptr : &impl_->own_invites.back().info;
}
const PeerInvite* SessionDialog::reinvite_user_agent_server() const {
  return impl_->peer_invites.empty() ? nullptr : &impl_->peer_invites.back().info;
}
const dialog::Dialog& SessionDialog::dialog() const {
  return impl_->dialog;
}
dialog::DialogId SessionDialog::id() const {
  return impl_->dialog.id();
}
const Settings& SessionDialog::settings() const {
  return impl_->settings;
}
bool SessionDialog::is_call_id_owner() const {
  return impl_->dialog.role() == dialog::Role::Uac;
}
bool SessionDialog::is_finished() const {
  return impl_->is_over && live_subscriptions() == 0 && impl_->own_invites.empty() &&
         impl_->pending.empty() && impl_->outputs.empty();
}
std::size_t SessionDialog::live_subscriptions() const {
  return impl_->live_subscriptions();
}
const std::vector<std::string>& SessionDialog::peer_recv_info() const {
  return impl_->peer_recv_info;
}
bool SessionDialog::peer_supports_100rel() const {
  return impl_->peer_supports_100rel;
}
bool SessionDialog::peer_allows(std::string_view method) const {
  // RFC 3261 20.5: nothing is known if Allow never came.
  return impl_->peer_allow.empty() ||
         std::ranges::find(impl_->peer_allow, method) != impl_->peer_allow.end();
}

}  // namespace sipassay::session
