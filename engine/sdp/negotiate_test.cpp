#include "engine/sdp/negotiate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

namespace sipassay::sdp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string_view> names(const std::vector<Finding>& findings) {
  std::vector<std::string_view> out;
  for (const auto& finding : findings) out.push_back(finding.rule);
  return out;
}

Description description(std::string_view media, std::string_view session = "") {
  const auto text = "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" +
                    std::string(session) + std::string(media);
  const auto parsed = parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value();
}

Description answer_of(std::string_view media, std::string_view session = "") {
  auto answer = description(media, session);
  answer.origin.username = "b";
  return answer;
}

AnswerOptions taking(Direction direction, std::uint16_t port = 4000) {
  AnswerOptions options;
  options.username = "b";
  options.streams = {Stream{.direction = direction, .port = port}};
  return options;
}

TEST(Offer, IsLegalAndListsOurCodecs) {
  OfferOptions options;
  options.streams = {Stream{.port = 4000}, Stream{.type = "video",
                                                  .codecs = default_video(),
                                                  .direction = Direction::SendOnly,
                                                  .port = 4002}};
  const auto offer = make_offer(options);
  EXPECT_EQ(parse(to_string(offer)).value(), offer);
  EXPECT_THAT(check_offer(offer), IsEmpty());
  EXPECT_THAT(offer.media.at(0).formats, ElementsAre("0", "8", "101"));
  EXPECT_EQ(offer.direction(offer.media.at(1)), Direction::SendOnly);
}

// RFC 3264 6.1: all offered directions against all that the answerer wants.
TEST(Answer, DirectionIsWhatBothSidesAllow) {
  struct Row {
    std::string_view offered;
    Direction wanted, answered;
  };
  using enum Direction;
  constexpr std::array rows{
      Row{"sendrecv", SendRecv, SendRecv}, Row{"sendrecv", SendOnly, SendOnly},
      Row{"sendrecv", RecvOnly, RecvOnly}, Row{"sendrecv", Inactive, Inactive},
      Row{"sendonly", SendRecv, RecvOnly}, Row{"sendonly", SendOnly, Inactive},
      Row{"sendonly", RecvOnly, RecvOnly}, Row{"sendonly", Inactive, Inactive},
      Row{"recvonly", SendRecv, SendOnly}, Row{"recvonly", SendOnly, SendOnly},
      Row{"recvonly", RecvOnly, Inactive}, Row{"recvonly", Inactive, Inactive},
      Row{"inactive", SendRecv, Inactive}, Row{"inactive", SendOnly, Inactive},
      Row{"inactive", RecvOnly, Inactive}, Row{"inactive", Inactive, Inactive},
  };
  for (const auto& row : rows) {
    const auto offer = description("m=audio 1 RTP/AVP 0\r\na=" + std::string(row.offered) + "\r\n");
    const auto answer = make_answer(offer, taking(row.wanted));
    EXPECT_EQ(answer.direction(answer.media.at(0)), row.answered) << row.offered;
    EXPECT_THAT(names(check_answer(offer, answer)), IsEmpty()) << row.offered;
  }
}

TEST(Answer, KeepsCountAndOrderAndRefusesWithPortZero) {
  const auto offer = description(
      "m=video 5000 RTP/AVP 31\r\nm=audio 5002 RTP/AVP 18 8 0\r\nm=image 5004 udptl t38\r\n"
      "m=audio 0 RTP/AVP 0\r\nm=audio 5006 RTP/SAVP 0\r\nm=audio 5008 RTP/AVP 18\r\nm=audio 5010 "
      "RTP/AVP 0\r\nc=IN IP4 233.252.0.1/127\r\n");
  AnswerOptions options = taking(Direction::SendRecv);
  options.streams = {Stream{.type = "video", .codecs = default_video(), .port = 4000},
                     Stream{.port = 4002}};
  const auto answer = make_answer(offer, options);
  ASSERT_EQ(answer.media.size(), 7U);
  const std::array<std::uint16_t, 7> ports{0, 4002, 0, 0, 0, 0, 0};
  for (std::size_t i = 0; i < ports.size(); ++i) EXPECT_EQ(answer.media[i].port, ports.at(i)) << i;
  EXPECT_THAT(answer.media[1].formats, ElementsAre("8", "0"));
  EXPECT_TRUE(accepts(answer));
  EXPECT_THAT(names(check_answer(offer, answer)), IsEmpty());
  EXPECT_EQ(parse(to_string(answer)).value(), answer);
}

