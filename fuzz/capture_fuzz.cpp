// Properties of the capture reader, for any frames:
// - nothing is read beyond a frame, and every frame is counted: it gave a payload or a reason;
// - every message that comes out is one that the parser reads, and places refer to earlier ones.
// A frame begins with a link type and a length of two octets each; what is longer than the rest is
// cut.
#include <algorithm>
#include <cstdint>
#include <string>

#include "engine/capture/exchange.h"
#include "engine/message/parse.h"
#include "fuzz/support.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sipassay;
  using namespace sipassay::fuzz;
  trace().begin();
  capture::Decoder decoder;
  std::size_t frames = 0;
  while (size >= 4) {
    const int link_type = data[0] << 8U | data[1];
    const std::size_t length = static_cast<std::size_t>(data[2]) << 8U | data[3];
    data += 4, size -= 4;
    const Block frame(data, std::min(length, size));
    decoder.frame(link_type, frame.view(), length > size, Instant(Duration(frames)));
    ++frames;
    data += frame.view().size(), size -= frame.view().size();
  }
  decoder.finish();
  check(decoder.counts().frames == frames, "every frame is counted");
  const auto& messages = decoder.messages();
  const auto places = capture::places(messages);
  check(places.size() == messages.size(), "every message has a place");
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const capture::Captured& one = messages[i];
    check(one.frame >= 1 && one.frame <= frames, "a message names its frame");
    const std::string text = one.error ? one.octets : one.message.to_string();
    check(one.error || parse_message(text).has_value(), "it parses", text);
    for (const auto& place : {places[i].request, places[i].copy_of, places[i].original})
      check(!place || *place < i, "a place is that of an earlier message");
    trace().add(text);
  }
  return 0;
}
