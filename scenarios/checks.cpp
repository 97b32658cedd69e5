#include "scenarios/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/ascii.h"
#include "scenarios/catalogue.h"

namespace sipassay::scenarios {

namespace {

using runner::Check;
using runner::HeaderCheck;
using runner::HeaderEdit;
using runner::MessageEdit;
using runner::Pattern;
using runner::SdpCheck;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && ascii::is_alpha(text[0]) &&
         std::ranges::all_of(text,
                             [](char c) { return ascii::is_alnum(c) || c == '-' || c == '_'; });
}

// "200", "2xx"
bool is_status(std::string_view text) {
  if (text.size() != 3 || text[0] < '1' || text[0] > '6') return false;
  return (ascii::is_digit(text[1]) && ascii::is_digit(text[2])) || text.substr(1) == "xx";
}

// "200", "2xx", "101-199", joined by "|"; "*"
bool is_status_pattern(std::string_view text) {
  if (text == "*") return true;
  while (true) {
    const std::size_t bar = text.find('|');
    const std::string_view part = text.substr(0, bar);
    const std::size_t dash = part.find('-');
    const bool is_range = dash != std::string_view::npos;
    if (!is_status(part.substr(0, dash)) || (is_range && !is_status(part.substr(dash + 1))))
      return false;
    if (bar == std::string_view::npos) return true;
    text.remove_prefix(bar + 1);
  }
}

// "INVITE", "INVITE|UPDATE", "*"
bool is_method_pattern(std::string_view text) {
  if (text == "*") return true;
  while (true) {
    const std::size_t bar = text.find('|');
    if (!ascii::is_token(text.substr(0, bar))) return false;
    if (bar == std::string_view::npos) return true;
    text.remove_prefix(bar + 1);
  }
}

bool is_sdp_request(std::string_view text) {
  if (text == "none" || text == "same") return true;
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  if (kind != "offer" && kind != "answer") return false;
  while (colon != std::string_view::npos) {
    text.remove_prefix(text.find_first_of(":+") + 1);
    const std::size_t plus = text.find('+');
    if (std::ranges::find(runner::sdp_traits, text.substr(0, plus)) == std::end(runner::sdp_traits))
      return false;
    if (plus == std::string_view::npos) break;
  }
  return true;
}

std::string quoted(std::string_view text) {
  return fmt::format("\"{}\"", text.substr(0, 80));
}

std::optional<Level> read_level(Element& element) {
  const auto text = element.text("level");
  if (!text) return std::nullopt;
  const auto level = level_from(*text);
  if (!level)
    element.wrong("level", "MUST, MUST NOT, SHOULD, SHOULD NOT, MAY or STATED", quoted(*text));
  return level;
}

Check read_header_check(Element& element) {
  struct Row {
    std::string_view attribute;
    HeaderCheck::Op op;
  };
  using Op = HeaderCheck::Op;
  static constexpr Row rows[] = {{"is", Op::Is},
                                 {"is-not", Op::IsNot},
                                 {"has", Op::Has},
                                 {"has-not", Op::HasNot},
                                 {"count", Op::Count},
                                 {"matches", Op::Matches},
                                 {"less-than", Op::LessThan},
                                 {"greater-than", Op::GreaterThan},
                                 {"at-least", Op::AtLeast},
                                 {"at-most", Op::AtMost},
                                 {"same-as", Op::SameAs},
                                 {"differs-from", Op::DiffersFrom},
                                 {"distinct", Op::Distinct},
                                 {"digest", Op::Digest}};
  HeaderCheck check;
  check.name = element.required("name").value_or("");
  check.param = element.text_or("param", "");
  check.part = element.text_or("part", "");
  std::size_t found = 0;
  for (const auto& [attribute, op] : rows) {
    auto value = element.text(attribute);
    if (!value) continue;
    check.op = op;
    check.value = std::move(*value);
    ++found;
  }
  if (const auto absent = element.flag("absent"); absent.has_value()) {
    check.op = *absent ? Op::Absent : Op::Present;
    ++found;
  }
  if (const auto quoted_param = element.flag("quoted"); quoted_param.has_value()) {
    check.op = *quoted_param ? Op::Quoted : Op::Unquoted;
    ++found;
    if (check.param.empty()) element.wrong("attribute param with quoted", "quoted without it");
  }
  if (found > 1) element.wrong("one condition", fmt::format("{} in one <header>", found));
  const bool names_message = check.op == Op::SameAs || check.op == Op::DiffersFrom;
  if (names_message && !element.context().names.messages.contains(check.value))
    element.wrong(check.op == Op::SameAs ? "same-as" : "differs-from",
                  "the name of an earlier message", quoted(check.value));
  if (check.op == Op::Digest && check.value != "valid")
    element.wrong("digest", "valid", quoted(check.value));
  check.level = read_level(element);
  check.clause_section = element.text_or("section", "");
  element.is_empty();
  element.done();
  return {std::move(check)};
}

Check read_sdp_check(Element& element) {
  using Op = SdpCheck::Op;
  struct Row {
    std::string_view attribute;
    Op op;
    bool names_message;
  };
  static constexpr Row rows[] = {
      {"answers", Op::Answers, true},          {"equals", Op::Equals, false},
      {"next-version", Op::NextVersion, true}, {"same-version", Op::SameVersion, true},
      {"media-count", Op::MediaCount, false},  {"direction", Op::Direction, false},
      {"has-format", Op::HasFormat, false}};
  SdpCheck check;
  std::size_t found = 0;
  for (const auto& [attribute, op, names_message] : rows) {
    auto value = element.text(attribute);
    if (!value) continue;
    check.op = op;
    check.value = std::move(*value);
    ++found;
    if (names_message && !element.context().names.messages.contains(check.value))
      element.wrong(attribute, "the name of an earlier message", quoted(check.value));
    if (op == Op::MediaCount && !ascii::number<unsigned>(check.value))
      element.wrong(attribute, "a number", quoted(check.value));
  }
  if (const auto absent = element.flag("absent"); absent.has_value()) {
    check.op = *absent ? Op::Absent : Op::Present;
    ++found;
  }
  if (const auto zero = element.flag("port-zero"); zero.has_value()) {
    check.op = *zero ? Op::PortZero : Op::PortNotZero;
    ++found;
  }
  if (found > 1) element.wrong("one condition", fmt::format("{} in one <sdp>", found));
  check.media = element.number("media", 0, 63).value_or(0);
  check.level = read_level(element);
  check.clause_section = element.text_or("section", "");
  element.is_empty();
  element.done();
  return {std::move(check)};
}

// An edit of one header field: which attributes it has besides name.
struct EditRow {
  std::string_view element;
  HeaderEdit::Action action;
  bool has_value, has_param;
};
constexpr EditRow edit_rows[] = {
    {"set", HeaderEdit::Action::Set, true, false},
    {"add", HeaderEdit::Action::Add, true, false},
    {"remove", HeaderEdit::Action::Remove, false, false},
    {"double", HeaderEdit::Action::Double, false, false},
    {"compact", HeaderEdit::Action::Compact, false, false},
    {"fold", HeaderEdit::Action::Fold, false, false},
    {"first", HeaderEdit::Action::First, false, false},
    {"last", HeaderEdit::Action::Last, false, false},
    {"param", HeaderEdit::Action::Param, true, true},
    {"remove-param", HeaderEdit::Action::RemoveParam, false, true},
};

void read_header_edit(Element& element, const EditRow& row, MessageEdit& edit) {
  HeaderEdit change;
  change.action = row.action;
  change.name = element.required("name").value_or("");
  if (row.has_param) change.param = element.required("param").value_or("");
  if (row.has_value) change.value = element.required("value").value_or("");
  element.is_empty();
  element.done();
  edit.headers.push_back(std::move(change));
}

void read_adaptation(Element& element, runner::RawAdaptation& out) {
  struct Row {
    std::string_view word;
    bool runner::RawAdaptation::* field;
  };
  static constexpr Row rows[] = {{"via", &runner::RawAdaptation::via},
                                 {"call-id", &runner::RawAdaptation::call_id},
                                 {"request-uri", &runner::RawAdaptation::request_uri},
                                 {"end", &runner::RawAdaptation::end}};
  for (const auto& word : element.words("adapt")) {
    const auto row = std::ranges::find(rows, std::string_view(word), &Row::word);
    if (row == std::end(rows))
      element.wrong("adapt", "via, call-id, request-uri or end", quoted(word));
    else
      out.*row->field = true;
  }
}

void read_raw(Element& element, MessageEdit& edit) {
  read_adaptation(element, edit.adaptation);
  if (element.has("file")) {
    edit.raw = element.file_octets();
    element.is_empty();
  } else {
    edit.raw = element.octets();
  }
  element.done();
}

void read_child_edit(Element& element, MessageEdit& edit) {
  for (const auto& row : edit_rows)
    if (row.element == element.name()) return read_header_edit(element, row, edit);
  if (element.name() == "body") {
    edit.body_type = element.text_or("type", "");
    edit.body = element.octets();
    return element.done();
  }
  if (element.name() == "raw") return read_raw(element, edit);
  std::vector<std::string_view> known;
  for (const auto& row : edit_rows) known.push_back(row.element);
  known.insert(known.end(), {"body", "raw"});
  element.unknown_here(known);
}

void read_credentials(Element& element, runner::CredentialsEdit& credentials) {
  static constexpr std::string_view schemes[] = {"Digest", "Basic"};
  credentials.is_basic = element.choice("scheme", schemes).value_or(0) == 1;
  credentials.user = element.text("user");
  credentials.password = element.text("password");
  credentials.nonce = element.text("nonce");
  credentials.uri = element.text("uri");
  credentials.nc = element.text("nc");
  element.is_empty();
  element.done();
}

std::vector<std::size_t> read_segments(Element& element) {
  std::vector<std::size_t> out;
  for (const auto& word : element.words("segments")) {
    const auto octets = ascii::number<std::size_t>(word);
    if (!octets || *octets == 0 || out.size() >= 1000)
      element.wrong("segments", "up to 1000 numbers of octets, each above 0", quoted(word));
    else
      out.push_back(*octets);
  }
  return out;
}

}  // namespace

