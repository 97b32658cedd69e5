// Rows about offer and answer.
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

using Lines = std::vector<std::string>;

bool is_medium(const std::string& line) {
  return line.starts_with("m=");
}

std::string line_of(const Message& message, std::string_view prefix) {
  const std::string_view body = message.body();
  const std::size_t at = body.find("\n" + std::string(prefix));
  if (at == std::string_view::npos) return std::string(prefix);
  return std::string(ascii::trim(body.substr(at + 1, body.find('\n', at + 1) - at - 1)));
}

void replace_line(Lines& lines, std::string_view prefix, const std::string& by) {
  for (auto& line : lines)
    if (line.starts_with(prefix)) line = by;
}

// o=<user> <id> <version> …: the version is one higher.
void raise_version(Lines& lines) {
  for (auto& line : lines) {
    if (!line.starts_with("o=")) continue;
    const std::size_t begin = line.find(' ', line.find(' ') + 1) + 1;
    const std::size_t end = line.find(' ', begin);
    const auto version = ascii::number<std::uint64_t>(line.substr(begin, end - begin));
    if (version) line.replace(begin, end - begin, std::to_string(*version + 1));
  }
}

void set_direction(Lines& lines, const std::string& direction) {
  std::erase_if(lines, [](const std::string& line) {
    return line == "a=sendrecv" || line == "a=sendonly" || line == "a=recvonly" ||
           line == "a=inactive";
  });
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (is_medium(lines[i]))
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(++i), "a=" + direction);
}

void drop_last_medium(Lines& lines) {
  std::size_t last = lines.size();
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (is_medium(lines[i])) last = i;
  lines.resize(last);
}

void reverse_media(Lines& lines) {
  std::vector<Lines> media;
  Lines head;
  for (const auto& line : lines) {
    if (is_medium(line)) media.emplace_back();
    (media.empty() ? head : media.back()).push_back(line);
  }
  lines = head;
  for (auto it = media.rbegin(); it != media.rend(); ++it)
    lines.insert(lines.end(), it->begin(), it->end());
}

// m=<media> <port> …: every port in use is two higher.
void shift_ports(Lines& lines) {
  for (auto& line : lines) {
    if (!is_medium(line)) continue;
    const std::size_t begin = line.find(' ') + 1;
    const std::size_t end = line.find(' ', begin);
    const auto port = ascii::number<unsigned>(line.substr(begin, end - begin));
    if (port && *port != 0) line.replace(begin, end - begin, std::to_string(*port + 2));
  }
}

