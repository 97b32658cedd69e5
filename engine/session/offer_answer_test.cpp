#include "engine/session/offer_answer.h"

#include <gtest/gtest.h>

#include <set>

namespace sipassay::session {
namespace {

using enum SignalingState;
using enum Action;
constexpr Side L = Side::Local;
constexpr Side R = Side::Remote;

struct Step {
  Side side;
  Carrier carrier;
  int description;  // 0: none
};

struct Vector {
  const char* name;
  std::vector<Step> steps;
  Action action;  // of the last step
  SignalingState state;
  std::string_view rule = {};
};

std::optional<Description> description(int number) {
  if (number == 0) return std::nullopt;
  return Description{"application/sdp", "v=" + std::to_string(number)};
}

using C = Carrier;

// Every one runs as written and with the sides changed.
const std::vector<Vector>& vectors() {
  static const std::vector<Step> stable{
      {L, C::Invite, 1}, {R, C::InviteSuccess, 2}, {L, C::Ack, 0}};
  const auto after = [](std::vector<Step> steps, std::initializer_list<Step> more) {
    steps.insert(steps.end(), more);
    return steps;
  };
  static const std::vector<Vector> all{
      // pattern 1
      {"INVITE(o)", {{L, C::Invite, 1}}, TakeOffer, HaveLocalOffer},
      {"INVITE(o) 2xx(a)", {{L, C::Invite, 1}, {R, C::InviteSuccess, 2}}, TakeAnswer, Stable},
      {"INVITE(o) 2xx",
       {{L, C::Invite, 1}, {R, C::InviteSuccess, 0}},
       MissingAnswer,
       Initial,
       "answer-missing-in-2xx"},
      {"INVITE(o) 488", {{L, C::Invite, 1}, {R, C::InviteFailure, 0}}, Rollback, Initial},
      {"INVITE 486", {{L, C::Invite, 0}, {R, C::InviteFailure, 0}}, Rollback, Initial},
      {"re-INVITE(o)", after(stable, {{L, C::Invite, 3}}), TakeOffer, HaveLocalOffer},
      {"re-INVITE(o) 2xx(a)", after(stable, {{L, C::Invite, 3}, {R, C::InviteSuccess, 4}}),
       TakeAnswer, Stable},
      {"re-INVITE(o) 2xx", after(stable, {{L, C::Invite, 3}, {R, C::InviteSuccess, 0}}),
       MissingAnswer, Stable, "answer-missing-in-2xx"},
      {"re-INVITE(o) 488", after(stable, {{L, C::Invite, 3}, {R, C::InviteFailure, 0}}), Rollback,
       Stable},
      {"re-INVITE by the other side", after(stable, {{R, C::Invite, 3}, {L, C::InviteSuccess, 4}}),
       TakeAnswer, Stable},
      // pattern 2
      {"INVITE", {{L, C::Invite, 0}}, None, Initial},
      {"INVITE 2xx(o)", {{L, C::Invite, 0}, {R, C::InviteSuccess, 1}}, TakeOffer, HaveRemoteOffer},
      {"INVITE 2xx",
       {{L, C::Invite, 0}, {R, C::InviteSuccess, 0}},
       MissingOffer,
       Initial,
       "offer-missing-in-2xx"},
      {"INVITE 2xx(o) ACK(a)",
       {{L, C::Invite, 0}, {R, C::InviteSuccess, 1}, {L, C::Ack, 2}},
       TakeAnswer,
       Stable},
      {"INVITE 2xx(o) ACK",
       {{L, C::Invite, 0}, {R, C::InviteSuccess, 1}, {L, C::Ack, 0}},
       MissingAnswer,
       Initial,
       "answer-missing-in-ack"},
      {"re-INVITE", after(stable, {{L, C::Invite, 0}}), None, Stable},
      {"re-INVITE 2xx(o) ACK(a)",
       after(stable, {{L, C::Invite, 0}, {R, C::InviteSuccess, 3}, {L, C::Ack, 4}}), TakeAnswer,
       Stable},
      {"re-INVITE 2xx", after(stable, {{L, C::Invite, 0}, {R, C::InviteSuccess, 0}}), MissingOffer,
       Stable, "offer-missing-in-2xx"},
      {"re-INVITE 2xx(o) ACK",
       after(stable, {{L, C::Invite, 0}, {R, C::InviteSuccess, 3}, {L, C::Ack, 0}}), MissingAnswer,
       Stable, "answer-missing-in-ack"},
      {"ACK with SDP when stable",
       {{L, C::Invite, 1}, {R, C::InviteSuccess, 2}, {L, C::Ack, 3}},
       Ignore,
       Stable,
       "description-in-ack"},
      {"ACK with SDP before any offer", {{L, C::Ack, 3}}, Ignore, Initial, "description-in-ack"},
      // previews
      {"INVITE(o) 183(a)", {{L, C::Invite, 1}, {R, C::Provisional, 2}}, Preview, HaveLocalOffer},
      {"INVITE(o) 183(a) 2xx(a)",
       {{L, C::Invite, 1}, {R, C::Provisional, 2}, {R, C::InviteSuccess, 2}},
       TakeAnswer,
       Stable},
      {"INVITE(o) 183(a) 2xx(b)",
       {{L, C::Invite, 1}, {R, C::Provisional, 2}, {R, C::InviteSuccess, 3}},
       TakeAnswer,
       Stable,
       "answer-differs-from-preview"},
      {"INVITE(o) 183(a) 183(b)",
       {{L, C::Invite, 1}, {R, C::Provisional, 2}, {R, C::Provisional, 3}},
       Ignore,
       HaveLocalOffer,
       "answer-differs-from-preview"},
      {"INVITE(o) 183(a) 2xx",
       {{L, C::Invite, 1}, {R, C::Provisional, 2}, {R, C::InviteSuccess, 0}},
       TakePreview,
       Stable,
       "answer-missing-in-2xx"},
      {"INVITE 183(o)",
       {{L, C::Invite, 0}, {R, C::Provisional, 1}},
       Ignore,
       Initial,
       "offer-in-unreliable-1xx"},
      {"re-INVITE 183(o)", after(stable, {{L, C::Invite, 0}, {R, C::Provisional, 3}}), Ignore,
       Stable, "offer-in-unreliable-1xx"},
      {"answer in 183rel, again in 183",
       {{L, C::Invite, 1}, {R, C::ReliableProvisional, 2}, {R, C::Provisional, 2}},
       Repeat,
       Stable},
      // pattern 3
      {"INVITE(o) 183rel(a)",
       {{L, C::Invite, 1}, {R, C::ReliableProvisional, 2}},
       TakeAnswer,
       Stable},
      {"INVITE(o) 180rel 2xx(a)",
       {{L, C::Invite, 1}, {R, C::ReliableProvisional, 0}, {R, C::InviteSuccess, 2}},
       TakeAnswer,
       Stable},
      {"... 2xx",
       {{L, C::Invite, 1},
        {R, C::ReliableProvisional, 2},
        {L, C::PrackOfAnswer, 0},
        {R, C::InviteSuccess, 0}},
       None,
       Stable},
      {"... 2xx(a)",
       {{L, C::Invite, 1}, {R, C::ReliableProvisional, 2}, {R, C::InviteSuccess, 2}},
       Repeat,
       Stable},
      {"... 2xx(b)",
       {{L, C::Invite, 1}, {R, C::ReliableProvisional, 2}, {R, C::InviteSuccess, 3}},
       Repeat,
       Stable,
       "answer-changed"},
      {"... 180rel(b)",
       {{L, C::Invite, 1}, {R, C::ReliableProvisional, 2}, {R, C::ReliableProvisional, 3}},
       Repeat,
       Stable,
       "answer-changed"},
      {"re-INVITE(o) 183rel(a) 488",
       after(stable, {{L, C::Invite, 3}, {R, C::ReliableProvisional, 4}, {R, C::InviteFailure, 0}}),
       Rollback, Stable},
      // pattern 4
      {"INVITE 183rel(o)",
       {{L, C::Invite, 0}, {R, C::ReliableProvisional, 1}},
       TakeOffer,
       HaveRemoteOffer},
      {"INVITE 180rel",
       {{L, C::Invite, 0}, {R, C::ReliableProvisional, 0}},
       MissingOffer,
       Initial,
       "first-reliable-1xx-without-offer"},
      {"re-INVITE 180rel", after(stable, {{L, C::Invite, 0}, {R, C::ReliableProvisional, 0}}),
       MissingOffer, Stable, "first-reliable-1xx-without-offer"},
      {"INVITE 183rel(o) PRACK(a)",
       {{L, C::Invite, 0}, {R, C::ReliableProvisional, 1}, {L, C::Prack, 2}},
       TakeAnswer,
       Stable},
      {"INVITE 183rel(o) PRACK",
       {{L, C::Invite, 0}, {R, C::ReliableProvisional, 1}, {L, C::Prack, 0}},
       MissingAnswer,
       Initial,
       "answer-missing-in-prack"},
      {"INVITE 183rel(o) 183rel(o)",
       {{L, C::Invite, 0}, {R, C::ReliableProvisional, 1}, {R, C::ReliableProvisional, 3}},
       Ignore,
       HaveRemoteOffer,
       "offer-while-offer-open"},
      {"INVITE 183rel(o) 2xx",
       {{L, C::Invite, 0}, {R, C::ReliableProvisional, 1}, {R, C::InviteSuccess, 0}},
       None,
       HaveRemoteOffer,
       "2xx-before-prack"},
      {"INVITE 183rel(o) 2xx(o)",
       {{L, C::Invite, 0}, {R, C::ReliableProvisional, 1}, {R, C::InviteSuccess, 1}},
       Ignore,
       HaveRemoteOffer,
       "2xx-before-prack"},
      {"re-INVITE 183rel(o) PRACK(a)",
       after(stable, {{L, C::Invite, 0}, {R, C::ReliableProvisional, 3}, {L, C::Prack, 4}}),
       TakeAnswer, Stable},
      {"INVITE 183rel(o) 486",
       {{L, C::Invite, 0}, {R, C::ReliableProvisional, 1}, {R, C::InviteFailure, 0}},
       Rollback,
       Initial},
      // pattern 5
      {"... PRACK(o)",
       {{L, C::Invite, 1}, {R, C::ReliableProvisional, 2}, {L, C::PrackOfAnswer, 3}},
       TakeOffer,
       HaveLocalOffer},
      {"... PRACK(o) 2xx(a)",
       {{L, C::Invite, 1},
        {R, C::ReliableProvisional, 2},
        {L, C::PrackOfAnswer, 3},
        {R, C::PrackSuccess, 4}},
       TakeAnswer,
       Stable},
      {"... PRACK(o) 2xx",
       {{L, C::Invite, 1},
        {R, C::ReliableProvisional, 2},
        {L, C::PrackOfAnswer, 3},
        {R, C::PrackSuccess, 0}},
       MissingAnswer,
       Stable,
       "answer-missing-in-prack-2xx"},
      {"... PRACK(o) 488",
       {{L, C::Invite, 1},
        {R, C::ReliableProvisional, 2},
        {L, C::PrackOfAnswer, 3},
        {R, C::PrackFailure, 0}},
       Rollback,
       Stable},
      {"... PRACK(o) meanwhile 183rel(a)",
       {{L, C::Invite, 1},
        {R, C::ReliableProvisional, 2},
        {L, C::PrackOfAnswer, 3},
        {R, C::ReliableProvisional, 2}},
       Repeat,
       HaveLocalOffer},
      {"... PRACK(o) meanwhile 183(a)",
       {{L, C::Invite, 1},
        {R, C::ReliableProvisional, 2},
        {L, C::PrackOfAnswer, 3},
        {R, C::Provisional, 2}},
       Repeat,
       HaveLocalOffer},
      {"... PRACK(o) meanwhile 2xx(a)",
       {{L, C::Invite, 1},
        {R, C::ReliableProvisional, 2},
        {L, C::PrackOfAnswer, 3},
        {R, C::InviteSuccess, 2}},
       Repeat,
       HaveLocalOffer},
      {"PRACK(o) of a 180rel without answer", after(stable, {{L, C::Prack, 3}}), Ignore, Stable,
       "offer-in-prack"},
      {"PRACK(o) before the first exchange", {{L, C::Prack, 3}}, Ignore, Initial, "offer-in-prack"},
      {"PRACK(o) while an offer is open",
       {{L, C::Invite, 1}, {L, C::Prack, 3}},
       Ignore,
       HaveLocalOffer,
       "description-out-of-place"},
      // pattern 6
      {"UPDATE(o)", after(stable, {{L, C::Update, 3}}), TakeOffer, HaveLocalOffer},
      {"UPDATE(o) 2xx(a)", after(stable, {{L, C::Update, 3}, {R, C::UpdateSuccess, 4}}), TakeAnswer,
       Stable},
      {"UPDATE(o) 2xx", after(stable, {{L, C::Update, 3}, {R, C::UpdateSuccess, 0}}), MissingAnswer,
       Stable, "answer-missing-in-update-2xx"},
      {"UPDATE(o) 488", after(stable, {{L, C::Update, 3}, {R, C::UpdateFailure, 0}}), Rollback,
       Stable},
      {"UPDATE", after(stable, {{L, C::Update, 0}}), None, Stable},
      {"UPDATE 2xx(x)", after(stable, {{L, C::Update, 0}, {R, C::UpdateSuccess, 4}}), Ignore,
       Stable, "description-out-of-place"},
      {"UPDATE(o) before the first exchange",
       {{L, C::Update, 3}},
       Refuse,
       Initial,
       "update-before-first-exchange"},
      {"UPDATE(o) while our offer is open",
       {{L, C::Invite, 1}, {L, C::Update, 3}},
       Refuse,
       HaveLocalOffer,
       "offer-while-offer-open"},
      {"UPDATE(o) while their offer is open",
       {{R, C::Invite, 1}, {L, C::Update, 3}},
       Refuse,
       HaveRemoteOffer,
       "offer-while-offer-open"},
      {"UPDATE in a re-INVITE, meanwhile 183(a)",
       after(stable, {{L, C::Invite, 3},
                      {R, C::ReliableProvisional, 4},
                      {R, C::Update, 5},
                      {R, C::Provisional, 4}}),
       Repeat, HaveRemoteOffer},
      {"the same, 183rel(a)",
       after(stable, {{L, C::Invite, 3},
                      {R, C::ReliableProvisional, 4},
                      {R, C::Update, 5},
                      {R, C::ReliableProvisional, 4}}),
       Repeat, HaveRemoteOffer},
      {"the same, 2xx(a)",
       after(stable, {{L, C::Invite, 3},
                      {R, C::ReliableProvisional, 4},
                      {R, C::Update, 5},
                      {R, C::InviteSuccess, 4}}),
       Repeat, HaveRemoteOffer},
      {"UPDATE in a re-INVITE that fails",
       after(stable, {{L, C::Invite, 3},
                      {R, C::ReliableProvisional, 4},
                      {R, C::Update, 5},
                      {R, C::InviteFailure, 0}}),
       Rollback, Stable},
      {"UPDATE(o) in an offerless re-INVITE, 2xx",
       after(stable, {{L, C::Invite, 0}, {L, C::Update, 3}, {R, C::InviteSuccess, 0}}),
       MissingOffer, HaveLocalOffer, "offer-missing-in-2xx"},
      {"UPDATE(o) of the other side, 2xx",
       after(stable, {{L, C::Invite, 0}, {R, C::Update, 3}, {R, C::InviteSuccess, 0}}),
       MissingOffer, HaveRemoteOffer, "offer-missing-in-2xx"},
      // one at a time
      {"INVITE(o) while our offer is open",
       {{L, C::Invite, 1}, {L, C::Invite, 3}},
       Refuse,
       HaveLocalOffer,
       "offer-while-offer-open"},
      {"INVITE(o) while their offer is open",
       {{R, C::Invite, 1}, {L, C::Invite, 3}},
       Refuse,
       HaveRemoteOffer,
       "offer-while-offer-open"},
      {"INVITE while our offer is open",
       {{L, C::Invite, 1}, {L, C::Invite, 0}},
       Refuse,
       HaveLocalOffer,
       "invite-while-offer-open"},
      {"INVITE while their offer is open",
       {{R, C::Invite, 1}, {L, C::Invite, 0}},
       Refuse,
       HaveRemoteOffer,
       "invite-while-offer-open"},
      // no place for SDP
      {"INFO(x) at first", {{L, C::Other, 3}}, Ignore, Initial},
      {"INFO(x) when stable", after(stable, {{L, C::Other, 3}}), Ignore, Stable},
      {"INFO(x) in our offer", {{L, C::Invite, 1}, {L, C::Other, 3}}, Ignore, HaveLocalOffer},
      {"INFO(x) in their offer", {{R, C::Invite, 1}, {L, C::Other, 3}}, Ignore, HaveRemoteOffer},
      {"2xx(x) out of nowhere", after(stable, {{R, C::InviteSuccess, 3}}), Ignore, Stable,
       "description-out-of-place"},
      {"2xx to PRACK(x)", after(stable, {{R, C::PrackSuccess, 3}}), Ignore, Stable,
       "description-out-of-place"},
  };
  return all;
}

Side turn(Side side) {
  return side == L ? R : L;
}
SignalingState turn(SignalingState state) {
  if (state == HaveLocalOffer) return HaveRemoteOffer;
  return state == HaveRemoteOffer ? HaveLocalOffer : state;
}

void run(const Vector& vector, bool is_turned, std::set<const OfferAnswerRow*>& seen) {
  SCOPED_TRACE(std::string(vector.name) + (is_turned ? " (sides changed)" : ""));
  OfferAnswer machine;
  OfferAnswerVerdict verdict;
  for (const Step& step : vector.steps) {
    const Side side = is_turned ? turn(step.side) : step.side;
    const auto body = description(step.description);
    for (const OfferAnswerRow& row : offer_answer_rows()) {
      if (row.from == machine.state() && row.side == side && row.carrier == step.carrier &&
          row.has_description == body.has_value() &&
          (!row.offered_in || row.offered_in == machine.offered_in()) &&
          (row.invite == InviteExchange::Any || row.invite == machine.invite_exchange()))
        seen.insert(&row);
    }
    const auto before = machine.decide(side, step.carrier, body);
    verdict = machine.apply(side, step.carrier, body);
    EXPECT_EQ(before.action, verdict.action) << "decide() and apply() agree";
    EXPECT_EQ(verdict.to, machine.state());
  }
  EXPECT_EQ(to_string(verdict.action), to_string(vector.action));
  EXPECT_EQ(to_string(machine.state()), to_string(is_turned ? turn(vector.state) : vector.state));
  EXPECT_EQ(verdict.rule, vector.rule);
}

TEST(OfferAnswer, FollowsEveryRow) {
  std::set<const OfferAnswerRow*> seen;
  std::size_t ran = 0;
  for (const Vector& vector : vectors())
    for (const bool is_turned : {false, true}) {
      run(vector, is_turned, seen);
      ++ran;
    }
  EXPECT_EQ(ran, 2 * vectors().size());
  for (const OfferAnswerRow& row : offer_answer_rows())
    EXPECT_TRUE(seen.contains(&row)) << to_string(row.from) << " " << to_string(row.carrier) << " "
                                     << (row.has_description ? "sdp " : "no sdp ")
                                     << (row.side == L ? "local" : "remote") << " has no vector";
}

TEST(OfferAnswer, EveryRowHasAClause) {
  for (const OfferAnswerRow& row : offer_answer_rows()) EXPECT_FALSE(row.clause.section.empty());
}

TEST(OfferAnswer, FailureOfAReinviteRestoresThePairBefore) {
  OfferAnswer machine;
  machine.apply(L, C::Invite, description(1));
  machine.apply(R, C::InviteSuccess, description(2));
  machine.apply(L, C::Ack, std::nullopt);
  machine.apply(R, C::Invite, description(3));
  machine.apply(L, C::ReliableProvisional, description(4));
  machine.apply(R, C::Update, description(5));
  machine.apply(L, C::UpdateSuccess, description(6));
  EXPECT_TRUE(machine.has_executed_changes());
  EXPECT_EQ(machine.remote(), description(5));
  machine.apply(L, C::InviteFailure, std::nullopt);
  EXPECT_EQ(machine.offer(), description(1)) << "nested exchanges are undone too (RFC 6141 3.1)";
  EXPECT_EQ(machine.answer(), description(2));
  EXPECT_EQ(machine.local(), description(1));
  EXPECT_EQ(machine.remote(), description(2));
  EXPECT_FALSE(machine.has_executed_changes());
}

TEST(OfferAnswer, FailureOfAnUpdateUndoesOnlyTheUpdate) {
  OfferAnswer machine;
  machine.apply(L, C::Invite, description(1));
  machine.apply(R, C::ReliableProvisional, description(2));
  machine.apply(L, C::Update, description(3));
  machine.apply(R, C::UpdateFailure, std::nullopt);
  EXPECT_EQ(machine.state(), Stable);
  EXPECT_EQ(machine.offer(), description(1));
  EXPECT_EQ(machine.invite_exchange(), InviteExchange::Done);
}

TEST(OfferAnswer, ARefusedFirstOfferGoesBackToInitialAndANewOneWorks) {
  OfferAnswer machine;
  machine.apply(L, C::Invite, description(1));
  machine.apply(R, C::InviteFailure, std::nullopt);
  EXPECT_EQ(machine.state(), Initial);
  EXPECT_FALSE(machine.offer());
  machine.apply(L, C::Invite, description(3));
  machine.apply(R, C::InviteSuccess, description(4));
  EXPECT_EQ(machine.offer(), description(3));
  EXPECT_EQ(machine.answer(), description(4));
}

TEST(OfferAnswer, ThePreviewIsTheAnswer) {
  OfferAnswer machine;
  machine.apply(L, C::Invite, description(1));
  machine.apply(R, C::Provisional, description(2));
  EXPECT_FALSE(machine.answer()) << "not before a reliable message";
  machine.apply(R, C::InviteSuccess, description(3));
  EXPECT_EQ(machine.answer(), description(2));
}

TEST(OfferAnswer, RollbackWithoutAnOpenOfferDoesNothing) {
  OfferAnswer machine;
  EXPECT_FALSE(machine.rollback());
  machine.apply(L, C::Invite, description(1));
  EXPECT_TRUE(machine.rollback());
  EXPECT_EQ(machine.state(), Initial);
}

TEST(OfferAnswer, ClosedIgnoresEverything) {
  OfferAnswer machine;
  machine.apply(L, C::Invite, description(1));
  machine.close();
  EXPECT_FALSE(machine.offer());
  for (std::size_t i = 0; i < static_cast<std::size_t>(C::Count); ++i) {
    const auto verdict = machine.apply(R, static_cast<C>(i), description(2));
    EXPECT_EQ(verdict.action, Ignore);
    EXPECT_EQ(machine.state(), Closed);
    EXPECT_FALSE(verdict.is_violation());
  }
}

}  // namespace
}  // namespace sipassay::session
