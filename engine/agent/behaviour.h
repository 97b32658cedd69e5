// What a caller meets: one row a user. The user part of the Request-URI selects the row, so that a
// suite, a softphone or SIPp can ask for the behaviour that it wants to see.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/agent/command.h"
#include "engine/base/time.h"
#include "engine/session/session_expires.h"

namespace sipassay::agent {

// What an agent does by itself; each is the command of the same name.
enum class Act : std::uint8_t {
  Ring,
  Answer,
  Reject,
  Redirect,
  Reinvite,
  Hold,
  Resume,
  OfferlessReinvite,
  AddMedia,
  Update,
  EmptyUpdate,
  Info,
  LegacyInfo,
  Message,
  Refer,
  HangUp,
};

// One thing that is done `after` the step before it. A step that follows a reliable provisional
// response waits for its PRACK first (RFC 3262 3).
struct Step {
  Duration after{};
  Act act{};
  int status = 0;  // Ring, Reject
  Reliability reliable = Reliability::Never;
  bool has_sdp = false;
};

enum class Authentication : std::uint8_t { None, Server, Proxy };  // 401, 407

// What a subscriber meets (RFC 6665 4.2).
struct Notifier {
  std::uint32_t expires_min = 0;     // s; 423 below
  std::uint32_t expires_max = 7200;  // s; a 2xx grants no more
  Duration grants_after{};           // pending until then
  Duration changes_every{};          // 0: the state never changes
  Duration ends_after{};             // with `reason`
  std::string_view reason{};         // empty: not by itself
  std::optional<std::uint32_t> retry_after{};
};

struct Behaviour {
  std::string_view user;
  std::string_view summary;
  std::span<const Step> on_invite{};     // from the arrival of the INVITE
  std::span<const Step> on_confirmed{};  // from the arrival of the ACK for the first 2xx
  Authentication authentication = Authentication::None;
  int refuses_changes = 0;      // final response to every re-INVITE and offering UPDATE
  int refuses_updates = 0;      // to every offering UPDATE
  Duration message_delay{};     // a MESSAGE in the call is answered so late
  bool supports_100rel = true;  // false: Require: 100rel is answered 420 (RFC 3261 8.2.2.3)
  bool supports_timer = true;   // false: knows no session timers (RFC 4028)
  std::optional<session::TimerSettings> timer{};  // instead of the agent's own
  bool demands_100rel = false;  // 421 to an INVITE whose sender does not know 100rel (RFC 3262 3)
  bool is_registered = false;   // 302 to its bindings, 480 if there are none
  bool refuses_registration = false;  // 403 to a REGISTER with the right credentials
  bool is_unknown = false;            // 404 to every request (RFC 3261 8.2.2.1)
  bool has_video = false;             // accepts and offers video as well
  Duration gives_up_after = 240s;     // 480 to an INVITE that nobody answered; longer than the
                                      // refresh of 13.3.1.1 and RFC 3262 3
  bool defers_reinvites =
      false;                    // re-INVITEs are answered after a second, so they can be cancelled
  bool defers_updates = false;  // and UPDATEs with an offer
  Notifier notifier{};
};

// All rows, for documentation and tests.
std::span<const Behaviour> behaviours();
// The row of that user; nothing when there is none. User names compare with case (RFC 3261 19.1.4).
const Behaviour* behaviour_of(std::string_view user);
// The command that a step stands for.
Command command_of(const Step& step, CallId call, std::string_view redirect_to,
                   std::string_view info_package);
// The status that an INVITE to this user would get in the end: what OPTIONS answers (RFC
// 3261 11.2).
int options_status(const Behaviour& behaviour);

}  // namespace sipassay::agent
