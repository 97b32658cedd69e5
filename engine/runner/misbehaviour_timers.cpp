// Rows about session timers (RFC 4028).
#include <string>

#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

bool is_refresh(const Wire& w) {
  const bool is_method = w.sends(Method::Invite) || w.sends(Method::Update);
  return is_method && !tag_of(w.message(), HeaderId::To).empty();
}

bool is_grant(const Wire& w) {
  return (w.sends(Method::Invite, 200, 299) || w.sends(Method::Update, 200, 299)) &&
         w.message().has(HeaderId::SessionExpires);
}

void set_interval(Message& message, std::uint32_t seconds) {
  const auto expires = message.maybe<SessionExpires>();
  if (!expires) return;
  std::string value = std::to_string(seconds);
  if (!expires->refresher.empty()) value += ";refresher=" + std::string(expires->refresher);
  message.set(HeaderId::SessionExpires, value);
}

void set_refresher(Message& message, std::string_view refresher) {
  const auto expires = message.maybe<SessionExpires>();
  if (!expires) return;
  std::string value = std::to_string(expires->seconds);
  if (!refresher.empty()) value += ";refresher=" + std::string(refresher);
  message.set(HeaderId::SessionExpires, value);
}

void remove_tag(Message& message, HeaderId list, std::string_view unwanted) {
  std::string rest;
  const auto keep = [&](std::string_view tag) {
    if (tag == unwanted) return;
    rest += rest.empty() ? "" : ", ";
    rest += tag;
  };
  if (list == HeaderId::Supported)
    for (const auto& tag : message.all<Supported>()) keep(tag ? tag->token : std::string_view());
  else
    for (const auto& tag : message.all<Require>()) keep(tag ? tag->token : std::string_view());
  message.remove(list);
  if (!rest.empty()) message.set(list, rest);
}

// A BYE of the SUT as if its session had ended a minute after the ACK.
void expire_later(Wire& w) {
  const bool is_confirmed = w.gets(Method::Ack) || w.sends(Method::Ack);
  if (!is_confirmed || w.memory()++ > 0) return;
  if (auto bye = w.make_request("BYE")) w.send(std::move(*bye), 61s);
}

