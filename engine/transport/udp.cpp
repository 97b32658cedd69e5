#include "engine/transport/udp.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

// Asio of Boost 1.74 needs <utility> first.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include "engine/message/parse.h"
#include "engine/transport/socket_address.h"

namespace sipassay::transport {
namespace {

using boost::asio::ip::udp;

constexpr std::size_t datagram_octets_max = 65'536;  // more than UDP can carry
constexpr std::size_t batch = 32;                    // datagrams a system call
constexpr int batches_a_turn = 4;                    // then others have their turn

// RFC 5626 3.5: a keep-alive, not a message.
bool is_keep_alive(std::string_view octets) {
  return !octets.empty() && octets.size() <= 4 &&
         octets.find_first_not_of("\r\n") == std::string_view::npos;
}

// RFC 3261 18.4: host, network, port or protocol unreachable and parameter problem count; source
// quench, time exceeded and "fragmentation needed" do not.
bool is_failure(const sock_extended_err& error) {
  if (error.ee_origin == SO_EE_ORIGIN_ICMP)
    return (error.ee_type == 3 && error.ee_code != 4) || error.ee_type == 12;
  return error.ee_origin == SO_EE_ORIGIN_ICMP6 && (error.ee_type == 1 || error.ee_type == 4);
}

class Udp final : public LocalEndpoint {
 public:
  Udp(Loop& loop, FlowId id)
      : loop_(loop),
        id_(id),
        socket_(loop.io),
        buffers_(std::make_unique_for_overwrite<char[]>(batch * datagram_octets_max)) {}

  std::expected<void, std::string> open(const Endpoint& where);

  const Endpoint& address() const override { return address_; }
  bool has_flow(FlowId flow) const override { return flow == id_; }
  void send(Outgoing outgoing) override;
  void flush() override;
  void close_flow(FlowId) override {}

 private:
  struct Datagram {
    std::string octets;
    Destination to;
    SocketAddress address;
  };

  void wait_to_read();
  void wait_to_write();
  void receive();
  bool receive_batch();
  void take(std::string_view octets, const SocketAddress& from);
  void take_errors();
  void fail(const Destination& to, int error);
  int send_some(std::size_t count);

