#include "engine/soak/plan.h"

#include <algorithm>
#include <array>

#include "engine/agent/behaviour.h"

namespace sipassay::soak {
namespace {

using agent::Command;
using agent::Reinvite;
using agent::Reliability;
using Wish = std::optional<Command>;

constexpr auto never = Reliability::Never;
constexpr auto reliably = Reliability::IfSupported;
constexpr std::uint32_t subscribed_for = 60;  // s

template <int status, Reliability reliable, bool has_sdp>
Wish ring(const Situation& now) {
  return agent::Ring{now.call, status, reliable, has_sdp};
}
template <int status, bool next>
Wish reject(const Situation& now) {
  return agent::Reject{now.call, status, next};
}
template <Reinvite::Kind kind>
Wish reinvite(const Situation& now) {
  return Reinvite{now.call, kind};
}
template <bool has_offer>
Wish update(const Situation& now) {
  return agent::Update{now.call, has_offer};
}
template <class C>
Wish plainly(const Situation& now) {
  return C{now.call};
}
Wish redirect(const Situation& now) {
  return agent::Redirect{now.call, "sip:auto@" + now.own};
}
Wish refer(const Situation& now) {
  return agent::SendRefer{now.call, "sip:silent@" + now.own};
}
// The referee calls itself.
Wish refer_back(const Situation& now) {
  return agent::SendRefer{now.call, "sip:silent@" + now.other};
}
// RFC 3891: the user's other phone takes the call over.
Wish replace(const Situation& now) {
  if (now.session == nullptr || now.session->dialog().is_early()) return std::nullopt;
  const auto id = now.session->id();
  agent::Call call{.target = "sip:auto@" + now.other};
  call.headers = {
      {"Replaces", id.call_id + ";to-tag=" + id.remote_tag + ";from-tag=" + id.local_tag},
      {"Require", "replaces"}};
  call.call_id = std::to_string(now.number) + '-' + std::to_string(now.ends) + "@" +
                 now.own.substr(0, now.own.find(':'));
  return call;
}
Wish info(const Situation& now) {
  return agent::SendInfo{now.call, "g.sipassay.test", {"application/octet-stream", "info", {}}};
}
Wish legacy_info(const Situation& now) {
  return agent::SendInfo{now.call, {}, {"text/plain", "info", {}}};
}
Wish message(const Situation& now) {
  return agent::SendMessage{{}, now.call, {"text/plain", "hello", {}}};
}

// --- outside the call; the user that is asked for decides what is met

constexpr char plain_user[] = "auto", digest_user[] = "digest",
               proxy_digest_user[] = "proxy-digest", pending_user[] = "pending",
               interval_user[] = "interval", short_user[] = "short-lived",
               changing_user[] = "changing", rejecting_user[] = "unauthorised",
               gone_user[] = "no-resource", final_user[] = "invariant", busy_user[] = "busy",
               no_user[] = "nobody", roaming_user[] = "roamer";
static_assert(registered_user == roaming_user);

template <const char* user>
Wish message_outside(const Situation& now) {
  return agent::SendMessage{
      std::string("sip:") + user + '@' + now.other, 0, {"text/plain", "hello", {}}};
}
template <const char* user>
Wish options(const Situation& now) {
  return agent::SendOptions{std::string("sip:") + user + '@' + now.other};
}
template <const char* user, std::uint32_t expires = subscribed_for>
Wish subscribe(const Situation& now) {
  std::string target = std::string("sip:") + user + '@' + now.other + ';';
  target.append(number_param).append("=").append(std::to_string(now.number));
  return agent::Subscribe{.target = std::move(target), .event = "presence", .expires = expires};
}
template <bool is_counter>
Wish subscribe_in_call(const Situation& now) {
  return agent::Subscribe{.target = {},
                          .event = is_counter ? "sipassay" : "presence",
                          .expires = subscribed_for,
                          .call = now.call};
}
Wish unsubscribe_in_call(const Situation& now) {
  return agent::Unsubscribe{now.call};
}
Wish unsubscribe(const Situation& now) {
  if (now.usage == 0) return std::nullopt;
  return agent::Unsubscribe{now.usage};
}
template <const char* user, std::uint32_t expires>
Wish enrol(const Situation& now) {
  return agent::Register{.registrar = std::string("sip:") + user + '@' + now.other,
                         .expires = expires};
}
template <agent::Register::Kind kind>
Wish bindings(const Situation& now) {
  return agent::Register{.registrar = std::string("sip:") + roaming_user + '@' + now.other,
                         .kind = kind};
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
    ActionRow{"INVITE with Replaces", Up, 3, true, true, &replace},
    ActionRow{"SUBSCRIBE in the call", Up, 3, true, true, &subscribe_in_call<false>},
    ActionRow{"SUBSCRIBE in the call, a second event", Up, 2, true, true, &subscribe_in_call<true>},
    ActionRow{"unsubscribe in the call", Up, 3, true, true, &unsubscribe_in_call},

    ActionRow{"SUBSCRIBE", Up, 2, true, true, &subscribe<plain_user>},
    ActionRow{"SUBSCRIBE, a fetch", Up, 1, true, true, &subscribe<plain_user, 0>},
    ActionRow{"SUBSCRIBE, pending", Up, 1, true, true, &subscribe<pending_user>},
    ActionRow{"SUBSCRIBE, 423", Up, 1, true, true, &subscribe<interval_user>},
    ActionRow{"SUBSCRIBE, short-lived", Up, 1, true, true, &subscribe<short_user>},
    ActionRow{"SUBSCRIBE, changing", Up, 1, true, true, &subscribe<changing_user>},
    ActionRow{"SUBSCRIBE, rejected later", Up, 1, true, true, &subscribe<rejecting_user>},
    ActionRow{"SUBSCRIBE, no resource", Up, 1, true, true, &subscribe<gone_user>},
    ActionRow{"SUBSCRIBE, invariant", Up, 1, true, true, &subscribe<final_user>},
    ActionRow{"SUBSCRIBE, challenged", Up, 1, true, true, &subscribe<digest_user>},
    ActionRow{"SUBSCRIBE, 486", Up, 1, true, true, &subscribe<busy_user>},
    ActionRow{"SUBSCRIBE, 404", Up, 1, true, true, &subscribe<no_user>},
    ActionRow{"unsubscribe", Up, 5, true, true, &unsubscribe},

    ActionRow{"REGISTER", Up, 1, true, true, &enrol<roaming_user, 120>},
    ActionRow{"REGISTER, 423", Up, 1, true, true, &enrol<roaming_user, 30>},
    ActionRow{"REGISTER, challenged", Up, 1, true, true, &enrol<digest_user, 90>},
    ActionRow{"de-register", Up, 1, true, true, &enrol<roaming_user, 0>},
    ActionRow{"bindings", Up, 1, true, true, &bindings<agent::Register::Kind::Fetch>},
    ActionRow{"remove all bindings", Up, 1, true, true,
              &bindings<agent::Register::Kind::RemoveAll>},

    ActionRow{"OPTIONS", Up, 2, true, true, &options<plain_user>},
    ActionRow{"OPTIONS, challenged", Up, 1, true, true, &options<digest_user>},
    ActionRow{"MESSAGE outside", Up, 1, true, true, &message_outside<plain_user>},
    ActionRow{"MESSAGE outside, challenged", Up, 1, true, true,
              &message_outside<proxy_digest_user>},

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
