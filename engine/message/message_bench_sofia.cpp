#include "engine/message/message_bench_peer.h"

#if SIPASSAY_HAS_SOFIA

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <array>
#include <vector>

namespace sipassay::bench {

namespace {

class Sofia : public Peer {
 public:
  ~Sofia() override {
    for (msg_t* message : kept_) msg_destroy(message);
  }
  std::string_view name() const override { return "sofia-sip"; }
  std::string_view parse_means() const override {
    return "msg_make with sip_default_mclass (copies, splits and decodes every header it knows, "
           "URIs included), "
           "msg_destroy";
  }
  std::string_view write_means() const override {
    return "msg_object_e: encodes every header from its structure into a buffer";
  }
  bool parse(std::string_view octets) override {
    msg_t* message = read(octets);
    const bool is_good = message != nullptr && msg_has_error(message) == 0 && is_whole(message);
    msg_destroy(message);
    return is_good;
  }
  bool keep(std::string_view octets) override {
    msg_t* message = read(octets);
    if (message == nullptr) return false;
    kept_.push_back(message);
    return is_whole(message);
  }
  std::size_t kept_count() const override { return kept_.size(); }
  std::size_t write(std::size_t index) override {
    const auto length = msg_object_e(buffer_.data(), static_cast<isize_t>(buffer_.size()),
                                     msg_object(kept_[index]), 0);
    return length > 0 ? static_cast<std::size_t>(length) : 0;
  }

 private:
  static msg_t* read(std::string_view octets) {
    return msg_make(sip_default_mclass(), 0, octets.data(), static_cast<ssize_t>(octets.size()));
  }
  static bool is_whole(msg_t* message) {
    const sip_t* sip = sip_object(message);
    return sip != nullptr && sip->sip_error == nullptr && sip->sip_via != nullptr &&
           sip->sip_cseq != nullptr;
  }
  std::vector<msg_t*> kept_;
  std::array<char, 1U << 16U> buffer_{};
};

}  // namespace

std::unique_ptr<Peer> make_sofia() {
  return std::make_unique<Sofia>();
}

}  // namespace sipassay::bench

#else
std::unique_ptr<sipassay::bench::Peer> sipassay::bench::make_sofia() {
  return nullptr;
}
#endif
