// Messages that follow from another: the functions of layer.h that make ACK, CANCEL and 100.

#include <fmt/format.h>

#include <chrono>
#include <string>

#include "engine/message/header/date.h"
#include "engine/message/header/sequence.h"
#include "engine/message/header/via.h"
#include "engine/transaction/layer.h"

namespace sipassay::transaction {
namespace {

void copy_lines(const Message& from, HeaderId id, Message& to) {
  for (std::size_t nth = 0; const auto position = from.find(id, nth); ++nth) {
    const HeaderField field = from.field(*position);
    to.add(field.name, field.value);
  }
}

// The first value of the topmost Via line.
void copy_top_via(const Message& from, Message& to) {
  const auto line = from.find(HeaderId::Via);
  if (!line) return;
  const auto via = from.maybe<Via>();
  std::string_view value = from.field(*line).value;
  if (via && !via->params.text().empty()) {
    const std::string_view params = via->params.text();
    value = value.substr(0, static_cast<std::size_t>(params.data() + params.size() - value.data()));
  } else if (via) {
    value = value.substr(0, value.find(','));
  }
  to.add(HeaderId::Via, value);
}

// The number as written, so that a deliberately odd one stays the same.
std::string cseq_with(const Message& request, std::string_view method) {
  const auto cseq = request.maybe<CSeq>();
  const std::string_view raw = request.raw(HeaderId::CSeq);
  std::string value =
      cseq ? std::to_string(cseq->number) : std::string(raw.substr(0, raw.find_first_of(" \t")));
  return (value += ' ') += method;
}

Message within_transaction_of(const Message& request, std::string_view method, const Message& to) {
  Message out = Message::request(method, request.request_uri());
  copy_top_via(request, out);
  copy_lines(request, HeaderId::Route, out);
  out.add(HeaderId::MaxForwards, "70");
  copy_lines(request, HeaderId::From, out);
  copy_lines(to, HeaderId::To, out);
  copy_lines(request, HeaderId::CallId, out);
  out.add(HeaderId::CSeq, cseq_with(request, method));
  out.add(HeaderId::ContentLength, "0");
  return out;
}

}  // namespace

Message ack_for_failure(const Message& invite, const Message& response) {
  return within_transaction_of(invite, to_string(Method::Ack), response);
}

Message cancel_for(const Message& request) {
  return within_transaction_of(request, to_string(Method::Cancel), request);
}

Message trying_for(const Message& request, Duration delay) {
  Message out = Message::response(100);
  for (const HeaderId id : {HeaderId::Via, HeaderId::From, HeaderId::To, HeaderId::CallId,
                            HeaderId::CSeq, HeaderId::Timestamp})  // RFC 3261 8.2.6.1, 8.2.6.2
    copy_lines(request, id, out);
  // RFC 3261 8.2.6.1 SHOULD: the delay, in seconds.
  if (const auto stamp = request.maybe<Timestamp>(); stamp && delay > Duration::zero())
    out.set(HeaderId::Timestamp,
            fmt::format("{} {:.3f}", stamp->value, std::chrono::duration<double>(delay).count()));
  out.add(HeaderId::ContentLength, "0");
  return out;
}

}  // namespace sipassay::transaction