constexpr Misbehaviour rows[] = {
    // --- requests
    {"supports-timer-in-invite-only",
     {4028, "7.1", Level::Must},
     "lists timer in Supported of INVITE and nowhere else",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_request() && !w.sends(Method::Invite))
         remove_tag(w.edit(), HeaderId::Supported, "timer");
     }},
    {"asks-for-timer-without-support",
     {4028, "7.1", Level::Must},
     "lists timer in no Supported",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_request())
         remove_tag(w.edit(), HeaderId::Supported, "timer");
     }},
    {"requires-timer",
     {4028, "7.1", Level::ShouldNot},
     "requires the peer to know session timers",
     [](Wire& w) {
       if (w.sends(Method::Invite)) w.edit().add(HeaderId::Require, "timer");
     }},
    {"asks-peer-to-refresh",
     {4028, "7.1", Level::Should},
     "says refresher=uas in its first INVITE",
     [](Wire& w) {
       if (w.sends(Method::Invite)) set_refresher(w.edit(), "uas");
     }},
    {"asks-for-a-minute",
     {4028, "4", Level::Stated},
     "asks for a session interval of 60 seconds",
     [](Wire& w) {
       if (w.sends(Method::Invite)) set_interval(w.edit(), 60);
     }},
    {"asks-for-ten-minutes",
     {4028, "4", Level::ShouldNot},
     "asks for a session interval of 600 seconds",
     [](Wire& w) {
       if (w.sends(Method::Invite)) set_interval(w.edit(), 600);
     }},
    {"min-se-of-a-minute",
     {4028, "5", Level::MustNot},
     "sends a Min-SE of 60",
     [](Wire& w) {
       const bool may_have_it = w.sends(Method::Invite) || w.sends(Method::Invite, 422, 422);
       if (may_have_it) w.edit().set(HeaderId::MinSe, "60");
     }},
    {"session-expires-everywhere",
     {4028, "4", Level::Stated},
     "sends Session-Expires in every message",
     [](Wire& w) {
       if (w.is_sent() && !w.message().has(HeaderId::SessionExpires))
         w.edit().set(HeaderId::SessionExpires, "1800");
     }},
    {"retries-422-unchanged",
     {4028, "7.4", Level::Must},
     "forgets the Min-SE of a 422 as it tries again",
     [](Wire& w) {
       if (!w.sends(Method::Invite) && !w.sends(Method::Update)) return;
       if (w.last(false, [](const Message& m) { return m.is_response() && m.status() == 422; }) ==
           nullptr)
         return;
       set_interval(w.edit(), 100);
       w.edit().remove(HeaderId::MinSe);
     }},
    {"retries-422-as-another-call",
     {4028, "7.3", Level::Should},
     "tries again after a 422 with another Call-ID",
     [](Wire& w) {
       if (!w.sends(Method::Invite)) return;
       const bool was_refused = w.last(false, [](const Message& m) {
         return m.is_response() && m.status() == 422;
       }) != nullptr;
       if (was_refused) w.edit().set(HeaderId::CallId, "another-call");
     }},
    {"keeps-min-se-of-the-first-422",
     {4028, "7.4", Level::Stated},
     "puts the Min-SE of a 422 to the first INVITE into every refresh",
     [](Wire& w) {
       const Message* refused = w.last_response(false, Method::Invite, 422, 422);
       if (is_refresh(w) && refused != nullptr)
         w.edit().set(HeaderId::MinSe, refused->raw(HeaderId::MinSe));
     }},
    // --- refreshes
    {"never-refreshes",
     {4028, "7.2", Level::Must},
     "sends no refresh",
     [](Wire& w) {
       if (is_refresh(w)) w.drop();
     }},
    {"refreshes-late",
     {4028, "7.2", Level::Should},
     "refreshes 20 seconds late",
     [](Wire& w) {
       if (is_refresh(w)) w.delay(20s);
     }},
    {"refreshes-unasked",
     {4028, "7.2", Level::Must},
     "refreshes although that is the peer's part",
     [](Wire& w) {
       const bool is_confirmed = w.gets(Method::Ack) || w.sends(Method::Ack);
       if (!is_confirmed || w.memory()++ > 0) return;
       if (auto update = w.make_request("UPDATE")) w.send(std::move(*update), 45s);
     }},
    {"refresh-without-session-expires",
     {4028, "7.4", Level::Should},
     "sends refreshes without Session-Expires",
     [](Wire& w) {
       if (is_refresh(w)) w.edit().remove(HeaderId::SessionExpires);
     }},
    {"refresh-changes-roles",
     {4028, "7.4", Level::Should},
     "names the other side as refresher in its refreshes",
     [](Wire& w) {
       if (!is_refresh(w)) return;
       const auto expires = w.message().maybe<SessionExpires>();
       if (expires) set_refresher(w.edit(), expires->refresher == "uac" ? "uas" : "uac");
     }},
    {"refresh-with-offer",
     {4028, "7.4", Level::Should},
     "puts SDP into the UPDATE that refreshes",
     [](Wire& w) {
       const Message* invite = w.last_request(true, Method::Invite);
       if (w.sends(Method::Update) && invite != nullptr)
         w.edit().set_body("application/sdp", invite->body());
     }},
    {"refresh-without-offer",
     {4028, "7.4", Level::Should},
     "refreshes by a re-INVITE without SDP",
     [](Wire& w) {
       if (is_refresh(w)) drop_body(w.edit());
     }},
    {"refresh-raises-version",
     {4028, "7.4", Level::Must},
     "raises the version of an unchanged session description",
     [](Wire& w) {
       if (!w.is_sent() || !w.has_sdp()) return;
       const bool is_first =
           w.first(true, [](const Message& m) { return !m.body().empty(); }) == nullptr;
       if (is_first) return;
       edit_sdp(w.edit(), [](std::vector<std::string>& lines) {
         for (std::string& line : lines)
           if (const auto end = line.find(" IN "); line.starts_with("o=") && end != line.npos)
             line.insert(end, "9");
       });
     }},
    {"refresh-without-min-se",
     {4028, "7.4", Level::Must},
     "sends refreshes without Min-SE",
     [](Wire& w) {
       if (is_refresh(w)) w.edit().remove(HeaderId::MinSe);
     }},
    {"refresh-drops-option-tags",
     {4028, "7.4", Level::Must},
     "lists other option tags in refreshes than in the first INVITE",
     [](Wire& w) {
       if (is_refresh(w)) w.edit().set(HeaderId::Supported, "timer");
     }},
    {"refreshes-without-end",
     {4028, "10", Level::ShouldNot},
     "repeats a refused refresh at once",
     [](Wire& w) {
       if (!w.gets(Method::Update, 500, 599) && !w.gets(Method::Invite, 500, 599)) return;
       if (auto update = w.make_request("UPDATE")) w.send(std::move(*update), 100ms);
     }},
    {"expires-anyway",
     {4028, "10", Level::Stated},
     "ends every session after a minute",
     expire_later},
    // --- what the UAS grants
    {"raises-session-expires",
     {4028, "9", Level::MustNot},
     "grants twice the interval that was asked for",
     [](Wire& w) {
       const auto expires = w.message().maybe<SessionExpires>();
       if (is_grant(w) && expires) set_interval(w.edit(), 2 * expires->seconds + 1);
     }},
    {"lowers-session-expires-to-100",
     {4028, "9", Level::MustNot},
     "grants 100 seconds whatever Min-SE says",
     [](Wire& w) {
       if (is_grant(w)) set_interval(w.edit(), 100);
     }},
    {"lowers-session-expires-to-60",
     {4028, "9", Level::MustNot},
     "grants 60 seconds",
     [](Wire& w) {
       if (is_grant(w)) set_interval(w.edit(), 60);
     }},
    {"grants-without-refresher",
     {4028, "9", Level::Must},
     "names no refresher in its 2xx",
     [](Wire& w) {
       if (is_grant(w)) set_refresher(w.edit(), "");
     }},
    {"overrides-refresher",
     {4028, "9", Level::MustNot},
     "names the other refresher than the request did",
     [](Wire& w) {
       const auto expires = w.message().maybe<SessionExpires>();
       if (is_grant(w) && expires)
         set_refresher(w.edit(), expires->refresher == "uac" ? "uas" : "uac");
     }},
    {"grants-without-require",
     {4028, "9", Level::Must},
     "does not require timer in its 2xx",
     [](Wire& w) {
       if (is_grant(w)) remove_tag(w.edit(), HeaderId::Require, "timer");
     }},
    {"requires-timer-of-anybody",
     {4028, "9", Level::Stated},
     "requires timer of a caller that does not list it",
     [](Wire& w) {
       if (is_grant(w)) w.edit().set(HeaderId::Require, "timer");
     }},
    {"min-se-in-2xx",
     {4028, "5", Level::MustNot},
     "sends Min-SE in 1xx and 2xx",
     [](Wire& w) {
       if (w.sends(Method::Invite, 101, 299)) w.edit().set(HeaderId::MinSe, "120");
     }},
    {"422-without-min-se",
     {4028, "6", Level::Must},
     "sends 422 without Min-SE",
     [](Wire& w) {
       if (w.is_sent()) w.edit().remove(HeaderId::MinSe);
     }},
    {"422-to-anybody",
     {4028, "9", Level::Stated},
     "sends 422 to a caller that does not know session timers",
     [](Wire& w) {
       if (!is_grant(w)) return;
       set_status(w.edit(), 422);
       drop_body(w.edit());
       w.edit().remove(HeaderId::SessionExpires).set(HeaderId::MinSe, "600");
     }},
    {"refuses-session-expires",
     {4028, "4", Level::Must},
     "answers 400 to an INVITE with Session-Expires",
     [](Wire& w) {
       if (!is_grant(w)) return;
       set_status(w.edit(), 400);
       drop_body(w.edit());
     }},
};

}  // namespace

std::span<const Misbehaviour> timers_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
