#include "engine/runner/declared.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "engine/base/ascii.h"
#include "engine/runner/peers.h"
#include "engine/runner/values.h"

namespace sipassay::runner {
namespace {

// Option tags that cases need; Supported of a SUT that has them lists them.
constexpr std::string_view option_tags[] = {"100rel", "replaces", "timer",    "norefersub", "join",
                                            "path",   "gruu",     "outbound", "199"};

// Where a SUT itself says what it has, by the kind of thing.
struct Claim {
  CapabilityKind kind;
  std::string_view rule;
  std::string_view header;
  Clause clause;
};
constexpr Claim claims[] = {
    {CapabilityKind::Method, "profile-methods", "Allow", {3261, "20.5", Level::Stated}},
    {CapabilityKind::Extension, "profile-extensions", "Supported", {3261, "20.37", Level::Stated}},
    {CapabilityKind::EventPackage,
     "profile-event-packages",
     "Allow-Events",
     {6665, "8.2.2", Level::Stated}},
    {CapabilityKind::InfoPackage,
     "profile-info-packages",
     "Recv-Info",
     {6086, "4.2.1", Level::Stated}},
    {CapabilityKind::BodyType, "profile-body-types", "Accept", {3261, "20.1", Level::Stated}},
};

bool is_same(const Capability& capability, std::string_view value) {
  const std::string token = value_token(value);
  if (capability.kind != CapabilityKind::BodyType) return ascii::iequals(token, capability.word);
  const auto type = [](std::string_view text) { return text.substr(0, text.find('/')); };
  return ascii::iequals(token, capability.word) || token == "*/*" ||
         (token.ends_with("/*") && ascii::iequals(type(token), type(capability.word)));
}

class Comparison {
 public:
  Comparison(const Peers& peers, const Declared& declared) : peers_(peers), declared_(declared) {}

  std::vector<ReportedFinding> run() {
    for (const Record& record : peers_.records()) {
      if (!record.is_from_sut) continue;
      for (const Claim& claim : claims) look_at_list(record, claim);
      look_at_answer(record);
    }
    return std::move(out_);
  }

 private:
  void look_at_list(const Record& record, const Claim& claim) {
    if (header_lines(record.message, claim.header) == 0) return;
    const auto values = header_values(record.message, claim.header);
    // Elsewhere a list may leave out what has no place there.
    const bool is_complete = answers_options(record);
    for (const auto& [capability, has] : declared_) {
      if (capability.kind != claim.kind) continue;
      const bool is_listed = std::ranges::any_of(
          values, [&](const auto& value) { return is_same(capability, value); });
      if (is_listed && !has)
        report(claim, record, false, fmt::format("{} names {}", claim.header, capability.word));
      else if (!is_listed && has && is_complete)
        report(claim, record, true,
               fmt::format("{} does not name {}", claim.header, capability.word));
    }
  }

  // RFC 3261 21.4.6, 21.5.2: the method is not there. 21.4.15: the extension is not.
  void look_at_answer(const Record& record) {
    if (!record.message.is_response() || !record.request) return;
    const Message& request = peers_.record(*record.request).message;
    const int status = record.message.status();
    const Capability method{CapabilityKind::Method, std::string(request.method_text())};
    const auto has = find(declared_, method);
    if (has == true && (status == 405 || status == 501))
      report(claims[0], record, true, fmt::format("{} to {}", status, method.word));
    else if (has == false && status / 100 == 2)
      report(claims[0], record, false, fmt::format("{} to {}", status, method.word));
    if (status != 420) return;
    for (const std::string& tag : header_values(record.message, "Unsupported"))
      if (find(declared_, {CapabilityKind::Extension, ascii::to_lower(tag)}) == true)
        report(claims[1], record, true, fmt::format("420 with Unsupported: {}", tag));
  }

  bool answers_options(const Record& record) const {
    return record.message.is_response() && record.message.status() / 100 == 2 && record.request &&
           !record.dialog && peers_.record(*record.request).message.method() == Method::Options;
  }

  void report(const Claim& claim, const Record& record, bool has, std::string observed) {
    const auto known = std::ranges::find(out_, claim.rule, &ReportedFinding::rule);
    if (known != out_.end()) {
      ++known->count;
      return;
    }
    out_.push_back({std::string(claim.rule), to_string(claim.clause),
                    has ? "as the SUT's profile says: it has that"
                        : "as the SUT's profile says: it lacks that",
                    std::move(observed), 1, record.entry});
  }

  const Peers& peers_;
  const Declared& declared_;
  std::vector<ReportedFinding> out_;
};

// Event and Info-Package of what the peer sends, and the type of its body.
void add_sent(const SendStep& send, std::vector<Capability>& out) {
  for (const HeaderEdit& edit : send.edit.headers) {
    if (edit.action != HeaderEdit::Action::Set && edit.action != HeaderEdit::Action::Add) continue;
    if (edit.name == "Event" && send.method == "SUBSCRIBE")
      out.push_back({CapabilityKind::EventPackage, value_token(edit.value)});
    if (edit.name == "Info-Package" && send.method == "INFO")
      out.push_back({CapabilityKind::InfoPackage, value_token(edit.value)});
  }
  if (!send.edit.body_type.empty())
    out.push_back({CapabilityKind::BodyType, ascii::to_lower(value_token(send.edit.body_type))});
}

}  // namespace

std::string to_string(const Capability& capability) {
  switch (capability.kind) {
    case CapabilityKind::Method:
      return capability.word;
    case CapabilityKind::Extension:
      return "the extension " + capability.word;
    case CapabilityKind::EventPackage:
      return "the event package " + capability.word;
    case CapabilityKind::InfoPackage:
      return "the Info Package " + capability.word;
    case CapabilityKind::BodyType:
      return "bodies of type " + capability.word;
  }
  return {};
}

std::optional<bool> find(const Declared& declared, const Capability& capability) {
  const auto found = declared.find(capability);
  return found == declared.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Capability> capability_of_need(std::string_view need) {
  std::string upper(need);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (method_from(upper) != Method::Other) return Capability{CapabilityKind::Method, upper};
  if (std::ranges::find(option_tags, need) == std::end(option_tags)) return std::nullopt;
  return Capability{CapabilityKind::Extension, std::string(need)};
}

std::vector<Capability> capabilities_needed(const Case& the_case) {
  std::vector<Capability> out;
  for (const std::string& need : the_case.needs)
    if (auto capability = capability_of_need(need)) out.push_back(std::move(*capability));
  for (const Step& step : the_case.steps)
    if (const auto* send = std::get_if<SendStep>(&step.action)) add_sent(*send, out);
  return out;
}

std::vector<ReportedFinding> contradictions(const Peers& peers, const Declared& declared) {
  return Comparison(peers, declared).run();
}

}  // namespace sipassay::runner