Pattern read_pattern(Element& element) {
  Pattern pattern;
  pattern.method = element.text_or("method", "");
  pattern.status = element.text_or("status", "");
  const bool has_method = element.has("method");
  if (has_method == element.has("status"))
    element.wrong("a method or a status", has_method ? "both" : "neither");
  if (has_method && !is_method_pattern(pattern.method))
    element.wrong("method", "methods such as PRACK or INVITE|UPDATE, or *", quoted(pattern.method));
  if (element.has("status") && !is_status_pattern(pattern.status))
    element.wrong("status", "statuses such as 200, 2xx, 400|416 or 101-199",
                  quoted(pattern.status));
  pattern.of = read_message_name(element, "of", false);
  if (has_method && !pattern.of.empty())
    element.wrong("of", "a status with it (of names the request that is answered)", "a method");
  pattern.dialog = read_dialog_name(element);
  pattern.peer = read_peer_name(element);
  return pattern;
}

std::vector<Check> read_checks(Element& element) {
  static constexpr std::string_view known[] = {"header", "sdp"};
  std::vector<Check> out;
  for (auto& child : element.children()) {
    if (child.name() == "header")
      out.push_back(read_header_check(child));
    else if (child.name() == "sdp")
      out.push_back(read_sdp_check(child));
    else
      child.unknown_here(known);
  }
  return out;
}

