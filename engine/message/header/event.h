// Event and Subscription-State (RFC 6665 8.2), Info-Package (RFC 6086 7.1), Refer-Sub (RFC 4488 4).
#pragma once

#include <cstdint>
#include <optional>

#include "engine/message/header_id.h"
#include "engine/message/params.h"
#include "engine/message/reader.h"

namespace sipassay {

struct Event {
  static constexpr HeaderId id = HeaderId::Event;
  std::string_view package;  // with its templates: "presence.winfo"
  Params params;

  // RFC 6665 7.4: the id parameter; compared with case.
  std::string_view id_param() const { return params.value("id"); }

  static bool read(Reader& reader, Event& out);
  static Parsed<Event> parse(std::string_view value) { return parse_whole<Event>(value); }
  void write(Octets& out) const;
};

struct SubscriptionState {
  static constexpr HeaderId id = HeaderId::SubscriptionState;
  std::string_view state;  // "active", "pending", "terminated" or an extension
  Params params;

  std::optional<std::uint32_t> expires() const;
  std::optional<std::uint32_t> retry_after() const;
  std::optional<std::string_view> reason() const;

  static bool read(Reader& reader, SubscriptionState& out);
  static Parsed<SubscriptionState> parse(std::string_view value) {
    return parse_whole<SubscriptionState>(value);
  }
  void write(Octets& out) const;
};

struct InfoPackage {
  static constexpr HeaderId id = HeaderId::InfoPackage;
  std::string_view package;
  Params params;

  static bool read(Reader& reader, InfoPackage& out);
  static Parsed<InfoPackage> parse(std::string_view value) {
    return parse_whole<InfoPackage>(value);
  }
  void write(Octets& out) const;
};

struct ReferSub {
  static constexpr HeaderId id = HeaderId::ReferSub;
  bool value = true;
  Params params;

  static bool read(Reader& reader, ReferSub& out);
  static Parsed<ReferSub> parse(std::string_view value) { return parse_whole<ReferSub>(value); }
  void write(Octets& out) const;
};

}  // namespace sipassay