constexpr Misbehaviour rows[] = {
    {"omits-answer",
     {3261, "13.3.1.4", Level::Must},
     "sends the 2xx to an INVITE without SDP",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299)) drop_body(w.edit());
     }},
    {"2xx-without-offer",
     {3261, "13.3.1.4", Level::Must},
     "sends the 2xx to an INVITE without SDP",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299)) drop_body(w.edit());
     }},
    {"omits-provisional-sdp",
     {3262, "5", Level::Must},
     "sends provisional responses without SDP",
     [](Wire& w) {
       if (w.sends(Method::Invite, 101, 199)) drop_body(w.edit());
     }},
    {"reliable-without-answer",
     {6337, "2.2", Level::Stated},
     "sends provisional responses without SDP",
     [](Wire& w) {
       if (w.sends(Method::Invite, 101, 199)) drop_body(w.edit());
     }},
    {"reliable-without-offer",
     {6337, "2.2", Level::Stated},
     "sends provisional responses without SDP",
     [](Wire& w) {
       if (w.sends(Method::Invite, 101, 199)) drop_body(w.edit());
     }},
    {"omits-prack-answer",
     {3262, "5", Level::Must},
     "leaves the SDP out of PRACK and its response",
     [](Wire& w) {
       if (w.sends(Method::Prack, 200, 299) || w.sends(Method::Prack)) drop_body(w.edit());
     }},
    {"prack-offer-unanswered",
     {3262, "5", Level::Must},
     "leaves the SDP out of PRACK and its response",
     [](Wire& w) {
       if (w.sends(Method::Prack, 200, 299) || w.sends(Method::Prack)) drop_body(w.edit());
     }},
    {"prack-without-answer",
     {3262, "5", Level::Must},
     "sends PRACK without SDP",
     [](Wire& w) {
       if (w.sends(Method::Prack)) drop_body(w.edit());
     }},
    {"prack-with-offer",
     {6337, "2.2", Level::Stated},
     "sends an offer in every PRACK",
     [](Wire& w) {
       const Message* invite = w.last_request(true, Method::Invite);
       if (w.sends(Method::Prack) && invite != nullptr)
         w.edit().set_body("application/sdp", std::string(invite->body()));
     }},
    {"ack-without-answer",
     {3261, "13.2.1", Level::Must},
     "sends ACK without SDP",
     [](Wire& w) {
       if (w.sends(Method::Ack)) drop_body(w.edit());
     }},
    {"update-offer-unanswered",
     {3311, "5.2", Level::Must},
     "answers UPDATE without SDP",
     [](Wire& w) {
       if (w.sends(Method::Update, 200, 299)) drop_body(w.edit());
     }},
    {"changes-sdp-in-2xx",
     {3261, "13.2.1", Level::MustNot},
     "puts another SDP into the 2xx than into the provisional response",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 200, 299)) return;
       const Message* before = w.last(true, [](const Message& m) {
         return m.is_response() && m.status() < 200 && !m.body().empty();
       });
       if (before != nullptr && !w.has_sdp())
         w.edit().set_body("application/sdp", std::string(before->body()));
       edit_sdp(w.edit(), [](Lines& lines) { raise_version(lines); });
     }},
    {"offer-without-session-name",
     {3264, "5", Level::Must},
     "offers an SDP without s=",
     [](Wire& w) {
       if (w.sends(Method::Invite))
         edit_sdp(w.edit(), [](Lines& lines) {
           std::erase_if(lines, [](const auto& l) { return l.starts_with("s="); });
         });
     }},
    {"version-not-raised",
     {3264, "8", Level::Must},
     "changes its SDP without raising the version of o=",
     [](Wire& w) {
       const Message* before = w.last(
           true, [](const Message& m) { return m.body().find("\no=") != std::string_view::npos; });
       if (w.is_sent() && before != nullptr)
         edit_sdp(w.edit(),
                  [&](Lines& lines) { replace_line(lines, "o=", line_of(*before, "o=")); });
     }},
    {"answers-with-fewer-streams",
     {3264, "6", Level::Must},
     "answers with fewer streams than were offered",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299))
         edit_sdp(w.edit(), [](Lines& lines) { drop_last_medium(lines); });
     }},
    {"answer-adds-media",
     {3264, "6", Level::Must},
     "answers with more streams than were offered",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 200, 488)) return;
       set_status(w.edit(), 200);
       if (!w.has_sdp()) {
         const Message* invite = w.last_request(false, Method::Invite);
         w.edit().set_body("application/sdp", std::string(invite != nullptr ? invite->body() : ""));
       }
       edit_sdp(w.edit(), [](Lines& lines) { lines.emplace_back("m=audio 4000 RTP/AVP 0"); });
     }},
    {"answers-refused-stream-with-port",
     {3264, "6", Level::Must},
     "gives a port to streams that are refused",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 200, 299)) return;
       edit_sdp(w.edit(), [](Lines& lines) {
         for (auto& line : lines)
           if (line.starts_with("m=") && line.find(" 0 ") != std::string::npos)
             line.replace(line.find(" 0 "), 3, " 4000 ");
       });
     }},
    {"answer-without-port-zero",
     {3264, "6", Level::Must},
     "gives a port to streams that are refused",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 200, 299)) return;
       edit_sdp(w.edit(), [](Lines& lines) {
         for (auto& line : lines)
           if (line.starts_with("m=") && line.find(" 0 ") != std::string::npos)
             line.replace(line.find(" 0 "), 3, " 4000 ");
       });
     }},
    {"answer-with-foreign-codec",
     {3264, "6.1", Level::Must},
     "answers with a codec that was not offered",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 200, 299)) return;
       edit_sdp(w.edit(), [](Lines& lines) {
         for (auto& line : lines)
           if (line.starts_with("m=audio"))
             line = line.substr(0, line.rfind(' ', line.find("RTP/") + 8)) + " 99";
         lines.emplace_back("a=rtpmap:99 nosuchcodec/8000");
       });
     }},
    {"answers-sendrecv",
     {3264, "6.1", Level::Must},
     "answers sendrecv whatever was offered",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299))
         edit_sdp(w.edit(), [](Lines& lines) { set_direction(lines, "sendrecv"); });
     }},
    {"answers-recvonly",
     {6337, "5.3", Level::Stated},
     "answers recvonly whatever was offered",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299))
         edit_sdp(w.edit(), [](Lines& lines) { set_direction(lines, "recvonly"); });
     }},
    {"offers-hold",
     {3261, "14.1", Level::Must},
     "still offers what was refused",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299))
         edit_sdp(w.edit(), [](Lines& lines) { set_direction(lines, "sendonly"); });
     }},
    {"offers-recvonly-when-held",
     {6337, "5.3", Level::Stated},
     "offers recvonly because it is held",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299))
         edit_sdp(w.edit(), [](Lines& lines) { set_direction(lines, "recvonly"); });
     }},
    {"offers-sendrecv-when-holding",
     {6337, "5.3", Level::Stated},
     "forgets its own hold when it is asked for an offer",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299))
         edit_sdp(w.edit(), [](Lines& lines) { set_direction(lines, "sendrecv"); });
     }},
    {"new-media-first",
     {3264, "8.1", Level::Must},
     "puts a new stream above the old ones",
     [](Wire& w) {
       if (!w.sends(Method::Invite) || w.last_request(true, Method::Invite) == nullptr) return;
       edit_sdp(w.edit(), [](Lines& lines) { reverse_media(lines); });
     }},
    {"offers-while-offer-open",
     {3264, "4", Level::MustNot},
     "makes another offer while one is open",
     [](Wire& w) {
       if (!w.sends(Method::Invite) || w.is_repeated() ||
           w.last_request(true, Method::Invite) == nullptr)
         return;
       auto update = w.make_request("UPDATE");
       if (!update) return;
       update->set_body("application/sdp", std::string(w.message().body()));
       w.send(std::move(*update), 500ms);
     }},
    {"keeps-rejected-offer",
     {6141, "3.3", Level::Stated},
     "holds on to an offer that it has refused",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299) &&
           w.last_response(true, Method::Invite, 300, 699) != nullptr)
         edit_sdp(w.edit(), [](Lines& lines) { shift_ports(lines); });
       if (w.sends(Method::Prack, 200, 299)) drop_body(w.edit());
     },
     [](const Wire& w, std::string_view field, std::string& value) {
       const Message* offer =
           w.last(false, [](const Message& m) { return m.is_request() && !m.body().empty(); });
       if (field == "offer" && offer != nullptr) value = std::string(offer->body());
     }},
    {"keeps-cancelled-offer",
     {6141, "3.8", Level::Stated},
     "holds on to the offer of a cancelled re-INVITE",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299) &&
           w.last_response(true, Method::Invite, 300, 699) != nullptr)
         edit_sdp(w.edit(), [](Lines& lines) { shift_ports(lines); });
       if (w.sends(Method::Prack, 200, 299)) drop_body(w.edit());
     },
     [](const Wire& w, std::string_view field, std::string& value) {
       const Message* offer =
           w.last(false, [](const Message& m) { return m.is_request() && !m.body().empty(); });
       if (field == "offer" && offer != nullptr) value = std::string(offer->body());
     }},
    {"takes-sdp-after-answer",
     {6337, "3.1.1", Level::Stated},
     "takes an SDP that comes after the answer for a new one",
     [](Wire&) {},
     [](const Wire& w, std::string_view field, std::string& value) {
       const Message* sdp = w.last(false, [](const Message& m) {
         return is_response_to(m, Method::Invite, 101, 299) && !m.body().empty();
       });
       if (field == "answer" && sdp != nullptr) value = std::string(sdp->body());
     }},
    {"remembers-refused-offer",
     {3264, "4", Level::Stated},
     "takes a new offer for the one that it has refused",
     [](Wire& w) {
       if (w.sends(Method::Invite, 200, 299) &&
           w.last_response(true, Method::Invite, 488, 488) != nullptr)
         set_status(w.edit(), 488);
     }},
    {"offers-in-prack",
     {6337, "3.1.1", Level::Stated},
     "makes an offer in the PRACK while the answer to its INVITE is due",
     [](Wire& w) {
       const Message* invite = w.last_request(true, Method::Invite);
       if (w.sends(Method::Prack) && invite != nullptr)
         w.edit().set_body("application/sdp", invite->body());
     }},
    {"answers-in-every-ack",
     {6337, "3.1.2", Level::Stated},
     "puts its last session description into every ACK",
     [](Wire& w) {
       const Message* prack = w.last_request(true, Method::Prack);
       if (w.sends(Method::Ack) && prack != nullptr)
         w.edit().set_body("application/sdp", prack->body());
     }},
    {"invites-during-update",
     {6337, "4.3", Level::Stated},
     "sends a re-INVITE while its UPDATE is open",
     [](Wire& w) {
       if (!w.sends(Method::Update)) return;
       if (auto invite = w.make_request("INVITE")) w.send(std::move(*invite), 50ms);
     }},
    {"accepts-every-stream",
     {6337, "5.2.4", Level::Stated},
     "answers every stream with a port",
     [](Wire& w) {
       if (!w.sends(Method::Ack)) return;
       edit_sdp(w.edit(), [](Lines& lines) {
         for (auto& line : lines)
           if (line.starts_with("m=audio 0 ")) line.replace(8, 1, "40000");
       });
     }},
    {"offers-one-codec",
     {6337, "5.2.5", Level::Stated},
     "offers the codec in use and no other",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 200, 299)) return;
       edit_sdp(w.edit(), [](Lines& lines) {
         for (auto& line : lines)
           if (line.starts_with("m=audio "))
             line = line.substr(0, line.find("RTP/AVP")) + "RTP/AVP 8";
       });
     }},
    {"updates-too-early",
     {3311, "5.1", Level::MustNot},
     "sends an UPDATE with an offer before its INVITE has an answer",
     [](Wire& w) {
       const Message* invite = w.last_request(true, Method::Invite);
       if (!w.sends(Method::Prack) || invite == nullptr) return;
       auto update = w.make_request("UPDATE");
       if (!update) return;
       update->set_body("application/sdp", invite->body());
       w.send(std::move(*update), 200ms);
     }},
    {"offers-without-refused-stream",
     {6337, "5.2.5", Level::Stated},
     "leaves a refused stream out of its next offer",
     [](Wire& w) {
       const Message* before = w.last_response(true, Method::Invite, 200, 299);
       if (w.sends(Method::Invite, 200, 299) && before != nullptr && !w.is_repeated())
         edit_sdp(w.edit(), [](Lines& lines) { drop_last_medium(lines); });
     }},
};

}  // namespace

std::span<const Misbehaviour> sdp_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
