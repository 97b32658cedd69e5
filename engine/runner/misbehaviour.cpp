#include "engine/runner/misbehaviour.h"

#include <algorithm>

#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

std::vector<Misbehaviour> all_rows() {
  std::vector<Misbehaviour> rows;
  for (const auto& group :
       {messages_misbehaviours(), responses_misbehaviours(), transactions_misbehaviours(),
        dialogs_misbehaviours(), reliable_misbehaviours(), sdp_misbehaviours(),
        usages_misbehaviours(), timers_misbehaviours(), registration_misbehaviours(),
        registering_misbehaviours(), effects_misbehaviours(), syntax_misbehaviours(),
        requests_misbehaviours(), events_misbehaviours(), proxying_misbehaviours(),
        proxied_responses_misbehaviours(), proxied_extensions_misbehaviours(),
        authentication_misbehaviours(), subscriptions_misbehaviours(),
        changes_misbehaviours(), bodies_misbehaviours()})
    rows.insert(rows.end(), group.begin(), group.end());
  std::ranges::sort(rows, {}, &Misbehaviour::name);
  return rows;
}

}  // namespace

std::span<const Misbehaviour> misbehaviours() {
  static const std::vector<Misbehaviour> rows = all_rows();
  return rows;
}

const Misbehaviour* find_misbehaviour(std::string_view name) {
  const auto rows = misbehaviours();
  const auto it = std::ranges::lower_bound(rows, name, {}, &Misbehaviour::name);
  return it != rows.end() && it->name == name ? &*it : nullptr;
}

std::unique_ptr<Tap> Misbehaviour::make() const {
  return std::make_unique<Tap>(*this);
}

std::vector<Crossing> Tap::cross(Crossing crossing, Instant now) {
  Crossed seen{crossing.from_sut, now, crossing.message, crossing.message.to_string()};
  Wire wire(crossing.from_sut, std::move(crossing.message), history_, memory_);
  misbehaviour_.act(wire);
  auto out = wire.take();
  if (history_.size() == tap_history_max) history_.erase(history_.begin());
  history_.push_back(std::move(seen));
  return out;
}

std::string Tap::state(std::string_view field, std::string value) const {
  if (misbehaviour_.show == nullptr) return value;
  int memory = memory_;
  misbehaviour_.show(Wire(true, Message(), history_, memory), field, value);
  return value;
}

}  // namespace sipassay::runner
