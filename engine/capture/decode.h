// Payloads of a capture → SIP messages, in the order in which they were whole.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/time.h"
#include "engine/capture/packet.h"
#include "engine/message/framer.h"

namespace sipassay::capture {

// Limits of one capture. What is beyond is counted, never silently lost.
inline constexpr std::size_t messages_max = 1'000'000;
inline constexpr std::size_t streams_max = 65'536;  // TCP, each direction one
// Octets that wait for a missing segment; then the gap is given up.
inline constexpr std::size_t waiting_octets_max = 1U << 20U;

// One SIP message, or what should have been one.
struct Captured {
  std::size_t frame = 0;  // number of the frame that completed it, from 1 as other tools count
  Instant at{};           // since the first frame
  Endpoint from, to;
  Message message;             // as much as could be read
  std::optional<Error> error;  // it is malformed
  std::string octets;          // of a malformed one
};

struct Counts {
  std::size_t frames = 0;
  std::array<std::size_t, static_cast<std::size_t>(Skip::Count)> skipped{};  // by reason
  std::size_t other = 0;     // payloads that are not SIP
  std::size_t tls = 0;       // segments that look like TLS
  std::size_t gaps = 0;      // in TCP streams: segments that the capture lacks
  std::size_t too_many = 0;  // messages or streams beyond the limit
};

class Decoder {
 public:
  void frame(int link_type, std::string_view octets, bool is_cut, Instant at);
  // No more frames: what waits for a missing segment is read as far as it goes.
  void finish();
  const std::vector<Captured>& messages() const { return messages_; }
  const Counts& counts() const { return counts_; }

 private:
  // One direction of a TCP connection.
  struct Stream {
    enum class Kind { Unknown, Sip, Other };
    Kind kind = Kind::Unknown;
    std::optional<std::uint64_t> next;             // sequence number that is due, never wrapping
    std::map<std::uint64_t, std::string> waiting;  // what came early
    std::size_t waiting_octets = 0;
    Framer framer;
  };

  void datagram(const Payload& payload);
  void segment(const Payload& payload);
  using Ends = std::pair<Endpoint, Endpoint>;  // from, to
  // Octets that are due, in order.
  void accept(Stream& stream, const Ends& ends, std::string_view octets);
  // What waits and is due by now; `beyond_gaps`: all that waits.
  void accept_waiting(Stream& stream, const Ends& ends, bool beyond_gaps);
  void keep(const Ends& ends, Message message);
  void keep_malformed(const Ends& ends, Error error, std::string octets);

  PacketReader reader_;
  std::map<Ends, Stream> streams_;
  std::vector<Captured> messages_;
  Counts counts_;
  Instant at_{};
};

// The first line names the protocol: a start line, well-formed or not (RFC 3261 7).
bool looks_like_sip(std::string_view octets);

}  // namespace sipassay::capture
