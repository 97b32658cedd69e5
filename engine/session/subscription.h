// The subscription that a REFER makes (RFC 3515 2.4, RFC 6665): both roles, inside the dialog of
// the REFER. Outlives the session's BYE (RFC 5057 5.5): session_dialog counts it as a usage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clause.h"
#include "engine/base/time.h"
#include "engine/message/message.h"

namespace sipassay::session {

enum class SubscriptionRole : std::uint8_t { Notifier, Subscriber };
enum class SubscriptionPhase : std::uint8_t { NotifyWait, Pending, Active, Terminated };

struct SubscriptionId {
  std::uint32_t cseq = 0;  // CSeq number of the REFER
  bool is_first = true;    // RFC 3515 2.4.6: later ones must say refer;id=CSeq
};

class Subscription {
 public:
  // `expires` counts for the notifier's "active;expires" and ends both roles.
  Subscription(SubscriptionRole role, SubscriptionId id, Duration expires, Duration t1,
               Instant now);

  SubscriptionRole role() const { return role_; }
  SubscriptionId id() const { return id_; }
  // The REFER was sent again with credentials, and a new CSeq number (RFC 3261 22.2).
  void renumber(std::uint32_t cseq) { id_.cseq = cseq; }
  SubscriptionPhase phase() const { return phase_; }
  bool is_over() const { return phase_ == SubscriptionPhase::Terminated; }
  // "refer" or "refer;id=93809824".
  std::string event() const;

  // --- notifier
  // Event, Subscription-State and a message/sipfrag body for a NOTIFY; a final status ends the
  // subscription with terminated;reason=noresource (RFC 3515 2.4.5, 2.4.7).
  void fill_notify(Message& notify, std::string_view status_line, bool is_final, Instant now);
  // The last NOTIFY of a subscription whose time is over: terminated;reason=timeout.
  void fill_timeout(Message& notify) const;
  // The answer to our NOTIFY: 4xx-6xx of RFC 6665 4.2.2 drop the subscription, a timeout too.
  void notify_answered(int status);

  // --- subscriber
  struct Refusal {
    int status = 0;  // 481, 489, 400
    std::string_view rule;
    Clause clause;
  };
  // A NOTIFY for this subscription (Event matched): how to answer it; nothing: 200.
  std::optional<Refusal> check(const Message& notify) const;
  void notify_received(const Message& notify, Instant now);

  // --- time
  std::optional<Instant> next_deadline() const { return deadline_; }
  // True if it has just ended: expired, or Timer N without a NOTIFY (RFC 6665 4.1.2.4).
  bool advance(Instant now);

 private:
  SubscriptionRole role_;
  SubscriptionId id_;
  SubscriptionPhase phase_ = SubscriptionPhase::NotifyWait;
  Instant expires_at_;
  std::optional<Instant> deadline_;
};

// The CSeq number in an Event's id; nothing if the package is not "refer" or the id is not a
// number. is_first is true when there is no id.
std::optional<SubscriptionId> refer_event(const Message& message);

}  // namespace sipassay::session
