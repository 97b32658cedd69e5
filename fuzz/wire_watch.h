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
  struct Dialog {
    std::array<std::optional<OpenOffer>, sides> offers;
    std::array<bool, sides> has_bye{};  // that side sent a BYE or answered one with 2xx
    std::array<std::uint32_t, sides> highest{};
  };
  static std::string key_of(const Message& message);
  void sent_request(std::size_t side, const Message& message, Instant now);
  void answered(std::size_t offerer, const Message& response);

  bool is_honest_;
  bool is_lossless_ = false;
  std::map<std::string, Dialog> dialogs_;
};

}  // namespace sipassay::fuzz
