#include "engine/soak/agreement.h"

#include <array>
#include <string>

namespace sipassay::soak {
namespace {

using session::SessionDialog;
using Text = std::optional<session::Description>;

std::string text(const Text& description) {
  return description ? description->octets : "none";
}

std::string joined(const dialog::DialogId& id) {
  return id.call_id + ' ' + id.local_tag + ' ' + id.remote_tag;
}

std::string without_brackets(std::string_view contact) {
  const auto first = contact.find('<');
  if (first == std::string_view::npos) return std::string(contact);
  return std::string(contact.substr(first + 1, contact.find('>') - first - 1));
}

constexpr std::array rows{
    AgreementRow{"dialog-id",
                 {3261, "12", Level::Stated},
                 [](const SessionDialog& self) { return joined(self.id()); },
                 [](const SessionDialog& peer) {
                   const auto id = peer.id();
                   return joined({id.call_id, id.remote_tag, id.local_tag});
                 }},
    AgreementRow{
        "remote-target",
        {3261, "12.2.1.2", Level::Must},
        [](const SessionDialog& self) { return without_brackets(self.settings().contact); },
        [](const SessionDialog& peer) { return peer.dialog().remote_target(); }},
    AgreementRow{"uri",
                 {3261, "12.1", Level::Must},
                 [](const SessionDialog& self) { return self.dialog().local_uri(); },
                 [](const SessionDialog& peer) { return peer.dialog().remote_uri(); }},
    AgreementRow{"offer",
                 {3264, "4", Level::Stated},
                 [](const SessionDialog& self) { return text(self.offer()); },
                 [](const SessionDialog& peer) { return text(peer.offer()); }},
    AgreementRow{"answer",
                 {3264, "4", Level::Stated},
                 [](const SessionDialog& self) { return text(self.answer()); },
                 [](const SessionDialog& peer) { return text(peer.answer()); }},
    AgreementRow{"description",
                 {3264, "4", Level::Stated},
                 [](const SessionDialog& self) { return text(self.offer_answer().local()); },
                 [](const SessionDialog& peer) { return text(peer.offer_answer().remote()); }},
};

std::optional<Finding> cseq_difference(const SessionDialog& self, const SessionDialog& peer,
                                       bool is_exact) {
  // 12.2.1.1: what the peer saw last is the last that was sent, or one before it.
  const auto sent = self.dialog().local_cseq().value_or(0);
  const auto seen = peer.dialog().remote_cseq().value_or(0);
  if (seen == 0 || seen == sent || (seen < sent && !is_exact)) return std::nullopt;
  return Finding{
      "cseq", {3261, "12.2.1.1", Level::Must}, std::to_string(sent), std::to_string(seen)};
}

std::optional<Finding> difference(const SessionDialog& self, const SessionDialog& peer,
                                  bool is_exact) {
  for (const auto& row : rows) {
    auto own = row.own(self);
    auto mirrored = row.mirrored(peer);
    if (own != mirrored) return Finding{row.rule, row.clause, std::move(own), std::move(mirrored)};
  }
  return cseq_difference(self, peer, is_exact);
}

}  // namespace

std::span<const AgreementRow> agreement_rows() {
  return rows;
}

bool is_settled(const SessionDialog& end) {
  return end.session_state() == session::SessionState::Confirmed &&
         end.signaling_state() == session::SignalingState::Stable &&
         end.reinvite_user_agent_client() == nullptr && end.reinvite_user_agent_server() == nullptr;
}

std::optional<Finding> disagreement(const SessionDialog& caller, const SessionDialog& callee,
                                    bool is_exact) {
  if (auto finding = difference(caller, callee, is_exact)) return finding;
  return difference(callee, caller, is_exact);
}

}  // namespace sipassay::soak
