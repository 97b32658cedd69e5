#include "engine/runner/peer_media.h"

#include <algorithm>
#include <vector>

#include "engine/sdp/negotiate.h"

namespace sipassay::runner {

struct PeerMedia::Traits {
  bool audio = false, video = false, application = false, unknown_codec = false;
  bool refused = false, port_zero = false, new_port = false, zero_address = false;
  bool same_version = false, no_media = false;
  std::optional<sdp::Direction> direction;

  bool names_streams() const { return audio || video || application || unknown_codec || no_media; }

  static Traits parse(std::string_view text) {
    Traits out;
    while (!text.empty()) {
      const auto plus = text.find('+');
      out.add(text.substr(0, plus));
      if (plus == std::string_view::npos) break;
      text.remove_prefix(plus + 1);
    }
    return out;
  }

 private:
  void add(std::string_view trait) {
    struct Row {
      std::string_view name;
      bool Traits::* flag;
    };
    static constexpr Row rows[] = {{"audio", &Traits::audio},
                                   {"video", &Traits::video},
                                   {"application", &Traits::application},
                                   {"unknown-codec", &Traits::unknown_codec},
                                   {"refused", &Traits::refused},
                                   {"port-zero", &Traits::port_zero},
                                   {"new-port", &Traits::new_port},
                                   {"zero-address", &Traits::zero_address},
                                   {"same-version", &Traits::same_version},
                                   {"no-media", &Traits::no_media}};
    for (const auto& row : rows)
      if (row.name == trait) this->*row.flag = true;
    if (const auto named = sdp::direction_from(trait)) direction = named;
    if (trait == "hold") direction = sdp::Direction::SendOnly;
    if (trait == "resume") direction = sdp::Direction::SendRecv;
  }
};

namespace {

sdp::Codec codec(std::string encoding, std::uint32_t rate, std::uint8_t payload) {
  return {.encoding = std::move(encoding),
          .clock_rate = rate,
          .channels = 1,
          .payload_type = payload,
          .fmtp = {}};
}

sdp::Stream audio_stream(std::uint16_t port) {
  sdp::Stream stream;
  stream.port = port;
  stream.codecs = {codec("PCMU", 8000, 0), codec("PCMA", 8000, 8)};
  return stream;
}

sdp::Stream unknown_stream(std::uint16_t port) {
  sdp::Stream stream;
  stream.port = port;
  stream.codecs = {codec("X-NOBODY", 8000, 107)};
  return stream;
}

sdp::Stream video_stream(std::uint16_t port) {
  sdp::Stream stream;
  stream.type = "video";
  stream.port = port;
  stream.codecs = {codec("H264", 90000, 97)};
  return stream;
}

sdp::Media application_stream(std::uint16_t port) {
  sdp::Media media;
  media.type = "application";
  media.port = port;
  media.proto = "TCP/X-NOBODY";
  media.formats = {"*"};
  return media;
}

void set_direction(sdp::Media& media, sdp::Direction direction) {
  std::erase_if(media.attributes, [](const sdp::Attribute& attribute) {
    return !attribute.value && sdp::direction_from(attribute.name).has_value();
  });
  media.attributes.push_back({std::string(sdp::to_string(direction)), std::nullopt});
}

bool has_type(const sdp::Description& description, std::string_view type) {
  return std::ranges::any_of(description.media,
                             [&](const sdp::Media& media) { return media.type == type; });
}

}  // namespace

PeerMedia::PeerMedia(std::string address, Rng rng)
    : address_(std::move(address)),
      session_id_(rng.between(1'000'000, 9'999'999)),
      version_(rng.between(1, 1000)),
      port_(static_cast<std::uint16_t>(2 * rng.between(10'000, 15'000))) {}

std::string PeerMedia::same() {
  if (!last_) return offer("");
  return last_text_;
}

void PeerMedia::shape(sdp::Description& description, const Traits& traits, bool is_answer) const {
  if (traits.refused)
    for (auto& media : description.media) media.port = 0;
  if (traits.port_zero && !description.media.empty()) description.media.back().port = 0;
  if (traits.direction)
    for (auto& media : description.media) set_direction(media, *traits.direction);
  if (traits.new_port && !is_answer)
    for (auto& media : description.media)
      if (media.port != 0) media.port = static_cast<std::uint16_t>(media.port + 100);
  if (traits.zero_address) {
    description.connection = sdp::connection_for("0.0.0.0");
    for (auto& media : description.media) media.connections.clear();
  }
}

std::string PeerMedia::offer(std::string_view text) {
  const auto traits = Traits::parse(text);
  sdp::Description next;
  const auto& base = is_rolled_back_ ? agreed_ : last_;
  if (base) {
    next = *base;
    // RFC 3264 8.4: a hold by 0.0.0.0 ends with the next offer that does not ask for it.
    if (!traits.zero_address && next.connection && next.connection->is_unspecified())
      next.connection = sdp::connection_for(address_);
  } else {
    next = sdp::make_offer(
        {.username = "peer",
         .session_id = session_id_,
         .session_version = version_,
         .address = address_,
         .streams = {traits.unknown_codec ? unknown_stream(port_) : audio_stream(port_)}});
  }
  const auto stream_of = [&](sdp::Stream stream) {
    return sdp::make_offer({.username = "peer",
                            .session_id = session_id_,
                            .session_version = version_,
                            .address = address_,
                            .streams = {std::move(stream)}})
        .media.front();
  };
  const auto next_port = [&] { return static_cast<std::uint16_t>(port_ + 2 * next.media.size()); };
  if (base && traits.unknown_codec && !next.media.empty())
    next.media.front() = stream_of(unknown_stream(port_));
  if (traits.video && !has_type(next, "video"))
    next.media.push_back(stream_of(video_stream(next_port())));
  if (traits.application && !has_type(next, "application"))
    next.media.push_back(application_stream(next_port()));
  if (traits.no_media) next.media.clear();
  shape(next, traits, false);
  return issue(std::move(next), traits);
}

std::string PeerMedia::answer(std::string_view offer_text, std::string_view text) {
  const auto traits = Traits::parse(text);
  std::vector<Finding> departures;
  const auto offer = sdp::parse_lenient(offer_text, departures);
  if (!offer) return this->offer(text);
  sdp::AnswerOptions options{.username = "peer",
                             .session_id = session_id_,
                             .session_version = version_,
                             .address = address_,
                             .streams = {}};
  for (std::size_t i = 0; i < offer->media.size(); ++i) {
    const auto port = static_cast<std::uint16_t>(port_ + 2 * i + (traits.new_port ? 100 : 0));
    const auto& type = offer->media[i].type;
    if (type == "audio")
      options.streams.push_back(audio_stream(port));
    else if (type == "video" && traits.video)
      options.streams.push_back(video_stream(port));
    else
      options.streams.push_back({.type = type,
                                 .proto = offer->media[i].proto,
                                 .codecs = {},
                                 .direction = sdp::Direction::Inactive,
                                 .port = 0});
  }
  auto answer = sdp::make_answer(*offer, options);
  shape(answer, traits, true);
  return issue(std::move(answer), traits);
}

std::string PeerMedia::issue(sdp::Description description, const Traits& traits) {
  is_rolled_back_ = false;
  // RFC 3264 8: the version grows by one when anything else differs, and only then.
  if (last_) {
    description.origin = last_->origin;
    const bool is_changed = !description.is_same_but_version(*last_);
    if (is_changed && !traits.same_version) ++version_;
  }
  description.origin.session_id = session_id_;
  description.origin.session_version = version_;
  last_ = std::move(description);
  last_text_ = sdp::to_string(*last_);
  return last_text_;
}

}  // namespace sipassay::runner