TEST(Answer, UsesThePayloadTypeOfTheOfferForTheSameCodec) {
  const auto offer = description(
      "m=audio 1 RTP/AVP 97 98 0\r\na=rtpmap:97 telephone-event/8000\r\na=fmtp:97 "
      "0-16\r\na=rtpmap:98 pcma/8000\r\n");
  const auto answer = make_answer(offer, taking(Direction::SendRecv));
  EXPECT_THAT(answer.media.at(0).formats, ElementsAre("97", "98", "0"));
  EXPECT_EQ(answer.media.at(0).rtpmap("98")->encoding, "pcma");
  EXPECT_EQ(answer.media.at(0).fmtp("97"), "0-16");
  EXPECT_THAT(names(check_answer(offer, answer)), IsEmpty());
}

// RFC 8866 6.6: a=rtpmap maps a payload type number; "-" is none, whatever it is mapped to.
TEST(Answer, LeavesOutPayloadTypesThatAreNoNumbers) {
  const auto offer =
      description("m=audio 1 RTP/AVP - 0\r\na=rtpmap:- PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n");
  const auto answer = make_answer(offer, taking(Direction::SendRecv));
  EXPECT_THAT(answer.media.at(0).formats, ElementsAre("0"));
  EXPECT_THAT(names(check_answer(offer, answer)), IsEmpty());
}

TEST(Answer, WithoutCommonFormatAcceptsNothing) {
  EXPECT_FALSE(
      accepts(make_answer(description("m=audio 1 RTP/AVP 18\r\n"), taking(Direction::SendRecv))));
  EXPECT_FALSE(accepts(
      make_answer(description("m=audio 1 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n"),
                  taking(Direction::SendRecv))));
  EXPECT_TRUE(accepts(make_answer(description(""), taking(Direction::SendRecv))));
}

TEST(Answer, RepeatsTheTimeOfTheOffer) {
  auto offer = description("m=audio 1 RTP/AVP 0\r\n");
  offer.times = {Time{"3724394400", "3724398000", {}, {}}};
  EXPECT_EQ(make_answer(offer, taking(Direction::SendRecv)).times, offer.times);
}

// RFC 3264 10: its own examples break none of the rules.
TEST(CheckAnswer, FindsNothingInTheExamplesOfTheRfc) {
  const auto offer = description(
      "m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 51372 RTP/AVP 31\r\na=rtpmap:31 "
      "H261/90000\r\n"
      "m=video 53000 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n");
  const auto answer = answer_of(
      "m=audio 49920 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 0 RTP/AVP 31\r\nm=video 53000 "
      "RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n");
  EXPECT_THAT(names(check_offer(offer)), IsEmpty());
  EXPECT_THAT(names(check_answer(offer, answer)), IsEmpty());
  auto next = answer;
  ++next.origin.session_version;
  next.media[0].port = 65422;
  next.media.push_back(
      description(
          "m=audio 51434 RTP/AVP 110\r\na=rtpmap:110 telephone-events/8000\r\na=recvonly\r\n")
          .media[0]);
  EXPECT_THAT(names(check_next_offer(answer, next)), IsEmpty());
}

