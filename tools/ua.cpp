// sipassay ua: the engine as a live stack under test.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <expected>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/agent/agent.h"
#include "engine/agent/behaviour.h"
#include "engine/agent/digest.h"
#include "engine/message/uri.h"
#include "engine/proxy/proxy.h"
#include "engine/transport/hub.h"
#include "engine/transport/wall_clock.h"
#include "reports/escape.h"
#include "reports/totals.h"
#include "tools/adapter_line.h"
#include "tools/calls.h"
#include "tools/commands.h"
#include "tools/options.h"
#include "tools/ua_adapter.h"

namespace sipassay::tools {
namespace {

using transport::Hub;

// A port that is any for both transports is tried again when TCP has it already.
constexpr int port_tries = 20;
// As the embedded SUT of sipassay run has it.
constexpr const char* default_login = "alice:open sesame";

Endpoint listen_endpoint(const std::string& written) {
  const auto endpoint = endpoint_from(written);
  if (!endpoint)
    throw UsageError{fmt::format("--listen takes an address like udp:127.0.0.1:5060, not \"{}\"",
                                 reports::printable(written))};
  return *endpoint;
}

// RFC 3261 18.2.1: who listens on UDP must listen on TCP at the same address and port.
std::vector<Endpoint> with_tcp_siblings(std::vector<Endpoint> wanted) {
  const auto is_wanted = [&wanted](const Endpoint& endpoint) {
    return std::ranges::find(wanted, endpoint) != wanted.end();
  };
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].transport != Transport::Udp || wanted[i].port == 0) continue;
    Endpoint sibling = wanted[i];
    sibling.transport = Transport::Tcp;
    if (!is_wanted(sibling)) wanted.push_back(sibling);
  }
  return wanted;
}

// UDP on any port, TCP on the same.
std::expected<std::vector<Endpoint>, std::string> open_pair(Hub& hub, const Endpoint& any) {
  std::string complaint;
  for (int i = 0; i < port_tries; ++i) {
    const auto udp = hub.open(any);
    if (!udp) return std::unexpected(udp.error());
    const Endpoint first = hub.address(*udp);
    const auto tcp = hub.open({Transport::Tcp, first.host, first.port});
    if (tcp) return std::vector{first, hub.address(*tcp)};
    hub.close(*udp);
    complaint = tcp.error();
  }
  return std::unexpected(complaint);
}

std::expected<std::vector<Endpoint>, std::string> open_all(Hub& hub,
                                                           const std::vector<Endpoint>& wanted) {
  std::vector<Endpoint> opened;
  for (const Endpoint& endpoint : with_tcp_siblings(wanted)) {
    if (endpoint.transport == Transport::Udp && endpoint.port == 0) {
      const auto pair = open_pair(hub, endpoint);
      if (!pair) return std::unexpected(pair.error());
      opened.insert(opened.end(), pair->begin(), pair->end());
      continue;
    }
    const auto local = hub.open(endpoint);
    if (!local) return std::unexpected(local.error());
    opened.push_back(hub.address(*local));
  }
  return opened;
}

// What Via and Contact say: for "any address" the one that the rest of the world would see.
Endpoint advertised(Endpoint endpoint) {
  const bool is_ipv6 = endpoint.host == "::";
  if (!is_ipv6 && endpoint.host != "0.0.0.0") return endpoint;
  // RFC 5737, RFC 3849: addresses that lead nowhere but take the default route.
  const Endpoint outside{endpoint.transport, is_ipv6 ? "2001:db8::1" : "192.0.2.1", endpoint.port};
  const auto own = transport::address_towards(outside);
  endpoint.host = own ? own->host : is_ipv6 ? "::1" : "127.0.0.1";
  return endpoint;
}

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

