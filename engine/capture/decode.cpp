#include "engine/capture/decode.h"

#include <algorithm>
#include <variant>

#include "engine/base/ascii.h"
#include "engine/message/parse.h"

namespace sipassay::capture {
namespace {

// RFC 8446 5.1: a record of type handshake or application data, version 3.x.
bool looks_like_tls(std::string_view octets) {
  return octets.size() >= 3 && octets[0] >= 0x14 && octets[0] <= 0x17 && octets[1] == 3;
}

// RFC 5626 3.5.1, RFC 6223 and habit: keep-alives of line ends, zeros or "jaK".
std::string_view without_line_ends(std::string_view octets) {
  octets.remove_prefix(std::min(octets.find_first_not_of("\r\n"), octets.size()));
  return octets;
}

}  // namespace

bool looks_like_sip(std::string_view octets) {
  constexpr std::size_t line_max = 8192;
  octets = without_line_ends(octets);
  const auto line = octets.substr(0, std::min(octets.find('\n'), line_max));
  const auto found =
      std::ranges::search(line, std::string_view("SIP/"), {}, ascii::lower, ascii::lower);
  if (found.empty()) return false;
  // At the beginning of a response, at the end of a request.
  const auto before = static_cast<std::size_t>(found.begin() - line.begin());
  return before == 0 || ascii::is_space(line[before - 1]);
}

void Decoder::frame(int link_type, std::string_view octets, bool is_cut, Instant at) {
  ++counts_.frames;
  at_ = at;
  const auto payload = reader_.read(link_type, octets, is_cut);
  if (!payload) {
    ++counts_.skipped[static_cast<std::size_t>(reader_.skipped())];
    return;
  }
  if (payload->from.transport == Transport::Udp)
    datagram(*payload);
  else
    segment(*payload);
}

void Decoder::datagram(const Payload& payload) {
  if (!looks_like_sip(payload.octets)) {
    ++counts_.other;
    return;
  }
  // RFC 3261 7.5: line ends in front of a start line are ignored.
  const std::string_view octets = without_line_ends(payload.octets);
  const Ends ends{payload.from, payload.to};
  if (auto message = parse_message(octets))
    keep(ends, std::move(*message));
  else
    keep_malformed(ends, message.error(), std::string(octets));
}

void Decoder::segment(const Payload& payload) {
  const Ends ends{payload.from, payload.to};
  auto found = streams_.find(ends);
  if (payload.begins && found != streams_.end()) {  // the port is used again
    accept_waiting(found->second, ends, true);
    streams_.erase(found);
    found = streams_.end();
  }
  if (found == streams_.end()) {
    if (payload.octets.empty() && !payload.begins) return;
    if (streams_.size() == streams_max) {
      ++counts_.too_many;
      return;
    }
    found = streams_.try_emplace(ends).first;
  }
  Stream& stream = found->second;
  // Far enough from zero for what comes before the first segment that we see.
  constexpr std::uint64_t origin = std::uint64_t{1} << 32U;
  if (!stream.next) stream.next = origin + payload.sequence + (payload.begins ? 1 : 0);
  const std::uint32_t due = static_cast<std::uint32_t>(*stream.next);
  const std::uint32_t first = payload.sequence + (payload.begins ? 1 : 0);
  const auto distance = static_cast<std::int32_t>(first - due);
  const auto start = *stream.next + static_cast<std::uint64_t>(std::int64_t{distance});
  const auto end = start + payload.octets.size();
  if (end > *stream.next) {
    if (start <= *stream.next) {
      accept(stream, ends, payload.octets.substr(*stream.next - start));
    } else if (stream.waiting.try_emplace(start, payload.octets).second) {
      stream.waiting_octets += payload.octets.size();
    }
    accept_waiting(stream, ends, stream.waiting_octets > waiting_octets_max);
  }
  if (payload.ends) {
    accept_waiting(stream, ends, true);
    streams_.erase(ends);
  }
}

void Decoder::accept_waiting(Stream& stream, const Ends& ends, bool beyond_gaps) {
  while (!stream.waiting.empty()) {
    auto first = stream.waiting.extract(stream.waiting.begin());
    const std::string octets = std::move(first.mapped());
    const std::uint64_t start = first.key();
    if (start > *stream.next) {
      if (!beyond_gaps) {
        stream.waiting.insert(std::move(first)).position->second = octets;
        return;
      }
      ++counts_.gaps;
      // What was begun is lost with the gap; the next start line begins anew.
      stream.framer = Framer();
      stream.kind = Stream::Kind::Unknown;
      stream.next = start;
    }
    stream.waiting_octets -= octets.size();
    if (start + octets.size() > *stream.next)
      accept(stream, ends, std::string_view(octets).substr(*stream.next - start));
  }
}

void Decoder::accept(Stream& stream, const Ends& ends, std::string_view octets) {
  *stream.next += octets.size();
  if (stream.kind != Stream::Kind::Sip) {
    if (without_line_ends(octets).empty()) return;
    const bool is_sip = looks_like_sip(octets);
    if (!is_sip) {
      if (stream.kind == Stream::Kind::Unknown)
        ++(looks_like_tls(octets) ? counts_.tls : counts_.other);
      stream.kind = Stream::Kind::Other;
      return;
    }
    stream.kind = Stream::Kind::Sip;
    stream.framer = Framer();
  }
  stream.framer.feed(octets);
  while (auto frame = stream.framer.next()) {
    if (auto* message = std::get_if<Message>(&*frame)) {
      keep(ends, std::move(*message));
    } else if (auto* garbage = std::get_if<Framer::Garbage>(&*frame)) {
      keep_malformed(ends, garbage->error, std::move(garbage->octets));
    } else if (auto* broken = std::get_if<Framer::Broken>(&*frame)) {
      keep_malformed(ends, broken->error, std::move(broken->octets));
      stream.kind = Stream::Kind::Unknown;  // until a segment begins with a start line
      return;
    }
  }
}

void Decoder::finish() {
  for (auto& [ends, stream] : streams_) accept_waiting(stream, ends, true);
  streams_.clear();
}

void Decoder::keep(const Ends& ends, Message message) {
  if (messages_.size() == messages_max) {
    ++counts_.too_many;
    return;
  }
  messages_.push_back({counts_.frames, at_, ends.first, ends.second, std::move(message), {}, {}});
}

void Decoder::keep_malformed(const Ends& ends, Error error, std::string octets) {
  if (messages_.size() == messages_max) {
    ++counts_.too_many;
    return;
  }
  messages_.push_back({counts_.frames, at_, ends.first, ends.second, {}, error, std::move(octets)});
}

}  // namespace sipassay::capture