struct BadAnswer {
  std::string_view offer, answer;
  std::string_view rule;
};
constexpr std::array bad_answers{
    BadAnswer{"m=audio 1 RTP/AVP 0\r\n", "", "answer-media-count"},
    BadAnswer{"m=audio 1 RTP/AVP 0\r\n", "m=audio 1 RTP/AVP 0\r\nm=audio 0 RTP/AVP 0\r\n",
              "answer-media-count"},
    BadAnswer{"m=audio 1 RTP/AVP 0\r\n", "m=video 0 RTP/AVP 0\r\n", "answer-media-type"},
    BadAnswer{"m=audio 1 RTP/AVP 0\r\n", "m=audio 1 RTP/SAVP 0\r\n", "answer-transport"},
    BadAnswer{"m=audio 0 RTP/AVP 0\r\n", "m=audio 1 RTP/AVP 0\r\n", "answer-port-zero"},
    BadAnswer{"m=audio 1 RTP/AVP 0\r\na=sendonly\r\n", "m=audio 1 RTP/AVP 0\r\n",
              "answer-direction"},
    BadAnswer{"m=audio 1 RTP/AVP 0\r\na=sendonly\r\n", "m=audio 1 RTP/AVP 0\r\na=sendonly\r\n",
              "answer-direction"},
    BadAnswer{"m=audio 1 RTP/AVP 0\r\na=recvonly\r\n", "m=audio 1 RTP/AVP 0\r\na=recvonly\r\n",
              "answer-direction"},
    BadAnswer{"m=audio 1 RTP/AVP 0\r\na=inactive\r\n", "m=audio 1 RTP/AVP 0\r\na=sendonly\r\n",
              "answer-direction"},
    BadAnswer{"m=audio 1 RTP/AVP 0\r\n", "m=audio 1 RTP/AVP 8\r\n", "answer-no-common-format"},
    BadAnswer{"m=audio 1 RTP/AVP 96\r\na=rtpmap:96 A/8000\r\n",
              "m=audio 1 RTP/AVP 96\r\na=rtpmap:96 B/8000\r\n", "answer-no-common-format"},
    BadAnswer{"m=audio 1 RTP/AVP 96\r\na=rtpmap:96 A/8000\r\n", "m=audio 1 RTP/AVP 96\r\n",
              "answer-rtpmap"},
    BadAnswer{"m=audio 1 RTP/AVP 96\r\na=rtpmap:96 A/8000\r\n",
              "m=audio 1 RTP/AVP 97\r\na=rtpmap:97 a/8000\r\n", "answer-payload-type"},
    BadAnswer{"m=audio 1 RTP/AVP 0 8\r\n", "m=audio 1 RTP/AVP 8 0\r\n", "answer-format-order"},
    BadAnswer{"m=audio 1 RTP/AVP 0\r\n", "m=audio 1 RTP/AVP 0\r\nc=IN IP4 233.252.0.1/1\r\n",
              "answer-unicast"},
    BadAnswer{"m=audio 1 RTP/AVP 0\r\nc=IN IP4 233.252.0.1/1\r\n",
              "m=audio 2 RTP/AVP 0\r\nc=IN IP4 233.252.0.1/1\r\n", "answer-multicast"},
    BadAnswer{"m=audio 1 RTP/AVP 0\r\n", "m=audio 1 RTP/AVP 0\r\na=ptime:0\r\n",
              "sdp-ptime-positive"},
    BadAnswer{"m=audio 1 RTP/AVP 0\r\n", "m=audio 1 RTP/AVP 0\r\na=rtpmap:0 PCMU\r\n",
              "sdp-rtpmap-malformed"},
};

TEST(CheckAnswer, FindsEachBrokenRule) {
  for (const auto& bad : bad_answers)
    EXPECT_THAT(names(check_answer(description(bad.offer), answer_of(bad.answer))),
                testing::Contains(bad.rule))
        << bad.offer << bad.answer;
  auto late = answer_of("");
  late.times = {Time{"3724394400", "3724398000", {}, {}}};
  EXPECT_THAT(names(check_answer(description(""), late)), ElementsAre("answer-time"));
  auto mirrored = description("m=audio 2 RTP/AVP 0\r\n");
  EXPECT_THAT(names(check_answer(description("m=audio 1 RTP/AVP 0\r\n"), mirrored)),
              ElementsAre("answer-origin"));
}

TEST(CheckOffer, FindsNumbersOutOfRangeAndATime) {
  auto offer = description("");
  offer.origin.session_version = (1ULL << 62U) - 1;
  EXPECT_THAT(names(check_offer(offer)), ElementsAre("sdp-version-range"));
  offer.origin.session_version = 1;
  offer.origin.session_id = 1ULL << 63U;
  EXPECT_THAT(names(check_offer(offer)), ElementsAre("sdp-session-id-range"));
  offer.origin.session_id = 1;
  offer.times = {Time{"3724394400", "0", {}, {}}};
  EXPECT_THAT(names(check_offer(offer)), ElementsAre("sdp-time-zero"));
}

