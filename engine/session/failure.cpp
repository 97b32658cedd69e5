#include "engine/session/failure.h"

#include <algorithm>
#include <array>

namespace sipassay::session {
namespace {

constexpr Clause table{5057, "5.1", Level::Stated};
constexpr Clause no_answer{3261, "12.2.1.2", Level::Should};

constexpr std::array rows{
    FailureRow{0, FailureEffect::Usage, no_answer},
    FailureRow{404, FailureEffect::Dialog, table},
    FailureRow{405, FailureEffect::Usage, table},
    FailureRow{408, FailureEffect::Usage, no_answer},
    FailureRow{410, FailureEffect::Dialog, table},
    FailureRow{416, FailureEffect::Dialog, table},
    FailureRow{480, FailureEffect::Usage, table},
    FailureRow{481, FailureEffect::Usage, no_answer},
    FailureRow{482, FailureEffect::Dialog, table},
    FailureRow{483, FailureEffect::Dialog, table},
    FailureRow{484, FailureEffect::Dialog, table},
    FailureRow{485, FailureEffect::Dialog, table},
    FailureRow{489, FailureEffect::Usage, table},
    FailureRow{501, FailureEffect::Usage, table},
    FailureRow{502, FailureEffect::Dialog, table},
    FailureRow{604, FailureEffect::Dialog, table},
};

// RFC 5057 5.1: the usage cannot go on without it.
constexpr bool is_integral(Method method) {
  return method == Method::Invite || method == Method::Bye || method == Method::Notify ||
         method == Method::Subscribe;
}

}  // namespace

std::span<const FailureRow> failure_rows() {
  return rows;
}

Usage usage_of(Method method) {
  switch (method) {
    case Method::Invite:
    case Method::Bye:
    case Method::Prack:
    case Method::Update:
    case Method::Info:
      return Usage::Invite;
    case Method::Notify:
    case Method::Refer:
    case Method::Subscribe:
      return Usage::Subscription;
    default:
      return Usage::None;  // OPTIONS, MESSAGE, unknown ones
  }
}

FailureEffect failure_effect(Method method, int status) {
  const auto row = std::ranges::find(rows, status, &FailureRow::status);
  if (row == rows.end()) return FailureEffect::Transaction;
  if (row->effect == FailureEffect::Dialog) return FailureEffect::Dialog;
  const Usage usage = usage_of(method);
  if (usage == Usage::None) return FailureEffect::Transaction;
  if ((status == 405 || status == 501) && !is_integral(method)) return FailureEffect::Transaction;
  // RFC 3262 3: this 481 says that no reliable 1xx matched, not that the usage is gone.
  if (status == 481 && method == Method::Prack) return FailureEffect::Transaction;
  if (status == 489 && usage != Usage::Subscription) return FailureEffect::Transaction;
  return row->effect;
}

}  // namespace sipassay::session
