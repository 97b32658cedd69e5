#include "tools/steps_text.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "reports/escape.h"
#include "reports/ladder.h"

namespace sipassay::tools {
namespace {

using namespace runner;

std::string span_text(const Span& span) {
  std::string out;
  if (span.t1_multiple > 0) out = fmt::format("{}*T1", span.t1_multiple);
  if (span.fixed != Duration{} || out.empty())
    out += fmt::format("{}{} s", out.empty() ? "" : " + ", reports::seconds(span.fixed));
  return out;
}

std::string pattern_text(const Pattern& pattern) {
  std::string out = pattern.method.empty() ? pattern.status : pattern.method;
  if (out == "*") out = "anything";
  if (!pattern.of.empty()) out += fmt::format(" to {}", pattern.of);
  if (!pattern.dialog.empty()) out += fmt::format(" in {}", pattern.dialog);
  if (!pattern.peer.empty()) out += fmt::format(" at {}", pattern.peer);
  return out;
}

std::string_view words(HeaderCheck::Op op) {
  using enum HeaderCheck::Op;
  switch (op) {
    case Present:
      return "present";
    case Absent:
      return "absent";
    case Is:
      return "is";
    case IsNot:
      return "is not";
    case Has:
      return "has";
    case HasNot:
      return "has not";
    case Count:
      return "count is";
    case Matches:
      return "matches";
    case LessThan:
      return "less than";
    case GreaterThan:
      return "greater than";
    case AtLeast:
      return "at least";
    case AtMost:
      return "at most";
    case SameAs:
      return "same as in";
    case DiffersFrom:
      return "differs from";
    case Quoted:
      return "is quoted";
    case Unquoted:
      return "is not quoted";
    case Distinct:
      return "has no two alike in";
    case Digest:
      return "digest is";
  }
  return "";
}

std::string_view words(SdpCheck::Op op) {
  using enum SdpCheck::Op;
  switch (op) {
    case Present:
      return "present";
    case Absent:
      return "absent";
    case Answers:
      return "answers the offer of";
    case Equals:
      return "equals";
    case NextVersion:
      return "one version after";
    case SameVersion:
      return "same version as";
    case MediaCount:
      return "media count is";
    case Direction:
      return "direction is";
    case PortZero:
      return "port is zero";
    case PortNotZero:
      return "port is not zero";
    case HasFormat:
      return "has format";
  }
  return "";
}

std::string_view words(NetworkStep::Action action) {
  using enum NetworkStep::Action;
  switch (action) {
    case Drop:
      return "drop";
    case Delay:
      return "delay";
    case Duplicate:
      return "duplicate";
    case Swap:
      return "swap";
    case Close:
      return "close the connection";
    case Unreachable:
      return "port unreachable";
    case Restore:
      return "reachable again";
  }
  return "";
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void all(const Steps& steps, std::size_t indent) {
    std::string_view flow;
    for (const Step& step : steps) {
      if (!step.flow.empty() && step.flow != flow) line(indent, "flow", step.flow);
      flow = step.flow;
      const std::size_t inner = step.flow.empty() ? indent : indent + 2;
      std::visit([&](const auto& action) { one(action, inner); }, step.action);
    }
  }

 private:
  void line(std::size_t indent, std::string_view what, std::string_view text) {
    fmt::format_to(std::back_inserter(out_), "{}{:<9} {}\n", std::string(indent, ' '), what,
                   reports::printable(text));
  }

  static std::string named(std::string_view name, std::string_view text) {
    return name.empty() ? std::string() : fmt::format(" {} {}", text, name);
  }

  static std::string edits(const MessageEdit& edit) {
    std::string out;
    if (edit.raw) return " as raw octets";
    if (edit.sdp) out += fmt::format(", sdp {}", *edit.sdp);
    if (edit.start_line) out += ", start line changed";
    if (edit.body) out += fmt::format(", body {}", edit.body_type);
    if (edit.cseq) out += fmt::format(", CSeq {}", *edit.cseq);
    for (const HeaderEdit& header : edit.headers) {
      const bool removes = header.action == HeaderEdit::Action::Remove ||
                           header.action == HeaderEdit::Action::RemoveParam;
      out += fmt::format(", {}{}{}{}{}{}", removes ? "without " : "", header.name,
                         header.param.empty() ? "" : ";", header.param,
                         header.value.empty() ? "" : ": ", header.value);
    }
    return out;
  }

  static std::string credentials(const SendStep& step) {
    if (!answers_challenge(step)) return step.answers_challenges ? "" : ", no credentials";
    const auto& edit = step.credentials;
    auto out = fmt::format(" with {}credentials for {}", edit.is_basic ? "Basic " : "", step.about);
    const auto add = [&](std::string_view name, const std::optional<runner::Template>& value) {
      if (value) out += fmt::format(", {} {}", name, *value);
    };
    add("user", edit.user);
    add("password", edit.password);
    add("nonce", edit.nonce);
    add("uri", edit.uri);
    add("nc", edit.nc);
    return out;
  }

  void checks(const std::vector<Check>& list, std::size_t indent) {
    for (const Check& check : list)
      std::visit([&](const auto& value) { line(indent + 2, "with", check_text(value)); },
                 check.check);
  }
  static std::string check_text(const HeaderCheck& check) {
    std::string subject = check.name;
    if (!check.param.empty()) subject += ";" + check.param;
    if (!check.part.empty()) subject += " " + check.part;
    std::string out = fmt::format("{} {} {}", subject, words(check.op), check.value);
    if (check.level) out += fmt::format(" ({})", to_string(*check.level));
    return out;
  }
  static std::string check_text(const SdpCheck& check) {
    return fmt::format("sdp {} {}", words(check.op), check.value);
  }

  void one(const SutStep& step, std::size_t indent) {
    std::string text = "does " + step.action;
    for (const auto& [name, value] : step.arguments) text += fmt::format(", {} {}", name, value);
    line(indent, "SUT", text);
  }
  void one(const SendStep& step, std::size_t indent) {
    line(indent, "send",
         step.method + named(step.dialog, "in") + named(step.peer, "from") + named(step.as, "as") +
             credentials(step) + edits(step.edit));
  }
  void one(const ReplyStep& step, std::size_t indent) {
    std::string text = fmt::format("{}{}{}{}", step.status, named(step.to, "to"),
                                   named(step.dialog, "in"), named(step.as, "as"));
    if (step.rseq) text += fmt::format(", reliable, RSeq {}", *step.rseq);
    line(indent, "reply", text + edits(step.edit));
  }
  void one(const ExpectStep& step, std::size_t indent) {
    std::string text = pattern_text(step.pattern) + named(step.as, "as");
    if (step.is_optional) text += ", optional";
    if (step.within) text += ", within " + span_text(*step.within);
    if (step.outcome) text += fmt::format(", then {}", runner::to_string(*step.outcome));
    line(indent, "expect", text);
    checks(step.checks, indent);
  }
  void one(const EitherStep& step, std::size_t indent) {
    for (std::size_t i = 0; i < step.branches.size(); ++i) {
      const EitherStep::Branch& branch = step.branches[i];
      std::string text = branch.outcome ? std::string(runner::to_string(*branch.outcome)) : "";
      if (!branch.reason.empty()) text += (text.empty() ? "" : ": ") + branch.reason;
      if (branch.silence) text += " after silence for " + span_text(*branch.silence);
      line(indent, i == 0 ? "either" : "or", text);
      all(branch.steps, indent + 2);
    }
  }
  void one(const UnorderedStep& step, std::size_t indent) {
    line(indent, "unordered", "");
    all(step.steps, indent + 2);
  }
  void one(const ForbidStep& step, std::size_t indent) {
    line(indent, "forbid",
         fmt::format("{} during {}", pattern_text(step.pattern), span_text(step.during)));
  }
  void one(const AgainStep& step, std::size_t indent) {
    line(indent, "again", fmt::format("{} at {}", step.message, span_text(step.at)));
  }
  void one(const ResendStep& step, std::size_t indent) { line(indent, "resend", step.message); }
  void one(const NetworkStep& step, std::size_t indent) {
    line(indent, "network",
         fmt::format("{} {} {} {}the SUT", words(step.action), step.count,
                     pattern_text(step.pattern), step.to_sut ? "to " : "from "));
  }
  void one(const WaitStep& step, std::size_t indent) { line(indent, "wait", span_text(step.span)); }
  void one(const StateStep& step, std::size_t indent) {
    std::string text = step.of_sut ? "of the SUT" : "of the peer";
    text += named(step.dialog, "in");
    for (const auto& [name, value] : step.fields) text += fmt::format(", {} {}", name, value);
    line(indent, "state", text);
  }
  void one(const DialogStep& step, std::size_t indent) {
    line(indent, "dialog", fmt::format("{} made by {}", step.name, step.from_message));
  }
  void one(const CheckStep& step, std::size_t indent) {
    line(indent, "check", step.message);
    checks(step.checks, indent);
  }

  std::string& out_;
};

}  // namespace

std::string describe(const Steps& steps, std::size_t indent) {
  std::string out;
  Writer(out).all(steps, indent);
  return out;
}

}  // namespace sipassay::tools
