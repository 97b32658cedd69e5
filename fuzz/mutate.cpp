#include "fuzz/mutate.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <vector>

#include "engine/base/ascii.h"
#include "engine/message/header_id.h"
#include "engine/message/method.h"

namespace sipassay::fuzz {

namespace {

using Lines = std::vector<std::string>;

constexpr std::array<std::string_view, 34> numbers{"0",
                                                   "1",
                                                   "-1",
                                                   "31",
                                                   "32",
                                                   "63",
                                                   "64",
                                                   "127",
                                                   "128",
                                                   "255",
                                                   "256",
                                                   "-255",
                                                   "1023",
                                                   "1024",
                                                   "4095",
                                                   "4096",
                                                   "16383",
                                                   "16384",
                                                   "65535",
                                                   "65536",
                                                   "16777215",
                                                   "16777216",
                                                   "1073741824",
                                                   "2147483647",
                                                   "2147483648",
                                                   "-2147483648",
                                                   "4294967295",
                                                   "4294967296",
                                                   "4294972356",
                                                   "9223372036854775807",
                                                   "9223372036854775808",
                                                   "18446744073709551616",
                                                   "340282366920938463463374607431768211456",
                                                   "+5"};
constexpr std::array<std::size_t, 12> lengths{9,   17,  33,  65,   127,  128,
                                              255, 256, 513, 1270, 2049, 4099};
constexpr std::array<std::string_view, 14> methods{
    "INVITE",    "ACK",    "BYE",     "CANCEL", "OPTIONS", "REGISTER", "PRACK",
    "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO",   "REFER",   "MESSAGE",  "UPDATE"};
// Values that fit no header and every header: what follows the name.
constexpr std::array<std::string_view, 24> values{
    "",
    " ",
    "*",
    ",",
    ";",
    "<>",
    "<sip:a@b>",
    "<sip:[::1>",
    "\"a\\",
    "\"a\" <sip:a@b>;tag=",
    "sip:a@b;tag=1;tag=2",
    "tel:+1-201;phone-context=x",
    "SIP/2.0/UDP :]",
    "SIP/2.0/UDP h;branch=z9hG4bK",
    "SIP/2.0/TCP [2001:db8::1]:5060;rport;received=::1",
    "1 INVITE",
    "100rel, timer",
    "Digest a a=\"\",real",
    "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"",
    "multipart/mixed;boundary=\"a b\"",
    "application/sdp ; q=1",
    "1 1 INVITE",
    "refer;id=1",
    "%s%n%x"};

// Lines with their ends, so that odd ends survive.
Lines split(std::string_view text) {
  Lines out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto length = end == std::string_view::npos ? text.size() : end + 1;
    out.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return out;
}

std::string join(const Lines& lines) {
  std::string out;
  for (const auto& line : lines) out += line;
  return out;
}

std::string_view content(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

template <class Range>
decltype(auto) pick(const Range& range, Rng& rng) {
  return range[static_cast<std::size_t>(rng.between(0, std::size(range) - 1))];
}

std::size_t index(std::size_t count, Rng& rng) {
  return static_cast<std::size_t>(rng.between(0, count - 1));
}

// Replaces what stands between two positions of a line's content.
void replace(std::string& line, std::size_t from, std::size_t length, std::string_view with) {
  line.replace(from, length, with);
}

// --- edits of a message; each takes its lines (never empty)

void duplicate_line(Lines& lines, Rng& rng) {
  const auto line = pick(lines, rng);
  const auto copies = rng.percent(90) ? 1 : rng.between(31, 65);
  const auto at = static_cast<std::ptrdiff_t>(rng.between(0, lines.size()));
  lines.insert(lines.begin() + at, static_cast<std::size_t>(copies), line);
}

void delete_line(Lines& lines, Rng& rng) {
  lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(index(lines.size(), rng)));
}

void swap_lines(Lines& lines, Rng& rng) {
  std::swap(lines[index(lines.size(), rng)], lines[index(lines.size(), rng)]);
}

void replace_value(Lines& lines, Rng& rng) {
  auto& line = lines[index(lines.size(), rng)];
  const auto colon = line.find(':');
  if (colon == std::string::npos) return;
  line = fmt::format("{}: {}\r\n", line.substr(0, colon), pick(values, rng));
}

void replace_number(Lines& lines, Rng& rng) {
  auto& line = lines[index(lines.size(), rng)];
  const auto first = line.find_first_of("0123456789", index(line.size(), rng));
  if (first == std::string::npos) return;
  const auto last = std::min(line.find_first_not_of("0123456789", first), line.size());
  replace(line, first, last - first, pick(numbers, rng));
}

void stretch(Lines& lines, Rng& rng) {
  auto& line = lines[index(lines.size(), rng)];
  const auto at = index(line.size(), rng);
  line.insert(at, std::string(pick(lengths, rng), rng.percent(70) ? 'a' : line[at]));
}

void truncate(Lines& lines, Rng& rng) {
  auto& line = lines[index(lines.size(), rng)];
  line.resize(index(line.size(), rng));
  if (rng.percent(70)) line += "\r\n";
}

// Deletes, doubles or replaces a delimiter.
void break_delimiter(Lines& lines, Rng& rng) {
  constexpr std::string_view delimiters = "<>\"\\[]():;,=@/?% ";
  auto& line = lines[index(lines.size(), rng)];
  const auto at = line.find_first_of(delimiters, index(line.size(), rng));
  if (at == std::string::npos) return;
  switch (rng.between(0, 2)) {
    case 0:
      line.erase(at, 1);
      break;
    case 1:
      line.insert(at, std::string(static_cast<std::size_t>(rng.between(1, 20)), line[at]));
      break;
    default:
      line[at] = pick(delimiters, rng);
  }
}

// Parameters: from one ";" to the next.
void change_parameter(Lines& lines, Rng& rng) {
  auto& line = lines[index(lines.size(), rng)];
  const auto from = line.find(';', index(line.size(), rng));
  if (from == std::string::npos) return;
  const auto to = std::min(line.find_first_of(";>,\r\n", from + 1), line.size());
  const auto parameter = line.substr(from, to - from);
  switch (rng.between(0, 3)) {
    case 0:
      line.erase(from, to - from);
      break;
    case 1:
      line.insert(from, parameter);
      break;
    case 2:
      line.insert(
          from, pick(std::array<std::string_view, 6>{";lr", ";tag=", ";x=\"abc", ";branch=z9hG4bK",
                                                     ";expires=0", ";transport=tcp"},
                     rng));
      break;
    default: {
      std::string many;
      for (int i = 0; i < 64; ++i) many += parameter;
      line.insert(from, many);
    }
  }
}

void odd_octet(Lines& lines, Rng& rng) {
  auto& line = lines[index(lines.size(), rng)];
  constexpr std::array<std::string_view, 9> octets{
      std::string_view("\0", 1), "\r", "\n", "\n\r", "\t", "\x01", "\x7f", "\xff", "\r\n "};
  line.insert(index(line.size(), rng), pick(octets, rng));
}

void odd_line_end(Lines& lines, Rng& rng) {
  auto& line = lines[index(lines.size(), rng)];
  constexpr std::array<std::string_view, 5> ends{"\n", "\r", "", "\n\r", "\r\n\r\n"};
  line = std::string(content(line)) + std::string(pick(ends, rng));
}

void rename_header(Lines& lines, Rng& rng) {
  auto& line = lines[index(lines.size(), rng)];
  const auto colon = line.find(':');
  if (colon == std::string::npos) return;
  const auto id = header_id_from(line.substr(0, colon));
  const auto other = static_cast<HeaderId>(rng.between(1, header_id_count - 1));
  auto name = rng.percent(50) ? compact_name(id) : header_name(other);
  if (name.empty()) name = "X-Name ";
  replace(line, 0, colon, name);
}

void add_header(Lines& lines, Rng& rng) {
  const auto id = static_cast<HeaderId>(rng.between(1, header_id_count - 1));
  const auto at = static_cast<std::ptrdiff_t>(rng.between(1, lines.size()));
  lines.insert(lines.begin() + at, fmt::format("{}: {}\r\n", header_name(id), pick(values, rng)));
}

void change_method(Lines& lines, Rng& rng) {
  auto& line = lines.front();
  const auto space = line.find(' ');
  if (space == std::string::npos || line.starts_with("SIP/")) return;
  replace(line, 0, space, pick(methods, rng));
}

void change_status(Lines& lines, Rng& rng) {
  constexpr std::array<std::string_view, 14> statuses{"100", "180", "183", "199", "200",
                                                      "202", "302", "401", "407", "481",
                                                      "487", "491", "503", "699"};
  auto& line = lines.front();
  if (line.starts_with("SIP/2.0 ") && line.size() >= 11)
    return replace(line, 8, 3, pick(statuses, rng));
  line = fmt::format("SIP/2.0 {} x\r\n", pick(statuses, rng));
}

// The value once more behind a comma, perhaps many times.
void make_list(Lines& lines, Rng& rng) {
  auto& line = lines[index(lines.size(), rng)];
  const auto colon = line.find(':');
  if (colon == std::string::npos) return;
  const std::string value(content(line).substr(colon + 1));
  std::string out = line.substr(0, colon + 1) + value;
  const auto copies = rng.percent(80) ? 1 : rng.between(31, 65);
  for (std::uint64_t i = 0; i < copies; ++i) out += ',' + value;
  line = out + "\r\n";
}

using Edit = void (*)(Lines&, Rng&);
constexpr std::array<Edit, 16> edits{
    duplicate_line, delete_line,     swap_lines,       replace_value, replace_number, stretch,
    truncate,       break_delimiter, change_parameter, odd_octet,     odd_line_end,   rename_header,
    add_header,     change_method,   change_status,    make_list};

// --- edits of a script

std::string random_operation(Verbs verbs, Rng& rng) {
  constexpr std::array<std::string_view, 16> arguments{"0",   "1",    "2",     "3",    "4",   "5",
                                                       "100", "180",  "183",   "200",  "487", "491",
                                                       "500", "4000", "32000", "64000"};
  std::string out(pick(verbs, rng));
  const auto count = rng.between(0, 3);
  for (std::uint64_t i = 0; i < count; ++i) {
    out += ' ';
    out += pick(arguments, rng);
  }
  return out + '\n';
}

void edit_script(Lines& lines, Verbs verbs, Rng& rng) {
  const auto at = [&] {
    return lines.begin() + static_cast<std::ptrdiff_t>(index(lines.size(), rng));
  };
  switch (rng.between(0, 7)) {
    case 0:
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(rng.between(0, lines.size())),
                   random_operation(verbs, rng));
      break;
    case 1:
      lines.erase(at());
      break;
    case 2:
      lines.insert(at(), *at());
      break;
    case 3:
      std::iter_swap(at(), at());
      break;
    case 4: {  // move
      const auto from = at();
      const auto line = *from;
      lines.erase(from);
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(rng.between(0, lines.size())), line);
      break;
    }
    case 5:
      replace_number(lines, rng);
      break;
    case 6: {  // another verb, same arguments
      auto& line = *at();
      const auto space = std::min(line.find_first_of(" \n"), line.size());
      line.replace(0, space, pick(verbs, rng));
      break;
    }
    default: {  // small step of a number
      auto& line = *at();
      const auto digit = line.find_last_of("0123456789");
      if (digit != std::string::npos) line[digit] = static_cast<char>('0' + rng.between(0, 9));
    }
  }
}

}  // namespace

