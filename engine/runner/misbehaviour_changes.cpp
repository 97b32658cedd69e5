// Rows about changes of a session beside other requests that are open: answers to re-INVITE and
// UPDATE, what follows their failure, when offers have to wait.
#include <algorithm>
#include <string>

#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

bool is_reinvite(const Message& message) {
  return message.is_request() && message.method() == Method::Invite &&
         !tag_of(message, HeaderId::To).empty();
}

// A final response to a re-INVITE of the peer.
bool answers_reinvite(const Wire& w) {
  return w.sends(Method::Invite, 200, 699) && w.last(false, is_reinvite) != nullptr;
}

// A change that the SUT asks for after its re-INVITE has failed.
bool changes_after_failure(const Wire& w) {
  return (w.sends(Method::Invite) || w.sends(Method::Update)) &&
         w.last_response(false, Method::Invite, 300, 699) != nullptr;
}

void set_direction(Message& message, std::string_view direction) {
  edit_sdp(message, [&](std::vector<std::string>& lines) {
    std::erase_if(lines, [](const std::string& line) {
      return line == "a=sendrecv" || line == "a=sendonly" || line == "a=recvonly" ||
             line == "a=inactive";
    });
    lines.push_back("a=" + std::string(direction));
  });
}

constexpr Misbehaviour rows[] = {
    // --- answers
    {"refuses-update-in-reinvite",
     {6141, "3.1", Level::Stated},
     "refuses every UPDATE while its own re-INVITE is open",
     [](Wire& w) {
       if (w.sends(Method::Update, 200, 299)) set_status(w.edit(), 491), drop_body(w.edit());
     }},
    {"undoes-executed-changes",
     {6141, "3.3", Level::Should},
     "refuses a re-INVITE whose answer it has given already",
     [](Wire& w) {
       if (answers_reinvite(w)) set_status(w.edit(), 488), drop_body(w.edit());
     }},
    {"undoes-executed-changes-by-487",
     {6141, "3.8", Level::Stated},
     "answers 487 to a cancelled re-INVITE whose answer it has given already",
     [](Wire& w) {
       if (answers_reinvite(w) && w.last_request(false, Method::Cancel) != nullptr)
         set_status(w.edit(), 487), drop_body(w.edit());
     }},
    {"asks-before-it-refreshes",
     {6141, "4.6", Level::Should},
     "sends no provisional response to a re-INVITE that moves the target",
     [](Wire& w) {
       if (w.sends(Method::Invite, 101, 199) && w.last(false, is_reinvite) != nullptr) w.drop();
     }},
    {"forgets-packages-after-undone-reinvite",
     {6086, "5.2.4", Level::Must},
     "takes no INFO once it has refused a re-INVITE",
     [](Wire& w) {
       if (w.sends(Method::Info, 200, 299) &&
           w.last_response(true, Method::Invite, 300, 699) != nullptr)
         set_status(w.edit(), 469);
     }},
    // --- after a failure
    {"never-resynchronises",
     {6141, "3.4", Level::Should},
     "leaves the session as it is after an error to a re-INVITE that was answered",
     [](Wire& w) {
       if (changes_after_failure(w)) w.drop();
     }},
    {"resynchronises-with-the-change",
     {6141, "3.4", Level::Should},
     "asks for the same hold again after an error to its re-INVITE",
     [](Wire& w) {
       if (changes_after_failure(w)) set_direction(w.edit(), "sendonly");
     }},
    {"insists-on-prack-offer",
     {6337, "2.3", Level::Stated},
     "sends a PRACK whose offer was refused with the same offer again",
     [](Wire& w) {
       const Message* refused = w.last_request(true, Method::Prack);
       if (w.sends(Method::Cancel)) w.drop();
       if (!w.gets(Method::Prack, 488, 488) || refused == nullptr) return;
       Message again = *refused;
       set_branch(again, branch_of(again) + "x");
       set_cseq(again, cseq_number(again) + 1);
       w.send(std::move(again), 10ms);
     }},
    {"insists-on-its-stream",
     {6337, "2.3", Level::Stated},
     "offers again and again what was refused by port 0",
     [](Wire& w) {
       const Message* offer = w.last(true, is_reinvite);
       if (!w.gets(Method::Invite, 200, 299) || offer == nullptr || w.memory()++ > 8) return;
       auto again = w.make_request("INVITE");
       if (!again) return;
       again->add(HeaderId::Contact, offer->raw(HeaderId::Contact));
       again->set_body("application/sdp", offer->body());
       w.send(std::move(*again), 300ms);
     }},
    // --- offers that do not wait
    {"offers-before-answering",
     {3264, "4", Level::MustNot},
     "makes an offer of its own while one of the peer is unanswered",
     [](Wire& w) {
       const Message* ours = w.last_response(true, Method::Invite, 200, 299);
       if (w.is_sent() || !is_reinvite(w.message()) || ours == nullptr) return;
       auto update = w.make_request("UPDATE");
       if (!update) return;
       update->add(HeaderId::Contact, ours->raw(HeaderId::Contact));
       update->set_body("application/sdp", ours->body());
       w.send(std::move(*update), 100ms);
     }},
    {"updates-twice",
     {6337, "4.3", Level::Stated},
     "sends another UPDATE while its last one is open",
     [](Wire& w) {
       if (!w.sends(Method::Update) || w.is_repeated() || w.memory()++ > 0) return;
       Message again = w.message();
       set_branch(again, branch_of(again) + "x");
       set_cseq(again, cseq_number(again) + 1);
       w.send(std::move(again), 20ms);
     }},
    {"changes-early-session-by-183",
     {6337, "3.2", Level::Stated},
     "makes the second offer of an early session in a provisional response",
     [](Wire& w) {
       const Message* ringing = w.last_response(true, Method::Invite, 101, 199);
       if (!w.sends(Method::Update) || ringing == nullptr) return;
       Message offer = *ringing;
       offer.set(HeaderId::RSeq, "99999");
       offer.set_body("application/sdp", w.message().body());
       w.drop();
       w.send(std::move(offer));
     }},
    {"refresh-resumes",
     {6337, "5.3", Level::Stated},
     "offers sendrecv when it refreshes a session that it holds",
     [](Wire& w) {
       const Message* before = w.last(true, is_reinvite);
       if (w.sends(Method::Invite) && before != nullptr &&
           before->body().find("a=sendonly") != std::string_view::npos)
         set_direction(w.edit(), "sendrecv");
     }},
    // --- responses and their order
    {"500-before-prack",
     {3262, "3", Level::Stated},
     "cannot accept a call while a provisional response is unacknowledged",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299) && w.last_request(false, Method::Prack) == nullptr)
         set_status(w.edit(), 500), drop_body(w.edit());
     }},
};

}  // namespace

std::span<const Misbehaviour> changes_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
