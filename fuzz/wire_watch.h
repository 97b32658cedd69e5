// Rules of dialogs and of offer/answer, judged from the wire alone: an independent look at what the
// agents send.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "fuzz/world.h"

namespace sipassay::fuzz {

// With `is_honest` both ends are ours and the network only carries, loses, doubles and delays: then
// every message is well-formed and no offer is made while another is open. Always: no request that
// needs a session follows a BYE.
class WireWatch : public Watcher {
 public:
  explicit WireWatch(bool is_honest) : is_honest_(is_honest) {}
  // Nothing may be lost either: then no agent may find fault with the other.
  void is_lossless(bool value) { is_lossless_ = value; }

  void sent(std::size_t side, const Message& message, std::string_view octets,
            Instant now) override;
  void delivered(std::size_t side, const Message& message, Instant now) override;
  void told(std::size_t side, const agent::Event& event) override;

 private:
  // An offer of one side in a request of a dialog: CSeq number and method.
  struct OpenOffer {
    std::uint32_t cseq = 0;
    std::string method;
    Instant sent_at{};
  };
  // One end of a dialog. An agent that calls itself is both.
  struct End {
    std::optional<OpenOffer> offer;
    bool has_bye = false;  // it sent a BYE or answered one with 2xx
    std::uint32_t highest = 0;
  };
  // The end with that tag in the dialog of the message; nullptr outside dialogs.
  End* end_of(const Message& message, HeaderId tagged);
  void sent_request(End& end, const Message& message, Instant now);

  bool is_honest_;
  bool is_lossless_ = false;
  std::map<std::string, End> ends_;  // by Call-ID, the tag of the end, the other tag
};

}  // namespace sipassay::fuzz