// One line an event; what a peer sent is shown inert.
std::string line_of(const agent::Event& event) {
  const auto safe = [](std::string_view text) { return reports::printable(text); };
  return std::visit(
      Overloaded{
          [&](const agent::CallArrived& e) {
            return fmt::format("call {}: arrived for \"{}\"", e.call, safe(e.user));
          },
          [](const agent::CallPlaced& e) {
            return fmt::format("call {}: placed{}", e.call, e.is_referred ? " for a REFER" : "");
          },
          [](const agent::CallProgressed& e) {
            return fmt::format("call {}: {}{}", e.call, e.status, e.is_reliable ? " reliable" : "");
          },
          [](const agent::CallAnswered& e) { return fmt::format("call {}: answered", e.call); },
          [](const agent::CallConfirmed& e) { return fmt::format("call {}: confirmed", e.call); },
          [&](const agent::CallEnded& e) {
            return fmt::format("call {}: ended, {}", e.call, safe(e.reason));
          },
          [](const agent::SessionChanged& e) {
            return fmt::format("call {}: session changed", e.call);
          },
          [](const agent::OfferRejected& e) {
            return fmt::format("call {}: offer rejected with {}", e.call, e.status);
          },
          [&](const agent::InfoArrived& e) {
            return fmt::format("call {}: INFO \"{}\"", e.call, safe(e.package));
          },
          [&](const agent::MessageArrived& e) {
            return fmt::format("call {}: MESSAGE, {} octets", e.call, e.body.octets.size());
          },
          [&](const agent::ReferArrived& e) {
            return fmt::format("call {}: REFER to {}", e.call, safe(e.refer_to));
          },
          [&](const agent::NotifyArrived& e) {
            return fmt::format("call {}: NOTIFY {}", e.call, safe(e.event));
          },
          [&](const agent::SubscriptionMoved& e) {
            return fmt::format("call {}: {} {} {}{}{}", e.call,
                               e.is_notifier ? "notifier of" : "subscriber of", safe(e.event),
                               e.phase, e.reason.empty() ? "" : ", ", safe(e.reason));
          },
          [&](const agent::RequestAnswered& e) {
            return fmt::format("call {}: {} answered {}", e.call, safe(e.method), e.status);
          },
          [&](const agent::RegistrationChanged& e) {
            return fmt::format("registered at {} for {} s", safe(e.registrar), e.seconds);
          },
          [&](const agent::Violation& e) {
            return fmt::format("call {}: the peer broke {} ({}): expected {}, got {}", e.call,
                               e.finding.rule, to_string(e.finding.clause),
                               safe(e.finding.expected), safe(e.finding.observed));
          },
      },
      event);
}

std::string users_text() {
  std::string out = "The user part of the Request-URI selects what a caller meets:\n";
  for (const agent::Behaviour& row : agent::behaviours())
    out += fmt::format("  {:<16} {}\n", row.user, row.summary);
  return out +
         "Any other user is answered like \"auto\" (--otherwise), or 302 once it has registered.\n"
         "It is a registrar for every user but \"nobody\" (RFC 3261 10.3).\n";
}

// RFC 4028 4, 5: nothing below 90 seconds; 0 asks for no session timer.
session::TimerSettings timer_settings_from(const po::variables_map& values) {
  constexpr std::uint64_t least = 90, most = 0xffff'ffffU;
  session::TimerSettings timer;
  const std::uint64_t expires = number(values, "session-expires", 1800, 0, most);
  if (expires != 0 && expires < least)
    throw UsageError{"--session-expires takes 0 or 90 seconds and more"};
  if (expires != 0) timer.interval = std::chrono::seconds(expires);
  timer.minimum = std::chrono::seconds(number(values, "min-se", least, least, most));
  if (timer.interval) timer.interval = std::max(*timer.interval, timer.minimum);
  const std::string refresher = text(values, "refresher");
  if (!refresher.empty() && refresher != "uac" && refresher != "uas")
    throw UsageError{
        fmt::format("--refresher takes uac or uas, not \"{}\"", reports::printable(refresher))};
  timer.refreshes = refresher == "uas";
  return timer;
}

