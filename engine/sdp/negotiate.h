// Offer and answer (RFC 3264): making them, and judging the peer's.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/finding.h"
#include "engine/base/rng.h"
#include "engine/sdp/description.h"

namespace sipassay::sdp {

struct Codec {
  std::string encoding;  // "PCMU"
  std::uint32_t clock_rate = 8000;
  std::uint32_t channels = 1;
  std::uint8_t payload_type = 0;  // what we use when we offer
  std::string fmtp;               // empty: none
};

// PCMU, PCMA, telephone-event.
std::vector<Codec> default_audio();
// VP8.
std::vector<Codec> default_video();

// One stream that we offer, or are ready to accept.
struct Stream {
  std::string type = "audio";
  std::string proto = "RTP/AVP";
  std::vector<Codec> codecs = default_audio();
  Direction direction = Direction::SendRecv;
  std::uint16_t port = 0;  // 0: not wanted
};

struct OfferOptions {
  std::string username = "-";
  std::uint64_t session_id = 1;  // below 2^62-1 (RFC 3264 5), as the version
  std::uint64_t session_version = 1;
  std::string address = "127.0.0.1";
  std::vector<Stream> streams{Stream{}};
};

// RFC 3264 5.
Description make_offer(const OfferOptions& options);

// What we can do, to answer with. streams[i] is for the i-th m= line; of a line beyond the end of
// the list the last stream of the same type decides, at port 0 when there is none.
using AnswerOptions = OfferOptions;

// RFC 3264 6: as many m= lines in the same order, port 0 for what is refused, formats of the offer
// that we share, directions that fit. Always an answer; see accepts() for whether it takes
// anything.
Description make_answer(const Description& offer, const AnswerOptions& options);
// At least one stream of the answer is not refused, or the offer had none to refuse (RFC 3264 6).
bool accepts(const Description& answer);

struct Changes {
  enum class Hold : std::uint8_t { Keep, Hold, Resume } hold = Hold::Keep;  // RFC 3264 8.4
  std::vector<Stream> add{};             // RFC 3264 8.1: below the existing ones
  std::vector<std::size_t> remove{};     // RFC 3264 8.2: port 0
  std::optional<std::string> address{};  // RFC 3264 8.3.1
};

// RFC 3264 8: previous is the last SDP that we sent. The same text if nothing changes, else the
// version grows by one.
Description next_offer(const Description& previous, const Changes& changes);

// --- judging. Every finding names a rule of negotiation_rules() and its clause.
std::vector<Finding> check_offer(const Description& offer);  // RFC 3264 5
std::vector<Finding> check_answer(const Description& offer, const Description& answer);  // 6
// previous: the last SDP of the same side (offer or answer); next: its new offer.
std::vector<Finding> check_next_offer(const Description& previous, const Description& next);  // 8

struct NegotiationRule {
  std::string_view name;
  Clause clause;
  std::string_view expected;
};
// All of them, for reports.
const std::vector<NegotiationRule>& negotiation_rules();

// Our side of the media of one dialog, over all its offers and answers: keeps origin, ports and
// slots, counts versions. Held by the agent and by the scripted peer, one a dialog. It knows
// nothing of SIP: whoever drives offer/answer says what became of an offer.
class LocalMedia {
 public:
  struct Options {
    std::string username = "sipassay";
    std::string address = "127.0.0.1";
    bool has_video = false;  // offered at first, and accepted when offered
    std::vector<Codec> audio = default_audio();
    std::vector<Codec> video = default_video();
  };
  // Session id and ports are drawn from rng.
  LocalMedia(Options options, Rng rng);

  // AllCodecs: those of ours that earlier exchanges have lost come back (RFC 6337 5.2.5: in the
  // offer that an offerless re-INVITE asks for).
  enum class Change : std::uint8_t {
    None,
    Hold,
    Resume,
    AddVideo,
    AddAudio,
    RemoveLast,
    AllCodecs
  };
  // An offer: the first one, or the last SDP with a change. Becomes current at agreed().
  std::string offer(Change change = Change::None);

  enum class Refusal : std::uint8_t { Malformed, NothingInCommon };  // 400 or 488; 488
  struct Refused {
    Refusal refusal{};
    Error error;  // Malformed
  };
  // An answer to the peer's offer; counts as agreed at once. A refused offer changes nothing.
  std::expected<std::string, Refused> answer(std::string_view offer);

  // The peer answered our open offer.
  void agreed();
  // Our open offer was refused or given up: the session is as before (RFC 3264 4). Its version
  // number stays used.
  void rolled_back();

  bool has_open_offer() const { return pending_.has_value(); }
  // Last agreed description of ours; nullptr before the first.
  const Description* current() const { return current_ ? &*current_ : nullptr; }
  // Last one sent, agreed or not.
  const Description* last_sent() const { return pending_ ? &*pending_ : current(); }

 private:
  Stream stream(std::string_view type, std::uint16_t port) const;
  std::uint16_t next_port();
  void wish_anew(Description& description) const;
  void list_all_codecs(Description& description) const;

  Options options_;
  std::uint64_t session_id_ = 0;
  std::uint64_t version_ = 0;  // highest used
  std::uint16_t port_ = 0;     // next free
  Direction wish_ = Direction::SendRecv;
  std::optional<Description> current_;
  std::optional<Description> pending_;
  Direction wish_before_ = Direction::SendRecv;  // of the open offer
};

}  // namespace sipassay::sdp
