#include "fuzz/wire_watch.h"

#include <fmt/format.h>

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

constexpr std::array<std::string_view, sides> names{"alice", "bob"};

void note(Instant now, std::string_view text) {
  if (!trace().is_loud()) return;
  trace().note(
      fmt::format("{:9.3f} {}", static_cast<double>(now.time_since_epoch().count()) / 1e6, text));
}

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

WireWatch::End* WireWatch::end_of(const Message& message, HeaderId tagged) {
  const auto from = message.maybe<From>();
  const auto to = message.maybe<To>();
  if (!from || !to || from->tag().empty() || to->tag().empty()) return nullptr;
  const bool is_from = tagged == HeaderId::From;
  const std::string own(is_from ? from->tag() : to->tag());
  const std::string other(is_from ? to->tag() : from->tag());
  return &ends_[std::string(message.raw(HeaderId::CallId)) + ' ' + own + ' ' + other];
}

void WireWatch::sent(std::size_t side, const Message& message, std::string_view octets,
                     Instant now) {
  trace().add(side);
  trace().add(octets);
  note(now, fmt::format("{} sends {}", names[side], message.start_line()));
  if (is_honest_) {
    const auto parsed = parse_message(octets);
    check(parsed.has_value(), "what an agent sends parses", octets);
    const auto findings = lint(*parsed);
    if (!findings.empty())
      broken("what an agent sends breaks no rule",
             std::string(findings.front().rule) + ": " + findings.front().expected + ", but " +
                 findings.front().observed + "\n" + std::string(octets));
  }
  auto* end = end_of(message, message.is_request() ? HeaderId::From : HeaderId::To);
  if (!end) return;
  if (message.is_request()) return sent_request(*end, message, now);
  const auto cseq = message.maybe<CSeq>();
  if (!cseq) return;
  if (cseq->method == Method::Bye && message.status() / 100 == 2) end->has_bye = true;
  // An INVITE that comes back after all has ended makes a new dialog, by the rule of tags (RFC 3261
  // 8.2.7) with the old id.
  if (!is_honest_ && cseq->method == Method::Invite && message.status() < 300) end->has_bye = false;
}

void WireWatch::sent_request(End& end, const Message& message, Instant now) {
  const auto cseq = message.maybe<CSeq>();
  if (!cseq || message.method() == Method::Ack || message.method() == Method::Cancel) return;
  const bool is_new = cseq->number > end.highest;
  end.highest = std::max(end.highest, cseq->number);
  if (!is_new) return;  // sent again
  check(!end.has_bye || !needs_a_session(message.method_text()),
        "nothing that needs a session follows a BYE", message.to_string());
  if (message.method() == Method::Bye) end.has_bye = true;
  const bool may_offer = message.method() == Method::Invite || message.method() == Method::Update;
  if (!may_offer || !session_description(message)) return;
  if (end.offer && now - end.offer->sent_at >= transaction_end) end.offer.reset();
  // RFC 3264 4, RFC 6337 2.2: one open offer per dialog.
  if (is_honest_) check(!end.offer, "no offer while another of ours is open", message.to_string());
  end.offer = OpenOffer{cseq->number, std::string(message.method_text()), now};
}

// A response closes the offer of the request that it answers.
void WireWatch::delivered(std::size_t side, const Message& message, Instant now) {
  note(now, fmt::format("    {} gets {}", names[side], message.start_line()));
  const auto cseq = message.maybe<CSeq>();
  auto* offerer = message.is_response() && cseq ? end_of(message, HeaderId::From) : nullptr;
  if (!offerer || !offerer->offer || message.status() < 101) return;
  const auto& offer = *offerer->offer;
  if (offer.cseq != cseq->number || offer.method != cseq->method_text) return;
  const bool closes =
      message.status() >= 200 || (is_reliable_provisional(message) && session_description(message));
  if (closes) offerer->offer.reset();
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
