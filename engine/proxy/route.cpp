#include "engine/proxy/route.h"

#include <algorithm>

#include "engine/base/ascii.h"
#include "engine/base/rng.h"
#include "engine/message/header/all.h"

namespace sipassay::proxy {
namespace {

constexpr std::size_t mark_length = 10;

// The values of Route, each on its own.
std::vector<std::string> routes_of(const Message& request) {
  std::vector<std::string> out;
  for (const auto& route : request.all<Route>())
    if (route) out.emplace_back(route->addr.text);
  return out;
}

// One line a value, where the first one stood.
void set_routes(Message& request, const std::vector<std::string>& routes) {
  auto position = request.find(HeaderId::Route).value_or(request.field_count());
  request.remove(HeaderId::Route);
  position = std::min(position, request.field_count());
  for (const auto& route : routes) request.insert(position++, header_name(HeaderId::Route), route);
}

// The URI without the parameters for which `is_left_out`, and without headers (19.1.1, Table 1).
template <class F>
std::string without(const Uri& uri, bool has_port, const F& is_left_out) {
  std::string out = std::string(uri.scheme_text) + ':';
  if (uri.has_user) {
    out += uri.user;
    if (!uri.password.empty()) (out += ':') += uri.password;
    out += '@';
  }
  out += uri.is_ipv6 ? '[' + std::string(uri.host) + ']' : std::string(uri.host);
  if (uri.port && has_port) (out += ':') += std::to_string(*uri.port);
  for (const auto& param : uri.params) {
    if (is_left_out(param)) continue;
    (out += ';') += param.name;
    if (param.has_value) (out += '=') += param.value;
  }
  return out;
}

bool is_default_port(std::uint16_t port) {
  return port == 5060;
}

// "received using the port and transport indicated in the Request-URI"
bool has_arrived_as_told(const Uri& uri, const Flow& flow) {
  const auto transport = transport_from(uri.params.value("transport"));
  return uri.port.value_or(5060) == flow.local.port &&
         transport.value_or(Transport::Udp) == flow.local.transport;
}

void strip_maddr(Message& request, const Place& place, const Flow& flow) {
  const auto uri = request.target();
  if (!uri || !uri->is_sip() || !uri->params.has("maddr")) return;
  if (!place.is_here(uri->params.value("maddr"), uri->port.value_or(5060)) ||
      !has_arrived_as_told(*uri, flow))
    return;
  request.set_request_uri(
      without(*uri, !uri->port || is_default_port(*uri->port), [](const Param& param) {
        return ascii::iequals(param.name, "maddr") || ascii::iequals(param.name, "transport");
      }));
}

// Requests that make a dialog, and NOTIFY, for which RFC 6665 4.3 wants it.
bool wants_record_route(Method method) {
  return method == Method::Invite || method == Method::Subscribe || method == Method::Refer ||
         method == Method::Notify;
}

void record_route(Message& copy, const Endpoint& local) {
  const auto uri = copy.target();
  const bool is_sips = uri && uri->scheme == Uri::Scheme::Sips;
  const std::string value = (is_sips ? "<sips:" : "<sip:") + host_port(local) + ";lr>";
  copy.insert(copy.find(HeaderId::RecordRoute).value_or(copy.find(HeaderId::Via).value_or(0)),
              header_name(HeaderId::RecordRoute), value);
}

}  // namespace

bool Place::is_here(std::string_view host, std::uint16_t port) const {
  return std::ranges::any_of(local, [&](const Endpoint& endpoint) {
    return endpoint.port == port && same_host(endpoint.host, host);
  });
}

bool Place::is_here(const Uri& uri) const {
  if (!serves(uri)) return false;
  const bool is_name = !domain.empty() && same_host(domain, uri.host);
  const bool is_sips = uri.scheme == Uri::Scheme::Sips;
  return uri.port || is_name || is_here(uri.host, is_sips ? 5061 : 5060);
}

bool Place::serves(const Uri& uri) const {
  if (!uri.is_sip()) return false;
  return std::ranges::any_of(local, [&](const Endpoint& endpoint) {
    return (!uri.port || *uri.port == endpoint.port) &&
           (same_host(endpoint.host, uri.host) || (!domain.empty() && same_host(domain, uri.host)));
  });
}

void preprocess(Message& request, const Place& place, const Flow& flow) {
  const auto uri = request.target();
  if (uri && uri->is_loose_route() && !uri->has_user && place.is_here(*uri)) {
    auto routes = routes_of(request);
    if (const auto last = routes.empty() ? std::nullopt : std::optional(routes.back())) {
      const auto route = parse_name_addr(*last);
      routes.pop_back();
      if (route) request.set_request_uri(std::string(route->uri.text));
      set_routes(request, routes);
    }
  }
  strip_maddr(request, place, flow);
  const auto first = request.maybe<Route>();
  if (!first || !place.is_here(first->addr.uri)) return;
  auto routes = routes_of(request);
  routes.erase(routes.begin());
  set_routes(request, routes);
}

std::string loop_mark(const Message& request, std::uint64_t secret) {
  std::string key(request.request_uri());
  const auto add = [&](std::string_view part) { (key += '\n') += part; };
  for (const auto& route : routes_of(request)) add(route);
  add(request.raw(HeaderId::CallId));
  if (const auto from = request.maybe<From>()) add(from->tag());
  if (const auto to = request.maybe<To>()) add(to->tag());
  if (const auto cseq = request.maybe<CSeq>()) add(std::to_string(cseq->number));
  add(request.raw(HeaderId::ProxyRequire));
  add(request.raw(HeaderId::ProxyAuthorization));
  return Rng(derive_seed(secret, key)).token(mark_length);
}

bool has_looped(const Message& request, std::string_view mark, const Place& place) {
  for (const auto& via : request.all<Via>())
    if (via && place.is_here(via->host, via->port.value_or(5060)) && via->branch().ends_with(mark))
      return true;
  return false;
}

unsigned breadth_of(const Message& request) {
  const auto value = ascii::number<unsigned>(request.raw("Max-Breadth"));
  return value ? std::min(*value, breadth_max) : breadth_max;
}

Message copy_for(const Message& request, const Hop& hop) {
  auto copy = request;
  const auto target = parse_uri(hop.target);
  copy.set_request_uri(
      target && target->is_sip()
          ? without(*target, true,
                    [](const Param& param) { return ascii::iequals(param.name, "method"); })
          : hop.target);
  const auto hops = copy.maybe<MaxForwards>();
  copy.set(HeaderId::MaxForwards, std::to_string(hops ? hops->value - 1 : 70));
  if (wants_record_route(copy.method())) record_route(copy, hop.local);
  copy.set("Max-Breadth", std::to_string(hop.breadth));
  if (!hop.path.empty())
    copy.insert(copy.find(HeaderId::Route).value_or(copy.find(HeaderId::Via).value_or(0)),
                header_name(HeaderId::Route), hop.path);
  return copy;
}

bool rewrite_for_strict_router(Message& copy) {
  const auto first = copy.maybe<Route>();
  if (!first || first->addr.uri.is_loose_route()) return false;
  const std::string next(first->addr.uri.text);
  auto routes = routes_of(copy);
  routes.erase(routes.begin());
  routes.push_back("<" + std::string(copy.request_uri()) + ">");
  copy.set_request_uri(next);
  set_routes(copy, routes);
  return true;
}

}  // namespace sipassay::proxy
