// What arrives at a scripted peer: transactions, dialogs and offer/answer follow it.
#include <algorithm>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/message/parse.h"
#include "engine/runner/peers.h"
#include "engine/runner/peers_parts.h"
#include "engine/runner/values.h"

namespace sipassay::runner {
namespace {

// Same transaction, same kind: a retransmission, whatever its octets.
bool is_same_message(const Message& a, const Message& b) {
  if (a.is_request() != b.is_request()) return false;
  const auto same = [&](std::string_view path) {
    return message_value(a, path) == message_value(b, path);
  };
  if (!same("via.branch") || !same("via.sent-by") || !same("cseq") || !same("call-id"))
    return false;
  if (a.is_request()) return a.method_text() == b.method_text() && same("from.tag");
  return a.status() == b.status() && same("to.tag") && same("rseq");
}

std::optional<session::Description> description_of(const Message& message) {
  auto text = sdp_of(message);
  if (!text) return std::nullopt;
  return session::Description{.type = "application/sdp", .octets = std::move(*text)};
}

}  // namespace

session::Carrier carrier_of(const Message& message, const Message* request,
                            bool is_prack_of_answer) {
  using session::Carrier;
  if (message.is_request()) {
    switch (message.method()) {
      case Method::Invite:
        return Carrier::Invite;
      case Method::Ack:
        return Carrier::Ack;
      case Method::Prack:
        return is_prack_of_answer ? Carrier::PrackOfAnswer : Carrier::Prack;
      case Method::Update:
        return Carrier::Update;
      default:
        return Carrier::Other;
    }
  }
  if (request == nullptr || message.status() == 100) return Carrier::Other;
  const bool is_success = message.status() >= 200 && message.status() < 300;
  switch (request->method()) {
    case Method::Invite:
      if (message.status() < 200)
        return message.has(HeaderId::RSeq) ? Carrier::ReliableProvisional : Carrier::Provisional;
      return is_success ? Carrier::InviteSuccess : Carrier::InviteFailure;
    case Method::Prack:
      return message.status() < 200 ? Carrier::Other
             : is_success           ? Carrier::PrackSuccess
                                    : Carrier::PrackFailure;
    case Method::Update:
      return message.status() < 200 ? Carrier::Other
             : is_success           ? Carrier::UpdateSuccess
                                    : Carrier::UpdateFailure;
    default:
      return Carrier::Other;
  }
}

void Peers::track_exchange(session::OfferAnswer& exchange, std::string& peer_sdp,
                           std::string& sut_sdp, session::Side side, session::Carrier carrier,
                           const Message& message, Call* call) {
  if (carrier == session::Carrier::Other) return;
  const auto description = description_of(message);
  if (description) (side == session::Side::Local ? peer_sdp : sut_sdp) = description->octets;
  const auto verdict = exchange.apply(side, carrier, description);
  if (call == nullptr) return;
  if (verdict.action == session::Action::Rollback ||
      verdict.action == session::Action::MissingAnswer)
    call->media.rolled_back();
  if (verdict.action != session::Action::TakeAnswer &&
      verdict.action != session::Action::TakePreview)
    return;
  call->media.agreed();
  if (exchange.offer()) call->offer = exchange.offer()->octets;
  if (exchange.answer()) call->answer = exchange.answer()->octets;
}

std::optional<RecordId> Peers::find_original(std::size_t peer, const Message& message) const {
  for (std::size_t i = records_.size(); i-- > 0;) {
    const auto& record = records_[i];
    if (record.is_from_sut && record.peer == peer && is_same_message(record.message, message))
      return i;
  }
  return std::nullopt;
}

std::optional<RecordId> Peers::request_of(std::size_t peer, const Message& response) const {
  const auto branch = message_value(response, "via.branch");
  const auto method = message_value(response, "cseq.method");
  const auto cseq = message_value(response, "cseq");
  const auto call_id = message_value(response, "call-id");
  std::optional<RecordId> by_cseq;
  for (std::size_t i = records_.size(); i-- > 0;) {
    const auto& record = records_[i];
    if (record.is_from_sut || record.peer != peer || !record.message.is_request() ||
        record.message.method() == Method::Ack)
      continue;
    if (branch && message_value(record.message, "via.branch") == branch &&
        (!method || *method == record.message.method_text()))
      return i;
    if (by_cseq) continue;
    if (message_value(record.message, "cseq") == cseq &&
        message_value(record.message, "call-id") == call_id)
      by_cseq = i;
    // What was sent raw and cannot be parsed is known by its octets.
    const bool is_garbage = record.message.method_text() == "RAW";
    if (is_garbage && ((call_id && record.octets.find(*call_id) != std::string::npos) ||
                       (branch && record.octets.find(*branch) != std::string::npos)))
      by_cseq = i;
  }
  return by_cseq;
}

std::optional<std::size_t> Peers::call_of_request(std::size_t peer, const Message& request) const {
  const auto id = dialog::id_of_request_received(request);
  if (!id || id->local_tag.empty()) return std::nullopt;
  for (std::size_t i = calls_.size(); i-- > 0;)
    if (calls_[i].peer == peer && calls_[i].dialog.id() == *id) return i;
  return std::nullopt;
}

void Peers::deliver(std::size_t peer, const std::string& octets, const Flow& flow,
                    std::size_t entry, Instant now) {
  auto parsed = parse_message(octets);
  if (!parsed) {
    ++malformed_;
    if (malformed_list_.size() < 100) malformed_list_.push_back({entry, parsed.error()});
    return;
  }
  if (const auto original = find_original(peer, *parsed)) {
    auto& record = records_[*original];
    record.copies.push_back({.at = now, .entry = entry, .is_identical = record.octets == octets});
    transcript_[entry].is_retransmission = true;
    arrivals_.push_back({.record = *original, .is_copy = true, .copy = record.copies.size() - 1});
    peers_[peer].layer.receive(std::move(*parsed), flow, now);
    return drain(peer, std::nullopt, now);
  }
  const auto id = remember(true, peer, *parsed, octets, now);
  if (is_overflowing_) return;
  records_[id].entry = entry;
  records_[id].flow = flow;
  peers_[peer].layer.receive(std::move(*parsed), flow, now);
  drain(peer, id, now);
  absorb(id, now);
  arrivals_.push_back({.record = id, .is_copy = false, .copy = 0});
}

// `current`: the message from the SUT that the layer was just given.
void Peers::drain(std::size_t peer, std::optional<RecordId> current, Instant now) {
  while (auto output = peers_[peer].layer.poll()) {
    if (auto* transmit_now = std::get_if<transaction::Transmit>(&*output)) {
      auto octets = transmit_now->message.to_string();
      if (transmit_now->is_retransmission) {
        transmit(peer, std::move(octets), transmit_now->to, true, {}, now);
        continue;
      }
      RecordId id = 0;
      if (sending_) {
        id = *std::exchange(sending_, std::nullopt);
      } else {
        id = remember(false, peer, transmit_now->message, octets, now);
        if (transmit_now->message.is_request() && transmit_now->message.method() == Method::Ack)
          records_[id].is_consumed = true;
      }
      records_[id].to = transmit_now->to;
      records_[id].octets = octets;
      const auto entry = transmit(peer, std::move(octets), transmit_now->to, false,
                                  std::exchange(sending_segments_, {}), now);
      records_[id].entry = entry;
    } else if (auto* request = std::get_if<transaction::RequestReceived>(&*output)) {
      if (current) records_[*current].transaction = request->transaction;
    } else if (auto* cancel = std::get_if<transaction::CancelReceived>(&*output)) {
      if (current) records_[*current].transaction = cancel->transaction;
      for (auto& record : records_)
        if (cancel->cancelled != 0 && record.is_from_sut && record.peer == peer &&
            record.transaction == cancel->cancelled && record.message.method() == Method::Invite)
          record.is_cancelled = true;
    } else if (auto* timed_out = std::get_if<transaction::TimedOut>(&*output)) {
      for (auto& record : records_)
        if (!record.is_from_sut && record.peer == peer &&
            record.transaction == timed_out->transaction && record.message.is_request())
          record.has_failed = true;
    } else if (auto* failed = std::get_if<transaction::TransportFailed>(&*output)) {
      for (auto& record : records_)
        if (!record.is_from_sut && record.peer == peer &&
            record.transaction == failed->transaction && record.message.is_request())
          record.has_failed = record.is_undeliverable = true;
    }
  }
}

Peers::Attempt* Peers::attempt_of(RecordId request) {
  for (auto& attempt : attempts_)
    if (attempt.request == request) return &attempt;
  return nullptr;
}

std::size_t Peers::make_call(const Attempt& attempt, dialog::Dialog made, std::string_view fork) {
  const auto& origin = records_[attempt.request];
  Call call{.name = {},
            .peer = origin.peer,
            .origin = attempt.request,
            .fork = std::string(fork),
            .dialog = std::move(made),
            .exchange = attempt.exchange,
            .media = attempt.media,
            .peer_sdp = attempt.peer_sdp,
            .sut_sdp = attempt.sut_sdp,
            .offer = {},
            .answer = {},
            .highest_cseq = {},
            .local_rseq = {},
            .is_session = origin.message.method() == Method::Invite,
            .is_over = false};
  if (calls_.size() >= dialogs_max) is_overflowing_ = true;
  calls_.push_back(std::move(call));
  const auto index = calls_.size() - 1;
  if (!fork.empty())
    name_call(index, std::string(fork));
  else if (!attempt.name.empty() && !call_names_.contains(attempt.name))
    name_call(index, attempt.name);
  return index;
}

void Peers::absorb(RecordId id, Instant) {
  if (records_[id].message.is_request())
    absorb_request(id);
  else
    absorb_response(id);
}

void Peers::absorb_response(RecordId id) {
  const auto found = request_of(records_[id].peer, records_[id].message);
  if (!found) return;
  records_[id].request = *found;
  const int status = records_[id].message.status();
  if (status >= 200) records_[*found].has_final = true;
  const auto method = records_[*found].message.method_text();
  if (!records_[*found].dialog && makes_dialog(method))
    absorb_session_response(id, *found);
  else if (records_[*found].dialog)
    records_[id].dialog = records_[*found].dialog;
  if (!records_[id].dialog) return;

  auto& call = calls_[*records_[id].dialog];
  const auto& request = records_[*found].message;
  const auto& response = records_[id].message;
  const bool is_success = status >= 200 && status < 300;
  const bool refreshes = method == "INVITE" || method == "UPDATE" || method == "SUBSCRIBE";
  if (refreshes && (is_success || (status > 100 && status < 200 && response.has(HeaderId::RSeq))))
    call.dialog.refresh_target(response);
  track_exchange(call.exchange, call.peer_sdp, call.sut_sdp, session::Side::Remote,
                 carrier_of(response, &request, false), response, &call);
  if (method == "BYE" && status >= 200) call.is_over = true;
}

// A response to a request outside a dialog: To tags make dialogs (RFC 3261 12.1, 13.2.2.4).
void Peers::absorb_session_response(RecordId id, RecordId request) {
  auto* attempt = attempt_of(request);
  if (attempt == nullptr) return;
  const auto& response = records_[id].message;
  const int status = response.status();
  const bool is_success = status >= 200 && status < 300;
  if (status >= 300) {
    for (auto& call : calls_)
      if (call.origin == request && call.dialog.is_early()) call.is_over = true;
    return;
  }
  const auto tag = message_value(response, "to.tag");
  if (status == 100 || !tag || tag->empty()) return;
  if (!is_success && records_[request].message.method() != Method::Invite) return;
  const auto dialog_id = dialog::id_of_response_received(response);
  for (std::size_t i = 0; dialog_id && i < calls_.size(); ++i) {
    if (calls_[i].origin != request || calls_[i].dialog.id() != *dialog_id) continue;
    records_[id].dialog = i;
    if (is_success && calls_[i].dialog.is_early()) {
      calls_[i].dialog.recompute_route_set(response);
      calls_[i].dialog.confirm();
    }
    return;
  }
  auto made = dialog::Dialog::from_response(records_[request].message, response);
  if (!made) return;
  records_[id].dialog = make_call(*attempt, std::move(*made), {});
}

void Peers::absorb_request(RecordId id) {
  const auto peer = records_[id].peer;
  const auto method = std::string(records_[id].message.method_text());
  if (const auto found = call_of_request(peer, records_[id].message)) {
    records_[id].dialog = *found;
    auto& call = calls_[*found];
    const auto& request = records_[id].message;
    if (method != "ACK" && method != "CANCEL" &&
        call.dialog.sequence(request) == dialog::Sequence::InOrder) {
      if (const auto number =
              ascii::number<std::uint32_t>(message_value(request, "cseq.number").value_or(""))) {
        call.dialog.commit_remote_cseq(*number);
        if (method == "INVITE" || method == "UPDATE") call.dialog.stage_target(*number, request);
      }
    }
    bool is_prack_of_answer = false;
    if (method == "PRACK") {
      const auto rseq = message_value(request, "rack.rseq");
      for (const auto& record : records_)
        if (!record.is_from_sut && record.dialog == found && record.message.is_response() &&
            message_value(record.message, "rseq") == rseq)
          is_prack_of_answer = call.exchange.state() == session::SignalingState::Stable;
      std::erase_if(repeats_, [&](const Repeat& repeat) {
        return repeat.is_reliable_provisional && records_[repeat.record].dialog == found &&
               message_value(records_[repeat.record].message, "rseq") == rseq;
      });
    }
    if (method == "BYE") call.is_over = true;
    track_exchange(call.exchange, call.peer_sdp, call.sut_sdp, session::Side::Remote,
                   carrier_of(request, nullptr, is_prack_of_answer), request, &call);
  } else if (makes_dialog(method) &&
             message_value(records_[id].message, "to.tag").value_or("").empty()) {
    auto part = rng_.fork("media");
    rng_.next();
    Attempt attempt{.request = id,
                    .name = {},
                    .exchange = {},
                    .media = PeerMedia(peers_[peer].local.host, part),
                    .peer_sdp = {},
                    .sut_sdp = {},
                    .tags = {}};
    track_exchange(attempt.exchange, attempt.peer_sdp, attempt.sut_sdp, session::Side::Remote,
                   carrier_of(records_[id].message, nullptr, false), records_[id].message, nullptr);
    attempts_.push_back(std::move(attempt));
  }
  if (method != "ACK") return;
  const auto number = message_value(records_[id].message, "cseq.number");
  const auto call_id = message_value(records_[id].message, "call-id");
  for (auto& record : records_) {
    if (record.is_from_sut || !record.message.is_response() || record.message.status() < 200)
      continue;
    if (message_value(record.message, "cseq.method") != "INVITE" ||
        message_value(record.message, "cseq.number") != number ||
        message_value(record.message, "call-id") != call_id)
      continue;
    record.is_acked = true;
  }
  std::erase_if(repeats_, [&](const Repeat& repeat) {
    return !repeat.is_reliable_provisional && records_[repeat.record].is_acked;
  });
}

}  // namespace sipassay::runner
