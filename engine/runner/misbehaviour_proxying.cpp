// Rows about what a proxy does to the requests and responses that it sends on.
#include <functional>

#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/values.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

// A request that the SUT sends on: it has the Via of who sent it as well.
bool forwards(const Wire& w) {
  return w.is_sent() && w.message().is_request() && w.message().all<Via>().count() > 1;
}
bool forwards(const Wire& w, Method method) {
  return forwards(w) && w.message().method() == method;
}
// As it came to the SUT.
const Message* original(const Wire& w) {
  const auto& message = w.message();
  return w.last(false, [&](const Message& other) {
    return other.is_request() && other.method() == message.method() &&
           other.raw(HeaderId::CallId) == message.raw(HeaderId::CallId) &&
           cseq_number(other) == cseq_number(message);
  });
}

constexpr Misbehaviour rows[] = {
    {"keeps-request-uri",
     {3261, "16.6", Level::Must},
     "sends a request on with the Request-URI that it came with",
     [](Wire& w) {
       const auto* came = forwards(w) ? original(w) : nullptr;
       if (came != nullptr) w.edit().set_request_uri(std::string(came->request_uri()));
     }},
};

}  // namespace

std::span<const Misbehaviour> proxying_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
