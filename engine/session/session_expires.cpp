#include "engine/session/session_expires.h"

#include <algorithm>
#include <string>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"

namespace sipassay::session {
namespace {

constexpr std::string_view timer = "timer";

std::string_view to_string(RefresherRole role) {
  return role == RefresherRole::Uac ? "uac" : "uas";
}

std::optional<RefresherRole> refresher_of(const SessionExpires& header) {
  if (header.refresher.empty()) return std::nullopt;
  return ascii::iequals(header.refresher, "uac") ? RefresherRole::Uac : RefresherRole::Uas;
}

std::string written(const TimerGrant& grant) {
  return std::to_string(delta_seconds(grant.interval)) +
         ";refresher=" + std::string(to_string(grant.refresher));
}

void require_timer(Message& message) {
  if (!has_token(message, HeaderId::Require, timer)) message.add(HeaderId::Require, timer);
}

}  // namespace

std::uint32_t delta_seconds(Duration interval) {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(interval).count());
}

TimerRequest timer_request_of(const Message& request) {
  TimerRequest out;
  out.is_supported = has_token(request, HeaderId::Supported, timer);
  if (const auto expires = request.maybe<SessionExpires>()) {
    out.interval = std::chrono::seconds(expires->seconds);
    out.refresher = refresher_of(*expires);
  }
  if (const auto min_se = request.maybe<MinSe>())
    out.minimum = std::max<Duration>(std::chrono::seconds(min_se->seconds), session_interval_min);
  return out;
}

std::optional<Duration> own_min_se(const TimerSettings& settings) {
  if (settings.minimum <= session_interval_min) return std::nullopt;
  return settings.minimum;
}

void ask_for_timer(Message& request, Duration interval, std::optional<RefresherRole> refresher,
                   std::optional<Duration> min_se) {
  const Duration asked = std::max(interval, min_se.value_or(session_interval_min));
  std::string value = std::to_string(delta_seconds(asked));
  if (refresher) value += ";refresher=" + std::string(to_string(*refresher));
  request.set(HeaderId::SessionExpires, value);
  if (min_se) request.set(HeaderId::MinSe, std::to_string(delta_seconds(*min_se)));
}

std::optional<Duration> raised_min_se(const Message& request, const Message& response) {
  if (response.status() != 422) return std::nullopt;
  const auto min_se = response.maybe<MinSe>();
  const auto asked = request.maybe<SessionExpires>();
  if (!min_se || !asked || min_se->seconds <= asked->seconds) return std::nullopt;
  return std::chrono::seconds(min_se->seconds);
}

std::optional<TimerGrant> granted_by(const Message& request, const Message& response,
                                     bool uas_knows_timers, std::vector<Finding>& findings) {
  const TimerRequest asked = timer_request_of(request);
  if (!asked.is_supported) return std::nullopt;
  const auto find = [&](std::string_view rule, Clause clause, std::string expected) {
    const bool has_it = response.has(HeaderId::SessionExpires);
    findings.push_back({rule, clause, std::move(expected),
                        has_it ? std::string(response.raw(HeaderId::SessionExpires)) : "none"});
  };
  const auto answer = response.maybe<SessionExpires>();
  if (!answer) {
    if (has_token(response, HeaderId::Require, timer))
      find("timer-required-but-none", {4028, "7.2", Level::Stated}, "Session-Expires");
    // The UAC refreshes alone for a UAS that cannot; one that can has turned the timer off.
    if (!asked.interval || uas_knows_timers) return std::nullopt;
    return TimerGrant{std::max(*asked.interval, session_interval_min), RefresherRole::Uac};
  }
  TimerGrant out{std::chrono::seconds(answer->seconds),
                 refresher_of(*answer).value_or(RefresherRole::Uac)};
  if (answer->refresher.empty())
    find("session-expires-without-refresher", {4028, "9", Level::Must}, "a refresher parameter");
  else if (asked.refresher && out.refresher != *asked.refresher)
    find("refresher-overridden", {4028, "9", Level::MustNot},
         "refresher=" + std::string(to_string(*asked.refresher)));
  if (asked.interval && out.interval > *asked.interval)
    find("session-expires-raised", {4028, "9", Level::MustNot},
         std::to_string(delta_seconds(*asked.interval)) + " or less");
  if (out.interval < asked.least())
    find("session-expires-below-min-se", {4028, "9", Level::MustNot},
         std::to_string(delta_seconds(asked.least())) + " or more");
  // No interval is shorter, so that nobody can make us refresh all the time (11.1).
  out.interval = std::max(out.interval, session_interval_min);
  return out;
}

std::optional<Duration> owed_min_se(const TimerRequest& request, const TimerSettings& settings) {
  const Duration minimum = std::max(settings.minimum, session_interval_min);
  // A UAC that knows no timers could do nothing with a 422.
  if (!request.is_supported || !request.interval || *request.interval >= minimum)
    return std::nullopt;
  return minimum;
}

std::optional<TimerGrant> grant(const TimerRequest& request, const TimerSettings& settings,
                                std::optional<RefresherRole> now) {
  TimerGrant out;
  if (request.interval) {
    // It must not be raised, and below 90 s it must not be used: there is no timer then.
    if (*request.interval < session_interval_min) return std::nullopt;
    out.interval = *request.interval;
    if (settings.lowers && settings.interval)
      out.interval = std::min(out.interval, std::max(*settings.interval, request.least()));
  } else {
    if (!request.is_supported || !settings.interval) return std::nullopt;
    out.interval = std::max(*settings.interval, request.least());
  }
  const RefresherRole ours = settings.refreshes ? RefresherRole::Uas : RefresherRole::Uac;
  if (!request.is_supported)
    out.refresher = RefresherRole::Uas;
  else
    out.refresher = request.refresher.value_or(now.value_or(ours));
  return out;
}

void add_grant(Message& response, const TimerGrant& grant, bool uac_knows_timers) {
  response.add(HeaderId::SessionExpires, written(grant));
  if (uac_knows_timers) require_timer(response);
}

}  // namespace sipassay::session
