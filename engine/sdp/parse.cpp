// The reader of description.h. One pass over the lines; a table says where each line may stand.
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <limits>

#include "engine/base/ascii.h"
#include "engine/sdp/description.h"
#include "engine/sdp/grammar.h"

namespace sipassay::sdp {

namespace {

enum class Departure : std::uint8_t {
  LineEnd,
  LastLineEnd,
  EmptyLine,
  EmptyValue,
  WhiteSpace,
  LineOrder,
  NoTime,
  NoConnection,
  Address,
  TimeValue,
  Count
};

const std::vector<DepartureRule>& rules() {
  static const std::vector<DepartureRule> all{
      {"sdp-line-end", {8866, "5"}, "CRLF at the end of every line"},
      {"sdp-last-line-end", {8866, "9"}, "CRLF at the end of the last line"},
      {"sdp-empty-line", {8866, "9"}, "no empty line"},
      {"sdp-empty-value", {8866, "5.3", Level::MustNot}, "a value that is not empty"},
      {"sdp-white-space", {8866, "5"}, "one space between fields and none around them"},
      {"sdp-line-order", {8866, "5"}, "lines in the order v o s i u e p c b t k a, m i c b k a"},
      {"sdp-no-time", {8866, "5.9"}, "a t= line"},
      {"sdp-no-connection", {8866, "5.7", Level::Must}, "c= for the session or for every medium"},
      {"sdp-address", {8866, "5.7"}, "an address of the type that is named before it"},
      {"sdp-time-value", {8866, "9"}, "0, or a time of at least ten digits"},
  };
  return all;
}

// Where a line may stand. Rank 0: not there at all.
struct Place {
  char type;
  int session_rank;
  int media_rank;
  bool repeats_in_session;
  bool repeats_in_media;
};
// RFC 8866 5. Time, repeat and zone lines share a rank; r= and z= are tied to their t= below.
constexpr std::array places{
    Place{'v', 1, 0, false, false},  Place{'o', 2, 0, false, false}, Place{'s', 3, 0, false, false},
    Place{'i', 4, 1, false, false},  Place{'u', 5, 0, false, false}, Place{'e', 6, 0, true, false},
    Place{'p', 7, 0, true, false},   Place{'c', 8, 2, false, true},  Place{'b', 9, 3, true, true},
    Place{'t', 10, 0, true, false},  Place{'r', 10, 0, true, false}, Place{'z', 10, 0, true, false},
    Place{'k', 11, 4, false, false}, Place{'a', 12, 5, true, true},
};

struct Line {
  char type = 0;
  std::string_view value;
  std::size_t offset = 0;  // of the type
};

using Done = std::expected<void, Error>;

class Parser {
 public:
  Parser(std::string_view text, std::vector<Finding>* departures)
      : text_(text), departures_(departures) {}

  Parsed<Description> run() {
    out_.times.clear();
    if (text_.empty()) return std::unexpected(Error{ErrorCode::Empty, 0});
    if (text_.size() > octets_max)
      return std::unexpected(Error{ErrorCode::LimitExceeded, octets_max});
    while (read_ < text_.size()) {
      if (const auto done = next_line(); !done) return std::unexpected(done.error());
    }
    if (const auto done = finish(); !done) return std::unexpected(done.error());
    return std::move(out_);
  }

 private:
  // --- lines
  Done next_line() {
    const std::size_t start = read_;
    const auto end = text_.find('\n', start);
    auto octets = text_.substr(start, end == std::string_view::npos ? end : end - start);
    read_ = end == std::string_view::npos ? text_.size() : end + 1;
    if (end == std::string_view::npos) {
      if (const auto done = depart(Departure::LastLineEnd, start + octets.size(), {}); !done)
        return done;
    }
    if (octets.ends_with('\r')) {
      octets.remove_suffix(1);
    } else if (end != std::string_view::npos) {
      if (const auto done = depart(Departure::LineEnd, start + octets.size(), octets); !done)
        return done;
    }
    if (++lines_ > lines_max) return fail(ErrorCode::LimitExceeded, start);
    if (octets.empty()) return empty_line(start);
    if (blank_) return fail(ErrorCode::SdpLine, start);
    if (octets.size() < 2 || octets[1] != '=') return fail(ErrorCode::SdpLine, start);
    if (!grammar::has_line_octets_only(octets)) return fail(ErrorCode::SdpLine, start);
    return place(Line{octets[0], octets.substr(2), start});
  }

