#include "engine/transaction/key.h"

#include "engine/base/ascii.h"
#include "engine/base/endpoint.h"
#include "engine/message/header/address.h"
#include "engine/message/header/sequence.h"
#include "engine/message/header/text.h"

namespace sipassay::transaction {
namespace {

constexpr char separator = '\n';

// RFC 3261 7.3.1: parameter values compare without case. The bare cookie identifies nothing.
bool has_unique_branch(const Via& via) {
  const std::string_view branch = via.branch();
  return branch.size() > branch_cookie.size() && ascii::istarts_with(branch, branch_cookie);
}

template <class H>
std::string_view tag_of(const Message& message) {
  const auto header = message.maybe<H>();
  return header ? header->tag() : std::string_view();
}

std::string_view call_id_of(const Message& message) {
  const auto header = message.maybe<CallId>();
  return header ? header->value : message.raw(HeaderId::CallId);
}

std::string cseq_number_of(const Message& message) {
  const auto header = message.maybe<CSeq>();
  return header ? std::to_string(header->number) : std::string(message.raw(HeaderId::CSeq));
}

void append(std::string& key, std::string_view part) {
  key += separator;
  key += part;
}

void append_sent_by(std::string& key, const Via& via) {
  append(key, ascii::to_lower(via.host));
  append(key, std::to_string(sent_by_port(via)));
}

// RFC 3261 17.2.3: what an element without the cookie is recognised by.
std::string rfc2543_branch(const Message& request, const Via& via) {
  std::string key = "o";
  append(key, request.request_uri());
  append(key, tag_of<From>(request));
  append(key, call_id_of(request));
  append(key, cseq_number_of(request));
  append(key, via.transport);
  append_sent_by(key, via);
  append(key, via.params.text());
  return key;
}

}  // namespace

std::uint16_t sent_by_port(const Via& via) {
  if (via.port) return *via.port;
  return ascii::iequals(via.transport, via_token(Transport::Tls)) ? 5061 : 5060;
}

bool has_same_sent_by(const Via& a, const Via& b) {
  return ascii::iequals(a.host, b.host) && sent_by_port(a) == sent_by_port(b);
}

ServerKey server_key(const Message& request, const Via& via) {
  ServerKey key;
  key.method = request.method_text();
  if (has_unique_branch(via)) {
    key.branch = "b";
    append(key.branch, ascii::to_lower(via.branch()));
    append_sent_by(key.branch, via);
  } else {
    key.branch = rfc2543_branch(request, via);
    key.to_tag = tag_of<To>(request);
  }
  return key;
}

std::optional<std::string> client_key(const Message& message, const Via& via) {
  std::string_view method = message.method_text();
  const auto cseq = message.maybe<CSeq>();
  if (message.is_response()) {
    if (!cseq) return std::nullopt;
    method = cseq->method_text;
  }
  std::string key;
  if (!via.branch().empty()) {
    key = "b";
    append(key, ascii::to_lower(via.branch()));
  } else {
    key = "o";
    append(key, tag_of<From>(message));
    append(key, call_id_of(message));
    append(key, cseq_number_of(message));
  }
  append(key, method);
  return key;
}

std::string merge_key(const Message& request) {
  const auto cseq = request.maybe<CSeq>();
  const auto from = request.maybe<From>();
  const std::string_view call_id = call_id_of(request);
  if (!cseq || !from || call_id.empty()) return {};
  std::string key(from->tag());
  append(key, call_id);
  append(key, std::to_string(cseq->number));
  append(key, cseq->method_text);
  return key;
}

}  // namespace sipassay::transaction