MessageEdit read_edit(Element& element, runner::CredentialsEdit* credentials) {
  MessageEdit edit;
  edit.start_line = element.text("start-line");
  edit.request_uri = element.text("request-uri");
  edit.sdp = element.text("sdp");
  if (edit.sdp && !is_sdp_request(*edit.sdp))
    element.wrong("sdp", "none, same, offer or answer, with traits as in offer:audio+video",
                  quoted(*edit.sdp));
  edit.content_length = element.text("content-length");
  edit.branch = element.text("branch");
  edit.cseq = element.text("cseq");
  edit.from_tag = element.text("from-tag");
  edit.to_tag = element.text("to-tag");
  edit.call_id = element.text("call-id");
  edit.contact = element.text("contact");
  edit.segments = read_segments(element);
  for (auto& child : element.children())
    if (credentials != nullptr && child.name() == "credentials")
      read_credentials(child, *credentials);
    else
      read_child_edit(child, edit);
  if (edit.body && edit.sdp) element.wrong("a <body> or sdp=", "both");
  return edit;
}

std::string read_message_name(Element& element, std::string_view attribute, bool is_required) {
  const auto name = is_required ? element.required(attribute) : element.text(attribute);
  if (!name || name->empty()) return {};
  if (!element.context().names.messages.contains(*name))
    element.wrong(attribute, "the name of an earlier message (as=)", quoted(*name));
  return *name;
}

std::string read_new_name(Element& element) {
  const auto name = element.text("as");
  if (!name) return {};
  auto& names = element.context().names;
  if (!is_name(*name) || *name == "peer" || *name == "sut" || *name == "login")
    element.wrong("as",
                  "a name of letters, digits, - and _ that begins with a letter, not peer or sut",
                  quoted(*name));
  else if (names.has(*name))
    element.wrong("as", "a name that nothing else has", quoted(*name));
  names.messages.insert(*name);
  return *name;
}

std::string read_dialog_name(Element& element) {
  const auto name = element.text("dialog");
  if (!name || name->empty()) return {};
  auto& names = element.context().names;
  if (!is_name(*name) || names.messages.contains(*name) || names.peers.contains(*name))
    element.wrong("dialog", "the name of a dialog, or a new name", quoted(*name));
  names.dialogs.insert(*name);
  return *name;
}

std::string read_peer_name(Element& element) {
  const auto name = element.text("peer");
  if (!name || name->empty()) return {};
  if (!element.context().names.peers.contains(*name))
    element.wrong("peer", "the name of a <peer> of this scenario", quoted(*name));
  return *name;
}

}  // namespace sipassay::scenarios
