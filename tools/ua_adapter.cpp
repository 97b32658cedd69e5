#include "tools/ua_adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>
#include <variant>

#include "engine/message/uri.h"
#include "engine/runner/embedded.h"
#include "engine/session/session_dialog.h"
#include "reports/escape.h"
#include "tools/adapter_line.h"

namespace sipassay::tools {
namespace {

// They make what they are about.
constexpr std::array<std::string_view, 4> makers{"call", "subscribe", "register", "options"};

bool is_outside_calls(const runner::SutCommand& command) {
  return std::ranges::find(makers, command.action) != makers.end() ||
         command.arguments.contains("target");
}

// "127.0.0.1:5060" of a URI; empty if it has none.
std::string address_in(std::string_view uri) {
  const auto parsed = parse_uri(uri);
  if (!parsed) return {};
  return fmt::format("{}:{}", parsed->host, parsed->port.value_or(5060));
}

}  // namespace

void UaAdapter::begin() {
  ports_.say(fmt::format("ready calls={} sut=yes", adapter_calls_max));
}

void UaAdapter::take(std::string_view line) {
  const auto command = command_from(line);
  if (!command) return ports_.say(fmt::format("note expected {}", command.error()));
  if (command->action == "quit") return ports_.quit();
  if (command->action == "reset") {
    reset(command->peer);
    return ports_.say(fmt::format("{} ok", command->number));
  }
  carry_out(*command);
}

void UaAdapter::carry_out(const runner::SutCommand& command) {
  auto what = runner::command_for(command);
  if (!what) return ports_.say(fmt::format("{} unsupported", command.number));
  if (!is_outside_calls(command)) {
    const auto call = call_with(command.peer);
    if (!call)
      return ports_.say(fmt::format("{} error there is no call with {}", command.number,
                                    reports::printable(command.peer)));
    std::visit(
        [&](auto& one) {
          if constexpr (requires { one.call = *call; }) one.call = *call;
        },
        *what);
  }
  const agent::CallId before = agent_.newest_call();
  ports_.command(std::move(*what));
  // A call that ends makes an older one the newest.
  if (const agent::CallId made = agent_.newest_call(); made > before)
    calls_.push_back({made, command.peer});
  ports_.say(fmt::format("{} ok", command.number));
}

void UaAdapter::reset(const std::string& peer) {
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (!is_with(calls_[i], peer)) continue;
    const agent::CallId call = calls_[i].call;
    // One of them fits its state; the others change nothing.
    ports_.command(agent::Cancel{.call = call});
    ports_.command(agent::Reject{.call = call, .status = 480});
    ports_.command(agent::HangUp{.call = call});
  }
}

std::optional<agent::CallId> UaAdapter::call_with(const std::string& peer) {
  std::erase_if(calls_, [this](const Known& one) { return !agent_.has_call(one.call); });
  for (auto one = calls_.rbegin(); one != calls_.rend(); ++one)
    if (is_with(*one, peer)) return one->call;
  return std::nullopt;
}

// Who called is known by its first Contact.
std::string UaAdapter::target_of(agent::CallId call) const {
  const session::SessionDialog* session = agent_.session(call);
  return session ? session->dialog().remote_target() : std::string();
}

bool UaAdapter::is_with(Known& known, const std::string& peer) const {
  if (known.peer.empty()) known.peer = target_of(known.call);
  return !known.peer.empty() && address_in(known.peer) == address_in(peer);
}

void UaAdapter::happened(const agent::Event& event) {
  if (const auto* arrived = std::get_if<agent::CallArrived>(&event)) {
    calls_.push_back({arrived->call, target_of(arrived->call)});
    ports_.say(
        fmt::format("incoming call {} for {}", arrived->call, reports::printable(arrived->user)));
  } else if (const auto* confirmed = std::get_if<agent::CallConfirmed>(&event)) {
    ports_.say(fmt::format("established call {}", confirmed->call));
  } else if (const auto* ended = std::get_if<agent::CallEnded>(&event)) {
    ports_.say(fmt::format("ended call {}: {}", ended->call, reports::printable(ended->reason)));
  } else if (const auto* registered = std::get_if<agent::RegistrationChanged>(&event)) {
    ports_.say(fmt::format("registered for {} s", registered->seconds));
  } else if (const auto* subscribed = std::get_if<agent::SubscriptionMoved>(&event)) {
    if (std::ranges::find(calls_, subscribed->call, &Known::call) == calls_.end())
      calls_.push_back({subscribed->call, {}});
  }
}

}  // namespace sipassay::tools
