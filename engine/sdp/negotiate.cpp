#include "engine/sdp/negotiate.h"

#include <fmt/format.h>
#include <algorithm>
#include <limits>

#include "engine/base/ascii.h"

namespace sipassay::sdp {

namespace {

// Ports for media: even (RFC 3550 11), above the well-known and below the ephemeral ones.
constexpr std::uint16_t port_low = 16384;
constexpr std::uint16_t port_high = 32766;

RtpMap mapping_of(const Codec& codec) {
  return RtpMap{codec.encoding, codec.clock_rate, codec.channels};
}

std::string rtpmap_value(std::string_view format, const RtpMap& map) {
  auto value = fmt::format("{} {}/{}", format, map.encoding, map.clock_rate);
  if (map.channels != 1) value += fmt::format("/{}", map.channels);
  return value;
}

// What a codec is listed as in a stream of that transport.
std::string format_of(const Codec& codec) {
  return fmt::format("{}", codec.payload_type);
}

void add_codec(Media& media, std::string_view format, const RtpMap& map, std::string_view fmtp) {
  media.formats.emplace_back(format);
  media.attributes.push_back({"rtpmap", rtpmap_value(format, map)});
  if (!fmtp.empty()) media.attributes.push_back({"fmtp", fmt::format("{} {}", format, fmtp)});
}

bool is_direction(const Attribute& attribute) {
  return !attribute.value && direction_from(attribute.name).has_value();
}

// Sets the direction of a medium; sendrecv is the default and is not written.
void set_direction(Media& media, Direction direction) {
  std::erase_if(media.attributes, is_direction);
  if (direction != Direction::SendRecv)
    media.attributes.push_back({std::string(to_string(direction)), std::nullopt});
}

Media describe(const Stream& stream) {
  Media media;
  media.type = stream.type;
  media.port = stream.port;
  media.proto = stream.proto;
  for (const auto& codec : stream.codecs)
    add_codec(media, format_of(codec), mapping_of(codec), codec.fmtp);
  if (media.formats.empty()) media.formats.emplace_back("0");  // SDP wants one
  set_direction(media, stream.direction);
  return media;
}

// RFC 3264 6, 8.2: port zero, one format is enough.
Media refuse(const Media& offered) {
  Media media;
  media.type = offered.type;
  media.proto = offered.proto;
  media.formats.push_back(offered.formats.empty() ? "0" : offered.formats.front());
  return media;
}

bool is_supported(const RtpMap& map, const Stream& stream) {
  return std::ranges::any_of(stream.codecs,
                             [&](const Codec& codec) { return mapping_of(codec).is_same(map); });
}

// A stream of telephone-event alone is none that we play: it is refused.
bool is_speech(const RtpMap& map) {
  return !ascii::iequals(map.encoding, "telephone-event");
}

const Stream* stream_for(const AnswerOptions& options, std::size_t index, std::string_view type) {
  if (index < options.streams.size())
    return options.streams[index].type == type ? &options.streams[index] : nullptr;
  const Stream* found = nullptr;
  for (const auto& stream : options.streams)
    if (stream.type == type) found = &stream;
  return found;
}

Media answer_stream(const Description& offer, const Media& offered, const Stream* stream) {
  if (offered.port == 0 || !stream || stream->port == 0) return refuse(offered);
  if (stream->proto != offered.proto || !offered.is_rtp()) return refuse(offered);
  const auto* connection = offer.connection_of(offered);
  if (!connection || connection->is_multicast())
    return refuse(offered);  // we have no multicast media
  Media media;
  media.type = offered.type;
  media.port = stream->port;
  media.proto = offered.proto;
  bool has_speech = false;
  for (const auto& format : offered.formats) {
    const auto map = offered.rtpmap(format);
    if (!map || !is_supported(*map, *stream) || media.has_format(format)) continue;
    has_speech = has_speech || is_speech(*map);
    add_codec(media, format, *map, offered.fmtp(format));
  }
  if (media.formats.empty() || !has_speech) return refuse(offered);
  const auto wanted = stream->direction;
  const auto possible = reverse(offer.direction(offered));
  set_direction(media, direction_of(sends(wanted) && sends(possible),
                                    receives(wanted) && receives(possible)));
  return media;
}

Description shell(std::string_view username, std::uint64_t id, std::uint64_t version,
                  std::string_view address) {
  Description description;
  const auto connection = connection_for(address);
  description.origin.username = username;
  description.origin.session_id = id;
  description.origin.session_version = version;
  description.origin.address_type = connection.address_type;
  description.origin.address = connection.address;
  description.connection = connection;
  return description;
}

// RFC 3264 8.4: the peer shall stop sending; our own sending stays as it is.
Direction held(Direction direction) {
  return direction_of(sends(direction), false);
}

}  // namespace

std::vector<Codec> default_audio() {
  return {{"PCMU", 8000, 1, 0, {}},
          {"PCMA", 8000, 1, 8, {}},
          {"telephone-event", 8000, 1, 101, "0-15"}};
}

std::vector<Codec> default_video() {
  return {{"VP8", 90000, 1, 96, {}}};
}

Description make_offer(const OfferOptions& options) {
  auto offer =
      shell(options.username, options.session_id, options.session_version, options.address);
  for (const auto& stream : options.streams) offer.media.push_back(describe(stream));
  return offer;
}

Description make_answer(const Description& offer, const AnswerOptions& options) {
  auto answer =
      shell(options.username, options.session_id, options.session_version, options.address);
  if (!offer.times.empty()) answer.times = offer.times;  // RFC 3264 6: MUST equal
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    const auto& offered = offer.media[i];
    answer.media.push_back(answer_stream(offer, offered, stream_for(options, i, offered.type)));
  }
  return answer;
}

