#include "engine/session/error.h"

#include <array>
#include <cassert>
#include <cstddef>

namespace sipassay::session {
namespace {

struct Row {
  SessionErrorCode code;
  std::string_view name;
  Clause clause;
};

using enum SessionErrorCode;

constexpr std::array<Row, static_cast<std::size_t>(Count)> rows{{
    {NotConfirmed, "not-confirmed", {3261, "14.1", Level::MustNot}},
    {Terminated, "terminated", {5407, "2", Level::MustNot}},
    {OfferOpen, "offer-open", {3264, "4", Level::MustNot}},
    {NoOfferYet, "no-offer-yet", {3311, "5.1", Level::MustNot}},
    {InviteInProgress, "invite-in-progress", {3261, "14.1", Level::MustNot}},
    {UpdateInProgress, "update-in-progress", {6337, "4.3", Level::MustNot}},
    {MustNotBye, "must-not-bye", {3261, "15", Level::MustNot}},
    {AnswerMissing, "answer-missing", {3264, "6", Level::Must}},
    {OfferMissing, "offer-missing", {3261, "13.2.1", Level::Must}},
    {AnswerUnexpected, "description-out-of-place", {6337, "2.2", Level::Stated}},
    {NothingToAck, "nothing-to-ack", {3261, "13.2.2.4", Level::Stated}},
    {NothingToPrack, "nothing-to-prack", {3262, "4", Level::Stated}},
    {UnknownTransaction, "unknown-transaction", {3261, "17.2", Level::Stated}},
    {WrongStatus, "wrong-status", {3261, "21", Level::Stated}},
    {NotReliable, "not-reliable", {3262, "3", Level::MustNot}},
    {UnknownSubscription, "unknown-subscription", {3515, "2.4.4", Level::Stated}},
    {DialogNotShared, "dialog-not-shared", {6665, "4.5.2", Level::MustNot}},
    {PackageNotListed, "package-not-listed", {6086, "4.2.1", Level::MustNot}},
    {BadHeader, "bad-header", {3261, "7.3.1", Level::Stated}},
    {CSeqUsedUp, "cseq-used-up", {3261, "8.1.1.5", Level::Must}},
    {TooMany, "too-many", {}},
    {Unusable, "unusable", {3261, "12.1", Level::Stated}},
}};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (static_cast<std::size_t>(rows[i].code) != i) return false;
  return true;
}
static_assert(is_in_order());

}  // namespace

SessionError session_error(SessionErrorCode code) {
  assert(code < Count);
  return {code, rows[static_cast<std::size_t>(code)].clause};
}

std::string_view to_string(SessionErrorCode code) {
  assert(code < Count);
  return rows[static_cast<std::size_t>(code)].name;
}

}  // namespace sipassay::session
