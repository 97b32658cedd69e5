// Two agents between which somebody repeats, swaps, mutilates and invents messages. Whatever comes,
// they stay up, never spin, and end what they began. SIPASSAY_SEEDS says how many runs.
#include <gtest/gtest.h>

#include "engine/message/header/all.h"
#include "engine/testing/pair.h"

namespace sipassay::agent {
namespace {

using Pair = sipassay::testing::Pair;
using Side = Pair::Side;

constexpr std::string_view users[] = {
    "auto",   "slow",     "reliable", "reliable-hasty", "reliable-update", "early-media",
    "digest", "glare",    "hold",     "update",         "refer",           "info",
    "ring",   "redirect", "busy",     "slow-reinvite",  "reliable-wait",   "hang-up-now"};
constexpr HeaderId headers[] = {HeaderId::Via,
                                HeaderId::From,
                                HeaderId::To,
                                HeaderId::CallId,
                                HeaderId::CSeq,
                                HeaderId::Contact,
                                HeaderId::RAck,
                                HeaderId::RSeq,
                                HeaderId::Require,
                                HeaderId::RecordRoute,
                                HeaderId::Route,
                                HeaderId::ContentType,
                                HeaderId::RetryAfter,
                                HeaderId::Expires,
                                HeaderId::ReferTo,
                                HeaderId::Event,
                                HeaderId::SubscriptionState,
                                HeaderId::Replaces,
                                HeaderId::InfoPackage,
                                HeaderId::Supported};
constexpr std::string_view values[] = {"",
                                       "0",
                                       "4294967295",
                                       "2147483648 INVITE",
                                       "1 1 INVITE",
                                       "<sip:",
                                       "<tel:+1>",
                                       "<sip:x@y.invalid;lr>",
                                       "*",
                                       "100rel",
                                       "refer",
                                       "terminated",
                                       "active;expires=0",
                                       "multipart/mixed;boundary=x",
                                       "<sip:a@192.0.2.1:5060>;tag=x",
                                       "<sip:192.0.2.2;lr>,<sip:192.0.2.2>",
                                       "x;to-tag=1;from-tag=2"};

std::string mutilate(std::string octets, Rng& rng) {
  switch (rng.between(0, 7)) {
    case 0:  // an octet
      if (!octets.empty())
        octets[rng.between(0, octets.size() - 1)] = static_cast<char>(rng.between(0, 255));
      return octets;
    case 1:  // cut off
      octets.resize(rng.between(0, octets.size()));
      return octets;
    case 2: {  // another status or method
      const auto end = octets.find("\r\n");
      const std::string_view lines[] = {"SIP/2.0 200 OK",
                                        "SIP/2.0 183 x",
                                        "SIP/2.0 481 x",
                                        "SIP/2.0 401 x",
                                        "BYE sip:x@192.0.2.1 SIP/2.0",
                                        "CANCEL sip:x@192.0.2.1 SIP/2.0",
                                        "PRACK sip:x@192.0.2.1 SIP/2.0",
                                        "UPDATE sip:x@192.0.2.1 SIP/2.0"};
      if (end != std::string::npos)
        octets.replace(0, end, lines[rng.between(0, std::size(lines) - 1)]);
      return octets;
    }
    default:
      break;
  }
  Pair::Line line{.at = {}, .from = Side::A, .octets = octets};
  auto message = line.message();
  const auto id = headers[rng.between(0, std::size(headers) - 1)];
  const auto value = values[rng.between(0, std::size(values) - 1)];
  switch (rng.between(0, 3)) {
    case 0:
      message.remove(id);
      break;
    case 1:
      message.set(id, value);
      break;
    case 2:
      message.add(id, value);
      break;
    default:
      message.set_body(rng.percent(50) ? "application/sdp" : "x/y", rng.percent(50) ? "v=0" : "");
      break;
  }
  return message.to_string();
}

void act(Pair& pair, Rng& rng) {
  const auto side = rng.percent(50) ? Side::A : Side::B;
  const auto other = side == Side::A ? Side::B : Side::A;
  const std::string_view user = users[rng.between(0, std::size(users) - 1)];
  Call call;
  call.target = pair.uri(other, user);
  call.has_offer = rng.percent(70);
  call.offers_in_prack = rng.percent(30);
  call.follows_redirects = rng.percent(50);
  const Command commands[] = {
      call,
      call,
      Answer{},
      Ring{.call = 0, .status = 183, .reliable = Reliability::IfSupported, .has_sdp = true},
      Reject{.call = 0, .status = 488, .next = rng.percent(50)},
      Cancel{},
      HangUp{},
      Reinvite{.call = 0, .kind = static_cast<Reinvite::Kind>(rng.between(0, 4))},
      Update{.call = 0, .has_offer = rng.percent(70)},
      SendInfo{0, "", {"text/plain", "x", {}}},
      SendRefer{0, pair.uri(side, user)},
      SendOptions{pair.uri(other, user)},
      Register{.registrar = pair.uri(other, user), .expires = 60, .refreshes = false}};
  pair.command_to(side, commands[rng.between(0, std::size(commands) - 1)]);
}

void torment(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Pair::Options options;
  options.seed = seed;
  options.conditions = {
      .delay_min = 0ms, .delay_max = 400ms, .loss_percent = 5, .duplicate_percent = 10};
  options.a.credentials = options.b.credentials = {{"", "u", "p"}};
  options.a.accepts = options.b.accepts = {"", "u", "p"};
  Pair pair(options);
  Rng rng(derive_seed(seed, "torment"));
  for (int round = 0; round < 40; ++round) {
    if (rng.percent(60)) act(pair, rng);
    pair.run_for(std::chrono::milliseconds(rng.between(0, 700)));
    if (pair.transcript().empty() || !rng.percent(50)) continue;
    const auto copy = pair.transcript()[rng.between(0, pair.transcript().size() - 1)];
    const auto to = rng.percent(80) == (copy.from == Side::A) ? Side::B : Side::A;
    pair.inject_octets(to, rng.percent(30) ? copy.octets : mutilate(copy.octets, rng));
  }
  for (int round = 0; round < 60 && !pair.is_empty(); ++round) {
    pair.a_does(HangUp{});
    pair.b_does(HangUp{});
    pair.run_for(40s);
  }
  EXPECT_TRUE(pair.run_until_quiet());
  EXPECT_EQ(pair.a().live_calls(), 0U);
  EXPECT_EQ(pair.b().live_calls(), 0U);
  EXPECT_EQ(pair.a().live_transactions(), 0U);
  EXPECT_EQ(pair.b().live_transactions(), 0U);
}

TEST(Hostile, EverythingEndsWhateverComes) {
  const char* count = std::getenv("SIPASSAY_SEEDS");
  const std::uint64_t last = count == nullptr ? 40 : std::strtoull(count, nullptr, 10);
  for (std::uint64_t seed = 1; seed <= last && !HasFailure(); ++seed) torment(seed);
}

}  // namespace
}  // namespace sipassay::agent
