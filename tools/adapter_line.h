// The lines between the harness and the adapter of a SUT (tools/adapters/README.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "engine/runner/run.h"

namespace sipassay::tools {

inline constexpr std::size_t adapter_line_max =
    4095;  // octets, without the line end: a pipe takes 4096 whole
inline constexpr unsigned adapter_calls_max = 1000;  // that an adapter may keep apart

// --- to the adapter: "7 call peer=sip:peer@127.0.0.1:40000 offer=no". Values are percent-encoded.
std::string to_line(const runner::SutCommand& command);
std::expected<runner::SutCommand, std::string> command_from(std::string_view line);

// --- from the adapter
struct AdapterReady {
  unsigned calls = 1;   // how many it keeps apart by their peers
  bool is_sut = false;  // the SUT lives in it: its end is the SUT's
  friend bool operator==(const AdapterReady&, const AdapterReady&) = default;
};
struct AdapterAnswer {
  std::uint32_t number = 0;
  bool ok = true;
  bool is_unsupported = false;
  std::string text{};
  friend bool operator==(const AdapterAnswer&, const AdapterAnswer&) = default;
};
// Something happened at the SUT; for the reader only.
struct AdapterEvent {
  std::string text{};
  friend bool operator==(const AdapterEvent&, const AdapterEvent&) = default;
};
struct SutHasDied {
  std::string text{};
  friend bool operator==(const SutHasDied&, const SutHasDied&) = default;
};
using AdapterLine = std::variant<AdapterReady, AdapterAnswer, AdapterEvent, SutHasDied>;

// The error is what was expected.
std::expected<AdapterLine, std::string> adapter_line_from(std::string_view line);

}  // namespace sipassay::tools
