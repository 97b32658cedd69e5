// A session description (RFC 8866): typed lines in their order, and back to octets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/finding.h"

namespace sipassay::sdp {

// Limits of this implementation; one more is Error{LimitExceeded}.
inline constexpr std::size_t octets_max = 1U << 16U;
inline constexpr std::size_t lines_max = 2048;
inline constexpr std::size_t media_max = 64;        // m= lines of a description
inline constexpr std::size_t formats_max = 128;     // formats of one m= line
inline constexpr std::size_t attributes_max = 512;  // a= lines of the session, or of one medium
inline constexpr std::size_t repeated_max = 64;     // e=, p=, b=, t=, c= and r= lines in one place

// RFC 8866 6.7: which way media flow, seen from who wrote the description.
enum class Direction : std::uint8_t { SendRecv, SendOnly, RecvOnly, Inactive };

constexpr bool sends(Direction d) {
  return d == Direction::SendRecv || d == Direction::SendOnly;
}
constexpr bool receives(Direction d) {
  return d == Direction::SendRecv || d == Direction::RecvOnly;
}
constexpr Direction direction_of(bool sends, bool receives) {
  if (sends) return receives ? Direction::SendRecv : Direction::SendOnly;
  return receives ? Direction::RecvOnly : Direction::Inactive;
}
// The same flow seen from the other side.
constexpr Direction reverse(Direction d) {
  return direction_of(receives(d), sends(d));
}
std::string_view to_string(Direction direction);  // "sendrecv"
std::optional<Direction> direction_from(std::string_view name);

// c=
struct Connection {
  std::string net_type = "IN";
  std::string address_type = "IP4";
  std::string address;  // with /ttl and /count of a multicast address

  // RFC 8866 5.7: 224.0.0.0/4, ff00::/8.
  bool is_multicast() const;
  // RFC 3264 8.4: 0.0.0.0 (or ::) asks that nothing be sent.
  bool is_unspecified() const;
  friend bool operator==(const Connection&, const Connection&) = default;
};
// A connection line for an IP address or a name: picks IP4 or IP6.
Connection connection_for(std::string_view host);

// o=
struct Origin {
  std::string username = "-";
  std::uint64_t session_id = 0;
  std::uint64_t session_version = 0;
  std::string net_type = "IN";
  std::string address_type = "IP4";
  std::string address;

  // RFC 3264 8: everything but the version.
  bool is_same_session(const Origin& other) const;
  friend bool operator==(const Origin&, const Origin&) = default;
};

// a=
struct Attribute {
  std::string name;
  std::optional<std::string> value;  // empty optional: a property attribute, no colon

  friend bool operator==(const Attribute&, const Attribute&) = default;
};

// b=
struct Bandwidth {
  std::string type;
  std::uint64_t value = 0;

  friend bool operator==(const Bandwidth&, const Bandwidth&) = default;
};

// t= with its r= lines and their z= line. Values of unbounded length stay text.
struct Time {
  std::string start = "0";
  std::string stop = "0";
  std::vector<std::string> repeats;
  std::optional<std::string> zone;

  friend bool operator==(const Time&, const Time&) = default;
};

// The value of a=rtpmap.
struct RtpMap {
  std::string_view encoding;  // compare without case (RFC 4855 3)
  std::uint32_t clock_rate = 0;
  std::uint32_t channels = 1;

  bool is_same(const RtpMap& other) const;
};

// m= and what follows it.
struct Media {
  std::string type;  // "audio"
  std::uint16_t port = 0;
  std::uint32_t port_count = 1;
  std::string proto;  // "RTP/AVP"
  std::vector<std::string> formats;
  std::optional<std::string> information;
  std::vector<Connection> connections;
  std::vector<Bandwidth> bandwidths;
  std::optional<std::string> key;
  std::vector<Attribute> attributes;

  bool is_rtp() const;  // RTP/AVP, RTP/SAVP, RTP/AVPF, UDP/TLS/RTP/SAVPF, …
  bool has_format(std::string_view format) const;
  const Attribute* attribute(std::string_view name) const;  // first of that name
  // a=rtpmap of a payload type, else the static mapping of RFC 3551; nothing if there is neither.
  std::optional<RtpMap> rtpmap(std::string_view format) const;
  // Parameters of a=fmtp; empty if there is none.
  std::string_view fmtp(std::string_view format) const;
  friend bool operator==(const Media&, const Media&) = default;
};

struct Description {
  Origin origin;
  std::string session_name = "-";
  std::optional<std::string> information;
  std::optional<std::string> uri;
  std::vector<std::string> emails;
  std::vector<std::string> phones;
  std::optional<Connection> connection;
  std::vector<Bandwidth> bandwidths;
  std::vector<Time> times{Time{}};
  std::optional<std::string> key;
  std::vector<Attribute> attributes;
  std::vector<Media> media;

  const Attribute* attribute(std::string_view name) const;
  // RFC 8866 6.7: of the medium, else of the session, else sendrecv.
  Direction direction(const Media& medium) const;
  // c= of the medium, else of the session; nullptr if there is neither.
  const Connection* connection_of(const Media& medium) const;
  // Equal in all but the version of the origin.
  bool is_same_but_version(const Description& other) const;
  friend bool operator==(const Description&, const Description&) = default;
};

// RFC 8866 9, line order and grammar. Offsets count from the start of the text. Anything that is
// not strictly legal is an error.
Parsed<Description> parse(std::string_view text);
// The same for text from the wire: what can be understood without guessing is accepted, and each
// such departure is reported (bare LF, no line end at the end, empty s=, white space at a line's
// end, a misplaced or repeated line, no t=, no c=). What cannot be understood is an error all the
// same.
Parsed<Description> parse_lenient(std::string_view text, std::vector<Finding>& departures);

struct DepartureRule {
  std::string_view name;
  Clause clause;
  std::string_view expected;
};
// All of them, for reports.
const std::vector<DepartureRule>& departure_rules();

// Canonical text, CRLF after every line.
std::string to_string(const Description& description);
void append_to(std::string& out, const Description& description);

}  // namespace sipassay::sdp