agent::Settings settings_from(const po::variables_map& values) {
  agent::Settings settings;
  settings.domain = text(values, "domain");
  settings.timings.t1 = duration(values, "t1", 500ms, 1ms, 60s);
  settings.timings.t2 = 8 * settings.timings.t1;
  settings.timings.t4 = 10 * settings.timings.t1;
  settings.timings.d = 64 * settings.timings.t1;
  settings.supports_100rel = values.count("no-100rel") == 0;
  settings.supports_timer = values.count("no-timer") == 0;
  settings.timer = timer_settings_from(values);
  const std::string login = values.count("login") == 0 ? default_login : text(values, "login");
  const std::size_t colon = login.find(':');
  if (colon == std::string::npos || colon == 0) throw UsageError{"--login takes USER:PASSWORD"};
  settings.accepts = {
      .realm = {}, .user = login.substr(0, colon), .password = login.substr(colon + 1)};
  settings.credentials = {settings.accepts};
  if (values.count("digest-algorithm") != 0) settings.digest_algorithms.clear();
  for (const std::string& name : texts(values, "digest-algorithm")) {
    const auto algorithm = agent::digest::algorithm_from(name);
    if (!algorithm)
      throw UsageError{fmt::format("--digest-algorithm: no algorithm \"{}\" (sipassay ua --help)",
                                   reports::printable(name))};
    // RFC 8760 2.3 MUST: each challenge has another algorithm.
    if (std::ranges::find(settings.digest_algorithms, *algorithm) !=
        settings.digest_algorithms.end())
      throw UsageError{fmt::format("--digest-algorithm {} is there twice", name)};
    settings.digest_algorithms.push_back(*algorithm);
  }
  if (values.count("no-registrar") == 0) {
    auto& registrar = settings.registrar.emplace();
    if (!settings.domain.empty()) registrar.domains = {settings.domain};
    registrar.epoch = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  }
  if (const std::string user = text(values, "otherwise"); !user.empty()) {
    if (agent::behaviour_of(user) == nullptr)
      throw UsageError{fmt::format("--otherwise: no behaviour \"{}\" (sipassay ua --help)",
                                   reports::printable(user))};
    settings.default_behaviour = user;
  }
  return settings;
}

