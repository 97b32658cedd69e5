#include "engine/runner/wire.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"

namespace sipassay::runner {

namespace {

// Where the value proper of From or To ends and its parameters begin.
std::size_t end_of_address(std::string_view value) {
  const std::size_t bracket = value.rfind('>');
  if (bracket != std::string_view::npos) return bracket + 1;
  return std::min(value.find(';'), value.size());
}

// The value of one header parameter with its bounds, name and "=" left out.
struct Place {
  std::size_t begin = 0, end = 0;
};
std::optional<Place> parameter(std::string_view value, std::size_t from, std::string_view name) {
  for (std::size_t at = value.find(';', from); at != std::string_view::npos;
       at = value.find(';', at + 1)) {
    const std::string_view rest = ascii::trim(value.substr(at + 1));
    if (!ascii::istarts_with(rest, name) || !rest.substr(name.size()).starts_with('=')) continue;
    const std::size_t begin =
        static_cast<std::size_t>(rest.data() - value.data()) + name.size() + 1;
    return Place{begin, std::min(value.find_first_of(";, \t", begin), value.size())};
  }
  return std::nullopt;
}

}  // namespace

std::string contact_uri(const Message& message) {
  const auto contact = message.maybe<Contact>();
  return contact ? std::string(contact->addr.uri.text) : std::string();
}

bool is_response_to(const Message& message, Method of, int low, int high) {
  return message.is_response() && message.status() >= low && message.status() <= high &&
         cseq_method(message) == of;
}

bool is_same_request(const Message& a, const Message& b) {
  return a.is_request() && b.is_request() && a.method() == b.method() &&
         a.raw(HeaderId::CallId) == b.raw(HeaderId::CallId) && cseq_number(a) == cseq_number(b);
}

std::uint32_t cseq_number(const Message& message) {
  const auto cseq = message.maybe<CSeq>();
  return cseq ? cseq->number : 0;
}

Method cseq_method(const Message& message) {
  const auto cseq = message.maybe<CSeq>();
  return cseq ? cseq->method : Method::Other;
}

std::string tag_of(const Message& message, HeaderId from_or_to) {
  const std::string_view value = message.raw(from_or_to);
  const auto place = parameter(value, end_of_address(value), "tag");
  return place ? std::string(value.substr(place->begin, place->end - place->begin)) : std::string();
}

std::string branch_of(const Message& message) {
  const std::string_view value = message.raw(HeaderId::Via);
  const auto place = parameter(value, 0, "branch");
  return place ? std::string(value.substr(place->begin, place->end - place->begin)) : std::string();
}

void set_status(Message& message, int status) {
  message.set_start_line(fmt::format("SIP/2.0 {} {}", status, default_reason(status)));
}

void set_cseq(Message& message, std::uint32_t number) {
  const std::string value(message.raw(HeaderId::CSeq));
  const std::size_t blank = value.find(' ');
  if (blank != std::string::npos)
    message.set(HeaderId::CSeq, fmt::format("{}{}", number, value.substr(blank)));
}

void set_tag(Message& message, HeaderId from_or_to, std::string_view tag) {
  std::string value(message.raw(from_or_to));
  const auto place = parameter(value, end_of_address(value), "tag");
  if (place && tag.empty())
    value.erase(value.rfind(';', place->begin), place->end - value.rfind(';', place->begin));
  else if (place)
    value.replace(place->begin, place->end - place->begin, tag);
  else if (!tag.empty())
    value += fmt::format(";tag={}", tag);
  message.set(from_or_to, value);
}

void set_branch(Message& message, std::string_view branch) {
  const auto position = message.find(HeaderId::Via);
  if (!position) return;
  std::string value(message.field(*position).value);
  const auto place = parameter(value, 0, "branch");
  if (!place) return;
  value.replace(place->begin, place->end - place->begin, branch);
  message.set_value(*position, value);
}

void drop_body(Message& message) {
  message.set_body("", "");
}

Message without_top_via(const Message& response) {
  Message out = response;
  if (const auto via = out.find(HeaderId::Via)) out.remove(*via);
  return out;
}

void edit_sdp(Message& message, const std::function<void(std::vector<std::string>&)>& edit) {
  if (!ascii::istarts_with(message.raw(HeaderId::ContentType), "application/sdp") ||
      message.body().empty())
    return;
  std::vector<std::string> lines;
  std::string_view body = message.body();
  while (!body.empty()) {
    const std::size_t end = body.find('\n');
    lines.emplace_back(ascii::trim(body.substr(0, end)));
    body = end == std::string_view::npos ? std::string_view() : body.substr(end + 1);
  }
  edit(lines);
  std::string text;
  for (const auto& line : lines) text += line + "\r\n";
  message.set_body("application/sdp", text);
}

bool Wire::is_response(Method of, int low, int high) const {
  return is_response_to(message_, of, low, high);
}

bool Wire::has_status(int low, int high) const {
  return message_.is_response() && message_.status() >= low && message_.status() <= high;
}

bool Wire::forwards() const {
  return from_sut_ && message_.is_request() && message_.all<Via>().count() > 1;
}

bool Wire::gets_request_with(std::string_view header) const {
  return gets_request() && message_.find(header).has_value();
}

bool Wire::is_reliable_provisional() const {
  return is_response_to(message_, Method::Invite, 101, 199) && message_.has(HeaderId::RSeq);
}

bool Wire::has_sdp() const {
  return ascii::istarts_with(message_.raw(HeaderId::ContentType), "application/sdp") &&
         !message_.body().empty();
}

bool Wire::is_repeated() const {
  const std::string octets = message_.to_string();
  return std::ranges::any_of(history_, [&](const Crossed& one) {
    return one.from_sut == from_sut_ && one.octets == octets;
  });
}

const Message* Wire::last(bool from_sut, const std::function<bool(const Message&)>& is_so) const {
  for (auto it = history_.rbegin(); it != history_.rend(); ++it)
    if (it->from_sut == from_sut && is_so(it->message)) return &it->message;
  return nullptr;
}

const Message* Wire::first(bool from_sut, const std::function<bool(const Message&)>& is_so) const {
  for (const auto& one : history_)
    if (one.from_sut == from_sut && is_so(one.message)) return &one.message;
  return nullptr;
}

const Message* Wire::original() const {
  return last(false, [this](const Message& other) { return is_same_request(other, message_); });
}

const Message* Wire::last_request(bool from_sut, Method method) const {
  return last(from_sut, [&](const Message& m) { return m.is_request() && m.method() == method; });
}

const Message* Wire::last_response(bool from_sut, Method of, int low, int high) const {
  return last(from_sut, [&](const Message& m) { return is_response_to(m, of, low, high); });
}

void Wire::send(Message message, Duration after) {
  more_.push_back({true, std::move(message), after});
}

void Wire::send_again(const Message* message, Duration after) {
  if (message != nullptr) send(*message, after);
}

// The dialog's ends are read off the newest INVITE of the call and the newest response with a tag.
std::optional<Message> Wire::make_request(std::string_view method) const {
  const auto call_id = message_.raw(HeaderId::CallId);
  const auto is_ours = [&](const Message& m) { return m.raw(HeaderId::CallId) == call_id; };
  const auto is_invite = [&](const Message& m) {
    return is_ours(m) && m.is_request() && m.method() == Method::Invite;
  };
  const auto is_tagged = [&](const Message& m) {
    return is_response_to(m, Method::Invite, 101, 299) && is_ours(m);
  };
  const bool is_caller = first(true, is_invite) != nullptr || (from_sut_ && is_invite(message_));
  const Message* invite = is_invite(message_) ? &message_ : last(is_caller, is_invite);
  const Message* response = is_tagged(message_) ? &message_ : last(!is_caller, is_tagged);
  if (invite == nullptr) return std::nullopt;
  const Message& ends = response != nullptr ? *response : *invite;

  const Message& theirs = is_caller ? ends : *invite;
  std::string target = contact_uri(theirs);
  if (target.empty()) target = std::string(invite->request_uri());
  std::uint32_t number = is_caller ? cseq_number(*invite) : 100;
  for (const auto& one : history_)
    if (one.from_sut && one.message.is_request() && is_ours(one.message))
      number = std::max(number, cseq_number(one.message));

  Message out = Message::request(method, target);
  const Message* own = last(true, [](const Message& m) { return m.is_request(); });
  std::string via(own != nullptr ? own->raw(HeaderId::Via) : invite->raw(HeaderId::Via));
  out.add(HeaderId::Via, via);
  set_branch(out, fmt::format("z9hG4bKmadeup{}{}", method, history_.size()));
  out.add(HeaderId::MaxForwards, "70");
  out.add(HeaderId::From, is_caller ? ends.raw(HeaderId::From) : ends.raw(HeaderId::To));
  out.add(HeaderId::To, is_caller ? ends.raw(HeaderId::To) : ends.raw(HeaderId::From));
  out.add(HeaderId::CallId, call_id);
  const bool keeps_number = method == "ACK" || method == "CANCEL";
  out.add(HeaderId::CSeq,
          fmt::format("{} {}", keeps_number ? cseq_number(*invite) : number + 1, method));
  out.set_body("", "");
  return out;
}

Message Wire::make_response(int status) const {
  Message out = Message::response(status);
  for (std::size_t i = 0; i < message_.field_count(); ++i) {
    const auto field = message_.field(i);
    if (field.id == HeaderId::Via || field.id == HeaderId::From || field.id == HeaderId::To ||
        field.id == HeaderId::CallId || field.id == HeaderId::CSeq)
      out.add(field.name, field.value);
  }
  if (tag_of(out, HeaderId::To).empty()) set_tag(out, HeaderId::To, "madeup");
  out.set_body("", "");
  return out;
}

void Wire::answer(int status) {
  send(make_response(status));
  drop();
}

std::vector<Crossing> Wire::take() {
  std::vector<Crossing> out;
  if (!is_dropped_) out.push_back({from_sut_, std::move(message_), delay_});
  for (auto& one : more_) out.push_back(std::move(one));
  return out;
}

}  // namespace sipassay::runner
