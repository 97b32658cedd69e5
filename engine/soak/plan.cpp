#include "engine/soak/plan.h"

#include <algorithm>
#include <array>

#include "engine/agent/behaviour.h"

namespace sipassay::soak {
namespace {

using agent::CallId;
using agent::Command;
using agent::Reinvite;
using agent::Reliability;

constexpr auto never = Reliability::Never;
constexpr auto reliably = Reliability::IfSupported;

template <int status, Reliability reliable, bool has_sdp>
Command ring(CallId call, const Hosts&) {
  return agent::Ring{call, status, reliable, has_sdp};
}
template <int status, bool next>
Command reject(CallId call, const Hosts&) {
  return agent::Reject{call, status, next};
}
template <Reinvite::Kind kind>
Command reinvite(CallId call, const Hosts&) {
  return Reinvite{call, kind};
}
template <bool has_offer>
Command update(CallId call, const Hosts&) {
  return agent::Update{call, has_offer};
}
template <class C>
Command plainly(CallId call, const Hosts&) {
  return C{call};
}
Command redirect(CallId call, const Hosts& hosts) {
  return agent::Redirect{call, "sip:auto@" + hosts.own};
}
Command refer(CallId call, const Hosts& hosts) {
  return agent::SendRefer{call, "sip:silent@" + hosts.own};
}
// The referee calls itself.
Command refer_back(CallId call, const Hosts& hosts) {
  return agent::SendRefer{call, "sip:silent@" + hosts.other};
}
Command info(CallId call, const Hosts&) {
  return agent::SendInfo{call, "g.sipassay.test", {"application/octet-stream", "info", {}}};
}
Command legacy_info(CallId call, const Hosts&) {
  return agent::SendInfo{call, {}, {"text/plain", "info", {}}};
}
Command message(CallId call, const Hosts&) {
  return agent::SendMessage{{}, call, {"text/plain", "hello", {}}};
}
Command message_outside(CallId, const Hosts& hosts) {
  return agent::SendMessage{"sip:auto@" + hosts.other, 0, {"text/plain", "hello", {}}};
}
Command options(CallId, const Hosts& hosts) {
  return agent::SendOptions{"sip:auto@" + hosts.other};
}

using enum Stage;
using Kind = Reinvite::Kind;

constexpr std::array actions{
    ActionRow{"180", Ringing, 10, false, true, &ring<180, never, false>},
    ActionRow{"180 reliable", Ringing, 8, false, true, &ring<180, reliably, false>},
    ActionRow{"183 with SDP", Ringing, 6, false, true, &ring<183, never, true>},
    ActionRow{"183 with SDP reliable", Ringing, 10, false, true, &ring<183, reliably, true>},
    ActionRow{"182", Ringing, 3, false, true, &ring<182, never, false>},
    ActionRow{"181 reliable", Ringing, 2, false, true, &ring<181, reliably, false>},
    ActionRow{"early UPDATE with offer", Ringing, 5, true, true, &update<true>},
    ActionRow{"early UPDATE", Ringing, 2, true, true, &update<false>},
    ActionRow{"early INFO", Ringing, 3, true, true, &info},
    ActionRow{"early refusal of the next offer", Ringing, 1, true, true, &reject<488, true>},

    ActionRow{"answer", Answering, 74, false, true, &plainly<agent::Answer>},
    ActionRow{"486", Answering, 5, false, true, &reject<486, false>},
    ActionRow{"603", Answering, 2, false, true, &reject<603, false>},
    ActionRow{"480", Answering, 2, false, true, &reject<480, false>},
    ActionRow{"488", Answering, 2, false, true, &reject<488, false>},
    ActionRow{"503", Answering, 2, false, true, &reject<503, false>},
    ActionRow{"302", Answering, 4, false, true, &redirect},
    ActionRow{"no answer: CANCEL", Answering, 6, true, false, &plainly<agent::Cancel>},
    ActionRow{"no answer: hang up", Answering, 3, true, true, &plainly<agent::HangUp>},

    ActionRow{"re-INVITE", Up, 10, true, true, &reinvite<Kind::Same>},
    ActionRow{"hold", Up, 10, true, true, &reinvite<Kind::Hold>},
    ActionRow{"resume", Up, 9, true, true, &reinvite<Kind::Resume>},
    ActionRow{"re-INVITE without offer", Up, 9, true, true, &reinvite<Kind::Offerless>},
    ActionRow{"re-INVITE with more media", Up, 3, true, true, &reinvite<Kind::AddMedia>},
    ActionRow{"UPDATE with offer", Up, 12, true, true, &update<true>},
    ActionRow{"UPDATE", Up, 4, true, true, &update<false>},
    ActionRow{"CANCEL of a re-INVITE", Up, 6, true, true, &plainly<agent::Cancel>},
    ActionRow{"refusal of the next offer", Up, 4, true, true, &reject<488, true>},
    ActionRow{"INFO", Up, 6, true, true, &info},
    ActionRow{"INFO without package", Up, 3, true, true, &legacy_info},
    ActionRow{"MESSAGE", Up, 5, true, true, &message},
    ActionRow{"REFER", Up, 3, true, true, &refer},
    ActionRow{"REFER to the referee", Up, 1, true, true, &refer_back},
    ActionRow{"OPTIONS", Up, 2, true, true, &options},
    ActionRow{"MESSAGE outside", Up, 1, true, true, &message_outside},

    ActionRow{"hang up", Ending, 1, true, true, &plainly<agent::HangUp>},
};

constexpr std::array networks{
    NetworkRow{"ideal", 40, {.delay_min = 10ms, .delay_max = 10ms}},
    NetworkRow{"reordering", 20, {.delay_min = 1ms, .delay_max = 300ms}},
    NetworkRow{"doubling", 10, {.delay_min = 5ms, .delay_max = 50ms, .duplicate_percent = 30}},
    NetworkRow{"losing", 20, {.delay_min = 10ms, .delay_max = 60ms, .loss_percent = 8}},
    NetworkRow{"terrible",
               10,
               {.delay_min = 1ms, .delay_max = 900ms, .loss_percent = 25, .duplicate_percent = 15}},
};

// Percentages.
constexpr unsigned behaves_by_itself = 25;  // the called user has a behaviour of its own
constexpr unsigned streams = 8;             // TCP
constexpr unsigned cancels = 10;            // at any moment until shortly after the answer
constexpr unsigned hangs_up_early = 6;      // so does one side, or both
constexpr unsigned meets = 30;              // the other side acts at the very same instant
constexpr unsigned talks = 5;               // long enough for session timers to act
constexpr unsigned insists = 10;            // the same side acts once more at once

constexpr Duration ringing_max = 4s;
constexpr Duration talk_max = 300s;
constexpr Duration round_length = 1500ms;

Duration up_to(Rng& rng, Duration longest) {
  return Duration(
      static_cast<Duration::rep>(rng.between(0, static_cast<std::uint64_t>(longest.count()))));
}

template <class Rows, class Wanted>
const auto& draw_row(Rng& rng, const Rows& rows, Wanted is_wanted) {
  std::uint64_t sum = 0;
  for (const auto& row : rows) sum += is_wanted(row) ? row.weight : 0U;
  auto left = rng.between(1, sum);
  for (const auto& row : rows) {
    if (!is_wanted(row)) continue;
    if (left <= row.weight) return row;
    left -= row.weight;
  }
  return rows.back();
}

Role draw_role(Rng& rng, const ActionRow& row) {
  if (!row.by_caller) return Role::Callee;
  if (!row.by_callee) return Role::Caller;
  return rng.percent(50) ? Role::Caller : Role::Callee;
}

Action draw_action(Rng& rng, Stage stage, Duration at) {
  const auto& row =
      draw_row(rng, actions, [&](const ActionRow& one) { return one.stage == stage; });
  const Role by = draw_role(rng, row);
  return {at, by, &row};
}

Role other(Role role) {
  return role == Role::Caller ? Role::Callee : Role::Caller;
}

const ActionRow& row_named(std::string_view name) {
  return *std::ranges::find(actions, name, &ActionRow::name);
}

void sort(std::vector<Action>& list) {
  std::ranges::stable_sort(list, {}, &Action::at);
}

// One side hangs up, or both at the same instant.
void hang_up(Rng& rng, std::vector<Action>& list, Duration at) {
  const auto first = draw_action(rng, Ending, at);
  list.push_back(first);
  if (rng.percent(meets)) list.push_back({at, other(first.by), first.row});
}

std::vector<Action> draw_set_up(Rng& rng) {
  std::vector<Action> list;
  const Duration answered = up_to(rng, ringing_max);
  for (auto count = rng.between(0, 4); count > 0; --count)
    list.push_back(draw_action(rng, Ringing, up_to(rng, answered)));
  list.push_back(draw_action(rng, Answering, answered));
  const Duration longest = answered + 500ms;
  if (rng.percent(cancels))
    list.push_back({up_to(rng, longest), Role::Caller, &row_named("no answer: CANCEL")});
  if (rng.percent(hangs_up_early)) hang_up(rng, list, up_to(rng, longest));
  sort(list);
  return list;
}

std::vector<Action> draw_round(Rng& rng) {
  std::vector<Action> list;
  for (auto count = rng.between(0, 5); count > 0; --count) {
    const auto one = draw_action(rng, Up, up_to(rng, round_length));
    list.push_back(one);
    const bool has_meeting = rng.percent(meets);
    if (!has_meeting && !rng.percent(insists)) continue;
    auto next = draw_action(rng, Up, one.at);
    next.by = has_meeting ? other(one.by) : one.by;
    list.push_back(next);
  }
  if (rng.percent(hangs_up_early)) hang_up(rng, list, up_to(rng, round_length));
  sort(list);
  return list;
}

std::string draw_user(Rng& rng) {
  if (!rng.percent(behaves_by_itself)) return "silent";
  const auto rows = agent::behaviours();
  return std::string(rows[rng.between(0, rows.size() - 1)].user);
}

agent::Call draw_call(Rng& rng) {
  agent::Call call;
  call.has_offer = rng.percent(75);
  constexpr std::array wishes{reliably, reliably, reliably, never, Reliability::Always};
  call.reliable = wishes[rng.between(0, wishes.size() - 1)];
  call.offers_in_prack = rng.percent(15);
  call.follows_redirects = rng.percent(50);
  if (rng.percent(3)) call.headers.push_back({"Expires", "3"});
  return call;
}

}  // namespace

std::span<const ActionRow> action_rows() {
  return actions;
}

std::span<const NetworkRow> network_rows() {
  return networks;
}

bool is_ideal(const simulation::Conditions& conditions) {
  return conditions.loss_percent == 0 && conditions.duplicate_percent == 0 &&
         conditions.delay_min == conditions.delay_max;
}

Plan draw_plan(std::uint64_t seed, Number number) {
  Rng rng(derive_seed(seed, "call " + std::to_string(number)));
  Plan plan;
  plan.start =
      call_interval * static_cast<Duration::rep>(root_of(number)) + up_to(rng, call_interval);
  plan.caller = rng.between(0, 1);
  plan.conditions = draw_row(rng, networks, [](const NetworkRow&) { return true; }).conditions;
  if (rng.percent(streams)) {
    plan.transport = Transport::Tcp;
    plan.conditions = networks.front().conditions;
  }
  plan.user = draw_user(rng);
  plan.call = draw_call(rng);
  plan.setting_up = draw_set_up(rng);
  for (auto rounds = rng.between(1, 3); rounds > 0; --rounds)
    plan.changes.push_back(draw_round(rng));
  hang_up(rng, plan.ending, rng.percent(talks) ? up_to(rng, talk_max) : Duration{});
  return plan;
}

}  // namespace sipassay::soak
