#include "engine/message/message_bench_peer.h"

#if SIPASSAY_HAS_OSIP

#include <osipparser2/osip_parser.h>
#include <vector>

namespace sipassay::bench {

namespace {

class Osip : public Peer {
 public:
  Osip() { parser_init(); }
  ~Osip() override {
    for (osip_message_t* message : kept_) osip_message_free(message);
  }
  std::string_view name() const override { return "libosip2"; }
  std::string_view parse_means() const override {
    return "osip_message_init, osip_message_parse, osip_message_free: reads the headers it knows "
           "with the URIs of "
           "addresses, keeps the others as text";
  }
  std::string_view write_means() const override {
    return "osip_message_force_update, osip_message_to_str, osip_free";
  }
  bool parse(std::string_view octets) override {
    osip_message_t* message = nullptr;
    const bool is_good = read(octets, message);
    osip_message_free(message);
    return is_good;
  }
  bool keep(std::string_view octets) override {
    osip_message_t* message = nullptr;
    const bool is_good = read(octets, message);
    kept_.push_back(message);
    return is_good;
  }
  std::size_t kept_count() const override { return kept_.size(); }
  std::size_t write(std::size_t index) override {
    char* text = nullptr;
    std::size_t length = 0;
    osip_message_force_update(kept_[index]);
    if (osip_message_to_str(kept_[index], &text, &length) != 0) return 0;
    osip_free(text);
    return length;
  }

 private:
  static bool read(std::string_view octets, osip_message_t*& message) {
    osip_message_init(&message);
    return osip_message_parse(message, octets.data(), octets.size()) == 0;
  }
  std::vector<osip_message_t*> kept_;
};

}  // namespace

std::unique_ptr<Peer> make_osip() {
  return std::make_unique<Osip>();
}

}  // namespace sipassay::bench

#else
std::unique_ptr<sipassay::bench::Peer> sipassay::bench::make_osip() {
  return nullptr;
}
#endif