  // Empty lines are forgiven at the end only.
  Done empty_line(std::size_t offset) {
    if (blank_) return {};
    blank_ = true;
    return depart(Departure::EmptyLine, offset, {});
  }

  Done place(Line line) {
    if (lines_ == 1 && line.type != 'v') return fail(ErrorCode::SdpLine, line.offset);
    if (line.type == 'm') {
      rank_ = 0;
      seen_ = {};
      return media(line);
    }
    for (std::size_t i = 0; i < places.size(); ++i) {
      const auto& row = places[i];
      if (row.type != line.type) continue;
      const bool in_media = !out_.media.empty();
      const int rank = in_media ? row.media_rank : row.session_rank;
      const bool repeats = in_media ? row.repeats_in_media : row.repeats_in_session;
      if (rank == 0 || (seen_[i] && !repeats)) return fail(ErrorCode::SdpLine, line.offset);
      seen_[i] = true;
      if (rank < rank_) {
        if (const auto done = depart(Departure::LineOrder, line.offset, line.value); !done)
          return done;
      }
      rank_ = std::max(rank_, rank);
      return value(line);
    }
    return fail(ErrorCode::SdpLine, line.offset);  // RFC 8866 5: an unknown type letter
  }

  Done value(Line line) {
    switch (line.type) {
      case 'v':
        return version(line);
      case 'o':
        return origin(line);
      case 's':
        return session_name(line);
      case 'i':
        return text(line, out_.media.empty() ? out_.information : out_.media.back().information);
      case 'u':
        return checked(line, out_.uri, grammar::is_visible);
      case 'e':
        return repeated(line, out_.emails, grammar::is_email);
      case 'p':
        return repeated(line, out_.phones, grammar::is_phone);
      case 'c':
        return connection(line);
      case 'b':
        return bandwidth(line);
      case 't':
        return time(line);
      case 'r':
        return repeat(line);
      case 'z':
        return zone(line);
      case 'k':
        return checked(line, out_.media.empty() ? out_.key : out_.media.back().key,
                       grammar::is_key);
      case 'a':
        return attribute(line);
      default:
        return fail(ErrorCode::SdpLine, line.offset);
    }
  }

  Done finish() {
    const bool has_all = seen_any_origin_ && seen_any_name_;
    if (!has_all) return fail(ErrorCode::SdpLine, text_.size());
    if (out_.times.empty()) {
      if (const auto done = depart(Departure::NoTime, text_.size(), {}); !done) return done;
    }
    if (out_.connection) return {};
    for (const auto& medium : out_.media) {
      if (!medium.connections.empty()) continue;
      return depart(Departure::NoConnection, text_.size(), medium.type);
    }
    return {};
  }

  // --- values
  Done version(Line line) {
    if (!grammar::is_digits(line.value)) return fail(ErrorCode::Number, line.offset + 2);
    if (line.value != "0") return fail(ErrorCode::SdpLine, line.offset + 2);
    return {};
  }

