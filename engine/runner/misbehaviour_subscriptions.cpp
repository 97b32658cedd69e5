// Rows about several subscriptions in a dialog, about who may subscribe and for how long.
#include <algorithm>
#include <string>

#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

bool is_terminated(const Message& message) {
  return message.raw(HeaderId::SubscriptionState).starts_with("terminated");
}

std::ptrdiff_t subscribes_received(const Wire& w) {
  return std::ranges::count_if(w.history(), [](const Crossed& one) {
    return !one.from_sut && one.message.is_request() && one.message.method() == Method::Subscribe;
  });
}

// A CANCEL for this request, a second after it.
void cancel(Wire& w) {
  if (w.is_repeated()) return;
  Message cancel = w.message();
  cancel.set_start_line("CANCEL " + std::string(cancel.request_uri()) + " SIP/2.0");
  cancel.set(HeaderId::CSeq, std::to_string(cseq_number(cancel)) + " CANCEL");
  drop_body(cancel);
  w.send(std::move(cancel), 1s);
}

constexpr Misbehaviour rows[] = {
    {"cancels-message",
     {3261, "9.1", Level::ShouldNot},
     "cancels a MESSAGE that is not answered at once",
     [](Wire& w) {
       if (w.sends(Method::Message)) cancel(w);
     }},
    {"cancels-subscribe",
     {6665, "4.6", Level::ShouldNot},
     "cancels a SUBSCRIBE that is not answered at once",
     [](Wire& w) {
       if (w.sends(Method::Subscribe)) cancel(w);
     }},
    {"replaces-403-by-500",
     {6665, "4.2.1.3", Level::Should},
     "answers 500 to a subscriber that may not subscribe",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() == 403) set_status(w.edit(), 500);
     }},
    {"challenges-by-407",
     {6665, "4.2.1.3", Level::Stated},
     "asks a subscriber for credentials as a proxy does",
     [](Wire& w) {
       if (!w.sends(Method::Subscribe, 401, 401)) return;
       const std::string challenge(w.message().raw(HeaderId::WwwAuthenticate));
       w.edit().remove(HeaderId::WwwAuthenticate);
       w.edit().add(HeaderId::ProxyAuthenticate, challenge);
       set_status(w.edit(), 407);
     }},
    {"takes-brief-refreshes",
     {6665, "4.2.1.4", Level::Should},
     "accepts a refresh for whatever time",
     [](Wire& w) {
       if (!w.sends(Method::Subscribe, 423, 423)) return;
       set_status(w.edit(), 200);
       w.edit().set(HeaderId::Expires, "1");
     }},
    {"notifies-changes-late",
     {6665, "4.2.2", Level::Should},
     "tells of changes twenty seconds later",
     [](Wire& w) {
       if (w.sends(Method::Notify) && w.last_request(true, Method::Notify) != nullptr) w.delay(20s);
     }},
    {"routes-by-the-response",
     {6665, "4.4.1", Level::Stated},
     "takes the route set of a subscription from the 2xx to its SUBSCRIBE",
     [](Wire& w) {
       const Message* ok = w.last_response(false, Method::Subscribe, 200, 299);
       if (w.sends(Method::Subscribe) && ok != nullptr)
         w.edit().set(HeaderId::Route, ok->raw(HeaderId::RecordRoute));
     }},
    {"489-and-allows-it",
     {6665, "8.2.2", Level::Stated},
     "lists a package that it has just refused by 489",
     [](Wire& w) {
       const Message* asked = w.last_request(false, Method::Subscribe);
       if (w.sends(Method::Subscribe, 489, 489) && asked != nullptr)
         w.edit().set(HeaderId::AllowEvents, asked->raw(HeaderId::Event));
     }},
    {"second-usage-ends-with-first",
     {5057, "3.2", Level::Stated},
     "forgets a dialog when the usage that made it ends",
     [](Wire& w) {
       const bool has_ended =
           w.first(true, [](const Message& m) { return m.is_request() && is_terminated(m); });
       if (w.sends(Method::Subscribe, 200, 299) && has_ended) set_status(w.edit(), 481);
     }},
    {"refresh-is-for-all",
     {5057, "5.5", Level::Stated},
     "prolongs all subscriptions of a dialog when one is refreshed",
     [](Wire& w) {
       if (w.sends(Method::Notify) && is_terminated(w.message()) && subscribes_received(w) == 3)
         w.drop();
     }},
    {"refreshes-after-501",
     {5057, "5.1", Level::Stated},
     "goes on serving a subscriber that does not know NOTIFY",
     [](Wire& w) {
       if (!w.sends(Method::Subscribe, 300, 699)) return;
       set_status(w.edit(), 200);
       w.edit().set(HeaderId::Expires, "600");
     }},
};

}  // namespace

std::span<const Misbehaviour> subscriptions_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
