// State machines as data: the rows that run are the rows that documentation and diagrams print.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "engine/base/clause.h"

namespace sipassay {

// One arrow of a machine: in state `from`, input `on` leads to state `to` by way of `action`.
// The three types are enumerations with a to_string(value) beside them.
template <class State, class Input, class Action>
struct Transition {
  State from;
  Input on;
  State to;
  Action action;
  Clause clause;
};

// No (state, input) has two rows: for a static_assert beside every table.
template <class Rows>
constexpr bool has_unique_cells(const Rows& rows) {
  for (std::size_t i = 0; i < std::size(rows); ++i)
    for (std::size_t j = i + 1; j < std::size(rows); ++j)
      if (rows[i].from == rows[j].from && rows[i].on == rows[j].on) return false;
  return true;
}

// The row of a cell, or nullptr: the machine has no answer to that input in that state.
template <class Rows, class State, class Input>
constexpr auto find_row(const Rows& rows, State from, Input on) -> decltype(&rows[0]) {
  for (const auto& row : rows)
    if (row.from == from && row.on == on) return &row;
  return nullptr;
}

// A row as text, for tables and diagrams.
struct TableRow {
  std::string_view machine, from, on, to, action;
  Clause clause;
};

// The rows of one machine as text, in the order of the table.
template <class Rows>
std::vector<TableRow> describe(std::string_view machine, const Rows& rows) {
  std::vector<TableRow> out;
  out.reserve(std::size(rows));
  for (const auto& row : rows)
    out.push_back({machine, to_string(row.from), to_string(row.on), to_string(row.to),
                   to_string(row.action), row.clause});
  return out;
}

}  // namespace sipassay
