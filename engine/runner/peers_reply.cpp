// The responses that a scripted peer sends: filled in from its state, then edited as the case
// wants.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/runner/edit.h"
#include "engine/runner/peers.h"
#include "engine/runner/peers_parts.h"
#include "engine/runner/values.h"

namespace sipassay::runner {

std::string Peers::sdp_for_reply(const std::optional<std::string>& wish, std::string_view method,
                                 int status, bool is_reliable, PeerMedia& media,
                                 const session::OfferAnswer& exchange,
                                 std::string_view sut_sdp) const {
  const bool owes_answer = exchange.state() == session::SignalingState::HaveRemoteOffer;
  const bool owes_offer =
      method == "INVITE" && exchange.invite_exchange() == session::InviteExchange::Owed;
  const bool is_success = status >= 200 && status < 300;
  std::string_view text = "none";
  if (wish)
    text = *wish;
  else if (is_success && owes_answer &&
           (method == "INVITE" || method == "UPDATE" || method == "PRACK"))
    text = "answer";
  else if (owes_offer && (is_success || is_reliable))
    text = "offer";
  const auto [kind, traits] = sdp_wish(text);
  if (kind == "offer") return media.offer(traits);
  if (kind == "answer") return media.answer(sut_sdp, traits);
  if (kind == "same") return media.same();
  return {};
}

std::string Peers::to_tag_for(RecordId request, std::string_view fork) {
  auto* attempt = attempt_of(request);
  if (attempt == nullptr) {
    const auto& message = records_[request].message;
    attempts_.push_back(
        {.request = request,
         .name = {},
         .exchange = {},
         .media = PeerMedia(peers_[records_[request].peer].local.host, rng_.fork("media")),
         .peer_sdp = {},
         .sut_sdp = {},
         .tags = {}});
    attempt = &attempts_.back();
    track_exchange(attempt->exchange, attempt->peer_sdp, attempt->sut_sdp, session::Side::Remote,
                   carrier_of(message, nullptr, false), message, nullptr);
  }
  // "" is the first fork, whatever its name turns out to be.
  if (fork.empty() && !attempt->tags.empty()) {
    for (const auto& call : calls_)
      if (call.origin == request) return call.dialog.id().local_tag;
    return attempt->tags.begin()->second;
  }
  auto [tag, is_new] = attempt->tags.try_emplace(std::string(fork));
  if (is_new) tag->second = rng_.token(10);
  return tag->second;
}

Message Peers::make_response(RecordId request_id, int status, std::string_view reason,
                             std::string_view to_tag) const {
  const auto& record = records_[request_id];
  auto request = record.message;
  transaction::stamp_via(request, record.flow);
  auto response = Message::response(status, reason);
  const std::string method(request.method_text());
  for (std::size_t i = 0; i < request.field_count(); ++i) {
    const auto field = request.field(i);
    const bool copies = field.id == HeaderId::Via || field.id == HeaderId::From ||
                        field.id == HeaderId::CallId || field.id == HeaderId::CSeq ||
                        (field.id == HeaderId::Timestamp && status == 100) ||
                        (field.id == HeaderId::RecordRoute && makes_dialog(method) && status < 300);
    if (copies) response.add(header_name(field.id), field.value);
    if (field.id != HeaderId::To) continue;
    std::string to(field.value);
    if (status != 100 && !to_tag.empty() && !value_param("To", to, "tag"))
      to += fmt::format(";tag={}", to_tag);
    response.add("To", to);
  }
  const bool is_success = status >= 200 && status < 300;
  const bool gives_contact = (method == "INVITE" && status > 100 && status < 300) ||
                             (is_success && (makes_dialog(method) || method == "UPDATE"));
  if (gives_contact) response.add("Contact", contact(record.peer));
  if (is_success && (method == "INVITE" || method == "OPTIONS")) {
    response.add("Allow", allow);
    response.add("Supported", "100rel");
  }
  if (is_success && method == "REGISTER")
    for (const auto& value : header_values(request, "Contact"))
      response.add("Contact",
                   value_param("Contact", value, "expires") ? value : value + ";expires=3600");
  if (is_success && method == "SUBSCRIBE")
    response.add("Expires", header_values(request, "Expires").empty()
                                ? "60"
                                : header_values(request, "Expires").front());
  if (status == 405) response.add("Allow", allow);
  response.add("Content-Length", "0");
  return response;
}

std::optional<std::size_t> Peers::call_for_reply(RecordId request, int status,
                                                 std::string_view fork, const std::string& tag) {
  if (!message_value(records_[request].message, "to.tag").value_or("").empty())
    return call_of_request(records_[request].peer, records_[request].message);
  const std::string method(records_[request].message.method_text());
  if (!makes_dialog(method) || status == 100 || status >= 300) return std::nullopt;
  if (method != "INVITE" && status < 200) return std::nullopt;
  for (std::size_t i = 0; i < calls_.size(); ++i)
    if (calls_[i].origin == request && calls_[i].dialog.id().local_tag == tag) return i;
  auto made = dialog::Dialog::from_request(records_[request].message, tag);
  const auto* attempt = attempt_of(request);
  if (!made || attempt == nullptr) return std::nullopt;
  return make_call(*attempt, std::move(*made), fork);
}

Peers::Sent Peers::reply(const ReplyStep& step, RecordId request, const CheckContext& context,
                         Instant now) {
  now_ = now;
  const auto peer = records_[request].peer;
  if (step.edit.raw) {
    auto octets = expand(*step.edit.raw, context.lookup);
    if (!octets) return std::unexpected(problem(octets.error()));
    const auto to = transaction::response_destination(make_response(request, 200, "", "x"),
                                                      records_[request].flow);
    return send_raw(peer, std::move(*octets), to, step.edit.segments, false, now);
  }
  const std::string method(records_[request].message.method_text());
  std::string fork = step.dialog;
  // The name of a dialog that is there already means that one.
  if (const auto known = call_named(fork); known && calls_[*known].origin == request)
    fork = calls_[*known].fork;
  const auto tag = to_tag_for(request, fork);
  const auto call = call_for_reply(request, step.status, fork, tag);
  if (call && !step.dialog.empty()) name_call(*call, step.dialog);
  auto response = make_response(request, step.status, step.reason, tag);

  bool is_in_order = false;
  if (step.rseq) {
    auto text = expand(*step.rseq, context.lookup);
    if (!text) return std::unexpected(problem(text.error()));
    auto last = call ? calls_[*call].local_rseq : std::nullopt;
    if (*text == "next")
      text = std::to_string(last ? *last + 1 : static_cast<std::uint32_t>(rng_.between(1, 1000)));
    const auto number = ascii::number<std::uint32_t>(*text);
    is_in_order = number && (!last || *number == *last + 1);
    if (is_in_order && call) calls_[*call].local_rseq = *number;
    response.add("Require", "100rel");
    response.add("RSeq", *text);
  }
  std::string sdp;
  if (call)
    sdp = sdp_for_reply(step.edit.sdp, method, step.status, step.rseq.has_value(),
                        calls_[*call].media, calls_[*call].exchange, calls_[*call].sut_sdp);
  else if (step.edit.sdp && *step.edit.sdp != "none")
    if (auto* attempt = attempt_of(request))
      sdp = sdp_for_reply(step.edit.sdp, method, step.status, false, attempt->media,
                          attempt->exchange, attempt->sut_sdp);
  if (!sdp.empty()) response.set_body("application/sdp", sdp);
  const auto to = transaction::response_destination(response, records_[request].flow);
  if (auto edited = apply_edit(step.edit, response, context); !edited)
    return std::unexpected(problem(edited.error()));

  auto octets = response.to_string();
  const auto id = remember(false, peer, response, octets, now);
  records_[id].request = request;
  records_[id].dialog = call;
  records_[id].to = to;
  bool is_sent = false;
  if (step.in_transaction && keeps_transaction(step.edit) && records_[request].transaction != 0) {
    sending_ = id;
    sending_segments_ = step.edit.segments;
    if (peers_[peer].layer.respond(records_[request].transaction, std::move(response), now))
      drain(peer, std::nullopt, now);
    is_sent = !std::exchange(sending_, std::nullopt).has_value();
    sending_segments_.clear();
  }
  if (!is_sent) {
    const auto entry = transmit(peer, std::move(octets), to, false, step.edit.segments, now);
    records_[id].entry = entry;
  }
  commit_reply(id, request, call, now);
  const bool is_success = step.status >= 200 && step.status < 300;
  const auto t1 = options_->timings.t1;
  if (step.in_transaction && method == "INVITE" && is_success)
    repeats_.push_back({.record = id,
                        .is_reliable_provisional = false,
                        .interval = t1,
                        .next = now + t1,
                        .give_up = now + 64 * t1});
  if (step.in_transaction && is_in_order && step.status < 200)
    repeats_.push_back({.record = id,
                        .is_reliable_provisional = true,
                        .interval = t1,
                        .next = now + t1,
                        .give_up = now + 64 * t1});
  return id;
}

void Peers::commit_reply(RecordId response_id, RecordId request_id,
                         std::optional<std::size_t> index, Instant) {
  const int status = records_[response_id].message.status();
  const std::string method(records_[request_id].message.method_text());
  const bool is_success = status >= 200 && status < 300;
  if (status >= 200) records_[request_id].has_final = true;
  if (status >= 200 && method == "INVITE")
    std::erase_if(repeats_, [&](const Repeat& repeat) {
      return repeat.is_reliable_provisional && records_[repeat.record].request == request_id;
    });
  if (!index) {
    if (status >= 300 && method == "INVITE")
      for (auto& call : calls_)
        if (call.origin == request_id && call.dialog.is_early()) call.is_over = true;
    return;
  }
  auto& call = calls_[*index];
  const auto& response = records_[response_id].message;
  const auto& request = records_[request_id].message;
  const auto number = cseq_of(request);
  if (is_success && (method == "INVITE" || method == "UPDATE")) call.dialog.commit_target(number);
  if (status >= 300) call.dialog.discard_target(number);
  if (is_success && makes_dialog(method)) call.dialog.confirm();
  track_exchange(call.exchange, call.peer_sdp, call.sut_sdp, session::Side::Local,
                 carrier_of(response, &request, false), response, &call);
  if (method == "BYE" && status >= 200) call.is_over = true;
}

}  // namespace sipassay::runner
