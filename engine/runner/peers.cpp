#include "engine/runner/peers.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/message/parse.h"
#include "engine/runner/values.h"

namespace sipassay::runner {
namespace {

transaction::Layer::Options layer_options(const CaseOptions& options) {
  // A peer says 100 only when its case does: the SUT's retransmissions may be what is looked at.
  return {.timings = options.timings, .sends_trying = false, .sends_late_trying = false};
}

std::vector<agent::digest::Secret> secrets(const CaseOptions& options) {
  if (!options.login) return {};
  return {{.realm = {}, .user = options.login->user, .password = options.login->password}};
}

std::string uri_params(const Endpoint& endpoint) {
  if (endpoint.transport == Transport::Udp) return {};
  return fmt::format(";transport={}", to_string(endpoint.transport));
}

// The first octets of a message, as far as rules need them.
struct Kind {
  std::string method;  // request
  int status = 0;
};
Kind kind_of(std::string_view octets) {
  const auto line = octets.substr(0, octets.find("\r\n"));
  if (ascii::istarts_with(line, "SIP/2.0 "))
    return {{}, ascii::number<int>(line.substr(8, 3)).value_or(0)};
  return {std::string(line.substr(0, line.find(' '))), 0};
}

}  // namespace

Peers::Peers(const Case& the_case, const CaseOptions& options, std::string sut_user, Rng rng,
             Instant now)
    : case_(&the_case), options_(&options), sut_user_(std::move(sut_user)), rng_(rng), now_(now) {
  for (const std::string_view tag : {"100rel", "timer", "199"})
    if (std::ranges::find(the_case.needs, tag) != the_case.needs.end()) {
      offered_tags_ += (offered_tags_.empty() ? "" : ", ");
      offered_tags_ += tag;
      knows_timers_ |= tag == "timer";
    }
}

std::size_t Peers::add(std::string name, Transport transport, bool has_own_address) {
  if (has_own_address) outputs_.push_back(OpenPeer{name, transport});
  auto part = rng_.fork(name);
  Endpoint local{.transport = transport, .host = "0.0.0.0", .port = 0};
  auto wire = has_own_address ? name : peers_.front().name;
  peers_.push_back({std::move(name), std::move(wire), std::move(local),
                    transaction::Layer(layer_options(*options_), part.fork("transactions")),
                    agent::digest::Client(secrets(*options_), part.fork("digest"))});
  return peers_.size() - 1;
}

void Peers::opened(std::size_t peer, Endpoint local) {
  const auto wire = peers_[peer].name;
  for (auto& one : peers_)
    if (one.wire == wire) one.local = local;
}

// Of several peers at one address: a response goes to who sent the request, a request to the user
// of its Request-URI, or to whose dialog it is.
std::size_t Peers::addressee(std::size_t peer, const std::string& octets) const {
  if (std::ranges::none_of(peers_, [&](const Peer& other) {
        return other.wire == peers_[peer].name && other.name != other.wire;
      }))
    return peer;
  const auto parsed = parse_message(octets);
  if (!parsed) return peer;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (peers_[i].wire != peers_[peer].name) continue;
    if (parsed->is_response() ? request_of(i, *parsed).has_value()
                              : call_of_request(i, *parsed).has_value())
      return i;
  }
  const auto user = message_value(*parsed, "request-uri.user");
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (peers_[i].wire == peers_[peer].name && user == peers_[i].name) return i;
  return peer;
}

std::optional<std::size_t> Peers::find(std::string_view name) const {
  if (name.empty()) return 0;
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (peers_[i].name == name) return i;
  return std::nullopt;
}

std::string Peers::uri(std::size_t peer) const {
  return fmt::format("sip:{}@{}{}", peers_[peer].name, host_port(peers_[peer].local),
                     uri_params(peers_[peer].local));
}

std::string Peers::sut_uri(std::string_view user) const {
  const std::string host = options_->domain.empty() ? host_port(options_->sut) : options_->domain;
  return fmt::format("sip:{}{}{}{}", user, user.empty() ? "" : "@", host,
                     uri_params(options_->sut));
}

std::string Peers::contact(std::size_t peer) const {
  return fmt::format("<{}>", uri(peer));
}

// --- the wire

