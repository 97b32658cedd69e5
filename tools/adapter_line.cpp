#include "tools/adapter_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/message/uri.h"

namespace sipassay::tools {
namespace {

constexpr std::string_view event_words[] = {"incoming", "ringing",    "established",
                                            "ended",    "registered", "note"};

// Up to the next space, which is taken too.
std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

// RFC 3986 2.1. What splits a line and its fields is escaped, and what not every program reads.
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet > 0x20 && octet < 0x7f && c != '%')
      out += c;
    else
      out += fmt::format("%{:02X}", octet);
  }
  return out;
}

bool is_name(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return ascii::is_alnum(c) || c == '-'; });
}

std::expected<AdapterLine, std::string> ready_from(std::string_view rest) {
  AdapterReady out;
  while (!rest.empty()) {
    const std::string_view word = take_word(rest);
    if (word == "sut=yes") {
      out.is_sut = true;
      continue;
    }
    const auto calls =
        word.starts_with("calls=") ? ascii::number<unsigned>(word.substr(6)) : std::nullopt;
    if (!calls || *calls == 0 || *calls > adapter_calls_max)
      return std::unexpected(fmt::format("ready, calls= with 1 to {}, sut=yes", adapter_calls_max));
    out.calls = *calls;
  }
  return out;
}

}  // namespace

std::string to_line(const runner::SutCommand& command) {
  std::string out =
      fmt::format("{} {} peer={}", command.number, command.action, escaped(command.peer));
  for (const auto& [name, value] : command.arguments)
    out += fmt::format(" {}={}", name, escaped(value));
  return out;
}

std::expected<runner::SutCommand, std::string> command_from(std::string_view line) {
  runner::SutCommand out;
  const auto number = ascii::number<std::uint32_t>(take_word(line));
  if (!number) return std::unexpected("a number first");
  out.number = *number;
  out.action = take_word(line);
  if (!is_name(out.action)) return std::unexpected("a command after the number");
  while (!line.empty()) {
    const std::string_view word = take_word(line);
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || !is_name(word.substr(0, equals)))
      return std::unexpected("NAME=VALUE after the command");
    std::string value = unescape(word.substr(equals + 1));
    const std::string_view name = word.substr(0, equals);
    if (name == "peer")
      out.peer = std::move(value);
    else
      out.arguments.insert_or_assign(std::string(name), std::move(value));
  }
  return out;
}

std::expected<AdapterLine, std::string> adapter_line_from(std::string_view line) {
  const std::string_view word = take_word(line);
  if (word == "ready") return ready_from(line);
  if (word == "died") return SutHasDied{std::string(line)};
  if (std::ranges::find(event_words, word) != std::end(event_words))
    return AdapterEvent{fmt::format("{}{}{}", word, line.empty() ? "" : " ", line)};
  const auto number = ascii::number<std::uint32_t>(word);
  if (!number) return std::unexpected("ready, an event, or the number of a command");
  AdapterAnswer out{.number = *number, .text = {}};
  const std::string_view answer = take_word(line);
  out.ok = answer == "ok";
  out.is_unsupported = answer == "unsupported";
  out.text = line;
  if (!out.ok && !out.is_unsupported && answer != "error")
    return std::unexpected("ok, unsupported or error after the number");
  return out;
}

}  // namespace sipassay::tools