  Done origin(Line line) {
    const auto words = split(line);
    if (!words) return std::unexpected(words.error());
    if (words->size() != 6) return fail(ErrorCode::SdpLine, line.offset);
    const auto& w = *words;
    const auto id = ascii::number<std::uint64_t>(w[1]);
    const auto version = ascii::number<std::uint64_t>(w[2]);
    if (!id) return fail(ErrorCode::Number, offset_of(w[1]));
    if (!version) return fail(ErrorCode::Number, offset_of(w[2]));
    if (!grammar::is_visible(w[0])) return fail(ErrorCode::SdpLine, offset_of(w[0]));
    if (const auto done = address(w[3], w[4], w[5]); !done) return done;
    seen_any_origin_ = true;
    out_.origin = Origin{std::string(w[0]), *id, *version, std::string(w[3]), std::string(w[4]),
                         std::string(w[5])};
    return {};
  }

  Done session_name(Line line) {
    seen_any_name_ = true;
    out_.session_name = line.value;
    return line.value.empty() ? depart(Departure::EmptyValue, line.offset + 2, {}) : Done{};
  }

  Done text(Line line, std::optional<std::string>& into) {
    into = line.value;
    return line.value.empty() ? depart(Departure::EmptyValue, line.offset + 2, {}) : Done{};
  }

  Done checked(Line line, std::optional<std::string>& into, bool (*check)(std::string_view)) {
    if (!check(line.value)) return fail(ErrorCode::SdpLine, line.offset + 2);
    into = line.value;
    return {};
  }

  Done repeated(Line line, std::vector<std::string>& into, bool (*check)(std::string_view)) {
    if (!check(line.value)) return fail(ErrorCode::SdpLine, line.offset + 2);
    if (into.size() >= repeated_max) return fail(ErrorCode::LimitExceeded, line.offset);
    into.emplace_back(line.value);
    return {};
  }

  Done connection(Line line) {
    const auto words = split(line);
    if (!words) return std::unexpected(words.error());
    if (words->size() != 3) return fail(ErrorCode::SdpLine, line.offset);
    const auto& w = *words;
    if (const auto done = address(w[0], w[1], w[2]); !done) return done;
    Connection connection{std::string(w[0]), std::string(w[1]), std::string(w[2])};
    if (out_.media.empty()) {
      out_.connection = std::move(connection);
      return {};
    }
    auto& all = out_.media.back().connections;
    if (all.size() >= repeated_max) return fail(ErrorCode::LimitExceeded, line.offset);
    all.push_back(std::move(connection));
    return {};
  }

  // RFC 8866 5.7, 9: nettype, addrtype and an address that fits them; /ttl and /count of multicast.
  Done address(std::string_view net, std::string_view type, std::string_view address) {
    if (!grammar::is_token(net)) return fail(ErrorCode::SdpLine, offset_of(net));
    if (!grammar::is_token(type)) return fail(ErrorCode::SdpLine, offset_of(type));
    if (!grammar::is_visible(address)) return fail(ErrorCode::SdpLine, offset_of(address));
    if (net != "IN" || (type != "IP4" && type != "IP6")) return {};
    const auto slash = address.find('/');
    const auto host = address.substr(0, slash);
    const bool fits = type == "IP4" ? grammar::is_ipv4(host) : grammar::is_ipv6(host);
    const bool is_multicast = Connection{{}, std::string(type), std::string(host)}.is_multicast();
    const bool is_legal = slash == std::string_view::npos
                              ? fits || is_name(host)
                              : fits && is_multicast &&
                                    are_counts(address.substr(slash + 1), type == "IP4" ? 2U : 1U);
    return is_legal ? Done{} : depart(Departure::Address, offset_of(address), address);
  }

  // A name, not an address that failed: its last label is not all digits (RFC 1123 2.1).
  static bool is_name(std::string_view host) {
    const auto dot = host.rfind('.');
    const auto last = dot == std::string_view::npos ? host : host.substr(dot + 1);
    return grammar::is_host_name(host) && !grammar::is_digits(last);
  }

  static bool are_counts(std::string_view text, std::size_t count_max) {
    for (std::size_t i = 0; i < count_max; ++i) {
      const auto slash = text.find('/');
      if (!ascii::number<std::uint16_t>(text.substr(0, slash))) return false;
      if (slash == std::string_view::npos) return true;
      text.remove_prefix(slash + 1);
    }
    return false;
  }

