#include "engine/runner/match.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/agent/digest.h"
#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/header_id.h"
#include "engine/message/uri.h"
#include "engine/runner/run.h"
#include "engine/runner/values.h"
#include "engine/sdp/negotiate.h"

namespace sipassay::runner {
namespace {

// Calls f with each piece between bars until one gives true.
template <class F>
bool any_of_bars(std::string_view text, F f) {
  while (true) {
    const auto bar = text.find('|');
    if (f(ascii::trim(text.substr(0, bar)))) return true;
    if (bar == std::string_view::npos) return false;
    text.remove_prefix(bar + 1);
  }
}

struct StatusRange {
  int low = 0, high = -1;
};
StatusRange status_range(std::string_view text) {
  if (text.size() == 3 && ascii::is_digit(text[0]) && ascii::iequals(text.substr(1), "xx")) {
    const int low = (text[0] - '0') * 100;
    return {low, low + 99};
  }
  const auto value = ascii::number<int>(text);
  return value ? StatusRange{*value, *value} : StatusRange{};
}

// --- header checks

struct Subject {
  std::vector<std::string> values;  // of the header's values, or of their parameter or part
  std::string name;                 // how a report calls it: "RAck", "From tag"
  bool is_list = false;
  bool is_text = false;   // body, sdp, start-line
  bool is_there = false;  // an empty list, "Supported:", is there and has no values
};

std::string label(const HeaderCheck& what) {
  std::string out = what.name;
  if (const auto id = header_id_from(what.name); id != HeaderId::Other) out = header_name(id);
  if (!what.part.empty()) out += " " + what.part;
  if (!what.param.empty()) out += " parameter " + what.param;
  return out;
}

Subject subject_of(const Message& message, const HeaderCheck& what) {
  Subject out;
  out.name = label(what);
  for (const std::string_view pseudo :
       {"start-line", "body", "sdp", "status", "reason", "method", "request-uri"}) {
    if (what.name != pseudo) continue;
    out.is_text = pseudo == "body" || pseudo == "sdp" || pseudo == "start-line";
    auto value = message_value(
        message, what.part.empty() ? std::string(pseudo) : fmt::format("{}.{}", pseudo, what.part));
    if (value && (!out.is_text || !value->empty())) out.values.push_back(std::move(*value));
    return out;
  }
  const auto id = header_id_from(what.name);
  out.is_there = what.param.empty() && what.part.empty() && header_lines(message, what.name) > 0;
  out.is_list = id != HeaderId::Other && is_list(id);
  for (const auto& value : header_values(message, what.name)) {
    std::optional<std::string> part = value;
    // How a parameter is written counts in every value.
    const bool is_raw = what.op == HeaderCheck::Op::Quoted || what.op == HeaderCheck::Op::Unquoted;
    if (is_raw)
      part = raw_param(what.name, value, what.param);
    else if (!what.param.empty())
      part = value_param(what.name, value, what.param);
    else if (!what.part.empty())
      part = value_part(what.name, value, what.part);
    if (part) out.values.push_back(std::move(*part));
    if (!what.param.empty() && !is_raw) break;
  }
  return out;
}

bool is_uri_part(const HeaderCheck& what) {
  return what.part == "uri" || (what.name == "request-uri" && what.part.empty());
}

// Tokens, hosts and the like have no case (RFC 3261 7.3.1); the rest does.
bool compares_without_case(const HeaderCheck& what, const Subject& subject) {
  return what.part == "host" || what.part == "transport" || what.part == "scheme" ||
         what.part == "token" || (subject.is_list && what.part.empty() && what.param.empty());
}

bool equal(const HeaderCheck& what, const Subject& subject, std::string_view a,
           std::string_view b) {
  if (a == b) return true;
  if (is_uri_part(what)) {
    const auto left = parse_uri(a);
    const auto right = parse_uri(b);
    return left && right && equivalent(*left, *right);
  }
  if (compares_without_case(what, subject)) return ascii::iequals(a, b);
  const auto left = ascii::number<std::uint64_t>(a);
  const auto right = ascii::number<std::uint64_t>(b);
  return left && right && *left == *right;
}

bool has(const HeaderCheck& what, const Subject& subject, std::string_view wanted) {
  for (const auto& value : subject.values) {
    if (!subject.is_list || subject.is_text) {
      if (value.find(wanted) != std::string::npos) return true;
      continue;
    }
    if (ascii::iequals(value_token(value), wanted) || equal(what, subject, value, wanted))
      return true;
  }
  return false;
}

std::string join(const std::vector<std::string>& values) {
  if (values.empty()) return "absent";
  std::string out;
  for (const auto& value : values) {
    if (!out.empty()) out += ", ";
    out += value;
  }
  if (out.size() > 400) {
    out.resize(400);
    out += "…";
  }
  return out;
}

std::string_view word(HeaderCheck::Op op) {
  using Op = HeaderCheck::Op;
  switch (op) {
    case Op::Present:
      return "present";
    case Op::Absent:
      return "absent";
    case Op::Is:
      return "is";
    case Op::IsNot:
      return "is not";
    case Op::Has:
      return "has";
    case Op::HasNot:
      return "has not";
    case Op::Count:
      return "occurs this often:";
    case Op::Matches:
      return "matches";
    case Op::LessThan:
      return "is less than";
    case Op::GreaterThan:
      return "is greater than";
    case Op::AtLeast:
      return "is at least";
    case Op::AtMost:
      return "is at most";
    case Op::SameAs:
      return "is the same as in";
    case Op::DiffersFrom:
      return "differs from that in";
    case Op::Quoted:
      return "is a quoted string";
    case Op::Unquoted:
      return "is a token";
    case Op::Distinct:
      return "differs from value to value in";
    case Op::Digest:
      return "is";
  }
  return {};
}

std::optional<double> as_number(std::string_view text) {
  const auto value = ascii::number<std::uint64_t>(text);
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

bool compares(HeaderCheck::Op op, const Subject& subject, std::string_view wanted) {
  const auto right = as_number(wanted);
  if (subject.values.empty() || !right) return false;
  const auto left = as_number(subject.values.front());
  if (!left) return false;
  switch (op) {
    case HeaderCheck::Op::LessThan:
      return *left < *right;
    case HeaderCheck::Op::GreaterThan:
      return *left > *right;
    case HeaderCheck::Op::AtLeast:
      return *left >= *right;
    case HeaderCheck::Op::AtMost:
      return *left <= *right;
    default:
      return false;
  }
}

bool is_quoted(std::string_view text) {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"';
}

// The parameters by which no two values may be alike.
bool are_distinct(const std::vector<std::string>& values, std::string_view header,
                  std::string_view params) {
  std::set<std::vector<std::string>> seen;
  return std::ranges::all_of(values, [&](const std::string& value) {
    std::vector<std::string> key;
    for (const auto param : split_outside(params, ' '))
      key.push_back(ascii::to_lower(value_param(header, value, param).value_or("")));
    return seen.insert(std::move(key)).second;
  });
}

bool holds(const HeaderCheck& what, const Subject& subject, const std::string& wanted,
           const Message* other) {
  using Op = HeaderCheck::Op;
  const auto is_first = [&](std::string_view value) {
    return !subject.values.empty() && equal(what, subject, subject.values.front(), value);
  };
  switch (what.op) {
    case Op::Present:
      return subject.is_there || !subject.values.empty();
    case Op::Absent:
      return !subject.is_there && subject.values.empty();
    case Op::Is:
      return is_first(wanted);
    case Op::IsNot:
      return !is_first(wanted);
    case Op::Has:
      return has(what, subject, wanted);
    case Op::HasNot:
      return !has(what, subject, wanted);
    case Op::Count:
      return std::to_string(subject.values.size()) == wanted;
    case Op::Matches:
      return std::ranges::any_of(subject.values,
                                 [&](const auto& value) { return glob_matches(wanted, value); });
    case Op::LessThan:
    case Op::GreaterThan:
    case Op::AtLeast:
    case Op::AtMost:
      return compares(what.op, subject, wanted);
    case Op::SameAs:
    case Op::DiffersFrom: {
      const auto others = subject_of(*other, what).values;
      const bool same = std::ranges::equal(
          subject.values, others,
          [&](const auto& a, const auto& b) { return equal(what, subject, a, b); });
      return same == (what.op == Op::SameAs);
    }
    case Op::Quoted:
    case Op::Unquoted:
      return std::ranges::all_of(subject.values, [&](const auto& value) {
        return is_quoted(value) == (what.op == Op::Quoted);
      });
    case Op::Distinct:
      return are_distinct(subject.values, what.name, wanted);
    case Op::Digest:
      break;  // check_digest
  }
  return false;
}

// What `response` of the credentials is and what it should be (RFC 7616 3.4.1).
template <class Header>
std::optional<Mismatch> check_digest(const Message& message, const HeaderCheck& what,
                                     const Login& login) {
  Mismatch out{.expected = label(what) + " with a response that can be computed"};
  out.header = label(what);
  out.level = what.level;
  out.clause_section = what.clause_section;
  out.observed = "absent";
  for (const auto& credentials : message.all<Header>()) {
    out.observed = std::string(message.raw(Header::id));
    const agent::digest::Secret secret{{}, login.user, login.password};
    const auto due = credentials
                         ? agent::digest::expected_response(credentials->params, secret,
                                                            message.method_text(), message.body())
                         : std::nullopt;
    if (!due) return out;
    out.expected = fmt::format("{} with response {}", label(what), *due);
    if (unquote(credentials->params.value("response")) != *due) return out;
  }
  return message.has(Header::id) ? std::nullopt : std::optional(std::move(out));
}

std::optional<Mismatch> check_header(const Message& message, const HeaderCheck& what,
                                     const CheckContext& context) {
  using Op = HeaderCheck::Op;
  if (what.op == Op::Digest && context.login != nullptr)
    return header_id_from(what.name) == HeaderId::ProxyAuthorization
               ? check_digest<ProxyAuthorization>(message, what, *context.login)
               : check_digest<Authorization>(message, what, *context.login);
  const bool refers = what.op == Op::SameAs || what.op == Op::DiffersFrom;
  const Message* other = refers ? context.message(what.value) : nullptr;
  if (refers && other == nullptr)
    return Mismatch{.expected = what.value, .is_reference_unknown = true};
  auto wanted = refers ? std::expected<std::string, UnknownReference>(what.value)
                       : expand(what.value, context.lookup);
  if (!wanted) return Mismatch{.expected = wanted.error().reference, .is_reference_unknown = true};
  const auto subject = subject_of(message, what);
  if (holds(what, subject, *wanted, other)) return std::nullopt;
  Mismatch out;
  out.expected = fmt::format("{} {}", subject.name, word(what.op));
  if (refers)
    out.expected += fmt::format(" {}: {}", *wanted, join(subject_of(*other, what).values));
  else if (!wanted->empty())
    out.expected += " " + *wanted;
  out.observed = what.op == Op::Count
                     ? fmt::format("{}: {}", subject.values.size(), join(subject.values))
                     : fmt::format("{}: {}", subject.name, join(subject.values));
  out.header = header_id_from(what.name) != HeaderId::Other
                   ? std::string(header_name(header_id_from(what.name)))
                   : what.name;
  out.level = what.level;
  out.clause_section = what.clause_section;
  return out;
}

// --- SDP checks

struct SdpVerdict {
  bool holds = false;
  std::string expected, observed;
};

std::optional<sdp::Description> parse_sdp(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::vector<Finding> departures;
  auto parsed = sdp::parse_lenient(*text, departures);
  return parsed ? std::optional(std::move(*parsed)) : std::nullopt;
}

std::string list_findings(const std::vector<Finding>& findings) {
  std::string out;
  for (const auto& finding : findings) {
    if (!out.empty()) out += "; ";
    out +=
        fmt::format("{}: expected {}, came {}", finding.rule, finding.expected, finding.observed);
  }
  return out;
}

SdpVerdict check_medium(const sdp::Description& description, const SdpCheck& what,
                        const std::string& wanted) {
  using Op = SdpCheck::Op;
  if (what.media >= description.media.size())
    return {false, fmt::format("a stream {} in the SDP", what.media + 1),
            fmt::format("{} streams", description.media.size())};
  const auto& medium = description.media[what.media];
  const auto stream = fmt::format("stream {} ({})", what.media + 1, medium.type);
  switch (what.op) {
    case Op::Direction: {
      const auto direction = sdp::to_string(description.direction(medium));
      return {any_of_bars(wanted, [&](auto one) { return one == direction; }),
              fmt::format("{} is {}", stream, wanted), fmt::format("{} is {}", stream, direction)};
    }
    case Op::PortZero:
      return {medium.port == 0, fmt::format("{} is refused (port 0)", stream),
              fmt::format("port {}", medium.port)};
    case Op::PortNotZero:
      return {medium.port != 0, fmt::format("{} is not refused", stream), "port 0"};
    case Op::HasFormat: {
      std::string formats;
      for (const auto& format : medium.formats) formats += format + " ";
      return {medium.has_format(wanted), fmt::format("{} has format {}", stream, wanted), formats};
    }
    default:
      return {};
  }
}

SdpVerdict check_against(const sdp::Description& description, const SdpCheck& what,
                         const Message& other) {
  const auto before = parse_sdp(sdp_of(other));
  if (!before) return {false, fmt::format("an SDP in {}", what.value), "none"};
  if (what.op == SdpCheck::Op::Answers) {
    const auto findings = sdp::check_answer(*before, description);
    return {findings.empty(), fmt::format("an answer to the offer in {} (RFC 3264 6)", what.value),
            list_findings(findings)};
  }
  const auto old_version = before->origin.session_version;
  const auto version = description.origin.session_version;
  const bool is_next = what.op == SdpCheck::Op::NextVersion;
  const bool good = description.origin.is_same_session(before->origin) &&
                    version == old_version + (is_next ? 1 : 0);
  return {good, fmt::format("o= of the same session, version {}", old_version + (is_next ? 1 : 0)),
          fmt::format("o={} {} {} {}", description.origin.username, description.origin.session_id,
                      version, description.origin.address)};
}

std::optional<Mismatch> check_sdp(const Message& message, const SdpCheck& what,
                                  const CheckContext& context) {
  using Op = SdpCheck::Op;
  const auto mismatch = [&](std::string expected, std::string observed) {
    return Mismatch{.expected = std::move(expected),
                    .observed = std::move(observed),
                    .header = "SDP",
                    .level = what.level,
                    .clause_section = what.clause_section};
  };
  const auto unknown = [&](std::string reference) {
    return Mismatch{.expected = std::move(reference), .is_reference_unknown = true};
  };
  const auto text = sdp_of(message);
  if (what.op == Op::Absent)
    return text ? std::optional(mismatch("no SDP", "an SDP body")) : std::nullopt;
  if (!text)
    return mismatch("an SDP body", message.body().empty() ? "no body" : "a body of another type");
  if (what.op == Op::Present) return std::nullopt;
  const auto description = parse_sdp(text);
  if (!description) return mismatch("a well-formed SDP", "an SDP that cannot be read");

  SdpVerdict verdict;
  if (what.op == Op::Answers || what.op == Op::NextVersion || what.op == Op::SameVersion) {
    const Message* other = context.message(what.value);
    if (other == nullptr) return unknown(what.value);
    verdict = check_against(*description, what, *other);
  } else {
    const auto wanted = expand(what.value, context.lookup);
    if (!wanted) return unknown(wanted.error().reference);
    if (what.op == Op::Equals) {
      const auto other = parse_sdp(*wanted);
      verdict = {other && description->is_same_but_version(*other),
                 "the same SDP but for its version: " + *wanted, *text};
    } else if (what.op == Op::MediaCount) {
      verdict = {std::to_string(description->media.size()) == *wanted, *wanted + " streams",
                 fmt::format("{} streams", description->media.size())};
    } else {
      verdict = check_medium(*description, what, *wanted);
    }
  }
  if (verdict.holds) return std::nullopt;
  return mismatch(std::move(verdict.expected), std::move(verdict.observed));
}

}  // namespace

bool status_matches(std::string_view pattern, int status) {
  return any_of_bars(pattern, [&](std::string_view one) {
    if (one == "*") return true;
    const auto dash = one.find('-');
    const auto low = status_range(one.substr(0, dash));
    const auto high = dash == std::string_view::npos ? low : status_range(one.substr(dash + 1));
    return status >= low.low && low.low > 0 && status <= high.high;
  });
}

bool method_matches(std::string_view pattern, std::string_view method) {
  return any_of_bars(pattern, [&](std::string_view one) { return one == "*" || one == method; });
}

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string describe(const Pattern& pattern) {
  std::string out = pattern.method.empty()  ? fmt::format("response {}", pattern.status)
                    : pattern.method == "*" ? "any request"
                                            : pattern.method;
  if (pattern.method.empty() && !pattern.of.empty()) out += " to " + pattern.of;
  if (!pattern.dialog.empty()) out += " in dialog " + pattern.dialog;
  if (!pattern.peer.empty()) out += " at " + pattern.peer;
  return out;
}

std::string describe(const Message& message) {
  if (message.is_request()) return std::string(message.method_text());
  auto out = fmt::format("{} {}", message.status(), message.reason());
  if (const auto method = message_value(message, "cseq.method")) out += " to " + *method;
  return out;
}

std::optional<Mismatch> check(const Message& message, const Check& what,
                              const CheckContext& context) {
  if (const auto* header = std::get_if<HeaderCheck>(&what.check))
    return check_header(message, *header, context);
  return check_sdp(message, std::get<SdpCheck>(what.check), context);
}

std::vector<Mismatch> check_all(const Message& message, const std::vector<Check>& checks,
                                const CheckContext& context) {
  std::vector<Mismatch> out;
  for (const auto& one : checks)
    if (auto mismatch = check(message, one, context)) out.push_back(std::move(*mismatch));
  return out;
}

}  // namespace sipassay::runner