TEST(CheckNextOffer, FindsEachBrokenRule) {
  const auto before =
      description("m=audio 1 RTP/AVP 96\r\na=rtpmap:96 A/8000\r\nm=video 0 RTP/AVP 31\r\n");
  EXPECT_THAT(names(check_next_offer(before, before)), IsEmpty());
  const auto check = [&](auto change) {
    auto next = before;
    change(next);
    return names(check_next_offer(before, next));
  };
  EXPECT_THAT(check([](auto& d) { d.media[0].port = 3; }), ElementsAre("next-offer-same-version"));
  EXPECT_THAT(check([](auto& d) { d.origin.session_version += 2; }),
              ElementsAre("next-offer-version"));
  EXPECT_THAT(check([](auto& d) { d.origin.session_version = 0; }),
              ElementsAre("next-offer-version"));
  EXPECT_THAT(check([](auto& d) { d.origin.session_id = 2; }), ElementsAre("next-offer-origin"));
  EXPECT_THAT(check([](auto& d) {
                d.origin.session_version = 2;
                d.media.pop_back();
              }),
              ElementsAre("next-offer-media-count"));
  EXPECT_THAT(check([](auto& d) {
                d.origin.session_version = 2;
                d.media[0].attributes[0].value = "96 B/8000";
              }),
              ElementsAre("next-offer-payload-type"));
}

TEST(NextOffer, HoldsAndResumesEachStreamInItsDirection) {
  const auto before = description(
      "m=audio 1 RTP/AVP 0\r\nm=audio 3 RTP/AVP 0\r\na=recvonly\r\nm=audio 0 RTP/AVP 0\r\n",
      "a=sendrecv\r\n");
  const auto hold = next_offer(before, {.hold = Changes::Hold::Hold});
  EXPECT_EQ(hold.direction(hold.media[0]), Direction::SendOnly);
  EXPECT_EQ(hold.direction(hold.media[1]), Direction::Inactive);
  EXPECT_EQ(hold.origin.session_version, 2U);
  EXPECT_THAT(names(check_next_offer(before, hold)), IsEmpty());
  const auto resumed = next_offer(hold, {.hold = Changes::Hold::Resume});
  EXPECT_EQ(resumed.direction(resumed.media[0]), Direction::SendRecv);
  EXPECT_EQ(resumed.origin.session_version, 3U);
}

TEST(NextOffer, KeepsTextAndVersionWhenNothingChanges) {
  const auto before = description("m=audio 1 RTP/AVP 0\r\n");
  EXPECT_EQ(next_offer(before, {}), before);
}

TEST(NextOffer, AddsBelowRemovesWithPortZeroAndMoves) {
  const auto before = description("m=audio 1 RTP/AVP 0\r\n");
  const auto next =
      next_offer(before, {.add = {Stream{.type = "video", .codecs = default_video(), .port = 4}},
                          .remove = {0},
                          .address = "2001:db8::1"});
  ASSERT_EQ(next.media.size(), 2U);
  EXPECT_EQ(next.media[0].port, 0);
  EXPECT_EQ(next.media[1].port, 4);
  EXPECT_EQ(next.connection->address_type, "IP6");
  EXPECT_THAT(names(check_next_offer(before, next)), IsEmpty());
}

TEST(NegotiationRules, HaveUniqueNames) {
  std::set<std::string_view> seen;
  for (const auto& rule : negotiation_rules())
    EXPECT_TRUE(seen.insert(rule.name).second) << rule.name;
  EXPECT_EQ(seen.size(), 24U);
}

// --- LocalMedia

Description read(const std::string& text) {
  return parse(text).value();
}

TEST(LocalMedia, TheSameSeedGivesTheSameOctets) {
  EXPECT_EQ(LocalMedia({}, Rng(7)).offer(), LocalMedia({}, Rng(7)).offer());
  EXPECT_NE(LocalMedia({}, Rng(7)).offer(), LocalMedia({}, Rng(8)).offer());
}