  Done bandwidth(Line line) {
    const auto colon = line.value.find(':');
    if (colon == std::string_view::npos || !grammar::is_token(line.value.substr(0, colon)))
      return fail(ErrorCode::SdpLine, line.offset + 2);
    const auto trimmed = trim_end(line);
    if (!trimmed) return std::unexpected(trimmed.error());
    const auto value = ascii::number<std::uint64_t>(trimmed->substr(colon + 1));
    if (!value) return fail(ErrorCode::Number, line.offset + 3 + colon);
    auto& all = out_.media.empty() ? out_.bandwidths : out_.media.back().bandwidths;
    if (all.size() >= repeated_max) return fail(ErrorCode::LimitExceeded, line.offset);
    all.push_back(Bandwidth{std::string(line.value.substr(0, colon)), *value});
    return {};
  }

  Done time(Line line) {
    const auto words = split(line);
    if (!words) return std::unexpected(words.error());
    if (words->size() != 2) return fail(ErrorCode::SdpLine, line.offset);
    for (const auto word : *words) {
      if (grammar::is_time(word)) continue;
      if (!grammar::is_digits(word)) return fail(ErrorCode::Number, offset_of(word));
      if (const auto done = depart(Departure::TimeValue, offset_of(word), word); !done) return done;
    }
    if (out_.times.size() >= repeated_max) return fail(ErrorCode::LimitExceeded, line.offset);
    out_.times.push_back(Time{std::string((*words)[0]), std::string((*words)[1]), {}, {}});
    return {};
  }

  Done repeat(Line line) {
    if (out_.times.empty() || out_.times.back().zone) return fail(ErrorCode::SdpLine, line.offset);
    return repeated(line, out_.times.back().repeats, grammar::is_repeat);
  }

  // RFC 8866 5.11: only behind r= lines, once.
  Done zone(Line line) {
    if (out_.times.empty() || out_.times.back().repeats.empty() || out_.times.back().zone)
      return fail(ErrorCode::SdpLine, line.offset);
    return checked(line, out_.times.back().zone, grammar::is_zone);
  }

  Done attribute(Line line) {
    const auto colon = line.value.find(':');
    auto name = line.value.substr(0, colon);
    if (colon == std::string_view::npos) {
      const auto trimmed = trim_end(line);
      if (!trimmed) return std::unexpected(trimmed.error());
      name = *trimmed;
    }
    if (!grammar::is_token(name)) return fail(ErrorCode::SdpLine, line.offset + 2);
    Attribute attribute{std::string(name), {}};
    if (colon != std::string_view::npos) {
      attribute.value = line.value.substr(colon + 1);
      if (attribute.value->empty())
        if (const auto done = depart(Departure::EmptyValue, line.offset + 3 + colon, name); !done)
          return done;
    }
    auto& all = out_.media.empty() ? out_.attributes : out_.media.back().attributes;
    if (all.size() >= attributes_max) return fail(ErrorCode::LimitExceeded, line.offset);
    all.push_back(std::move(attribute));
    return {};
  }

