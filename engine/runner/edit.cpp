#include "engine/runner/edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/base/ascii.h"
#include "engine/message/header_id.h"
#include "engine/runner/values.h"

namespace sipassay::runner {
namespace {

// Positions of all lines with that name.
std::vector<std::size_t> positions(const Message& message, std::string_view name) {
  std::vector<std::size_t> out;
  for (std::size_t nth = 0; auto position = message.find(name, nth); ++nth)
    out.push_back(*position);
  return out;
}

// Where the parameters of the line's first value begin and end.
struct ParamSpan {
  std::size_t begin = std::string::npos, end = 0;  // of ";name=value"; begin npos: absent
  std::size_t value_end = 0;                       // of the first value with its parameters
};
ParamSpan find_param(std::string_view value, std::string_view name) {
  ParamSpan out;
  bool in_quotes = false, in_brackets = false;
  std::size_t start = std::string::npos;
  const auto close = [&](std::size_t end) {
    if (start == std::string::npos) return;
    const auto piece = value.substr(start + 1, end - start - 1);
    if (ascii::iequals(ascii::trim(piece.substr(0, piece.find('='))), name)) {
      out.begin = start;
      out.end = end;
    }
    start = std::string::npos;
  };
  std::size_t i = 0;
  for (; i < value.size(); ++i) {
    const char c = value[i];
    if (in_quotes) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_quotes = false;
      continue;
    }
    if (c == '"')
      in_quotes = true;
    else if (c == '<')
      in_brackets = true;
    else if (c == '>')
      in_brackets = false;
    else if (in_brackets)
      continue;
    else if (c == ',')
      break;
    else if (c == ';') {
      close(i);
      start = i;
    }
  }
  i = std::min(i, value.size());
  close(i);
  out.value_end = i;
  return out;
}

std::string with_param(std::string value, std::string_view name, std::string_view text) {
  const auto span = find_param(value, name);
  const auto piece = text.empty() ? fmt::format(";{}", name) : fmt::format(";{}={}", name, text);
  if (span.begin == std::string::npos)
    value.insert(span.value_end, piece);
  else
    value.replace(span.begin, span.end - span.begin, piece);
  return value;
}

std::string without_param(std::string value, std::string_view name) {
  const auto span = find_param(value, name);
  if (span.begin != std::string::npos) value.erase(span.begin, span.end - span.begin);
  return value;
}

// The parameter of a challenge or credentials as `text`, or without it.
std::string with_auth_param(HeaderId id, std::string_view value, std::string_view name,
                            std::optional<std::string_view> text) {
  const auto scheme_end = id == HeaderId::AuthenticationInfo ? 0 : value.find(' ');
  if (scheme_end == std::string_view::npos) return std::string(value);
  std::vector<std::string> params;
  bool is_there = false;
  for (const auto param : split_outside(value.substr(scheme_end), ',')) {
    if (!ascii::iequals(ascii::trim(param.substr(0, param.find('='))), name)) {
      params.emplace_back(param);
      continue;
    }
    is_there = true;
    if (text) params.push_back(fmt::format("{}={}", name, *text));
  }
  if (text && !is_there) params.push_back(fmt::format("{}={}", name, *text));
  const auto scheme = value.substr(0, scheme_end);
  return fmt::format("{}{}{}", scheme, scheme.empty() ? "" : " ", fmt::join(params, ", "));
}

void set_tag(Message& message, std::string_view header, std::string_view tag) {
  const auto position = message.find(header);
  if (!position) return;
  const std::string value(message.field(*position).value);
  message.set_value(*position,
                    tag.empty() ? without_param(value, "tag") : with_param(value, "tag", tag));
}

void set_cseq(Message& message, std::string_view text) {
  const auto number = message_value(message, "cseq.number");
  const auto method = message_value(message, "cseq.method").value_or("");
  if (text == "same" || !number) return;
  if (text.empty()) {
    message.remove("CSeq");
    return;
  }
  std::string wanted(text);
  const auto current = ascii::number<std::uint64_t>(*number);
  const auto shift = ascii::number<std::uint64_t>(text.substr(1));
  if (current && shift && text.front() == '+') wanted = std::to_string(*current + *shift);
  if (current && shift && text.front() == '-')
    wanted = std::to_string(*current - std::min(*current, *shift));
  message.set("CSeq", wanted.find(' ') == std::string::npos ? fmt::format("{} {}", wanted, method)
                                                            : wanted);
}

void fold(Message& message, std::size_t position) {
  std::string value(message.field(position).value);
  const auto blank = value.find(' ');
  if (blank != std::string::npos)
    value.replace(blank, 1, "\r\n ");
  else if (const auto semicolon = value.find(';'); semicolon != std::string::npos)
    value.insert(semicolon, "\r\n ");
  else
    value.insert(0, "\r\n ");
  message.set_value(position, value);
}

void edit_header(const HeaderEdit& edit, const std::string& value, Message& message) {
  using Action = HeaderEdit::Action;
  const auto lines = positions(message, edit.name);
  const auto copy = [&](std::size_t position) {
    const auto field = message.field(position);
    return std::pair(std::string(field.name), std::string(field.value));
  };
  switch (edit.action) {
    case Action::Set:
      message.set(edit.name, value);
      break;
    case Action::Add:
      message.add(edit.name, value);
      break;
    case Action::Remove:
      message.remove(edit.name);
      break;
    case Action::Double:
      if (!lines.empty()) {
        const auto [name, text] = copy(lines.back());
        message.insert(lines.back() + 1, name, text);
      }
      break;
    case Action::Compact:
      for (const auto position : lines)
        if (const auto name = compact_name(header_id_from(edit.name)); !name.empty())
          message.rename(position, name);
      break;
    case Action::Fold:
      if (!lines.empty()) fold(message, lines.front());
      break;
    case Action::First:
    case Action::Last:
      if (!lines.empty()) {
        std::vector<std::pair<std::string, std::string>> moved;
        for (const auto position : lines) moved.push_back(copy(position));
        message.remove(edit.name);
        std::size_t at = edit.action == Action::First ? 0 : message.field_count();
        for (const auto& [name, text] : moved) message.insert(at++, name, text);
      }
      break;
    case Action::Param:
    case Action::RemoveParam:
      if (!lines.empty()) {
        const auto text = copy(lines.front()).second;
        const bool is_set = edit.action == Action::Param;
        const auto id = header_id_from(edit.name);
        message.set_value(
            lines.front(),
            has_auth_params(id)
                ? with_auth_param(id, text, edit.param,
                                  is_set ? std::optional<std::string_view>(value) : std::nullopt)
            : is_set ? with_param(text, edit.param, value)
                     : without_param(text, edit.param));
      }
      break;
  }
}

}  // namespace

