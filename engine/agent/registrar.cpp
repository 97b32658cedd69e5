#include "engine/agent/registrar.h"

#include <algorithm>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/host.h"

namespace sipassay::agent {
namespace {

using std::chrono::seconds;

constexpr seconds malformed_expires{3600};  // RFC 3261 10.2, 20.19
constexpr seconds expires_max{UINT32_MAX};  // 10.2 MAY: what is larger is as this
constexpr seconds hour{3600};               // 10.3 step 7: nothing longer is too brief

seconds read_expires(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, ascii::is_digit)) return malformed_expires;
  const auto value = ascii::number<std::uint32_t>(text);
  return value ? seconds{*value} : expires_max;
}

std::optional<seconds> requested(const Message& request) {
  if (!request.has(HeaderId::Expires)) return std::nullopt;
  return read_expires(request.raw(HeaderId::Expires));
}

// Step 5: no parameters, nothing escaped. The port stays: 19.1.4 tells a URI without one from the
// same with 5060. RFC 5630 5.2: sip and sips are the same address-of-record.
std::string canonical(const Uri& uri) {
  std::string out = unescape(uri.user) + '@';
  if (const auto groups = uri.is_ipv6 ? ipv6_from(uri.host) : std::nullopt)
    for (const auto group : *groups) out += std::to_string(group) + ':';
  else
    out += ascii::to_lower(uri.host);
  if (uri.port) out += '/' + std::to_string(*uri.port);
  return out;
}

Refusal bad_request(std::string_view reason, std::string_view section) {
  return {400, {3261, section, Level::Must}, std::string(reason), {}};
}
Refusal failed(std::string_view reason) {
  return {500, {3261, "10.3", Level::Must}, std::string(reason), {}};
}

// RFC 5630 5.2: a sips Contact asks for sips in the Request-URI and in every other Contact.
std::optional<Refusal> check_schemes(const Message& request) {
  using Scheme = Uri::Scheme;
  bool has_sip = false, has_sips = false;
  for (const auto& contact : request.all<Contact>()) {
    if (!contact || contact->is_star) continue;
    has_sip |= contact->addr.uri.scheme == Scheme::Sip;
    has_sips |= contact->addr.uri.scheme == Scheme::Sips;
  }
  const auto domain = request.target();
  has_sip |= domain && domain->scheme == Scheme::Sip;
  if (!has_sips || !has_sip) return std::nullopt;
  return Refusal{400, {5630, "5.2", Level::Must}, "Contact is sips and another URI is not", {}};
}

bool has_equivalent(const std::string& text, const Uri& uri) {
  const auto known = parse_uri(text);
  return known && equivalent(*known, uri);
}

// The parameters are the contact's, never the URI's (RFC 4475 3.3.12).
std::string without_expires(const NameAddr& address) {
  std::string out;
  if (!address.display.empty()) out = std::string(address.display) + ' ';
  out += '<' + std::string(address.uri.text) + '>';
  for (const auto& param : address.params) {
    if (ascii::iequals(param.name, "expires")) continue;
    out += ';' + std::string(param.name);
    if (param.has_value) out += '=' + std::string(param.value);
  }
  return out;
}

std::string path_of(const Message& request) {
  std::vector<std::string> values;
  for (const auto& path : request.all<Path>())
    if (path) values.emplace_back(path->addr.text);
  return ascii::comma_list(values);
}

}  // namespace

// Steps 6 and 7 on a copy of the bindings: what fails leaves nothing behind.
struct Registrar::Update {
  const Options& options;
  const Message& request;
  Instant now;
  Bindings bindings;
  std::string call_id{request.raw(HeaderId::CallId)};
  std::string path = path_of(request);
  std::uint32_t cseq = 0;

  // "This algorithm ensures that out-of-order requests from the same UA are ignored."
  bool is_late(const Binding& binding) const {
    return !binding.is_tentative && binding.call_id == call_id && binding.cseq >= cseq;
  }

  std::optional<Refusal> remove_all() {
    if (std::ranges::any_of(bindings, [this](const Binding& one) { return is_late(one); }))
      return failed("CSeq is not higher");
    bindings.clear();
    return std::nullopt;
  }

  // The interval that the registrar chooses; the bounds of step 7.
  std::expected<seconds, Refusal> interval(const Contact& contact) const {
    const auto param = contact.addr.params.find("expires");
    const auto wanted =
        param ? read_expires(param->value) : requested(request).value_or(options.standard);
    if (wanted > 0s && wanted < hour && wanted < options.minimum)
      return std::unexpected(Refusal{423,
                                     {3261, "10.3", Level::May},
                                     {},
                                     {{"Min-Expires", std::to_string(options.minimum.count())}}});
    return std::min(wanted, options.maximum);
  }

  std::optional<Refusal> apply(const Contact& contact) {
    const auto granted = interval(contact);
    if (!granted) return granted.error();
    const auto& uri = contact.addr.uri;
    const auto known = std::ranges::find_if(
        bindings, [&](const Binding& one) { return has_equivalent(one.uri, uri); });
    if (known != bindings.end() && is_late(*known)) return failed("CSeq is not higher");
    if (*granted == 0s) {
      if (known != bindings.end()) bindings.erase(known);
      return std::nullopt;
    }
    Binding made{.uri = std::string(uri.text),
                 .contact = without_expires(contact.addr),
                 .q = contact.q().value_or(1000),
                 .end = now + *granted,
                 .call_id = call_id,
                 .cseq = cseq,
                 .path = path,
                 .is_tentative = true};
    if (made.contact.size() + call_id.size() + path.size() > binding_octets_max)
      return failed("Binding is too long");
    if (known != bindings.end())
      *known = std::move(made);
    else if (bindings.size() < bindings_max)
      bindings.push_back(std::move(made));
    else
      return failed("Too many bindings");
    return std::nullopt;
  }
};

