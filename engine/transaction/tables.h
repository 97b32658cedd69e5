// The tables of the four machines as text: what `sipassay tables` prints.
#pragma once

#include <vector>

#include "engine/base/state_table.h"

namespace sipassay::transaction {

// INVITE client, non-INVITE client, INVITE server, non-INVITE server, in this order.
std::vector<TableRow> tables();

}  // namespace sipassay::transaction
