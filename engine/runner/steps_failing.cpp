// Why an expectation was not met: nothing came, something else did, or it is not as required; and
// whether that is the SUT's own word that it lacks the feature.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/runner/script.h"
#include "engine/runner/values.h"

namespace sipassay::runner {

// A final response to the request that the pattern is about, and not what it asks for: no other one
// will come.
std::optional<RecordId> Script::wrong_final(const Pattern& pattern) const {
  if (!pattern.method.empty()) return std::nullopt;
  Pattern any = pattern;
  any.status = "200-699";
  any.dialog.clear();
  for (RecordId id = 0; id < peers_->records().size(); ++id) {
    const auto& record = peers_->record(id);
    if (!record.is_consumed && kind_matches(any, record) && !kind_matches(pattern, record))
      return id;
  }
  return std::nullopt;
}

// The request that a response is waited for never reached the SUT: waiting is of no use.
bool Script::is_undelivered(const Pattern& pattern) const {
  if (!pattern.method.empty()) return false;
  const auto peer = peers_->find(pattern.peer);
  auto request = named_record(pattern.of);
  if (pattern.of.empty() && peer) request = last_request_sent(*peer);
  return request && peers_->record(*request).is_undeliverable &&
         !peers_->record(*request).has_final;
}

bool Script::next_is_here() const {
  const auto& frame = frames_.back();
  const auto is_here = [&](const Pattern& pattern) {
    return std::ranges::any_of(peers_->records(), [&](const Record& record) {
      return !record.is_consumed && kind_matches(pattern, record);
    });
  };
  for (std::size_t i = frame.next + 1; i < frame.steps->size(); ++i) {
    const auto& action = (*frame.steps)[i].action;
    if (const auto* expect = std::get_if<ExpectStep>(&action)) {
      if (is_here(expect->pattern)) return true;
      if (!expect->is_optional) return false;
    } else if (const auto* either = std::get_if<EitherStep>(&action)) {
      return std::ranges::any_of(either->branches, [&](const auto& branch) {
        const auto* first = first_expectation(branch.steps);
        return first != nullptr && is_here(first->pattern);
      });
    } else if (const auto* unordered = std::get_if<UnorderedStep>(&action)) {
      return std::ranges::any_of(unordered->steps, [&](const Step& one) {
        const auto* inner = std::get_if<ExpectStep>(&one.action);
        return inner != nullptr && is_here(inner->pattern);
      });
    } else {
      return false;
    }
  }
  return false;
}

std::string Script::came_instead() const {
  std::string out;
  for (const auto& record : peers_->records()) {
    if (!record.is_from_sut || record.entry < state_.since_entry || record.is_scripted) continue;
    if (out.size() > 200) {
      out += ", …";
      break;
    }
    if (!out.empty()) out += ", ";
    out += describe(record.message);
  }
  if (out.empty() && peers_->malformed_count() > 0)
    return fmt::format("nothing that can be read ({} malformed messages)",
                       peers_->malformed_count());
  return out.empty() ? "nothing" : out;
}

void Script::nothing_came(const Pattern& pattern, Duration waited) {
  const auto observed = came_instead();
  conclude({.reason = fmt::format("{} did not come", describe(pattern)),
            .expected = fmt::format("{} within {}", describe(pattern), seconds(waited)),
            .observed = observed});
}

void Script::wrong_came(const Pattern& pattern, RecordId id) {
  const auto& record = peers_->record(id);
  Verdict verdict{
      .reason = fmt::format("{} came instead of {}", describe(record.message), describe(pattern)),
      .expected = describe(pattern),
      .observed = describe(record.message),
      .offending = static_cast<std::int64_t>(record.entry)};
  is_unsupported(id, verdict);
  conclude(std::move(verdict));
}

// 405, 501 and 420 are the SUT's own word that it lacks the feature, unless it has said otherwise.
bool Script::is_unsupported(RecordId response, Verdict& verdict) const {
  const auto& record = peers_->record(response);
  if (!record.request) return false;
  const auto& request = peers_->record(*record.request).message;
  const int status = record.message.status();
  const auto claims = [&](std::string_view header, std::string_view token) {
    return std::ranges::any_of(peers_->records(), [&](const Record& other) {
      return other.is_from_sut &&
             std::ranges::any_of(header_values(other.message, header), [&](const auto& value) {
               return ascii::iequals(value_token(value), token);
             });
    });
  };
  const auto give = [&](std::string reason) {
    verdict.outcome = Outcome::Unsupported;
    verdict.reason = std::move(reason);
    return true;
  };
  if (status == 405 || status == 501) {
    switch (request.method()) {
      case Method::Invite:
      case Method::Ack:
      case Method::Bye:
      case Method::Cancel:
      case Method::Options:
        return false;  // RFC 3261: every user agent has them
      default:
        break;
    }
    if (claims("Allow", request.method_text())) return false;
    return give(
        fmt::format("the SUT does not support {}: it answered {}", request.method_text(), status));
  }
  if (status != 420) return false;
  const auto required = header_values(request, "Require");
  for (const auto& tag : header_values(record.message, "Unsupported"))
    if (std::ranges::find(required, tag) != required.end() && !claims("Supported", tag) &&
        std::ranges::find(case_.needs, tag) != case_.needs.end())
      return give(fmt::format("the SUT does not support {}: it answered 420", tag));
  return false;
}

// RFC 6086 4.2.1: a user agent that takes INFO with packages says so in Recv-Info. Of a SUT that
// has declared nothing else, that is its word.
bool Script::lacks_recv_info(const Mismatch& mismatch) const {
  const bool has_declared = std::ranges::any_of(options_.declared, [](const auto& one) {
    return one.first.kind == CapabilityKind::InfoPackage && one.second;
  });
  return options_.is_live && !has_declared && mismatch.header == "Recv-Info" &&
         std::ranges::find(case_.needs, "recv-info") != case_.needs.end() &&
         std::ranges::none_of(peers_->records(), [](const Record& record) {
           return record.is_from_sut && record.message.has(HeaderId::RecvInfo);
         });
}

void Script::mismatched(RecordId record, const Mismatch& mismatch) {
  const auto& one = peers_->record(record);
  if (mismatch.is_reference_unknown)
    return error(fmt::format("${{{}}} is not known at this point", mismatch.expected));
  Verdict verdict{
      .reason = fmt::format("{} is not as required: {}", describe(one.message), mismatch.observed),
      .expected = mismatch.expected,
      .observed = mismatch.observed,
      .header = mismatch.header,
      .offending = static_cast<std::int64_t>(one.entry),
      .level = mismatch.level,
      .clause_section = mismatch.clause_section};
  if (lacks_recv_info(mismatch)) {
    verdict.outcome = Outcome::Unsupported;
    verdict.reason =
        "the SUT knows no Info Packages (RFC 6086): none of its messages has Recv-Info";
    conclude(std::move(verdict));
  } else if (weight_of(mismatch) == Outcome::NonStrict)
    note(std::move(verdict));
  else
    conclude(std::move(verdict));
}

}  // namespace sipassay::runner
