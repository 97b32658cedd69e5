// Via, branch and where a response goes: the functions of layer.h about addresses.

#include <string>

#include "engine/base/ascii.h"
#include "engine/message/header/via.h"
#include "engine/transaction/key.h"
#include "engine/transaction/layer.h"

namespace sipassay::transaction {
namespace {

constexpr std::size_t branch_token_length = 20;

std::string_view without_brackets(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    return host.substr(1, host.size() - 2);
  return host;
}

void append_param(std::string& value, const Param& param) {
  value += ';';
  value += param.name;
  if (!param.has_value) return;
  value += '=';
  value += param.value;
}

// The octets of the first Via value end where the next value's comma stands: that and all behind
// it.
std::string_view rest_of_line(std::string_view line, const Via& via) {
  const std::string_view params = via.params.text();
  if (!params.empty())
    return line.substr(static_cast<std::size_t>(params.data() + params.size() - line.data()));
  const std::size_t comma = line.find(',');
  return comma == std::string_view::npos ? std::string_view() : line.substr(comma);
}

}  // namespace

std::string make_branch(Rng& rng) {
  return std::string(branch_cookie) + rng.token(branch_token_length);
}

void add_via(Message& request, const Endpoint& local, std::string_view branch) {
  std::string value = "SIP/2.0/";
  value += via_token(local.transport);
  value += ' ';
  value += host_port(local);
  value += ";branch=";
  value += branch;
  // RFC 3581 3: for the answer to find its way back through a NAT; streams have their connection.
  if (local.transport == Transport::Udp) value += ";rport";
  request.insert(request.find(HeaderId::Via).value_or(0), header_name(HeaderId::Via), value);
}

void stamp_via(Message& request, const Flow& flow) {
  const auto via = request.maybe<Via>();
  const auto line = request.find(HeaderId::Via);
  if (!via || !line) return;
  const auto rport = via->rport();
  const bool asks_rport = rport && !rport->has_value;
  // RFC 3261 18.2.1; RFC 3581 4: with rport also if it is the same.
  const bool needs_received = asks_rport || !ascii::iequals(via->host, flow.remote.host);
  const bool has_right_received = via->received() == flow.remote.host;
  if (!asks_rport && (has_right_received || (!needs_received && !via->params.has("received"))))
    return;

  std::string value(via->protocol);
  ((value += '/') += via->version) += '/';
  (value += via->transport) += ' ';
  value += via->is_ipv6 ? "[" + std::string(via->host) + "]" : std::string(via->host);
  if (via->port) (value += ':') += std::to_string(*via->port);
  for (const Param& param : via->params) {
    if (ascii::iequals(param.name, "received")) continue;  // the sender's word does not count
    if (asks_rport && ascii::iequals(param.name, "rport"))
      value += ";rport=" + std::to_string(flow.remote.port);
    else
      append_param(value, param);
  }
  if (needs_received) (value += ";received=") += flow.remote.host;
  value += rest_of_line(request.field(*line).value, *via);
  request.set_value(*line, value);
}

Destination response_destination(const Message& response, const Flow& request_flow) {
  Destination to{request_flow.remote, request_flow.id};
  const auto via = response.maybe<Via>();
  if (!via) return to;
  const std::string_view received = without_brackets(via->received());
  if (is_reliable(to.endpoint.transport)) {
    // RFC 3261 18.2.2: the same connection; should it be gone, a new one to the sent-by port.
    if (!received.empty()) to.endpoint.host = received;
    to.endpoint.port = sent_by_port(*via);
    return to;
  }
  if (const std::string_view maddr = without_brackets(via->params.value("maddr")); !maddr.empty()) {
    to.endpoint.host = maddr;
    to.endpoint.port = sent_by_port(*via);
    return to;
  }
  to.endpoint.host = received.empty() ? via->host : received;
  const auto rport = via->rport();
  const auto port = rport ? ascii::number<std::uint16_t>(rport->value) : std::nullopt;
  to.endpoint.port = port && *port != 0 ? *port : sent_by_port(*via);
  return to;
}

}  // namespace sipassay::transaction
