// Properties of session descriptions, for any octets:
// - what the strict parser reads, the lenient one reads the same, without a departure; it prints to
// text
//   that parses to the same value;
// - whatever the lenient parser reads prints to text that it reads to the same value;
// - our answer to any offer breaks none of the rules that we hold a peer's answer to, and so do the
//   offers and answers that follow (RFC 3264).
// The last octet chooses what we support and want.
#include <cstdint>
#include <string>

#include "engine/sdp/description.h"
#include "engine/sdp/negotiate.h"
#include "fuzz/support.h"

namespace sipassay::fuzz {
namespace {

void none(const std::vector<Finding>& findings, std::string_view property, std::string_view text) {
  if (!findings.empty())
    broken(property, std::string(findings.front().rule) + ": " + findings.front().observed + "\n" +
                         std::string(text));
}

void answer_once(const sdp::Description& offer, unsigned choice, bool is_strict) {
  sdp::AnswerOptions options;
  options.username = offer.origin.username == "us" ? "we" : "us";
  options.streams = {
      sdp::Stream{.direction = static_cast<sdp::Direction>(choice & 3U), .port = 4000}};
  if ((choice & 4U) != 0)
    options.streams.push_back(
        sdp::Stream{.type = "video", .codecs = sdp::default_video(), .port = 4002});
  const auto answer = sdp::make_answer(offer, options);
  const auto text = sdp::to_string(answer);
  none(sdp::check_answer(offer, answer), "our answer breaks no rule", text);
  if (is_strict) {
    const Block copy(text);
    const auto again = sdp::parse(copy.view());
    check(again.has_value() && *again == answer, "our answer parses", text);
  }
  trace().add(text);
}

void converse(std::string_view offer, unsigned choice) {
  using Change = sdp::LocalMedia::Change;
  sdp::LocalMedia media({.username = "us", .has_video = (choice & 4U) != 0}, Rng(choice));
  const auto first = media.answer(offer);
  if (!first) return;
  auto version = media.current()->origin.session_version;  // last that the peer saw
  for (int round = 0; round < 4; ++round) {
    // The session is what was agreed; a refused offer has used its version number up.
    auto previous = *media.current();
    previous.origin.session_version = version;
    const auto change = static_cast<Change>((choice + static_cast<unsigned>(round)) % 6);
    trace().add(media.offer(change));
    const auto next = *media.last_sent();
    none(sdp::check_next_offer(previous, next), "our next offer breaks no rule",
         sdp::to_string(next));
    version = next.origin.session_version;
    if ((choice & 8U) != 0)
      media.rolled_back();
    else
      media.agreed();
  }
  (void)media.answer(offer);
}

}  // namespace
}  // namespace sipassay::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sipassay;
  using namespace sipassay::fuzz;
  trace().begin();
  const unsigned choice = size == 0 ? 0 : data[--size];
  const Block block(data, size);
  const auto strict = sdp::parse(block.view());
  std::vector<Finding> departures;
  const auto lenient = sdp::parse_lenient(block.view(), departures);
  trace().add(strict ? 0U : 1U + static_cast<unsigned>(strict.error().code));
  for (const auto& departure : departures) trace().add(departure.rule);
  if (strict) {
    check(lenient.has_value() && *lenient == *strict && departures.empty(),
          "strict text is read alike by both");
    const Block printed(sdp::to_string(*strict));
    const auto again = sdp::parse(printed.view());
    check(again.has_value() && *again == *strict, "printed text parses to the same",
          printed.view());
  } else {
    check(strict.error().offset <= size, "an error lies inside the text");
    check(!lenient.has_value() || !departures.empty(), "every departure is reported", block.view());
  }
  if (!lenient) return 0;
  const Block printed(sdp::to_string(*lenient));
  std::vector<Finding> again_departures;
  const auto again = sdp::parse_lenient(printed.view(), again_departures);
  check(again.has_value() && *again == *lenient, "printed text is read to the same",
        printed.view());
  answer_once(*lenient, choice, departures.empty());
  converse(block.view(), choice);
  return 0;
}