  Done media(Line line) {
    if (!seen_any_name_ || !seen_any_origin_) return fail(ErrorCode::SdpLine, line.offset);
    if (out_.media.size() >= media_max) return fail(ErrorCode::LimitExceeded, line.offset);
    const auto words = split(line);
    if (!words) return std::unexpected(words.error());
    const auto& w = *words;
    if (w.size() < 4) return fail(ErrorCode::SdpLine, line.offset);
    if (w.size() > formats_max + 3)
      return fail(ErrorCode::LimitExceeded, offset_of(w[formats_max + 3]));
    Media medium;
    const auto slash = w[1].find('/');
    const auto port = ascii::number<std::uint16_t>(w[1].substr(0, slash));
    if (!port) return fail(ErrorCode::Port, offset_of(w[1]));
    medium.port = *port;
    if (slash != std::string_view::npos) {
      const auto count = ascii::number<std::uint32_t>(w[1].substr(slash + 1));
      if (!count || *count == 0 || w[1][slash + 1] == '0')
        return fail(ErrorCode::Number, offset_of(w[1]) + slash + 1);
      medium.port_count = *count;
    }
    if (!grammar::is_token(w[0])) return fail(ErrorCode::SdpLine, offset_of(w[0]));
    if (!grammar::is_proto(w[2])) return fail(ErrorCode::SdpLine, offset_of(w[2]));
    medium.type = w[0];
    medium.proto = w[2];
    for (std::size_t i = 3; i < w.size(); ++i) {
      if (!grammar::is_token(w[i])) return fail(ErrorCode::SdpLine, offset_of(w[i]));
      medium.formats.emplace_back(w[i]);
    }
    out_.media.push_back(std::move(medium));
    return {};
  }

  // --- helpers
  Done fail(ErrorCode code, std::size_t offset) const {
    return std::unexpected(Error{code, offset});
  }

  // In strict reading an error, else noted once.
  Done depart(Departure departure, std::size_t offset, std::string_view observed) {
    if (!departures_) return fail(ErrorCode::SdpLine, offset);
    const auto index = static_cast<std::size_t>(departure);
    if (departed_.at(index)) return {};  // the first of each kind
    departed_[index] = true;
    const auto& rule = rules().at(index);
    const auto line = 1 + std::ranges::count(text_.substr(0, offset), '\n');
    departures_->push_back(
        Finding{rule.name, rule.clause, std::string(rule.expected),
                fmt::format("line {}, offset {}: \"{}\"", line, offset, observed.substr(0, 60))});
    return {};
  }

  std::size_t offset_of(std::string_view part) const {
    return static_cast<std::size_t>(part.data() - text_.data());
  }

  // The value without spaces at its end, which are a departure.
  Parsed<std::string_view> trim_end(Line line) {
    auto value = line.value;
    while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
    if (value.size() != line.value.size())
      if (const auto done = depart(Departure::WhiteSpace, line.offset + 2 + value.size(), {});
          !done)
        return std::unexpected(done.error());
    return value;
  }

  // Fields between single spaces; more spaces are a departure.
  Parsed<std::vector<std::string_view>> split(Line line) {
    std::vector<std::string_view> words;
    auto rest = line.value;
    while (true) {
      const auto space = rest.find_first_of(departures_ ? " \t" : " ");
      const auto word = rest.substr(0, space);
      if (word.empty()) {
        if (const auto done = depart(Departure::WhiteSpace, offset_of(rest), {}); !done)
          return std::unexpected(done.error());
      } else {
        words.push_back(word);
      }
      if (words.size() > formats_max + 4) break;
      if (space == std::string_view::npos) break;
      if (rest[space] == '\t') {
        if (const auto done = depart(Departure::WhiteSpace, offset_of(rest) + space, {}); !done)
          return std::unexpected(done.error());
      }
      rest.remove_prefix(space + 1);
    }
    return words;
  }

  std::string_view text_;
  std::vector<Finding>* departures_;
  std::size_t read_ = 0;
  std::size_t lines_ = 0;
  int rank_ = 0;
  bool blank_ = false;
  bool seen_any_origin_ = false;
  bool seen_any_name_ = false;
  std::array<bool, static_cast<std::size_t>(Departure::Count)> departed_{};
  std::array<bool, places.size()> seen_{};  // in the current section
  Description out_;
};

}  // namespace

Parsed<Description> parse(std::string_view text) {
  return Parser(text, nullptr).run();
}

Parsed<Description> parse_lenient(std::string_view text, std::vector<Finding>& departures) {
  return Parser(text, &departures).run();
}

const std::vector<DepartureRule>& departure_rules() {
  return rules();
}

}  // namespace sipassay::sdp
