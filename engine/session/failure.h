// What a failed request does to the dialog and its usages (RFC 5057 5.1, Table 1; RFC
// 3261 12.2.1.2).
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/clause.h"
#include "engine/message/method.h"

namespace sipassay::session {

enum class FailureEffect : std::uint8_t {
  Transaction,  // nothing but the request itself
  Usage,        // the usage that the request belongs to is over
  Dialog        // all usages are over
};

struct FailureRow {
  int status;  // 0: no response (timeout, transport failure)
  FailureEffect effect;
  Clause clause;
};
// The codes that do more than end their transaction.
std::span<const FailureRow> failure_rows();

// Which usage a request within an INVITE dialog belongs to (RFC 5057 5.3).
enum class Usage : std::uint8_t { None, Invite, Subscription };
Usage usage_of(Method method);

// 405 and 501 count only for methods that the usage cannot do without; 489 only outside INVITE.
FailureEffect failure_effect(Method method, int status);

}  // namespace sipassay::session
