#include "engine/agent/response.h"

#include "engine/base/rng.h"
#include "engine/message/header/all.h"

namespace sipassay::agent {
namespace {

bool has_tag(const Message& request) {
  const auto to = request.get<To>();
  if (to) return !to->tag().empty();
  // Not readable: leave what may be a tag alone.
  return request.raw(HeaderId::To).find(";tag=") != std::string_view::npos;
}

void copy_lines(const Message& from, Message& to, HeaderId id) {
  for (std::size_t nth = 0; const auto position = from.find(id, nth); ++nth)
    to.add(id, from.field(*position).value);
}

}  // namespace

std::string to_tag_for(const Message& request, std::uint64_t secret) {
  std::string key(request.raw(HeaderId::CallId));
  key += '\n';
  if (const auto from = request.get<From>()) key += from->tag();
  key += '\n';
  if (const auto cseq = request.get<CSeq>()) key += std::to_string(cseq->number);
  key += '\n';
  if (const auto via = request.get<Via>()) {
    key += via->branch();
    key += '\n';
    key += via->host;
  }
  return Rng(derive_seed(secret, key)).token(12);
}

Message make_response(const Message& request, int status, std::string_view to_tag,
                      std::string_view reason) {
  auto response = Message::response(status, reason.empty() ? default_reason(status) : reason);
  copy_lines(request, response, HeaderId::Via);
  copy_lines(request, response, HeaderId::From);
  if (const auto position = request.find(HeaderId::To)) {
    std::string to(request.field(*position).value);
    if (status != 100 && !to_tag.empty() && !has_tag(request)) {
      to += ";tag=";
      to += to_tag;
    }
    response.add(HeaderId::To, to);
  }
  if (request.has(HeaderId::CallId)) response.add(HeaderId::CallId, request.raw(HeaderId::CallId));
  if (request.has(HeaderId::CSeq)) response.add(HeaderId::CSeq, request.raw(HeaderId::CSeq));
  if (status == 100) copy_lines(request, response, HeaderId::Timestamp);
  response.set_body({}, {});
  return response;
}

Message make_response(const Message& request, const Refusal& refusal, std::string_view to_tag) {
  auto response = make_response(request, refusal.status, to_tag, refusal.reason);
  for (const auto& [name, value] : refusal.headers) response.add(name, value);
  return response;
}

}  // namespace sipassay::agent
