// What the messages of a session say of its timer (RFC 4028 4-9): Session-Expires, Min-SE, the
// option tag timer. Pure functions; session_timer keeps the state.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/finding.h"
#include "engine/base/time.h"
#include "engine/message/message.h"

namespace sipassay::session {

// RFC 4028 4, 5: no interval and no Min-SE is below this; the value of a Min-SE that is not there.
inline constexpr Duration session_interval_min = 90s;

// How a user agent wants its session timers. It knows them if its Supported lists "timer".
struct TimerSettings {
  std::optional<Duration> interval{};  // Session-Expires that we ask for; none: we ask for none
  Duration minimum = session_interval_min;  // as UAS: a shorter one is refused with 422
  bool lowers = false;                      // as UAS: an interval above ours is lowered to ours
  bool refreshes = false;                   // as UAS, where the UAC leaves it open: we refresh
  bool refreshes_by_update = true;          // where the peer allows UPDATE; else by re-INVITE
};

// The refresher parameter: roles in the transaction that carries it (RFC 4028 4).
enum class RefresherRole : std::uint8_t { Uac, Uas };

// What an INVITE or UPDATE asks for. A header field that cannot be read is ignored (RFC
// 3261 8.2.2).
struct TimerRequest {
  bool is_supported = false;  // the UAC knows session timers
  std::optional<Duration> interval{};
  std::optional<RefresherRole> refresher{};
  std::optional<Duration> minimum{};

  Duration least() const { return minimum.value_or(session_interval_min); }
};
TimerRequest timer_request_of(const Message& request);

// What a 2xx to it grants. Both sides take it from the 2xx (RFC 4028 7.2, 9).
struct TimerGrant {
  Duration interval{};
  RefresherRole refresher = RefresherRole::Uac;

  friend bool operator==(const TimerGrant&, const TimerGrant&) = default;
};

// The Min-SE that our requests have by themselves: none for the least one (7.4 MAY).
std::optional<Duration> own_min_se(const TimerSettings& settings);
// UAC. Adds Session-Expires and, if there is one, Min-SE; the interval is raised to it (7.1, 7.4).
void ask_for_timer(Message& request, Duration interval, std::optional<RefresherRole> refresher,
                   std::optional<Duration> min_se);
// The Min-SE of a 422, if it is above what the request asked for: the request may be sent again
// with it (7.3).
std::optional<Duration> raised_min_se(const Message& request, const Message& response);
// The grant of a 2xx; with the UAC's own interval if the UAS knows no timers (7.2). The findings
// are what the UAS did wrong.
std::optional<TimerGrant> granted_by(const Message& request, const Message& response,
                                     bool uas_knows_timers, std::vector<Finding>& findings);

// UAS. The Min-SE of the 422 that the request gets, if its interval is too short (9).
std::optional<Duration> owed_min_se(const TimerRequest& request, const TimerSettings& settings);
// What our 2xx grants (9, Table 2). `now` is who refreshes at present, in the roles of this
// request.
std::optional<TimerGrant> grant(const TimerRequest& request, const TimerSettings& settings,
                                std::optional<RefresherRole> now);
// Session-Expires, and Require: timer where the UAC knows timers (9).
void add_grant(Message& response, const TimerGrant& grant, bool uac_knows_timers);

// Seconds of a header field.
std::uint32_t delta_seconds(Duration interval);

}  // namespace sipassay::session
