// What the application wants inside a call: hang up, change the session, INFO, REFER.
#include "engine/agent/core.h"

namespace sipassay::agent {
namespace {

session::Body session_body(std::string sdp) {
  return {"application/sdp", std::move(sdp), {}};
}

session::Body session_body(const Body& body) {
  return {body.type, body.octets, body.disposition};
}

}  // namespace

void Core::hang_up(LiveCall& call, CallDialog& dialog, std::string_view reason) {
  if (dialog.is_over) return;
  if (!dialog.session.may_bye()) {
    dialog.hangs_up_when_allowed = true;  // 15: after the ACK, or after 64*T1 without one
    return;
  }
  session::RequestOptions options;
  if (!reason.empty()) options.headers.push_back({"Reason", std::string(reason)});
  send_in_dialog(call, dialog, dialog.session.bye(options, now_));
  pump(call, dialog);
}

void Core::command(const HangUp& wish) {
  auto* call = live_or_newest(wish.call);
  if (call == nullptr) return;
  if (call->client && call->client->transaction != 0 && !call->client->saw_success &&
      !call->has_ended)
    return command(Cancel{call->id});
  if (call->server && !call->server->has_final) return reject(*call, 480);
  if (auto* dialog = call->primary()) hang_up(*call, *dialog);
}

bool Core::try_change(LiveCall& call, CallDialog& dialog, const Change& change) {
  // RFC 3264 4 MUST NOT: no offer while one is open; later, then.
  const bool is_open = dialog.media.has_open_offer();
  const auto wait = [&] {
    dialog.wanted = change;
    return false;
  };
  const auto before = dialog.media;
  session::RequestOptions options;
  session::SessionDialog::Result request;
  if (const auto* reinvite = std::get_if<Reinvite>(&change)) {
    using Kind = Reinvite::Kind;
    using MediaChange = sdp::LocalMedia::Change;
    const auto kind = reinvite->kind;
    if (kind != Kind::Offerless && is_open) return wait();
    if (kind != Kind::Offerless)
      options.body =
          session_body(dialog.media.offer(kind == Kind::Hold       ? MediaChange::Hold
                                          : kind == Kind::Resume   ? MediaChange::Resume
                                          : kind == Kind::AddMedia ? MediaChange::AddVideo
                                                                   : MediaChange::None));
    request = dialog.session.invite(options, now_);
  } else {
    const auto& update = std::get<Update>(change);
    if (update.has_offer && is_open) return wait();
    if (update.has_offer) options.body = session_body(dialog.media.offer());
    request = dialog.session.update(options);
  }
  if (!request) {
    dialog.media = before;
    using Code = session::SessionErrorCode;
    const auto code = request.error().code;
    const bool is_temporary = code == Code::InviteInProgress || code == Code::OfferOpen ||
                              code == Code::UpdateInProgress || code == Code::NotConfirmed;
    if (is_temporary) return wait();
    const bool is_update = std::holds_alternative<Update>(change);
    emit(RequestAnswered{call.id, is_update ? "UPDATE" : "INVITE", 0});
    return false;
  }
  dialog.change = change;
  return send_in_dialog(call, dialog, std::move(request));
}

// What had to wait for another exchange in the dialog (RFC 3261 14.1, RFC 3264 4).
void Core::try_wanted(LiveCall& call, CallDialog& dialog) {
  if (!dialog.wanted || dialog.is_over) return;
  const auto change = *std::exchange(dialog.wanted, std::nullopt);
  if (try_change(call, dialog, change)) pump(call, dialog);
}

void Core::command(const Reinvite& wish) {
  auto* call = live_or_newest(wish.call);
  auto* dialog = call == nullptr ? nullptr : call->primary();
  if (dialog == nullptr || dialog->is_over) return;
  try_change(*call, *dialog, wish);
  pump(*call, *dialog);
}

void Core::command(const Update& wish) {
  auto* call = live_or_newest(wish.call);
  auto* dialog = call == nullptr ? nullptr : call->primary();
  if (dialog == nullptr || dialog->is_over) return;
  try_change(*call, *dialog, wish);
  pump(*call, *dialog);
}

void Core::command(const SendInfo& wish) {
  auto* call = live_or_newest(wish.call);
  auto* dialog = call == nullptr ? nullptr : call->primary();
  if (dialog == nullptr || dialog->is_over) return;
  session::RequestOptions options;
  options.body = session_body(wish.body);
  if (!send_in_dialog(*call, *dialog, dialog->session.info(options, wish.package)))
    emit(RequestAnswered{call->id, "INFO", 0});
  pump(*call, *dialog);
}

void Core::command(const SendRefer& wish) {
  if (!wish.target.empty()) return refer_outside(wish, nullptr);
  auto* call = live_or_newest(wish.call);
  auto* dialog = call == nullptr ? nullptr : call->primary();
  if (dialog == nullptr || dialog->is_over) return;
  // RFC 7647 4 MUST: outside the dialog when the peer's Contact is a GRUU.
  const auto target = parse_uri(dialog->session.dialog().remote_target());
  if (target && target->params.has("gr")) return refer_outside(wish, &dialog->session);
  session::RequestOptions options;
  if (!wish.has_subscription) options.headers.push_back({"Refer-Sub", "false"});  // RFC 4488 4
  if (!send_in_dialog(*call, *dialog, dialog->session.refer(wish.refer_to, options, now_)))
    emit(RequestAnswered{call->id, "REFER", 0});
  pump(*call, *dialog);
}

}  // namespace sipassay::agent
