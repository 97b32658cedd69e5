// The session descriptions of a scripted peer: what a scenario's sdp="offer:audio+video+hold"
// means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/rng.h"
#include "engine/sdp/description.h"

namespace sipassay::runner {

// One a dialog. Keeps origin, ports and streams over all offers and answers; raises the version
// when anything changes (RFC 3264 8), unless told to break that. Knows nothing of SIP.
class PeerMedia {
 public:
  PeerMedia(std::string address, Rng rng);

  // Traits of sdp_traits joined by "+"; empty: the first offer, or the last description again.
  std::string offer(std::string_view traits);
  // An answer to the SUT's offer; an offer that cannot be read is answered as one audio stream.
  std::string answer(std::string_view offer, std::string_view traits);
  // The last description sent, octet for octet; a first offer if there was none.
  std::string same();
  // The exchange that the last description belongs to is complete.
  void agreed() { agreed_ = last_; }
  // The offer was refused: the next one changes what was agreed before (RFC 3264 4).
  void rolled_back() { is_rolled_back_ = true; }
  const std::string& last() const { return last_text_; }

 private:
  struct Traits;
  std::string issue(sdp::Description description, const Traits& traits);
  void shape(sdp::Description& description, const Traits& traits, bool is_answer) const;

  std::string address_;
  std::uint64_t session_id_;
  std::uint64_t version_;
  std::uint16_t port_;
  std::optional<sdp::Description> last_;    // sent last, agreed or not
  std::optional<sdp::Description> agreed_;  // of the last complete exchange
  bool is_rolled_back_ = false;
  std::string last_text_;
};

}  // namespace sipassay::runner
