#include "tools/doctor_answer.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/parse.h"
#include "engine/runner/values.h"
#include "reports/escape.h"

namespace sipassay::tools {
namespace {

// Answers that come sooner come at once.
constexpr Duration at_once = 500ms;

std::string_view method_of(Ask ask, std::string_view subject) {
  switch (ask) {
    case Ask::Method:
    case Ask::MethodInCall:
      return subject;
    case Ask::EventPackage:
      return "SUBSCRIBE";
    case Ask::Info:
      return "INFO";
    case Ask::Options:
    case Ask::Hops:
    case Ask::Datagram:
    case Ask::Extension:
      return "OPTIONS";
    default:
      return "INVITE";
  }
}

std::string cseq_method(const Message& message) {
  return runner::message_value(message, "cseq.method").value_or("");
}

bool has_sdp(const Message& message) {
  return runner::sdp_of(message).has_value();
}

// A call as far as it tells behaviours apart.
struct Course {
  const Spoken* ringing = nullptr;   // the first provisional response that is no 100
  const Spoken* reliable = nullptr;  // the first with RSeq
  const Spoken* final = nullptr;
  const Spoken* request = nullptr;  // the first that the SUT sent by itself in the call
  bool is_challenged = false;
  int challenge = 0;
  bool has_early_sdp = false;
  bool is_queued = false;
};

Course course_of(const Answer& answer) {
  Course out;
  out.final = answer.final("INVITE");
  for (const Spoken& one : answer.spoken()) {
    if (!one.is_from_sut || one.is_copy || !answer.belongs(one.message)) continue;
    const Message& message = one.message;
    if (message.is_request()) {
      // Its BYE after ours, or to us after we have gone, is no behaviour.
      if (out.request == nullptr && message.method() != Method::Ack) out.request = &one;
      continue;
    }
    if (cseq_method(message) != "INVITE") continue;
    const int status = message.status();
    if (status == 401 || status == 407) out.challenge = status;
    if (status <= 100 || status >= 200) continue;
    if (out.ringing == nullptr) out.ringing = &one;
    if (out.reliable == nullptr && message.has(HeaderId::RSeq)) out.reliable = &one;
    out.has_early_sdp |= has_sdp(message);
    out.is_queued |= status == 182;
  }
  return out;
}

std::string by_request(const Message& request) {
  const bool offers = has_sdp(request);
  switch (request.method()) {
    case Method::Invite: {
      if (!offers) return "reinvite-offerless";
      const std::string sdp = runner::sdp_of(request).value_or("");
      const bool holds = sdp.find("a=sendonly") != std::string::npos ||
                         sdp.find("a=inactive") != std::string::npos;
      return holds ? "hold" : "glare";
    }
    case Method::Update:
      return offers ? "update" : "update-empty";
    case Method::Info:
      return request.has(HeaderId::InfoPackage) ? "info" : "legacy-info";
    case Method::Message:
      return "message";
    case Method::Refer:
      return "refer";
    case Method::Bye:
      return "hang-up";
    default:
      return {};
  }
}

std::string by_status(int status, bool has_rung, bool is_reliable) {
  if (is_reliable) return status == 486 || status == 600 ? "reliable-busy" : "";
  switch (status) {
    case 401:
      return "digest";
    case 407:
      return "proxy-digest";
    case 403:
      return "forbidden";
    case 404:
    case 604:
      return "nobody";
    case 410:
      return "gone";
    case 480:
    case 408:
      return has_rung ? "no-answer" : "unavailable";
    case 486:
    case 600:
      return has_rung ? "ring-busy" : "busy";
    case 488:
    case 606:
      return "not-acceptable";
    case 500:
      return "error";
    case 503:
      return "overload";
    case 603:
      return "decline";
    default:
      return status / 100 == 3 ? "redirect" : "";
  }
}

std::string answered(const Course& course, Duration after) {
  if (course.reliable != nullptr)
    return has_sdp(course.reliable->message) ? "reliable" : "reliable-ring";
  if (course.challenge != 0) return course.challenge == 401 ? "digest" : "proxy-digest";
  if (after >= at_once && course.ringing != nullptr)
    return course.is_queued ? "queue" : course.has_early_sdp ? "early-media" : "slow";
  if (after >= at_once) return {};
  return course.request == nullptr ? "auto" : by_request(course.request->message);
}

std::string unanswered(const Course& course) {
  if (course.reliable != nullptr)
    return has_sdp(course.reliable->message) ? "reliable-wait" : "reliable-ring-wait";
  return course.ringing != nullptr ? "ring" : "silent";
}

double seconds(Duration span) {
  return static_cast<double>(span / 1ms) / 1000;
}

}  // namespace

bool is_seen_in_calls(std::string_view behaviour) {
  static constexpr std::string_view all[] = {"auto",
                                             "slow",
                                             "queue",
                                             "early-media",
                                             "ring",
                                             "silent",
                                             "busy",
                                             "ring-busy",
                                             "no-answer",
                                             "decline",
                                             "forbidden",
                                             "gone",
                                             "nobody",
                                             "error",
                                             "unavailable",
                                             "overload",
                                             "redirect",
                                             "not-acceptable",
                                             "digest",
                                             "glare",
                                             "proxy-digest",
                                             "hold",
                                             "reinvite-offerless",
                                             "update",
                                             "hang-up",
                                             "update-empty",
                                             "info",
                                             "legacy-info",
                                             "message",
                                             "refer"};
  return std::ranges::find(all, behaviour) != std::end(all);
}

std::string describe_response(const Message& response) {
  const std::string reason = reports::printable(ascii::trim(response.reason()));
  return fmt::format("{}{}{}", response.status(), reason.empty() ? "" : " ",
                     std::string_view(reason).substr(0, 60));
}

Answer::Answer(const Question& question, const runner::CaseResult& result)
    : question_(&question), result_(&result) {
  for (const runner::TranscriptEntry& entry : result.messages) {
    auto message = parse_message(entry.octets);
    if (!message) continue;
    spoken_.push_back(
        {entry.at, entry.from == "sut", entry.is_retransmission, std::move(*message)});
  }
  if (!spoken_.empty())
    call_id_ = runner::message_value(spoken_.front().message, "call-id").value_or("");
}

bool Answer::belongs(const Message& message) const {
  return runner::message_value(message, "call-id").value_or("") == call_id_;
}

const Spoken* Answer::final(std::string_view method) const {
  const Spoken* out = nullptr;
  for (const Spoken& one : spoken_)
    if (one.is_from_sut && !one.is_copy && one.message.is_response() &&
        one.message.status() >= 200 && cseq_method(one.message) == method && belongs(one.message))
      out = &one;
  return out;
}

const Spoken* Answer::final() const {
  const auto method = method_of(question_->ask, question_->subject);
  const Spoken* out = final(method);
  if (question_->ask != Ask::Reinvite || out == nullptr) return out;
  // The answer to the call is none to the re-INVITE.
  const auto first = std::ranges::find_if(spoken_, [](const Spoken& one) {
    return one.is_from_sut && one.message.is_response() && one.message.status() >= 200;
  });
  return runner::message_value(first->message, "cseq") ==
                 runner::message_value(out->message, "cseq")
             ? nullptr
             : out;
}

int Answer::status() const {
  const Spoken* one = final();
  return one == nullptr ? 0 : one->message.status();
}

std::string Answer::outcome() const {
  const Spoken* one = final();
  return one == nullptr ? "no answer" : describe_response(one->message);
}

const Message* Answer::with(std::string_view header) const {
  for (const Spoken& one : spoken_)
    if (one.is_from_sut && runner::header_lines(one.message, header) > 0) return &one.message;
  return nullptr;
}

Meeting meeting(const Answer& answer) {
  Meeting out;
  if (answer.spoken().empty()) return out;
  const Course course = course_of(answer);
  out.has_rung = course.ringing != nullptr;
  if (out.has_rung)
    out.text = fmt::format("{}{} after {:.1f} s, ", describe_response(course.ringing->message),
                           course.ringing == course.reliable ? " reliably" : "",
                           seconds(answer.since_call(*course.ringing)));
  const bool is_given_up = answer.final("CANCEL") != nullptr || course.final == nullptr;
  if (is_given_up) {
    out.text += fmt::format("no final answer in {:.1f} s", seconds(call_patience));
    out.behaviour = unanswered(course);
    return out;
  }
  const int status = course.final->message.status();
  const Duration after = answer.since_call(*course.final);
  out.text +=
      fmt::format("{} after {:.1f} s", describe_response(course.final->message), seconds(after));
  out.is_answered = status / 100 == 2;
  if (out.is_answered && course.request != nullptr)
    out.text += fmt::format(", then it sends {}",
                            reports::printable(course.request->message.method_text()));
  out.behaviour = out.is_answered
                      ? answered(course, after)
                      : by_status(status, course.ringing != nullptr, course.reliable != nullptr);
  return out;
}

}  // namespace sipassay::tools
