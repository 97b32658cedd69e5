#include "engine/message/lint.h"

#include <algorithm>
#include <array>
#include <string>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/message/start_line.h"

namespace sipassay {

namespace {

using Report = LintReport;

std::string named(HeaderId id) {
  return std::string(header_name(id));
}

std::string shown(std::string_view text) {
  constexpr std::size_t shown_max = 200;
  std::string out = "\"" + std::string(text.substr(0, shown_max)) + "\"";
  if (text.size() > shown_max) out += " …";
  return out;
}

bool has_to_tag(const Message& message) {
  const auto to = message.maybe<To>();
  return to && !to->tag().empty();
}

Method cseq_method(const Message& message) {
  const auto cseq = message.maybe<CSeq>();
  return cseq ? cseq->method : Method::Other;
}

bool is_success(const Message& message) {
  return message.status() / 100 == 2;
}

void need(const Message& message, HeaderId id, const Report& report) {
  if (!message.has(id)) report(named(id), "absent");
}

void refuse(const Message& message, HeaderId id, const Report& report) {
  if (message.has(id)) report("no " + named(id), named(id) + ": " + std::string(message.raw(id)));
}

// --- shape

void start_line(const Message& message, const Report& report) {
  const StartLine parts = read_start_line(message.start_line());
  if (parts.error)
    report(std::string(text(parts.error->code)),
           shown(message.start_line()) + ", offset " + std::to_string(parts.error->offset));
}

void header_line(const Message& message, const Report& report) {
  for (std::size_t i = 0; i < message.field_count(); ++i) {
    const HeaderField field = message.field(i);
    if (field.name.empty()) report("a field name and a colon", shown(field.value));
  }
}

void header_syntax(const Message& message, const Report& report) {
  AllHeaders::for_each([&]<class H>() {
    if (!message.has(H::id)) return;
    for (const auto& value : message.all<H>())
      if (!value)
        report(named(H::id) + ": " + std::string(text(value.error().code)),
               shown(message.raw(H::id)) + ", offset " + std::to_string(value.error().offset));
  });
}

void header_repeated(const Message& message, const Report& report) {
  for (std::size_t i = 1; i < header_id_count; ++i) {
    const auto id = static_cast<HeaderId>(i);
    const std::size_t lines = message.line_count(id);
    if (lines > 1 && !may_repeat(id))
      report("one " + named(id), std::to_string(lines) + " lines of it");
  }
}

void content_length(const Message& message, const Report& report) {
  const auto length = message.maybe<ContentLength>();
  if (length && length->value != message.body().size())
    report(std::to_string(message.body().size()) + " (octets of the body)",
           std::to_string(length->value));
}

void content_type(const Message& message, const Report& report) {
  if (!message.body().empty()) need(message, HeaderId::ContentType, report);
}

// --- every request and response

void mandatory(const Message& message, const Report& report) {
  for (const HeaderId id :
       {HeaderId::Via, HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq})
    need(message, id, report);
  if (message.is_request()) need(message, HeaderId::MaxForwards, report);
}

void request_uri(const Message& message, const Report& report) {
  if (!message.is_request()) return;
  const auto uri = parse_uri(message.request_uri());
  if (!uri)
    report("a URI", shown(message.request_uri()));
  else if (!uri->headers.empty())
    report("a Request-URI without headers", shown(message.request_uri()));
}

// A response repeats what its request had (8.2.6.2 MUST).
void via_protocol(const Message& message, const Report& report) {
  if (!message.is_request()) return;
  for (const auto& via : message.all<Via>())
    if (via && (!ascii::iequals(via->protocol, "SIP") || via->version != "2.0"))
      report("SIP/2.0", std::string(via->protocol) + "/" + std::string(via->version));
}

void via_branch(const Message& message, const Report& report) {
  const auto via = message.get<Via>();
  if (!via || !message.is_request()) return;
  const std::string_view branch = via->branch();
  if (!branch.starts_with(branch_cookie) || branch.size() == branch_cookie.size())
    report("a branch that begins with z9hG4bK and is unique",
           branch.empty() ? "no branch" : shown(branch));
}

void from_tag(const Message& message, const Report& report) {
  const auto from = message.maybe<From>();
  if (from && from->tag().empty()) report("a tag in From", shown(message.raw(HeaderId::From)));
}

void to_tag(const Message& message, const Report& report) {
  if (message.is_response() && message.status() != 100 && message.maybe<To>() &&
      !has_to_tag(message))
    report("a tag in To", shown(message.raw(HeaderId::To)));
}

void cseq_matches(const Message& message, const Report& report) {
  const auto cseq = message.maybe<CSeq>();
  if (message.is_request() && cseq && cseq->method_text != message.method_text())
    report("CSeq method " + std::string(message.method_text()), std::string(cseq->method_text));
}

// --- Contact, routes

bool forms_dialog(const Message& message) {
  if (message.is_request())
    return message.method() == Method::Invite || message.method() == Method::Subscribe ||
           message.method() == Method::Refer || message.method() == Method::Update;
  const Method method = cseq_method(message);
  return is_success(message) &&
         (method == Method::Invite || method == Method::Update || method == Method::Subscribe);
}

void dialog_contact(const Message& message, const Report& report) {
  if (!forms_dialog(message)) return;
  std::size_t count = 0;
  for (const auto& contact : message.all<Contact>()) {
    ++count;
    if (!contact) continue;  // header-syntax says so
    if (contact->is_star || !contact->addr.uri.is_sip())
      report("a SIP or SIPS URI in Contact", shown(message.raw(HeaderId::Contact)));
  }
  if (count != 1) report("exactly one Contact value", std::to_string(count));
}

void contact_star(const Message& message, const Report& report) {
  const std::size_t count = message.all<Contact>().count();
  for (const auto& contact : message.all<Contact>()) {
    if (!contact || !contact->is_star) continue;
    const auto expires = message.maybe<Expires>();
    if (message.is_response() || message.method() != Method::Register || count != 1 || !expires ||
        expires->value != 0)
      report("\"*\" alone, in a REGISTER with Expires: 0", shown(message.raw(HeaderId::Contact)));
  }
}

void sips_contact(const Message& message, const Report& report) {
  if (!message.is_request() || !forms_dialog(message)) return;
  const auto uri = parse_uri(message.request_uri());
  const auto route = message.get<Route>();
  const bool is_secure = (uri && uri->scheme == Uri::Scheme::Sips) ||
                         (route && route->addr.uri.scheme == Uri::Scheme::Sips);
  const auto contact = message.get<Contact>();
  if (is_secure && contact && contact->addr.uri.scheme != Uri::Scheme::Sips)
    report("a SIPS URI in Contact", shown(message.raw(HeaderId::Contact)));
}

void contact_params(const Message& message, const Report& report) {
  for (const auto& contact : message.all<Contact>()) {
    if (!contact) continue;
    if (contact->addr.params.has("q") && !contact->q())
      report("q between 0 and 1 with up to three decimals", shown(contact->addr.text));
    if (contact->addr.params.has("expires") && !contact->expires())
      report("expires in seconds", shown(contact->addr.text));
  }
}

void record_route_lr(const Message& message, const Report& report) {
  for (const auto& route : message.all<RecordRoute>())
    if (route && !(route->addr.uri.is_sip() && route->addr.uri.is_loose_route()))
      report("a SIP or SIPS URI with lr in Record-Route", shown(route->addr.text));
}

void tel_context(const Message& message, const Report& report) {
  const auto check = [&](const Uri& uri) {
    if (uri.scheme == Uri::Scheme::Tel && !uri.user.starts_with('+') &&
        !uri.params.has("phone-context"))
      report("phone-context in a local number", shown(uri.text));
  };
  if (message.is_request())
    if (const auto uri = parse_uri(message.request_uri())) check(*uri);
  if (const auto from = message.maybe<From>()) check(from->addr.uri);
  if (const auto to = message.maybe<To>()) check(to->addr.uri);
}

// --- methods

void no_require(const Message& message, const Report& report) {
  // ACK only for a non-2xx final response; which one it is for does not show in the message.
  if (!message.is_request() || message.method() != Method::Cancel) return;
  refuse(message, HeaderId::Require, report);
  refuse(message, HeaderId::ProxyRequire, report);
}

void rack_in_prack(const Message& message, const Report& report) {
  if (message.is_request() && message.method() == Method::Prack)
    need(message, HeaderId::RAck, report);
}

void refer_to(const Message& message, const Report& report) {
  if (!message.is_request() || message.method() != Method::Refer) return;
  const std::size_t count = message.line_count(HeaderId::ReferTo);
  if (count != 1) report("exactly one Refer-To", std::to_string(count));
}

void event(const Message& message, const Report& report) {
  if (message.is_request() &&
      (message.method() == Method::Subscribe || message.method() == Method::Notify))
    need(message, HeaderId::Event, report);
}

void subscription_state(const Message& message, const Report& report) {
  if (message.is_request() && message.method() == Method::Notify)
    need(message, HeaderId::SubscriptionState, report);
}

void info_package(const Message& message, const Report& report) {
  if (!message.is_request() || message.method() != Method::Info)
    refuse(message, HeaderId::InfoPackage, report);
}

// --- reliable provisional responses

bool is_reliable(const Message& message) {
  return message.is_response() && has_token(message, HeaderId::Require, "100rel");
}

void rseq_with_100rel(const Message& message, const Report& report) {
  if (!message.is_response() || message.status() <= 100 || message.status() >= 200) return;
  const bool has_rseq = message.has(HeaderId::RSeq);
  if (has_rseq != is_reliable(message))
    report("Require: 100rel and RSeq together",
           has_rseq ? "RSeq without Require: 100rel" : "Require: 100rel without RSeq");
}

void no_reliable_100(const Message& message, const Report& report) {
  if (message.status() != 100) return;
  refuse(message, HeaderId::RSeq, report);
  if (is_reliable(message)) report("no Require: 100rel", "Require: 100rel");
}

void rseq_only_provisional(const Message& message, const Report& report) {
  if (message.is_request() || message.status() >= 200) refuse(message, HeaderId::RSeq, report);
}

// --- what a status must bring along

template <int Status, HeaderId... Ids>
void brings(const Message& message, const Report& report) {
  if (message.status() != Status || (message.has(Ids) || ...)) return;
  std::string expected;
  for (const HeaderId id : {Ids...}) expected += (expected.empty() ? "" : " or ") + named(id);
  report(std::move(expected), "absent");
}

void refresher(const Message& message, const Report& report) {
  const auto interval = message.maybe<SessionExpires>();
  if (is_success(message) && interval && interval->refresher.empty())
    report("a refresher parameter", shown(message.raw(HeaderId::SessionExpires)));
}

void min_se_in_responses(const Message& message, const Report& report) {
  if (message.is_response() && message.status() != 422) refuse(message, HeaderId::MinSe, report);
}

void min_se_floor(const Message& message, const Report& report) {
  const auto minimum = message.maybe<MinSe>();
  if (minimum && minimum->seconds < 90)
    report("at least 90 seconds", std::to_string(minimum->seconds));
}

constexpr Level must = Level::Must, must_not = Level::MustNot;

constexpr auto rules = std::to_array<LintRule>({
    {"start-line", {3261, "7.1", must}, start_line},
    {"header-line", {3261, "7.3.1", must}, header_line},
    {"header-syntax", {3261, "25.1", must}, header_syntax},
    {"header-repeated", {3261, "7.3.1", must_not}, header_repeated},
    {"mandatory-header", {3261, "8.1.1", must}, mandatory},
    {"content-length", {3261, "20.14", must}, content_length},
    {"content-type", {3261, "20.15", must}, content_type},
    {"request-uri", {3261, "19.1.1", must}, request_uri},
    {"via-protocol", {3261, "20.42", Level::Stated}, via_protocol},
    {"via-branch-cookie", {3261, "8.1.1.7", must}, via_branch},
    {"from-tag", {3261, "8.1.1.3", must}, from_tag},
    {"to-tag", {3261, "8.2.6.2", must}, to_tag},
    {"cseq-method", {3261, "8.1.1.5", must}, cseq_matches},
    {"dialog-contact", {3261, "8.1.1.8", must}, dialog_contact},
    {"contact-star", {3261, "10.2.2", must_not}, contact_star},
    {"contact-sips", {3261, "8.1.1.8", must}, sips_contact},
    {"contact-params", {3261, "20.10", Level::Stated}, contact_params},
    {"record-route-lr", {3261, "16.6", must}, record_route_lr},
    {"tel-phone-context", {3966, "5.1.5", must}, tel_context},
    {"require-in-cancel", {3261, "8.2.2.3", must_not}, no_require},
    {"rack-in-prack", {3262, "7.2", must}, rack_in_prack},
    {"refer-to-once", {3515, "2.4.1", must}, refer_to},
    {"event", {6665, "8.2.1", must}, event},
    {"subscription-state", {6665, "4.1.3", must}, subscription_state},
    {"info-package-in-info", {6086, "7.1", Level::Stated}, info_package},
    {"rseq-with-100rel", {3262, "3", must}, rseq_with_100rel},
    {"reliable-100", {3262, "3", must_not}, no_reliable_100},
    {"rseq-in-provisional", {3262, "7.1", Level::Stated}, rseq_only_provisional},
    {"challenge-in-401", {3261, "20.44", must}, brings<401, HeaderId::WwwAuthenticate>},
    {"allow-in-405", {3261, "8.2.1", must}, brings<405, HeaderId::Allow>},
    {"challenge-in-407", {3261, "20.27", must}, brings<407, HeaderId::ProxyAuthenticate>},
    {"accept-in-415",
     {3261, "8.2.3", must},
     brings<415, HeaderId::Accept, HeaderId::AcceptEncoding, HeaderId::AcceptLanguage>},
    {"unsupported-in-420", {3261, "8.2.2.3", must}, brings<420, HeaderId::Unsupported>},
    {"require-in-421", {3261, "21.4.16", must}, brings<421, HeaderId::Require>},
    {"min-se-in-422", {4028, "5", must}, brings<422, HeaderId::MinSe>},
    {"min-expires-in-423", {3261, "10.3", must}, brings<423, HeaderId::MinExpires>},
    {"recv-info-in-469", {6086, "4.2.2", must}, brings<469, HeaderId::RecvInfo>},
    {"refresher-in-2xx", {4028, "9", must}, refresher},
    {"min-se-in-response", {4028, "5", must_not}, min_se_in_responses},
    {"min-se-floor", {4028, "5", must_not}, min_se_floor},
});

// --- a response beside its request

void same_raw(const Message& request, const Message& response, HeaderId id, const Report& report) {
  if (request.raw(id) != response.raw(id)) report(shown(request.raw(id)), shown(response.raw(id)));
}

void same_call_id(const Message& request, const Message& response, const Report& report) {
  same_raw(request, response, HeaderId::CallId, report);
}

void same_cseq(const Message& request, const Message& response, const Report& report) {
  const auto a = request.maybe<CSeq>();
  const auto b = response.maybe<CSeq>();
  if (a && b && (a->number != b->number || a->method_text != b->method_text))
    report(shown(request.raw(HeaderId::CSeq)), shown(response.raw(HeaderId::CSeq)));
}

template <class H>
void same_address(const Message& request, const Message& response, const Report& report) {
  const auto a = request.maybe<H>();
  const auto b = response.maybe<H>();
  if (!a || !b) return;
  const bool is_same_tag = a->tag() == b->tag() || (H::id == HeaderId::To && a->tag().empty());
  if (!equivalent(a->addr.uri, b->addr.uri) || !is_same_tag)
    report(shown(request.raw(H::id)), shown(response.raw(H::id)));
}

std::string via_key(const Parsed<Via>& via) {
  if (!via) return "?";
  std::string out = ascii::to_lower(via->transport) + " " + ascii::to_lower(via->host);
  if (via->port) out += ":" + std::to_string(*via->port);
  return out + " " + std::string(via->branch());
}

void same_vias(const Message& request, const Message& response, const Report& report) {
  std::string expected, observed;
  for (const auto& via : request.all<Via>()) expected += via_key(via) + "; ";
  for (const auto& via : response.all<Via>()) observed += via_key(via) + "; ";
  if (expected != observed) report(std::move(expected), std::move(observed));
}

void tag_in_100(const Message& request, const Message& response, const Report& report) {
  if (response.status() == 100 && !has_to_tag(request) && has_to_tag(response))
    report("no To tag in a 100", shown(response.raw(HeaderId::To)));
}

constexpr auto answers = std::to_array<AnswerRule>({
    {"answer-via", {3261, "8.2.6.2", must}, same_vias},
    {"answer-from", {3261, "8.2.6.2", must}, same_address<From>},
    {"answer-to", {3261, "8.2.6.2", must}, same_address<To>},
    {"answer-call-id", {3261, "8.2.6.2", must}, same_call_id},
    {"answer-cseq", {3261, "8.2.6.2", must}, same_cseq},
    {"answer-100-tag", {3261, "17.2.1", Level::ShouldNot}, tag_in_100},
});

}  // namespace

std::span<const LintRule> lint_rules() {
  return rules;
}

std::span<const AnswerRule> answer_rules() {
  return answers;
}

std::vector<Finding> lint(const Message& message) {
  std::vector<Finding> out;
  for (const LintRule& rule : rules) rule.check(message, LintReport(rule.name, rule.clause, out));
  return out;
}

std::vector<Finding> lint_answer(const Message& request, const Message& response) {
  std::vector<Finding> out;
  for (const AnswerRule& rule : answers)
    rule.check(request, response, LintReport(rule.name, rule.clause, out));
  return out;
}

}  // namespace sipassay
