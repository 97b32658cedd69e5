// The judging half of negotiate.h: what RFC 3264 asks of a peer's offers and answers.
#include <fmt/format.h>
#include <algorithm>
#include <limits>

#include "engine/base/ascii.h"
#include "engine/sdp/negotiate.h"

namespace sipassay::sdp {

namespace {

enum class Rule : std::uint8_t {
  SessionIdRange,
  VersionRange,
  TimeZero,
  PtimePositive,
  RtpmapMissing,
  RtpmapMalformed,
  AnswerMediaCount,
  AnswerTime,
  AnswerMediaType,
  AnswerTransport,
  AnswerPortZero,
  AnswerDirection,
  AnswerNoCommonFormat,
  AnswerRtpmap,
  AnswerPayloadType,
  AnswerFormatOrder,
  AnswerUnicast,
  AnswerMulticast,
  AnswerOrigin,
  NextOrigin,
  NextVersion,
  NextSameVersion,
  NextMediaCount,
  NextPayloadType,
  Count
};

const std::vector<NegotiationRule>& rules() {
  static const std::vector<NegotiationRule> all{
      {"sdp-session-id-range",
       {3264, "5", Level::Must},
       "a session id that fits a signed 64-bit integer"},
      {"sdp-version-range", {3264, "5", Level::Must}, "a first version below 2^62-1"},
      {"sdp-time-zero", {3264, "5", Level::Should}, "t=0 0"},
      {"sdp-ptime-positive", {3264, "5.1", Level::Must}, "a ptime above zero"},
      {"sdp-rtpmap-missing", {3264, "5.1", Level::Should}, "a=rtpmap for every payload type"},
      {"sdp-rtpmap-malformed", {8866, "6.6"}, "a=rtpmap:TYPE ENCODING/RATE"},
      {"answer-media-count", {3264, "6", Level::Must}, "as many m= lines as in the offer"},
      {"answer-time", {3264, "6", Level::Must}, "the t= line of the offer"},
      {"answer-media-type", {3264, "6.1", Level::Must}, "the media type of the offer"},
      {"answer-transport", {3264, "6.1"}, "the transport of the offer"},
      {"answer-port-zero", {3264, "8.2", Level::Must}, "port 0 for a stream offered with port 0"},
      {"answer-direction", {3264, "6.1", Level::Must}, "a direction that fits the offered one"},
      {"answer-no-common-format",
       {3264, "6.1", Level::Must},
       "at least one format of the offer, or port 0"},
      {"answer-rtpmap", {3264, "6.1", Level::Must}, "a=rtpmap for every dynamic payload type"},
      {"answer-payload-type",
       {3264, "6.1", Level::Should},
       "the offer's payload type number for the same codec"},
      {"answer-format-order", {3264, "6.1", Level::Should}, "formats in the order of the offer"},
      {"answer-unicast",
       {3264, "6.1", Level::Must},
       "a unicast address for a stream offered with one"},
      {"answer-multicast",
       {3264, "6.2", Level::Must},
       "address, port and direction of the offered multicast stream"},
      {"answer-origin",
       {3264, "6", Level::Must},
       "an o= line of its own when the answer differs from the offer"},
      {"next-offer-origin",
       {3264, "8", Level::Must},
       "the o= line of the previous SDP, but for the version"},
      {"next-offer-version",
       {3264, "8", Level::Must},
       "a version higher by one when anything changed"},
      {"next-offer-same-version",
       {3264, "8", Level::Must},
       "identical SDP when the version did not change"},
      {"next-offer-media-count",
       {3264, "8", Level::Must},
       "no fewer m= lines than the previous SDP"},
      {"next-offer-payload-type",
       {3264, "8.3.2", Level::MustNot},
       "each dynamic payload type mapped as before"},
  };
  return all;
}

class Judge {
 public:
  void add(Rule rule, std::string observed) {
    const auto& row = rules().at(static_cast<std::size_t>(rule));
    findings.push_back(
        Finding{row.name, row.clause, std::string(row.expected), std::move(observed)});
  }
  std::vector<Finding> findings;
};

std::string stream_name(std::size_t index, const Media& media) {
  return fmt::format("stream {} ({} {} {})", index + 1, media.type, media.port, media.proto);
}

bool is_dynamic(std::string_view format) {
  const auto number = ascii::number<int>(format);
  return number && *number >= 96 && *number <= 127;
}

std::string formats_of(const Media& media) {
  std::string out;
  for (const auto& format : media.formats) out += (out.empty() ? "" : " ") + format;
  return out;
}

// The format of `offered` that means the same as `format` of `media`; empty if none.
std::string_view same_format(const Media& media, std::string_view format, const Media& offered) {
  if (!media.is_rtp()) return offered.has_format(format) ? format : std::string_view{};
  const auto map = media.rtpmap(format);
  // Without a mapping only the number is left to compare.
  if (!map) return offered.has_format(format) ? format : std::string_view{};
  for (const auto& other : offered.formats) {
    const auto mapped = offered.rtpmap(other);
    if (mapped && mapped->is_same(*map)) return other;
  }
  // A dynamic number that the offer mapped and the answer forgot to map is a finding of its own.
  return {};
}

void judge_rtp(const Media& media, std::size_t index, Judge& judge, bool is_answer) {
  if (!media.is_rtp() || media.port == 0) return;
  for (const auto& attribute : media.attributes) {
    if (attribute.name != "rtpmap") continue;
    const auto value = attribute.value.value_or("");
    const auto format = value.substr(0, value.find(' '));
    if (!ascii::number<unsigned>(format) || !media.rtpmap(format))
      judge.add(Rule::RtpmapMalformed,
                fmt::format("{}: a=rtpmap:{}", stream_name(index, media), value));
  }
  for (const auto& format : media.formats) {
    if (media.rtpmap(format)) continue;
    const bool must = is_answer && is_dynamic(format);
    judge.add(must ? Rule::AnswerRtpmap : Rule::RtpmapMissing,
              fmt::format("{}: none for {}", stream_name(index, media), format));
  }
}

// RFC 3264 5: what holds for every description, offer or answer.
void judge_any(const Description& description, Judge& judge, bool is_answer) {
  constexpr std::uint64_t signed_max = std::numeric_limits<std::int64_t>::max();
  if (description.origin.session_id > signed_max || description.origin.session_version > signed_max)
    judge.add(Rule::SessionIdRange, fmt::format("o= {} {}", description.origin.session_id,
                                                description.origin.session_version));
  for (std::size_t i = 0; i < description.media.size(); ++i) {
    const auto& media = description.media[i];
    judge_rtp(media, i, judge, is_answer);
    const auto* ptime = media.attribute("ptime");
    if (ptime && ascii::number<double>(ptime->value.value_or("")).value_or(0) <= 0)
      judge.add(Rule::PtimePositive,
                fmt::format("{}: {}", stream_name(i, media), ptime->value.value_or("")));
  }
}

// RFC 3264 6.1: what the answer may say to an offered direction.
bool fits(Direction offered, Direction answered) {
  const auto possible = reverse(offered);
  return (!sends(answered) || sends(possible)) && (!receives(answered) || receives(possible));
}

void judge_formats(const Media& offered, const Media& answered, std::size_t index, Judge& judge) {
  std::size_t shared = 0;
  std::size_t last = 0;
  bool is_ordered = true;
  for (const auto& format : answered.formats) {
    const auto same = same_format(answered, format, offered);
    if (same.empty()) continue;
    ++shared;
    const auto map = answered.rtpmap(format);
    const auto kept = offered.rtpmap(format);
    const bool is_kept = offered.has_format(format) && (!map || (kept && kept->is_same(*map)));
    if (!is_kept)
      judge.add(Rule::AnswerPayloadType, fmt::format("{}: {} for the offered {}",
                                                     stream_name(index, answered), format, same));
    const auto& key = is_kept ? std::string_view(format) : same;
    const auto position =
        static_cast<std::size_t>(std::ranges::find(offered.formats, key) - offered.formats.begin());
    is_ordered = is_ordered && position >= last;
    last = position;
  }
  if (shared == 0)
    judge.add(Rule::AnswerNoCommonFormat,
              fmt::format("{}: offered {}, answered {}", stream_name(index, answered),
                          formats_of(offered), formats_of(answered)));
  if (!is_ordered)
    judge.add(Rule::AnswerFormatOrder,
              fmt::format("{}: offered {}, answered {}", stream_name(index, answered),
                          formats_of(offered), formats_of(answered)));
}

void judge_multicast(const Description& offer, const Media& offered, const Description& answer,
                     const Media& answered, std::size_t index, Judge& judge) {
  const auto* there = offer.connection_of(offered);
  const auto* here = answer.connection_of(answered);
  const bool is_same = there && here && *there == *here && offered.port == answered.port &&
                       offer.direction(offered) == answer.direction(answered);
  if (!is_same) judge.add(Rule::AnswerMulticast, stream_name(index, answered));
}

void judge_stream(const Description& offer, const Description& answer, std::size_t index,
                  Judge& judge) {
  const auto& offered = offer.media[index];
  const auto& answered = answer.media[index];
  const auto name = stream_name(index, answered);
  if (!ascii::iequals(offered.type, answered.type)) judge.add(Rule::AnswerMediaType, name);
  if (answered.port == 0) return;  // refused: formats and attributes are ignored
  if (offered.port == 0) {
    judge.add(Rule::AnswerPortZero, name);
    return;
  }
  if (offered.proto != answered.proto) judge.add(Rule::AnswerTransport, name);
  judge_formats(offered, answered, index, judge);
  const auto* there = offer.connection_of(offered);
  const auto* here = answer.connection_of(answered);
  if (there && there->is_multicast())
    return judge_multicast(offer, offered, answer, answered, index, judge);
  if (here && here->is_multicast()) judge.add(Rule::AnswerUnicast, name + ": " + here->address);
  const auto wanted = offer.direction(offered);
  const auto given = answer.direction(answered);
  if (!fits(wanted, given))
    judge.add(Rule::AnswerDirection,
              fmt::format("{}: {} to {}", name, to_string(given), to_string(wanted)));
}

}  // namespace

const std::vector<NegotiationRule>& negotiation_rules() {
  return rules();
}

std::vector<Finding> check_offer(const Description& offer) {
  Judge judge;
  judge_any(offer, judge, false);
  if (offer.origin.session_version >= (1ULL << 62U) - 1)
    judge.add(Rule::VersionRange, fmt::format("{}", offer.origin.session_version));
  if (offer.times != std::vector<Time>{Time{}} && !offer.times.empty())
    judge.add(Rule::TimeZero,
              fmt::format("t={} {}", offer.times.front().start, offer.times.front().stop));
  return std::move(judge.findings);
}

std::vector<Finding> check_answer(const Description& offer, const Description& answer) {
  Judge judge;
  judge_any(answer, judge, true);
  if (offer.times != answer.times && !offer.times.empty())
    judge.add(Rule::AnswerTime,
              answer.times.empty()
                  ? "no t= line"
                  : fmt::format("t={} {}", answer.times.front().start, answer.times.front().stop));
  if (answer.origin == offer.origin && answer != offer)
    judge.add(Rule::AnswerOrigin, "the o= line of the offer");
  if (offer.media.size() != answer.media.size()) {
    judge.add(Rule::AnswerMediaCount,
              fmt::format("{} for {} offered", answer.media.size(), offer.media.size()));
    return std::move(judge.findings);  // streams match by position: nothing more can be said
  }
  for (std::size_t i = 0; i < offer.media.size(); ++i) judge_stream(offer, answer, i, judge);
  return std::move(judge.findings);
}

std::vector<Finding> check_next_offer(const Description& previous, const Description& next) {
  Judge judge;
  judge_any(next, judge, false);
  if (!previous.origin.is_same_session(next.origin))
    judge.add(Rule::NextOrigin, fmt::format("o={} {} … {}", next.origin.username,
                                            next.origin.session_id, next.origin.address));
  const auto before = previous.origin.session_version;
  const auto after = next.origin.session_version;
  if (after == before && next != previous && previous.origin.is_same_session(next.origin))
    judge.add(Rule::NextSameVersion, fmt::format("version {} again, other content", after));
  if (after != before && after != before + 1)
    judge.add(Rule::NextVersion, fmt::format("{} after {}", after, before));
  if (next.media.size() < previous.media.size())
    judge.add(Rule::NextMediaCount,
              fmt::format("{} after {}", next.media.size(), previous.media.size()));
  for (std::size_t i = 0; i < std::min(next.media.size(), previous.media.size()); ++i) {
    const auto& now = next.media[i];
    const auto& then = previous.media[i];
    if (!now.is_rtp() || now.type != then.type || now.port == 0 || then.port == 0) continue;
    for (const auto& format : now.formats) {
      if (!is_dynamic(format) || !then.has_format(format)) continue;
      const auto map_now = now.rtpmap(format);
      const auto map_then = then.rtpmap(format);
      if (map_now && map_then && !map_now->is_same(*map_then))
        judge.add(Rule::NextPayloadType,
                  fmt::format("{}: {} was {}, is {}", stream_name(i, now), format,
                              map_then->encoding, map_now->encoding));
    }
  }
  return std::move(judge.findings);
}

}  // namespace sipassay::sdp
