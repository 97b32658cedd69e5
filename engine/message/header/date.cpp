#include "engine/message/header/date.h"

#include <array>

#include "engine/base/ascii.h"

namespace sipassay {

namespace {

constexpr std::array<std::string_view, 7> weekdays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

template <std::size_t N>
std::uint8_t index_of(const std::array<std::string_view, N>& names, std::string_view name) {
  std::uint8_t i = 0;
  while (i < N && !ascii::iequals(names.at(i), name)) ++i;
  return i;
}

// The number in exactly these octets; more than `max` when it is none.
unsigned digits(std::string_view text, unsigned max) {
  const auto value = ascii::number<unsigned>(text);
  return value && *value <= max ? *value : max + 1;
}

void write_two(Octets& out, unsigned value) {
  out.add(static_cast<char>('0' + value / 10 % 10), static_cast<char>('0' + value % 10));
}

}  // namespace

// "Sat, 13 Nov 2010 23:29:00 GMT": fixed width, single spaces.
bool Date::read(Reader& reader, Date& out) {
  constexpr std::size_t length = 29;
  const std::size_t start = reader.offset();
  const std::string_view text = reader.rest().substr(0, length);
  if (text.size() != length) return reader.fail(ErrorCode::HeaderValue);
  constexpr std::string_view pattern = "...,_.._..._...._..:..:.._GMT";
  for (std::size_t i = 0; i < length; ++i) {
    const char expected = pattern[i] == '_' ? ' ' : pattern[i];
    if (expected != '.' && text[i] != expected)
      return reader.fail(ErrorCode::HeaderValue, start + i);
  }
  const std::uint8_t weekday = index_of(weekdays, text.substr(0, 3));
  const unsigned day = digits(text.substr(5, 2), 31);
  const std::uint8_t month = index_of(months, text.substr(8, 3));
  const unsigned year = digits(text.substr(12, 4), 9999);
  const unsigned hour = digits(text.substr(17, 2), 23);
  const unsigned minute = digits(text.substr(20, 2), 59);
  const unsigned second = digits(text.substr(23, 2), 60);
  if (weekday == weekdays.size()) return reader.fail(ErrorCode::HeaderValue, start);
  if (day == 0 || day > 31) return reader.fail(ErrorCode::Number, start + 5);
  if (month == months.size()) return reader.fail(ErrorCode::HeaderValue, start + 8);
  if (year > 9999) return reader.fail(ErrorCode::Number, start + 12);
  if (hour > 23) return reader.fail(ErrorCode::Number, start + 17);
  if (minute > 59) return reader.fail(ErrorCode::Number, start + 20);
  if (second > 60) return reader.fail(ErrorCode::Number, start + 23);
  out = Date{weekday,
             static_cast<std::uint8_t>(day),
             static_cast<std::uint8_t>(month + 1),
             static_cast<std::uint16_t>(year),
             static_cast<std::uint8_t>(hour),
             static_cast<std::uint8_t>(minute),
             static_cast<std::uint8_t>(second)};
  reader.seek(start + length);
  return true;
}

void Date::write(Octets& out) const {
  out += weekdays.at(weekday);
  out += ", ";
  write_two(out, day);
  out += ' ';
  out += months.at(month - 1U);
  out += ' ';
  write_two(out, year / 100U);
  write_two(out, year % 100U);
  out += ' ';
  write_two(out, hour);
  out += ':';
  write_two(out, minute);
  out += ':';
  write_two(out, second);
  out += " GMT";
}

// 1*(DIGIT) [ "." *(DIGIT) ] [ LWS delay ]; delay = *(DIGIT) [ "." *(DIGIT) ]
bool Timestamp::read(Reader& reader, Timestamp& out) {
  const std::size_t start = reader.offset();
  if (reader.span_of(chars::Digit).empty()) return reader.fail(ErrorCode::Number);
  if (reader.take('.')) reader.span_of(chars::Digit);
  out.value = reader.since(start);
  out.delay = {};
  if (!reader.skip_space()) return true;
  const std::size_t delay = reader.offset();
  reader.span_of(chars::Digit);
  if (reader.take('.')) reader.span_of(chars::Digit);
  out.delay = reader.since(delay);
  return true;
}

void Timestamp::write(Octets& out) const {
  out += value;
  if (!delay.empty()) out.add(' ', delay);
}

}  // namespace sipassay
