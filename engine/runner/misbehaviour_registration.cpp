// Rows about REGISTER, on both sides.
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

constexpr Misbehaviour rows[] = {
    {"takes-star-with-time",
     {3261, "10.3", Level::Must},
     "answers 200 to Contact * whatever Expires says",
     [](Wire& w) {
       if (w.sends(Method::Register, 400, 400)) set_status(w.edit(), 200);
     }},
    {"423-without-min-expires",
     {3261, "10.3", Level::Must},
     "sends 423 without Min-Expires",
     [](Wire& w) {
       if (w.sends(Method::Register, 423, 423)) w.edit().remove(HeaderId::MinExpires);
     }},
    {"bindings-without-expires",
     {3261, "10.3", Level::Must},
     "does not say how long a binding lasts",
     [](Wire& w) {
       if (!w.sends(Method::Register, 200, 299)) return;
       const std::string contact = "<" + contact_uri(w.message()) + ">";
       w.edit().set(HeaderId::Contact, contact);
     }},
    {"register-200-without-date",
     {3261, "10.3", Level::Should},
     "sends no Date with the bindings",
     [](Wire& w) {
       if (w.sends(Method::Register, 200, 299)) w.edit().remove(HeaderId::Date);
     }},
};

}  // namespace

std::span<const Misbehaviour> registration_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
