#include "engine/soak/soak.h"

#include <algorithm>
#include <cassert>
#include <set>
#include <utility>

#include "engine/message/header/all.h"
#include "engine/soak/agreement.h"
#include "engine/soak/world.h"

namespace sipassay::soak {
namespace {

using session::SessionState;

constexpr Duration quiet_after = 11s;        // longer than T2 and the longest Retry-After of ours
constexpr Duration dead_after = 70s;         // longer than two transactions one after the other
constexpr Duration quiet_at_last = 400s;     // longer than anything takes that ends by itself
constexpr Duration forgotten_after = 65s;    // longer than Timers B and D one after the other
constexpr Duration unsubscribe_every = 40s;  // longer than a SUBSCRIBE that nobody answers
constexpr std::uint64_t steps_without_time_max = 1'000'000;

constexpr Number children_max = 255;  // of one call, so that a path fits
constexpr Number generations_path = Number{1} << (root_bits + 16);  // the third refers no more

enum class Phase : std::uint8_t {
  SettingUp,
  Settling,  // until it is quiet, then it is looked at
  Changing,
  Ending,
  Dying,    // until both agents have forgotten it
  Leaving,  // until nothing of it is on the network
};

struct Play {
  Number number = 0;
  Plan plan;
  Phase phase = Phase::SettingUp;
  std::size_t next = 0;   // action
  std::size_t round = 0;  // of plan.changes
  Instant began{};        // the phase
  Instant due{};          // when to look at it again
  Number children = 0;
  std::set<std::string, std::less<>> hung_up{};  // Call-IDs with a BYE that was answered 200
  bool used_datagrams = false, used_stream = false;
  bool was_helped = false;  // both sides were told to hang up
  bool has_failed = false;
  Instant unsubscribe_due{};
};

// How an agent sees its end.
enum class View : std::uint8_t { Over, Up, Unsettled };

// Not for secrets: to tell transcripts apart.
class Hash {
 public:
  void add(std::uint64_t number) {
    value_ = (value_ ^ number) * 0x9fb21c651e98df25U;
    value_ ^= value_ >> 32U;
  }
  void add(std::string_view octets) {
    add(octets.size());
    while (!octets.empty()) {
      std::uint64_t word = 0;
      const auto length = std::min<std::size_t>(octets.size(), 8);
      for (std::size_t i = 0; i < length; ++i)
        word |= std::uint64_t{static_cast<unsigned char>(octets[i])} << (8 * i);
      add(word);
      octets.remove_prefix(length);
    }
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

std::string kind_of(const Message& message) {
  if (message.is_request()) return std::string(message.method_text());
  const auto cseq = message.maybe<CSeq>();
  return std::to_string(message.status()) + ' ' +
         std::string(cseq ? cseq->method_text : std::string_view{});
}

class Soak : public Watcher {
 public:
  explicit Soak(const Options& options) : options_(options), world_(options.seed, *this) {}

  Result run() {
    // First some, until all is over: what the heap holds then is what it may hold at the end.
    const Number early = std::max(options_.calls / 10, options_.settled_after);
    const bool looks_at_heap = options_.heap && early < options_.calls;
    if (looks_at_heap) {
      play(options_.first, early);
      result_.heap_early = options_.heap();
    }
    const Number before = looks_at_heap ? early : 0;
    play(options_.first + before, options_.calls - before);
    if (looks_at_heap) judge_heap();
    result_.calls = options_.calls;
    result_.hash = hash_.value();
    result_.duration = world_.now() - Instant{};
    return std::move(result_);
  }

  // --- Watcher
  void crossed(Number call, const Crossing& crossing) override;
  void told(Number call, std::size_t agent, const agent::Event& event) override;
  Number referred(Number by, std::size_t agent) override;
  void strayed(std::size_t agent, const Message& message) override;

 private:
  void play(Number first, Number count);
  void begin(Number number, Plan plan);
  void step(Play& play);
  void schedule(Play& play, Instant due);
  void enter(Play& play, Phase phase);

  // True when all actions of the list are done.
  bool act(Play& play, const std::vector<Action>& list);
  const End* end_of(const Play& play, Role role);
  Situation situation(const Play& play, const End& end);
  bool lives(const End& end) const;
  void perform(Play& play, const Action& action, const End& end);
  void hang_up_others(Play& play);
  void hang_up_all(Play& play);
  void unsubscribe_all(Play& play);
  void remove_registrations();
  bool is_forgotten(const Play& play);
  bool is_orderly(const Play& play);
  bool outlives_bye(const Play& play);
  View view(const Play& play, Role role);
  void settle(Play& play);
  void compare(Play& play);
  std::optional<Finding> usage_disagreement(const Play& play);
  void die(Play& play);

  void judge_end();
  void judge_heap();
  void fail(Play* play, Finding finding);

  const Options& options_;
  World world_;
  Result result_;
  Hash hash_;
  std::map<Number, Play> plays_;
  std::set<std::pair<Instant, Number>> schedule_;
};

// --- the course of time

void Soak::play(Number first, Number count) {
  const Instant began = world_.now();
  const Duration offset = call_interval * static_cast<Duration::rep>(first);
  Number next = first;
  auto plan = draw_plan(options_.seed, next);
  std::uint64_t steps = 0;
  while (next < first + count || !plays_.empty()) {
    const bool has_more = next < first + count;
    auto due = schedule_.empty() ? std::optional<Instant>{} : schedule_.begin()->first;
    if (has_more && (!due || began + plan.start - offset < *due)) due = began + plan.start - offset;
    const auto world_due = world_.next_due();
    const auto now = world_.now();
    if (world_due && *world_due <= *due) {
      world_.step();
    } else {
      world_.pass_to(*due);
      if (has_more && began + plan.start - offset <= *due) {
        begin(next, std::move(plan));
        if (++next < first + count) plan = draw_plan(options_.seed, next);
      } else {
        step(plays_.at(schedule_.begin()->second));
      }
    }
    steps = world_.now() == now ? steps + 1 : 0;
    if (steps > steps_without_time_max)
      return fail(nullptr, {"spinning", {3261, "17", Level::Stated}, "time passes", "it does not"});
  }
  remove_registrations();
  judge_end();
}

// They are refreshed as long as somebody wants them.
void Soak::remove_registrations() {
  for (std::size_t agent = 0; agent < agent_count; ++agent)
    for (const auto& row : action_rows()) {
      const auto wish =
          row.command({.own = host_port(world_.endpoint(agent, Transport::Udp)),
                       .other = host_port(world_.endpoint(1 - agent, Transport::Udp))});
      const auto* enrolled = wish ? std::get_if<agent::Register>(&*wish) : nullptr;
      if (enrolled == nullptr) continue;
      world_.command(registrations, agent, agent::Register{enrolled->registrar, 0});
    }
  const auto limit = world_.now() + quiet_at_last;
  while (world_.next_due() && *world_.next_due() < limit) world_.step();
}

void Soak::schedule(Play& play, Instant due) {
  schedule_.erase({play.due, play.number});
  play.due = std::max(due, world_.now());
  schedule_.insert({play.due, play.number});
}

void Soak::enter(Play& play, Phase phase) {
  play.phase = phase;
  play.next = 0;
  play.began = world_.now();
  schedule(play, world_.now());
}

void Soak::begin(Number number, Plan plan) {
  auto& play = plays_[number];
  play.number = number;
  play.plan = std::move(plan);
  if (options_.conditions) play.plan.conditions = *options_.conditions;
  world_.open(number, play.plan.conditions,
              Rng(derive_seed(options_.seed, "network " + std::to_string(number))));
  enter(play, Phase::SettingUp);
  auto call = play.plan.call;
  const auto to = world_.endpoint(1 - play.plan.caller, play.plan.transport);
  call.call_id = std::to_string(number) + "@soak";
  call.target = "sip:" + play.plan.user + '@' + host_port(to);
  if (play.plan.transport == Transport::Tcp) call.target += ";transport=tcp";
  world_.command(number, play.plan.caller, std::move(call));
}

void Soak::step(Play& play) {
  switch (play.phase) {
    case Phase::SettingUp:
      if (act(play, play.plan.setting_up)) enter(play, Phase::Settling);
      return;
    case Phase::Changing:
      if (act(play, play.plan.changes[play.round])) {
        ++play.round;
        enter(play, Phase::Settling);
      }
      return;
    case Phase::Ending:
      if (!act(play, play.plan.ending)) return;
      hang_up_others(play);
      return enter(play, Phase::Dying);
    case Phase::Settling:
      return settle(play);
    case Phase::Dying:
      return die(play);
    case Phase::Leaving: {
      const auto& lane = world_.lane(play.number);
      const auto free_at = lane.last_crossing + forgotten_after;
      // An INVITE that was late.
      if (!is_forgotten(play)) return enter(play, Phase::Settling);
      if (lane.in_flight != 0 || world_.now() < free_at)
        return schedule(play, std::max(free_at, world_.now() + 1s));
      world_.close(play.number);
      schedule_.erase({play.due, play.number});
      plays_.erase(play.number);
      return;
    }
  }
}

// --- what users do

bool Soak::lives(const End& end) const {
  const auto& agent = world_.agent(end.agent);
  const auto* session = agent.session(end.id);
  return agent.has_call(end.id) &&
         (session == nullptr || session->session_state() != SessionState::Terminated);
}

// The newest that lives: another one may have taken it over, or tried to.
const End* Soak::end_of(const Play& play, Role role) {
  const auto& lane = world_.lane(play.number);
  const auto& ends = role == Role::Caller ? lane.callers : lane.callees;
  if (ends.empty()) return nullptr;
  const auto living =
      std::find_if(ends.rbegin(), ends.rend(), [this](const End& end) { return lives(end); });
  return living == ends.rend() ? &ends.back() : &*living;
}

Situation Soak::situation(const Play& play, const End& end) {
  const auto& lane = world_.lane(play.number);
  const auto usage = std::find_if(lane.usages.rbegin(), lane.usages.rend(), [&](const End& one) {
    return one.agent == end.agent && world_.agent(one.agent).has_call(one.id);
  });
  return {.own = host_port(world_.endpoint(end.agent, Transport::Udp)),
          .other = host_port(world_.endpoint(1 - end.agent, Transport::Udp)),
          .number = play.number,
          .call = end.id,
          .usage = usage == lane.usages.rend() ? 0 : usage->id,
          .session = world_.agent(end.agent).session(end.id),
          .ends = lane.callers.size() + lane.callees.size()};
}

// Nothing is lost, and nothing overtakes: a datagram overtakes what waits in a stream.
bool Soak::is_orderly(const Play& play) {
  return is_ideal(world_.lane(play.number).conditions) &&
         !(play.used_datagrams && play.used_stream);
}

// An end lives on though the BYE of its dialog was accepted.
bool Soak::outlives_bye(const Play& play) {
  const auto& lane = world_.lane(play.number);
  const auto outlives = [&](const End& end) {
    const auto* session = world_.agent(end.agent).session(end.id);
    return session != nullptr && lives(end) && play.hung_up.contains(session->id().call_id);
  };
  return std::ranges::any_of(lane.callers, outlives) || std::ranges::any_of(lane.callees, outlives);
}

bool Soak::act(Play& play, const std::vector<Action>& list) {
  for (; play.next < list.size(); ++play.next) {
    const auto& action = list[play.next];
    const auto due = play.began + action.at;
    if (due > world_.now()) {
      schedule(play, due);
      return false;
    }
    const auto* end = end_of(play, action.by);
    const bool may_still_come = view(play, Role::Caller) != View::Over;
    if (end == nullptr && may_still_come) {
      // The INVITE is still on its way.
      schedule(play, world_.now() + 500ms);
      return false;
    }
    if (end != nullptr && world_.agent(end->agent).has_call(end->id)) perform(play, action, *end);
  }
  return true;
}

void Soak::perform(Play& play, const Action& action, const End& end) {
  auto command = action.row->command(situation(play, end));
  if (!command) return;
  if (std::holds_alternative<agent::SendRefer>(*command) && play.number >= generations_path) return;
  world_.command(play.number, end.agent, std::move(*command));
}

// Both sides may have tried to take one call over, and have two then.
void Soak::hang_up_others(Play& play) {
  const auto& callers = world_.lane(play.number).callers;
  if (callers.size() == 1) return;
  for (std::size_t i = 0; i < callers.size(); ++i)
    if (const End end = callers[i]; lives(end))
      world_.command(play.number, end.agent, agent::HangUp{end.id});
}

void Soak::hang_up_all(Play& play) {
  play.was_helped = true;
  auto& lane = world_.lane(play.number);
  for (const auto* ends : {&lane.callers, &lane.callees})
    for (std::size_t i = 0; i < ends->size(); ++i) {
      const End end = (*ends)[i];
      if (world_.agent(end.agent).has_call(end.id))
        world_.command(play.number, end.agent, agent::HangUp{end.id});
    }
}

void Soak::unsubscribe_all(Play& play) {
  if (world_.now() < play.unsubscribe_due) return;
  play.unsubscribe_due = world_.now() + unsubscribe_every;
  auto& lane = world_.lane(play.number);
  for (const auto* ends : {&lane.callers, &lane.callees, &lane.usages})
    for (std::size_t i = 0; i < ends->size(); ++i) {
      const End end = (*ends)[i];
      const auto* session = world_.agent(end.agent).session(end.id);
      // One at a time: that of a REFER ends by itself, and the newest is ended first.
      const std::size_t count = session == nullptr ? 0 : session->live_subscriptions();
      if (world_.agent(end.agent).has_call(end.id) && count > 0)
        world_.command(play.number, end.agent, agent::Unsubscribe{end.id});
    }
}

// --- looking

View Soak::view(const Play& play, Role role) {
  const auto* end = end_of(play, role);
  if (end == nullptr || !world_.agent(end->agent).has_call(end->id)) return View::Over;
  const auto* session = world_.agent(end->agent).session(end->id);
  if (session == nullptr) return View::Unsettled;
  if (session->session_state() == SessionState::Terminated) return View::Over;
  return is_settled(*session) ? View::Up : View::Unsettled;
}

void Soak::settle(Play& play) {
  const auto caller = view(play, Role::Caller);
  const auto callee = view(play, Role::Callee);
  if (caller == View::Over && callee == View::Over) return enter(play, Phase::Dying);
  const auto& lane = world_.lane(play.number);
  const bool is_one_sided = caller == View::Over || callee == View::Over;
  const auto quiet_at = lane.last_change + (is_one_sided ? dead_after : quiet_after);
  if (lane.in_flight != 0 || world_.now() < std::max(quiet_at, play.began + quiet_after))
    return schedule(play, std::max({quiet_at, play.began + quiet_after, world_.now() + 1s}));
  if (is_one_sided) {
    // Only when no BYE got through.
    if (is_orderly(play) || outlives_bye(play))
      fail(&play, {"one-sided",
                   {3261, "15", Level::Must},
                   "both ends are over, or none",
                   caller == View::Over ? "the caller's is over" : "the callee's is over"});
    hang_up_all(play);
    return enter(play, Phase::Dying);
  }
  if (caller == View::Up && callee == View::Up) {
    compare(play);
    return enter(play, play.round < play.plan.changes.size() ? Phase::Changing : Phase::Ending);
  }
  if (world_.now() < play.began + quiet_at_last) return schedule(play, world_.now() + 5s);
  fail(&play,
       {"unsettled",
        {3261, "13", Level::Stated},
        "a confirmed call with a complete exchange",
        caller == View::Up ? "the callee waits for something" : "the caller waits for something"});
  hang_up_all(play);
  enter(play, Phase::Dying);
}

void Soak::compare(Play& play) {
  ++result_.comparisons;
  const auto* caller = end_of(play, Role::Caller);
  const auto* callee = end_of(play, Role::Callee);
  auto finding = disagreement(*world_.agent(caller->agent).session(caller->id),
                              *world_.agent(callee->agent).session(callee->id), is_orderly(play));
  if (!finding && is_orderly(play)) finding = usage_disagreement(play);
  if (finding) fail(&play, std::move(*finding));
}

// RFC 6665 4.4.1: a dialog of subscriptions only has two ends as well.
std::optional<Finding> Soak::usage_disagreement(const Play& play) {
  const auto& usages = world_.lane(play.number).usages;
  for (const auto& one : usages) {
    const auto* own = world_.agent(one.agent).session(one.id);
    if (own == nullptr) continue;
    const auto id = own->id();
    const dialog::DialogId mirrored{id.call_id, id.remote_tag, id.local_tag};
    std::size_t peers = 0;
    for (const auto& other : usages) {
      const auto* peer = world_.agent(other.agent).session(other.id);
      if (peer != nullptr && peer->id() == mirrored) peers += peer->live_subscriptions();
    }
    if (peers != own->live_subscriptions())
      return Finding{"subscription",
                     {6665, "4.4.1", Level::Stated},
                     std::to_string(own->live_subscriptions()) + " at both ends of " + id.call_id,
                     std::to_string(peers) + " at the other"};
  }
  return std::nullopt;
}

bool Soak::is_forgotten(const Play& play) {
  const auto& lane = world_.lane(play.number);
  const auto has_call = [this](const End& end) { return world_.agent(end.agent).has_call(end.id); };
  return std::ranges::none_of(lane.callers, has_call) &&
         std::ranges::none_of(lane.callees, has_call) &&
         std::ranges::none_of(lane.usages, has_call);
}

void Soak::die(Play& play) {
  if (is_forgotten(play)) return enter(play, Phase::Leaving);
  unsubscribe_all(play);
  const auto age = world_.now() - play.began;
  const bool is_over =
      view(play, Role::Caller) == View::Over && view(play, Role::Callee) == View::Over;
  if (age >= dead_after && !is_over && !play.was_helped) {
    // One user hung up; nobody told the other.
    if (is_orderly(play) || outlives_bye(play))
      fail(&play, {"does-not-end",
                   {3261, "15", Level::Must},
                   "both ends are over",
                   "one is not, 70 s after hanging up"});
    hang_up_all(play);
  }
  if (age >= quiet_at_last && !play.has_failed)
    fail(&play, {"not-forgotten",
                 {3261, "12.3", Level::Stated},
                 "no dialog is left",
                 "an agent keeps the call 400 s after its end"});
  if (age >= 2 * quiet_at_last) return enter(play, Phase::Leaving);
  schedule(play, world_.now() + 5s);
}

// --- what agents do

void Soak::crossed(Number call, const Crossing& crossing) {
  ++result_.messages;
  if (crossing.copies == 0) ++result_.lost;
  if (crossing.copies > 1) ++result_.doubled;
  const auto kind = kind_of(crossing.message);
  ++result_.sent[kind];
  // One that a later request has overtaken is 500 (12.2.2 MUST), and does not end the other side.
  if (kind == "200 BYE" && plays_.contains(call))
    plays_.at(call).hung_up.emplace(crossing.message.raw(HeaderId::CallId));
  if (const auto via = crossing.message.get<Via>(); via && plays_.contains(call))
    (via->transport == "UDP" ? plays_.at(call).used_datagrams : plays_.at(call).used_stream) = true;
  hash_.add(static_cast<std::uint64_t>(crossing.at.time_since_epoch().count()));
  hash_.add(crossing.from * 4 + crossing.copies);
  hash_.add(crossing.octets);
  if (options_.ladder && *options_.ladder == root_of(call))
    result_.ladder.push_back(
        {crossing.at, crossing.from, crossing.copies, std::string(crossing.octets)});
}

void Soak::told(Number call, std::size_t agent, const agent::Event& event) {
  if (std::holds_alternative<agent::CallAnswered>(event)) {
    const auto& callers = world_.lane(call).callers;
    if (!callers.empty() && callers.back().agent == agent) ++result_.answered;
  }
  if (const auto* violation = std::get_if<agent::Violation>(&event))
    fail(plays_.contains(call) ? &plays_.at(call) : nullptr, violation->finding);
}

Number Soak::referred(Number by, std::size_t agent) {
  ++result_.referred;
  auto& parent = plays_.at(by);
  assert(parent.children < children_max);
  const Number path = (by >> root_bits) * (children_max + 1) + ++parent.children;
  const Number number = (path << root_bits) | root_of(by);
  auto& play = plays_[number];
  play.number = number;
  play.plan = draw_plan(options_.seed, number);
  play.plan.caller = agent;
  play.plan.conditions = parent.plan.conditions;
  world_.open(number, play.plan.conditions,
              Rng(derive_seed(options_.seed, "network " + std::to_string(number))));
  enter(play, Phase::SettingUp);
  return number;
}

void Soak::strayed(std::size_t, const Message& message) {
  fail(nullptr, {"stray-message",
                 {3261, "17", Level::Stated},
                 "nothing after the end of a call",
                 std::string(message.start_line())});
}

// --- the end

void Soak::judge_end() {
  const auto judge = [this](std::string_view what, std::size_t count) {
    if (count != 0)
      fail(nullptr, {what, {3261, "12.3", Level::Stated}, "none is left", std::to_string(count)});
  };
  for (std::size_t agent = 0; agent < agent_count; ++agent) {
    const auto census = world_.agent(agent).census();
    judge("calls-left", census.calls);
    judge("dialogs-left", census.dialogs);
    judge("transactions-left", census.transactions);
    judge("transaction-owners-left", census.transaction_owners);
    judge("call-timers-left", census.timers);
    judge("messages-left", census.messages_waiting);
  }
  judge("timers-left", world_.next_due() ? 1 : 0);
}

void Soak::judge_heap() {
  result_.heap_end = options_.heap();
  if (result_.heap_end > result_.heap_early + growth_max)
    fail(nullptr, {"memory-grows",
                   {3261, "12.3", Level::Stated},
                   "at most " + std::to_string(growth_max) + " octets more than at first",
                   std::to_string(result_.heap_end - result_.heap_early) + " more"});
}

void Soak::fail(Play* play, Finding finding) {
  if (play != nullptr && std::exchange(play->has_failed, true)) return;
  ++result_.failure_count;
  if (result_.failures.size() < failures_kept_max)
    result_.failures.push_back(
        {play == nullptr ? std::nullopt : std::optional(root_of(play->number)), world_.now(),
         std::move(finding)});
}

}  // namespace

Result soak(const Options& options) {
  return Soak(options).run();
}

}  // namespace sipassay::soak
