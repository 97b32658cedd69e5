// Two SessionDialogs and the messages between them, carried by hand: for tests only.
//
// No transactions, no network: every message waits in flight() until a test delivers or drops it.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/message/header/all.h"
#include "engine/session/session_dialog.h"

namespace sipassay::testing {

enum class Who : std::uint8_t { Caller, Callee };

inline std::string sdp_text(int version, std::string_view direction = "sendrecv", int streams = 1) {
  const std::string number = std::to_string(version);
  std::string out =
      "v=0\r\no=- 7 " + number + " IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n";
  for (int i = 0; i < streams; ++i)
    out += "m=audio " + std::to_string(4000 + 2 * i) + " RTP/AVP 0\r\na=" + std::string(direction) +
           "\r\n";
  return out;
}
inline session::Body sdp_body(int version) {
  return {"application/sdp", sdp_text(version), {}};
}

struct Packet {
  Who to = Who::Callee;
  Message message;
  Message request;                         // of a response
  session::TransactionId transaction = 0;  // of a request
};

class SessionPair {
 public:
  struct Options {
    bool has_offer = true;
    std::vector<session::HeaderLine> headers{{"Supported", "100rel"}};
    session::Settings caller{}, callee{};
    bool judges_sdp = false;  // the descriptions of most tests are only numbers
    std::uint64_t seed = 1;
  };

  explicit SessionPair(Options options) : options_(std::move(options)) {
    options_.caller.contact = "<sip:alice@127.0.0.1:5070>";
    options_.callee.contact = "<sip:bob@127.0.0.1:5080>";
    options_.caller.judges_sdp = options_.callee.judges_sdp = options_.judges_sdp;
    invite_ = Message::request("INVITE", "sip:bob@127.0.0.1:5080");
    invite_.add("Via", "SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKinvite");
    invite_.add("Max-Forwards", "70");
    invite_.add("From", "\"Alice\" <sip:alice@example.com>;tag=from-alice");
    invite_.add("To", "<sip:bob@example.com>");
    invite_.add("Call-ID", "call-1@127.0.0.1");
    invite_.add("CSeq", "10 INVITE");
    invite_.add("Contact", options_.caller.contact);
    for (const auto& line : options_.headers) invite_.add(line.name, line.value);
    const session::Body body = options_.has_offer ? sdp_body(1) : session::Body{};
    invite_.set_body(body.type, body.octets);
    auto dialog = dialog::Dialog::from_request(invite_, "to-bob");
    callee_.emplace(session::ReceivedInvite{invite_, invite_transaction}, std::move(*dialog),
                    options_.callee, Rng(options_.seed), now_);
    requests_[invite_transaction] = invite_;
  }

  static constexpr session::TransactionId invite_transaction = 1;

  session::SessionDialog& caller() { return *caller_; }
  session::SessionDialog& callee() { return *callee_; }
  session::SessionDialog& side(Who who) { return who == Who::Caller ? *caller_ : *callee_; }
  bool has_caller() const { return caller_.has_value(); }
  Instant now() const { return now_; }
  const Message& invite() const { return invite_; }
  std::deque<Packet>& flight() { return flight_; }
  std::vector<session::Output>& log(Who who) { return logs_[who == Who::Caller ? 0 : 1]; }

  // A request that a member returned goes into flight; its transaction id.
  session::TransactionId send(Who from, Message request) {
    request.insert(0, "Via",
                   "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK" + std::to_string(next_transaction_));
    const bool is_ack = request.method() == Method::Ack;
    const session::TransactionId id = is_ack ? 0 : ++next_transaction_;
    if (!is_ack) requests_[id] = request;
    flight_.push_back({other(from), std::move(request), {}, id});
    return id;
  }
  session::TransactionId send(Who from, const session::SessionDialog::Result& request) {
    return send(from, request.value());
  }

  // Takes what both sides put out: messages into flight, the rest into the logs.
  void collect() {
    for (const Who who : {Who::Caller, Who::Callee}) {
      if (who == Who::Caller && !caller_) continue;
      while (auto output = side(who).poll()) take(who, std::move(*output));
    }
  }
  // Delivers the oldest packet in flight; false if there is none.
  bool deliver() {
    collect();
    if (flight_.empty()) return false;
    const Packet packet = std::move(flight_.front());
    flight_.pop_front();
    last_ = packet.message;
    if (packet.to == Who::Caller && !caller_ && packet.message.is_request()) return true;
    if (packet.message.is_request()) {
      // A transaction layer would take a repeated request to itself.
      if (packet.transaction != 0 && !delivered_.insert(packet.transaction).second) return true;
      side(packet.to).receive_request(packet.message, packet.transaction, now_);
    } else {
      if (packet.to == Who::Caller && !caller_) make_caller(packet.message);
      if (packet.to == Who::Callee || caller_)
        side(packet.to).receive_response(packet.request, packet.message, now_);
    }
    collect();
    return true;
  }
  void settle() {
    while (deliver()) {
    }
  }
  void drop() {
    collect();
    if (!flight_.empty()) flight_.pop_front();
  }
  // The packet delivered last.
  const Message& last() const { return last_; }