// Calls to make; none without --call.
std::optional<CallPlan> plan_from(const po::variables_map& values) {
  CallPlan plan;
  plan.targets = texts(values, "call");
  for (const std::string& target : plan.targets)
    if (const auto uri = parse_uri(target); !uri || !uri->is_sip())
      throw UsageError{
          fmt::format("--call takes a SIP URI, not \"{}\"", reports::printable(target))};
  auto steps = call_steps_from(texts(values, "then"));
  if (!steps) throw UsageError{"--then: " + steps.error()};
  plan.steps = *std::move(steps);
  plan.calls = number(values, "calls", plan.targets.size(), 1, 1'000'000'000);
  plan.interval = Duration(1s) / number(values, "rate", 10, 1, 1000);
  plan.at_once = number(values, "at-once", 100, 1, agent::calls_max / 2);
  plan.patience = duration(values, "call-timeout", 180s, 1ms, 24h);
  plan.call.has_offer = values.count("offerless") == 0;
  if (values.count("require-100rel") != 0) plan.call.reliable = agent::Reliability::Always;
  if (!plan.targets.empty()) return plan;
  for (const char* name :
       {"then", "calls", "rate", "at-once", "call-timeout", "offerless", "require-100rel"})
    if (values.count(name) != 0) throw UsageError{fmt::format("--{} needs --call", name)};
  return std::nullopt;
}

// Until all calls are over or somebody stops us; then long enough for a copy of the peer's BYE.
int make_calls(Hub& hub, transport::WallClock& clock, Calls& calls, Duration t1) {
  while (!hub.is_stopped() && !calls.is_over()) {
    while (auto command = calls.poll(hub.now())) clock.command(*std::move(command));
    for (const std::string& line : calls.take_failures()) fmt::print("{}\n", line);
    if (!calls.is_over()) clock.step(calls.deadline());
  }
  if (calls.is_over()) clock.run_until(hub.now() + 2 * t1);
  fmt::print("{} call{}, {} failed{}\n", calls.ended_count(), calls.ended_count() == 1 ? "" : "s",
             calls.failed_count(), calls.is_over() ? "" : "; interrupted");
  if (calls.failed_count() != 0) return reports::exit_failed;
  return calls.is_over() ? reports::exit_as_expected : reports::exit_error;
}

// What stands on standard input, line by line; false at its end.
bool read_lines(std::string& buffer, UaAdapter& adapter) {
  char some[4096];
  const ssize_t count = ::read(STDIN_FILENO, some, sizeof some);
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  if (count == 0) return false;
  buffer.append(some, static_cast<std::size_t>(count));
  for (std::size_t end = 0; (end = buffer.find('\n')) != std::string::npos;
       buffer.erase(0, end + 1))
    adapter.take(std::string_view(buffer).substr(0, end));
  return buffer.size() <= adapter_line_max;
}

// Until its standard input ends, or it is told to quit.
void run_as_adapter(Hub& hub, agent::Agent& agent) {
  std::optional<transport::WallClock> clock;
  UaAdapter adapter(agent,
                    {.command = [&](agent::Command what) { clock->command(std::move(what)); },
                     .say =
                         [](const std::string& line) {
                           fmt::print("{}\n", line);
                           std::fflush(stdout);
                         },
                     .quit = [&] { hub.stop(); }});
  clock.emplace(hub, agent, [&](const agent::Event& event) { adapter.happened(event); });
  adapter.begin();
  hub.watch(STDIN_FILENO);
  std::string buffer;
  while (!hub.is_stopped()) {
    clock->step({});
    pollfd readable{STDIN_FILENO, POLLIN, 0};
    if (::poll(&readable, 1, 0) > 0 && !read_lines(buffer, adapter)) break;
  }
  hub.unwatch(STDIN_FILENO);
}

proxy::Settings proxy_settings(const agent::Settings& settings) {
  return {.domain = settings.domain,
          .local = settings.local,
          .timings = settings.timings,
          .registrar = settings.registrar.value_or(agent::Registrar::Options{}),
          .accepts = settings.accepts};
}

std::uint64_t any_seed() {
  std::random_device entropy;
  return (std::uint64_t{entropy()} << 32U) | entropy();
}

po::options_description known_options() {
  po::options_description options;
  const auto text_value = [](const char* name) {
    return po::value<std::string>()->value_name(name);
  };
  const auto list_value = [](const char* name) {
    return po::value<std::vector<std::string>>()->composing()->value_name(name);
  };
  auto add = options.add_options();
  add("listen", list_value("ADDRESS"),
      "where to listen: udp:127.0.0.1:5060 (default), tcp:[::1]:5070; port 0 is any. May be "
      "repeated. TCP is opened beside every UDP port (RFC 3261 18.2.1)");
  add("otherwise", text_value("USER"), "behaviour of users that are not listed (default auto)");
  add("domain", text_value("HOST"), "host of our own URIs; default: the address");
  add("login", text_value("USER:PASSWORD"),
      "what users that ask for credentials accept (default alice:open sesame)");
  add("digest-algorithm", list_value("NAME"),
      "challenge with this one: SHA-256, SHA-256-sess, MD5, MD5-sess. May be repeated: a challenge "
      "each, in this order (RFC 8760 2.3; default SHA-256, MD5)");
  add("no-100rel", "do not support RFC 3262");
  add("no-timer", "do not support session timers (RFC 4028)");
  add("session-expires", text_value("SECONDS"),
      "session interval that is asked for (default 1800; 0: none)");
  add("min-se", text_value("SECONDS"), "shortest session interval that is taken (default 90)");
  add("refresher", text_value("uac|uas"),
      "who refreshes where a caller leaves it open: it (uac, default) or we (uas)");
  add("register", list_value("URI"),
      "register this address-of-record at its host (RFC 3261 10.2), sip:bob@192.0.2.7, and keep it "
      "registered; --login is used when it asks. May be repeated");
  add("call", list_value("URI"),
      "call there, do what --then says, hang up; end when all calls are over, with status 1 if one "
      "has failed. May be repeated: called in turn");
  add("calls", text_value("N"), "calls to make (default: one a --call)");
  add("rate", text_value("N"), "calls that begin in a second (default 10)");
  add("at-once", text_value("N"), "calls side by side at most (default 100)");
  add("then", list_value("STEP"),
      "what is done in each call, one after the other as each is answered. May be repeated");
  add("offerless", "INVITE without SDP");
  add("require-100rel", "INVITE with Require: 100rel");
  add("call-timeout", text_value("TIME"), "a call that is not over by then failed (default 180s)");
  add("no-registrar", "answer 405 to REGISTER");
  add("proxy",
      "be a forking, record-routing proxy with a registrar instead of a user agent (RFC 3261 16): "
      "calls go to what has registered, for other domains to their Request-URI");
  add("t1", text_value("TIME"), "T1, which scales all timers (default 500ms)");
  add("seed", text_value("N"), "source of all tags and branches; default: a new one each time");
  add("adapter",
      "take commands on standard input, as tools/adapters/README.md has it, until its end; instead "
      "of the first line that says where it listens comes \"ready\"");
  add("verbose", "print a line for everything that happens");
  return options;
}

}  // namespace

