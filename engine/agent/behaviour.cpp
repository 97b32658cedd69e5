#include "engine/agent/behaviour.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace sipassay::agent {
namespace {

constexpr auto reliably = Reliability::IfSupported;
constexpr auto plainly = Reliability::Never;

// --- from the arrival of the INVITE
constexpr std::array answer_at_once{Step{0ms, Act::Answer}};
constexpr std::array ring_on{Step{0ms, Act::Ring, 180}};
constexpr std::array ring_then_answer{Step{0ms, Act::Ring, 180}, Step{2s, Act::Answer}};
constexpr std::array queue_ring_answer{Step{0ms, Act::Ring, 182}, Step{500ms, Act::Ring, 180},
                                       Step{1s, Act::Answer}};
constexpr std::array early_media{Step{0ms, Act::Ring, 183, plainly, true},
                                 Step{500ms, Act::Ring, 180, plainly, true}, Step{1s, Act::Answer}};
constexpr std::array reliable_progress{Step{0ms, Act::Ring, 183, reliably, true},
                                       Step{200ms, Act::Ring, 180, reliably},
                                       Step{800ms, Act::Answer}};
constexpr std::array reliable_ring{Step{0ms, Act::Ring, 180, reliably}, Step{1s, Act::Answer}};
constexpr std::array reliable_wait{Step{0ms, Act::Ring, 183, reliably, true}};
constexpr std::array reliable_ring_wait{Step{0ms, Act::Ring, 180, reliably}};
constexpr std::array reliable_hasty{Step{0ms, Act::Ring, 183, reliably, true},
                                    Step{0ms, Act::Ring, 180, reliably}, Step{0ms, Act::Answer}};
constexpr std::array reliable_busy{Step{0ms, Act::Ring, 183, reliably, true},
                                   Step{500ms, Act::Reject, 486}};
constexpr std::array reliable_update{Step{0ms, Act::Ring, 183, reliably, true},
                                     Step{200ms, Act::Update}, Step{1s, Act::Answer}};
constexpr std::array busy{Step{0ms, Act::Reject, 486}};
constexpr std::array ring_then_busy{Step{0ms, Act::Ring, 180}, Step{1s, Act::Reject, 486}};
constexpr std::array ring_then_unavailable{Step{0ms, Act::Ring, 180}, Step{2s, Act::Reject, 480}};
constexpr std::array decline{Step{0ms, Act::Reject, 603}};
constexpr std::array forbidden{Step{0ms, Act::Reject, 403}};
constexpr std::array gone{Step{0ms, Act::Reject, 410}};
constexpr std::array unavailable{Step{0ms, Act::Reject, 480}};
constexpr std::array not_acceptable{Step{0ms, Act::Reject, 488}};
constexpr std::array server_error{Step{0ms, Act::Reject, 500}};
constexpr std::array overload{Step{0ms, Act::Reject, 503}};
constexpr std::array redirect{Step{0ms, Act::Redirect}};

// --- from the arrival of the ACK
constexpr std::array reinvite_soon{Step{100ms, Act::Reinvite}};
constexpr std::array reinvite_at_once{Step{0ms, Act::Reinvite}};
constexpr std::array offerless_soon{Step{100ms, Act::OfferlessReinvite}};
constexpr std::array hold{Step{500ms, Act::Hold}};
constexpr std::array hold_and_resume{Step{500ms, Act::Hold}, Step{1s, Act::Resume}};
constexpr std::array update_soon{Step{100ms, Act::Update}};
constexpr std::array empty_update_soon{Step{100ms, Act::EmptyUpdate}};
constexpr std::array info_soon{Step{100ms, Act::Info}};
constexpr std::array legacy_info_soon{Step{100ms, Act::LegacyInfo}};
constexpr std::array message_soon{Step{100ms, Act::Message}};
constexpr std::array refer_soon{Step{100ms, Act::Refer}};
constexpr std::array hang_up_soon{Step{500ms, Act::HangUp}};
constexpr std::array hang_up_at_once{Step{0ms, Act::HangUp}};

// --- session timers (RFC 4028): the least interval, so that something happens
constexpr session::TimerSettings we_refresh{.interval = 90s, .lowers = true, .refreshes = true};
constexpr session::TimerSettings we_reinvite{
    .interval = 90s, .lowers = true, .refreshes = true, .refreshes_by_update = false};
constexpr session::TimerSettings caller_refreshes{.interval = 90s, .lowers = true};
constexpr session::TimerSettings long_intervals{.interval = 1800s, .minimum = 600s};

constexpr std::array rows{
    // --- answered
    Behaviour{.user = "auto", .summary = "200 at once", .on_invite = answer_at_once},
    Behaviour{.user = "slow", .summary = "180, 200 after 2 s", .on_invite = ring_then_answer},
    Behaviour{.user = "queue",
              .summary = "182, 180 after 500 ms, 200 after another second",
              .on_invite = queue_ring_answer},
    Behaviour{.user = "early-media",
              .summary = "183 and 180 with SDP, not reliably; 200 after 1.5 s",
              .on_invite = early_media},
    Behaviour{.user = "reliable",
              .summary = "183 with SDP and 180 reliably, 200 a second later",
              .on_invite = reliable_progress},
    Behaviour{.user = "reliable-ring",
              .summary = "180 without SDP reliably, 200 a second after its PRACK",
              .on_invite = reliable_ring},
    Behaviour{.user = "reliable-hasty",
              .summary = "183 with SDP and 180 reliably and 200, each as soon as it may go",
              .on_invite = reliable_hasty},
    Behaviour{.user = "reliable-update",
              .summary = "183 with SDP reliably, UPDATE with an offer while early, 200",
              .on_invite = reliable_update},
    Behaviour{.user = "late-offer",
              .summary = "200 at once; an INVITE without SDP gets its offer in the 200",
              .on_invite = answer_at_once},
    Behaviour{.user = "video",
              .summary = "200 at once, audio and video",
              .on_invite = answer_at_once,
              .has_video = true},
    Behaviour{.user = "no-100rel",
              .summary = "knows no 100rel: 420 when it is required; 180, 200 after 2 s otherwise",
              .on_invite = ring_then_answer,
              .supports_100rel = false},
    Behaviour{.user = "demands-100rel",
              .summary = "421 to who does not know 100rel; 183 with SDP reliably, 180, 200",
              .on_invite = reliable_progress,
              .demands_100rel = true},
    // --- not answered, until CANCEL, BYE, Expires or 240 s
    Behaviour{.user = "ring", .summary = "180, no answer", .on_invite = ring_on},
    Behaviour{.user = "reliable-wait",
              .summary = "183 with SDP reliably, no answer",
              .on_invite = reliable_wait},
    Behaviour{.user = "reliable-ring-wait",
              .summary = "180 reliably without SDP, no answer",
              .on_invite = reliable_ring_wait},
    Behaviour{.user = "silent", .summary = "nothing but the 100 after 200 ms"},
    // --- refused
    Behaviour{.user = "busy", .summary = "486", .on_invite = busy},
    Behaviour{
        .user = "ring-busy", .summary = "180, 486 after a second", .on_invite = ring_then_busy},
    Behaviour{.user = "reliable-busy",
              .summary = "183 with SDP reliably, 486 half a second after its PRACK",
              .on_invite = reliable_busy},
    Behaviour{
        .user = "no-answer", .summary = "180, 480 after 2 s", .on_invite = ring_then_unavailable},
    Behaviour{.user = "decline", .summary = "603", .on_invite = decline},
    Behaviour{.user = "forbidden",
              .summary = "403; a REGISTER for it is 401 until the credentials fit, then 403 too",
              .on_invite = forbidden,
              .refuses_registration = true},
    Behaviour{.user = "gone", .summary = "410", .on_invite = gone},
    Behaviour{.user = "unavailable", .summary = "480", .on_invite = unavailable},
    Behaviour{.user = "not-acceptable", .summary = "488 with Warning", .on_invite = not_acceptable},
    Behaviour{.user = "error", .summary = "500", .on_invite = server_error},
    Behaviour{.user = "overload", .summary = "503 with Retry-After", .on_invite = overload},
    Behaviour{.user = "redirect", .summary = "302 to the user auto", .on_invite = redirect},
    Behaviour{.user = "registered",
              .summary = "302 to the contacts that are registered for it, 480 if there are none",
              .on_invite = unavailable,
              .is_registered = true},
    Behaviour{.user = "nobody", .summary = "404 to every request", .is_unknown = true},
    Behaviour{.user = "digest",
              .summary = "401 until the credentials fit, then as auto",
              .on_invite = answer_at_once,
              .authentication = Authentication::Server},
    Behaviour{.user = "proxy-digest",
              .summary = "407 until the credentials fit, then as auto",
              .on_invite = answer_at_once,
              .authentication = Authentication::Proxy},
    // --- active after the ACK
    Behaviour{.user = "glare",
              .summary = "200; sends a re-INVITE 100 ms after the ACK",
              .on_invite = answer_at_once,
              .on_confirmed = reinvite_soon},
    Behaviour{.user = "glare-now",
              .summary = "200; sends a re-INVITE as soon as the ACK is there",
              .on_invite = answer_at_once,
              .on_confirmed = reinvite_at_once},
    Behaviour{.user = "reinvite-offerless",
              .summary = "200; sends a re-INVITE without SDP 100 ms after the ACK",
              .on_invite = answer_at_once,
              .on_confirmed = offerless_soon},
    Behaviour{.user = "hold",
              .summary = "200; puts the call on hold 500 ms after the ACK",
              .on_invite = answer_at_once,
              .on_confirmed = hold},
    Behaviour{.user = "hold-resume",
              .summary = "200; hold 500 ms after the ACK, resumes a second later",
              .on_invite = answer_at_once,
              .on_confirmed = hold_and_resume},
    Behaviour{.user = "update",
              .summary = "200; sends UPDATE with an offer 100 ms after the ACK",
              .on_invite = answer_at_once,
              .on_confirmed = update_soon},
    Behaviour{.user = "update-empty",
              .summary = "200; sends UPDATE without SDP 100 ms after the ACK",
              .on_invite = answer_at_once,
              .on_confirmed = empty_update_soon},
    Behaviour{
        .user = "info",
        .summary = "200; sends INFO of a package that the peer receives, 100 ms after the ACK",
        .on_invite = answer_at_once,
        .on_confirmed = info_soon},
    Behaviour{.user = "legacy-info",
              .summary = "200; sends INFO without Info-Package 100 ms after the ACK",
              .on_invite = answer_at_once,
              .on_confirmed = legacy_info_soon},
    Behaviour{.user = "message",
              .summary = "200; sends MESSAGE in the dialog 100 ms after the ACK",
              .on_invite = answer_at_once,
              .on_confirmed = message_soon},
    Behaviour{.user = "refer",
              .summary = "200; refers the caller to the user auto 100 ms after the ACK",
              .on_invite = answer_at_once,
              .on_confirmed = refer_soon},
    Behaviour{.user = "hang-up",
              .summary = "200; BYE 500 ms after the ACK",
              .on_invite = answer_at_once,
              .on_confirmed = hang_up_soon},
    Behaviour{.user = "hang-up-now",
              .summary = "200; BYE as soon as the ACK is there",
              .on_invite = answer_at_once,
              .on_confirmed = hang_up_at_once},
    // --- session timers
    Behaviour{.user = "timer-uas",
              .summary = "200 with Session-Expires: 90, refreshes by UPDATE where that is allowed",
              .on_invite = answer_at_once,
              .timer = we_refresh},
    Behaviour{.user = "timer-reinvite",
              .summary = "200 with Session-Expires: 90, refreshes by re-INVITE",
              .on_invite = answer_at_once,
              .timer = we_reinvite},
    Behaviour{.user = "timer-uac",
              .summary = "200 with Session-Expires: 90 that the caller is to refresh",
              .on_invite = answer_at_once,
              .timer = caller_refreshes},
    Behaviour{.user = "timer-min",
              .summary = "422 with Min-SE: 600 to a shorter session interval, else 200",
              .on_invite = answer_at_once,
              .timer = long_intervals},
    Behaviour{.user = "no-timer",
              .summary = "200; knows no session timers",
              .on_invite = answer_at_once,
              .supports_timer = false},
    // --- changes of the session
    Behaviour{.user = "refuse-reinvite",
              .summary = "200; 488 to every re-INVITE and offering UPDATE",
              .on_invite = answer_at_once,
              .refuses_changes = 488},
    Behaviour{.user = "ask-user",
              .summary = "200; 504 to an UPDATE with an offer, about which a user had to be asked",
              .on_invite = answer_at_once,
              .refuses_updates = 504},
    Behaviour{.user = "slow-message",
              .summary = "200; answers a MESSAGE in the call after five seconds",
              .on_invite = answer_at_once,
              .message_delay = 5s},
    Behaviour{.user = "late-message",
              .summary = "200; answers a MESSAGE in the call after a minute, which is too late",
              .on_invite = answer_at_once,
              .message_delay = 60s},
    Behaviour{.user = "slow-reinvite",
              .summary = "200; answers a re-INVITE after a second",
              .on_invite = answer_at_once,
              .defers_reinvites = true},
    Behaviour{.user = "slow-update",
              .summary = "200; answers an UPDATE with an offer after a second",
              .on_invite = answer_at_once,
              .defers_updates = true},
    // --- subscriptions; calls are answered at once
    Behaviour{.user = "pending",
              .summary = "subscriptions are pending for a second, then active",
              .on_invite = answer_at_once,
              .notifier = {.grants_after = 1s}},
    Behaviour{.user = "interval",
              .summary = "423 to subscriptions for less than 120 s",
              .on_invite = answer_at_once,
              .notifier = {.expires_min = 120}},
    Behaviour{.user = "short-lived",
              .summary = "grants subscriptions for 20 s at most",
              .on_invite = answer_at_once,
              .notifier = {.expires_max = 20}},
    Behaviour{.user = "changing",
              .summary = "the state that subscribers see changes every 2 s",
              .on_invite = answer_at_once,
              .notifier = {.changes_every = 2s}},
    Behaviour{.user = "migrate",
              .summary = "subscriptions end after a second: deactivated",
              .on_invite = answer_at_once,
              .notifier = {.ends_after = 1s, .reason = "deactivated"}},
    Behaviour{.user = "probation",
              .summary = "subscriptions end after a second: probation, retry-after 5 s",
              .on_invite = answer_at_once,
              .notifier = {.ends_after = 1s, .reason = "probation", .retry_after = 5}},
    Behaviour{.user = "unauthorised",
              .summary = "subscriptions are pending, and end after a second: rejected",
              .on_invite = answer_at_once,
              .notifier = {.grants_after = 1h, .ends_after = 1s, .reason = "rejected"}},
    Behaviour{
        .user = "undecided",
        .summary = "subscriptions are pending, and end after 2 s: giveup, retry-after 5 s",
        .on_invite = answer_at_once,
        .notifier = {.grants_after = 1h, .ends_after = 2s, .reason = "giveup", .retry_after = 5}},
    Behaviour{.user = "no-resource",
              .summary = "subscriptions end after a second: noresource",
              .on_invite = answer_at_once,
              .notifier = {.ends_after = 1s, .reason = "noresource"}},
    Behaviour{.user = "invariant",
              .summary = "subscriptions end after a second: invariant, retry-after a year",
              .on_invite = answer_at_once,
              .notifier = {.ends_after = 1s, .reason = "invariant", .retry_after = 31536000}},
};

}  // namespace

