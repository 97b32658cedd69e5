#include "engine/message/message_bench_peer.h"

#if SIPASSAY_HAS_RE

#include <utility>
#include <vector>

extern "C" {
#include <re.h>
}

namespace sipassay::bench {

namespace {

bool is_address(enum sip_hdrid id) {
  switch (id) {
    case SIP_HDR_CONTACT:
    case SIP_HDR_ROUTE:
    case SIP_HDR_RECORD_ROUTE:
    case SIP_HDR_REFER_TO:
    case SIP_HDR_REFERRED_BY:
    case SIP_HDR_REPLY_TO:
    case SIP_HDR_PATH:
    case SIP_HDR_SERVICE_ROUTE:
      return true;
    default:
      return false;
  }
}

class Re : public Peer {
 public:
  Re() : out_(mbuf_alloc(1U << 16U)) {}
  ~Re() override {
    for (sip_msg* message : kept_) mem_deref(message);
    mem_deref(out_);
  }
  Re(const Re&) = delete;
  Re& operator=(const Re&) = delete;

  std::string_view name() const override { return "libre"; }
  std::string_view parse_means() const override {
    return "sip_msg_decode (top Via, From, To, CSeq, Content-Type), then sip_via_decode of the "
           "other Vias and "
           "sip_addr_decode of every other address header; the rest stays text";
  }
  std::string_view write_means() const override {
    return "mbuf_printf: start line with uri_encode, From, To and CSeq from their structures, the "
           "rest as text";
  }

  bool parse(std::string_view octets) override {
    sip_msg* message = read(octets);
    if (message == nullptr) return false;
    const bool is_good = decode_rest(message);
    mem_deref(message);
    return is_good;
  }
  bool keep(std::string_view octets) override {
    sip_msg* message = read(octets);
    if (message == nullptr) return false;
    kept_.push_back(message);
    return true;
  }
  std::size_t kept_count() const override { return kept_.size(); }

  std::size_t write(std::size_t index) override {
    const sip_msg* message = kept_[index];
    mbuf_rewind(out_);
    if (message->req)
      mbuf_printf(out_, "%r %H SIP/2.0\r\n", &message->met, uri_encode, &message->uri);
    else
      mbuf_printf(out_, "SIP/2.0 %u %r\r\n", message->scode, &message->reason);
    for (const le* at = message->hdrl.head; at != nullptr; at = at->next)
      write_header(*message, *static_cast<const sip_hdr*>(at->data));
    mbuf_write_str(out_, "\r\n");
    mbuf_write_mem(out_, mbuf_buf(message->mb), mbuf_get_left(message->mb));
    return out_->end;
  }

 private:
  static sip_msg* read(std::string_view octets) {
    mbuf* buffer = mbuf_alloc(octets.size());
    mbuf_write_mem(buffer, reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size());
    mbuf_set_pos(buffer, 0);
    sip_msg* message = nullptr;
    const int error = sip_msg_decode(&message, buffer);
    mem_deref(buffer);
    return error == 0 ? message : nullptr;
  }
  static bool decode_rest(const sip_msg* message) {
    bool is_first_via = true;
    for (const le* at = message->hdrl.head; at != nullptr; at = at->next) {
      const auto* header = static_cast<const sip_hdr*>(at->data);
      if (is_address(header->id)) {
        sip_addr address;
        if (sip_addr_decode(&address, &header->val) != 0) return false;
      } else if (header->id == SIP_HDR_VIA && !std::exchange(is_first_via, false)) {
        sip_via via;
        if (sip_via_decode(&via, &header->val) != 0) return false;
      }
    }
    return true;
  }
  void write_header(const sip_msg& message, const sip_hdr& header) {
    const auto write_address = [&](const sip_taddr& address) {
      mbuf_printf(out_, "%r: ", &header.name);
      if (address.dname.l != 0) mbuf_printf(out_, "\"%r\" ", &address.dname);
      mbuf_printf(out_, "<%H>%r\r\n", uri_encode, &address.uri, &address.params);
    };
    switch (header.id) {
      case SIP_HDR_FROM:
        write_address(message.from);
        break;
      case SIP_HDR_TO:
        write_address(message.to);
        break;
      case SIP_HDR_CSEQ:
        mbuf_printf(out_, "%r: %u %r\r\n", &header.name, message.cseq.num, &message.cseq.met);
        break;
      default:
        mbuf_printf(out_, "%r: %r\r\n", &header.name, &header.val);
        break;
    }
  }

  std::vector<sip_msg*> kept_;
  mbuf* out_;
};

}  // namespace

std::unique_ptr<Peer> make_re() {
  return std::make_unique<Re>();
}

}  // namespace sipassay::bench

#else
std::unique_ptr<sipassay::bench::Peer> sipassay::bench::make_re() {
  return nullptr;
}
#endif
