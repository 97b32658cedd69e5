// The requests that a scripted peer sends: filled in from its state, then edited as the case wants.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/message/parse.h"
#include "engine/message/uri.h"
#include "engine/runner/adapt.h"
#include "engine/runner/edit.h"
#include "engine/runner/peers.h"
#include "engine/runner/peers_parts.h"
#include "engine/runner/values.h"

namespace sipassay::runner {
namespace {

bool has_contact(std::string_view method) {
  return makes_dialog(method) || method == "UPDATE" || method == "NOTIFY" || method == "REGISTER";
}

// Nothing in it but a name or a dialog: the machine's own message will do.
bool is_plain(const MessageEdit& edit) {
  return edit.headers.empty() && !edit.start_line && !edit.request_uri && !edit.sdp && !edit.body &&
         !edit.content_length && !edit.branch && !edit.cseq && !edit.from_tag && !edit.to_tag &&
         !edit.call_id && !edit.contact && !edit.raw && edit.segments.empty();
}

bool is_address(std::string_view host) {
  if (host.find(':') != std::string_view::npos) return true;
  return !host.empty() &&
         std::ranges::all_of(host, [](char c) { return ascii::is_digit(c) || c == '.'; });
}

}  // namespace

// --- session descriptions

std::string Peers::sdp_for_request(const std::optional<std::string>& wish, std::string_view method,
                                   PeerMedia& media, const session::OfferAnswer& exchange,
                                   std::string_view sut_sdp) const {
  const bool owes_answer = exchange.state() == session::SignalingState::HaveRemoteOffer;
  std::string_view text;
  if (wish)
    text = *wish;
  else if (method == "INVITE" || method == "UPDATE")
    text = "offer";
  else if ((method == "ACK" || method == "PRACK") && owes_answer)
    text = "answer";
  else
    text = "none";
  const auto [kind, traits] = sdp_wish(text);
  if (kind == "offer") return media.offer(traits);
  if (kind == "answer") return media.answer(sut_sdp, traits);
  if (kind == "same") return media.same();
  return {};
}

// --- requests

std::optional<std::size_t> Peers::dialog_for(const SendStep& step, std::size_t peer) const {
  if (step.dialog == "none") return std::nullopt;
  if (!step.dialog.empty()) return call_named(step.dialog);
  if (const auto live = newest_call(peer, true)) return live;
  if (step.method == "REGISTER" || step.method == "OPTIONS" || step.method == "SUBSCRIBE")
    return std::nullopt;
  return newest_call(peer, false);
}

Message Peers::outside_request(std::size_t peer, std::string_view method, std::string_view user) {
  const auto target = sut_uri(user);
  // RFC 3261 10.2: the user is the SUT's, and the Request-URI names the domain alone.
  const bool is_register = method == "REGISTER";
  auto request = Message::request(method, is_register ? sut_uri({}) : target);
  request.add("Max-Forwards", "70");
  request.add("From", fmt::format("<{}>;tag={}", is_register ? target : uri(peer), rng_.token(10)));
  request.add("To", fmt::format("<{}>", target));
  request.add("Call-ID", rng_.token(20));
  request.add("CSeq", fmt::format("{} {}", rng_.between(1, 900), method));
  return request;
}

std::optional<Message> Peers::inside_request(std::size_t index, std::string_view method) {
  auto& call = calls_[index];
  auto request = call.dialog.make_request(method);
  if (!request) return std::nullopt;
  if (call.highest_cseq && *call.highest_cseq >= cseq_of(*request) &&
      *call.highest_cseq < dialog::cseq_max)
    request->set("CSeq", fmt::format("{} {}", *call.highest_cseq + 1, method));
  return request;
}

// The header fields that this method asks for, besides those of its place in a dialog.
void Peers::furnish(Message& request, std::size_t peer, std::optional<std::size_t>) {
  const std::string method(request.method_text());
  if (has_contact(method)) request.add("Contact", contact(peer));
  if (method == "INVITE" || method == "OPTIONS" || method == "UPDATE") request.add("Allow", allow);
  if (method == "INVITE" && !offered_tags_.empty()) request.add("Supported", offered_tags_);
  // RFC 4028 7.1: in every request but ACK.
  if (method != "INVITE" && method != "ACK" && knows_timers_) request.add("Supported", "timer");
  if (method == "OPTIONS") request.add("Accept", "application/sdp");
  if (method == "REGISTER") request.add("Expires", "3600");
  if (method == "REFER")
    request.add("Refer-To", fmt::format("<sip:target@{}>", host_port(peers_[peer].local)));
  if (method == "SUBSCRIBE") {
    request.add("Event", "refer");
    request.add("Expires", "60");
  }
  if (method == "PUBLISH") {
    request.add("Event", "presence");
    request.add("Expires", "60");
  }
  if (method == "NOTIFY") {
    request.add("Event", "refer");
    request.add("Subscription-State", "active;expires=60");
    request.set_body("message/sipfrag", "SIP/2.0 100 Trying\r\n");
  }
  if (method == "MESSAGE") request.set_body("text/plain", "hello");
  if (!request.has(HeaderId::ContentLength)) request.add("Content-Length", "0");
}

transaction::Destination Peers::destination(const Message& request, std::size_t) const {
  transaction::Destination out{.endpoint = options_->sut, .flow = 0};
  std::string target(request.request_uri());
  const auto routes = header_values(request, "Route");
  if (!routes.empty()) target = uri_of(routes.front());
  const auto parsed = parse_uri(target);
  if (!parsed || !parsed->is_sip() || !is_address(parsed->host)) return out;
  if (parsed->host == options_->sut.host && !parsed->port && options_->sut.port == 5060) return out;
  out.endpoint.host = std::string(parsed->host);
  out.endpoint.port =
      parsed->port.value_or(options_->sut.transport == Transport::Tls ? 5061 : 5060);
  if (const auto named = transport_from(parsed->params.value("transport"));
      named && !is_reliable(out.endpoint.transport))
    out.endpoint.transport = *named;
  // What a case wants to be sent elsewhere ("contact=sip:nowhere…") is not what the SUT listens on.
  return out;
}

Peers::Sent Peers::send_raw(std::size_t peer, std::string octets,
                            const transaction::Destination& to,
                            const std::vector<std::size_t>& segments, bool is_request,
                            Instant now) {
  auto parsed = parse_message(octets);
  const auto id = remember(
      false, peer,
      parsed ? std::move(*parsed) : Message::request(is_request ? "RAW" : "RESPONSE", "sip:raw"),
      octets, now);
  records_[id].to = to;
  records_[id].is_scripted = true;
  records_[id].entry = transmit(peer, std::move(octets), to, false, segments, now);
  return id;
}

// A raw INVITE may make a call like any other; it is to be acknowledged and ended.
void Peers::begin_attempt(RecordId id, std::string_view name) {
  const auto& record = records_[id];
  const std::string method(record.message.method_text());
  if (!makes_dialog(method) || !message_value(record.message, "to.tag").value_or("").empty())
    return;
  attempts_.push_back({.request = id,
                       .name = std::string(name == "none" ? "" : name),
                       .exchange = {},
                       .media = PeerMedia(peers_[record.peer].local.host, rng_.fork("media")),
                       .peer_sdp = {},
                       .sut_sdp = {},
                       .tags = {}});
  auto& attempt = attempts_.back();
  track_exchange(attempt.exchange, attempt.peer_sdp, attempt.sut_sdp, session::Side::Local,
                 carrier_of(record.message, nullptr, false), record.message, nullptr);
}

Peers::Sent Peers::dispatch(std::size_t peer, Message request, std::optional<std::size_t> call,
                            const transaction::Destination& to, const SendStep& step, Instant now) {
  const auto octets = request.to_string();
  const auto id = remember(false, peer, request, octets, now);
  auto& record = records_[id];
  record.to = to;
  record.dialog = call;
  record.acks_by_itself = step.in_transaction;
  record.answers_challenges = step.answers_challenges && !answers_challenge(step);
  if (call) {
    const auto number = cseq_of(request);
    if (calls_[*call].highest_cseq.value_or(0) < number && request.method() != Method::Ack &&
        request.method() != Method::Cancel)
      calls_[*call].highest_cseq = number;
  }
  if (step.in_transaction && keeps_transaction(step.edit)) {
    sending_ = id;
    sending_segments_ = step.edit.segments;
    const auto sent = peers_[peer].layer.send_request(request, to, now);
    if (sent) {
      records_[id].transaction = *sent;
      drain(peer, std::nullopt, now);
    }
    if (!std::exchange(sending_, std::nullopt)) return id;
    sending_segments_.clear();
  }
  const auto entry = transmit(peer, octets, to, false, step.edit.segments, now);
  records_[id].entry = entry;
  return id;
}

Peers::Sent Peers::send(const SendStep& step, const CheckContext& context,
                        std::optional<RecordId> about, Instant now) {
  now_ = now;
  const auto peer = find(step.peer);
  if (!peer) return std::unexpected(SendProblem{fmt::format("there is no peer {}", step.peer)});
  if (step.edit.raw) {
    auto octets = expand(*step.edit.raw, context.lookup);
    if (!octets) return std::unexpected(problem(octets.error()));
    const AdaptTo to{
        .peer = peers_[*peer].local, .request_uri = sut_uri(sut_user_), .token = rng_.token(10)};
    const auto sent =
        send_raw(*peer, adapt_raw(std::move(*octets), step.edit.adaptation, to),
                 {.endpoint = options_->sut, .flow = 0}, step.edit.segments, true, now);
    begin_attempt(*sent, step.dialog);
    return sent;
  }
  if (step.method == "ACK" && (about || step.dialog != "none")) {
    auto sent = send_ack(step, *peer, context, about, now);
    if (sent || !is_plain(step.edit)) return sent;
    return sent;
  }

  if (answers_challenge(step)) return send_again(step, context, *about, now);

  auto call = dialog_for(step, *peer);
  std::optional<Message> request;
  std::optional<RecordId> cancelled;
  if (step.method == "CANCEL") {
    cancelled = about;
    for (std::size_t i = records_.size(); !cancelled && i-- > 0;)
      if (!records_[i].is_from_sut && records_[i].peer == *peer &&
          records_[i].message.is_request() && records_[i].message.method() == Method::Invite)
        cancelled = i;
  }
  // Without an INVITE it is a CANCEL out of nowhere.
  if (cancelled) {
    call = records_[*cancelled].dialog;
    request = transaction::cancel_for(records_[*cancelled].message);
    records_[*cancelled].is_cancelled = true;
    if (!request->has(HeaderId::ContentLength)) request->add("Content-Length", "0");
    if (auto edited = apply_edit(step.edit, *request, context); !edited)
      return std::unexpected(problem(edited.error()));
    const auto to = records_[*cancelled].to;
    return dispatch(*peer, std::move(*request), call, to, step, now);
  }

  const bool is_outside = !call;
  if (is_outside) {
    std::string user = sut_user_;
    if (!step.to_user.empty()) {
      const auto found = options_->users.find(step.to_user);
      user = found != options_->users.end() ? found->second : step.to_user;
    }
    request = outside_request(*peer, step.method, user);
  } else {
    request = inside_request(*call, step.method);
    if (!request) return std::unexpected(SendProblem{"the CSeq numbers of the dialog are used up"});
  }
  furnish(*request, *peer, call);
  bool is_prack_of_answer = false;
  if (step.method == "PRACK") {
    std::optional<RecordId> provisional = about;
    for (std::size_t i = records_.size(); !provisional && i-- > 0;)
      if (records_[i].is_from_sut && records_[i].peer == *peer &&
          records_[i].message.is_response() && records_[i].message.has(HeaderId::RSeq))
        provisional = i;
    if (provisional) {
      const auto& response = records_[*provisional].message;
      request->add("RAck", fmt::format("{} {}", message_value(response, "rseq").value_or("0"),
                                       message_value(response, "cseq").value_or("0 INVITE")));
      is_prack_of_answer = call &&
                           calls_[*call].exchange.state() == session::SignalingState::Stable &&
                           sdp_of(response).has_value();
    }
  }

  std::optional<Attempt> attempt;
  if (is_outside && makes_dialog(step.method)) {
    auto part = rng_.fork("media");
    rng_.next();
    attempt = Attempt{.request = 0,
                      .name = step.dialog == "none" ? "" : step.dialog,
                      .exchange = {},
                      .media = PeerMedia(peers_[*peer].local.host, part),
                      .peer_sdp = {},
                      .sut_sdp = {},
                      .tags = {}};
  }
  std::string sdp;
  if (attempt && step.method == "INVITE")
    sdp = sdp_for_request(step.edit.sdp, step.method, attempt->media, attempt->exchange, {});
  else if (call)
    sdp = sdp_for_request(step.edit.sdp, step.method, calls_[*call].media, calls_[*call].exchange,
                          calls_[*call].sut_sdp);
  else if (step.edit.sdp && *step.edit.sdp != "none")
    sdp = PeerMedia(peers_[*peer].local.host, rng_.fork("stray"))
              .offer(sdp_wish(*step.edit.sdp).traits);
  if (!sdp.empty()) request->set_body("application/sdp", sdp);

  const auto to = destination(*request, *peer);
  transaction::add_via(*request, peers_[*peer].local, transaction::make_branch(rng_));
  if (auto edited = apply_edit(step.edit, *request, context); !edited)
    return std::unexpected(problem(edited.error()));
  if (call)
    track_exchange(calls_[*call].exchange, calls_[*call].peer_sdp, calls_[*call].sut_sdp,
                   session::Side::Local, carrier_of(*request, nullptr, is_prack_of_answer),
                   *request, &calls_[*call]);
  if (attempt) {
    track_exchange(attempt->exchange, attempt->peer_sdp, attempt->sut_sdp, session::Side::Local,
                   carrier_of(*request, nullptr, false), *request, nullptr);
    attempt->request = records_.size();
    attempts_.push_back(std::move(*attempt));
  }
  if (call && step.method == "BYE") calls_[*call].is_over = true;
  return dispatch(*peer, std::move(*request), call, to, step, now);
}

// RFC 3261 13.2.2.4 for a 2xx; 17.1.1.3 for the rest, which the transaction has sent already.
Peers::Sent Peers::send_ack(const SendStep& step, std::size_t peer, const CheckContext& context,
                            std::optional<RecordId> about, Instant now) {
  for (std::size_t i = records_.size(); !about && i-- > 0;) {
    const auto& record = records_[i];
    if (record.is_from_sut && record.peer == peer && record.message.is_response() &&
        record.message.status() >= 200 && record.request &&
        records_[*record.request].message.method() == Method::Invite)
      about = i;
  }
  if (!about || !records_[*about].request)
    return std::unexpected(SendProblem{"there is no final response to an INVITE to acknowledge"});
  auto& response = records_[*about];
  const auto invite = *response.request;
  if (response.message.status() >= 300) {
    if (response.is_acked && is_plain(step.edit)) return response.ack.value_or(*about);
    for (std::size_t i = records_.size(); i-- > 0 && is_plain(step.edit);) {
      const auto& ack = records_[i];
      if (!ack.is_from_sut && ack.message.is_request() && ack.message.method() == Method::Ack &&
          ack.peer == peer &&
          message_value(ack.message, "via.branch") ==
              message_value(records_[invite].message, "via.branch"))
        return i;
    }
    auto ack = transaction::ack_for_failure(records_[invite].message, response.message);
    if (!ack.has(HeaderId::ContentLength)) ack.add("Content-Length", "0");
    if (auto edited = apply_edit(step.edit, ack, context); !edited)
      return std::unexpected(problem(edited.error()));
    auto octets = ack.to_string();
    const auto to = records_[invite].to;
    response.is_acked = true;
    const auto id = remember(false, peer, std::move(ack), octets, now);
    records_[*about].ack = id;
    records_[id].to = to;
    records_[id].entry = transmit(peer, std::move(octets), to, false, step.edit.segments, now);
    return id;
  }
  if (!response.dialog)
    return std::unexpected(
        SendProblem{"the 2xx made no dialog: its Contact or tags cannot be used"});
  const auto index = *response.dialog;
  auto& call = calls_[index];
  auto ack = call.dialog.make_ack(records_[invite].message);
  if (!ack.has(HeaderId::ContentLength)) ack.add("Content-Length", "0");
  if (const auto sdp =
          sdp_for_request(step.edit.sdp, "ACK", call.media, call.exchange, call.sut_sdp);
      !sdp.empty())
    ack.set_body("application/sdp", sdp);
  const auto to = destination(ack, peer);
  transaction::add_via(ack, peers_[peer].local, transaction::make_branch(rng_));
  if (auto edited = apply_edit(step.edit, ack, context); !edited)
    return std::unexpected(problem(edited.error()));
  track_exchange(call.exchange, call.peer_sdp, call.sut_sdp, session::Side::Local,
                 session::Carrier::Ack, ack, &call);
  auto octets = ack.to_string();
  const auto id = remember(false, peer, std::move(ack), octets, now);
  records_[id].to = to;
  records_[id].dialog = index;
  records_[*about].is_acked = true;
  records_[*about].ack = id;
  records_[id].entry = transmit(peer, std::move(octets), to, false, step.edit.segments, now);
  return id;
}

void Peers::resend(RecordId id, Instant now) {
  const auto& record = records_[id];
  const auto octets = record.octets;
  const auto to = record.to;
  transmit(record.peer, octets, to, true, {}, now);
}

// --- in the background

Peers::Sent Peers::answer(RecordId request, int status, Instant now) {
  ReplyStep step;
  step.status = status;
  const CheckContext nothing{[](std::string_view) { return std::optional<std::string>(); },
                             [](std::string_view) -> const Message* { return nullptr; }};
  records_[request].is_consumed = true;
  return reply(step, request, nothing, now);
}

Peers::Sent Peers::acknowledge(RecordId response, Instant now) {
  if (records_[response].ack) {
    resend(*records_[response].ack, now);
    return *records_[response].ack;
  }
  SendStep step;
  step.method = "ACK";
  const CheckContext nothing{[](std::string_view) { return std::optional<std::string>(); },
                             [](std::string_view) -> const Message* { return nullptr; }};
  return send_ack(step, records_[response].peer, nothing, response, now);
}

Peers::Sent Peers::cancel(RecordId invite, Instant now) {
  SendStep step;
  step.method = "CANCEL";
  step.peer = peers_[records_[invite].peer].name;
  const CheckContext nothing{[](std::string_view) { return std::optional<std::string>(); },
                             [](std::string_view) -> const Message* { return nullptr; }};
  return send(step, nothing, invite, now);
}

Peers::Sent Peers::request_in(std::size_t index, std::string_view method, Instant now) {
  auto request = inside_request(index, method);
  if (!request) return std::unexpected(SendProblem{"the CSeq numbers of the dialog are used up"});
  const auto peer = calls_[index].peer;
  furnish(*request, peer, index);
  const auto to = destination(*request, peer);
  transaction::add_via(*request, peers_[peer].local, transaction::make_branch(rng_));
  if (method == "BYE") calls_[index].is_over = true;
  return dispatch(peer, std::move(*request), index, to, {}, now);
}

Peers::Sent Peers::prack(RecordId provisional, Instant now) {
  SendStep step;
  step.method = "PRACK";
  step.peer = peers_[records_[provisional].peer].name;
  if (records_[provisional].dialog) {
    const auto index = *records_[provisional].dialog;
    if (calls_[index].name.empty()) name_call(index, fmt::format("dialog {}", index + 1));
    step.dialog = calls_[index].name;
  }
  const CheckContext nothing{[](std::string_view) { return std::optional<std::string>(); },
                             [](std::string_view) -> const Message* { return nullptr; }};
  return send(step, nothing, provisional, now);
}

Peers::Sent Peers::probe(std::size_t peer, Instant now) {
  // A server is asked itself (RFC 3261 11): behind a user of its domain nobody may be left.
  const bool is_agent = case_->role == SutRole::Uas || case_->role == SutRole::Uac;
  auto request = outside_request(peer, "OPTIONS", is_agent ? sut_user_ : std::string());
  furnish(request, peer, std::nullopt);
  transaction::add_via(request, peers_[peer].local, transaction::make_branch(rng_));
  return dispatch(peer, std::move(request), std::nullopt, {.endpoint = options_->sut, .flow = 0},
                  {}, now);
}

}  // namespace sipassay::runner
