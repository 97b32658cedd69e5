// What a scripted peer does about a 401 or 407: the same request again, with credentials (RFC 3261
// 22.2, 8.1.3.5).
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/runner/credentials.h"
#include "engine/runner/edit.h"
#include "engine/runner/peers.h"
#include "engine/runner/peers_parts.h"
#include "engine/runner/values.h"

namespace sipassay::runner {

// The CSeq number is above every one that the peer has used with that Call-ID.
void Peers::renew(Message& request, RecordId original) {
  const auto call_id = message_value(request, "call-id");
  std::uint32_t highest = cseq_of(request);
  for (const auto& record : records_)
    if (!record.is_from_sut && record.message.is_request() &&
        message_value(record.message, "call-id") == call_id)
      highest = std::max(highest, cseq_of(record.message));
  if (const auto call = records_[original].dialog)
    highest = std::max(highest, calls_[*call].highest_cseq.value_or(0));
  request.set("CSeq", fmt::format("{} {}", highest + 1, request.method_text()));
  if (const auto via = request.find("Via")) request.remove(*via);
  transaction::add_via(request, peers_[records_[original].peer].local,
                       transaction::make_branch(rng_));
}

Peers::Sent Peers::dispatch_again(Message request, RecordId original, const SendStep& step,
                                  Instant now) {
  const auto call = records_[original].dialog;
  // An INVITE's offer is made again by the same message: the exchange was rolled back by the 401.
  if (auto* attempt = attempt_of(original))
    attempt->request = records_.size();
  else if (call)
    track_exchange(calls_[*call].exchange, calls_[*call].peer_sdp, calls_[*call].sut_sdp,
                   session::Side::Local, carrier_of(request, nullptr, false), request,
                   &calls_[*call]);
  const auto to = records_[original].to;  // records_ grows
  return dispatch(records_[original].peer, std::move(request), call, to, step, now);
}

std::optional<RecordId> Peers::authorize(RecordId challenge, Instant now) {
  const auto found = records_[challenge].request;
  if (!found || !options_->login) return std::nullopt;
  auto request = records_[*found].message;
  if (request.method() == Method::Ack || request.method() == Method::Cancel) return std::nullopt;
  auto& credentials = peers_[records_[*found].peer].credentials;
  if (credentials.answer_challenge(records_[challenge].message, request) !=
      agent::digest::Verdict::Retry)
    return std::nullopt;
  renew(request, *found);
  const auto sent = dispatch_again(std::move(request), *found, {}, now);
  if (!sent) return std::nullopt;
  records_[*found].superseded_by = *sent;
  return *sent;
}

Peers::Sent Peers::send_again(const SendStep& step, const CheckContext& context, RecordId challenge,
                              Instant now) {
  const auto found = records_[challenge].request;
  const auto& response = records_[challenge].message;
  if (!found || !response.is_response() || (response.status() != 401 && response.status() != 407))
    return std::unexpected(SendProblem{fmt::format("{} is no 401 or 407", step.about)});
  if (!options_->login) return std::unexpected(SendProblem{"there is no login"});
  auto request = records_[*found].message;
  if (request.method_text() != step.method)
    return std::unexpected(SendProblem{fmt::format("{} is about another method", step.about)});
  renew(request, *found);
  const auto done =
      put_credentials(response, *options_->login, step.credentials, rng_, context, request);
  if (!done) return std::unexpected(problem(done.error()));
  if (!*done)
    return std::unexpected(SendProblem{"it has no challenge with an algorithm that we know"});
  if (auto edited = apply_edit(step.edit, request, context); !edited)
    return std::unexpected(problem(edited.error()));
  return dispatch_again(std::move(request), *found, step, now);
}

}  // namespace sipassay::runner
