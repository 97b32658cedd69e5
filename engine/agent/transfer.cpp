// REFER received (RFC 3515, RFC 7647, RFC 4488) and INVITE with Replaces (RFC 3891).
#include <algorithm>
#include <array>

#include "engine/agent/core.h"
#include "engine/agent/form.h"
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/multipart.h"
#include "engine/message/params.h"

namespace sipassay::agent {
namespace {

// RFC 3515 2.4.1, 2.4.2 MUST: exactly one Refer-To.
std::optional<Refusal> check_refer_to(const Message& refer) {
  const Clause clause{3515, "2.4.2", Level::Must};
  if (!refer.has(HeaderId::ReferTo)) return Refusal{400, clause, "Missing Refer-To", {}};
  if (refer.line_count(HeaderId::ReferTo) != 1)
    return Refusal{400, clause, "More than one Refer-To", {}};
  const auto refer_to = refer.get<ReferTo>();
  if (!refer_to) return Refusal{400, clause, "Malformed Refer-To", {}};
  // RFC 5621 8.4 SHOULD: a body part is no target for us, whatever its disposition.
  if (ascii::iequals(refer_to->addr.uri.scheme_text, "cid"))
    return Refusal{
        415, {5621, "8.4", Level::Should}, {}, {{"Accept", std::string(accepted_media_types())}}};
  return std::nullopt;
}

bool wants_no_subscription(const Message& refer) {
  if (has_token(refer, HeaderId::Require, "nosub")) return true;  // RFC 7614 5.3
  const auto wish = refer.maybe<ReferSub>();
  return wish && !wish->value;
}

// RFC 3892 2.2, 4: the body part that the cid of Referred-By names.
std::optional<Attachment> token_of(const Message& refer) {
  const auto referred_by = refer.maybe<ReferredBy>();
  const auto cid = referred_by ? referred_by->addr.params.find("cid") : std::nullopt;
  if (!cid) return std::nullopt;
  const auto boundary = multipart_boundary(refer.raw(HeaderId::ContentType));
  const auto body = parse_multipart(refer.body(), boundary);
  if (boundary.empty() || !body) return std::nullopt;
  const std::string id = "<" + unquote(cid->value) + ">";
  const auto part = std::ranges::find(body->parts, id, &Part::content_id);
  if (part == body->parts.end()) return std::nullopt;
  return Attachment{std::string(part->headers), std::string(part->body)};
}

}  // namespace

// The call that a REFER asks for; nothing when it asks for something that we do not do.
std::optional<Call> Core::call_for(const Message& refer) const {
  const auto refer_to = refer.get<ReferTo>();
  auto formed = refer_to ? form_invite(refer_to->addr.uri) : std::nullopt;
  if (!formed) return std::nullopt;
  Call call;
  call.target = std::move(formed->request_uri);
  call.headers = std::move(formed->headers);
  // RFC 3892 2.2 MUST: value and token, unmodified.
  call.attachment = token_of(refer);
  if (refer.has(HeaderId::ReferredBy))
    call.headers.push_back({"Referred-By", std::string(refer.raw(HeaderId::ReferredBy))});
  return call;
}

void Core::deliver_refer(LiveCall& call, CallDialog& dialog, const session::Deliver& request) {
  if (request.was_answered) return;
  const auto& refer = request.request;
  if (const auto refusal = check_refer_to(refer)) {
    session::ReplyOptions options{.status = refusal->status, .reason = refusal->reason};
    for (const auto& [name, value] : refusal->headers) options.headers.push_back({name, value});
    return reply(call, dialog, request.transaction, std::move(options));
  }
  auto wish = call_for(refer);
  if (!wish || !may_call_for_referrer(call)) {
    // RFC 3515 2.4.2 SHOULD NOT accept what we cannot reach; 5057 5.6: 603 ends nothing else.
    reply(call, dialog, request.transaction, {.status = 603});
    return;
  }
  session::ReplyOptions options{.status = 200};  // RFC 7647 5 MUST NOT: no 202
  const bool no_subscription = wants_no_subscription(refer);
  // RFC 4488 4 MUST; nosub needs no word (RFC 7614 5.3).
  if (no_subscription && refer.has(HeaderId::ReferSub))
    options.headers.push_back({"Refer-Sub", "false"});
  reply(call, dialog, request.transaction, std::move(options));
  emit(ReferArrived{call.id, wish->target});
  // RFC 3892 2.2 SHOULD: the target sees who the referrer has spoken to.
  if (const auto us = parse_uri(dialog.session.dialog().local_uri()); us && us->has_user)
    wish->user = unescape(us->user);
  std::optional<Referrer> referrer;
  if (const auto cseq = refer.get<CSeq>(); cseq && !no_subscription)
    referrer = Referrer{call.id, dialog.key, cseq->number};
  start_call(std::move(*wish), std::move(referrer), call.depth + 1);
}

bool Core::may_call_for_referrer(const LiveCall& call) const {
  if (call.depth >= transfer_depth_max || calls_.size() >= settings_.calls_limit) return false;
  const auto referred =
      std::ranges::count_if(calls_, [](const auto& entry) { return entry.second.depth > 0; });
  return static_cast<std::size_t>(referred) < referred_calls_max;
}

// Who may refer us outside a dialog is not asked (policy); so a Target-Dialog (RFC 4538) is
// understood and changes nothing.
void Core::receive_refer_outside(transaction::Id transaction, const Message& request,
                                 const Flow& flow, const Behaviour& behaviour) {
  if (const auto refusal = check_refer_to(request))
    return respond(transaction, request, *refusal, flow);
  if (!call_for(request))
    return respond(transaction, request, {603, {3515, "2.4.2", Level::ShouldNot}}, flow);
  if (const int status = options_status(behaviour); status >= 300)
    return respond(transaction, request, {status, {3515, "2.4.2", Level::May}}, flow);
  receive_usage(transaction, request, flow, behaviour);
}

// RFC 7647 4: outside a dialog; `about` is the one that its peer is in, for Target-Dialog (RFC 4538
// 4: local-tag and remote-tag as the receiver has them).
void Core::refer_outside(const SendRefer& wish, const session::SessionDialog* about) {
  if (calls_.size() >= settings_.calls_limit) return emit(RequestAnswered{0, "REFER", 503});
  const std::string target = about != nullptr ? about->dialog().remote_target() : wish.target;
  const auto flow = default_flow(target);
  auto refer = make_outside("REFER", target, flow);
  refer.add(HeaderId::Contact, contact_for(settings_.user, flow));
  const bool has_brackets = wish.refer_to.find('<') != std::string::npos;
  refer.add(HeaderId::ReferTo, has_brackets ? wish.refer_to : "<" + wish.refer_to + ">");
  // RFC 4488 5 NOT RECOMMENDED where the REFER might fork; to a GRUU it does not.
  if (!wish.has_subscription) refer.add(HeaderId::ReferSub, "false");
  if (about != nullptr) {
    const auto id = about->id();
    refer.add(HeaderId::TargetDialog,
              id.call_id + ";local-tag=" + id.remote_tag + ";remote-tag=" + id.local_tag);
    refer.add(HeaderId::Require, "tdialog");
  }
  refer.set_body({}, {});
  auto& call = add_usage_call();
  auto& subscriber = call.subscriber.emplace();
  subscriber.request = std::move(refer);
  digest_client_.authorize(subscriber.request);
  send_subscription(call);
}

// RFC 3515 2.4.4, 2.4.5: each status of the new call, the last one as the end of the subscription.
void Core::tell_referrer(LiveCall& call, int status, std::string_view reason) {
  if (!call.referrer) return;
  auto& referrer = *call.referrer;
  LiveCall* owner = find_call(referrer.call);
  auto* dialog = owner == nullptr ? nullptr : owner->find(referrer.dialog);
  const auto cseq = referrer.cseq;
  if (status >= 200) call.referrer.reset();
  if (dialog == nullptr) return;
  std::string line = "SIP/2.0 " + std::to_string(status) + ' ';
  line += reason.empty() ? default_reason(status) : reason;
  if (line.find_first_of("\r\n") != std::string::npos)
    line = "SIP/2.0 " + std::to_string(status) + ' ';
  // At most one a second (RFC 3515 3.10): the session sees to that.
  (void)dialog->session.notify(cseq, line, now_);
  pump(*owner, *dialog);
}

// --- Replaces

// RFC 3891 3 MUST: who had to show credentials for a call is replaced by nobody who does not show
// them. A call without is replaced by whoever knows its dialog (policy). None: shown already.
Authentication Core::guard_of(const dialog::DialogId& replaced, const Behaviour& called) {
  LiveCall* call = nullptr;
  find_dialog(replaced, &call);
  const auto* met = call != nullptr && call->server ? call->server->behaviour : nullptr;
  if (met == nullptr || met->authentication == called.authentication) return Authentication::None;
  return met->authentication;
}

std::optional<Refusal> Core::check_replaces(const Message& request,
                                            std::optional<dialog::DialogId>& replaced,
                                            bool& is_early) {
  const auto replaces = request.maybe<Replaces>();
  if (!replaces) return std::nullopt;
  const auto tag = [](std::string_view text) {
    return text == "0" ? std::string() : std::string(text);
  };
  // RFC 3891 3: to-tag is our tag, from-tag the peer's; "0" also matches no tag.
  dialog::DialogId key{std::string(replaces->call_id), std::string(replaces->to_tag),
                       std::string(replaces->from_tag)};
  LiveCall* call = nullptr;
  auto* dialog = find_dialog(key, &call);
  if (dialog == nullptr) {
    key.local_tag = tag(replaces->to_tag);
    key.remote_tag = tag(replaces->from_tag);
    dialog = find_dialog(key, &call);
  }
  const Clause clause{3891, "3", Level::Must};
  if (dialog == nullptr) {
    const bool has_ended = std::ranges::find(ended_, key) != ended_.end();
    return has_ended ? Refusal{603, {3891, "3", Level::Should}} : Refusal{481, clause};
  }
  if (!call->server && !call->client) return Refusal{481, clause};  // not made by an INVITE
  if (dialog->is_over) return Refusal{603, {3891, "3", Level::Should}};
  is_early = dialog->session.dialog().is_early();
  if (!is_early && replaces->early_only) return Refusal{486, clause};
  if (is_early && call->server) return Refusal{481, clause};  // not initiated by us
  replaced = key;
  return std::nullopt;
}

// RFC 3891 3: BYE for a confirmed dialog, CANCEL for an early one of ours.
void Core::end_replaced(LiveCall& call) {
  const auto key = *std::exchange(call.server->replaces, std::nullopt);
  LiveCall* old = nullptr;
  auto* dialog = find_dialog(key, &old);
  if (dialog == nullptr || dialog->is_over) return;
  if (call.server->replaces_early)
    command(Cancel{old->id});
  else
    hang_up(*old, *dialog);
}

}  // namespace sipassay::agent