bool accepts(const Description& answer) {
  return answer.media.empty() ||
         std::ranges::any_of(answer.media, [](const Media& m) { return m.port != 0; });
}

Description next_offer(const Description& previous, const Changes& changes) {
  Description next = previous;
  if (changes.address) next.connection = connection_for(*changes.address);
  for (const auto index : changes.remove)
    if (index < next.media.size()) next.media[index] = refuse(next.media[index]);
  if (changes.hold != Changes::Hold::Keep) {
    std::erase_if(next.attributes, is_direction);  // each stream says its own from now on
    for (auto& medium : next.media) {
      if (medium.port == 0) continue;
      const auto before = previous.direction(medium);
      set_direction(medium,
                    changes.hold == Changes::Hold::Hold ? held(before) : Direction::SendRecv);
    }
  }
  for (const auto& stream : changes.add) next.media.push_back(describe(stream));
  if (next != previous) ++next.origin.session_version;
  return next;
}

// --- LocalMedia

LocalMedia::LocalMedia(Options options, Rng rng) : options_(std::move(options)) {
  session_id_ = rng.between(1, std::numeric_limits<std::int32_t>::max());
  port_ = static_cast<std::uint16_t>(rng.between(port_low / 2, port_high / 2) * 2);
}

std::uint16_t LocalMedia::next_port() {
  const auto port = port_;
  port_ = port_ >= port_high ? port_low : static_cast<std::uint16_t>(port_ + 2);
  return port;
}

Stream LocalMedia::stream(std::string_view type, std::uint16_t port) const {
  Stream out;
  out.type = type;
  out.port = port;
  out.codecs = type == "video" ? options_.video : options_.audio;
  out.direction = wish_;
  return out;
}

// RFC 6337 5.3: what the peer wanted of its own (a hold) does not change our wish.
void LocalMedia::wish_anew(Description& description) const {
  for (auto& medium : description.media)
    if (medium.port != 0 && description.direction(medium) != wish_) set_direction(medium, wish_);
}