  Loop& loop_;
  FlowId id_;
  Endpoint address_;
  udp::socket socket_;
  std::unique_ptr<char[]> buffers_;
  std::deque<Datagram> queue_;
  bool is_waiting_to_write_ = false;
  // Handlers that outlive this object find it gone.
  std::shared_ptr<Udp*> self_ = std::make_shared<Udp*>(this);
};

void set_option(int handle, int level, int name, int value) {
  ::setsockopt(handle, level, name, &value, sizeof value);
}

std::expected<void, std::string> Udp::open(const Endpoint& where) {
  const auto address = socket_address(where);
  if (!address) return std::unexpected("not an IP address");
  boost::system::error_code error;
  socket_.open(address->is_ipv6() ? udp::v6() : udp::v4(), error);
  if (error) return std::unexpected(error.message());
  const int handle = socket_.native_handle();
  if (address->is_ipv6()) set_option(handle, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  // RFC 3261 18.4: ICMP errors, with the address that they are about.
  if (address->is_ipv6())
    set_option(handle, IPPROTO_IPV6, IPV6_RECVERR, 1);
  else
    set_option(handle, IPPROTO_IP, IP_RECVERR, 1);
  set_option(handle, SOL_SOCKET, SO_RCVBUF, loop_.limits.receive_buffer_octets);
  set_option(handle, SOL_SOCKET, SO_RCVBUFFORCE, loop_.limits.receive_buffer_octets);
  set_option(handle, SOL_SOCKET, SO_SNDBUF, loop_.limits.receive_buffer_octets);
  if (::bind(handle, address->get(), address->length) != 0)
    return std::unexpected(std::string(std::strerror(errno)));
  SocketAddress bound;
  bound.length = sizeof bound.storage;
  ::getsockname(handle, bound.get(), &bound.length);
  address_ = endpoint_of(bound, Transport::Udp);
  socket_.non_blocking(true, error);
  if (error) return std::unexpected(error.message());
  wait_to_read();
  return {};
}

void Udp::wait_to_read() {
  socket_.async_wait(udp::socket::wait_read,
                     [self = std::weak_ptr(self_)](boost::system::error_code error) {
                       const auto here = self.lock();
                       if (!here || error) return;
                       (*here)->receive();
                       (*here)->wait_to_read();
                     });
}

void Udp::wait_to_write() {
  if (std::exchange(is_waiting_to_write_, true)) return;
  socket_.async_wait(udp::socket::wait_write,
                     [self = std::weak_ptr(self_)](boost::system::error_code error) {
                       const auto here = self.lock();
                       if (!here || error) return;
                       (*here)->is_waiting_to_write_ = false;
                       (*here)->flush();
                     });
}

void Udp::receive() {
  take_errors();
  for (int i = 0; i < batches_a_turn; ++i) {
    if (loop_.events.size() >= loop_.limits.events_max) return;
    if (!receive_batch()) return;
  }
}

// False: there is no more for now.
bool Udp::receive_batch() {
  std::array<mmsghdr, batch> headers{};
  std::array<iovec, batch> vectors{};
  std::array<SocketAddress, batch> from{};
  for (std::size_t i = 0; i < batch; ++i) {
    vectors[i] = {buffers_.get() + i * datagram_octets_max, datagram_octets_max};
    headers[i].msg_hdr.msg_iov = &vectors[i];
    headers[i].msg_hdr.msg_iovlen = 1;
    headers[i].msg_hdr.msg_name = from[i].get();
    headers[i].msg_hdr.msg_namelen = sizeof from[i].storage;
  }
  const int count =
      ::recvmmsg(socket_.native_handle(), headers.data(), batch, MSG_DONTWAIT, nullptr);
  if (count < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
    take_errors();  // one was reported in place of a datagram
    return true;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    from[i].length = headers[i].msg_hdr.msg_namelen;
    take({static_cast<const char*>(vectors[i].iov_base), headers[i].msg_len}, from[i]);
  }
  return static_cast<std::size_t>(count) == batch;
}

void Udp::take(std::string_view octets, const SocketAddress& from) {
  if (is_keep_alive(octets)) return;
  Flow flow{address_, endpoint_of(from, Transport::Udp), id_};
  MessageArrived arrived{id_, {}, std::move(flow), {}};
  if (const auto parsed = parse_message(octets, arrived.message); !parsed) {
    loop_.events.push_back(
        GarbageArrived{id_, std::string(octets), parsed.error(), std::move(arrived.flow)});
    return;
  }
  if (loop_.keeps_octets) arrived.octets = octets;
  loop_.events.push_back(std::move(arrived));
}

void Udp::take_errors() {
  std::vector<Endpoint> told;
  while (true) {
    SocketAddress about;
    char octet = 0;
    iovec vector{&octet, 1};
    alignas(cmsghdr) std::array<char, 512> control{};
    msghdr header{};
    header.msg_name = about.get();
    header.msg_namelen = sizeof about.storage;
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    if (::recvmsg(socket_.native_handle(), &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
    about.length = header.msg_namelen;
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr;
         part = CMSG_NXTHDR(&header, part)) {
      const bool is_error = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                            (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
      if (!is_error) continue;
      sock_extended_err error{};
      std::memcpy(&error, CMSG_DATA(part), sizeof error);
      if (!is_failure(error)) continue;
      const Endpoint to = endpoint_of(about, Transport::Udp);
      if (std::find(told.begin(), told.end(), to) != told.end()) continue;
      told.push_back(to);
      fail({to, id_}, static_cast<int>(error.ee_errno));
    }
  }
}

void Udp::fail(const Destination& to, int error) {
  loop_.events.push_back(SendFailed{id_, to, std::strerror(error)});
}

void Udp::send(Outgoing outgoing) {
  const auto address = socket_address(outgoing.address);
  if (!address || address->is_ipv6() != (socket_address(address_)->is_ipv6()))
    return fail(outgoing.to, EAFNOSUPPORT);
  if (queue_.size() >= loop_.limits.datagrams_queued_max) return;  // lost, as datagrams are
  queue_.push_back({std::move(outgoing.octets), std::move(outgoing.to), *address});
  if (queue_.size() % batch == 0) flush();
}

void Udp::flush() {
  if (is_waiting_to_write_) return;
  int errors = 0;
  while (!queue_.empty()) {
    const int sent = send_some(std::min(queue_.size(), batch));
    if (sent > 0) {
      queue_.erase(queue_.begin(), queue_.begin() + sent);
      errors = 0;
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return wait_to_write();
    // The first error may be the report of an earlier datagram.
    const int error = errno;
    take_errors();
    if (++errors < 2) continue;
    fail(queue_.front().to, error);
    queue_.pop_front();
    errors = 0;
  }
}

int Udp::send_some(std::size_t count) {
  std::array<mmsghdr, batch> headers{};
  std::array<iovec, batch> vectors{};
  for (std::size_t i = 0; i < count; ++i) {
    vectors[i] = {queue_[i].octets.data(), queue_[i].octets.size()};
    headers[i].msg_hdr.msg_iov = &vectors[i];
    headers[i].msg_hdr.msg_iovlen = 1;
    headers[i].msg_hdr.msg_name = queue_[i].address.get();
    headers[i].msg_hdr.msg_namelen = queue_[i].address.length;
  }
  return ::sendmmsg(socket_.native_handle(), headers.data(), static_cast<unsigned>(count), 0);
}

}  // namespace

std::expected<std::unique_ptr<LocalEndpoint>, std::string> open_udp(Loop& loop, FlowId id,
                                                                    const Endpoint& where) {
  auto local = std::make_unique<Udp>(loop, id);
  if (auto opened = local->open(where); !opened) return std::unexpected(opened.error());
  return local;
}

}  // namespace sipassay::transport
