// Rows about how a registrar answers REGISTER.
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/values.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

bool sends_bindings(const Wire& w) {
  return w.sends(Method::Register, 200, 299);
}

// Contact values of the message become what `change` makes of each; empty: it is left out.
void change_contacts(Message& message, const std::function<std::string(std::string)>& change) {
  const auto contacts = header_values(message, "contact");
  message.remove(HeaderId::Contact);
  for (const auto& contact : contacts)
    if (const std::string changed = change(contact); !changed.empty())
      message.add(HeaderId::Contact, changed);
}

std::string without_parameter(std::string contact, std::string_view name) {
  const auto start = contact.find(std::string(";").append(name).append("="));
  if (start != std::string::npos) contact.erase(start, contact.find(';', start + 1) - start);
  return contact;
}

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
    {"registers-with-6xx",
     {3261, "10.3", Level::MustNot},
     "refuses a REGISTER with 603",
     [](Wire& w) {
       if (w.sends(Method::Register, 400, 599)) set_status(w.edit(), 603);
     }},
    {"takes-all-registrations",
     {3261, "10.3", Level::Must},
     "answers 200 to a REGISTER that must fail",
     [](Wire& w) {
       if (w.sends(Method::Register, 400, 599)) set_status(w.edit(), 200);
     }},
    {"refuses-registrations",
     {3261, "10.3", Level::Must},
     "fails to bind what it should",
     [](Wire& w) {
       if (sends_bindings(w) && w.message().has(HeaderId::Contact)) set_status(w.edit(), 500);
     }},
    {"fails-on-path",
     {3327, "5.3", Level::Stated},
     "sends 500 for a Path that it does not want",
     [](Wire& w) {
       if (w.sends(Method::Register, 200, 499)) set_status(w.edit(), 500);
     }},
    {"registers-with-record-route",
     {3261, "10.3", Level::MustNot},
     "sends Record-Route in responses to REGISTER",
     [](Wire& w) {
       if (w.sends(Method::Register, 200, 699))
         w.edit().add(HeaderId::RecordRoute, "<sip:192.0.2.77;lr>");
     }},
    {"requires-outbound",
     {5626, "6", Level::MustNot},
     "says Require: outbound with any binding",
     [](Wire& w) {
       if (sends_bindings(w)) w.edit().add(HeaderId::Require, "outbound");
     }},
    {"forgets-bindings",
     {3261, "10.3", Level::Must},
     "lists no bindings",
     [](Wire& w) {
       if (sends_bindings(w)) w.edit().remove(HeaderId::Contact);
     }},
    {"keeps-removed-bindings",
     {3261, "10.3", Level::Must},
     "still lists a binding that is gone",
     [](Wire& w) {
       if (sends_bindings(w) && !w.message().has(HeaderId::Contact))
         w.edit().add(HeaderId::Contact, "<sip:one@192.0.2.11>;expires=60");
     }},
    {"shows-one-binding",
     {3261, "10.3", Level::Must},
     "lists the first binding only",
     [](Wire& w) {
       bool is_first = true;
       if (sends_bindings(w))
         change_contacts(w.edit(), [&](std::string contact) {
           return std::exchange(is_first, false) ? contact : std::string();
         });
     }},
    {"shows-another-binding",
     {3261, "10.3", Level::Must},
     "lists bindings that nobody made, or that are gone",
     [](Wire& w) {
       if (sends_bindings(w) && w.message().has(HeaderId::Contact))
         w.edit()
             .add(HeaderId::Contact, "<sip:one@192.0.2.11>;expires=60")
             .add(HeaderId::Contact, "<sip:two@192.0.2.12>;expires=60");
     }},
    {"shows-another-uri",
     {3261, "10.3", Level::Must},
     "loses what stands behind the host of a Contact URI, or adds to it",
     [](Wire& w) {
       if (!sends_bindings(w)) return;
       change_contacts(w.edit(), [](std::string contact) {
         const auto end = contact.find('>');
         const auto more = contact.find_first_of(";?");
         return more < end ? contact.erase(more, end - more) : contact.insert(end, ";unknownparam");
       });
     }},
    {"grants-too-long",
     {3261, "10.3", Level::Must},
     "grants more time than was asked for",
     [](Wire& w) {
       if (sends_bindings(w))
         change_contacts(w.edit(), [](std::string contact) {
           return without_parameter(std::move(contact), "expires") + ";expires=7200";
         });
     }},
    {"loses-q",
     {3261, "10.2.1.2", Level::Stated},
     "forgets the q of a binding",
     [](Wire& w) {
       if (sends_bindings(w))
         change_contacts(w.edit(), [](std::string contact) {
           return without_parameter(std::move(contact), "q");
         });
     }},
};

}  // namespace

std::span<const Misbehaviour> registration_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
