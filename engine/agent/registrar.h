// A registrar's bindings (RFC 3261 10.3): which contacts an address-of-record has, and for how
// long.
//
// Driven by the agent, which authenticates (step 3) and sends the responses. No timer: a binding
// whose time is up is no longer seen, so that an idle registrar is quiet.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/agent/response.h"
#include "engine/base/time.h"
#include "engine/message/message.h"

namespace sipassay::agent {

// Limits of this implementation; a REGISTER that needs more fails as a whole with 500.
inline constexpr std::size_t aors_max = 20'000;
inline constexpr std::size_t bindings_max = 16;          // of one address-of-record
inline constexpr std::size_t binding_octets_max = 2048;  // Contact value and Call-ID

class Registrar {
 public:
  struct Options {
    std::vector<std::string> domains{};    // that have bindings here; empty: every one
    std::chrono::seconds minimum{60};      // 423 for less
    std::chrono::seconds standard{3600};   // when the UA suggests nothing
    std::chrono::seconds maximum{86'400};  // granted when it asks for more
    std::size_t aors_limit = aors_max;
    std::chrono::sys_seconds epoch{};  // calendar time of Instant{}, for Date
  };
  // What a caller is told of a binding: "<sip:bob@192.0.2.4>;q=0.7;expires=60".
  using Contacts = std::vector<std::string>;

  explicit Registrar(Options options) : options_(std::move(options)) {}

  // Steps 1 and 5: whether the domain and the address-of-record are ours. 400, 404.
  std::optional<Refusal> check_address(const Message& request) const;
  // Steps 6 to 8: changes all bindings that the REGISTER names or none; all that the
  // address-of-record has then. 400, 423, 500.
  std::expected<Contacts, Refusal> update(const Message& request, Instant now);
  // For a redirection: best q first. None if the URI is no address-of-record with bindings; a
  // contact that is that URI itself is left out (8.3 MUST NOT).
  Contacts contacts(std::string_view uri, Instant now) const;
  // The same for a proxy (16.5): where a request for that URI goes, best q first.
  struct Target {
    std::string uri;
    int q = 1000;      // in thousandths
    std::string path;  // the Path values of its REGISTER (RFC 3327 5.3); empty: none
  };
  std::vector<Target> targets(std::string_view uri, Instant now) const;
  // The value of Date (20.17).
  std::string date(Instant now) const;
  // Addresses-of-record with bindings, those included whose time is up.
  std::size_t size() const { return aors_.size(); }

 private:
  struct Binding {
    std::string uri;
    std::string contact;  // as Contacts, without expires
    int q = 1000;         // in thousandths
    Instant end{};
    std::string call_id;
    std::uint32_t cseq = 0;
    std::string path;           // as Target
    bool is_tentative = false;  // of the REGISTER that is being processed
  };
  using Bindings = std::vector<Binding>;
  struct Update;

  Bindings current(const std::string& aor, Instant now) const;
  Bindings of(std::string_view uri, Instant now) const;
  bool has_room_for(const std::string& aor, Instant now);
  static Contacts listed(const Bindings& bindings, Instant now);

  Options options_;
  std::map<std::string, Bindings, std::less<>> aors_;  // by canonical URI (step 5)
};

}  // namespace sipassay::agent
