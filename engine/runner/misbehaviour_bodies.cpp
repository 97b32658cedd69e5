// Rows about what messages contain: bodies and their parts, sizes, header fields that explain them.
#include <algorithm>
#include <string>

#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

bool sends_request_with_body(const Wire& w) {
  return w.is_sent() && w.message().is_request() && !w.message().body().empty();
}

constexpr Misbehaviour rows[] = {
    {"ends-lines-in-lf",
     {3261, "7", Level::Must},
     "ends a line of its responses in a bare line feed",
     [](Wire& w) {
       if (w.is_sent() && w.message().is_response())
         w.edit().set(HeaderId::Server, "sipassay\nX-More: something");
     }},
    {"doubles-a-parameter",
     {3261, "7.3.1", Level::MustNot},
     "writes a parameter twice into From",
     [](Wire& w) {
       if (w.sends(Method::Invite) || w.sends(Method::Register))
         w.edit().set(HeaderId::From, std::string(w.message().raw(HeaderId::From)) + ";x=1;x=2");
     }},
    {"reason-in-words",
     {3326, "2", Level::Stated},
     "writes a cause that is no number into Reason",
     [](Wire& w) {
       if (w.sends(Method::Bye) || w.sends(Method::Cancel))
         w.edit().set(HeaderId::Reason, "SIP;cause=normal;text=bye");
     }},
    {"expires-without-date",
     {3428, "4", Level::Should},
     "sends MESSAGE with Expires and without Date",
     [](Wire& w) {
       if (!w.sends(Method::Message)) return;
       w.edit().set(HeaderId::Expires, "60");
       w.edit().remove(HeaderId::Date);
     }},
    {"pads-messages",
     {3428, "8", Level::MustNot},
     "sends MESSAGE of two thousand octets",
     [](Wire& w) {
       if (w.sends(Method::Message)) w.edit().set_body("text/plain", std::string(2000, 'x'));
     }},
    {"encodes-bodies",
     {5621, "3.2", Level::Should},
     "sends bodies in base64",
     [](Wire& w) {
       if (sends_request_with_body(w)) w.edit().set("Content-Transfer-Encoding", "base64");
     }},
    {"ignores-multipart",
     {5621, "4.2", Level::Stated},
     "answers an INVITE with a multipart body as if there were no body",
     [](Wire& w) {
       if (!w.sends(Method::Invite, 200, 299)) return;
       edit_sdp(w.edit(), [](std::vector<std::string>& lines) {
         const auto is_stream = [](const std::string& line) { return line.starts_with("m="); };
         const auto first = std::ranges::find_if(lines, is_stream);
         if (first == lines.end()) return;
         lines.erase(std::find_if(first + 1, lines.end(), is_stream), lines.end());
       });
     }},
    {"takes-any-disposition",
     {5621, "8.4", Level::Should},
     "accepts a REFER whose target is a part of another disposition",
     [](Wire& w) {
       if (w.sends(Method::Refer, 300, 699)) set_status(w.edit(), 200);
     }},
    {"nests-mixed-in-mixed",
     {5621, "4.3", Level::ShouldNot},
     "packs a multipart/mixed into another one",
     [](Wire& w) {
       const auto type = w.message().raw(HeaderId::ContentType);
       if (!sends_request_with_body(w) || !type.starts_with("multipart/mixed")) return;
       constexpr std::string_view part = "Content-Type: application/sdp";
       std::string body(w.message().body());
       if (const auto at = body.find(part); at != std::string::npos)
         body.replace(at, part.size(), "Content-Type: multipart/mixed;boundary=inner");
       w.edit().set_body(std::string(type), body);
     }},
    {"origin-with-a-space",
     {8866, "5.2", Level::MustNot},
     "writes a user name with a space into o=",
     [](Wire& w) {
       if (!w.is_sent()) return;
       edit_sdp(w.edit(), [](std::vector<std::string>& lines) {
         for (auto& line : lines)
           if (line.starts_with("o=")) line.insert(2, "the ");
       });
     }},
};

}  // namespace

std::span<const Misbehaviour> bodies_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
