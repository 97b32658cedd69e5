// Patience: what the case is not about is answered or absorbed; and the names that a case uses.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "engine/runner/script.h"
#include "engine/runner/values.h"

namespace sipassay::runner {
namespace {

using IsAbout = std::function<bool(const Pattern&)>;

bool expects(const Steps& steps, std::size_t from, const IsAbout& is_about);

bool expects(const Step& step, const IsAbout& is_about) {
  if (const auto* expect = std::get_if<ExpectStep>(&step.action)) return is_about(expect->pattern);
  if (const auto* either = std::get_if<EitherStep>(&step.action))
    return std::ranges::any_of(
        either->branches, [&](const auto& branch) { return expects(branch.steps, 0, is_about); });
  if (const auto* unordered = std::get_if<UnorderedStep>(&step.action))
    return expects(unordered->steps, 0, is_about);
  return false;
}

bool expects(const Steps& steps, std::size_t from, const IsAbout& is_about) {
  for (std::size_t i = from; i < steps.size(); ++i)
    if (expects(steps[i], is_about)) return true;
  return false;
}

bool sends(const Steps& steps, std::size_t from, std::string_view method) {
  for (std::size_t i = from; i < steps.size(); ++i) {
    if (const auto* send = std::get_if<SendStep>(&steps[i].action);
        send != nullptr && send->method == method)
      return true;
    if (const auto* either = std::get_if<EitherStep>(&steps[i].action))
      for (const auto& branch : either->branches)
        if (sends(branch.steps, 0, method)) return true;
  }
  return false;
}

}  // namespace

bool Script::is_expected_later(const Record& record) const {
  return std::ranges::any_of(frames_, [&](const Frame& frame) {
    return expects(*frame.steps, frame.next,
                   [&](const Pattern& pattern) { return kind_matches(pattern, record); });
  });
}

bool Script::sends_later(std::string_view method) const {
  return std::ranges::any_of(
      frames_, [&](const Frame& frame) { return sends(*frame.steps, frame.next, method); });
}

// Requests of the SUT that no step from here on can be about.
void Script::settle(Instant now) {
  for (RecordId id = 0; id < peers_->records().size(); ++id) {
    const auto& record = peers_->record(id);
    if (!record.is_from_sut || record.is_consumed || record.has_final ||
        !record.message.is_request() || record.message.method() == Method::Ack)
      continue;
    if (!is_expected_later(record)) answer_in_background(id, now);
  }
}

void Script::answer_in_background(RecordId id, Instant now) {
  const auto& record = peers_->record(id);
  const bool is_inside = record.dialog.has_value();
  const bool has_to_tag = !message_value(record.message, "to.tag").value_or("").empty();
  const auto own_invite_open = [&] {
    return std::ranges::any_of(peers_->records(), [&](const Record& other) {
      return !other.is_from_sut && other.dialog == record.dialog && other.message.is_request() &&
             other.message.method() == Method::Invite && !other.has_final && !other.has_failed;
    });
  };
  int status = 200;
  switch (record.message.method()) {
    case Method::Ack:
      return;
    case Method::Invite:
      if (record.is_cancelled)
        status = 487;
      else if (!is_inside)
        status = has_to_tag ? 481 : 486;
      else if (phase_ != Phase::Running)
        status = 488;
      else if (own_invite_open())
        status = 491;  // RFC 3261 14.2
      break;
    case Method::Update:
      if (!is_inside)
        status = 481;
      else if (sdp_of(record.message) && own_invite_open())
        status = 491;  // RFC 3311 5.2
      break;
    case Method::Cancel:
      status = 200;
      break;
    case Method::Bye:
    case Method::Prack:
    case Method::Info:
      if (!is_inside) status = 481;
      break;
    case Method::Notify:
      if (!is_inside && has_to_tag) status = 481;
      break;
    case Method::Refer:
      status = 603;
      break;
    case Method::Subscribe:
      // RFC 6665 4.1.2.2: 500 to a refresh leaves the subscription as it is.
      status = is_inside ? 500 : 489;
      break;
    case Method::Publish:
      status = 489;
      break;
    case Method::Options:
    case Method::Register:
    case Method::Message:
      break;
    case Method::Other:
      status = 501;
      break;
  }
  (void)peers_->answer(id, status, now);
  if (peers_->record(id).message.method() != Method::Cancel) return;
  // RFC 3261 9.2: the INVITE that it cancels is answered 487.
  for (RecordId other = 0; other < peers_->records().size(); ++other) {
    const auto& invite = peers_->record(other);
    if (invite.is_from_sut && invite.is_cancelled && !invite.has_final &&
        invite.message.method() == Method::Invite)
      (void)peers_->answer(other, 487, now);
  }
}

// Responses that need something from the peer whatever the case is about.
void Script::respond_to_response(const Arrival& arrival, Instant now) {
  const auto& record = peers_->record(arrival.record);
  if (!record.message.is_response() || !record.request) return;
  const auto& request = peers_->record(*record.request);
  const int status = record.message.status();
  const bool is_invite = request.message.method() == Method::Invite;
  if (is_invite && status / 100 == 2) {
    // RFC 3261 13.2.2.4: each copy of the 2xx is answered by the ACK, once there is one.
    if (arrival.is_copy && record.ack) (void)peers_->acknowledge(arrival.record, now);
    return;
  }
  if (is_invite && status >= 300 && request.transaction == 0 && request.acks_by_itself) {
    if (record.ack)
      peers_->resend(*record.ack, now);
    else
      (void)peers_->acknowledge(arrival.record, now);
    return;
  }
  if (arrival.is_copy) return;
  if ((status == 401 || status == 407) && options_.login) {
    bool is_about = false;
    if (const auto* step = current())
      if (const auto* expect = std::get_if<ExpectStep>(&step->action))
        is_about = kind_matches(expect->pattern, record);
    if (!is_about && peers_->authorize(arrival.record, now))
      peers_->record(arrival.record).is_consumed = true;
    return;
  }
  // A case that acknowledges reliable provisionals is not about the ones that it does not name.
  const bool is_reliable =
      is_invite && status > 100 && status < 200 && record.message.has(HeaderId::RSeq);
  const bool pracks = std::ranges::any_of(peers_->records(), [&](const Record& other) {
    return !other.is_from_sut && other.is_scripted && other.message.is_request() &&
           other.message.method() == Method::Prack;
  });
  if (is_reliable && pracks && phase_ == Phase::Running && !sends_later("PRACK"))
    (void)peers_->prack(arrival.record, now);
}

// --- names and times

const Message* Script::named(std::string_view name) const {
  const auto id = named_record(name);
  return id ? &peers_->record(*id).message : nullptr;
}

std::optional<RecordId> Script::named_record(std::string_view name) const {
  const auto found = names_.find(name);
  if (found == names_.end()) return std::nullopt;
  return newest_version(found->second);
}

RecordId Script::newest_version(RecordId request) const {
  while (peers_->record(request).superseded_by) request = *peers_->record(request).superseded_by;
  return request;
}

std::optional<RecordId> Script::last_request_sent(std::size_t peer) const {
  for (RecordId id = peers_->records().size(); id-- > 0;) {
    const auto& record = peers_->record(id);
    if (!record.is_from_sut && record.peer == peer && record.is_scripted &&
        record.message.is_request() && record.message.method() != Method::Ack)
      return newest_version(id);
  }
  return std::nullopt;
}

std::optional<RecordId> Script::last_request_received(std::size_t peer) const {
  std::optional<RecordId> any;
  for (RecordId id = peers_->records().size(); id-- > 0;) {
    const auto& record = peers_->record(id);
    if (!record.is_from_sut || record.peer != peer || !record.message.is_request() ||
        record.message.method() == Method::Ack)
      continue;
    if (record.is_scripted) return id;
    if (!any) any = id;
  }
  return any;
}

CheckContext Script::context() const {
  return {[this](std::string_view reference) { return lookup(reference); },
          [this](std::string_view name) { return named(name); }};
}

std::optional<std::string> Script::text(const Template& value) {
  auto expanded = expand(value, context().lookup);
  if (expanded) return std::move(*expanded);
  error(fmt::format("${{{}}} is not known at this point", expanded.error().reference));
  return std::nullopt;
}

std::optional<std::string> Script::call_value(const Call& call, std::string_view field) const {
  const auto number = [](std::optional<std::uint32_t> value) {
    return value ? std::optional(std::to_string(*value)) : std::nullopt;
  };
  if (field == "call-id") return call.dialog.id().call_id;
  if (field == "local-tag") return call.dialog.id().local_tag;
  if (field == "remote-tag") return call.dialog.id().remote_tag;
  if (field == "local-cseq")
    return number(call.highest_cseq ? call.highest_cseq : call.dialog.local_cseq());
  if (field == "remote-cseq") return number(call.dialog.remote_cseq());
  if (field == "remote-target") return call.dialog.remote_target();
  if (field == "offer") return call.offer;
  if (field == "answer") return call.answer;
  if (field == "peer-sdp") return call.peer_sdp;
  if (field == "sut-sdp") return call.sut_sdp;
  if (field == "session")
    return std::string(call.is_over             ? "terminated"
                       : call.dialog.is_early() ? "early"
                                                : "confirmed");
  if (field == "signaling") {
    switch (call.exchange.state()) {
      case session::SignalingState::Initial:
        return "initial";
      case session::SignalingState::HaveLocalOffer:
        return "have-local-offer";
      case session::SignalingState::HaveRemoteOffer:
        return "have-remote-offer";
      case session::SignalingState::Stable:
        return "stable";
      case session::SignalingState::Closed:
        return "closed";
    }
  }
  if (field == "route-set") {
    std::string out;
    for (const auto& route : call.dialog.route_set()) out += (out.empty() ? "" : ", ") + route;
    return out;
  }
  return std::nullopt;
}

std::optional<std::string> Script::lookup(std::string_view reference) const {
  const auto dot = reference.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto name = reference.substr(0, dot);
  const auto field = reference.substr(dot + 1);
  if (const auto* message = named(name)) return message_value(*message, field);
  if (const auto call = peers_->call_named(name)) return call_value(peers_->calls()[*call], field);
  const auto address = [&](const Endpoint& endpoint,
                           const std::string& uri) -> std::optional<std::string> {
    if (field == "host")
      return endpoint.host.find(':') == std::string::npos ? endpoint.host
                                                          : fmt::format("[{}]", endpoint.host);
    if (field == "port") return std::to_string(endpoint.port);
    if (field == "uri") return uri;
    return std::nullopt;
  };
  if (name == "sut") {
    if (field == "user") return user_;
    return address(options_.sut, peers_->sut_uri(user_));
  }
  for (std::size_t peer = 0; peer < peers_->count(); ++peer)
    if (peers_->name(peer) == name) return address(peers_->local(peer), peers_->uri(peer));
  return std::nullopt;
}

Duration Script::length(const Span& span) const {
  return span.fixed + std::chrono::duration_cast<Duration>(
                          span.t1_multiple *
                          std::chrono::duration<double, Duration::period>(options_.timings.t1));
}

Duration Script::patience() const {
  return options_.patience > 0us ? options_.patience : 64 * options_.timings.t1 + 1s;
}

Duration Script::tolerance() const {
  if (options_.tolerance > 0us) return options_.tolerance;
  return options_.is_live ? Duration(200ms) : Duration(0us);
}

}  // namespace sipassay::runner
