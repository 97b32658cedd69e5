#include "engine/session/failure.h"

#include <gtest/gtest.h>

namespace sipassay::session {
namespace {

TEST(Failure, TheseCodesEndTheDialog) {
  for (const int status : {404, 410, 416, 482, 483, 484, 485, 502, 604})
    for (const Method method : {Method::Invite, Method::Info, Method::Message})
      EXPECT_EQ(failure_effect(method, status), FailureEffect::Dialog) << status;
}

TEST(Failure, SilenceAnd408And481EndTheUsageOnly) {
  for (const int status : {0, 408, 480, 481}) {
    EXPECT_EQ(failure_effect(Method::Invite, status), FailureEffect::Usage) << status;
    EXPECT_EQ(failure_effect(Method::Update, status), FailureEffect::Usage) << status;
    EXPECT_EQ(failure_effect(Method::Options, status), FailureEffect::Transaction) << status;
    EXPECT_EQ(failure_effect(Method::Message, status), FailureEffect::Transaction) << status;
    EXPECT_EQ(failure_effect(Method::Other, status), FailureEffect::Transaction) << status;
  }
}

TEST(Failure, AnUnknownMethodEndsTheUsageOnlyIfItIsIntegral) {
  for (const int status : {405, 501}) {
    EXPECT_EQ(failure_effect(Method::Invite, status), FailureEffect::Usage);
    EXPECT_EQ(failure_effect(Method::Info, status), FailureEffect::Transaction);
    EXPECT_EQ(failure_effect(Method::Update, status), FailureEffect::Transaction);
  }
}

TEST(Failure, BadEventCountsForSubscriptionsOnly) {
  EXPECT_EQ(failure_effect(Method::Info, 489), FailureEffect::Transaction);
  EXPECT_EQ(failure_effect(Method::Notify, 489), FailureEffect::Usage);
}

TEST(Failure, NothingMatchedThePrackIsNotTheEndOfTheCall) {
  EXPECT_EQ(failure_effect(Method::Prack, 481), FailureEffect::Transaction);
}

TEST(Failure, OtherCodesEndTheirTransactionOnly) {
  for (const int status :
       {400, 401, 403, 406, 407, 415, 420, 469, 486, 487, 488, 491, 500, 503, 504, 600, 603, 606})
    EXPECT_EQ(failure_effect(Method::Invite, status), FailureEffect::Transaction) << status;
  EXPECT_EQ(failure_rows().size(), 16U);
}

}  // namespace
}  // namespace sipassay::session
