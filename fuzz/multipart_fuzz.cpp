// Properties of bodies, for any octets (first line: Content-Type; second line: Content-Disposition;
// then the body):
// - what is found in a body points into the body;
// - parts that were read are written to a body that is read to the same parts;
// - a SIP fragment that parses serialises to text that parses.
#include <cstdint>
#include <string>

#include "engine/message/message.h"
#include "engine/message/multipart.h"
#include "engine/message/sipfrag.h"
#include "fuzz/support.h"

namespace sipassay::fuzz {
namespace {

std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

void is_inside(std::string_view part, std::string_view body) {
  check(part.empty() ||
            (part.data() >= body.data() && part.data() + part.size() <= body.data() + body.size()),
        "a part lies inside the body", part);
}

void contents_of(const Message& message) {
  const auto contents = body_contents(message);
  trace().add(contents ? 0U : 1U + static_cast<unsigned>(contents.error().code));
  if (!contents) {
    check(contents.error().offset <= message.body().size(), "an error lies inside the body");
    return;
  }
  for (const auto& part : contents->others) {
    is_inside(part.octets, message.body());
    trace().add(part.octets);
  }
  if (contents->session) is_inside(contents->session->octets, message.body());
  trace().add(contents->unsupported.has_value() ? 1U : 0U);
  const auto session = session_description(message);
  check(session.has_value() == contents->session.has_value(),
        "one way to find the session description");
  if (session) trace().add(*session);
}

void parts_of(std::string_view body, std::string_view boundary) {
  const auto parts = parse_multipart(body, boundary);
  if (!parts) return;
  for (const auto& part : parts->parts) is_inside(part.body, body);
  is_inside(parts->preamble, body);
  is_inside(parts->epilogue, body);
  const auto made = make_multipart(parts->parts, boundary);
  const Block copy(made);
  const auto again = parse_multipart(copy.view(), boundary);
  check(again.has_value() && again->parts.size() == parts->parts.size(), "written parts are read",
        made);
  for (std::size_t i = 0; i < parts->parts.size(); ++i)
    check(again->parts[i].body == parts->parts[i].body, "bodies of parts stay", made);
  check(make_multipart(again->parts, boundary) == made, "writing parts is idempotent", made);
}

}  // namespace
}  // namespace sipassay::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sipassay;
  using namespace sipassay::fuzz;
  trace().begin();
  const Block block(data, size);
  auto rest = block.view();
  const auto type = take_line(rest);
  const auto disposition = take_line(rest);
  auto message = Message::request("INVITE", "sip:a@b");
  message.set_body(type, rest);
  if (!disposition.empty()) message.add(HeaderId::ContentDisposition, disposition);
  contents_of(message);
  const Block body(rest);
  parts_of(body.view(), multipart_boundary(type));
  if (const auto fragment = parse_sipfrag(body.view())) {
    const auto text = fragment->message.to_string();
    check(!fragment->has_start_line || parse_sipfrag(text).has_value(),
          "a serialised fragment parses", text);
    trace().add(text);
  }
  trace().add(static_cast<std::uint64_t>(sipfrag_status(body.view())));
  return 0;
}
