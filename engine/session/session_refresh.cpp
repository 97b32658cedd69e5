// Session timers in the session (RFC 4028): what its messages say, refreshes, and what fails them.
#include <algorithm>
#include <utility>

#include "engine/message/header/all.h"
#include "engine/session/session_dialog_impl.h"

namespace sipassay::session {
namespace {

// 422s in a row that our own changes follow (RFC 4028 7.3 MAY).
constexpr unsigned intervals_raised_max = 5;

}  // namespace

bool SessionDialog::Impl::has_timers() const {
  return std::ranges::find(settings.supported, "timer") != settings.supported.end();
}

// RFC 4028 7.4 MUST: every session refresh request has the option tags of the first one.
void SessionDialog::Impl::note_option_tags(const Message& initial) {
  for (const auto& tag : initial.all<Require>())
    if (tag) initial_requirements.emplace_back(HeaderId::Require, tag->token);
  for (const auto& tag : initial.all<ProxyRequire>())
    if (tag) initial_requirements.emplace_back(HeaderId::ProxyRequire, tag->token);
  if (!initial.has(HeaderId::Supported)) return;
  settings.supported.clear();
  for (const auto& tag : initial.all<Supported>())
    if (tag) settings.supported.emplace_back(tag->token);
}

// RFC 4028 7.4: with an active timer every INVITE and UPDATE says what the timer is, and who
// refreshes.
void SessionDialog::Impl::ask_for_timer(Message& request) const {
  if (!has_timers()) return;
  for (const auto& [list, tag] : initial_requirements)
    // RFC 3262 4 MUST NOT: 100rel is required in INVITE only.
    if (request.method() == Method::Invite || tag != "100rel") request.add(list, tag);
  if (!timer.is_on()) return;
  const RefresherRole refresher = timer.is_ours() ? RefresherRole::Uac : RefresherRole::Uas;
  // The peer is asked to refresh only if it knows how to.
  const bool may_say = timer.is_ours() || peer_knows_timers;
  session::ask_for_timer(request, timer.interval(),
                         may_say ? std::optional(refresher) : std::nullopt,
                         std::max(min_se, own_min_se(settings.timer)));
}

// RFC 4028 9: 422 with our minimum.
bool SessionDialog::Impl::is_interval_refused(const Message& request, TransactionId transaction) {
  if (!has_timers()) return false;
  const auto owed = owed_min_se(timer_request_of(request), settings.timer);
  if (!owed) return false;
  Message response = make_response(request, 422, {});
  response.add(HeaderId::MinSe, std::to_string(delta_seconds(*owed)));
  response.set_body({}, {});
  put(Reply{transaction, std::move(response)});
  return true;
}

// What a message of the peer's says of it: that it knows timers, and the least interval of the
// path (RFC 4028 7.4).
void SessionDialog::Impl::note_timers(const Message& message) {
  if (has_token(message, HeaderId::Supported, "timer") ||
      has_token(message, HeaderId::Require, "timer"))
    peer_knows_timers = true;
  else if (message.is_request())
    peer_knows_timers = false;
  if (message.is_response() && message.status() != 422) return;
  if (const auto heard = message.maybe<MinSe>())
    min_se = std::max<Duration>({min_se.value_or(session_interval_min),
                                 std::chrono::seconds(heard->seconds), session_interval_min});
}

void SessionDialog::Impl::answer_timer(Message& response, const Message& request) const {
  if (!has_timers()) return;
  const TimerRequest asked = timer_request_of(request);
  std::optional<RefresherRole> present;
  if (timer.is_on()) present = timer.is_ours() ? RefresherRole::Uas : RefresherRole::Uac;
  if (const auto granted = grant(asked, settings.timer, present))
    add_grant(response, *granted, asked.is_supported);
}

// Our 2xx is on its way (RFC 4028 9).
void SessionDialog::Impl::timer_granted_by_us(const Message& response, Instant now) {
  if (!has_timers()) return;
  std::optional<TimerGrant> granted;
  if (const auto expires = response.maybe<SessionExpires>())
    granted =
        TimerGrant{std::max<Duration>(std::chrono::seconds(expires->seconds), session_interval_min),
                   expires->refresher == "uas" ? RefresherRole::Uas : RefresherRole::Uac};
  start_timer(granted, RefresherRole::Uas, now);
}

// Their 2xx came (RFC 4028 7.2).
void SessionDialog::Impl::timer_granted_by_peer(const Message& request, const Message& response,
                                                Instant now) {
  if (!has_timers()) return;
  note_timers(response);
  std::vector<Finding> findings;
  const auto granted = granted_by(request, response, peer_knows_timers, findings);
  for (Finding& finding : findings) put(Violation{std::move(finding)});
  start_timer(granted, RefresherRole::Uac, now);
}

void SessionDialog::Impl::start_timer(const std::optional<TimerGrant>& grant,
                                      RefresherRole own_role, Instant now) {
  if (is_over) return;
  intervals_raised = 0;
  if (grant)
    timer.granted(grant->interval, grant->refresher == own_role, now);
  else
    timer.not_granted();
}

// RFC 4028 7.4: UPDATE without an offer where the peer allows UPDATE; else a re-INVITE whose offer
// is our last description, version and all.
SessionDialog::Result SessionDialog::Impl::make_refresh() {
  const bool may_update = std::ranges::find(peer_allow, "UPDATE") != peer_allow.end();
  if (may_update && refreshes_by_update && settings.timer.refreshes_by_update) return update({});
  // A change of the application's own that waits to be tried again goes on waiting.
  const auto retry_at = retry_invite_at;
  RequestOptions options;
  if (const auto& ours = offers.local()) options.body = {ours->type, ours->octets, {}};
  auto request = invite(options);
  retry_invite_at = retry_at;
  return request;
}

void SessionDialog::Impl::refresh(Instant now) {
  auto request = make_refresh();
  // Another request is open: if it succeeds the session is refreshed by it.
  if (!request) return timer.busy(settings.t2, now);
  open_refresh = Refresh{request->method(), *dialog.local_cseq()};
  put(Send{std::move(*request)});
}

// RFC 4028 10: an error is dealt with by its code. False: it was no refresh. What 408, 481 and a
// timeout do is suffer()'s.
bool SessionDialog::Impl::refresh_refused(Method method, std::uint32_t cseq,
                                          const Message* response, int status, Instant now) {
  if (!open_refresh || open_refresh->method != method || open_refresh->cseq != cseq) return false;
  open_refresh.reset();
  if (method == Method::Update && (status == 405 || status == 501)) {
    refreshes_by_update = false;
    timer.refused(status, 0s, now);
    return true;
  }
  timer.refused(status, retry_wait(method, response, status), now);
  return true;
}

// How long to wait before the same request may be sent once more; nothing: it is refused for good.
std::optional<Duration> SessionDialog::Impl::retry_wait(Method method, const Message* response,
                                                        int status) {
  // RFC 3261 14.1, RFC 3311 5.3.
  if (status == 491 && may_try_again(method))
    return retry_delay(dialog.role() == dialog::Role::Uac, rng);
  if (response == nullptr) return std::nullopt;
  if (status == 422) {
    // RFC 4028 7.3: with a larger interval.
    const auto heard = response->maybe<MinSe>();
    const bool is_raised = heard && timer.is_on() &&
                           std::chrono::seconds(heard->seconds) >
                               std::max(timer.interval(), min_se.value_or(session_interval_min));
    note_timers(*response);
    return is_raised && intervals_raised++ < intervals_raised_max ? std::optional<Duration>(0s)
                                                                  : std::nullopt;
  }
  // RFC 3261 20.33, 21.5.4.
  const auto after = response->maybe<RetryAfter>();
  if ((status != 500 && status != 503) || !after || !may_try_again(method)) return std::nullopt;
  return std::chrono::seconds(after->seconds);
}

}  // namespace sipassay::session
