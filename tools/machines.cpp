#include "tools/machines.h"

#include <fmt/format.h>

#include "engine/agent/registration.h"
#include "engine/proxy/branch.h"
#include "engine/session/glare.h"
#include "engine/session/offer_answer.h"
#include "engine/session/session_timer.h"
#include "engine/session/subscription.h"
#include "engine/transaction/tables.h"

namespace sipassay::tools {
namespace {

std::string clause_text(const Clause& clause) {
  if (clause.section.empty()) return {};
  return fmt::format("RFC {} {}", clause.rfc, clause.section);
}

// Rows that stand together belong to one machine.
void append(std::vector<Machine>& out, const std::vector<TableRow>& rows) {
  for (const TableRow& row : rows) {
    if (out.empty() || out.back().name != row.machine)
      out.push_back({std::string(row.machine), {}});
    out.back().rows.push_back({std::string(row.from), std::string(row.on), std::string(row.to),
                               std::string(row.action), clause_text(row.clause)});
  }
}

std::string_view words(session::InviteExchange invite) {
  switch (invite) {
    case session::InviteExchange::None:
      return ", no INVITE open";
    case session::InviteExchange::Owed:
      return ", INVITE without offer open";
    case session::InviteExchange::Open:
      return ", INVITE's offer open";
    case session::InviteExchange::Done:
      return ", INVITE's exchange complete";
    case session::InviteExchange::Any:
      return "";
  }
  return "";
}

Machine offer_answer() {
  Machine out{"offer/answer", {}};
  for (const session::OfferAnswerRow& row : session::offer_answer_rows()) {
    std::string on = fmt::format(
        "{} {} {} description{}", row.side == session::Side::Local ? "our" : "their",
        to_string(row.carrier), row.has_description ? "with" : "without", words(row.invite));
    if (row.offered_in) on += fmt::format(", offered in {}", to_string(*row.offered_in));
    std::string action(to_string(row.action));
    if (!row.rule.empty()) action += fmt::format(" ({})", row.rule);
    out.rows.push_back({std::string(to_string(row.from)), std::move(on),
                        std::string(to_string(row.to)), std::move(action),
                        clause_text(row.clause)});
  }
  return out;
}

// Not states but situations: what is open in the dialog, what arrives, what it is answered.
Machine glare() {
  Machine out{"glare", {}};
  for (const session::GlareRow& row : session::glare_rows())
    out.rows.push_back({std::string(to_string(row.overlap)), std::string(to_string(row.arrival)),
                        std::string(to_string(row.overlap)), std::string(to_string(row.decision)),
                        clause_text(row.clause)});
  return out;
}

}  // namespace

std::vector<Machine> machines() {
  std::vector<Machine> out;
  append(out, transaction::tables());
  out.push_back(offer_answer());
  out.push_back(glare());
  append(out, describe(session::SessionTimer::name, session::SessionTimer::rows));
  append(out, session::subscription_tables());
  append(out, describe(agent::Registration::name, agent::Registration::rows));
  append(out, describe(proxy::Branch::name, proxy::Branch::rows));
  return out;
}

}  // namespace sipassay::tools