  session::SessionDialog::Status reply(Who who, session::TransactionId transaction,
                                       const session::ReplyOptions& options) {
    auto out = side(who).reply(transaction, options, now_);
    collect();
    return out;
  }
  void pass(Duration time) { run_to(now_ + time); }
  void run_to(Instant end) {
    for (;;) {
      std::optional<Instant> next;
      for (const Who who : {Who::Caller, Who::Callee}) {
        if (who == Who::Caller && !caller_) continue;
        const auto due = side(who).next_deadline();
        if (due && (!next || *due < *next)) next = due;
      }
      if (!next || *next > end) break;
      now_ = std::max(now_, *next);
      if (caller_) caller_->advance(now_);
      callee_->advance(now_);
      collect();
    }
    now_ = end;
  }

  // INVITE, 180, 200, ACK with an exchange; both confirmed and stable.
  void establish() {
    const session::Body body = options_.has_offer ? sdp_body(1001) : sdp_body(1001);
    reply(Who::Callee, invite_transaction, {.status = 180});
    settle();
    reply(Who::Callee, invite_transaction, {.status = 200, .body = body});
    settle();
    session::RequestOptions ack;
    if (!options_.has_offer) ack.body = sdp_body(1);
    send(Who::Caller, caller().ack(ack));
    settle();
    log(Who::Caller).clear();
    log(Who::Callee).clear();
  }

  template <class T>
  std::size_t count(Who who) {
    collect();
    std::size_t found = 0;
    for (const auto& output : log(who)) found += std::holds_alternative<T>(output) ? 1U : 0U;
    return found;
  }
  // The newest output of that type; nullptr if there is none.
  template <class T>
  const T* newest(Who who) {
    collect();
    const T* found = nullptr;
    for (const auto& output : log(who))
      if (const T* value = std::get_if<T>(&output)) found = value;
    return found;
  }
  bool has_violation(Who who, std::string_view rule) {
    collect();
    for (const auto& output : log(who))
      if (const auto* value = std::get_if<session::Violation>(&output))
        if (value->finding.rule == rule) return true;
    return false;
  }
  // The responses seen for a request that was sent, oldest first.
  std::vector<int> statuses(session::TransactionId transaction) const {
    const auto found = statuses_.find(transaction);
    return found == statuses_.end() ? std::vector<int>{} : found->second;
  }
  const Message& response(session::TransactionId transaction) { return responses_[transaction]; }

  // Makes the caller's dialog of any response, forks included.
  void make_caller(const Message& response) {
    if (response.status() == 100) return;
    auto dialog = dialog::Dialog::from_response(invite_, response);
    if (!dialog) return;
    caller_.emplace(session::SentInvite{invite_}, std::move(*dialog), options_.caller,
                    Rng(options_.seed + 1), now_);
  }

 private:
  static Who other(Who who) { return who == Who::Caller ? Who::Callee : Who::Caller; }

  void take(Who who, session::Output output) {
    if (const auto* reply = std::get_if<session::Reply>(&output)) {
      statuses_[reply->transaction].push_back(reply->response.status());
      responses_[reply->transaction] = reply->response;
      flight_.push_back({other(who), reply->response, requests_[reply->transaction], 0});
    } else if (const auto* again = std::get_if<session::Resend>(&output)) {
      flight_.push_back({other(who), again->response, requests_[again->transaction], 0});
    } else if (const auto* ack = std::get_if<session::RepeatAck>(&output)) {
      flight_.push_back({other(who), ack->ack, {}, 0});
    } else if (const auto* request = std::get_if<session::Send>(&output)) {
      send(who, request->request);
    }
    log(who).push_back(std::move(output));
  }

  Options options_;
  Instant now_{};
  Message invite_, last_;
  std::optional<session::SessionDialog> caller_, callee_;
  std::deque<Packet> flight_;
  std::set<session::TransactionId> delivered_;
  std::map<session::TransactionId, Message> requests_, responses_;
  std::map<session::TransactionId, std::vector<int>> statuses_;
  session::TransactionId next_transaction_ = 100;
  std::vector<session::Output> logs_[2];
};

}  // namespace sipassay::testing
