#include "engine/transport/tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

// Asio of Boost 1.74 needs <utility> first.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "engine/message/framer.h"
#include "engine/transport/socket_address.h"

namespace sipassay::transport {
namespace {

using boost::asio::ip::tcp;
using Code = boost::system::error_code;
using Steady = std::chrono::steady_clock;

constexpr std::size_t read_octets = 65'536;                    // of one system call
constexpr int reads_a_turn = 4;                                // then others have their turn
constexpr std::size_t write_vectors_max = 32;                  // of one system call
constexpr auto accept_pause = std::chrono::milliseconds(100);  // when the system is out of sockets
constexpr auto sweep_period = std::chrono::milliseconds(250);

class Connection;

// A listener and the connections that belong to it: those it accepted and those it made.
class Tcp final : public LocalEndpoint {
 public:
  Tcp(Loop& loop, FlowId id)
      : loop_(loop), id_(id), acceptor_(loop.io), pause_(loop.io), sweep_(loop.io) {}
  ~Tcp() override;

  std::expected<void, std::string> open(const Endpoint& where);

  const Endpoint& address() const override { return address_; }
  bool has_flow(FlowId flow) const override { return connections_.contains(flow); }
  void send(Outgoing outgoing) override;
  void flush() override;
  void close_flow(FlowId flow) override;

  // --- for its connections
  Loop& loop() { return loop_; }
  FlowId id() const { return id_; }
  std::string& read_buffer() { return read_buffer_; }
  void fail(const Destination& to, std::string reason) {
    loop_.events.push_back(SendFailed{id_, to, std::move(reason)});
  }
  void forget(FlowId flow);

 private:
  void accept();
  void accepted(tcp::socket socket);
  std::shared_ptr<Connection> connection_to(const Outgoing& outgoing);
  std::shared_ptr<Connection> connect(const SocketAddress& to, const Endpoint& remote);
  void start_sweeping();
  void sweep();

  Loop& loop_;
  FlowId id_;
  Endpoint address_;
  tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  boost::asio::steady_timer sweep_;
  bool is_sweeping_ = false;
  std::map<FlowId, std::shared_ptr<Connection>> connections_;
  std::vector<FlowId> to_flush_;
  std::string read_buffer_ = std::string(read_octets, '\0');
  std::shared_ptr<Tcp*> self_ = std::make_shared<Tcp*>(this);
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Tcp& owner, tcp::socket socket, Flow flow)
      : owner_(&owner),
        socket_(std::move(socket)),
        pause_(owner.loop().io),
        flow_(std::move(flow)) {}

  void start_connecting(const SocketAddress& to);
  void start_open();
  void queue(Outgoing outgoing);
  void write();
  // What is queued still goes out.
  void close();
  // Nothing more happens; the owner has forgotten it or is going away.
  void abort();
  // Housekeeping: patience with connecting, silence, leaving.
  void check(Steady::time_point now);

  const Flow& flow() const { return flow_; }
  bool is_usable() const { return state_ == State::Connecting || state_ == State::Open; }

 private:
  // Leaving: heeds nothing more, writes what is left, then closes. Closed: gone.
  enum class State { Connecting, Open, Leaving, Closed };

  struct Chunk {
    std::string octets;
    Destination to;
    bool has_pause_behind = false;
  };

  bool is_reading() const {
    return (state_ == State::Open || state_ == State::Leaving) && !has_peer_finished_;
  }
  void connected(const Code& error);
  void wait_to_read();
  void wait_to_write();
  void read();
  bool read_some();
  void take_frames();
  void leave();
  void end(const std::string& reason);
  std::size_t write_some(Code& error);
  void written(std::size_t octets);

  Tcp* owner_;  // null once aborted
  tcp::socket socket_;
  boost::asio::steady_timer pause_;
  Flow flow_;
  State state_ = State::Connecting;
  Framer framer_;
  std::deque<Chunk> queue_;
  std::size_t queued_octets_ = 0;
  std::size_t written_ = 0;  // of the first chunk
  bool is_waiting_to_write_ = false;
  bool is_pausing_ = false;
  bool is_close_told_ = false;    // our side knows, or wanted it
  bool is_close_wanted_ = false;  // as soon as everything is written
  bool has_peer_finished_ = false;
  Steady::time_point since_ = Steady::now();  // last octet, or the state's beginning
};

// --- connection

void Connection::start_connecting(const SocketAddress& to) {
  tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), to.get(), to.length);
  endpoint.resize(to.length);
  socket_.async_connect(endpoint,
                        [self = shared_from_this()](const Code& error) { self->connected(error); });
}

