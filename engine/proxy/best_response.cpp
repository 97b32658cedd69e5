#include "engine/proxy/best_response.h"

#include <algorithm>
#include <tuple>

#include "engine/message/header_id.h"

namespace sipassay::proxy {
namespace {

// 16.7 step 6 SHOULD: within 4xx those that a changed request may overcome.
bool tells_how_to_go_on(int status) {
  return status == 401 || status == 407 || status == 415 || status == 420 || status == 484;
}

// The lower the better.
auto rank(const Message& response) {
  const int status = response.status();
  return std::tuple(status / 100 == 6 ? 0 : status / 100, !tells_how_to_go_on(status),
                    status == 503);
}

bool is_challenge(int status) {
  return status == 401 || status == 407;
}

// 16.7 step 7; RFC 8760 2.5: in their order.
void add_challenges(const Message& from, Message& best) {
  for (const auto id : {HeaderId::WwwAuthenticate, HeaderId::ProxyAuthenticate})
    for (std::size_t nth = 0; const auto position = from.find(id, nth); ++nth)
      best.add(id, from.field(*position).value);
}

}  // namespace

std::optional<Message> best_response(const std::vector<const Message*>& finals) {
  const Message* best = nullptr;
  for (const auto* one : finals)
    if (one != nullptr && (best == nullptr || rank(*one) < rank(*best))) best = one;
  if (best == nullptr) return std::nullopt;
  auto out = *best;
  if (is_challenge(out.status()))
    for (const auto* other : finals)
      if (other != nullptr && other != best && is_challenge(other->status()))
        add_challenges(*other, out);
  return out;
}

}  // namespace sipassay::proxy
