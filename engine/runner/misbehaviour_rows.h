// The groups of rows that misbehaviours() puts together.
#pragma once

#include <span>

#include "engine/runner/misbehaviour.h"

namespace sipassay::runner {

std::span<const Misbehaviour> messages_misbehaviours();
std::span<const Misbehaviour> responses_misbehaviours();
std::span<const Misbehaviour> transactions_misbehaviours();
std::span<const Misbehaviour> dialogs_misbehaviours();
std::span<const Misbehaviour> reliable_misbehaviours();
std::span<const Misbehaviour> sdp_misbehaviours();
std::span<const Misbehaviour> events_misbehaviours();
std::span<const Misbehaviour> usages_misbehaviours();
std::span<const Misbehaviour> timers_misbehaviours();
std::span<const Misbehaviour> registration_misbehaviours();
std::span<const Misbehaviour> effects_misbehaviours();
std::span<const Misbehaviour> syntax_misbehaviours();
std::span<const Misbehaviour> requests_misbehaviours();
std::span<const Misbehaviour> bodies_misbehaviours();
std::span<const Misbehaviour> changes_misbehaviours();
std::span<const Misbehaviour> subscriptions_misbehaviours();
std::span<const Misbehaviour> registering_misbehaviours();
std::span<const Misbehaviour> proxying_misbehaviours();
std::span<const Misbehaviour> proxied_responses_misbehaviours();
std::span<const Misbehaviour> proxied_extensions_misbehaviours();
std::span<const Misbehaviour> authentication_misbehaviours();

}  // namespace sipassay::runner
