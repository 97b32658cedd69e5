#include "scenarios/steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/ascii.h"
#include "scenarios/checks.h"

namespace sipassay::scenarios {

namespace {

using runner::Outcome;
using runner::Steps;

std::string quoted(std::string_view text) {
  return fmt::format("\"{}\"", text.substr(0, 80));
}

// --- <sut do="…">: which arguments an action takes, and which values (none named: any text)
struct Argument {
  std::string_view name;
  std::vector<std::string_view> values;
};
struct Action {
  std::string_view name;
  std::vector<Argument> arguments;
};

const std::vector<Action>& actions() {
  static const std::vector<Action> table = {
      {"call",
       {{"offer", {"yes", "no"}},
        {"reliable", {"if-supported", "never", "always"}},
        {"redirects", {"follow"}},
        {"prack", {"offer"}},
        {"target", {}}}},
      {"ring", {{"status", {}}, {"reliable", {"yes", "no"}}, {"sdp", {"yes", "no"}}}},
      {"answer", {}},
      {"reject", {{"status", {}}, {"next", {"INVITE", "UPDATE"}}}},
      {"redirect", {{"contact", {}}}},
      {"cancel", {}},
      {"hang-up", {}},
      {"reinvite", {{"kind", {"same", "hold", "resume", "offerless", "add-media"}}}},
      {"hold", {}},
      {"resume", {}},
      {"update", {{"offer", {"yes", "no"}}}},
      {"info", {{"package", {}}, {"type", {}}, {"body", {}}}},
      {"message", {{"target", {}}, {"type", {}}, {"body", {}}}},
      {"refer", {{"to", {}}, {"target", {}}, {"subscription", {"yes", "no"}}}},
      {"subscribe", {{"target", {}}, {"event", {}}, {"expires", {}}, {"dialog", {"call"}}}},
      {"unsubscribe", {}},
      {"options", {{"target", {}}}},
      {"register", {{"registrar", {}}, {"expires", {}}, {"bindings", {"own", "none", "all"}}}},
  };
  return table;
}

bool is_number_argument(std::string_view name) {
  return name == "status" || name == "expires";
}

void read_argument(Element& element, const Argument& argument, runner::SutStep& step) {
  const auto value = element.text(argument.name);
  if (!value) return;
  const bool is_known =
      argument.values.empty() ||
      std::ranges::find(argument.values, std::string_view(*value)) != argument.values.end();
  if (!is_known) element.wrong(argument.name, one_of(argument.values), quoted(*value));
  if (is_number_argument(argument.name) && !ascii::number<std::uint32_t>(*value))
    element.wrong(argument.name, "a number", quoted(*value));
  step.arguments.emplace(argument.name, *value);
}

std::optional<Outcome> read_outcome(Element& element) {
  static constexpr std::string_view words[] = {"PASS", "INFO", "NON-STRICT", "UNSUPPORTED",
                                               "NOT-APPLICABLE"};
  static constexpr Outcome outcomes[] = {Outcome::Pass, Outcome::Info, Outcome::NonStrict,
                                         Outcome::Unsupported, Outcome::NotApplicable};
  const auto index = element.choice("outcome", words);
  return index ? std::optional<Outcome>(outcomes[*index]) : std::nullopt;
}

// What a <state> may ask for.
constexpr std::string_view state_fields[] = {"session",    "signaling",  "offer",
                                             "answer",     "route-set",  "remote-target",
                                             "local-cseq", "remote-cseq"};

}  // namespace

struct StepReader::Row {
  std::string_view element;
  void (StepReader::*read)(Element&, Steps&);
};

const std::vector<StepReader::Row>& StepReader::rows() {
  static const std::vector<Row> table = {
      {"sut", &StepReader::sut},       {"send", &StepReader::send},
      {"reply", &StepReader::reply},   {"expect", &StepReader::expect},
      {"either", &StepReader::either}, {"unordered", &StepReader::unordered},
      {"forbid", &StepReader::forbid}, {"again", &StepReader::again},
      {"resend", &StepReader::resend}, {"network", &StepReader::network},
      {"wait", &StepReader::wait},     {"state", &StepReader::state},
      {"dialog", &StepReader::dialog}, {"check", &StepReader::check},
      {"use", &StepReader::use},
  };
  return table;
}

bool StepReader::is_step(std::string_view name) {
  return std::ranges::any_of(rows(), [&](const Row& row) { return row.element == name; });
}

std::vector<std::string_view> StepReader::step_names() {
  std::vector<std::string_view> names;
  for (const auto& row : rows()) names.push_back(row.element);
  return names;
}

void StepReader::read(Element element, Steps& out) {
  for (const auto& row : rows())
    if (row.element == element.name()) return (this->*row.read)(element, out);
  element.unknown_here(step_names());
}

void StepReader::read_all(std::vector<Element> elements, Steps& out) {
  for (auto& element : elements) read(std::move(element), out);
}

template <class T>
void StepReader::add(const Element& element, T action, Steps& out) {
  if (++count_ == steps_max + 1)
    element.wrong(fmt::format("at most {} steps", steps_max), "one more");
  if (count_ > steps_max) return;
  const std::size_t line =
      open_flows_.empty() ? element.context().source.line_of(element.node()) : use_line_;
  out.push_back({std::move(action), line, open_flows_.empty() ? "" : open_flows_.front()});
}

void StepReader::sut(Element& element, Steps& out) {
  runner::SutStep step;
  std::vector<std::string_view> names;
  for (const auto& action : actions()) names.push_back(action.name);
  if (const auto index = element.required_choice("do", names)) {
    step.action = actions()[*index].name;
    for (const auto& argument : actions()[*index].arguments) read_argument(element, argument, step);
  }
  element.is_empty();
  element.done();
  add(element, std::move(step), out);
}

void StepReader::send(Element& element, Steps& out) {
  runner::SendStep step;
  step.method = element.text_or("method", "");
  step.about = read_message_name(element, "for", false);
  step.dialog = read_dialog_name(element);
  step.peer = read_peer_name(element);
  step.to_user = element.text_or("to-user", "");
  step.in_transaction = element.flag("in-transaction").value_or(true);
  step.answers_challenges = element.flag("credentials").value_or(true);
  const bool answers = runner::answers_challenge(step);
  step.edit = read_edit(element, answers ? &step.credentials : nullptr);
  step.as = read_new_name(element);
  if (answers && (step.edit.sdp || step.edit.raw))
    element.wrong("no sdp= and no <raw> with for= a challenge", "one of them");
  if (!step.edit.raw && !element.has("method"))
    element.wrong("attribute method, or <raw>", "<send> with neither");
  if (element.has("method") && !ascii::is_token(step.method))
    element.wrong("method", "a method", quoted(step.method));
  element.done();
  add(element, std::move(step), out);
}

void StepReader::reply(Element& element, Steps& out) {
  runner::ReplyStep step;
  step.to = read_message_name(element, "to", false);
  if (!element.has("status")) element.wrong("attribute status", "<reply> without it");
  step.status = static_cast<int>(element.number("status", 100, 699).value_or(200));
  step.reason = element.text_or("reason", "");
  step.dialog = read_dialog_name(element);
  step.rseq = element.text("rseq");
  step.in_transaction = element.flag("in-transaction").value_or(true);
  step.edit = read_edit(element);
  step.as = read_new_name(element);
  element.done();
  add(element, std::move(step), out);
}

void StepReader::expect(Element& element, Steps& out) {
  runner::ExpectStep step;
  step.pattern = read_pattern(element);
  step.is_optional = element.flag("optional").value_or(false);
  step.within = element.span("within");
  step.outcome = read_outcome(element);
  step.as = read_new_name(element);
  step.checks = read_checks(element);
  element.done();
  add(element, std::move(step), out);
}

void StepReader::either(Element& element, Steps& out) {
  static constexpr std::string_view known[] = {"branch"};
  runner::EitherStep step;
  const Names before = element.context().names;
  Names after = before;
  for (auto& child : element.children()) {
    if (child.name() != "branch") {
      child.unknown_here(known);
      continue;
    }
    element.context().names = before;  // names of one branch may be given again in the next
    runner::EitherStep::Branch branch;
    branch.outcome = read_outcome(child);
    branch.reason = child.text_or("reason", "");
    branch.silence = child.span("silence");
    if (branch.outcome && *branch.outcome != Outcome::Pass && branch.reason.empty())
      child.wrong("attribute reason", "<branch> with an outcome and without it");
    child.done();
    read_all(child.children(), branch.steps);
    const bool begins_with_expect =
        !branch.steps.empty() &&
        std::holds_alternative<runner::ExpectStep>(branch.steps.front().action);
    if (!begins_with_expect && !branch.silence)
      child.wrong("<expect> as the first step of a <branch>", "none");
    step.branches.push_back(std::move(branch));
    const Names& names = element.context().names;
    after.messages.insert(names.messages.begin(), names.messages.end());
    after.dialogs.insert(names.dialogs.begin(), names.dialogs.end());
  }
  element.context().names = after;
  if (step.branches.size() < 2)
    element.wrong("two or more <branch>", fmt::format("{}", step.branches.size()));
  element.done();
  add(element, std::move(step), out);
}

void StepReader::unordered(Element& element, Steps& out) {
  runner::UnorderedStep step;
  read_all(element.children(), step.steps);
  const bool is_expects = std::ranges::all_of(step.steps, [](const runner::Step& inner) {
    return std::holds_alternative<runner::ExpectStep>(inner.action);
  });
  if (step.steps.size() < 2 || !is_expects)
    element.wrong("two or more <expect> and nothing else", "another content of <unordered>");
  element.done();
  add(element, std::move(step), out);
}

void StepReader::forbid(Element& element, Steps& out) {
  runner::ForbidStep step;
  step.pattern = read_pattern(element);
  const auto during = element.span("during");
  if (!element.has("during")) element.wrong("attribute during", "<forbid> without it");
  step.during = during.value_or(runner::Span{});
  element.is_empty();
  element.done();
  add(element, std::move(step), out);
}

void StepReader::again(Element& element, Steps& out) {
  runner::AgainStep step;
  step.message = read_message_name(element, "message", true);
  const auto at = element.span("at");
  if (!element.has("at")) element.wrong("attribute at", "<again> without it");
  step.at = at.value_or(runner::Span{});
  step.tolerance = element.span("tolerance");
  element.is_empty();
  element.done();
  add(element, std::move(step), out);
}

void StepReader::resend(Element& element, Steps& out) {
  runner::ResendStep step{read_message_name(element, "message", true)};
  element.is_empty();
  element.done();
  add(element, std::move(step), out);
}

void StepReader::network(Element& element, Steps& out) {
  using Action = runner::NetworkStep::Action;
  static constexpr std::string_view words[] = {"drop",  "delay",       "duplicate", "swap",
                                               "close", "unreachable", "restore"};
  static constexpr Action known[] = {Action::Drop,   Action::Delay, Action::Duplicate,
                                     Action::Swap,   Action::Close, Action::Unreachable,
                                     Action::Restore};
  static constexpr std::string_view directions[] = {"from-sut", "to-sut"};
  runner::NetworkStep step;
  step.action = known[element.required_choice("do", words).value_or(0)];
  step.to_sut = element.choice("direction", directions).value_or(0) == 1;
  step.count = static_cast<unsigned>(element.number("count", 1, 1000).value_or(1));
  step.by = element.span("by").value_or(runner::Span{});
  const bool is_about_messages = step.action == Action::Drop || step.action == Action::Delay ||
                                 step.action == Action::Duplicate || step.action == Action::Swap;
  if (is_about_messages)
    step.pattern = read_pattern(element);
  else
    step.pattern.peer = read_peer_name(element);
  if ((step.action == Action::Delay) != element.has("by"))
    element.wrong("by with delay and only there", "otherwise");
  element.is_empty();
  element.done();
  add(element, std::move(step), out);
}

void StepReader::wait(Element& element, Steps& out) {
  const auto span = element.span("for");
  if (!element.has("for")) element.wrong("attribute for", "<wait> without it");
  element.is_empty();
  element.done();
  add(element, runner::WaitStep{span.value_or(runner::Span{})}, out);
}

void StepReader::state(Element& element, Steps& out) {
  static constexpr std::string_view sides[] = {"peer", "sut"};
  runner::StateStep step;
  step.of_sut = element.required_choice("of", sides).value_or(1) == 1;
  step.dialog = read_dialog_name(element);
  for (const auto field : state_fields)
    if (auto value = element.text(field)) step.fields.emplace(field, std::move(*value));
  if (step.fields.empty()) element.wrong(one_of(state_fields), "<state> with none of them");
  element.is_empty();
  element.done();
  add(element, std::move(step), out);
}

void StepReader::dialog(Element& element, Steps& out) {
  runner::DialogStep step;
  step.name = element.required("name").value_or("");
  step.from_message = read_message_name(element, "from", true);
  auto& names = element.context().names;
  if (names.has(step.name))
    element.wrong("name", "a name that nothing else has", quoted(step.name));
  names.dialogs.insert(step.name);
  element.is_empty();
  element.done();
  add(element, std::move(step), out);
}

void StepReader::check(Element& element, Steps& out) {
  runner::CheckStep step;
  step.message = read_message_name(element, "message", true);
  step.checks = read_checks(element);
  if (step.checks.empty()) element.wrong("<header> or <sdp> inside <check>", "nothing");
  element.done();
  add(element, std::move(step), out);
}

// The flow's steps with its parameters' values in place of ${name}; "as" is a parameter of every
// flow.
void StepReader::use(Element& element, Steps& out) {
  const auto name = element.required("flow");
  if (!name) return;
  if (std::ranges::find(open_flows_, *name) != open_flows_.end() ||
      open_flows_.size() == flow_depth_max)
    return element.wrong(
        "flow",
        fmt::format("no flow inside itself, and at most {} inside each other", flow_depth_max),
        quoted(*name));
  const auto* flow = flows_ == nullptr ? nullptr : flows_->find(*name, element.context().problems);
  if (flow == nullptr)
    return element.wrong(
        "flow",
        fmt::format("a readable flow of {}",
                    flows_ == nullptr ? "flows/ (no such folder)" : flows_->folder()),
        quoted(*name));

  Parameters values;
  values.emplace("as", element.text_or("as", *name));
  Parameters none;
  Context definition{*flow->source, element.context().problems, none, element.context().names};
  std::vector<Element> steps;
  for (auto& child : Element(flow->root, definition).children()) {
    if (child.name() == "title") continue;
    if (child.name() != "parameter") {
      steps.push_back(std::move(child));
      continue;
    }
    const std::string parameter = child.required("name").value_or("");
    const auto otherwise = child.text("default");
    child.done();
    // The view given to text() must outlive the element: it is the flow's own attribute.
    const std::string_view stable = child.node().attribute("name").value();
    auto value = element.text(stable);
    if (!value && !otherwise)
      element.wrong(fmt::format("attribute {} of flow {}", parameter, *name), "<use> without it");
    values.emplace(parameter, value ? *value : otherwise.value_or(""));
  }
  element.is_empty();
  element.done();

  if (open_flows_.empty()) use_line_ = element.context().source.line_of(element.node());
  open_flows_.push_back(*name);
  const Context inside{*flow->source, element.context().problems, values, element.context().names};
  for (auto& step : steps) read(Element(step.node(), inside), out);
  open_flows_.pop_back();
}

}  // namespace sipassay::scenarios