std::span<const std::string_view> number_ladder() {
  return numbers;
}
std::span<const std::size_t> length_ladder() {
  return lengths;
}

std::string mutate_message(std::string_view message, std::size_t size_max, Rng rng) {
  auto lines = split(message);
  const auto count = rng.between(1, 2);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::erase_if(lines, [](const std::string& line) { return line.empty(); });
    if (lines.empty()) lines.emplace_back("OPTIONS sip:a@b SIP/2.0\r\n");
    pick(edits, rng)(lines, rng);
  }
  auto out = join(lines);
  // Most of the time all is repaired; sometimes one thing is left broken, sometimes everything.
  if (rng.percent(80))
    out =
        repair_message(out, {.content_length = !rng.percent(10), .cseq_method = !rng.percent(10)});
  if (out.size() > size_max) out.resize(size_max);
  return out;
}

std::string repair_message(std::string_view message, Repairs repairs) {
  const auto end = message.find("\r\n\r\n");
  const auto body = end == std::string_view::npos ? std::string_view{} : message.substr(end + 4);
  auto lines = split(message.substr(0, end == std::string_view::npos ? end : end + 2));
  if (lines.empty()) return std::string(message);
  const auto method = lines.front().substr(0, lines.front().find(' '));
  for (auto& line : lines) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const auto id = header_id_from(ascii::trim(std::string_view(line).substr(0, colon)));
    if (id == HeaderId::ContentLength && repairs.content_length)
      line = fmt::format("{}: {}\r\n", line.substr(0, colon), body.size());
    if (id == HeaderId::CSeq && repairs.cseq_method && method_from(method) != Method::Other) {
      const auto number = ascii::trim(content(std::string_view(line).substr(colon + 1)));
      line = fmt::format("{}: {} {}\r\n", line.substr(0, colon), number.substr(0, number.find(' ')),
                         method);
    }
  }
  auto out = join(lines);
  if (end != std::string_view::npos) out.append("\r\n").append(body);
  return out;
}

std::string mutate_script(std::string_view script, Verbs verbs, std::size_t size_max, Rng rng) {
  auto lines = split(script);
  const auto count = rng.between(1, 3);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::erase_if(lines, [](const std::string& line) { return line.empty(); });
    if (lines.empty()) lines.push_back(random_operation(verbs, rng));
    if (!lines.back().ends_with('\n')) lines.back() += '\n';
    edit_script(lines, verbs, rng);
  }
  auto out = join(lines);
  if (out.size() > size_max) out.resize(size_max);
  return out;
}

std::string cross_scripts(std::string_view a, std::string_view b, std::size_t size_max, Rng rng) {
  auto head = split(a);
  auto tail = split(b);
  head.resize(static_cast<std::size_t>(rng.between(0, head.size())));
  if (!head.empty() && !head.back().ends_with('\n')) head.back() += '\n';
  const auto skipped = static_cast<std::ptrdiff_t>(rng.between(0, tail.size()));
  head.insert(head.end(), tail.begin() + skipped, tail.end());
  auto out = join(head);
  if (out.size() > size_max) out.resize(size_max);
  return out;
}

}  // namespace sipassay::fuzz
