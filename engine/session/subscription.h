// One subscription (RFC 6665), as subscriber or as notifier: its state machine, its time, and what
// stands in its NOTIFYs. That of a REFER (RFC 3515 2.4) is one of the event package refer.
//
// A value without I/O: its owner, the dialog's Subscriptions, sends and receives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clause.h"
#include "engine/base/state_table.h"
#include "engine/base/time.h"
#include "engine/message/header/event.h"
#include "engine/message/message.h"
#include "engine/session/options.h"

namespace sipassay::session {

enum class SubscriptionRole : std::uint8_t { Notifier, Subscriber };

// RFC 6665 4.1.2 and 4.2.2, the figures. NotifyWait is the subscriber's, ResponseWait the
// notifier's.
enum class SubscriptionPhase : std::uint8_t {
  Init,
  NotifyWait,
  ResponseWait,
  Pending,
  Active,
  Terminated
};

enum class SubscriberInput : std::uint8_t {
  SubscribeSent,    // the first one, or a refresh
  SubscribeFailed,  // the first one: any 300-699, or no response
  RefreshRefused,   // 404, 405, 410, 416, 480-485, 489, 501, 604
  RefreshFailed,    // any other failure
  NotifyPending,    // a NOTIFY that says so
  NotifyActive,
  NotifyTerminated,
  TimerN,  // 64*T1 after a SUBSCRIBE without a NOTIFY
  Expired
};
enum class SubscriberAction : std::uint8_t { StartTimerN, StopTimerN, Adopt, End };

enum class NotifierInput : std::uint8_t {
  SubscribeReceived,  // and answered 2xx: the first one
  Refreshed,          // answered 2xx: a later one
  Granted,            // policy allows it
  Undecided,          // policy is not known yet
  StateChanged,
  NotifyFailed,  // 404, 405, 410, 416, 480-485, 489, 501, 604, or no response
  Unsubscribed,  // Expires: 0
  Expired,
  Ended  // by policy, or the resource is gone
};
enum class NotifierAction : std::uint8_t { Accept, Notify, NotifyLast, Drop };

using SubscriberRow = Transition<SubscriptionPhase, SubscriberInput, SubscriberAction>;
using NotifierRow = Transition<SubscriptionPhase, NotifierInput, NotifierAction>;

// Both machines as text: `sipassay tables`.
std::vector<TableRow> subscription_tables();

std::string_view to_string(SubscriptionPhase phase);
std::string_view to_string(SubscriberInput input);
std::string_view to_string(SubscriberAction action);
std::string_view to_string(NotifierInput input);
std::string_view to_string(NotifierAction action);

// What names a subscription in its dialog: package and id of Event, compared byte by byte (RFC 6665
// 8.2.1). The id of a REFER's is its CSeq number, which the first REFER may leave out (RFC 3515
// 2.4.6).
struct EventName {
  std::string package{};
  std::optional<std::string> id{};
  std::optional<std::uint32_t> refer_cseq{};  // made by a REFER with this CSeq number

  // "refer", "refer;id=93809824": the value of Event.
  std::string text() const;
  bool is_named_by(const Event& event) const;
};
EventName event_name(const Event& event);
// Seconds that a SUBSCRIBE asks for or its 2xx grants; nothing: Expires is missing or malformed.
std::optional<std::uint32_t> expires_of(const Message& message);

// True for the codes that end a subscription, 0 (no response) included: RFC 6665 4.1.2.2, 4.2.2.
bool ends_subscription(int status);

// How a subscriber goes on after "terminated" (RFC 6665 4.1.3): the wait before a new SUBSCRIBE;
// nothing: it gives up. An unknown reason counts as none.
std::optional<Duration> resubscribe_after(std::string_view reason,
                                          std::optional<std::uint32_t> retry_after);

class Subscription {
 public:
  struct Options {
    SubscriptionRole role = SubscriptionRole::Subscriber;
    EventName name{};
    std::uint32_t expires = 0;   // seconds; subscriber: as asked for
    bool is_refreshed = false;   // subscriber: RefreshDue comes before it expires
    Duration notify_interval{};  // notifier: news is not sent closer to the NOTIFY before
    Duration t1 = 500ms;
  };
  explicit Subscription(Options options) : options_(std::move(options)) {}

  SubscriptionRole role() const { return options_.role; }
  const EventName& name() const { return options_.name; }
  SubscriptionPhase phase() const { return phase_; }
  bool is_over() const { return phase_ == SubscriptionPhase::Terminated; }
  // Over, and the NOTIFY that says so is sent.
  bool is_finished() const { return is_over() && !notify_due_; }
  // Of the "terminated" that ended it, or our own word for it; empty while it lives.
  const std::string& reason() const { return reason_; }
  std::optional<std::uint32_t> retry_after() const { return retry_after_; }
  // Subscriber: seconds that were asked for when it was made.
  std::uint32_t asked() const { return options_.expires; }
  // Of a subscriber: we sent Expires: 0.
  bool was_given_up() const { return was_given_up_; }
  // Whole seconds that are left.
  std::uint32_t expires(Instant now) const;
  // The REFER was sent again with credentials, and a new CSeq number (RFC 3261 22.2).
  void renumber(std::uint32_t cseq);

  // Over at once, without a word: the dialog is gone, or no subscription was made.
  void drop();

  // --- subscriber
  // SUBSCRIBE goes out, Expires 0 to unsubscribe or to fetch; or REFER, which asks for no time.
  void subscribe_sent(std::optional<std::uint32_t> expires, Instant now);
  // Its final response; `granted`: Expires of a 2xx. 0: no response.
  void subscribe_answered(int status, std::optional<std::uint32_t> granted, Instant now);
  // A NOTIFY that names this subscription.
  void notify_received(const SubscriptionState& state, Instant now);

  // --- notifier
  // A SUBSCRIBE or REFER was answered 2xx with this Expires; 0 unsubscribes, or is a fetch. The
  // first one is pending unless it is granted at once.
  void accepted(std::uint32_t expires, bool is_granted, Instant now);
  void grant(Instant now);
  void set_state(Body body, Instant now);
  // terminated with that reason; RFC 6665 4.1.3.
  void finish(std::string_view reason, std::optional<std::uint32_t> retry_after, Instant now);
  // The response to our NOTIFY; 0: none.
  void notify_answered(int status);
  // A NOTIFY is due, and goes out in whole with fill_notify().
  bool owes_notify(Instant now) const { return notify_due_ && *notify_due_ <= now; }
  // Event, Subscription-State, body.
  void fill_notify(Message& notify, Instant now);

  // --- time
  std::optional<Instant> next_deadline() const;
  enum class Due : std::uint8_t { Nothing, Refresh, Ended };
  Due advance(Instant now);

 private:
  // The action that was taken; nothing if the machine has no such arrow.
  std::optional<SubscriberAction> apply(SubscriberInput input);
  std::optional<NotifierAction> apply(NotifierInput input, Instant now);
  Instant turn(NotifierInput input, Instant now) const;
  void schedule_refresh(Instant now);
  void stop();

  Options options_;
  SubscriptionPhase phase_ = SubscriptionPhase::Init;
  std::string reason_;
  std::optional<std::uint32_t> retry_after_;
  bool was_given_up_ = false;
  bool is_granted_ = false;
  std::optional<Instant> expires_at_, timer_n_, refresh_at_;
  std::optional<Instant> notify_due_, notified_at_;
  Body state_;
};

}  // namespace sipassay::session
