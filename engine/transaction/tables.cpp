#include "engine/transaction/tables.h"

#include "engine/transaction/invite_client.h"
#include "engine/transaction/invite_server.h"
#include "engine/transaction/non_invite_client.h"
#include "engine/transaction/non_invite_server.h"

namespace sipassay::transaction {

std::vector<TableRow> tables() {
  std::vector<TableRow> out;
  const auto add = [&out](std::string_view machine, const auto& rows) {
    const auto more = describe(machine, rows);
    out.insert(out.end(), more.begin(), more.end());
  };
  add(InviteClient::name, InviteClient::rows);
  add(NonInviteClient::name, NonInviteClient::rows);
  add(InviteServer::name, InviteServer::rows);
  add(NonInviteServer::name, NonInviteServer::rows);
  return out;
}

}  // namespace sipassay::transaction