std::size_t Peers::log(std::size_t peer, bool is_from_sut, std::string octets, bool is_repeat,
                       Instant now) {
  if (transcript_.size() >= transcript_max) {
    is_overflowing_ = true;
    return transcript_.size() - 1;
  }
  const auto& name = peers_[peer].name;
  transcript_.push_back({.at = now,
                         .from = is_from_sut ? "sut" : name,
                         .to = is_from_sut ? name : "sut",
                         .octets = std::move(octets),
                         .transport = peers_[peer].local.transport,
                         .is_retransmission = is_repeat,
                         .was_lost = false});
  return transcript_.size() - 1;
}

RecordId Peers::remember(bool is_from_sut, std::size_t peer, Message message, std::string octets,
                         Instant now) {
  if (records_.size() >= records_max) is_overflowing_ = true;
  Record record;
  record.is_from_sut = is_from_sut;
  record.peer = peer;
  record.message = std::move(message);
  record.octets = std::move(octets);
  record.at = now;
  records_.push_back(std::move(record));
  return records_.size() - 1;
}

Peers::Rule* Peers::rule_for(std::size_t peer, bool to_sut, const std::string& octets) {
  if (rules_.empty()) return nullptr;
  const auto kind = kind_of(octets);
  for (auto& rule : rules_) {
    if (rule.left == 0 || rule.peer != peer || rule.step.to_sut != to_sut) continue;
    const auto& pattern = rule.step.pattern;
    const bool matches = pattern.method.empty()
                             ? kind.status != 0 && status_matches(pattern.status, kind.status)
                             : !kind.method.empty() && method_matches(pattern.method, kind.method);
    if (!matches) continue;
    // "of": only responses to that request; compared by the CSeq line.
    if (pattern.method.empty() && !pattern.of.empty() &&
        octets.find(pattern.of) == std::string::npos)
      continue;
    return &rule;
  }
  return nullptr;
}

void Peers::emit(std::size_t peer, Rule::Held what) {
  outputs_.push_back(SendOctets{peers_[peer].wire, std::move(what.octets), std::move(what.to),
                                std::move(what.segments)});
}

std::size_t Peers::transmit(std::size_t peer, std::string octets,
                            const transaction::Destination& to, bool is_repeat,
                            const std::vector<std::size_t>& segments, Instant now) {
  const auto entry = log(peer, false, octets, is_repeat, now);
  Rule::Held what{
      .octets = std::move(octets), .flow = {}, .to = to, .entry = entry, .segments = segments};
  auto* rule = rule_for(peer, true, what.octets);
  if (rule == nullptr) {
    emit(peer, std::move(what));
    return entry;
  }
  using Action = NetworkStep::Action;
  switch (rule->step.action) {
    case Action::Drop:
      --rule->left;
      transcript_[entry].was_lost = true;
      break;
    case Action::Delay:
      --rule->left;
      delayed_.push_back({now + rule->by, peer, true, std::move(what)});
      break;
    case Action::Duplicate:
      --rule->left;
      emit(peer, what);
      emit(peer, std::move(what));
      break;
    case Action::Swap:
      if (!rule->held) {
        rule->held = std::move(what);
      } else {
        --rule->left;
        auto first = std::exchange(rule->held, std::nullopt);
        emit(peer, std::move(what));
        emit(peer, std::move(*first));
      }
      break;
    case Action::Close:
    case Action::Unreachable:
    case Action::Restore:
      emit(peer, std::move(what));
      break;
  }
  return entry;
}

void Peers::receive(std::size_t peer, std::string octets, const Flow& flow, Instant now) {
  now_ = now;
  peer = addressee(peer, octets);
  const auto entry = log(peer, true, octets, false, now);
  if (is_overflowing_) return;
  auto* rule = rule_for(peer, false, octets);
  if (rule == nullptr) return deliver(peer, octets, flow, entry, now);
  using Action = NetworkStep::Action;
  Rule::Held what{
      .octets = std::move(octets), .flow = flow, .to = {}, .entry = entry, .segments = {}};
  switch (rule->step.action) {
    case Action::Drop:
      --rule->left;
      transcript_[entry].was_lost = true;
      return;
    case Action::Delay:
      --rule->left;
      delayed_.push_back({now + rule->by, peer, false, std::move(what)});
      return;
    case Action::Duplicate:
      --rule->left;
      deliver(peer, what.octets, flow, entry, now);
      return deliver(peer, what.octets, flow, entry, now);
    case Action::Swap: {
      if (!rule->held) {
        rule->held = std::move(what);
        return;
      }
      --rule->left;
      const auto first = std::exchange(rule->held, std::nullopt);
      deliver(peer, what.octets, flow, entry, now);
      return deliver(peer, first->octets, first->flow, first->entry, now);
    }
    case Action::Close:
    case Action::Unreachable:
    case Action::Restore:
      return deliver(peer, what.octets, flow, entry, now);
  }
}

