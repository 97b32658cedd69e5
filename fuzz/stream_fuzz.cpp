// Properties of the stream framer, for any octets and any segmentation:
// - the same frames come out, whether the stream is fed whole, octet by octet or in random pieces;
// - a message that it cuts out is one that the parser reads, whole.
// The last two octets choose the pieces.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/rng.h"
#include "engine/message/framer.h"
#include "engine/message/parse.h"
#include "fuzz/support.h"

namespace sipassay::fuzz {
namespace {

// A frame as text: kind, and its octets or error.
struct Describe {
  std::string operator()(const Message& message) const {
    const auto text = message.to_string();
    const auto again = parse_message(text);
    check(again.has_value() && again->surplus_octets() == 0, "a framed message parses whole", text);
    return "message " + text;
  }
  std::string operator()(const Framer::Ping&) const { return "ping"; }
  std::string operator()(const Framer::Pong&) const { return "pong"; }
  std::string operator()(const Framer::Garbage& garbage) const {
    return "garbage " + to_string(garbage.error) + garbage.octets;
  }
  // Its octets are those that have come so far: they depend on the pieces.
  std::string operator()(const Framer::Broken& broken) const {
    return "broken " + to_string(broken.error);
  }
};

std::vector<std::string> frames_of(std::string_view stream, auto&& next_size) {
  Framer framer;
  std::vector<std::string> out;
  std::size_t at = 0;
  while (at < stream.size()) {
    const Block piece(stream.substr(at, next_size()));
    at += piece.view().size();
    framer.feed(piece.view());
    while (auto frame = framer.next()) out.push_back(std::visit(Describe{}, *frame));
  }
  return out;
}

}  // namespace
}  // namespace sipassay::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sipassay;
  using namespace sipassay::fuzz;
  constexpr std::size_t octet_by_octet_max = 4096;  // beyond, it costs more than it finds
  trace().begin();
  std::uint64_t seed = 0;
  for (int i = 0; i < 2 && size != 0; ++i) seed = seed * 256 + data[--size];
  const Block block(data, size);
  const auto whole = frames_of(block.view(), [&] { return block.view().size(); });
  for (const auto& frame : whole) trace().add(frame);
  if (size <= octet_by_octet_max)
    check(whole == frames_of(block.view(), [] { return std::size_t{1}; }),
          "octet by octet gives the same frames");
  Rng rng(seed);
  const auto most = std::max<std::uint64_t>(2, rng.between(2, 600));
  check(whole ==
            frames_of(block.view(), [&] { return static_cast<std::size_t>(rng.between(1, most)); }),
        "any pieces give the same frames");
  return 0;
}