std::optional<Refusal> Registrar::check_address(const Message& request) const {
  const auto domain = request.target();
  const auto to = request.get<To>();
  if (!domain || !to) return bad_request("Malformed Request-URI or To", "8.2.2");
  const auto is_domain = [&](std::string_view one) { return same_host(one, domain->host); };
  if (!options_.domains.empty() && std::ranges::none_of(options_.domains, is_domain))
    return Refusal{404, {3261, "8.2.2.1", Level::Should}, "Not our domain", {}};
  if (!to->addr.uri.is_sip()) return bad_request("Address-of-record is no SIP or SIPS URI", "10.2");
  if (!same_host(to->addr.uri.host, domain->host))
    return Refusal{404, {3261, "10.3", Level::Must}, "Address-of-record of another domain", {}};
  return std::nullopt;
}

std::expected<Registrar::Contacts, Refusal> Registrar::update(const Message& request, Instant now) {
  const auto to = request.get<To>();
  const auto cseq = request.get<CSeq>();
  if (!to || !cseq) return std::unexpected(bad_request("Malformed To or CSeq", "8.2.2"));
  const auto aor = canonical(to->addr.uri);
  const auto contacts = request.all<Contact>();
  if (contacts.is_empty()) return listed(current(aor, now), now);
  if (auto refusal = check_schemes(request)) return std::unexpected(*std::move(refusal));

  Update update{.options = options_, .request = request, .now = now, .bindings = current(aor, now)};
  update.cseq = cseq->number;
  const bool is_one = contacts.count() == 1;
  for (const auto& contact : contacts) {
    if (!contact) return std::unexpected(bad_request("Malformed Contact", "8.2.2"));
    if (contact->is_star && (!is_one || requested(request) != 0s))
      return std::unexpected(bad_request("Contact * is not alone or without Expires 0", "10.3"));
    if (contact->addr.params.has("q") && !contact->q())
      return std::unexpected(bad_request("Malformed q of Contact", "8.2.2"));
    if (auto refusal = contact->is_star ? update.remove_all() : update.apply(*contact))
      return std::unexpected(*std::move(refusal));
  }
  if (update.bindings.empty()) {
    aors_.erase(aor);
    return Contacts{};
  }
  if (!has_room_for(aor, now)) return std::unexpected(failed("Too many addresses-of-record"));
  for (auto& binding : update.bindings) binding.is_tentative = false;
  auto out = listed(update.bindings, now);
  aors_.insert_or_assign(aor, std::move(update.bindings));
  return out;
}

Registrar::Bindings Registrar::of(std::string_view uri, Instant now) const {
  const auto target = parse_uri(uri);
  if (!target || !target->is_sip()) return {};
  auto bindings = current(canonical(*target), now);
  if (bindings.empty() && target->port) {  // the domain is the host, wherever we listen
    auto domain = *target;
    domain.port.reset();
    bindings = current(canonical(domain), now);
  }
  std::erase_if(bindings, [&](const Binding& one) { return has_equivalent(one.uri, *target); });
  std::ranges::stable_sort(bindings, std::ranges::greater{}, &Binding::q);
  return bindings;
}

Registrar::Contacts Registrar::contacts(std::string_view uri, Instant now) const {
  return listed(of(uri, now), now);
}

std::vector<Registrar::Target> Registrar::targets(std::string_view uri, Instant now) const {
  std::vector<Target> out;
  for (auto& binding : of(uri, now))
    out.push_back({std::move(binding.uri), binding.q, std::move(binding.path)});
  return out;
}

std::string Registrar::date(Instant now) const {
  using namespace std::chrono;
  const auto time = options_.epoch + floor<seconds>(now.time_since_epoch());
  const auto day = floor<days>(time);
  const year_month_day calendar{day};
  const hh_mm_ss clock{time - day};
  return text_of(Date{.weekday = static_cast<std::uint8_t>(weekday{day}.iso_encoding() - 1U),
                      .day = static_cast<std::uint8_t>(unsigned{calendar.day()}),
                      .month = static_cast<std::uint8_t>(unsigned{calendar.month()}),
                      .year = static_cast<std::uint16_t>(int{calendar.year()}),
                      .hour = static_cast<std::uint8_t>(clock.hours().count()),
                      .minute = static_cast<std::uint8_t>(clock.minutes().count()),
                      .second = static_cast<std::uint8_t>(clock.seconds().count())});
}

Registrar::Bindings Registrar::current(const std::string& aor, Instant now) const {
  const auto found = aors_.find(aor);
  if (found == aors_.end()) return {};
  auto bindings = found->second;
  std::erase_if(bindings, [&](const Binding& one) { return one.end <= now; });
  return bindings;
}

// What is over is forgotten when its place is needed.
bool Registrar::has_room_for(const std::string& aor, Instant now) {
  if (aors_.contains(aor) || aors_.size() < options_.aors_limit) return true;
  std::erase_if(aors_, [&](const auto& entry) {
    return std::ranges::all_of(entry.second, [&](const Binding& one) { return one.end <= now; });
  });
  return aors_.size() < options_.aors_limit;
}

// The time that is left is rounded up: a binding that lives is never shown with 0.
Registrar::Contacts Registrar::listed(const Bindings& bindings, Instant now) {
  Contacts out;
  for (const auto& binding : bindings)
    out.push_back(binding.contact + ";expires=" +
                  std::to_string(std::chrono::ceil<seconds>(binding.end - now).count()));
  return out;
}

}  // namespace sipassay::agent
