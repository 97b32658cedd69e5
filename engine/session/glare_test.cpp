#include "engine/session/glare.h"

#include <gtest/gtest.h>

#include <set>

namespace sipassay::session {
namespace {

struct Vector {
  Overlap overlap;
  Decision invite, offer, update;
};

TEST(Glare, DecidesEveryCellAsTheRfcsSay) {
  using enum Overlap;
  using enum Decision;
  const Vector vectors[] = {
      {None, Accept, Accept, Accept},
      {OwnInvite, Pending, Accept, Accept},
      {OwnInviteUnacked, Pending, Accept, Accept},
      {PeerInvite, RetryAfter, Accept, Accept},
      {PeerOfferUnacked, Pending, RetryAfter, Accept},
      {PeerAnswerUnacked, Accept, Accept, Accept},
      {OwnUpdateOffer, Pending, Pending, Accept},
      {OwnUpdate, Accept, Accept, Accept},
      {PeerUpdate, RetryAfter, RetryAfter, RetryAfter},
      {OwnOffer, Pending, Pending, Accept},
      {PeerOffer, RetryAfter, RetryAfter, Accept},
      {OwnOfferInResponse, RetryAfter, RetryAfter, Accept},
      {PeerOfferInResponse, Pending, Pending, Accept},
      {OwnReliable, RetryAfter, RetryAfter, Accept},
      {OwnPrack, Pending, Pending, Accept},
      {OwnInviteOwed, Pending, Pending, Accept},
      {PeerInviteOwed, RetryAfter, RetryAfter, Accept},
  };
  EXPECT_EQ(std::size(vectors), static_cast<std::size_t>(Overlap::Count));
  EXPECT_EQ(glare_rows().size(), 3 * std::size(vectors));
  for (const Vector& vector : vectors) {
    const auto name = static_cast<int>(vector.overlap);
    EXPECT_EQ(glare(vector.overlap, Arrival::Invite).decision, vector.invite) << name;
    EXPECT_EQ(glare(vector.overlap, Arrival::UpdateWithOffer).decision, vector.offer) << name;
    EXPECT_EQ(glare(vector.overlap, Arrival::Update).decision, vector.update) << name;
  }
}

TEST(Glare, OfSeveralOverlapsAMustCountsFirst) {
  // 491 is a MUST while our INVITE is open; 500 during their UPDATE is only a SHOULD.
  const Overlap open[] = {Overlap::PeerUpdate, Overlap::OwnInvite};
  EXPECT_EQ(glare(open, Arrival::Invite).decision, Decision::Pending);
  const Overlap both[] = {Overlap::OwnOffer, Overlap::PeerUpdate};
  EXPECT_EQ(glare(both, Arrival::UpdateWithOffer).decision, Decision::RetryAfter);
  EXPECT_EQ(glare({}, Arrival::Invite).decision, Decision::Accept);
}

TEST(Glare, RetryDelayOfTheOwnerLiesBetween2100And4000ms) {
  Rng rng(5);
  std::set<Duration> seen;
  for (int i = 0; i < 2000; ++i) {
    const Duration delay = retry_delay(true, rng);
    ASSERT_GE(delay, 2100ms);
    ASSERT_LE(delay, 4s);
    ASSERT_EQ(delay % 10ms, Duration::zero());
    seen.insert(delay);
  }
  EXPECT_GT(seen.size(), 100U);
}

TEST(Glare, RetryDelayOfTheOtherSideLiesBelowTwoSeconds) {
  Rng rng(5);
  for (int i = 0; i < 2000; ++i) {
    const Duration delay = retry_delay(false, rng);
    ASSERT_GE(delay, 0s);
    ASSERT_LE(delay, 2s);
    ASSERT_EQ(delay % 10ms, Duration::zero());
  }
}

TEST(Glare, RetryAfterIsOneToTenSeconds) {
  Rng rng(5);
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 2000; ++i) seen.insert(retry_after(rng));
  EXPECT_EQ(*seen.begin(), 1U);
  EXPECT_EQ(*seen.rbegin(), 10U);
  EXPECT_EQ(seen.size(), 10U);
}

}  // namespace
}  // namespace sipassay::session