int ua(const Arguments& arguments) {
  const std::string about =
      "Runs the engine as a live user agent until SIGINT or SIGTERM, or until its own calls are "
      "over (--call).\n" +
      users_text() + "\nSteps of --then:\n" + call_steps_text();
  const auto values = parse({"ua", "", about}, arguments, known_options());
  if (!values) return reports::exit_as_expected;
  for (const char* name : {"register", "otherwise", "no-registrar"})
    if (values->count("proxy") != 0 && values->count(name) != 0)
      throw UsageError{fmt::format("--{} is for a user agent, not for --proxy", name)};

  std::vector<Endpoint> wanted;
  for (const std::string& written : texts(*values, "listen"))
    wanted.push_back(listen_endpoint(written));
  if (wanted.empty()) wanted.push_back({Transport::Udp, "127.0.0.1", 5060});
  agent::Settings settings = settings_from(*values);
  const Duration t1 = settings.timings.t1;
  std::optional<Calls> calls;
  if (auto plan = plan_from(*values)) calls.emplace(*std::move(plan));
  const bool is_verbose = values->count("verbose") != 0;
  const std::uint64_t seed =
      values->count("seed") == 0 ? any_seed() : number(*values, "seed", 0, 0, UINT64_MAX);

  transport::allow_many_sockets();
  Hub hub;
  hub.stop_on_signals();
  const auto opened = open_all(hub, wanted);
  if (!opened) {
    fmt::print(stderr, "sipassay: {}\n", opened.error());
    return reports::exit_error;
  }
  for (const Endpoint& endpoint : *opened) settings.local.push_back(advertised(endpoint));
  if (values->count("adapter") != 0) {
    agent::Agent agent(std::move(settings), Rng(seed));
    run_as_adapter(hub, agent);
    return reports::exit_as_expected;
  }
  std::string where;
  for (const Endpoint& endpoint : *opened) where += " " + to_string(endpoint);
  fmt::print("ready:{} (seed {})\n", where, seed);
  std::fflush(stdout);
  if (values->count("proxy") != 0) {
    proxy::Proxy proxy(proxy_settings(settings), Rng(seed));
    transport::WallClock(hub, proxy).run_until(std::nullopt);
    return reports::exit_as_expected;
  }
  agent::Agent agent(std::move(settings), Rng(seed));
  transport::WallClock clock(hub, agent, [is_verbose, &calls](const agent::Event& event) {
    if (calls) calls->handle(event);
    if (is_verbose) fmt::print("{}\n", line_of(event));
  });
  for (const std::string& uri : texts(*values, "register"))
    clock.command(agent::Register{.registrar = uri});
  if (calls) return make_calls(hub, clock, *calls, t1);
  clock.run_until(std::nullopt);
  return reports::exit_as_expected;
}

}  // namespace sipassay::tools
