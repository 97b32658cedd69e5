#include "engine/sdp/description.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <iterator>

#include "engine/base/ascii.h"
#include "engine/sdp/grammar.h"

namespace sipassay::sdp {

namespace {

constexpr std::array<std::string_view, 4> direction_names{"sendrecv", "sendonly", "recvonly",
                                                          "inactive"};

struct StaticMapping {
  int payload_type;
  RtpMap map;
};
// RFC 3551 6, tables 4 and 5.
constexpr std::array static_mappings{
    StaticMapping{0, {"PCMU", 8000, 1}},   StaticMapping{3, {"GSM", 8000, 1}},
    StaticMapping{4, {"G723", 8000, 1}},   StaticMapping{5, {"DVI4", 8000, 1}},
    StaticMapping{6, {"DVI4", 16000, 1}},  StaticMapping{7, {"LPC", 8000, 1}},
    StaticMapping{8, {"PCMA", 8000, 1}},   StaticMapping{9, {"G722", 8000, 1}},
    StaticMapping{10, {"L16", 44100, 2}},  StaticMapping{11, {"L16", 44100, 1}},
    StaticMapping{12, {"QCELP", 8000, 1}}, StaticMapping{13, {"CN", 8000, 1}},
    StaticMapping{14, {"MPA", 90000, 1}},  StaticMapping{15, {"G728", 8000, 1}},
    StaticMapping{16, {"DVI4", 11025, 1}}, StaticMapping{17, {"DVI4", 22050, 1}},
    StaticMapping{18, {"G729", 8000, 1}},  StaticMapping{25, {"CelB", 90000, 1}},
    StaticMapping{26, {"JPEG", 90000, 1}}, StaticMapping{28, {"nv", 90000, 1}},
    StaticMapping{31, {"H261", 90000, 1}}, StaticMapping{32, {"MPV", 90000, 1}},
    StaticMapping{33, {"MP2T", 90000, 1}}, StaticMapping{34, {"H263", 90000, 1}},
};

// RFC 8866 6.6: "PCMU/8000", "L16/44100/2".
std::optional<RtpMap> parse_mapping(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  RtpMap map{text.substr(0, slash), 0, 1};
  text.remove_prefix(slash + 1);
  const auto second = text.find('/');
  const auto rate = ascii::number<std::uint32_t>(text.substr(0, second));
  if (!rate || !grammar::is_token(map.encoding)) return std::nullopt;
  map.clock_rate = *rate;
  if (second == std::string_view::npos) return map;
  // Encoding parameters are the channels of audio; other text says nothing about them.
  map.channels = ascii::number<std::uint32_t>(text.substr(second + 1)).value_or(1);
  return map;
}

// The rest of an attribute's value behind "FORMAT ".
std::optional<std::string_view> value_for(const Media& media, std::string_view name,
                                          std::string_view format) {
  for (const auto& attribute : media.attributes) {
    if (attribute.name != name || !attribute.value) continue;
    const std::string_view value = *attribute.value;
    if (!value.starts_with(format) || value.size() <= format.size()) continue;
    if (value[format.size()] != ' ') continue;
    return value.substr(format.size() + 1);
  }
  return std::nullopt;
}

const Attribute* find(const std::vector<Attribute>& attributes, std::string_view name) {
  const auto found =
      std::ranges::find_if(attributes, [&](const Attribute& a) { return a.name == name; });
  return found == attributes.end() ? nullptr : &*found;
}

// The first of the four direction attributes.
std::optional<Direction> direction_in(const std::vector<Attribute>& attributes) {
  for (const auto& attribute : attributes)
    if (!attribute.value)
      if (const auto direction = direction_from(attribute.name)) return direction;
  return std::nullopt;
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void line(char type, std::string_view value) {
    out_ += type;
    out_ += '=';
    out_ += value;
    out_ += "\r\n";
  }
  void optional_line(char type, const std::optional<std::string>& value) {
    if (value) line(type, *value);
  }
  void connection(const Connection& c) {
    line('c', fmt::format("{} {} {}", c.net_type, c.address_type, c.address));
  }
  void bandwidths(const std::vector<Bandwidth>& all) {
    for (const auto& b : all) line('b', fmt::format("{}:{}", b.type, b.value));
  }
  void attributes(const std::vector<Attribute>& all) {
    for (const auto& a : all) line('a', a.value ? a.name + ':' + *a.value : a.name);
  }
  void time(const Time& t) {
    line('t', t.start + ' ' + t.stop);
    for (const auto& repeat : t.repeats) line('r', repeat);
    optional_line('z', t.zone);
  }
  void media(const Media& m) {
    std::string value = fmt::format("{} {}", m.type, m.port);
    if (m.port_count != 1) fmt::format_to(std::back_inserter(value), "/{}", m.port_count);
    value += ' ' + m.proto;
    for (const auto& format : m.formats) value += ' ' + format;
    line('m', value);
    optional_line('i', m.information);
    for (const auto& c : m.connections) connection(c);
    bandwidths(m.bandwidths);
    optional_line('k', m.key);
    attributes(m.attributes);
  }

 private:
  std::string& out_;
};

}  // namespace

std::string_view to_string(Direction direction) {
  return direction_names.at(static_cast<std::size_t>(direction));
}

std::optional<Direction> direction_from(std::string_view name) {
  for (std::size_t i = 0; i < direction_names.size(); ++i)
    if (direction_names[i] == name) return static_cast<Direction>(i);
  return std::nullopt;
}

bool Connection::is_multicast() const {
  const std::string_view host = std::string_view(address).substr(0, address.find('/'));
  if (address_type == "IP6") return ascii::istarts_with(host, "ff") && grammar::is_ipv6(host);
  if (!grammar::is_ipv4(host)) return false;
  const auto first = ascii::number<unsigned>(host.substr(0, host.find('.')));
  return first && *first >= 224 && *first <= 239;
}

bool Connection::is_unspecified() const {
  return address == "0.0.0.0" || address == "::";
}

Connection connection_for(std::string_view host) {
  Connection connection;
  connection.address_type = host.find(':') == std::string_view::npos ? "IP4" : "IP6";
  connection.address = host;
  return connection;
}

bool Origin::is_same_session(const Origin& other) const {
  Origin same = other;
  same.session_version = session_version;
  return same == *this;
}

bool RtpMap::is_same(const RtpMap& other) const {
  return ascii::iequals(encoding, other.encoding) && clock_rate == other.clock_rate &&
         channels == other.channels;
}

bool Media::is_rtp() const {
  const std::string_view text = proto;
  return text.starts_with("RTP/") || text.find("/RTP/") != std::string_view::npos;
}

bool Media::has_format(std::string_view format) const {
  return std::ranges::find(formats, format) != formats.end();
}

const Attribute* Media::attribute(std::string_view name) const {
  return find(attributes, name);
}

std::optional<RtpMap> Media::rtpmap(std::string_view format) const {
  const auto payload_type = ascii::number<int>(format);
  if (!payload_type) return std::nullopt;  // RFC 8866 6.6: a payload type is a number
  if (const auto value = value_for(*this, "rtpmap", format)) return parse_mapping(*value);
  for (const auto& row : static_mappings)
    if (row.payload_type == *payload_type) return row.map;
  return std::nullopt;
}

std::string_view Media::fmtp(std::string_view format) const {
  return value_for(*this, "fmtp", format).value_or(std::string_view{});
}

const Attribute* Description::attribute(std::string_view name) const {
  return find(attributes, name);
}

Direction Description::direction(const Media& medium) const {
  if (const auto own = direction_in(medium.attributes)) return *own;
  return direction_in(attributes).value_or(Direction::SendRecv);
}

const Connection* Description::connection_of(const Media& medium) const {
  if (!medium.connections.empty()) return &medium.connections.front();
  return connection ? &*connection : nullptr;
}

bool Description::is_same_but_version(const Description& other) const {
  Description same = other;
  same.origin.session_version = origin.session_version;
  return same == *this;
}

std::string to_string(const Description& description) {
  std::string out;
  append_to(out, description);
  return out;
}

void append_to(std::string& out, const Description& d) {
  Writer writer(out);
  writer.line('v', "0");
  writer.line('o', fmt::format("{} {} {} {} {} {}", d.origin.username, d.origin.session_id,
                               d.origin.session_version, d.origin.net_type, d.origin.address_type,
                               d.origin.address));
  writer.line('s', d.session_name);
  writer.optional_line('i', d.information);
  writer.optional_line('u', d.uri);
  for (const auto& email : d.emails) writer.line('e', email);
  for (const auto& phone : d.phones) writer.line('p', phone);
  if (d.connection) writer.connection(*d.connection);
  writer.bandwidths(d.bandwidths);
  for (const auto& time : d.times) writer.time(time);
  writer.optional_line('k', d.key);
  writer.attributes(d.attributes);
  for (const auto& medium : d.media) writer.media(medium);
}

}  // namespace sipassay::sdp
