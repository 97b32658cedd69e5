#include "fuzz/wire_watch.h"

#include <algorithm>

#include "engine/base/ascii.h"
#include "engine/message/header/address.h"
#include "engine/message/header/number.h"
#include "engine/message/header/sequence.h"
#include "engine/message/lint.h"
#include "engine/message/multipart.h"
#include "engine/message/parse.h"
#include "engine/session/offer_answer.h"
#include "fuzz/counters.h"
#include "fuzz/support.h"

namespace sipassay::fuzz {

namespace {

constexpr Duration transaction_end = 32s;  // 64*T1: then an unanswered offer is given up

// RFC 3262 7.1: a 1xx that carries an answer counts only when it is reliable.
bool is_reliable_provisional(const Message& response) {
  return response.has(HeaderId::RSeq) && has_token(response, HeaderId::Require, "100rel");
}

bool needs_a_session(std::string_view method) {
  constexpr std::array<std::string_view, 6> methods{"INVITE",  "UPDATE", "INFO",
                                                    "MESSAGE", "REFER",  "OPTIONS"};
  return std::ranges::find(methods, method) != methods.end();
}

}  // namespace

// Call-ID and both tags in a fixed order; empty outside dialogs.
std::string WireWatch::key_of(const Message& message) {
  const auto from = message.maybe<From>();
  const auto to = message.maybe<To>();
  if (!from || !to || from->tag().empty() || to->tag().empty()) return {};
  const auto [low, high] = std::minmax(from->tag(), to->tag());
  return std::string(message.raw(HeaderId::CallId)) + ' ' + std::string(low) + ' ' +
         std::string(high);
}

void WireWatch::sent(std::size_t side, const Message& message, std::string_view octets,
                     Instant now) {
  trace().add(side);
  trace().add(octets);
  if (is_honest_) {
    const auto parsed = parse_message(octets);
    check(parsed.has_value(), "what an agent sends parses", octets);
    const auto findings = lint(*parsed);
    if (!findings.empty())
      broken("what an agent sends breaks no rule",
             std::string(findings.front().rule) + ": " + findings.front().expected + ", but " +
                 findings.front().observed + "\n" + std::string(octets));
  }
  const auto key = key_of(message);
  if (key.empty()) return;
  auto& dialog = dialogs_[key];
  if (message.is_request()) {
    sent_request(side, message, now);
    return;
  }
  const auto cseq = message.maybe<CSeq>();
  if (!cseq) return;
  if (cseq->method == Method::Bye && message.status() / 100 == 2) dialog.has_bye[side] = true;
}

void WireWatch::sent_request(std::size_t side, const Message& message, Instant now) {
  const auto cseq = message.maybe<CSeq>();
  if (!cseq || message.method() == Method::Ack || message.method() == Method::Cancel) return;
  auto& dialog = dialogs_[key_of(message)];
  const bool is_new = cseq->number > dialog.highest[side];
  dialog.highest[side] = std::max(dialog.highest[side], cseq->number);
  if (!is_new) return;  // sent again
  check(!dialog.has_bye[side] || !needs_a_session(message.method_text()),
        "nothing that needs a session follows a BYE", message.to_string());
  if (message.method() == Method::Bye) dialog.has_bye[side] = true;
  const bool may_offer = message.method() == Method::Invite || message.method() == Method::Update;
  if (!may_offer || !session_description(message)) return;
  auto& open = dialog.offers[side];
  if (open && now - open->sent_at >= transaction_end) open.reset();
  // RFC 3264 4, RFC 6337 2.2: one open offer per dialog.
  if (is_honest_) check(!open, "no offer while another of ours is open", message.to_string());
  open = OpenOffer{cseq->number, std::string(message.method_text()), now};
}

void WireWatch::answered(std::size_t offerer, const Message& response) {
  const auto cseq = response.maybe<CSeq>();
  if (!cseq || response.status() < 101) return;
  auto& open = dialogs_[key_of(response)].offers[offerer];
  if (!open || open->cseq != cseq->number || open->method != cseq->method_text) return;
  const bool closes = response.status() >= 200 ||
                      (is_reliable_provisional(response) && session_description(response));
  if (closes) open.reset();
}

void WireWatch::delivered(std::size_t side, const Message& message, Instant) {
  if (message.is_response() && !key_of(message).empty()) answered(side, message);
}

void WireWatch::told(std::size_t side, const agent::Event& event) {
  trace().add(side);
  trace().add(event.index());
  const auto* violation = std::get_if<agent::Violation>(&event);
  if (!violation) return;
  trace().add(violation->finding.rule);
  if (is_honest_ && is_lossless_)
    broken("no agent finds fault with another", std::string(violation->finding.rule) + ": " +
                                                    violation->finding.expected + ", but " +
                                                    violation->finding.observed);
}

}  // namespace sipassay::fuzz
