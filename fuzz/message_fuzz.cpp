// Properties of the message parser, the typed headers and the serialiser, for any octets:
// - a message that parses serialises to the octets it came from, and parses to the same again;
// - what could be read of a message that does not parse can be looked at;
// - a typed value that was read is written, read and written again to the same text;
// - adding a header field changes nothing else;
// - judging a message (lint, what rejection it is owed, which body describes the session) never
// fails.
#include <cstdint>
#include <string>

#include "engine/message/classify.h"
#include "engine/message/header/all.h"
#include "engine/message/lint.h"
#include "engine/message/message.h"
#include "engine/message/multipart.h"
#include "engine/message/parse.h"
#include "fuzz/support.h"

namespace sipassay::fuzz {
namespace {

template <class H>
void typed_values(const Message& message) {
  if (!message.has(H::id)) return;
  for (const auto& value : message.all<H>()) {
    trace().add(value ? 1U : 2U + static_cast<unsigned>(value.error().code));
    if (!value) continue;
    const std::string written = text_of(*value);
    trace().add(written);
    const Block copy(written);
    const auto again = H::parse(copy.view());
    check(again.has_value(), "a written header value parses", written);
    const std::string twice = text_of(*again);
    check(written == twice, "writing a header value is idempotent", written + "\n" + twice);
  }
  (void)message.get<H>();
}

void judge(const Message& message) {
  for (const auto& finding : lint(message)) trace().add(finding.rule);
  if (message.is_request()) {
    const auto rejection = owed_rejection(message);
    trace().add(rejection ? static_cast<unsigned>(rejection->status) : 0U);
    (void)can_be_answered(message);
  } else {
    trace().add(must_discard(message) ? 1U : 0U);
  }
  if (const auto sdp = session_description(message)) trace().add(*sdp);
}

void adding_changes_nothing_else(const Message& message) {
  if (message.field_count() >= header_lines_max ||
      message.to_string().size() + 16 > message_octets_max)
    return;
  Message edited = message;
  edited.add("X-Fuzz", "1");
  const auto text = edited.to_string();
  const auto again = parse_message(text);
  check(again.has_value(), "a message with one more header field parses", text);
  check(again->field_count() == message.field_count() + 1, "one more field", text);
  check(again->start_line() == message.start_line() && again->body() == message.body(),
        "start line and body stay", text);
  for (std::size_t i = 0; i < message.field_count(); ++i)
    check(again->field(i).value == message.field(i).value &&
              again->field(i).name == message.field(i).name,
          "the other fields stay", text);
  check(again->raw("x-fuzz") == "1", "the new field is there", text);
}

void round_trip(const Message& message, std::string_view octets) {
  std::size_t leading = 0;
  while (octets.substr(leading).starts_with("\r\n")) leading += 2;
  const auto text = message.to_string();
  check(text == octets.substr(leading, octets.size() - leading - message.surplus_octets()),
        "serialising gives the octets received", text);
  const Block copy(text);
  const auto again = parse_message(copy.view());
  check(again.has_value(), "a serialised message parses", text);
  check(again->to_string() == text, "serialising is idempotent", text);
}

}  // namespace
}  // namespace sipassay::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sipassay;
  using namespace sipassay::fuzz;
  const Block block(data, size);
  trace().begin();
  Message message;
  const auto parsed = parse_message(block.view(), message);
  trace().add(parsed ? 0U : 1U + static_cast<unsigned>(parsed.error().code));
  if (!parsed) check(parsed.error().offset <= size, "an error lies inside the octets");
  AllHeaders::for_each([&]<class H>() { typed_values<H>(message); });
  judge(message);
  if (!parsed) return 0;
  round_trip(message, block.view());
  adding_changes_nothing_else(message);
  return 0;
}