std::span<const Behaviour> behaviours() {
  return rows;
}

const Behaviour* behaviour_of(std::string_view user) {
  const auto row = std::ranges::find(rows, user, &Behaviour::user);
  return row == rows.end() ? nullptr : std::to_address(row);
}

Command command_of(const Step& step, CallId call, std::string_view redirect_to,
                   std::string_view info_package) {
  const Body text{"text/plain", "Sipassay", {}};
  switch (step.act) {
    case Act::Ring:
      return Ring{call, step.status, step.reliable, step.has_sdp};
    case Act::Answer:
      return Answer{call};
    case Act::Reject:
      return Reject{.call = call, .status = step.status};
    case Act::Redirect:
      return Redirect{call, std::string(redirect_to)};
    case Act::Reinvite:
      return Reinvite{call, Reinvite::Kind::Same};
    case Act::Hold:
      return Reinvite{call, Reinvite::Kind::Hold};
    case Act::Resume:
      return Reinvite{call, Reinvite::Kind::Resume};
    case Act::OfferlessReinvite:
      return Reinvite{call, Reinvite::Kind::Offerless};
    case Act::AddMedia:
      return Reinvite{call, Reinvite::Kind::AddMedia};
    case Act::Update:
      return Update{call, true};
    case Act::EmptyUpdate:
      return Update{call, false};
    case Act::Info:
      return SendInfo{call, std::string(info_package), text};
    case Act::LegacyInfo:
      return SendInfo{call, {}, text};
    case Act::Message:
      return SendMessage{{}, call, text};
    case Act::Refer:
      return SendRefer{call, std::string(redirect_to)};
    case Act::HangUp:
      return HangUp{call};
  }
  return HangUp{call};
}

int options_status(const Behaviour& behaviour) {
  for (const auto& step : behaviour.on_invite)
    if (step.act == Act::Reject) return step.after == 0ms ? step.status : 200;
  return 200;
}

}  // namespace sipassay::agent
