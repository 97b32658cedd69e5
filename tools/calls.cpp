#include "tools/calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "engine/message/sipfrag.h"
#include "reports/escape.h"
#include "tools/options.h"

namespace sipassay::tools {

// What ends a step.
enum class StepEnd : std::uint8_t {
  Answer,        // the final response to its request
  Subscription,  // the end of the subscription that its REFER made
  Time,
  Bye,  // the peer's
};

struct CallStepRow {
  std::string_view name;
  std::string_view argument;  // empty: takes none; in brackets: may be left out
  std::string_view about;
  StepEnd end;
  std::string_view method;  // of its request
  agent::Command (*command)(agent::CallId call, const std::string& argument);
};

namespace {

using agent::Reinvite;

template <Reinvite::Kind kind>
agent::Command reinvite(agent::CallId call, const std::string&) {
  return Reinvite{call, kind};
}
template <bool has_offer>
agent::Command update(agent::CallId call, const std::string&) {
  return agent::Update{call, has_offer};
}
const agent::Body& text_body() {
  static const agent::Body body{"text/plain", "Sipassay", {}};
  return body;
}
agent::Command info(agent::CallId call, const std::string& package) {
  return agent::SendInfo{call, package, text_body()};
}
agent::Command message(agent::CallId call, const std::string&) {
  return agent::SendMessage{{}, call, text_body()};
}
agent::Command refer(agent::CallId call, const std::string& to) {
  return agent::SendRefer{call, to};
}

using enum StepEnd;
constexpr std::array rows{
    CallStepRow{"hold", "", "re-INVITE that puts the call on hold", Answer, "INVITE",
                reinvite<Reinvite::Kind::Hold>},
    CallStepRow{"resume", "", "re-INVITE that takes it back", Answer, "INVITE",
                reinvite<Reinvite::Kind::Resume>},
    CallStepRow{"reinvite", "", "re-INVITE that changes nothing", Answer, "INVITE",
                reinvite<Reinvite::Kind::Same>},
    CallStepRow{"offerless-reinvite", "", "re-INVITE without SDP", Answer, "INVITE",
                reinvite<Reinvite::Kind::Offerless>},
    CallStepRow{"add-media", "", "re-INVITE that offers video as well", Answer, "INVITE",
                reinvite<Reinvite::Kind::AddMedia>},
    CallStepRow{"update", "", "UPDATE with an offer", Answer, "UPDATE", update<true>},
    CallStepRow{"empty-update", "", "UPDATE without SDP", Answer, "UPDATE", update<false>},
    CallStepRow{"info", "[PACKAGE]", "INFO of that package; without: legacy INFO", Answer, "INFO",
                info},
    CallStepRow{"message", "", "MESSAGE in the dialog", Answer, "MESSAGE", message},
    CallStepRow{"refer", "URI", "REFER to there; done when a NOTIFY says 2xx", Subscription,
                "REFER", refer},
    CallStepRow{"wait", "TIME", "nothing for that long", Time, "", nullptr},
    CallStepRow{"await-bye", "", "until the peer hangs up; the last step", Bye, "", nullptr},
};

bool is_success(int status) {
  return status >= 200 && status < 300;
}

std::string answer_text(std::string_view method, int status) {
  if (status == 0) return fmt::format("{} was not answered", method);
  return fmt::format("{} was answered {}", method, status);
}

// "hold", "refer=sip:carol@192.0.2.7", "wait=1s"
std::expected<CallStep, std::string> call_step_from(std::string_view written) {
  const std::size_t equals = written.find('=');
  const auto row = std::ranges::find(rows, written.substr(0, equals), &CallStepRow::name);
  const auto refuse = [&](std::string_view why) {
    return std::unexpected(fmt::format("\"{}\": {}", reports::printable(written), why));
  };
  if (row == rows.end()) return refuse("no such step");
  CallStep step{.row = std::to_address(row), .argument = {}};
  if (equals != std::string_view::npos) step.argument = written.substr(equals + 1);
  if (row->argument.empty() && equals != std::string_view::npos)
    return refuse("this step takes no argument");
  const bool must_have = !row->argument.empty() && !row->argument.starts_with('[');
  if (must_have && step.argument.empty())
    return refuse(fmt::format("write {}={}", row->name, row->argument));
  if (row->end == Time) {
    const auto wait = duration_from(step.argument);
    if (!wait) return refuse("no time like 500ms, 4s, 1.5s");
    step.wait = *wait;
  }
  return step;
}

}  // namespace

std::expected<std::vector<CallStep>, std::string> call_steps_from(
    const std::vector<std::string>& written) {
  if (written.size() > call_steps_max)
    return std::unexpected(fmt::format("no more than {} steps", call_steps_max));
  std::vector<CallStep> steps;
  for (const std::string& one : written) {
    if (!steps.empty() && steps.back().row->end == Bye)
      return std::unexpected(fmt::format("no step after {}", steps.back().row->name));
    auto step = call_step_from(one);
    if (!step) return std::unexpected(step.error());
    steps.push_back(*std::move(step));
  }
  return steps;
}

std::string call_steps_text() {
  std::string out;
  for (const CallStepRow& row : rows) {
    std::string written(row.name);
    if (row.argument.starts_with('['))
      written += fmt::format("[={}]", row.argument.substr(1, row.argument.size() - 2));
    else if (!row.argument.empty())
      written += fmt::format("={}", row.argument);
    out += fmt::format("{}  {:<20} {}", out.empty() ? "" : "\n", written, row.about);
  }
  return out;
}

// --- what the agent tells

void Calls::handle(const agent::Event& event) {
  std::visit([this](const auto& e) { on(e); }, event);
}

void Calls::on(const agent::CallPlaced& event) {
  if (!event.is_referred && std::exchange(is_placing_, false)) live_[event.call];
}

void Calls::on(const agent::CallConfirmed& event) {
  const Entry it = live_.find(event.call);
  if (it != live_.end() && it->second.phase == Phase::Calling) it->second.phase = Phase::Idle;
}

void Calls::on(const agent::CallEnded& event) {
  const Entry it = live_.find(event.call);
  if (it == live_.end()) return;
  Live& call = it->second;
  // It ends with our BYE, whose answer is to come; or before we could send one.
  if (call.phase == Phase::HangingUp && !call.wants_hang_up) return;
  const CallStep* step = current(call);
  if (step != nullptr && step->row->end == Bye && call.failure.empty() &&
      call.phase != Phase::Calling)
    step_done(call);
  else if (call.phase == Phase::Calling)
    fail(call, fmt::format("not answered: {}", event.reason));
  else
    fail(call, step == nullptr
                   ? fmt::format("ended by the peer: {}", event.reason)
                   : fmt::format("ended before {} was done: {}", step->row->name, event.reason));
  call.phase = Phase::Over;
}

void Calls::on(const agent::RequestAnswered& event) {
  // No call could be made of the Call.
  if (event.call == 0 && event.method == "INVITE" && std::exchange(is_placing_, false))
    return count(0, answer_text(event.method, event.status));
  const Entry it = live_.find(event.call);
  if (it == live_.end()) return;
  Live& call = it->second;
  if (!is_success(event.status)) fail(call, answer_text(event.method, event.status));
  if (event.method == "BYE" && call.phase == Phase::HangingUp) call.phase = Phase::Over;
  const CallStep* step = current(call);
  const bool ends_step = call.phase == Phase::Stepping && step != nullptr &&
                         step->row->end == Answer && step->row->method == event.method;
  if (ends_step) step_done(call);
}

void Calls::on(const agent::OfferRejected& event) {
  const Entry it = live_.find(event.call);
  if (it != live_.end() && !event.will_retry)
    fail(it->second, answer_text("an offer", event.status));
}

void Calls::on(const agent::NotifyArrived& event) {
  const Entry it = live_.find(event.call);
  if (it == live_.end() || event.event != "refer") return;
  if (const int status = sipfrag_status(event.body.octets)) it->second.refer_status = status;
}

void Calls::on(const agent::SubscriptionMoved& event) {
  const Entry it = live_.find(event.call);
  const bool is_end =
      !event.is_notifier && event.event.starts_with("refer") && event.phase == "Terminated";
  if (it == live_.end() || !is_end) return;
  Live& call = it->second;
  const CallStep* step = current(call);
  if (call.phase != Phase::Stepping || step == nullptr || step->row->end != Subscription) return;
  if (!is_success(call.refer_status))
    fail(call, call.refer_status == 0 ? std::string("the end of the REFER was not notified")
                                      : fmt::format("the REFER ended with {}", call.refer_status));
  step_done(call);
}

void Calls::on(const agent::Violation& event) {
  const Entry it = live_.find(event.call);
  if (it == live_.end()) return;
  const Finding& finding = event.finding;
  fail(it->second, fmt::format("the peer broke {} ({}): expected {}, got {}", finding.rule,
                               to_string(finding.clause), finding.expected, finding.observed));
}

// --- what is to be done

std::optional<agent::Command> Calls::poll(Instant now) {
  for (Entry it = live_.begin(); it != live_.end();) {
    if (auto command = go_on(it->first, it->second, now)) return command;
    if (it->second.phase != Phase::Over) {
      ++it;
      continue;
    }
    count(it->first, it->second.failure);
    it = live_.erase(it);
  }
  return begin(now);
}

std::optional<agent::Command> Calls::begin(Instant now) {
  const bool may_begin = begun_ < plan_.calls && live_.size() < plan_.at_once && !is_placing_;
  if (!may_begin || now < next_begin_) return std::nullopt;
  // What could not begin in time is not made up for in a burst.
  next_begin_ = std::max(next_begin_ + plan_.interval, now);
  agent::Call call = plan_.call;
  call.target = plan_.targets[begun_ % plan_.targets.size()];
  ++begun_;
  is_placing_ = true;
  return call;
}

std::optional<agent::Command> Calls::go_on(agent::CallId id, Live& call, Instant now) {
  if (!call.gives_up_at) call.gives_up_at = now + plan_.patience;
  if (call.phase == Phase::Over) return std::nullopt;
  if (now >= *call.gives_up_at) {
    fail(call, "not over in time");
    call.phase = Phase::Over;
    return agent::HangUp{id};
  }
  if (std::exchange(call.wants_hang_up, false)) return agent::HangUp{id};
  if (call.wait_ends_at && now >= *call.wait_ends_at) step_done(call);
  if (call.phase != Phase::Idle) return std::nullopt;
  const CallStep* step = call.failure.empty() ? current(call) : nullptr;
  if (step == nullptr) {
    call.phase = Phase::HangingUp;
    return agent::HangUp{id};
  }
  call.phase = Phase::Stepping;
  if (step->row->end == Time) call.wait_ends_at = now + step->wait;
  if (step->row->command == nullptr) return std::nullopt;
  return step->row->command(id, step->argument);
}

const CallStep* Calls::current(const Live& call) const {
  return call.step < plan_.steps.size() ? &plan_.steps[call.step] : nullptr;
}

void Calls::step_done(Live& call) {
  call.wait_ends_at.reset();
  call.refer_status = 0;
  ++call.step;
  if (call.phase == Phase::Stepping) call.phase = Phase::Idle;
}

// The first reason counts; nothing more is done but to hang up.
void Calls::fail(Live& call, std::string why) {
  if (!call.failure.empty()) return;
  call.failure = std::move(why);
  if (call.phase == Phase::Over || call.phase == Phase::HangingUp) return;
  call.wants_hang_up = call.phase != Phase::Calling;
  if (call.wants_hang_up) call.phase = Phase::HangingUp;
}

void Calls::count(agent::CallId id, const std::string& failure) {
  ++ended_count_;
  if (failure.empty()) return;
  ++failed_count_;
  if (failed_count_ <= failures_told_max)
    failures_.push_back(fmt::format("call {} failed: {}", id, reports::printable(failure)));
}

std::optional<Instant> Calls::deadline() const {
  std::optional<Instant> next;
  const auto consider = [&next](std::optional<Instant> due) {
    if (due && (!next || *due < *next)) next = due;
  };
  for (const auto& [id, call] : live_) {
    consider(call.gives_up_at);
    consider(call.wait_ends_at);
  }
  if (begun_ < plan_.calls && live_.size() < plan_.at_once) consider(next_begin_);
  return next;
}

}  // namespace sipassay::tools