void Connection::connected(const Code& error) {
  if (owner_ == nullptr || state_ != State::Connecting) return;
  if (error) return end(error.message());
  Code ignored;
  // A port of our own can meet itself when nobody listens on it.
  if (socket_.local_endpoint(ignored) == socket_.remote_endpoint(ignored))
    return end(std::strerror(ECONNREFUSED));
  start_open();
  write();
}

void Connection::start_open() {
  Code ignored;
  state_ = State::Open;
  since_ = Steady::now();
  socket_.non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
  wait_to_read();
}

void Connection::queue(Outgoing outgoing) {
  if (queued_octets_ + outgoing.octets.size() > owner_->loop().limits.write_queue_octets_max) {
    owner_->fail(outgoing.to, "the peer does not read");
    return end("the peer does not read");
  }
  queued_octets_ += outgoing.octets.size();
  std::string_view rest = outgoing.octets;
  for (const std::size_t octets : outgoing.segments) {
    if (octets == 0 || octets >= rest.size()) continue;
    queue_.push_back({std::string(rest.substr(0, octets)), outgoing.to, true});
    rest.remove_prefix(octets);
  }
  queue_.push_back({std::string(rest), std::move(outgoing.to), false});
}

void Connection::wait_to_read() {
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const Code& error) {
    if (self->owner_ == nullptr || error) return;
    self->read();
    if (self->is_reading()) self->wait_to_read();
  });
}

void Connection::wait_to_write() {
  if (std::exchange(is_waiting_to_write_, true)) return;
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](const Code& error) {
    self->is_waiting_to_write_ = false;
    if (self->owner_ != nullptr && !error) self->write();
  });
}

void Connection::read() {
  for (int i = 0; i < reads_a_turn && is_reading(); ++i) {
    if (owner_->loop().events.size() >= owner_->loop().limits.events_max) return;
    if (!read_some()) return;
  }
}

// False: there is no more for now.
bool Connection::read_some() {
  std::string& buffer = owner_->read_buffer();
  const ssize_t count = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return false;
    end(std::strerror(errno));
    return false;
  }
  if (count == 0) {
    has_peer_finished_ = true;
    leave();
    return false;
  }
  if (state_ == State::Leaving) return true;  // unread octets would turn the close into a reset
  since_ = Steady::now();
  framer_.feed(std::string_view(buffer).substr(0, static_cast<std::size_t>(count)));
  take_frames();
  return static_cast<std::size_t>(count) == buffer.size();
}

void Connection::take_frames() {
  auto& loop = owner_->loop();
  while (auto frame = framer_.next()) {
    if (auto* message = std::get_if<Message>(&*frame)) {
      MessageArrived arrived{owner_->id(), std::move(*message), flow_, {}};
      if (loop.keeps_octets) arrived.octets = arrived.message.to_string();
      loop.events.push_back(std::move(arrived));
    } else if (std::holds_alternative<Framer::Ping>(*frame)) {
      // RFC 5626 3.5.1
      queue({"\r\n", {flow_.remote, flow_.id}, {}, {}});
      if (state_ == State::Open) write();
    } else if (auto* garbage = std::get_if<Framer::Garbage>(&*frame)) {
      loop.events.push_back(
          GarbageArrived{owner_->id(), std::move(garbage->octets), garbage->error, flow_});
    } else if (auto* broken = std::get_if<Framer::Broken>(&*frame)) {
      loop.events.push_back(
          GarbageArrived{owner_->id(), std::move(broken->octets), broken->error, flow_});
      return leave();
    }
    if (state_ != State::Open) return;
  }
}

void Connection::write() {
  while (!queue_.empty() && !is_pausing_ && (state_ == State::Open || state_ == State::Leaving)) {
    Code error;
    const std::size_t octets = write_some(error);
    if (error == boost::asio::error::would_block || error == boost::asio::error::try_again)
      return wait_to_write();
    if (error) return end(error.message());
    since_ = state_ == State::Open ? Steady::now() : since_;
    written(octets);
  }
  if (is_close_wanted_ && queue_.empty() && !is_pausing_) end("closed");
}

