// Rows about what is taken for well formed, and about survival.
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

constexpr Misbehaviour rows[] = {
    {"answers-400",
     {3261, "21.4.1", Level::Stated},
     "finds every request malformed",
     [](Wire& w) {
       if (!w.is_sent() || w.message().status() < 200) return;
       set_status(w.edit(), 400);
       drop_body(w.edit());
     }},
    {"answers-nothing",
     {3261, "8.2.6.2", Level::Must},
     "sends no final response",
     [](Wire& w) {
       if (w.is_sent() && w.message().status() >= 200) w.drop();
     }},
    {"goes-deaf",
     {4475, "3", Level::Stated},
     "no longer hears anything",
     [](Wire& w) {
       if (!w.is_sent()) w.drop();
     }},
    {"answers-responses",
     {3261, "18.1.2", Level::Must},
     "sends a request whenever a response comes that it has not asked for",
     [](Wire& w) {
       if (w.is_sent() || !w.message().is_response()) return;
       Message request = Message::request("OPTIONS", "sip:nobody@192.0.2.101");
       for (const auto* field : {"Via", "From", "To", "Call-ID"})
         request.add(field, w.message().raw(header_id_from(field)));
       request.add("CSeq", "1 OPTIONS");
       request.add("Max-Forwards", "70");
       w.send(std::move(request));
     }},
};

}  // namespace

std::span<const Misbehaviour> syntax_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