bool keeps_transaction(const MessageEdit& edit) {
  return !edit.raw && !edit.start_line && !edit.cseq && !edit.branch &&
         std::ranges::none_of(edit.headers, [](const HeaderEdit& header) {
           const auto id = header_id_from(header.name);
           return id == HeaderId::Via || id == HeaderId::CSeq;
         });
}

std::expected<void, UnknownReference> apply_edit(const MessageEdit& edit, Message& message,
                                                 const CheckContext& context) {
  std::optional<UnknownReference> problem;
  const auto text_of = [&](const Template& text) -> std::string {
    auto value = expand(text, context.lookup);
    if (value) return std::move(*value);
    if (!problem) problem = value.error();
    return {};
  };
  if (edit.cseq) set_cseq(message, text_of(*edit.cseq));
  if (edit.from_tag) set_tag(message, "From", text_of(*edit.from_tag));
  if (edit.to_tag) set_tag(message, "To", text_of(*edit.to_tag));
  if (edit.call_id) {
    const auto value = text_of(*edit.call_id);
    if (value.empty())
      message.remove("Call-ID");
    else
      message.set("Call-ID", value);
  }
  if (edit.contact) {
    const auto value = text_of(*edit.contact);
    if (value.empty())
      message.remove("Contact");
    else
      message.set("Contact", value == "*" || value.find('<') != std::string::npos
                                 ? value
                                 : fmt::format("<{}>", value));
  }
  if (edit.branch) {
    auto value = text_of(*edit.branch);
    if (const Message* named = context.message(value))
      value = message_value(*named, "branch").value_or("");
    if (const auto via = message.find("Via")) {
      const std::string old(message.field(*via).value);
      message.set_value(
          *via, value.empty() ? without_param(old, "branch") : with_param(old, "branch", value));
    }
  }
  if (edit.request_uri) message.set_request_uri(text_of(*edit.request_uri));
  for (const auto& header : edit.headers) edit_header(header, text_of(header.value), message);
  if (edit.body)
    message.set_body(
        edit.body_type.empty() ? "application/octet-stream" : std::string_view(edit.body_type),
        text_of(*edit.body));
  if (edit.content_length) {
    const auto value = text_of(*edit.content_length);
    if (value.empty())
      message.remove("Content-Length");
    else
      message.set("Content-Length", value);
  }
  if (edit.start_line) message.set_start_line(text_of(*edit.start_line));
  if (problem) return std::unexpected(*problem);
  return {};
}

}  // namespace sipassay::runner