std::size_t Connection::write_some(Code& error) {
  std::array<iovec, write_vectors_max> vectors{};
  std::size_t count = 0;
  for (Chunk& chunk : queue_) {
    const std::size_t skipped = count == 0 ? written_ : 0;
    vectors[count++] = {chunk.octets.data() + skipped, chunk.octets.size() - skipped};
    if (chunk.has_pause_behind || count == vectors.size()) break;
  }
  msghdr header{};
  header.msg_iov = vectors.data();
  header.msg_iovlen = count;
  const ssize_t sent = ::sendmsg(socket_.native_handle(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) error = Code(errno, boost::system::system_category());
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

void Connection::written(std::size_t octets) {
  queued_octets_ -= octets;
  octets += std::exchange(written_, 0);
  while (!queue_.empty() && octets >= queue_.front().octets.size()) {
    octets -= queue_.front().octets.size();
    is_pausing_ = queue_.front().has_pause_behind;
    queue_.pop_front();
    if (is_pausing_) break;
  }
  written_ = octets;
  if (!is_pausing_) return;
  pause_.expires_after(owner_->loop().limits.segment_pause);
  pause_.async_wait([self = shared_from_this()](const Code& error) {
    self->is_pausing_ = false;
    if (self->owner_ != nullptr && !error) self->write();
  });
}

void Connection::close() {
  is_close_told_ = true;
  is_close_wanted_ = true;
  if (queue_.empty()) return end("closed");
  leave();
}

// The peer sends no more, or may not: what we have for it still goes out.
void Connection::leave() {
  if (state_ != State::Leaving) since_ = Steady::now();
  state_ = State::Leaving;
  if (!std::exchange(is_close_told_, true))
    owner_->loop().events.push_back(FlowClosed{owner_->id(), flow_});
}

void Connection::check(Steady::time_point now) {
  const Limits& limits = owner_->loop().limits;
  const auto age = now - since_;
  if (state_ == State::Connecting && age > limits.connect_max) return end(std::strerror(ETIMEDOUT));
  if (state_ == State::Open && age > limits.idle_max) return end("idle");
  if (state_ == State::Leaving && age > limits.linger_max) return end("closed");
}

void Connection::end(const std::string& reason) {
  Tcp* owner = owner_;
  if (owner == nullptr) return;
  std::vector<Destination> told;
  for (const Chunk& chunk : queue_) {
    if (std::find(told.begin(), told.end(), chunk.to) != told.end()) continue;
    told.push_back(chunk.to);
    owner->fail(chunk.to, reason);
  }
  if (state_ != State::Connecting && !std::exchange(is_close_told_, true))
    owner->loop().events.push_back(FlowClosed{owner->id(), flow_});
  abort();
  owner->forget(flow_.id);
}

void Connection::abort() {
  state_ = State::Closed;
  owner_ = nullptr;
  Code ignored;
  pause_.cancel(ignored);
  socket_.close(ignored);
}

// --- listener

Tcp::~Tcp() {
  for (const auto& [flow, connection] : connections_) connection->abort();
}

std::expected<void, std::string> Tcp::open(const Endpoint& where) {
  const auto address = socket_address(where);
  if (!address) return std::unexpected("not an IP address");
  Code error;
  acceptor_.open(address->is_ipv6() ? tcp::v6() : tcp::v4(), error);
  if (error) return std::unexpected(error.message());
  const int handle = acceptor_.native_handle();
  const int on = 1;
  ::setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address->is_ipv6()) ::setsockopt(handle, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(handle, address->get(), address->length) != 0 || ::listen(handle, SOMAXCONN) != 0)
    return std::unexpected(std::string(std::strerror(errno)));
  SocketAddress bound;
  bound.length = sizeof bound.storage;
  ::getsockname(handle, bound.get(), &bound.length);
  address_ = endpoint_of(bound, Transport::Tcp);
  accept();
  return {};
}

void Tcp::accept() {
  acceptor_.async_accept([self = std::weak_ptr(self_)](const Code& error, tcp::socket socket) {
    const auto here = self.lock();
    if (!here || error == boost::asio::error::operation_aborted) return;
    Tcp& tcp_here = **here;
    if (!error) {
      tcp_here.accepted(std::move(socket));
      return tcp_here.accept();
    }
    tcp_here.pause_.expires_after(accept_pause);
    tcp_here.pause_.async_wait([self](const Code& cancelled) {
      const auto still_here = self.lock();
      if (still_here && !cancelled) (*still_here)->accept();
    });
  });
}

void Tcp::accepted(tcp::socket socket) {
  if (connections_.size() >= loop_.limits.connections_max) return;  // closed on the spot
  SocketAddress near;
  SocketAddress far;
  near.length = far.length = sizeof near.storage;
  if (::getsockname(socket.native_handle(), near.get(), &near.length) != 0) return;
  if (::getpeername(socket.native_handle(), far.get(), &far.length) != 0) return;
  const Flow flow{endpoint_of(near, Transport::Tcp), endpoint_of(far, Transport::Tcp),
                  loop_.next_flow()};
  auto connection = std::make_shared<Connection>(*this, std::move(socket), flow);
  connections_.emplace(flow.id, connection);
  connection->start_open();
  start_sweeping();
}

void Tcp::send(Outgoing outgoing) {
  const auto connection = connection_to(outgoing);
  if (!connection) return;
  const FlowId flow = connection->flow().id;
  connection->queue(std::move(outgoing));
  if (to_flush_.empty() || to_flush_.back() != flow) to_flush_.push_back(flow);
}

// RFC 3261 18.1.1, 18.2.2: the connection that is there, else a new one.
std::shared_ptr<Connection> Tcp::connection_to(const Outgoing& outgoing) {
  if (const auto it = connections_.find(outgoing.to.flow); it != connections_.end())
    return it->second;
  for (const auto& [flow, connection] : connections_)
    if (connection->is_usable() && connection->flow().remote == outgoing.address) return connection;
  const auto address = socket_address(outgoing.address);
  if (!address || address->is_ipv6() != socket_address(address_)->is_ipv6()) {
    fail(outgoing.to, std::strerror(EAFNOSUPPORT));
    return nullptr;
  }
  if (connections_.size() >= loop_.limits.connections_max) {
    fail(outgoing.to, "too many connections");
    return nullptr;
  }
  return connect(*address, outgoing.address);
}

std::shared_ptr<Connection> Tcp::connect(const SocketAddress& to, const Endpoint& remote) {
  tcp::socket socket(loop_.io);
  Code ignored;
  socket.open(to.is_ipv6() ? tcp::v6() : tcp::v4(), ignored);
  // From our own address where that leads there; the port is any.
  if (auto from = socket_address({Transport::Tcp, address_.host, 0}); from && socket.is_open())
    static_cast<void>(::bind(socket.native_handle(), from->get(), from->length));
  const Flow flow{address_, remote, loop_.next_flow()};
  auto connection = std::make_shared<Connection>(*this, std::move(socket), flow);
  connections_.emplace(flow.id, connection);
  connection->start_connecting(to);
  start_sweeping();
  return connection;
}

void Tcp::flush() {
  for (const FlowId flow : std::exchange(to_flush_, {})) {
    const auto it = connections_.find(flow);
    if (it == connections_.end()) continue;
    const auto connection = it->second;  // may be forgotten on the way
    connection->write();
  }
}

void Tcp::close_flow(FlowId flow) {
  const auto it = connections_.find(flow);
  if (it == connections_.end()) return;
  const auto connection = it->second;
  connection->write();
  if (connections_.contains(flow)) connection->close();
}

void Tcp::forget(FlowId flow) {
  connections_.erase(flow);
}

void Tcp::start_sweeping() {
  if (std::exchange(is_sweeping_, true)) return;
  sweep_.expires_after(sweep_period);
  sweep_.async_wait([self = std::weak_ptr(self_)](const Code& error) {
    const auto here = self.lock();
    if (here && !error) (*here)->sweep();
  });
}

void Tcp::sweep() {
  is_sweeping_ = false;
  const auto now = Steady::now();
  for (const auto& [flow, connection] : std::map(connections_)) connection->check(now);
  if (!connections_.empty()) start_sweeping();
}

}  // namespace

std::expected<std::unique_ptr<LocalEndpoint>, std::string> open_tcp(Loop& loop, FlowId id,
                                                                    const Endpoint& where) {
  auto local = std::make_unique<Tcp>(loop, id);
  if (auto opened = local->open(where); !opened) return std::unexpected(opened.error());
  return local;
}

}  // namespace sipassay::transport
