// What message_bench measures: one parser behind one interface.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace sipassay::bench {

class Peer {
 public:
  virtual ~Peer() = default;
  virtual std::string_view name() const = 0;
  // What exactly is measured, in one line each.
  virtual std::string_view parse_means() const = 0;
  virtual std::string_view write_means() const = 0;
  // Reads everything; frees what it made. False when the message was refused.
  virtual bool parse(std::string_view octets) = 0;
  // Keeps the typed values of a message for write(); false when it was refused.
  virtual bool keep(std::string_view octets) = 0;
  virtual std::size_t kept_count() const = 0;
  // Octets of the kept message, made from its typed values.
  virtual std::size_t write(std::size_t index) = 0;
};

std::unique_ptr<Peer> make_sipassay();
// These exist when their packages were found.
std::unique_ptr<Peer> make_osip();
std::unique_ptr<Peer> make_sofia();
std::unique_ptr<Peer> make_re();

}  // namespace sipassay::bench
