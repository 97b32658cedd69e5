// Mutations that know SIP: of one message (lines, parameters, numbers, then repair, and sometimes
// one repair left out on purpose), and of scripts (operations). Deterministic in the seed. Shared
// by the libFuzzer targets and the live fuzzer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/rng.h"
#include "fuzz/sequence.h"

namespace sipassay::fuzz {

// One or two edits of a message, or of a stream of messages. The result has at most `size_max`
// octets.
std::string mutate_message(std::string_view message, std::size_t size_max, Rng rng);

// Makes Content-Length, the method of CSeq and the ends of lines fit the message again.
struct Repairs {
  bool content_length = true;
  bool cseq_method = true;
};
std::string repair_message(std::string_view message, Repairs repairs = {});

// One to three edits of operations.
std::string mutate_script(std::string_view script, Verbs verbs, std::size_t size_max, Rng rng);
// The beginning of one and the end of the other, cut between operations.
std::string cross_scripts(std::string_view a, std::string_view b, std::size_t size_max, Rng rng);

// Values that have broken SIP stacks: numbers at the edges of types, lengths at the edges of
// buffers.
std::span<const std::string_view> number_ladder();
std::span<const std::size_t> length_ladder();

}  // namespace sipassay::fuzz