TEST(LocalMedia, TwoOfThemAgreeThroughHoldResumeAndMoreMedia) {
  LocalMedia a({.username = "a", .has_video = false}, Rng(1));
  LocalMedia b({.username = "b", .has_video = true}, Rng(2));
  using Change = LocalMedia::Change;
  std::optional<Description> before;
  std::size_t rounds = 0;
  for (const auto change : {Change::None, Change::Hold, Change::None, Change::Resume,
                            Change::AddVideo, Change::AddAudio, Change::RemoveLast}) {
    const auto offer = read(a.offer(change));
    EXPECT_THAT(names(check_offer(offer)), IsEmpty());
    if (before) {
      EXPECT_THAT(names(check_next_offer(*before, offer)), IsEmpty());
    }
    const auto answered = b.answer(to_string(offer));
    ASSERT_TRUE(answered);
    EXPECT_THAT(names(check_answer(offer, read(*answered))), IsEmpty());
    a.agreed();
    EXPECT_FALSE(a.has_open_offer());
    before = *a.current();
    ++rounds;
  }
  EXPECT_EQ(rounds, 7U);
  EXPECT_EQ(before->media.size(), 3U);
  EXPECT_EQ(before->media[2].port, 0);
}

TEST(LocalMedia, KeepsItsPortsAndItsVersionInAnEqualAnswer) {
  LocalMedia media({}, Rng(3));
  const std::string offer =
      "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 1 RTP/AVP "
      "0\r\n";
  const auto first = media.answer(offer);
  ASSERT_TRUE(first);
  EXPECT_EQ(media.answer(offer).value(), *first);
  EXPECT_EQ(media.offer(), *first);
}

TEST(LocalMedia, OffersAllItsCodecsAgainUnderTheirOldNumbers) {
  LocalMedia media({}, Rng(3));
  const std::string offer =
      "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
      "m=audio 1 RTP/AVP 8 101\r\na=rtpmap:101 iLBC/8000\r\nm=audio 2 RTP/AVP 8 97\r\n"
      "a=rtpmap:97 telephone-event/8000\r\nm=text 3 RTP/AVP 98\r\na=rtpmap:98 t140/1000\r\n";
  const auto answer = media.answer(offer);
  ASSERT_TRUE(answer);
  const auto next = read(media.offer(LocalMedia::Change::AllCodecs));
  EXPECT_THAT(names(check_next_offer(read(*answer), next)), IsEmpty());
  EXPECT_THAT(next.media[0].formats, ElementsAre("8", "0", "101"));
  EXPECT_THAT(next.media[1].formats, ElementsAre("8", "97", "0"));
  EXPECT_EQ(next.media[2].port, 0);
}

TEST(LocalMedia, ARefusedOfferLeavesTheSessionAndItsVersionStaysUsed) {
  LocalMedia media({}, Rng(4));
  const auto first = media.offer();
  media.agreed();
  const auto held = read(media.offer(LocalMedia::Change::Hold));
  EXPECT_EQ(held.origin.session_version, 2U);
  media.rolled_back();
  EXPECT_EQ(to_string(*media.current()), first);
  const auto again = read(media.offer());
  EXPECT_TRUE(again.is_same_but_version(read(first)));
  EXPECT_THAT(names(check_next_offer(held, again)), IsEmpty());
  media.rolled_back();
  EXPECT_EQ(read(media.offer(LocalMedia::Change::AddVideo)).origin.session_version, 4U);
}

TEST(LocalMedia, ARolledBackHoldIsNotInTheNextAnswer) {
  LocalMedia media({}, Rng(4));
  media.offer();
  media.agreed();
  media.offer(LocalMedia::Change::Hold);
  media.rolled_back();
  const auto answer = read(media.answer(to_string(description("m=audio 1 RTP/AVP 0\r\n"))).value());
  EXPECT_EQ(answer.direction(answer.media.at(0)), Direction::SendRecv);
}

TEST(LocalMedia, RefusesWhatItCannotReadOrShare) {
  LocalMedia media({}, Rng(5));
  const auto malformed = media.answer("v=0\r\nnonsense\r\n");
  ASSERT_FALSE(malformed);
  EXPECT_EQ(malformed.error().refusal, LocalMedia::Refusal::Malformed);
  EXPECT_EQ(malformed.error().error.offset, 5U);
  const auto foreign = media.answer(to_string(description("m=audio 1 RTP/AVP 18\r\n")));
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().refusal, LocalMedia::Refusal::NothingInCommon);
  EXPECT_EQ(media.current(), nullptr);
}

}  // namespace
}  // namespace sipassay::sdp