// RFC 3264 8.3.2 MUST NOT: a payload type number that has another codec stays that codec's.
void LocalMedia::list_all_codecs(Description& description) const {
  for (auto& medium : description.media) {
    if (medium.port == 0 || !medium.is_rtp()) continue;
    for (const auto& codec : stream(medium.type, medium.port).codecs) {
      const auto is_listed = [&](const std::string& format) {
        const auto map = medium.rtpmap(format);
        return map && map->is_same(mapping_of(codec));
      };
      const auto format = format_of(codec);
      if (!medium.has_format(format) && std::ranges::none_of(medium.formats, is_listed))
        add_codec(medium, format, mapping_of(codec), codec.fmtp);
    }
  }
}

std::string LocalMedia::offer(Change change) {
  wish_before_ = wish_;
  if (change == Change::Hold) wish_ = held(wish_);
  if (change == Change::Resume) wish_ = Direction::SendRecv;
  if (!current_) {
    OfferOptions first;
    first.username = options_.username;
    first.session_id = session_id_;
    first.session_version = ++version_;
    first.address = options_.address;
    first.streams = {stream("audio", next_port())};
    if (options_.has_video || change == Change::AddVideo)
      first.streams.push_back(stream("video", next_port()));
    pending_ = make_offer(first);
    return to_string(*pending_);
  }
  Changes changes;
  if (change == Change::Hold) changes.hold = Changes::Hold::Hold;
  if (change == Change::Resume) changes.hold = Changes::Hold::Resume;
  const bool has_room = current_->media.size() < media_max;
  if (change == Change::AddVideo && has_room) changes.add = {stream("video", next_port())};
  if (change == Change::AddAudio && has_room) changes.add = {stream("audio", next_port())};
  if (change == Change::RemoveLast && !current_->media.empty())
    changes.remove = {current_->media.size() - 1};
  pending_ = next_offer(*current_, changes);
  if (change == Change::AllCodecs) list_all_codecs(*pending_);
  if (changes.hold == Changes::Hold::Keep) wish_anew(*pending_);
  // RFC 3264 8: the previous SDP is the last one that the peer saw, be it a refused offer.
  if (*pending_ != *current_ || version_ > current_->origin.session_version)
    pending_->origin.session_version = ++version_;
  return to_string(*pending_);
}

std::expected<std::string, LocalMedia::Refused> LocalMedia::answer(std::string_view text) {
  std::vector<Finding> departures;
  const auto offer = parse_lenient(text, departures);
  if (!offer) return std::unexpected(Refused{Refusal::Malformed, offer.error()});
  AnswerOptions options;
  options.username = options_.username;
  options.session_id = session_id_;
  options.address = options_.address;
  options.streams.clear();
  const auto port_before = port_;
  for (std::size_t i = 0; i < offer->media.size(); ++i) {
    const auto& type = offer->media[i].type;
    const bool is_wanted = type == "audio" || (type == "video" && options_.has_video);
    std::uint16_t port = 0;
    if (is_wanted) {  // RFC 3264 8.3.1: a stream that goes on keeps its port
      const bool is_kept = current_ && i < current_->media.size() &&
                           current_->media[i].type == type && current_->media[i].port != 0;
      port = is_kept ? current_->media[i].port : next_port();
    }
    options.streams.push_back(stream(type, port));
  }
  auto answer = make_answer(*offer, options);
  if (!accepts(answer)) {
    port_ = port_before;
    return std::unexpected(Refused{Refusal::NothingInCommon, {}});
  }
  // RFC 3264 8: the same text keeps its version, other text counts up.
  if (current_) answer.origin = current_->origin;
  if (!current_ || answer != *current_ || version_ > current_->origin.session_version)
    answer.origin.session_version = ++version_;
  current_ = std::move(answer);
  return to_string(*current_);
}

void LocalMedia::agreed() {
  if (!pending_) return;
  current_ = std::move(pending_);
  pending_.reset();
}

void LocalMedia::rolled_back() {
  if (!pending_) return;
  pending_.reset();
  wish_ = wish_before_;
}

}  // namespace sipassay::sdp
