#include "tools/live_blame.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/message/header/all.h"
#include "engine/message/parse.h"

namespace sipassay::tools {

using runner::CaseResult;
using runner::Outcome;

bool has_met_silence(const CaseResult& result) {
  return !result.messages.empty() && std::ranges::none_of(result.messages, [](const auto& entry) {
    return entry.from == "sut";
  });
}

bool has_met_busy(const CaseResult& result) {
  if (result.outcome != Outcome::Error && result.outcome != Outcome::Fail &&
      result.outcome != Outcome::NonStrict)
    return false;
  const auto at = static_cast<std::size_t>(result.offending);
  if (result.offending < 0 || at >= result.messages.size()) return false;
  const auto response = parse_message(result.messages[at].octets);
  if (!response || !response->is_response()) return false;
  const auto cseq = response->get<CSeq>();
  const int status = response->status();
  return cseq && cseq->method == Method::Invite &&
         (status == 486 || status == 503 || status == 600);
}

bool was_ignored(const CaseResult& result, Duration t1) {
  const auto at = static_cast<std::size_t>(result.offending);
  if (result.offending < 0 || at >= result.messages.size()) return false;
  return result.messages.back().at - result.messages[at].at >= 32 * t1;
}

std::size_t most_suspect(const std::vector<CaseResult*>& crashed,
                         const std::vector<Instant>& begun) {
  std::optional<Instant> last_word;
  for (std::size_t i = 0; i < crashed.size(); ++i)
    for (const runner::TranscriptEntry& entry : crashed[i]->messages)
      if (entry.from == "sut")
        last_word =
            std::max(last_word.value_or(Instant::min()), begun[i] + entry.at.time_since_epoch());
  const auto suspected_at = [&](std::size_t i) {
    const auto& messages = crashed[i]->messages;
    const auto offending = static_cast<std::size_t>(crashed[i]->offending);
    return crashed[i]->offending >= 0 && offending < messages.size()
               ? begun[i] + messages[offending].at.time_since_epoch()
               : begun[i];
  };
  // The first that was sent after its last word; if there is none, the last before.
  std::size_t best = 0;
  for (std::size_t i = 1; i < crashed.size(); ++i) {
    const Instant one = suspected_at(i);
    const Instant other = suspected_at(best);
    const bool is_after = !last_word || one >= *last_word;
    const bool is_best_after = !last_word || other >= *last_word;
    if (is_after != is_best_after ? is_after : is_after ? one < other : one > other) best = i;
  }
  return best;
}

const CaseResult* blame_one(const std::vector<CaseResult*>& crashed,
                            const std::vector<Instant>& begun) {
  const std::size_t culprit = most_suspect(crashed, begun);
  for (std::size_t i = 0; i < crashed.size(); ++i) {
    if (i == culprit) continue;
    crashed[i]->outcome = Outcome::Error;
    crashed[i]->reason =
        fmt::format("the SUT died while this case ran, most probably by {}: run it again",
                    crashed[culprit]->id);
  }
  return crashed[culprit];
}

}  // namespace sipassay::tools
