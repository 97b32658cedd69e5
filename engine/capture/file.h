// Reads a capture file (pcap, pcapng) with libpcap.
#pragma once

#include <expected>
#include <string>

#include "engine/capture/decode.h"

namespace sipassay::capture {

// Feeds every frame of the file and finishes the decoder. The error says what was wrong with the
// file and after how many frames; those stay read.
std::expected<void, std::string> read_file(const std::string& path, Decoder& decoder);

}  // namespace sipassay::capture