void Peers::set_rule(const NetworkStep& step, std::size_t peer, Duration by) {
  rules_.push_back({.step = step, .peer = peer, .left = step.count, .by = by, .held = {}});
  // A name in "of" is a message's: its CSeq line is what a response repeats. The script put it in.
}

void Peers::clear_rules(Instant now) {
  auto rules = std::exchange(rules_, {});
  for (auto& rule : rules) {
    if (!rule.held) continue;
    if (rule.step.to_sut)
      emit(rule.peer, std::move(*rule.held));
    else
      deliver(rule.peer, rule.held->octets, rule.held->flow, rule.held->entry, now);
  }
  for (auto& late : delayed_) late.due = std::min(late.due, now);
}

void Peers::close(std::size_t peer) {
  outputs_.push_back(CloseFlow{peers_[peer].wire, 0});
}

void Peers::set_reachable(std::size_t peer, bool is_reachable) {
  outputs_.push_back(SetReachable{peers_[peer].wire, is_reachable});
}

void Peers::send_failed(std::size_t peer, const transaction::Destination& to, Instant now) {
  now_ = now;
  peers_[peer].layer.transport_failed(to, now);
  drain(peer, std::nullopt, now);
}

// --- time

void Peers::advance(Instant now) {
  now_ = now;
  for (std::size_t i = 0; i < delayed_.size();) {
    if (delayed_[i].due > now) {
      ++i;
      continue;
    }
    auto late = std::move(delayed_[i]);
    delayed_.erase(delayed_.begin() + static_cast<std::ptrdiff_t>(i));
    if (late.to_sut)
      emit(late.peer, std::move(late.what));
    else
      deliver(late.peer, late.what.octets, late.what.flow, late.what.entry, now);
  }
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    peers_[i].layer.advance(now);
    drain(i, std::nullopt, now);
  }
  for (auto& repeat : repeats_) {
    if (repeat.next > now) continue;
    const auto& record = records_[repeat.record];
    if (now < repeat.give_up) transmit(record.peer, record.octets, record.to, true, {}, now);
    // RFC 3261 13.3.1.4: doubles up to T2; RFC 3262 3: doubles.
    repeat.interval *= 2;
    if (!repeat.is_reliable_provisional)
      repeat.interval = std::min(repeat.interval, options_->timings.t2);
    repeat.next = now + repeat.interval;
  }
  std::erase_if(repeats_, [&](const Repeat& repeat) { return now >= repeat.give_up; });
}

std::optional<Instant> Peers::next_deadline() const {
  std::optional<Instant> next;
  const auto consider = [&](std::optional<Instant> due) {
    if (due && (!next || *due < *next)) next = due;
  };
  for (const auto& late : delayed_) consider(late.due);
  for (const auto& peer : peers_) consider(peer.layer.next_deadline());
  for (const auto& repeat : repeats_) consider(repeat.next);
  return next;
}

void Peers::stop_repeating() {
  repeats_.clear();
}

// --- dialogs by name

std::optional<std::size_t> Peers::newest_call(std::size_t peer, bool live_only) const {
  for (std::size_t i = calls_.size(); i-- > 0;)
    if (calls_[i].peer == peer && !(live_only && calls_[i].is_over)) return i;
  return std::nullopt;
}

std::optional<std::size_t> Peers::call_named(std::string_view name) const {
  const auto found = call_names_.find(name);
  return found == call_names_.end() ? std::nullopt : std::optional(found->second);
}

void Peers::name_call(std::size_t call, std::string name) {
  if (name.empty()) return;
  if (calls_[call].name.empty()) calls_[call].name = name;
  call_names_.insert_or_assign(std::move(name), call);
}

void Peers::name_attempt(RecordId request, std::string name) {
  if (auto* attempt = attempt_of(request)) attempt->name = std::move(name);
}

std::optional<Arrival> Peers::next_arrival() {
  if (arrivals_.empty()) return std::nullopt;
  const auto arrival = arrivals_.front();
  arrivals_.pop_front();
  return arrival;
}

}  // namespace sipassay::runner
