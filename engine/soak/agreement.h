// Whether the two ends of a quiet call agree about it: looked at from inside, nothing is sent.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "engine/base/clause.h"
#include "engine/base/finding.h"
#include "engine/session/session_dialog.h"

namespace sipassay::soak {

struct AgreementRow {
  std::string_view rule;
  Clause clause;
  // What the first should say of itself, and what the other has of it.
  std::string (*own)(const session::SessionDialog& self);
  std::string (*mirrored)(const session::SessionDialog& peer);
};
std::span<const AgreementRow> agreement_rows();

// Neither end has anything open: confirmed, stable, no INVITE of either side.
bool is_settled(const session::SessionDialog& end);
// The first row, in either direction, about which they differ; for two settled ends. On a network
// that lost nothing (is_exact) even the CSeq numbers are the same.
std::optional<Finding> disagreement(const session::SessionDialog& caller,
                                    const session::SessionDialog& callee, bool is_exact);

}  // namespace sipassay::soak
